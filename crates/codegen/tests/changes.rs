//! What the report says of documents that were changed in one known way, in several, or at random.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "changes/mutations.rs"]
mod mutations;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use mutations::{Case, cases};
use serde_json::{Value, json};
use xyte_mcp_codegen::diagnostic::{Report, Source};
use xyte_mcp_codegen::diff::{Changes, Effect, Inputs, Verdict, compare};
use xyte_mcp_codegen::report::{self, Look};

const PLAIN: Look = Look { width: 100, color: false, verbose: false };

fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A state of the real document that stays, so that another one in force changes no test.
const DOCUMENT: &str = "crates/codegen/tests/changes/document.json";
const OVERRIDES: &str = "crates/codegen/tests/changes/overrides.toml";

fn read(path: &str) -> String {
    std::fs::read_to_string(project().join(path)).unwrap()
}

fn document() -> Value {
    serde_json::from_str(&read(DOCUMENT)).unwrap()
}

fn run(before: &str, after: &str, overrides: &str) -> Result<Changes, Report> {
    compare(&Inputs {
        before: Source { path: "spec/xyte.json", text: before },
        after: Source { path: "NEW.json", text: after },
        after_has_lines: true,
        overrides: Source { path: "overrides/xyte.toml", text: overrides },
        version: "0.4.2",
    })
}

/// Compares the document in force with a changed one.
fn changed(mutate: impl FnOnce(&mut Value)) -> Changes {
    let mut after = document();
    mutate(&mut after);
    run(&read(DOCUMENT), &after.to_string(), &read(OVERRIDES)).unwrap()
}

/// Everything that is told, as short lines.
fn told(changes: &Changes) -> BTreeSet<String> {
    let report: Value = serde_json::from_str(&report::json(changes)).unwrap();
    let text = |value: &Value, key: &str| value[key].as_str().unwrap_or_default().to_owned();
    let lines = report["changes"].as_array().unwrap().iter().map(|change| {
        format!("{} {}: {}", text(change, "effect"), text(change, "name"), text(change, "message"))
    });
    let decisions = changes
        .decisions
        .iter()
        .map(|decision| format!("mend {}: {}", decision.rule, decision.message));
    let proposals = changes.proposals.iter().map(|proposal| {
        format!("new {}: {:?} in {}", proposal.name, proposal.class, proposal.toolset)
    });
    lines.chain(decisions).chain(proposals).collect()
}

fn expected(case: &Case) -> BTreeSet<String> {
    case.lines.iter().map(|line| (*line).to_owned()).collect()
}

#[test]
fn every_kind_of_change_is_told_completely_and_nothing_is_invented() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../../../snapshots/changes");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let (mut names, mut wrong) = (BTreeSet::new(), Vec::new());
    settings.bind(|| {
        for case in cases() {
            let changes = changed(case.mutate);
            let (told, expected) = (told(&changes), expected(&case));
            if told != expected || changes.verdict() as u8 != case.exit {
                wrong.push(format!("{}: {told:#?} instead of {expected:#?}", case.name));
            }
            assert!(names.insert(format!("{}.snap", case.name)), "{} stands twice", case.name);
            insta::assert_snapshot!(case.name, report::terminal(&changes, PLAIN));
        }
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    names.insert("an_older_document.snap".to_owned());
    names.insert("the_next_document.snap".to_owned());
    let found = std::fs::read_dir(project().join("snapshots/changes")).unwrap();
    let orphans: Vec<String> = found
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .filter(|file| !names.contains(file))
        .collect();
    assert!(orphans.is_empty(), "remove {orphans:?} from snapshots/changes");
}

#[test]
fn all_changes_at_once_are_told_like_each_alone() {
    let together: Vec<Case> = cases().into_iter().filter(|case| case.combines).collect();
    assert!(together.len() >= 20);
    let changes = changed(|document| together.iter().for_each(|case| (case.mutate)(document)));
    let expected: BTreeSet<String> = together.iter().flat_map(expected).collect();
    assert_eq!(told(&changes), expected);
    assert_eq!(changes.verdict(), Verdict::Breaks);
}

#[test]
fn the_same_document_changes_nothing_however_it_is_written() {
    let changes = changed(|_| {});
    assert!(told(&changes).is_empty());
    assert_eq!(changes.verdict(), Verdict::Fine);
    assert_eq!(changes.advice.next, "0.4.2");
    let shown = report::terminal(&changes, PLAIN);
    assert!(shown.contains("Nothing changes for agents."), "{shown}");
}

/// Goes through every place of a document that a mutation could hit.
fn places(value: &Value, prefix: &str, out: &mut Vec<String>) {
    let mut visit = |key: String, value: &Value| {
        let pointer = format!("{prefix}/{}", key.replace('~', "~0").replace('/', "~1"));
        places(value, &pointer, out);
        out.push(pointer);
    };
    match value {
        Value::Object(members) => members.iter().for_each(|(key, value)| visit(key.clone(), value)),
        Value::Array(elements) => {
            elements.iter().enumerate().for_each(|(at, value)| visit(at.to_string(), value));
        }
        _ => {}
    }
}

/// Numbers that look random and are the same on every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }
}

