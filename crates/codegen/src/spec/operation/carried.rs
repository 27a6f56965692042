//! What the typed client can carry: kinds of content, of parameters, of headers. Knows no operation.

use serde_json::{Map, Value};
use xyte_mcp_catalogue::Location;

use crate::spec::flat::flatten;
use crate::spec::reference::follow;

/// Names the JSON type of a value.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// Says why the value of a parameter cannot be written into a URL or header faithfully.
pub(super) fn uncarried(
    root: &Value,
    source: &Value,
    schema: &Value,
    location: Location,
) -> Option<&'static str> {
    let flat = flatten(root, schema);
    let scalar = |flat: &Map<String, Value>| {
        let alternatives = ["oneOf", "anyOf", "not"].iter().any(|key| flat.contains_key(*key));
        let kind = flat.get("type").and_then(Value::as_str);
        !alternatives && matches!(kind, Some("string" | "integer" | "number" | "boolean"))
    };
    if scalar(&flat) {
        return None;
    }
    if flat.get("type").and_then(Value::as_str) != Some("array") {
        return Some("is neither text, a number nor a boolean");
    }
    if location != Location::Query {
        return Some("is an array outside the query");
    }
    if source.get("explode") == Some(&Value::Bool(false)) {
        return Some("is an array with `explode: false`");
    }
    let items = flat.get("items").map(|items| flatten(root, items));
    (!items.as_ref().is_some_and(scalar))
        .then_some("is an array of something else than text, numbers or booleans")
}

/// Whether a caller may set a header: it must be one, and not be what the connection lives by.
pub(crate) fn is_header(name: &str) -> bool {
    const TAKEN: [&str; 8] = [
        "host",
        "content-length",
        "cookie",
        "transfer-encoding",
        "connection",
        "upgrade",
        "te",
        "api-version",
    ];
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty()
        && name.bytes().all(token)
        && !TAKEN.contains(&name.to_ascii_lowercase().as_str())
}

pub(super) fn is_json(kind: &str) -> bool {
    let kind = bare(kind);
    kind == "application/json" || kind.ends_with("+json") || kind == "*/*"
}

/// What kind of JSON an answer has to be asked for; empty where plain JSON is among what is documented, or anything.
pub(super) fn asked_for(root: &Value, responses: Option<&Value>) -> String {
    let responses = responses.and_then(Value::as_object).into_iter().flatten();
    let kinds = responses
        .filter(|(status, _)| status.starts_with('2'))
        .filter_map(|(_, response)| follow(root, response).ok()?.get("content")?.as_object())
        .flat_map(Map::keys)
        .map(|kind| bare(kind))
        .filter(|kind| is_json(kind));
    let kinds: Vec<String> = kinds.collect();
    if kinds.iter().any(|kind| kind == "application/json" || kind == "*/*") {
        return String::new();
    }
    kinds.into_iter().next().unwrap_or_default()
}

/// A media type without its parameters.
fn bare(kind: &str) -> String {
    kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// Fields written like a query.
const FORM: &str = "application/x-www-form-urlencoded";

/// The kind of content in which a body goes out, and its description: plain JSON before another JSON before a form.
///
/// The media type is empty for plain JSON.
pub(super) fn body_kind<'a>(
    root: &Value,
    content: &'a Map<String, Value>,
) -> Option<(String, &'a Value)> {
    let of = |wanted: &dyn Fn(&str) -> bool| {
        content.iter().map(|(kind, media)| (bare(kind), media)).find(|(kind, _)| wanted(kind))
    };
    if let Some((_, media)) = of(&|kind| kind == "application/json") {
        return Some((String::new(), media));
    }
    of(&|kind| kind.ends_with("+json"))
        .or_else(|| of(&|kind| kind == FORM).filter(|(_, media)| is_flat(root, media)))
}

/// Whether every field of a form can be written as one line, or as one line for each element.
fn is_flat(root: &Value, media: &Value) -> bool {
    let Some(schema) = media.get("schema") else { return false };
    let flat = flatten(root, schema);
    let fields = flat.get("properties").and_then(Value::as_object);
    fields.is_some_and(|fields| {
        fields.values().all(|field| uncarried(root, &Value::Null, field, Location::Query).is_none())
    })
}

pub(super) fn example_of(media: &Value) -> Option<Value> {
    let named = media
        .get("examples")
        .and_then(Value::as_object)
        .and_then(|examples| examples.values().next());
    media.get("example").or_else(|| named.and_then(|example| example.get("value"))).cloned()
}
