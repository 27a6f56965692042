//! Makes a plausible value for a schema; knows no operation and no state.

use serde_json::{Map, Value, json};

use crate::{moment, schema};

/// Optional members are left out below this, so that a schema that contains itself ends.
const DEEPEST: usize = 4;
/// Required members become null below this; only a schema that requires itself gets here.
const BOTTOM: usize = 12;

/// An answer for a media type object: its example when it has one, else a value of its schema.
pub(crate) fn of_media(document: &Value, media: &Value) -> Value {
    let Some(described) = media.get("schema") else {
        return example(document, media).unwrap_or(Value::Null);
    };
    match example(document, media) {
        Some(example) if fits(document, described, &example) => example,
        _ => of_schema(document, described, 0),
    }
}

/// Fits what a behavior of an older document gives to its schema: adds what is required, leaves out what is not described, and takes the types that are.
pub(crate) fn fit(document: &Value, described: &Value, value: &mut Value) {
    let described = schema::resolve(document, described);
    match value {
        Value::Array(items) if schema::kind(described) == "array" => {
            let Some(of) = described.get("items") else { return };
            for item in items {
                fit(document, of, item);
            }
        }
        Value::Object(members) if described.get("properties").is_some() => {
            let Some(properties) = described.get("properties").and_then(Value::as_object) else {
                return;
            };
            let required = described.get("required").and_then(Value::as_array);
            for name in required.into_iter().flatten().filter_map(Value::as_str) {
                if !members.contains_key(name) {
                    let of = properties.get(name).unwrap_or(&Value::Null);
                    members.insert(name.to_owned(), of_schema(document, of, 0));
                }
            }
            if is_closed(described) {
                members.retain(|name, _| properties.contains_key(name));
            }
            for (name, member) in members.iter_mut() {
                if let Some(of) = properties.get(name) {
                    fit(document, of, member);
                }
            }
        }
        _ => retype(document, described, value),
    }
}

/// Whether all members are described: nothing else is allowed, and no other schema adds to them.
fn is_closed(described: &Value) -> bool {
    let open = described.get("additionalProperties").is_some_and(|more| *more != false);
    !open && !["allOf", "anyOf", "oneOf"].iter().any(|key| described.get(*key).is_some())
}

/// Gives a value the type that its schema states, with as much of the value as that takes.
fn retype(document: &Value, described: &Value, value: &mut Value) {
    let Some(kind) = described.get("type").and_then(Value::as_str) else { return };
    let fits = match kind {
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => true,
    };
    if fits || value.is_null() {
        return;
    }
    *value = match (kind, &*value) {
        ("string", Value::Number(_) | Value::Bool(_)) => json!(value.to_string()),
        ("integer" | "number", Value::String(text)) => number_of(text),
        _ => of_schema(document, described, 0),
    };
}

/// The number that a text is; of other texts, the same one for the same text.
fn number_of(text: &str) -> Value {
    const MOST: u32 = 1_000_000;
    let made = || text.bytes().fold(7_u32, |made, byte| made.wrapping_mul(31) ^ u32::from(byte));
    text.parse::<i64>().map_or_else(|_| json!(made() % MOST), |number| json!(number))
}

fn example(document: &Value, media: &Value) -> Option<Value> {
    if let Some(example) = media.get("example") {
        return Some(example.clone());
    }
    let named = media.get("examples")?.as_object()?.values().next()?;
    schema::resolve(document, named).get("value").cloned()
}

fn fits(document: &Value, described: &Value, value: &Value) -> bool {
    schema::validator(document, described).is_none_or(|validator| validator.is_valid(value))
}

fn of_schema(document: &Value, described: &Value, depth: usize) -> Value {
    if depth > BOTTOM {
        return Value::Null;
    }
    let described = schema::resolve(document, described);
    for given in ["example", "default", "const"] {
        if let Some(value) = described.get(given) {
            return value.clone();
        }
    }
    if let Some(first) = described.pointer("/enum/0") {
        return first.clone();
    }
    if let Some(parts) = described.get("allOf").and_then(Value::as_array) {
        return together(document, described, parts, depth);
    }
    for choice in ["oneOf", "anyOf"] {
        if let Some(first) = described.get(choice).and_then(|choices| choices.get(0)) {
            return of_schema(document, first, depth + 1);
        }
    }
    match schema::kind(described) {
        "object" => object(document, described, depth),
        "array" => array(document, described, depth),
        "string" => string(described),
        "integer" | "number" => described.get("minimum").cloned().unwrap_or(json!(1)),
        "boolean" => json!(true),
        _ => Value::Null,
    }
}

