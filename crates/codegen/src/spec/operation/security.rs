//! The keys an operation asks for, and the headers that carry keys. Knows no setting that holds one.

use serde_json::{Map, Value};

/// Names of the security schemes that are needed together, by alternative; none of either where no key is.
pub(super) fn security(root: &Value, source: &Map<String, Value>) -> Vec<Vec<String>> {
    let security = source.get("security").or_else(|| root.get("security"));
    let alternatives = security.and_then(Value::as_array).into_iter().flatten();
    alternatives.filter_map(|it| Some(it.as_object()?.keys().cloned().collect())).collect()
}

/// Whether a header is no argument: the service writes it itself, or it carries a key, which is nothing for a caller to fill in.
///
/// A header that is required and carries the key of a scheme that the operation does not ask for stays an argument.
pub(super) fn is_for_the_service(
    root: &Value,
    parameter: &Value,
    security: &[Vec<String>],
) -> bool {
    let name = parameter["name"].as_str().unwrap_or_default();
    let same = |other: &str| name.eq_ignore_ascii_case(other);
    let required = parameter["required"] == true;
    let schemes = root.pointer("/components/securitySchemes").and_then(Value::as_object);
    let carries_a_key = schemes.into_iter().flatten().any(|(scheme, source)| {
        let asked_for = security.iter().flatten().any(|name| name == scheme);
        let header = source["in"] == "header" && source["name"].as_str().is_some_and(same);
        header && (asked_for || !required)
    });
    carries_a_key || ["accept", "content-type", "authorization"].into_iter().any(same)
}
