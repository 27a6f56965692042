//! One wrong argument in words: its name, the rule it breaks, and what is accepted.

use std::borrow::Cow;
use std::fmt::Write as _;

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind as Kind;
use serde_json::Value;

use crate::catalogue::{Tool, nearest};
use crate::text::{place, quoted};

/// Says of every error what is wrong, and of each place only once: a value of the wrong type breaks other rules as well.
pub(super) fn describe_all<'e>(
    tool: &'e Tool,
    arguments: &'e Value,
    errors: impl Iterator<Item = ValidationError<'e>> + 'e,
) -> impl Iterator<Item = String> + 'e {
    let mut mistyped: Vec<String> = Vec::new();
    errors.filter_map(move |error| {
        let path = error.instance_path().to_string();
        if mistyped.contains(&path) {
            return None;
        }
        let text = describe(tool, arguments, &error);
        if matches!(error.kind(), Kind::Type { .. }) {
            mistyped.push(path);
        }
        Some(text)
    })
}

/// Says what is wrong and what is accepted instead.
fn describe(tool: &Tool, arguments: &Value, error: &ValidationError<'_>) -> String {
    let path = error.instance_path().to_string();
    let root = path.is_empty().then(|| Value::Object(tool.schema().as_ref().clone()));
    let schema = root.as_ref().or_else(|| schema_at(tool, &path));
    let name = spoken(&path);
    let value = arguments.pointer(&path).unwrap_or(&Value::Null);
    let shown = || quoted(&value.to_string());
    match error.kind() {
        Kind::Required { property } => {
            let missing = property.as_str().unwrap_or_default();
            let member = schema.and_then(|schema| schema.get("properties")?.get(missing));
            format!("{} is missing: {}", member_name(&path, missing), accepted(member))
        }
        Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
            strangers(tool, &path, schema, unexpected)
        }
        Kind::Type { .. } | Kind::AnyOf { .. } => {
            format!("{name} is {}: {}", kind(value), accepted(schema))
        }
        Kind::Enum { .. } | Kind::Constant { .. } | Kind::Pattern { .. } | Kind::Format { .. } => {
            format!("{name} is {}: {}", shown(), accepted(schema))
        }
        Kind::Minimum { limit } => {
            format!("{name} is {}: at least {limit} is accepted", shown())
        }
        Kind::Maximum { limit } => {
            format!("{name} is {}: at most {limit} is accepted", shown())
        }
        Kind::ExclusiveMinimum { limit } => {
            format!("{name} is {}: more than {limit} is accepted", shown())
        }
        Kind::ExclusiveMaximum { limit } => {
            format!("{name} is {}: less than {limit} is accepted", shown())
        }
        Kind::MinLength { limit } => {
            format!("{name} is too short: at least {limit} characters are accepted")
        }
        Kind::MaxLength { limit } => {
            format!("{name} is too long: at most {limit} characters are accepted")
        }
        Kind::MinItems { limit } => {
            format!("{name} has too few items: at least {limit} are accepted")
        }
        Kind::MaxItems { limit } => {
            format!("{name} has too many items: at most {limit} are accepted")
        }
        Kind::MinProperties { limit } => {
            format!("{name} has too few members: at least {limit} are accepted")
        }
        Kind::MaxProperties { limit } => {
            format!("{name} has too many members: at most {limit} are accepted")
        }
        Kind::UniqueItems => format!("{name} has an item twice: every item is accepted once"),
        _ => format!("{name} is not accepted ({}): {}", error.kind().keyword(), accepted(schema)),
    }
}

