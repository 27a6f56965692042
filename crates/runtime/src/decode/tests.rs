//! Arguments of every kind against one schema.

use serde_json::json;
use xyte_mcp_catalogue::Entry;

use super::*;
use crate::catalogue::Catalogue;

/// A list tool with an argument of every place.
fn catalogue() -> Catalogue {
    let entry: Entry = serde_json::from_value(json!({
        "operation": "list_things", "class": "read", "toolset": "things", "default": true,
        "tool": {"name": "list_things", "inputSchema": {
            "type": "object", "additionalProperties": false, "required": ["kind"],
            "properties": {
                "kind": {"type": "string", "enum": ["a", "b"]},
                "space_id": {"type": ["integer", "string"], "pattern": "^[0-9]+$"},
                "code": {"type": "string", "maxLength": 4, "pattern": "^[A-Z]*[0-9]*$"},
                "since": {"type": "string", "format": "date-time"},
                "note": {"type": ["string", "integer", "null"]},
                "settings": {"type": "object", "properties": {"level": {"type": "integer", "minimum": 1, "maximum": 9}}, "additionalProperties": false},
                "fields": {"type": "array", "items": {"type": "string"}},
                "format": {"type": "string", "enum": ["table", "json"]},
                "limit": {"type": "integer", "minimum": 1, "maximum": 1000},
            },
        }},
        "method": "GET", "path": "/things", "cache": true, "example": {},
        "arguments": [
            {"name": "kind", "wire": "kind", "location": "query"}, {"name": "space_id", "wire": "space_id", "location": "query"},
            {"name": "code", "wire": "code", "location": "query"}, {"name": "since", "wire": "since", "location": "query"},
            {"name": "note", "wire": "note", "location": "body"}, {"name": "settings", "wire": "settings", "location": "body"},
        ],
        "answer": {"form": "list", "rows": "items", "columns": ["id"]},
    }))
    .unwrap();
    Catalogue::new(xyte_mcp_catalogue::Catalogue {
        api: xyte_mcp_catalogue::Api {
            credentials: std::collections::BTreeMap::new(),
            sending: std::collections::BTreeMap::new(),
            title: "T".to_owned(),
            version: "1".to_owned(),
            server: String::new(),
            scheme: "t".to_owned(),
        },
        toolsets: Vec::new(),
        errors: std::collections::BTreeMap::new(),
        entries: vec![entry],
        skipped: Vec::new(),
        version: String::new(),
    })
    .unwrap()
}

fn decoded(arguments: &Value) -> Result<Decoded, Failure> {
    decode(&catalogue().tools[0], arguments.as_object().unwrap().clone())
}

fn complaint(arguments: &Value) -> String {
    decoded(arguments).unwrap_err().message
}

#[test]
fn numbers_and_texts_are_taken_for_each_other_where_the_schema_allows_it() {
    let arguments =
        decoded(&json!({"kind": "a", "space_id": "2104", "code": 12})).unwrap().arguments;
    assert_eq!(Value::Object(arguments), json!({"kind": "a", "space_id": 2104, "code": "12"}));
    // In a body both are accepted as they are.
    assert_eq!(
        decoded(&json!({"kind": "a", "note": "12"})).unwrap().arguments["note"],
        json!("12")
    );
    assert!(
        complaint(&json!({"kind": "a", "limit": "ten"}))
            .contains("`limit` is text: a whole number from 1 to 1000 is accepted")
    );
}

#[test]
fn every_digit_of_a_number_survives() {
    let text = r#"{"kind":"a","space_id":"123456789012345678901234567890"}"#;
    let arguments = decoded(&serde_json::from_str(text).unwrap()).unwrap().arguments;
    assert_eq!(arguments["space_id"].to_string(), "123456789012345678901234567890");
}

#[test]
fn an_unknown_argument_is_named_with_the_nearest_and_all_accepted_ones() {
    let message = complaint(&json!({"kind": "a", "spaceid": 1}));
    assert!(message.starts_with("`spaceid` is not an argument of list_things; did you mean `space_id`? (accepted: `code`, `fields`"), "{message}");
}

#[test]
fn all_problems_are_told_at_once_with_what_is_accepted() {
    let message = complaint(
        &json!({"code": "toolong", "since": "yesterday", "settings": {"level": 12, "depth": 1}, "dry_run": 3}),
    );
    for part in [
        "problems: ",
        "`kind` is missing: one of `a`, `b` is accepted",
        "`code` is too long: at most 4 characters are accepted",
        "`since` is \"yesterday\": text with a date and time such as",
        "`settings.level` is 12: at most 9 is accepted",
        "`depth` is not an argument of settings",
        "`dry_run` is a number: true or false is accepted",
    ] {
        assert!(message.contains(part), "{part} in {message}");
    }
    assert!(
        complaint(&json!({"kind": "c"})).contains("`kind` is \"c\": one of `a`, `b` is accepted")
    );
    assert!(
        complaint(&json!({"kind": "a", "fields": ["id", 3]}))
            .contains("`fields[1]` is a number: text is accepted")
    );
}

#[test]
fn null_means_nothing_except_in_a_body() {
    let arguments = decoded(&json!({"kind": "a", "code": null, "limit": null, "note": null}))
        .unwrap()
        .arguments;
    assert_eq!(Value::Object(arguments), json!({"kind": "a", "note": null}));
}

#[test]
fn what_shapes_the_answer_is_taken_out() {
    let decoded = decoded(&json!({"kind": "a", "fields": ["id", "model.name"], "format": "json", "limit": 7, "dry_run": true, "fresh": true})).unwrap();
    assert_eq!(decoded.arguments.len(), 1);
    let options = Options {
        dry_run: true,
        fresh: true,
        fields: Some(vec!["id".to_owned(), "model.name".to_owned()]),
        format: Format::Json,
        limit: Some(7),
        cursor: None,
        plan_token: None,
        idempotency_key: None,
    };
    assert_eq!(decoded.options, options);
}

#[test]
fn a_hostile_amount_of_anything_gets_a_short_answer() {
    let deep = ".a".repeat(200_000);
    assert!(complaint(&json!({"kind": "a", "fields": [deep]})).contains("16 parts are accepted"));
    let many: Vec<String> = (0..101).map(|n| n.to_string()).collect();
    assert!(complaint(&json!({"kind": "a", "fields": many})).contains("at most 100 are accepted"));
    let mut arguments: Map<String, Value> =
        (0..5000).map(|n| (format!("{n}{}", "x".repeat(500)), Value::Null)).collect();
    arguments.insert("fields".to_owned(), vec![Value::Null; 5000].into());
    assert!(complaint(&Value::Object(arguments)).len() < 5000);
}
