//! One schema with its references and `allOf` merged, so that its rules can be seen. Knows nothing of operations.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::reference::follow;

/// Merges `$ref` and `allOf` of a schema's top level.
pub(crate) fn flatten(root: &Value, schema: &Value) -> Map<String, Value> {
    flatten_once(root, schema, &mut BTreeSet::new())
}

/// A part that was merged already adds nothing, which also ends every circle.
fn flatten_once(
    root: &Value,
    schema: &Value,
    merged_already: &mut BTreeSet<String>,
) -> Map<String, Value> {
    if let Some(reference) = schema.get("$ref").and_then(Value::as_str)
        && !merged_already.insert(reference.to_owned())
    {
        return Map::new();
    }
    let Ok(Value::Object(own)) = follow(root, schema) else { return Map::new() };
    let mut merged = own.clone();
    let Some(Value::Array(parts)) = merged.remove("allOf") else { return merged };
    for part in &parts {
        for (key, value) in flatten_once(root, part, merged_already) {
            merge(&mut merged, key, value);
        }
    }
    merged
}

/// Merges one keyword of a part of `allOf`; what stands outside wins.
fn merge(merged: &mut Map<String, Value>, key: String, value: Value) {
    match (merged.get_mut(&key), value) {
        (Some(Value::Object(known)), Value::Object(more)) if key == "properties" => {
            for (name, property) in more {
                known.entry(name).or_insert(property);
            }
        }
        (Some(Value::Array(known)), Value::Array(more)) if key == "required" => {
            known.extend(more.into_iter().filter(|name| !known.contains(name)).collect::<Vec<_>>());
        }
        (Some(_), _) => {}
        (None, value) => {
            merged.insert(key, value);
        }
    }
}