fn damage(document: &mut Value, pointer: &str, dice: &mut Dice) {
    let kinds = [
        Value::Null,
        json!(-1),
        json!(""),
        json!("string"),
        json!([]),
        json!({}),
        json!([{"$ref": "#"}]),
        json!({"$ref": "#/components/schemas/Device"}),
        json!({"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}}}),
    ];
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let kind = dice.roll(kinds.len() + 1);
    if let Some(kind) = kinds.get(kind) {
        if let Some(place) = document.pointer_mut(pointer) {
            *place = kind.clone();
        }
        return;
    }
    let key = key.replace("~1", "/").replace("~0", "~");
    match document.pointer_mut(parent) {
        Some(Value::Object(members)) => drop(members.remove(&key)),
        Some(Value::Array(elements)) => {
            if let Some(at) = key.parse().ok().filter(|at: &usize| *at < elements.len()) {
                elements.remove(at);
            }
        }
        _ => {}
    }
}

#[test]
fn a_damaged_document_is_compared_or_reported_and_never_panics() {
    let base = read("crates/codegen/tests/base/document.json");
    let overrides = read("crates/codegen/tests/base/overrides.toml");
    let document: Value = serde_json::from_str(&base).unwrap();
    let mut all = Vec::new();
    places(&document, "", &mut all);
    let mut dice = Dice(7);
    for _ in 0..700 {
        let mut after = document.clone();
        for _ in 0..=dice.roll(3) {
            damage(&mut after, &all[dice.roll(all.len())], &mut dice);
        }
        match run(&base, &after.to_string(), &overrides) {
            Ok(changes) => {
                let shown = report::terminal(&changes, PLAIN);
                assert!(shown.contains("Version: "), "{after}");
                assert!(report::markdown(&changes).contains("## Version"));
                let silent = changes.verdict() == Verdict::Fine && changes.changes.is_empty();
                let same = silent && changes.tokens.all.before != changes.tokens.all.after;
                assert!(!same, "the served text changed, and nothing was told: {after}");
            }
            Err(report) => assert!(!report.to_string().is_empty(), "{after}"),
        }
    }
    for at in (0..base.len()).step_by(13).filter(|at| base.is_char_boundary(*at)) {
        assert!(run(&base, &base[..at], &overrides).is_err(), "cut at {at}");
    }
}

#[test]
fn a_single_mutation_of_the_real_document_never_changes_a_tool_in_silence() {
    let (text, overrides) = (read(DOCUMENT), read(OVERRIDES));
    let document = document();
    let mut all = Vec::new();
    places(&document, "", &mut all);
    let mut dice = Dice(11);
    for _ in 0..12 {
        let mut after = document.clone();
        let pointer = &all[dice.roll(all.len())];
        damage(&mut after, pointer, &mut dice);
        let Ok(changes) = run(&text, &after.to_string(), &overrides) else { continue };
        let quiet = changes.changes.is_empty() && changes.decisions.is_empty();
        let moved = changes.tokens.all.before != changes.tokens.all.after;
        assert!(!(quiet && moved), "{pointer}");
    }
}

#[test]
fn what_cannot_be_compared_is_refused_in_a_sentence() {
    let (text, overrides) = (read(DOCUMENT), read(OVERRIDES));
    let refused = |after: &str| run(&text, after, &overrides).unwrap_err().to_string();
    assert!(refused("<html>").contains("the document is not JSON"));
    assert!(refused("[]").contains("is no object"));
    assert!(refused("{\"swagger\": \"2.0\"}").contains("Swagger 2.0"));
    assert!(refused("{\"openapi\": \"3.1.0\", \"paths\": {}}").contains("`3.1.0`"));
    assert!(refused("{\"openapi\": \"3.0.3\"}").contains("no `paths` object"));
    let nested = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(refused(&nested).contains("the document is not JSON"));
}

/// Overrides that expose a whole document as the rules propose.
fn proposed(document: &str) -> String {
    let head = read(OVERRIDES);
    let head = &head[..head.find("[operations.").unwrap()];
    let mut empty: Value = serde_json::from_str(document).unwrap();
    empty["paths"] = json!({});
    let changes = run(&empty.to_string(), document, head).unwrap();
    let stubs = changes.proposals.iter().map(|proposal| proposal.stub.as_str());
    let (tables, skips): (Vec<&str>, Vec<&str>) =
        { stubs }.partition(|stub| !stub.starts_with("[skip]"));
    let skips: Vec<&str> = skips.iter().map(|stub| stub.trim_start_matches("[skip]\n")).collect();
    format!("{head}\n{}\n[skip]\n{}", tables.join("\n"), skips.join(""))
}

#[test]
fn proposals_for_a_whole_document_are_overrides_without_a_fault() {
    let text = read(DOCUMENT);
    let overrides = proposed(&text);
    let changes = run(&text, &text, &overrides).map_err(|report| report.to_string()).unwrap();
    assert!(told(&changes).is_empty());
}

#[test]
fn the_report_on_an_older_and_on_the_next_document_reads_well() {
    let (text, overrides) = (read(DOCUMENT), read(OVERRIDES));
    let older = read("spec/history/xyte-2026-02.json");
    let back = run(&text, &older, &overrides).unwrap();
    let forth = run(&older, &text, &proposed(&older)).map_err(|report| report.to_string()).unwrap();
    assert_eq!(back.verdict(), Verdict::Breaks);
    let removed = |changes: &Changes| {
        let gone = |change: &&xyte_mcp_codegen::diff::Change| {
            change.effect == Effect::Breaking && change.path.is_empty()
        };
        changes.changes.iter().filter(gone).count()
    };
    assert!(removed(&back) > 0);
    assert_eq!(removed(&forth), 0);
    assert!(!forth.proposals.is_empty());
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../../../snapshots/changes");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        insta::assert_snapshot!("an_older_document", report::terminal(&back, PLAIN));
        insta::assert_snapshot!("the_next_document", report::terminal(&forth, PLAIN));
    });
}

