//! The checked-in documents are what this build generates and serves.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::path::Path;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use support::{capabilities, modern, name, program, project, read, request, stdio};

const MEND: &str = "is stale; run `cargo spec bless`";

#[test]
fn the_checked_in_documents_are_those_of_this_build() {
    let markdown = program().args(["capabilities", "--markdown"]).output().unwrap();
    assert!(
        read("docs/API_USAGE.md") == String::from_utf8(markdown.stdout).unwrap(),
        "docs/API_USAGE.md {MEND}"
    );
    let catalogue: Value = serde_json::from_str(&read("docs/capabilities.json")).unwrap();
    assert!(catalogue == capabilities(), "docs/capabilities.json {MEND}");
}

#[test]
fn what_is_documented_is_what_is_served() {
    let catalogue: Value = serde_json::from_str(&read("docs/capabilities.json")).unwrap();
    let entries = catalogue["entries"].as_array().unwrap();
    let every: Vec<&Value> = entries.iter().map(|entry| &entry["tool"]).collect();
    let default: Vec<&Value> = entries
        .iter()
        .filter(|entry| entry["default"] == true)
        .map(|entry| &entry["tool"])
        .collect();
    let list = request("tools/list", json!({"_meta": modern()}));
    for (toolsets, documented) in [(&["--toolsets", "all"][..], every), (&[], default)] {
        let answers = stdio(toolsets, std::slice::from_ref(&list));
        let served: Vec<&Value> =
            answers[0]["result"]["tools"].as_array().unwrap().iter().collect();
        assert_eq!(served, documented);
    }
}

#[test]
fn the_document_is_the_one_whose_digest_is_written_down() {
    let digest = Sha256::digest(std::fs::read(project("spec/xyte.json")).unwrap());
    let digest = digest.iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
    assert!(
        read("spec/README.md").contains(&digest),
        "spec/README.md should give the sha256 {digest}"
    );
}

/// Reads the recorded answer of one tool.
fn recorded(tool: &str) -> String {
    let path = format!("docs/examples/{tool}.json");
    assert!(project(&path).exists(), "{path} is missing; run `cargo spec bless`");
    read(&path)
}

#[test]
fn every_example_works_on_a_fresh_sandbox_fits_its_schema_and_is_recorded() {
    let catalogue = capabilities();
    let entries = catalogue["entries"].as_array().unwrap();
    let files = std::fs::read_dir(project("docs/examples")).unwrap().count();
    let resources = entries.iter().filter(|entry| entry.get("resource").is_some()).count();
    assert_eq!(files, entries.len() + resources, "docs/examples {MEND}");
    let (first, second) = entries.split_at(entries.len() / 2);
    std::thread::scope(|scope| {
        for half in [first, second] {
            scope.spawn(|| half.iter().for_each(check_example));
        }
    });
}

/// A sandbox within the server listens on another port each time; the example shows the usual one.
fn steady(answer: &str) -> String {
    const BEFORE: &str = "http://127.0.0.1:";
    let mut parts = answer.split(BEFORE);
    let first = parts.next().unwrap().to_owned();
    parts.fold(first, |text, part| {
        let rest = part.trim_start_matches(|char: char| char.is_ascii_digit());
        format!("{text}{BEFORE}8090{rest}")
    })
}

fn check_example(entry: &Value) {
    let tool = name(entry);
    let arguments = entry["example"].to_string();
    let mut call = program();
    call.args(["call", tool, "--sandbox", "--confirm", "off", "--log-level", "ERROR"]);
    call.args(["--args", &arguments]);
    let output = call.output().unwrap();
    let answer = steady(&String::from_utf8(output.stdout).unwrap());
    assert!(output.status.success(), "{tool} {arguments}: {answer}");
    let answer = format!("{:#}\n", without_cursor(serde_json::from_str(&answer).unwrap()));
    assert!(answer == recorded(tool), "docs/examples/{tool}.json {MEND}");
    let mut schemas = boon::Schemas::new();
    let mut compiler = boon::Compiler::new();
    let location = Path::new("/output").join(tool).to_str().unwrap().to_owned();
    compiler.add_resource(&location, entry["tool"]["outputSchema"].clone()).unwrap();
    let schema = compiler.compile(&location, &mut schemas).unwrap();
    let answer: Value = serde_json::from_str(&answer).unwrap();
    if let Err(err) = schemas.validate(&answer, schema) {
        panic!("the answer of {tool} does not fit its output schema: {err:#}");
    }
}

/// No two cursors are alike, so a recorded answer holds a word in place of one.
fn without_cursor(mut answer: Value) -> Value {
    if let Some(cursor) = answer.pointer_mut("/page/next_cursor").filter(|it| it.is_string()) {
        *cursor = "opaque-cursor".into();
    }
    if let Some(Value::String(url)) = answer.pointer_mut("/request/url") {
        let path = url.strip_prefix("http://127.0.0.1:").and_then(|it| it.split_once('/'));
        *url = format!("http://127.0.0.1:8090/{}", path.unwrap().1);
    }
    answer
}

#[test]
fn every_resource_answers_as_recorded() {
    let catalogue = capabilities();
    let entries = catalogue["entries"].as_array().unwrap();
    let resources = entries.iter().filter(|entry| entry.get("resource").is_some());
    for entry in resources {
        let mut uri = entry["resource"]["uri"].as_str().unwrap().to_owned();
        for (name, value) in entry["example"].as_object().unwrap() {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            uri = uri.replace(&format!("{{{name}}}"), &text);
        }
        let answers = stdio(
            &["--sandbox"],
            &[request("resources/read", json!({"uri": uri, "_meta": modern()}))],
        );
        let text = answers[0]["result"]["contents"][0]["text"].as_str().unwrap();
        let mut answer: Value = serde_json::from_str(text).unwrap();
        let example: Value =
            serde_json::from_str(&recorded(&format!("{}.resource", name(entry)))).unwrap();
        if let (Some(items), Some(kept)) = (answer.get_mut("items"), example.get("items")) {
            let kept = kept.as_array().unwrap().len();
            assert!((1..=2).contains(&kept), "{uri}");
            items.as_array_mut().unwrap().truncate(kept);
        }
        assert!(without_cursor(answer) == example, "docs/examples of {uri} {MEND}");
    }
}
