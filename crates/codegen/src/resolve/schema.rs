//! OpenAPI 3.0 schemas as the JSON Schema that MCP clients take: no `$ref`, no `nullable`, no `format` but `date-time`.
//!
//! Knows both dialects of schema; does not know operations or tools.

use std::cell::Cell;

use serde_json::{Map, Value, json};

use super::text;
use crate::spec::flat::flatten;

/// What a schema is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Arguments: every rule of the document is kept, so that a wrong argument is refused before it is sent.
    Input,
    /// Answers: names and types only, all of it open, since a rule of an answer would make an odd answer an error.
    Output,
    /// Comparing two documents: every rule and word, served or not.
    Whole,
    /// Answers as the document knows them: names, types and values, closed wherever it names members, so that what it does not know is found.
    Known,
}

/// Where the document lists values that it knows and does not insist on.
const KNOWN_VALUES: &str = "x-known-values";

const MOST_NODES: usize = 2000; // A schema of more parts is cut open: schemas that refer to each other grow without bound.
const DEEPEST: usize = 12; // Deeper schemas are cut open: no agent fills them in, and clients limit the depth.

/// Rules of strings, numbers and arrays that mean the same in both dialects.
const RULES: [&str; 10] = [
    "minimum",
    "maximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "pattern",
    "minItems",
    "maxItems",
    "uniqueItems",
    "default",
];

/// Converts a schema, following references.
pub(crate) fn convert(root: &Value, schema: &Value, purpose: Purpose) -> Value {
    Converter { root, purpose, left: Cell::new(MOST_NODES) }.convert(schema, &mut Vec::new())
}

/// Goes through arrays to what they hold; an array of itself holds nothing.
fn element(root: &Value, schema: &Value) -> Map<String, Value> {
    let mut flat = flatten(root, schema);
    for _ in 0..DEEPEST {
        match (flat.get("type").and_then(Value::as_str), flat.get("items")) {
            (Some("array"), Some(items)) => flat = flatten(root, items),
            _ => return flat,
        }
    }
    Map::new()
}

/// Finds the schema of a dotted path that leads through no array.
pub(crate) fn member(root: &Value, schema: &Value, path: &str) -> Option<Value> {
    path.split('.').filter(|name| !name.is_empty()).try_fold(schema.clone(), |current, name| {
        flatten(root, &current).get("properties")?.get(name).cloned()
    })
}

/// Finds the schema of a dotted path, through arrays; nothing where the document does not have it.
pub(crate) fn descend(root: &Value, schema: &Value, path: &str) -> Option<Value> {
    let mut current = schema.clone();
    for name in path.split('.').filter(|name| !name.is_empty()) {
        let flat = element(root, &current);
        current = flat.get("properties")?.get(name)?.clone();
    }
    Some(current)
}

/// Tells whether a schema says nothing about its members, so that any path may exist in it.
pub(crate) fn is_bare(root: &Value, schema: &Value) -> bool {
    let flat = flatten(root, schema);
    !["properties", "items", "oneOf", "anyOf"].iter().any(|key| flat.contains_key(*key))
        && !matches!(
            flat.get("type").and_then(Value::as_str),
            Some("string" | "integer" | "number" | "boolean")
        )
}

/// Lists the dotted paths of a schema that a column can name.
pub(super) fn paths(root: &Value, schema: &Value) -> Vec<String> {
    fn visit(root: &Value, schema: &Value, prefix: &str, depth: usize, out: &mut Vec<String>) {
        let flat = element(root, schema);
        for (name, property) in
            flat.get("properties").and_then(Value::as_object).into_iter().flatten()
        {
            let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
            if depth > 0 {
                visit(root, property, &path, depth - 1, out);
            }
            out.push(path);
        }
    }
    let mut out = Vec::new();
    visit(root, schema, "", 3, &mut out); // Nobody shows columns deeper than this.
    out
}

struct Converter<'a> {
    root: &'a Value,
    purpose: Purpose,
    /// Schemas that may still be written.
    left: Cell<usize>,
}

