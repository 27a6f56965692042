//! The arguments of a call, from an address or from a body; whether they are right is for the call to say.

use http::HeaderMap;
use http::header::CONTENT_TYPE;
use serde_json::{Map, Value};

use crate::catalogue::Tool;
use crate::failure::Failure;
use crate::json;
use crate::text::quoted;

/// Path variables and query options, in the types that the tool's schema names.
pub(super) fn of_address(
    tool: &Tool,
    variables: Vec<(String, String)>,
    query: Option<&str>,
) -> Result<Map<String, Value>, Failure> {
    let variables = variables.into_iter().map(|(name, text)| (name, Value::String(text)));
    let mut arguments: Map<String, Value> = variables.collect();
    for (name, text) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        let value = typed(tool, &name, &text);
        match (arguments.get_mut(&*name), value) {
            (None, value) => {
                arguments.insert(name.into_owned(), value);
            }
            (Some(Value::Array(items)), Value::Array(more)) => items.extend(more),
            (Some(_), _) => {
                let message = format!("`{}` is given twice", quoted(&name));
                return Err(Failure::invalid_arguments(message));
            }
        }
    }
    Ok(arguments)
}

/// Lists are written with commas, switches as `true` and `false`; of the rest, the call knows better.
fn typed(tool: &Tool, name: &str, text: &str) -> Value {
    let schema = tool.schema().get("properties").and_then(|properties| properties.get(name));
    match schema.and_then(|schema| schema.get("type")).and_then(Value::as_str) {
        // Every object takes `fields`, whether or not the schema shows it.
        None if name == "fields" => text.split(',').map(Value::from).collect(),
        Some("array") => text.split(',').map(Value::from).collect(),
        Some("boolean") if text == "true" || text == "false" => Value::Bool(text == "true"),
        _ => Value::String(text.to_owned()),
    }
}

/// A JSON object; no body is an empty one.
pub(super) fn of_body(headers: &HeaderMap, body: &[u8]) -> Result<Map<String, Value>, Failure> {
    if let Some(kind) = headers.get(CONTENT_TYPE).filter(|_| !body.is_empty())
        && !is_json(kind.as_bytes())
    {
        return Err(Failure::new("unsupported_media_type", "the body is not application/json")
            .with_hint(
                "Send the arguments as a JSON object with Content-Type: application/json.",
            ));
    }
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Map::new());
    }
    match json::read(body) {
        Ok(Value::Object(arguments)) => Ok(arguments),
        Ok(_) => Err(Failure::invalid_arguments("the body is not a JSON object")),
        Err(err) => Err(Failure::invalid_arguments(format!(
            "the body is not valid JSON (line {}, column {})",
            err.line(),
            err.column()
        ))),
    }
}

fn is_json(kind: &[u8]) -> bool {
    let kind = kind.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
    kind.eq_ignore_ascii_case(b"application/json")
}
