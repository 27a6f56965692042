//! `$ref`: following one inside the document, without ever running in a circle.

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
