//! What becomes of the overrides when another document is put in force.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "changes/mutations.rs"]
mod mutations;

use std::path::Path;

use mutations::{Case, cases};
use serde_json::{Value, json};
use xyte_mcp_codegen::catalogue;
use xyte_mcp_codegen::diagnostic::Source;
use xyte_mcp_codegen::diff::Inputs;
use xyte_mcp_codegen::report::changelog;
use xyte_mcp_codegen::update::{Options, Updated, update};

const ALL: Options = Options { accept_proposals: true, remove_orphans: true };

/// A state of the real document that stays, so that another one in force changes no test.
const DOCUMENT: &str = "crates/codegen/tests/changes/document.json";
const OVERRIDES: &str = "crates/codegen/tests/changes/overrides.toml";

fn read(path: &str) -> String {
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    std::fs::read_to_string(project.join(path)).unwrap()
}

fn document() -> Value {
    serde_json::from_str(&read(DOCUMENT)).unwrap()
}

fn put(after: &str, options: Options) -> Updated {
    replace((&read(DOCUMENT), after), &read(OVERRIDES), options)
}

fn replace(documents: (&str, &str), overrides: &str, options: Options) -> Updated {
    let inputs = Inputs {
        before: Source { path: "spec/xyte.json", text: documents.0 },
        after: Source { path: "NEW.json", text: documents.1 },
        after_has_lines: true,
        overrides: Source { path: "overrides/xyte.toml", text: overrides },
        version: "0.4.2",
    };
    update(&inputs, options).map_err(|report| report.to_string()).unwrap()
}

fn mutated(cases: &[Case]) -> String {
    let mut after = document();
    for case in cases {
        (case.mutate)(&mut after);
    }
    after.to_string()
}

