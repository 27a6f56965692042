//! Every answer against the document, by a validator that the sandbox does not use.

use std::collections::BTreeMap;

use boon::{Compiler, Draft, Schemas};
use serde_json::{Map, Value, json};
use xyte_mcp_sandbox::Sandbox;

use crate::client::{self, Answer, Client};

/// Values for required parameters that the document gives no example of.
fn value(name: &str, path: &str) -> &'static str {
    match name {
        "device_id" => client::DEVICE,
        "space_id" if path.ends_with("{space_id}") => "2199",
        "space_id" => "2104",
        "command_id" => client::COMMAND,
        "note_id" if path.contains("/devices/") => client::DEVICE_NOTE,
        "note_id" => client::SPACE_NOTE,
        "asset_id" => client::ASSET,
        "category" => "status",
        "proxy_id" => client::EDGE,
        "device_ip" => "10.20.30.40",
        "group_id" => client::GROUP,
        "user_id" => client::USER,
        "incident_id" => client::INCIDENT,
        "ticket_id" => client::TICKET,
        "model_id" => client::MODEL,
        _ => panic!("no value for {name}"),
    }
}

/// `OpenAPI` 3.0 says null with a keyword of its own; JSON Schema with a type.
fn as_json_schema(node: &Value) -> Value {
    match node {
        Value::Array(items) => items.iter().map(as_json_schema).collect(),
        Value::Object(members) => {
            let mut converted: Map<String, Value> =
                members.iter().map(|(name, of)| (name.clone(), as_json_schema(of))).collect();
            if converted.remove("nullable") == Some(json!(true)) {
                return match converted.get("type").cloned() {
                    Some(kind) => {
                        converted.insert("type".to_owned(), json!([kind, "null"]));
                        Value::Object(converted)
                    }
                    None => json!({ "anyOf": [converted, { "type": "null" }] }),
                };
            }
            Value::Object(converted)
        }
        other => other.clone(),
    }
}

/// The document's promise for a status: the exact one, its class, or the default.
fn promise<'a>(document: &'a Value, operation: &'a Value, status: u16) -> &'a Value {
    let responses = &operation["responses"];
    let class = format!("{}XX", status / 100);
    let codes = [status.to_string(), class, "default".to_owned()];
    let found = codes.iter().find_map(|code| responses.get(code));
    let found = found.unwrap_or_else(|| panic!("{status} is not documented: {operation}"));
    match found.get("$ref").and_then(Value::as_str) {
        Some(reference) => document.pointer(reference.trim_start_matches('#')).unwrap(),
        None => found,
    }
}

fn check(document: &Value, name: &str, operation: &Value, answer: &Answer) {
    let promised = promise(document, operation, answer.status.as_u16());
    let Some(schema) = promised.pointer("/content/application~1json/schema") else {
        assert_eq!(answer.text, "", "{name} answers what is not documented");
        return;
    };
    let mut root = as_json_schema(&json!({ "allOf": [schema] }));
    root["components"] = as_json_schema(&document["components"]);
    let mut schemas = Schemas::new();
    let mut compiler = Compiler::new();
    compiler.set_default_draft(Draft::V2020_12);
    compiler.add_resource("http://sandbox/schema.json", root).unwrap();
    let schema = compiler.compile("http://sandbox/schema.json", &mut schemas).unwrap();
    if let Err(fault) = schemas.validate(&answer.json(), schema) {
        panic!("{name}: {fault:#}\n{}", answer.text);
    }
}

/// Fails on a member that the document does not describe, where it describes any.
fn check_members(document: &Value, place: &str, schema: &Value, value: &Value) {
    let schema = match schema.get("$ref").and_then(Value::as_str) {
        Some(reference) => document.pointer(reference.trim_start_matches('#')).unwrap(),
        None => schema,
    };
    if let Some(part) = schema.pointer("/allOf/0") {
        return check_members(document, place, part, value);
    }
    for item in value.as_array().into_iter().flatten() {
        check_members(document, place, &schema["items"], item);
    }
    let Some(described) = schema.get("properties") else { return };
    for (name, member) in value.as_object().into_iter().flatten() {
        let place = format!("{place}.{name}");
        let Some(schema) = described.get(name) else { panic!("{place} is not documented") };
        check_members(document, &place, schema, member);
    }
}

#[tokio::test]
async fn no_answer_has_a_field_that_the_document_does_not_describe() {
    let document: Value = serde_json::from_str(client::DOCUMENT).unwrap();
    let client = client::fresh("baseline");
    for (path, method, operation) in operations(&document) {
        if method == "get" {
            let name = operation["operationId"].as_str().unwrap();
            let answer = call(&client, path, method, operation).await;
            let schema = &operation["responses"]["200"]["content"]["application/json"]["schema"];
            check_members(&document, name, schema, &answer.json());
        }
    }
}