impl Converter<'_> {
    fn convert(&self, schema: &Value, open: &mut Vec<String>) -> Value {
        let reference = schema.get("$ref").and_then(Value::as_str).map(str::to_owned);
        let left = self.left.get();
        self.left.set(left.saturating_sub(1));
        if left == 0
            || open.len() >= DEEPEST
            || reference.as_ref().is_some_and(|reference| open.contains(reference))
        {
            return json!({}); // A schema inside itself is left open at the second turn.
        }
        open.push(reference.unwrap_or_default());
        let flat = flatten(self.root, schema);
        let mut out = Map::new();
        self.words(&flat, &mut out);
        self.type_of(&flat, &mut out);
        self.alternatives(&flat, &mut out, open);
        self.members(&flat, &mut out, open);
        open.pop();
        Value::Object(out)
    }

    fn words(&self, flat: &Map<String, Value>, out: &mut Map<String, Value>) {
        if !matches!(self.purpose, Purpose::Input | Purpose::Whole) {
            return;
        }
        if let Some(description) =
            flat.get("description").and_then(Value::as_str).filter(|text| !text.trim().is_empty())
        {
            out.insert("description".into(), text::line(description).into());
        }
        for rule in RULES {
            if let Some(value) = flat.get(rule) {
                out.insert(rule.into(), value.clone());
            }
        }
        for (flag, bound) in [("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")] {
            if flat.get(flag) == Some(&Value::Bool(true)) // OpenAPI 3.0 marks a bound, JSON Schema replaces it.
                && let Some(value) = out.remove(bound)
            {
                out.insert(flag.into(), value);
            }
        }
        let whole = self.purpose == Purpose::Whole;
        if let Some(format) = flat.get("format").and_then(Value::as_str)
            && (whole || format == "date-time")
        {
            out.insert("format".into(), format.into());
        }
        for key in ["deprecated", KNOWN_VALUES].into_iter().filter(|_| whole) {
            if let Some(value) = flat.get(key) {
                out.insert(key.into(), value.clone());
            }
        }
    }

    fn type_of(&self, flat: &Map<String, Value>, out: &mut Map<String, Value>) {
        let stated = flat.get("type").and_then(Value::as_str).map(str::to_owned);
        let inferred = || flat.contains_key("properties").then(|| "object".to_owned());
        let nullable = flat.get("nullable") == Some(&Value::Bool(true));
        if let Some(name) = stated.or_else(inferred) {
            out.insert("type".into(), if nullable { json!([name, "null"]) } else { name.into() });
        }
        let values = match self.purpose {
            Purpose::Input | Purpose::Whole => flat.get("enum"),
            Purpose::Output => None,
            Purpose::Known => flat.get("enum").or_else(|| flat.get(KNOWN_VALUES)),
        };
        if let Some(values) = values.and_then(Value::as_array) {
            let mut values = values.clone();
            if nullable && !values.contains(&Value::Null) {
                values.push(Value::Null);
            }
            out.insert("enum".into(), values.into());
        }
    }

    fn alternatives(
        &self,
        flat: &Map<String, Value>,
        out: &mut Map<String, Value>,
        open: &mut Vec<String>,
    ) {
        let Some(parts) = flat.get("oneOf").or_else(|| flat.get("anyOf")).and_then(Value::as_array)
        else {
            return;
        };
        let mut parts: Vec<Value> = parts.iter().map(|part| self.convert(part, open)).collect();
        if self.purpose == Purpose::Known && flat.contains_key("properties") {
            // A part does not know the members that all parts share.
            parts.iter_mut().filter_map(Value::as_object_mut).for_each(|part| {
                part.remove("additionalProperties");
            });
        }
        if flat.get("nullable") == Some(&Value::Bool(true)) {
            parts.push(json!({"type": "null"}));
        }
        out.insert("anyOf".into(), parts.into()); // Strict clients take `anyOf` and refuse `oneOf`.
    }

    fn members(
        &self,
        flat: &Map<String, Value>,
        out: &mut Map<String, Value>,
        open: &mut Vec<String>,
    ) {
        let is = |name: &str| flat.get("type").and_then(Value::as_str) == Some(name);
        if let Some(properties) = flat.get("properties").and_then(Value::as_object) {
            let properties: Map<String, Value> = properties
                .iter()
                .map(|(name, schema)| (name.clone(), self.convert(schema, open)))
                .collect();
            out.insert("properties".into(), properties.into());
        }
        if is("array") || flat.contains_key("items") {
            let items =
                flat.get("items").map_or_else(|| json!({}), |items| self.convert(items, open));
            out.insert("items".into(), typed_items(items, self.purpose));
        }
        if matches!(self.purpose, Purpose::Input | Purpose::Whole) {
            if let Some(required) =
                flat.get("required").and_then(Value::as_array).filter(|names| !names.is_empty())
            {
                let known = flat.get("properties").and_then(Value::as_object);
                let mut names: Vec<Value> = Vec::new();
                for name in required.iter().filter(|name| {
                    known.is_none_or(|known| {
                        name.as_str().is_some_and(|name| known.contains_key(name))
                    })
                }) {
                    if !names.contains(name) {
                        names.push(name.clone());
                    }
                }
                out.insert("required".into(), names.into());
            }
            match flat.get("additionalProperties") {
                Some(Value::Bool(allowed)) => {
                    drop(out.insert("additionalProperties".into(), (*allowed).into()));
                }
                Some(schema @ Value::Object(_)) => {
                    let schema = self.convert(schema, open);
                    let open_ended = schema.as_object().is_some_and(Map::is_empty);
                    out.insert(
                        "additionalProperties".into(),
                        if open_ended { true.into() } else { schema },
                    );
                }
                _ => {}
            }
        }
        if self.purpose == Purpose::Known {
            self.close(flat, out, open);
        }
    }

    /// Closes an object whose members the document names; one that it leaves free stays open.
    fn close(
        &self,
        flat: &Map<String, Value>,
        out: &mut Map<String, Value>,
        open: &mut Vec<String>,
    ) {
        let others = flat.get("additionalProperties").filter(|others| others.is_object());
        let others = others.map(|others| self.convert(others, open));
        // Answers are declared open, which says only that they may come to have more members.
        let others = others.filter(|others| *others != json!({}));
        let properties = flat.get("properties").and_then(Value::as_object);
        let named = properties.is_some_and(|properties| !properties.is_empty());
        let alternatives = flat.contains_key("oneOf") || flat.contains_key("anyOf");
        match others {
            Some(others) => drop(out.insert("additionalProperties".into(), others)),
            None if named && !alternatives => {
                out.insert("additionalProperties".into(), false.into());
            }
            None => {}
        }
    }
}

