//! The document as progenitor gets it: the exposed operations only, self-contained, without words, answers as bytes.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use xyte_mcp_catalogue::Location;

use crate::spec::operation::rust_name;
use crate::spec::{Document, Operation, Parameter, escape};

/// Builds the document.
pub(super) fn narrow(document: &Document, exposed: &[&Operation]) -> Value {
    let mut paths = Map::new();
    let mut wanted = BTreeSet::new();
    for operation in exposed {
        let item = paths.entry(operation.path.clone()).or_insert_with(|| json!({}));
        let source = narrow_operation(operation);
        references(&source, &mut wanted);
        item[operation.method.to_lowercase()] = source;
    }
    json!({
        "openapi": "3.0.3",
        "info": {"title": "the API", "version": document.version},
        "paths": paths,
        "components": {"schemas": components(&document.value, wanted)},
    })
}

fn narrow_operation(operation: &Operation) -> Value {
    let bytes = json!({"description": "", "content": {"*/*": {}}});
    let mut source = json!({
        "operationId": rust_name(&operation.id),
        "parameters": operation.parameters.iter().map(narrow_parameter).collect::<Vec<_>>(),
        "responses": {"2XX": bytes, "4XX": bytes, "5XX": bytes},
    });
    if let Some(body) = &operation.body {
        let schema = wordless(&body.schema);
        source["requestBody"] =
            json!({"required": true, "content": {"application/json": {"schema": schema}}});
    }
    source
}

fn narrow_parameter(parameter: &Parameter) -> Value {
    let place = match parameter.location {
        Location::Path => "path",
        Location::Header => "header",
        Location::Query | Location::Body | Location::WholeBody => "query",
    };
    let mut source = json!({
        "name": parameter.name,
        "in": place,
        "required": parameter.required,
        "schema": wordless(&parameter.schema),
    });
    if let Some(explode) = parameter.source.get("explode") {
        source["explode"] = explode.clone();
    }
    source
}

/// Takes the schemas that the requests reach. Those of answers are left out: answers are bytes.
fn components(root: &Value, mut wanted: BTreeSet<String>) -> Map<String, Value> {
    let mut schemas = Map::new();
    while let Some(name) = wanted.pop_first() {
        let Some(schema) = root.pointer(&format!("/components/schemas/{}", escape(&name))) else {
            continue;
        };
        let schema = wordless(schema);
        let mut found = BTreeSet::new();
        references(&schema, &mut found);
        schemas.insert(name, schema);
        wanted.extend(found.into_iter().filter(|name| !schemas.contains_key(name)));
    }
    schemas
}

fn references(value: &Value, names: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            if let Some(name) = members
                .get("$ref")
                .and_then(Value::as_str)
                .and_then(|reference| reference.strip_prefix("#/components/schemas/"))
            {
                names.insert(name.replace("~1", "/").replace("~0", "~"));
            }
            members.values().for_each(|member| references(member, names));
        }
        Value::Array(elements) => elements.iter().for_each(|element| references(element, names)),
        _ => {}
    }
}

/// Keywords that are words for people, or that would make the client send what the caller did not.
const DROPPED: [&str; 8] =
    ["description", "title", "example", "examples", "externalDocs", "xml", "default", "deprecated"];

/// Removes what is not needed to build a request. Names of properties are never keywords.
fn wordless(schema: &Value) -> Value {
    let Value::Object(members) = schema else {
        return match schema {
            Value::Array(elements) => elements.iter().map(wordless).collect(),
            other => other.clone(),
        };
    };
    let kept = members
        .iter()
        .filter(|(key, _)| !DROPPED.contains(&key.as_str()) && !key.starts_with("x-"));
    kept.map(|(key, value)| {
        let value = match (key.as_str(), value) {
            ("properties", Value::Object(properties)) => properties
                .iter()
                .map(|(name, property)| (name.clone(), wordless(property)))
                .collect::<Map<_, _>>()
                .into(),
            ("enum" | "required", value) => value.clone(),
            (_, value) => wordless(value),
        };
        (key.clone(), value)
    })
    .collect::<Map<_, _>>()
    .into()
}
