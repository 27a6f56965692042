//! Which types the client gets. Arguments are checked against the served schema before; a type may only say what it says.
//!
//! A body that a Rust type could not carry faithfully (alternatives, recursion, names that become one in Rust) is handed on as JSON.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::spec::flat::flatten;
use crate::spec::operation::snake;

const DEEPEST: usize = 6; // Deeper bodies are handed on as JSON.

/// The schema of a parameter: its type, and whether it is a UUID. Numbers go out in the caller's spelling.
pub(super) fn parameter(root: &Value, schema: &Value) -> Value {
    let flat = flatten(root, schema);
    let text = |key: &str| flat.get(key).and_then(Value::as_str).unwrap_or_default();
    match text("type") {
        "integer" => json!({"type": "integer", "format": "int64"}),
        "boolean" => json!({"type": "boolean"}),
        "array" => {
            json!({"type": "array", "items": flat.get("items").map_or_else(|| json!({"type": "string"}), |items| parameter(root, items))})
        }
        "string" if text("format") == "uuid" => json!({"type": "string", "format": "uuid"}),
        _ => json!({"type": "string"}),
    }
}

/// The schema of a body that must be there, self-contained; or any JSON, where a Rust type would change what is sent.
pub(super) fn body(root: &Value, schema: &Value) -> Value {
    typed(root, schema, DEEPEST)
        .filter(|schema| schema["type"] == "object")
        .unwrap_or_else(|| json!({}))
}

fn typed(root: &Value, schema: &Value, depth: usize) -> Option<Value> {
    let flat = flatten(root, schema);
    let has = |key: &str| flat.contains_key(key);
    let readable =
        !(has("oneOf") || has("anyOf") || has("not") || has("discriminator") || has("enum"));
    if depth == 0 || !readable || flat.get("readOnly") == Some(&Value::Bool(true)) {
        return None;
    }
    let nullable = flat.get("nullable") == Some(&Value::Bool(true));
    let mut out = match flat.get("type").and_then(Value::as_str)? {
        "string" if flat.get("format").and_then(Value::as_str) == Some("uuid") => {
            json!({"type": "string", "format": "uuid"})
        }
        "string" => json!({"type": "string"}),
        "integer" => json!({"type": "integer", "format": "int64"}),
        "boolean" => json!({"type": "boolean"}),
        "array" => json!({"type": "array", "items": typed(root, flat.get("items")?, depth - 1)?}),
        "object" => object(root, &flat, depth)?,
        _ => return None,
    };
    if nullable {
        out["nullable"] = true.into();
    }
    Some(out)
}

fn object(root: &Value, flat: &Map<String, Value>, depth: usize) -> Option<Value> {
    let free = Map::new();
    let fields = flat.get("properties").and_then(Value::as_object).unwrap_or(&free);
    if fields.is_empty() {
        return Some(json!({"type": "object"}));
    }
    let mut seen = BTreeSet::new();
    let legal = |name: &String| !name.is_empty() && *name == snake(name);
    if !fields.keys().all(|name| legal(name) && seen.insert(name.clone())) {
        return None;
    }
    let required = flat.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
    if !required.iter().all(|name| name.as_str().is_some_and(|name| fields.contains_key(name))) {
        return None;
    }
    let mut properties = Map::new();
    for (name, field) in fields {
        properties.insert(name.clone(), typed(root, field, depth - 1)?);
    }
    let closed = flat.get("additionalProperties") == Some(&Value::Bool(false));
    let mut out = json!({"type": "object", "properties": properties});
    if !required.is_empty() {
        out["required"] = required.into();
    }
    if closed {
        out["additionalProperties"] = false.into();
    }
    Some(out)
}
