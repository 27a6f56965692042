//! What the generator makes of documents that are fine, shuffled, hostile or damaged.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use xyte_mcp_codegen::diagnostic::{Report, Source};
use xyte_mcp_codegen::{Inputs, Output, generate};

fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &str) -> String {
    std::fs::read_to_string(project().join(path)).unwrap()
}

fn run(document: &str, overrides: &str) -> Result<Output, Report> {
    generate(&Inputs {
        document: Source { path: "spec/api.json", text: document },
        overrides: Source { path: "overrides/api.toml", text: overrides },
        calls_template: &read("templates/calls.rs.j2"),
        usage_template: &read("templates/API_USAGE.md.j2"),
        examples: &BTreeMap::new(),
        lock: None,
    })
}

fn base() -> (Value, String) {
    let document = read("crates/codegen/tests/base/document.json");
    (serde_json::from_str(&document).unwrap(), read("crates/codegen/tests/base/overrides.toml"))
}

/// Writes JSON with the keys of every object in descending order.
fn reversed(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let members: Vec<String> = members
                .iter()
                .rev()
                .map(|(key, value)| format!("{}:{}", json!(key), reversed(value)))
                .collect();
            format!("{{{}}}", members.join(","))
        }
        Value::Array(elements) => {
            format!("[{}]", elements.iter().map(reversed).collect::<Vec<_>>().join(","))
        }
        other => other.to_string(),
    }
}

#[test]
fn the_same_input_gives_the_same_output_whatever_the_order_of_keys() {
    let (document, overrides) = (read("spec/xyte.json"), read("overrides/xyte.toml"));
    let value: Value = serde_json::from_str(&document).unwrap();
    let (sorted, reversed) = (value.to_string(), reversed(&value));
    assert_ne!(sorted, reversed, "the keys stand in another order");
    let first = run(&document, &overrides).unwrap();
    let again = run(&sorted, &overrides).unwrap();
    let shuffled = run(&reversed, &overrides).unwrap();
    assert_eq!(first, again);
    assert_eq!(first, shuffled);
}

#[test]
fn an_arm_is_short_and_has_no_branch() {
    let output = run(&read("spec/xyte.json"), &read("overrides/xyte.toml")).unwrap();
    let arms: Vec<&str> = output.calls.split("    // ").skip(1).collect();
    let operations = output.catalogue.entries.iter().filter(|entry| !entry.is_computed());
    assert_eq!(arms.len(), operations.count());
    for arm in arms.iter().map(|arm| arm.trim_end_matches("];\n")) {
        assert!(arm.lines().count() <= 8, "{arm}");
        let branches = ["if ", "match ", "for ", "while ", "loop ", "else"];
        assert!(!branches.iter().any(|word| arm.contains(word)), "{arm}");
    }
}

#[test]
fn a_template_of_rust_decides_nothing() {
    let template = read("templates/calls.rs.j2");
    assert!(!template.contains("{% if") && !template.contains("{%- if"));
}

#[test]
fn the_arms_of_a_small_document_read_well() {
    let (document, overrides) = base();
    let output = run(&document.to_string(), &overrides).unwrap();
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../../../snapshots/generated");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        insta::assert_snapshot!("calls.rs", output.calls);
        insta::assert_snapshot!("workflows.rs", output.workflows);
        insta::assert_snapshot!("capabilities.json", output.capabilities);
        insta::assert_snapshot!("API_USAGE.md", output.usage);
        let answers: Value = serde_json::from_str(&output.answers).unwrap();
        insta::assert_snapshot!("answers.json", format!("{answers:#}"));
    });
}

/// Replaces every text for people with a hostile one.
fn poison(value: &mut Value, hostile: &str) {
    match value {
        Value::Object(members) => {
            for (key, value) in members {
                match value {
                    Value::String(text)
                        if ["summary", "description", "title"].contains(&key.as_str()) =>
                    {
                        hostile.clone_into(text);
                    }
                    value => poison(value, hostile),
                }
            }
        }
        Value::Array(elements) => elements.iter_mut().for_each(|element| poison(element, hostile)),
        _ => {}
    }
}

#[test]
fn hostile_text_breaks_neither_rust_nor_markdown() {
    const HOSTILE: &str = "\"#; } fn evil() {} /* */ */ // {{ 7 * 7 }} {% raw %}\n```\n# Heading\n| a | b |\u{202e}\u{200b}\r\n<script>";
    let (mut document, overrides) = base();
    poison(&mut document, HOSTILE);
    let output = run(&document.to_string(), &overrides).unwrap();
    let rust = format!("{}\n{}", output.client, output.calls);
    syn::parse_file(&rust).expect("the generated Rust parses");
    assert!(!rust.contains("evil"));
    let prose: String = output.usage.split("````").step_by(2).collect(); // What stands outside the fences.
    assert!(!prose.contains("\n# Heading") && !prose.contains("<script>"));
    assert!(output.usage.contains("{{ 7 \\* 7 }}"), "text is never a template");
    for invisible in ['\u{202e}', '\u{200b}'] {
        assert!(!output.usage.contains(invisible) && !output.capabilities.contains(invisible));
    }
    let fences = output.usage.lines().filter(|line| line.starts_with("```")).count();
    assert_eq!(fences % 2, 0, "every fence is closed");
}