/// The type of a value, in words.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// Arguments that do not exist, with the nearest that do.
fn strangers(tool: &Tool, path: &str, schema: Option<&Value>, unknown: &[String]) -> String {
    const NAMED: usize = 5; // A caller who is further off needs the list, not every slip.
    let known: Vec<&str> = schema
        .and_then(|schema| schema.get("properties")?.as_object())
        .map(|properties| properties.keys().map(String::as_str).collect())
        .unwrap_or_default();
    let owner = match path {
        "" => tool.name().to_owned(),
        path => quoted(&path.trim_start_matches('/').replace('/', ".")),
    };
    let mut text = String::new();
    for (index, name) in unknown.iter().take(NAMED).enumerate() {
        let between = if index == 0 { "" } else { "; " };
        let _ = write!(text, "{between}`{}` is not an argument of {owner}", quoted(name));
        if let Some(near) = nearest(name, known.iter().copied()) {
            let _ = write!(text, "; did you mean `{near}`?");
        }
    }
    let _ = match known.as_slice() {
        [] => write!(text, " (it takes no arguments)"),
        known => write!(text, " (accepted: `{}`)", known.join("`, `")),
    };
    text
}

/// What a schema accepts, in words.
fn accepted(schema: Option<&Value>) -> String {
    let Some(schema) = schema else { return "see the input schema".to_owned() };
    if let Some(options) = schema.get("enum").and_then(Value::as_array) {
        let options: Vec<String> =
            options.iter().map(|option| format!("`{}`", plain(option))).collect();
        return format!("one of {} is accepted", options.join(", "));
    }
    if let Some(only) = schema.get("const") {
        return format!("only `{}` is accepted", plain(only));
    }
    if let Some(parts) = schema.get("anyOf").and_then(Value::as_array) {
        let kinds: Vec<&str> =
            parts.iter().filter_map(|part| part.get("type")?.as_str()).map(type_name).collect();
        if !kinds.is_empty() {
            return format!("{} is accepted", kinds.join(" or "));
        }
    }
    let mut text = match schema.get("type") {
        Some(Value::String(only)) => type_name(only).to_owned(),
        Some(Value::Array(several)) => {
            several.iter().filter_map(Value::as_str).map(type_name).collect::<Vec<_>>().join(" or ")
        }
        _ => "another value".to_owned(),
    };
    if schema.get("format").is_some_and(|format| format == "date-time") {
        text.push_str(" with a date and time such as 2026-01-31T12:00:00Z");
    }
    if let Some(pattern) = schema.get("pattern").and_then(Value::as_str) {
        let _ = write!(text, " that matches `{pattern}`");
    }
    match (schema.get("minimum"), schema.get("maximum")) {
        (Some(least), Some(most)) => {
            let _ = write!(text, " from {least} to {most}");
        }
        (Some(least), None) => {
            let _ = write!(text, " of at least {least}");
        }
        (None, Some(most)) => {
            let _ = write!(text, " of at most {most}");
        }
        (None, None) => {}
    }
    text.push_str(" is accepted");
    text
}

fn plain(value: &Value) -> Cow<'_, str> {
    match value {
        Value::String(text) => Cow::Borrowed(text),
        other => Cow::Owned(other.to_string()),
    }
}

fn type_name(kind: &str) -> &str {
    match kind {
        "string" => "text",
        "integer" => "a whole number",
        "number" => "a number",
        "boolean" => "true or false",
        "array" => "a list",
        "object" => "an object",
        other => other,
    }
}

/// Finds the schema that an instance path below the root ends at.
fn schema_at<'a>(tool: &'a Tool, path: &str) -> Option<&'a Value> {
    // The root is a map rather than a value, so its only useful member is entered by hand.
    let mut segments = path.split('/').skip(1);
    let first = segments.next()?;
    segments.try_fold(tool.schema().get("properties")?.get(first)?, |schema, segment| {
        let member = schema.get("properties").and_then(|properties| properties.get(segment));
        member.or_else(|| schema.get("items")).or_else(|| schema.get("additionalProperties"))
    })
}

fn spoken(path: &str) -> String {
    place(path, "the arguments")
}

fn member_name(path: &str, member: &str) -> String {
    spoken(&format!("{path}/{member}"))
}