#[test]
fn the_report_for_programs_says_what_was_what_is_and_where() {
    let case = cases().into_iter().find(|case| case.name == "bound_tightened").unwrap();
    let report: Value = serde_json::from_str(&report::json(&changed(case.mutate))).unwrap();
    assert_eq!(report["exit"], 5);
    assert_eq!(report["advice"]["next"], "0.5.0");
    let change = &report["changes"][0];
    assert_eq!(change["kind"], "rule_tightened");
    assert_eq!(change["pointer"], "/inputSchema/properties/title/maxLength");
    assert_eq!((&change["before"], &change["after"]), (&Value::Null, &json!(40)));
    assert_eq!(change["overrides"]["file"], "overrides/xyte.toml");
    assert!(change["overrides"]["line"].as_u64().unwrap() > 1);
}

#[test]
fn the_report_keeps_to_the_width_and_has_color_only_where_it_is_wanted() {
    let older = read("spec/history/xyte-2026-02.json");
    let changes = run(&read(DOCUMENT), &older, &read(OVERRIDES)).unwrap();
    let narrow = report::terminal(&changes, Look { width: 60, ..PLAIN });
    for line in narrow.lines().filter(|line| line.trim().contains(' ')) {
        assert!(line.chars().count() <= 60, "{line}");
    }
    assert!(!narrow.contains('\u{1b}'));
    let bright = report::terminal(&changes, Look { color: true, ..PLAIN });
    assert!(bright.contains("\u{1b}[1;31mBreaking"));
}

