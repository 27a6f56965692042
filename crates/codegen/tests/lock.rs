//! What the contract lock makes of tools that changed, and of the version.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeMap;
use std::path::Path;

use xyte_mcp_codegen::diagnostic::{Report, Source};
use xyte_mcp_codegen::diff::Verdict;
use xyte_mcp_codegen::diff::lock::{Judgement, Lock, judge};
use xyte_mcp_codegen::report::contracts;
use xyte_mcp_codegen::{Inputs, Locking, Output, generate};

fn read(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)).unwrap()
}

fn document() -> String {
    read("crates/codegen/tests/base/document.json")
}

fn overrides() -> String {
    read("crates/codegen/tests/base/overrides.toml")
}

/// Generates from the two texts, under a version, over an earlier `capabilities.json`.
fn served(document: &str, overrides: &str, version: &str, before: &str) -> Output {
    let output = generated(document, overrides, version, before);
    output.map_err(|report| report.to_string()).unwrap()
}

fn generated(
    document: &str,
    overrides: &str,
    version: &str,
    before: &str,
) -> Result<Output, Report> {
    generate(&Inputs {
        document: Source { path: "spec/api.json", text: document },
        overrides: Source { path: "overrides/api.toml", text: overrides },
        calls_template: &read("templates/calls.rs.j2"),
        usage_template: &read("templates/API_USAGE.md.j2"),
        examples: &BTreeMap::new(),
        lock: Some(Locking { version, before }),
    })
}

fn first() -> Output {
    served(&document(), &overrides(), "0.3.1", "")
}

fn judged(output: &Output, version: &str) -> Judgement {
    judge(&Lock::read(&first().capabilities).unwrap(), &output.catalogue, version)
}

/// The overrides with one part replaced.
fn with(part: &str, other: &str) -> String {
    let overrides = overrides();
    assert!(overrides.contains(part));
    overrides.replace(part, other)
}

fn since(output: &Output, tool: &str) -> String {
    let entry = output.catalogue.entries.iter().find(|entry| entry.tool["name"] == tool);
    entry.unwrap().contract.as_ref().unwrap().since.clone()
}

#[test]
fn the_checked_in_contracts_are_served_under_the_version_of_the_package() {
    let (before, version) = (read("docs/capabilities.json"), env!("CARGO_PKG_VERSION"));
    let now = served(&read("spec/xyte.json"), &read("overrides/xyte.toml"), version, &before);
    let judgement = judge(&Lock::read(&before).unwrap(), &now.catalogue, version);
    assert_eq!(judgement.verdict(), Verdict::Fine, "{}", contracts(&judgement, version));
}

#[test]
fn a_break_needs_the_second_number_and_an_addition_the_third() {
    let narrower = with(
        "order = { type = \"string\", enum = [\"by_author\", \"by-title\"]",
        "order = { type = \"string\", enum = [\"by_author\"]",
    );
    let broken = served(&document(), &narrower, "0.3.1", "");
    for (version, verdict) in [
        ("0.3.1", Verdict::Breaks),
        ("0.3.2", Verdict::Breaks),
        ("0.4.0", Verdict::Fine),
        ("1.0.0", Verdict::Fine),
    ] {
        assert_eq!(judged(&broken, version).verdict(), verdict, "{version}");
    }
    let wider = with("arguments.where", "arguments.more = { type = \"string\" }\narguments.where");
    let added = served(&document(), &wider, "0.3.1", "");
    for (version, verdict) in
        [("0.3.0", Verdict::Decide), ("0.3.1", Verdict::Decide), ("0.3.2", Verdict::Fine)]
    {
        assert_eq!(judged(&added, version).verdict(), verdict, "{version}");
    }
    assert_eq!(
        contracts(&judged(&broken, "0.3.1"), "0.3.1"),
        "contracts changed since 0.3.1, and the version is 0.3.1:
  shelf_report: argument `order` no longer takes `by-title` (breaking)
Set `version = \"0.4.0\"` in Cargo.toml, then run `cargo spec bless`; or keep the contract. \
1 change breaks callers; below 1.0 a break raises the second number."
    );
}