/// Clients refuse arrays whose items have no type.
fn typed_items(items: Value, purpose: Purpose) -> Value {
    if items.get("type").is_some() || purpose != Purpose::Input {
        return items;
    }
    let mut items = items;
    let mut kinds: Vec<Value> = Vec::new();
    for kind in kinds_of(&items) {
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    items["type"] = match kinds.as_slice() {
        [] => json!(["string", "number", "boolean", "object", "null"]),
        [kind] => kind.clone(),
        _ => kinds.into(),
    };
    items
}

/// The types that alternatives or listed values are of; nothing where one of them may be anything.
fn kinds_of(schema: &Value) -> Vec<Value> {
    if let Some(parts) = schema.get("anyOf").and_then(Value::as_array) {
        let kinds: Vec<Vec<Value>> = parts
            .iter()
            .map(|part| match part.get("type") {
                Some(Value::Array(kinds)) => kinds.clone(),
                Some(kind) => vec![kind.clone()],
                None => kinds_of(part),
            })
            .collect();
        let any = kinds.iter().any(Vec::is_empty);
        return if any { Vec::new() } else { kinds.concat() };
    }
    let values = schema.get("enum").and_then(Value::as_array).into_iter().flatten();
    let kind = |value: &Value| match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    values.map(|value| kind(value).into()).collect()
}
