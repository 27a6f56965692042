//! What the rules of clients say of the served tools, and of tools that break them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};
use xyte_mcp_catalogue::Catalogue;
use xyte_mcp_codegen::catalogue;
use xyte_mcp_codegen::diagnostic::Source;
use xyte_mcp_codegen::lint::lint;

fn read(path: &str) -> String {
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    std::fs::read_to_string(project.join(path)).unwrap()
}

fn resolved(document: &str, overrides: &str) -> Catalogue {
    let document = Source { path: "spec/api.json", text: document };
    catalogue(document, Source { path: "overrides/api.toml", text: overrides }).unwrap()
}

fn base() -> Catalogue {
    resolved(
        &read("crates/codegen/tests/base/document.json"),
        &read("crates/codegen/tests/base/overrides.toml"),
    )
}

#[test]
fn every_client_takes_every_tool_that_is_served() {
    let lint = lint(&resolved(&read("spec/xyte.json"), &read("overrides/xyte.toml")));
    assert_eq!(lint.faults, []);
    assert!(lint.all.0 > 70 && lint.default.0 >= 8);
    assert!(lint.longest.1 <= 64, "{:?}", lint.longest);
}

/// Puts a value into the first tool and lists the rules that it breaks.
fn broken(pointer: &str, value: Value) -> BTreeSet<&'static str> {
    let mut catalogue = base();
    let tool = &mut catalogue.entries[0].tool;
    let mut whole = Value::Object(tool.clone());
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let parent = whole.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    if value.is_null() {
        parent.remove(key);
    } else {
        parent.insert(key.to_owned(), value);
    }
    tool.clone_from(whole.as_object().unwrap());
    lint(&catalogue).faults.iter().map(|fault| fault.rule.name).collect()
}

#[test]
fn each_rule_finds_what_it_is_for_and_no_other_does() {
    let cases = [
        ("/name", json!("List-Books"), "name"),
        ("/title", json!(" "), "title"),
        ("/description", Value::Null, "description"),
        ("/annotations/openWorldHint", Value::Null, "annotations"),
        ("/inputSchema/type", json!("string"), "root-object"),
        ("/outputSchema/type", json!(["object", "null"]), "root-object"),
        ("/outputSchema/properties", Value::Null, "properties"),
        ("/inputSchema/additionalProperties", Value::Null, "closed-input"),
        ("/inputSchema/anyOf", json!([{"type": "object"}]), "root-combinator"),
        ("/inputSchema/properties/a", json!({"oneOf": [{"type": "string"}]}), "combinator"),
        ("/inputSchema/properties/a", json!({"$ref": "#/$defs/a"}), "reference"),
        ("/inputSchema/properties/a", json!({"type": "string", "nullable": true}), "nullable"),
        ("/inputSchema/properties/a", json!({"type": "string", "format": "uuid"}), "format"),
        (
            "/inputSchema/properties/a",
            json!({"type": ["array", "null"], "items": {}}),
            "typed-items",
        ),
        (
            "/inputSchema/properties/a",
            json!({"type": "array", "items": {"anyOf": [{"type": "string"}]}}),
            "typed-items",
        ),
        ("/inputSchema/properties/a", json!({"type": "string", "examples": []}), "keyword"),
        ("/inputSchema/required", json!(["b"]), "required"),
        ("/outputSchema/required", json!(["items"]), "open-output"),
    ];
    for (pointer, value, rule) in cases {
        assert_eq!(broken(pointer, value.clone()), BTreeSet::from([rule]), "{pointer} = {value}");
    }
    let whole = "a".repeat(60);
    assert_eq!(broken("/name", json!(whole)), BTreeSet::from(["name", "name-with-prefix"]));
}

#[test]
fn alternatives_and_listed_values_in_an_array_get_a_type() {
    let mut document: Value =
        serde_json::from_str(&read("crates/codegen/tests/base/document.json")).unwrap();
    let fields = &mut document["components"]["schemas"]["NewBook"]["properties"];
    fields["marks"] = json!({"type": "array", "items": {"oneOf": [{"type": "string"}, {"type": "integer", "nullable": true}]}});
    fields["sizes"] = json!({"type": "array", "items": {"enum": ["a", "b"]}});
    let overrides = read("crates/codegen/tests/base/overrides.toml");
    let catalogue = resolved(&document.to_string(), &overrides);
    let entry = catalogue.entries.iter().find(|entry| entry.operation == "create_book").unwrap();
    let fields = &entry.tool["inputSchema"]["properties"];
    assert_eq!(fields["marks"]["items"]["type"], json!(["string", "integer", "null"]));
    assert_eq!(fields["sizes"]["items"]["type"], "string");
    assert_eq!(lint(&catalogue).faults, []);
}