#[tokio::test]
async fn a_field_that_a_later_document_requires_is_filled_in() {
    let mut document: Value = serde_json::from_str(client::DOCUMENT).unwrap();
    let row = &mut document["components"]["schemas"]["DeviceSummary"];
    row["properties"]["zone"] = json!({ "type": "string", "enum": ["north", "south"] });
    row["required"] = json!(["id", "zone"]);
    let sandbox = Sandbox::new(&document.to_string(), 1, "small").unwrap();
    let rows = Client::of(&sandbox).all("/devices").await;
    assert!(rows.iter().all(|row| row["zone"] == "north"));
    assert!(client::row(&rows, client::DEVICE).is_some());
}

/// The request that the document's examples and the well-known objects make.
async fn call(client: &Client, path: &str, method: &str, operation: &Value) -> Answer {
    let mut filled = path.to_owned();
    let mut query = Vec::new();
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        let name = parameter["name"].as_str().unwrap();
        if parameter["in"] == "query" && parameter["required"] != true {
            continue;
        }
        let split = path.ends_with("/split");
        let value = if split { client::PRIMARY } else { value(name, path) };
        if parameter["in"] == "path" {
            filled = filled.replace(&format!("{{{name}}}"), value);
        } else {
            query.push(format!("{name}={value}"));
        }
    }
    let media = &operation["requestBody"]["content"]["application/json"];
    let mut body = media.get("example").cloned();
    if path.ends_with("/split") {
        body = Some(json!({ "shadow_device_id": client::SHADOW }));
    }
    let key = if path.contains("/partner/") { client::P } else { client::A };
    let full = format!("/{filled}?{}", query.join("&"));
    client.with(key).send(&method.to_uppercase(), &full, body.as_ref()).await
}

fn operations(document: &Value) -> Vec<(&String, &String, &Value)> {
    let paths = document["paths"].as_object().unwrap().iter();
    let all = paths.flat_map(|(path, item)| {
        item.as_object().unwrap().iter().map(move |(method, operation)| (path, method, operation))
    });
    all.filter(|(_, _, operation)| operation.get("operationId").is_some()).collect()
}

#[tokio::test]
async fn every_operation_answers_its_example_as_the_document_says() {
    let document: Value = serde_json::from_str(client::DOCUMENT).unwrap();
    let operations = operations(&document);
    assert_eq!(operations.len(), 78);
    for scenario in ["baseline", "small"] {
        let client = client::fresh(scenario);
        for (path, method, operation) in &operations {
            let name = operation["operationId"].as_str().unwrap();
            let answer = call(&client, path, method, operation).await;
            assert!(answer.status.is_success(), "{name} in {scenario}: {answer:?}");
            check(&document, name, operation, &answer);
            // Every operation finds the world as it was in the beginning.
            if *method != "get" {
                client.admin("POST", "/reset", "").await;
            }
        }
    }
}

#[tokio::test]
async fn every_operation_answers_in_one_world_after_all_the_others() {
    let document: Value = serde_json::from_str(client::DOCUMENT).unwrap();
    let client = client::fresh("baseline");
    let mut seen = BTreeMap::new();
    for round in 0..2 {
        for (path, method, operation) in operations(&document) {
            let name = operation["operationId"].as_str().unwrap();
            let answer = call(&client, path, method, operation).await;
            *seen.entry(answer.status.as_u16()).or_insert(0) += 1;
            // A path may break its own limits only after the round that deleted its object.
            check(&document, &format!("{name}, round {round}"), operation, &answer);
        }
    }
    assert!(seen.contains_key(&404), "the second round finds what the first deleted: {seen:?}");
}

#[tokio::test]
async fn refusals_fit_the_documents_error() {
    let document: Value = serde_json::from_str(client::DOCUMENT).unwrap();
    let client = client::fresh("small");
    for (path, method, operation) in operations(&document) {
        let name = operation["operationId"].as_str().unwrap();
        let nobody = client.without_key();
        let filled = path.replace(['{', '}'], "");
        let full = format!("/{filled}");
        let answer = nobody.send(&method.to_uppercase(), &full, None).await;
        assert_eq!(answer.status, 401, "{name}");
        check(&document, name, operation, &answer);
    }
}

#[tokio::test]
async fn an_operation_without_a_behavior_answers_from_the_document_the_day_it_is_added() {
    let mut document: Value = serde_json::from_str(client::DOCUMENT).unwrap();
    let mut added = document["paths"]["/core/v1/organization/licenses"]["get"].clone();
    added["operationId"] = json!("list_warranties");
    document["paths"]["/core/v1/organization/warranties"] = json!({ "get": added });
    let sandbox = Sandbox::new(&document.to_string(), 1, "small").unwrap();
    let client = Client::of(&sandbox);
    let answer = client.get("/organization/warranties").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json()["items"][0]["state"], "inuse");
    check(&document, "list_warranties", &added, &answer);
    let refused = client.get("/organization/warranties?per_page=101").await;
    assert_eq!(refused.fault("per_page"), "must be at most 100");
}