#[test]
fn hostile_words_neither_steer_the_terminal_nor_become_markup() {
    const HOSTILE: &str = "` <script>\u{1b}[2J\u{202e}\n# Heading";
    let changes = changed(|document| {
        document["info"]["version"] = json!(HOSTILE);
        let edges = &mut document["paths"]["/core/v1/organization/edges"];
        edges["get"]["parameters"][0]["schema"]["default"] = json!(HOSTILE);
        edges["post"] = json!({"operationId": "add_edge", "summary": HOSTILE, "tags": ["edges"], "responses": {}});
        let fields = &mut document["components"]["schemas"]["ClaimDeviceRequest"]["properties"];
        fields[HOSTILE] = json!({"type": "string", "description": HOSTILE});
        fields["sn"]["description"] = json!(HOSTILE);
        fields["mac"]["enum"] = json!([HOSTILE]);
    });
    let shown = report::terminal(&changes, Look { verbose: true, ..PLAIN });
    let page = report::markdown(&changes);
    for text in [&shown, &page] {
        assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text}");
        assert!(!text.lines().any(|line| line.starts_with("# Heading")), "{text}");
    }
    let prose: String = page.split("````").step_by(2).collect(); // What stands outside the fences.
    let outside: String = prose.split('`').step_by(2).collect();
    assert!(!outside.replace("\\<", "").contains("<script>"), "{page}");
}

#[test]
fn a_computed_tool_is_named_when_an_operation_it_calls_breaks() {
    let base: Value =
        serde_json::from_str(&read("crates/codegen/tests/base/document.json")).unwrap();
    let overrides = read("crates/codegen/tests/base/overrides.toml");
    let changes = |mutate: fn(&mut Value)| {
        let mut after = base.clone();
        mutate(&mut after);
        run(&base.to_string(), &after.to_string(), &overrides).unwrap()
    };
    let broken = changes(|document| {
        document["components"]["schemas"]["Book"]["properties"]["title"]["type"] = json!("integer");
    });
    let told = told(&broken);
    let wanted = "computes from `list_books`, which changes";
    assert!(
        told.iter().any(|line| line.starts_with("mend computed-tool") && line.contains(wanted)),
        "{told:#?}"
    );
    let renamed =
        changes(|document| document["paths"]["/books"]["get"]["operationId"] = json!("listBooks"));
    assert!(renamed.changes.is_empty());
    assert_eq!(renamed.decisions.len(), 1, "{:#?}", renamed.decisions);
}

#[test]
fn another_default_is_another_call_and_one_that_is_told_need_not_be() {
    let stating = |default: Value| {
        let mut document = document();
        let filters = document["paths"]["/core/v1/organization/incidents"]["get"]["parameters"]
            .as_array_mut()
            .unwrap();
        let status = filters.iter_mut().find(|filter| filter["name"] == "status").unwrap();
        status["schema"]["default"] = default;
        document.to_string()
    };
    let (active, closed) = (stating(json!("active")), stating(json!("closed")));
    let effect = |before: &str, after: &str| {
        let changes = run(before, after, &read(OVERRIDES)).unwrap().changes;
        changes.iter().find(|change| change.what == "default").unwrap().effect
    };
    assert_eq!(effect(&active, &closed), Effect::Breaking);
    assert_eq!(effect(&read(DOCUMENT), &active), Effect::Additive);
}

#[test]
fn a_long_path_without_an_id_is_proposed_under_what_it_ends_with() {
    let changes = changed(|document| {
        let mut wipe = document["paths"]["/core/v1/organization/users"]["post"].clone();
        wipe.as_object_mut().unwrap().remove("operationId");
        let path = "/core/v1/organization/devices/{device_id}/storage/wipe";
        document["paths"][path] = json!({"post": wipe});
    });
    assert_eq!(changes.proposals[0].name, "post_devices_device_id_storage_wipe");
}