#[test]
fn words_move_neither_the_digest_nor_the_version() {
    let reworded = with("Books by author, counted over all of them.", "All authors.");
    let after = served(&document(), &reworded, "0.3.1", "");
    assert_ne!(first().capabilities, after.capabilities);
    assert!(judged(&after, "0.3.1").changes.is_empty());
    let digests = |output: &Output| -> Vec<_> {
        output.catalogue.entries.iter().map(|entry| entry.contract.clone()).collect()
    };
    assert_eq!(digests(&first()), digests(&after));
}

#[test]
fn a_contract_keeps_its_first_version_until_it_changes() {
    let wider = with("arguments.where", "arguments.more = { type = \"string\" }\narguments.where");
    let second = served(&document(), &wider, "0.3.2", &first().capabilities);
    assert_eq!(since(&second, "shelf_report"), "0.3.2");
    assert_eq!(since(&second, "list_books"), "0.3.1");
    let third = served(&document(), &wider, "0.5.0", &second.capabilities);
    assert_eq!(since(&third, "shelf_report"), "0.3.2");
    assert_eq!(third, served(&document(), &wider, "0.5.0", &third.capabilities));
}

#[test]
fn a_name_that_nothing_answers_to_any_more_is_a_break_and_an_alias_saves_it() {
    let lost =
        with("[operations.get_book]", "[operations.get_book]\ntool = { name = \"read_book\" }");
    let judgement = judged(&served(&document(), &lost, "0.3.1", ""), "0.3.1");
    assert_eq!(judgement.verdict(), Verdict::Breaks);
    let kept = with(
        "[operations.get_book]",
        "[operations.get_book]\ntool = { name = \"read_book\", aliases = [\"get_book\"] }",
    );
    let output = served(&document(), &kept, "0.3.1", "");
    let judgement = judged(&output, "0.3.1");
    assert_eq!(judgement.verdict(), Verdict::Decide, "{judgement:?}");
    // The alias is locked from then on.
    let lock = Lock::read(&output.capabilities).unwrap();
    let without = served(&document(), &lost, "0.3.2", "");
    assert_eq!(judge(&lock, &without.catalogue, "0.3.2").verdict(), Verdict::Breaks);
}

#[test]
fn another_class_or_toolset_is_a_break() {
    let locked = first().capabilities;
    let class = locked.replace("\"class\": \"read\"", "\"class\": \"write\"");
    let toolset = locked.replace("\"toolset\": \"shelf\"", "\"toolset\": \"other\"");
    for before in [class, toolset] {
        assert_ne!(before, locked);
        let judgement = judge(&Lock::read(&before).unwrap(), &first().catalogue, "0.3.9");
        assert_eq!(judgement.verdict(), Verdict::Breaks);
    }
}

#[test]
fn an_old_name_is_kept_up_to_its_version_and_stops_the_build_after_it() {
    let kept = with(
        "[operations.get_book]",
        "[operations.get_book]\ntool = { name = \"read_book\", aliases = [\"get_book\"], until = \"0.4\" }",
    );
    let output = served(&document(), &kept, "0.4.9", "");
    let entry = output.catalogue.entries.iter().find(|entry| entry.tool["name"] == "read_book");
    let description = entry.unwrap().tool["description"].as_str().unwrap();
    assert!(description.ends_with(" Called get_book up to version 0.4."), "{description}");
    assert!(output.usage.contains("Also called: `get_book`, up to version 0.4"));
    let report = generated(&document(), &kept, "0.5.0", "").unwrap_err();
    let told: Vec<&str> = report.diagnostics.iter().map(|finding| &*finding.message).collect();
    assert_eq!(told, ["old names were kept until 0.4, and the version is 0.5.0"]);
}

#[test]
fn a_deprecated_operation_says_so_where_agents_and_people_look() {
    let mut value: serde_json::Value = serde_json::from_str(&document()).unwrap();
    for (_, path) in value["paths"].as_object_mut().unwrap() {
        for (_, operation) in
            path.as_object_mut().unwrap().iter_mut().filter(|(_, it)| it.is_object())
        {
            operation["deprecated"] = true.into();
        }
    }
    let output = served(&value.to_string(), &overrides(), "0.3.1", "");
    let operations = output.catalogue.entries.iter().filter(|entry| !entry.is_computed());
    for entry in operations {
        let description = entry.tool["description"].as_str().unwrap();
        assert!(
            !entry.deprecated.is_empty() && description.ends_with(" Deprecated by the platform.")
        );
    }
    assert!(output.usage.contains("Deprecated: the platform is going to remove this operation"));
}