fn together(document: &Value, described: &Value, parts: &[Value], depth: usize) -> Value {
    let mut whole = Map::new();
    let mut other = Value::Null;
    for part in parts {
        match of_schema(document, part, depth + 1) {
            Value::Object(members) => whole.extend(members),
            value => other = value,
        }
    }
    if described.get("properties").is_some()
        && let Value::Object(members) = object(document, described, depth)
    {
        whole.extend(members);
    }
    if whole.is_empty() && !other.is_null() { other } else { Value::Object(whole) }
}

fn object(document: &Value, described: &Value, depth: usize) -> Value {
    let required = described.get("required").and_then(Value::as_array);
    let needed = |name: &str| required.is_some_and(|list| list.iter().any(|item| item == name));
    let mut members = Map::new();
    for (name, of) in described.get("properties").and_then(Value::as_object).into_iter().flatten() {
        if needed(name) || depth < DEEPEST {
            members.insert(name.clone(), of_schema(document, of, depth + 1));
        }
    }
    Value::Object(members)
}

/// Nobody learns more from a longer made-up list.
const MOST: u64 = 16;

fn array(document: &Value, described: &Value, depth: usize) -> Value {
    let fewest = described.get("minItems").and_then(Value::as_u64).unwrap_or(0);
    if depth >= DEEPEST && fewest == 0 {
        return json!([]);
    }
    let item = described.get("items").map_or(Value::Null, |of| of_schema(document, of, depth + 1));
    (0..fewest.clamp(1, MOST)).map(|_| item.clone()).collect()
}

fn string(described: &Value) -> Value {
    let text = match described.get("format").and_then(Value::as_str) {
        Some("uuid") => "00000000-0000-4000-8000-000000000000".to_owned(),
        Some("date-time") => moment::written(moment::START),
        Some("date") => moment::written(moment::START)[..10].to_owned(),
        Some("email") => "someone@example.com".to_owned(),
        Some("uri" | "url") => "https://example.com/".to_owned(),
        Some("ipv4") => "192.0.2.1".to_owned(),
        _ => "text".to_owned(),
    };
    let length = |keyword| described.get(keyword).and_then(Value::as_u64);
    let fewest = length("minLength").unwrap_or(0).min(1_000);
    let mut text = text;
    while (text.chars().count() as u64) < fewest {
        text.push('x');
    }
    if let Some(most) = length("maxLength").and_then(|most| usize::try_from(most).ok()) {
        text = text.chars().take(most).collect();
    }
    json!(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_that_contains_itself_ends() {
        let document = json!({ "components": { "schemas": { "Node": {
            "type": "object", "properties": { "child": { "$ref": "#/components/schemas/Node" } }
        } } } });
        let media = json!({ "schema": { "$ref": "#/components/schemas/Node" } });
        assert!(of_media(&document, &media).get("child").is_some());
    }

    #[test]
    fn an_answer_for_an_older_document_takes_the_form_of_the_present_one() {
        let row = json!({ "type": "object", "required": ["site"], "properties": {
            "id": { "type": "integer" }, "code": { "type": "string" }, "site": { "type": "string" },
        } });
        let described = json!({ "type": "array", "items": row });
        let mut answer =
            json!([{ "id": "12", "code": 5, "gone": true }, { "id": "x", "code": null }]);
        fit(&json!({}), &described, &mut answer);
        assert_eq!(answer[0], json!({ "id": 12, "code": "5", "site": "text" }));
        assert!(answer[1]["id"].is_u64() && answer[1]["code"].is_null());
    }

    #[test]
    fn an_example_that_contradicts_its_schema_is_not_served() {
        let media = json!({ "schema": { "type": "integer", "minimum": 4 }, "example": "four" });
        assert_eq!(of_media(&json!({}), &media), json!(4));
    }
}
