//! `$ref`: following one inside the document, without ever running in a circle.

use std::collections::BTreeSet;

use serde_json::Value;

const DEEPEST: usize = 32; // A chain of references longer than this is a loop.

/// Follows `$ref` until something else stands there.
///
/// # Errors
/// Gives the reference that leads nowhere, out of the document or round in a circle.
pub(crate) fn follow<'a>(root: &'a Value, value: &'a Value) -> Result<&'a Value, String> {
    let mut current = value;
    for _ in 0..DEEPEST {
        let Some(reference) = current.get("$ref").and_then(Value::as_str) else {
            return Ok(current);
        };
        let Some(pointer) = reference.strip_prefix('#') else { return Err(reference.to_owned()) };
        current = root.pointer(pointer).ok_or_else(|| reference.to_owned())?;
    }
    Err(current.get("$ref").and_then(Value::as_str).unwrap_or_default().to_owned())
}

/// Lists the references that a schema reaches and that lead nowhere.
pub(crate) fn broken_references(root: &Value, schema: &Value) -> Vec<String> {
    fn visit<'a>(
        root: &'a Value,
        value: &'a Value,
        seen: &mut BTreeSet<&'a str>,
        broken: &mut Vec<String>,
    ) {
        match value {
            Value::Object(members) => {
                if let Some(reference) = members.get("$ref").and_then(Value::as_str)
                    && seen.insert(reference)
                {
                    match follow(root, value) {
                        Ok(found) => visit(root, found, seen, broken),
                        Err(reference) => broken.push(reference),
                    }
                }
                for (key, member) in members {
                    if !matches!(key.as_str(), "example" | "examples" | "default" | "enum") {
                        visit(root, member, seen, broken);
                    }
                }
            }
            Value::Array(elements) => {
                for element in elements {
                    visit(root, element, seen, broken);
                }
            }
            _ => {}
        }
    }
    let mut broken = Vec::new();
    visit(root, schema, &mut BTreeSet::new(), &mut broken);
    broken
}
