//! Turns the document's schemas into standalone JSON Schema and compiles them; knows no operation.

use std::collections::VecDeque;

use serde_json::{Map, Value, json};

/// Follows local references until something that is not one.
///
/// A reference that leads nowhere, or in a circle, gives `null`: the sandbox serves what it can
/// of a faulty document; saying what is wrong with it is the generator's work.
pub(crate) fn resolve<'a>(document: &'a Value, mut node: &'a Value) -> &'a Value {
    const DEEPEST: usize = 32; // Beyond this it is a circle.
    for _ in 0..DEEPEST {
        let Some(reference) = node.get("$ref").and_then(Value::as_str) else { return node };
        let target = reference.strip_prefix('#').and_then(|pointer| document.pointer(pointer));
        match target {
            Some(target) => node = target,
            None => return &Value::Null,
        }
    }
    &Value::Null
}

/// The type a schema states, in the spelling of 3.0 or of 3.1, or the one its keywords imply.
pub(crate) fn kind(described: &Value) -> &str {
    let stated = match described.get("type") {
        Some(Value::Array(several)) => {
            several.iter().filter_map(Value::as_str).find(|kind| *kind != "null")
        }
        Some(one) => one.as_str(),
        None => None,
    };
    stated.unwrap_or_else(|| {
        if described.get("properties").is_some() {
            "object"
        } else if described.get("items").is_some() {
            "array"
        } else {
            ""
        }
    })
}

/// Compiles a schema of the document; `None` when the document's schema is not valid itself.
pub(crate) fn validator(document: &Value, schema: &Value) -> Option<jsonschema::Validator> {
    let standalone = standalone(document, schema);
    jsonschema::options()
        .with_draft(jsonschema::Draft::Draft202012)
        .should_validate_formats(true)
        .build(&standalone)
        .ok()
}

/// The schema as JSON Schema 2020-12, with everything it refers to under `$defs`.
fn standalone(document: &Value, schema: &Value) -> Value {
    let mut definitions = Definitions::default();
    let root = definitions.convert(schema);
    let mut defs = Map::new();
    while let Some((name, pointer)) = definitions.waiting.pop_front() {
        let converted = match document.pointer(&pointer) {
            Some(target) => definitions.convert(target),
            None => Value::Bool(true),
        };
        defs.insert(name, converted);
    }
    json!({ "allOf": [root], "$defs": defs })
}

/// The references met so far and those still to be converted.
#[derive(Default)]
struct Definitions {
    known: Vec<String>,
    waiting: VecDeque<(String, String)>,
}

impl Definitions {
    fn name(&mut self, pointer: &str) -> String {
        let position = self.known.iter().position(|known| known == pointer);
        let position = position.unwrap_or_else(|| {
            self.known.push(pointer.to_owned());
            let name = format!("d{}", self.known.len() - 1);
            self.waiting.push_back((name, pointer.to_owned()));
            self.known.len() - 1
        });
        format!("d{position}")
    }

    fn convert(&mut self, schema: &Value) -> Value {
        let Value::Object(schema) = schema else { return Value::Bool(true) };
        if let Some(pointer) = schema.get("$ref").and_then(Value::as_str) {
            let name = self.name(pointer.trim_start_matches('#'));
            return json!({ "$ref": format!("#/$defs/{name}") });
        }
        let mut converted = Map::new();
        for (keyword, value) in schema {
            if let Some(value) = self.keyword(keyword, value) {
                converted.insert(keyword.clone(), value);
            }
        }
        exclusive(&mut converted, "exclusiveMinimum", "minimum");
        exclusive(&mut converted, "exclusiveMaximum", "maximum");
        bound(&mut converted);
        if schema.get("nullable") == Some(&Value::Bool(true)) {
            return json!({ "anyOf": [converted, { "type": "null" }] });
        }
        Value::Object(converted)
    }

    /// A keyword that validates, converted; `None` for the ones that only describe.
    fn keyword(&mut self, keyword: &str, value: &Value) -> Option<Value> {
        match keyword {
            "properties" | "patternProperties" => {
                let members = value.as_object()?;
                let converted = members.iter().map(|(name, of)| (name.clone(), self.convert(of)));
                Some(Value::Object(converted.collect()))
            }
            "allOf" | "anyOf" | "oneOf" => {
                let members = value.as_array()?;
                Some(members.iter().map(|member| self.convert(member)).collect())
            }
            "additionalProperties" if value.is_boolean() => Some(value.clone()),
            "items" | "not" | "additionalProperties" => Some(self.convert(value)),
            "type" | "enum" | "const" | "format" | "pattern" | "required" | "minimum"
            | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" | "multipleOf" | "minLength"
            | "maxLength" | "minItems" | "maxItems" | "uniqueItems" | "minProperties"
            | "maxProperties" => Some(value.clone()),
            _ => None,
        }
    }
}

/// `OpenAPI` 3.0 says exclusive with a boolean beside the bound; JSON Schema with the bound itself.
fn exclusive(schema: &mut Map<String, Value>, keyword: &str, bound: &str) {
    let Some(Value::Bool(strict)) = schema.get(keyword) else { return };
    let strict = *strict;
    schema.remove(keyword);
    if strict && let Some(limit) = schema.remove(bound) {
        schema.insert(keyword.to_owned(), limit);
    }
}

/// `int32` and `int64` are bounds that JSON Schema leaves to annotations.
fn bound(schema: &mut Map<String, Value>) {
    let (lowest, highest) = match schema.get("format").and_then(Value::as_str) {
        Some("int32") => (i64::from(i32::MIN), i64::from(i32::MAX)),
        Some("int64") => (i64::MIN, i64::MAX),
        _ => return,
    };
    schema.entry("minimum").or_insert(lowest.into());
    schema.entry("maximum").or_insert(highest.into());
}