#[test]
fn failures_without_a_common_form_are_told_and_do_not_stop_the_build() {
    let (mut document, overrides) = base();
    let responses = &mut document["paths"]["/books"]["post"]["responses"];
    responses["409"] = json!({"description": "Twice."});
    responses["413"] = json!({"description": "Long.", "content": {"application/json": {"schema": {"type": "string"}}}});
    let output = run(&document.to_string(), &overrides).unwrap();
    let told: Vec<&str> = output.warnings.iter().map(|warning| warning.message.as_str()).collect();
    assert_eq!(
        told,
        [
            "POST /books: the failure 409 has no JSON content",
            "POST /books: the failures 413 and 422 have different forms",
        ]
    );
}

#[test]
fn faults_of_a_skipped_operation_do_not_stop_the_build() {
    let (mut document, overrides) = base();
    let body = &mut document["paths"]["/books"]["post"]["requestBody"]["content"];
    *body = json!({"multipart/form-data": {"schema": {"type": "object"}}});
    let overrides = overrides.replace("[operations.create_book]\n", "")
        + "\n[skip]\ncreate_book = \"Takes a file.\"\n";
    let output = run(&document.to_string(), &overrides).unwrap();
    assert_eq!(output.catalogue.skipped.len(), 1);
    assert!(!output.client.contains("create_book"));
}

#[test]
fn schemas_without_end_are_cut_open() {
    let (mut document, overrides) = base();
    let schemas = document["components"]["schemas"].as_object_mut().unwrap();
    let all: Vec<Value> =
        (0..12).map(|n| json!({"$ref": format!("#/components/schemas/S{n}")})).collect();
    for n in 0..12 {
        let fields: serde_json::Map<String, Value> =
            all.iter().enumerate().map(|(at, other)| (format!("f{at}"), other.clone())).collect();
        schemas.insert(format!("S{n}"), json!({"type": "object", "properties": fields}));
    }
    schemas.insert(
        "Loop".into(),
        json!({"allOf": [{"$ref": "#/components/schemas/Loop"}, {"type": "object"}]}),
    );
    schemas.insert(
        "Coil".into(),
        json!({"type": "array", "items": {"$ref": "#/components/schemas/Coil"}}),
    );
    let book = schemas["Book"]["properties"].as_object_mut().unwrap();
    book.insert("others".into(), all[0].clone());
    book.insert("loop".into(), json!({"$ref": "#/components/schemas/Loop"}));
    book.insert("coil".into(), json!({"$ref": "#/components/schemas/Coil"}));
    let new = schemas["NewBook"]["properties"].as_object_mut().unwrap();
    new.insert("others".into(), all[1].clone());
    new.insert("loop".into(), json!({"$ref": "#/components/schemas/Loop"}));
    let output = run(&document.to_string(), &overrides).unwrap();
    assert!(output.capabilities.len() < 2_000_000, "{}", output.capabilities.len());
}

#[test]
fn what_reaches_a_place_of_the_client_is_what_belongs_there() {
    let (mut document, overrides) = base();
    let post = &mut document["paths"]["/books"]["post"];
    post["parameters"] = json!([
        {"name": "MACAddress", "in": "query", "required": true, "schema": {"type": "string"}},
        {"name": "price", "in": "query", "schema": {"type": "number"}},
        {"name": "APIKeys", "in": "query", "schema": {"type": "array", "items": {"type": "string"}}},
        {"name": "X-Trace", "in": "header", "schema": {"type": "string"}},
    ]);
    let output = run(&document.to_string(), &overrides).unwrap();
    let expected = r#"client.create_book(input.get::<Option<_>>("APIKeys")?.as_ref(), input.text("MACAddress")?, input.optional_spelled("price")?.as_deref(), input.optional_text("X-Trace")?, &input.body()?)"#;
    assert!(output.calls.contains(expected), "{}", output.calls);
}

/// Lists every pointer of a document.
fn pointers(value: &Value, prefix: &str, out: &mut Vec<String>) {
    let mut visit = |key: String, value: &Value| {
        let pointer = format!("{prefix}/{}", key.replace('~', "~0").replace('/', "~1"));
        pointers(value, &pointer, out);
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

#[test]
fn a_damaged_document_is_built_or_reported_and_never_panics() {
    let (document, overrides) = base();
    let mut places = Vec::new();
    pointers(&document, "", &mut places);
    let damage_kinds = [Value::Null, json!("\"#{{*/"), json!({"$ref": "#"}), json!([-1])];
    for pointer in &places {
        for damage in &damage_kinds {
            let mut damaged = document.clone();
            *damaged.pointer_mut(pointer).unwrap() = damage.clone();
            match run(&damaged.to_string(), &overrides) {
                Ok(output) => {
                    syn::parse_file(&format!("{}\n{}", output.client, output.calls))
                        .unwrap_or_else(|err| panic!("{pointer} = {damage}: {err}"));
                }
                Err(report) => assert!(!report.to_string().is_empty(), "{pointer} = {damage}"),
            }
        }
    }
}