/// Tools by name, as they would be served.
fn served(document: &str, overrides: &str) -> Vec<String> {
    let document = Source { path: "NEW.json", text: document };
    let overrides = Source { path: "overrides/xyte.toml", text: overrides };
    let catalogue = catalogue(document, overrides).map_err(|report| report.to_string()).unwrap();
    catalogue.entries.iter().map(|entry| entry.tool["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_same_document_leaves_the_overrides_as_they_are() {
    let updated = put(&read(DOCUMENT), ALL);
    assert_eq!(updated.overrides, read(OVERRIDES));
    assert!(updated.left.is_none() && updated.done.is_empty());
}

#[test]
fn after_every_change_that_asks_for_an_edit_the_overrides_fit_and_no_comment_is_lost() {
    let original = read(OVERRIDES);
    let comments: Vec<&str> = original.lines().filter(|line| line.starts_with('#')).collect();
    let before = served(&read(DOCUMENT), &original);
    let mends = |case: &Case| case.lines.iter().any(|line| line.starts_with("mend"));
    // The others ask for no edit; they are among all changes at once.
    for case in cases().into_iter().filter(|case| mends(case) || !case.combines) {
        let after = mutated(&[case]);
        let updated = put(&after, ALL);
        let by_hand =
            |line: &&&str| line.contains("which is gone") || case.name == "page_becomes_a_cursor";
        let left = updated.left.as_ref().map(|left| left.diagnostics.len()).unwrap_or_default();
        // Code and texts that rest on what is gone are a person's, and so is another kind of pages; nothing else is.
        assert_eq!(
            left,
            case.lines.iter().filter(by_hand).count(),
            "{}: {:#?}",
            case.name,
            updated.left
        );
        assert_eq!(updated.changes.verdict() as u8, case.exit, "{}", case.name);
        for comment in &comments {
            assert!(updated.overrides.contains(comment), "{}: {comment}", case.name);
        }
        let gone = case.lines.iter().filter(|line| line.contains(": gone from the toolset"));
        let come = case.lines.iter().filter(|line| line.starts_with("new "));
        if left > 0 {
            continue;
        }
        let tools = served(&after, &updated.overrides);
        assert_eq!(tools.len() + gone.count(), before.len() + come.count(), "{}", case.name);
    }
}

#[test]
fn after_all_changes_at_once_the_overrides_fit() {
    let together: Vec<Case> = cases().into_iter().filter(|case| case.combines).collect();
    let after = mutated(&together);
    let updated = put(&after, ALL);
    assert!(updated.left.is_none(), "{}", updated.left.unwrap());
    let tools = served(&after, &updated.overrides);
    assert!(tools.contains(&"search_licenses".to_owned()));
    assert!(tools.contains(&"list_edges".to_owned()), "a tool keeps its name when its id changes");
    assert!(!tools.contains(&"delete_group".to_owned()));
}

#[test]
fn an_argument_keeps_its_name_when_the_document_renames_it() {
    let wanted = ["argument_renamed", "path_variable_renamed"];
    let renamed: Vec<Case> =
        cases().into_iter().filter(|case| wanted.contains(&case.name)).collect();
    let after = mutated(&renamed);
    let updated = put(&after, Options::default());
    assert!(updated.overrides.contains("name = \"parent_id\""), "{}", updated.overrides);
    assert!(updated.overrides.contains("name = \"device_id\""));
    assert!(updated.left.is_none(), "{}", updated.left.unwrap());
}

#[test]
fn a_new_operation_is_a_comment_until_somebody_decides() {
    let mut after = document();
    let mut list = after["paths"]["/core/v1/organization/edges"]["get"].clone();
    list["operationId"] = json!("listKiosks");
    list["tags"] = json!(["kiosks"]);
    after["paths"]["/core/v1/organization/kiosks"] = json!({"get": list});
    let after = after.to_string();
    let updated = put(&after, Options::default());
    assert!(updated.overrides.starts_with(&read(OVERRIDES)));
    assert!(updated.overrides.contains("# [operations.listKiosks]"));
    let left = updated.left.unwrap().to_string();
    assert!(left.contains("nobody decided on `listKiosks`"), "{left}");
    let accepted = put(&after, ALL);
    assert!(served(&after, &accepted.overrides).contains(&"list_kiosks".to_owned()));
}

#[test]
fn a_way_to_page_follows_its_parameter_in_place_or_in_a_dialect_of_its_own() {
    let of = |name: &str| cases().into_iter().filter(|case| case.name == name).collect::<Vec<_>>();
    let original = read(OVERRIDES);
    let everywhere = put(&mutated(&of("page_size_renamed_everywhere")), ALL);
    assert_eq!(
        everywhere.overrides,
        original.replacen("size = \"per_page\"", "size = \"page_size\"", 1)
    );
    let unsaid = put(&mutated(&of("flag_of_more_pages_removed")), ALL);
    let without = original.replacen("more = \"has_next_page\"\n", "", 1);
    assert_eq!(unsaid.overrides, without, "the pages are walked all the same");
    let once = put(&mutated(&of("page_size_renamed")), ALL);
    assert!(once.overrides.contains("[paging.pages_page_size]\nrows = \"items\""));
    assert_eq!(once.overrides.matches("paging = \"pages_page_size\"").count(), 1);
    let rows = put(&mutated(&of("rows_moved")), ALL);
    assert!(
        rows.overrides.contains("[paging.pages_assets]\nrows = \"assets\""),
        "{}",
        rows.overrides
    );
    let undecided = put(&mutated(&of("page_size_renamed_everywhere")), Options::default());
    let left = undecided.left.unwrap().to_string();
    assert!(left.contains("sets the size of pages by `per_page`"), "nobody is served it: {left}");
}

#[test]
fn a_list_whose_pages_are_gone_keeps_its_rows_and_columns() {
    let gone = cases().into_iter().filter(|case| case.name == "page_parameter_removed");
    let updated = put(&mutated(&gone.collect::<Vec<_>>()), ALL);
    let wanted = read(OVERRIDES).replacen("paging = \"pages\"", "rows = \"items\"", 1);
    assert_eq!(updated.overrides, wanted);
}

#[test]
fn the_list_of_changes_gets_a_section_per_version_and_loses_nothing() {
    let deprecated = cases().into_iter().filter(|case| case.name == "tool_deprecated");
    let settled = put(&mutated(&deprecated.collect::<Vec<_>>()), ALL).settled;
    let line = "- `list_users`: the tool is deprecated";
    let fresh = changelog("", &settled, "0.5.0", "2026-01-31");
    assert!(
        fresh.starts_with("# Changes for agents\n") && fresh.contains("\n## 0.5.0, 2026-01-31\n")
    );
    assert!(fresh.trim_end().ends_with(line), "{fresh}");
    let known = "# Changes\n\nBy hand.\n\n## 0.5.0 (unreleased)\n\n- One.\n\n## 0.4.0\n\n- Two.\n";
    let same = changelog(known, &settled, "0.5.0", "2026-01-31");
    let at = |words: &str| same.find(words).unwrap();
    assert!(at("- One.") < at(line) && at(line) < at("## 0.4.0"), "{same}");
    assert_eq!(same.matches("## 0.5.0").count(), 1);
    let next = changelog(known, &settled, "0.6.0", "2026-01-31");
    assert!(next.starts_with("# Changes\n\nBy hand.\n\n## 0.6.0, 2026-01-31\n"), "{next}");
    assert!(next.ends_with(&known[known.find("## 0.5.0").unwrap()..]), "{next}");
}

#[test]
fn a_real_older_document_can_be_put_in_force_and_taken_back() {
    let older = read("spec/history/xyte-2026-02.json");
    // What people wrote around operations that are gone stays with them.
    let overrides = read(OVERRIDES);
    let (overrides, _) = overrides.split_once("\n# What is written around operations").unwrap();
    let text = read(DOCUMENT);
    let updated = replace((&text, &older), overrides, ALL);
    assert!(updated.left.is_none(), "{}", updated.left.unwrap());
    assert_eq!(served(&older, &updated.overrides).len(), 35);
    let forth = replace((&older, &text), &updated.overrides, ALL);
    assert!(forth.left.is_none(), "{}", forth.left.unwrap());
    assert_eq!(served(&text, &forth.overrides).len(), 78);
}
