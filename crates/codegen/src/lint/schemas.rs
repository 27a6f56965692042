//! The rules of input and output schemas. Knows JSON Schema as clients read it.

use serde_json::{Map, Value};
use xyte_mcp_catalogue::Entry;

use super::{EVERY, Fault, Rule, fault};

const ROOT_OBJECT: Rule = Rule {
    name: "root-object",
    clients: EVERY,
    reason: "arguments and structured answers are objects; the protocol requires `type: object` at the root",
};
const PROPERTIES: Rule = Rule {
    name: "properties",
    clients: "OpenAI",
    reason: "an object schema without `properties` is refused as invalid, also for a tool without arguments",
};
const CLOSED: Rule = Rule {
    name: "closed-input",
    clients: "OpenAI strict",
    reason: "strict mode wants `additionalProperties: false`; without it a misspelled argument passes unseen",
};
const ROOT_COMBINATOR: Rule = Rule {
    name: "root-combinator",
    clients: "Claude, OpenAI",
    reason: "`oneOf`, `anyOf` and `allOf` at the root are refused, and with the tool the whole list",
};
const COMBINATOR: Rule = Rule {
    name: "combinator",
    clients: "OpenAI strict, Gemini",
    reason: "inside a schema only `anyOf` is taken; `oneOf`, `allOf` and `not` are refused",
};
const REFERENCE: Rule = Rule {
    name: "reference",
    clients: "Gemini, VS Code",
    reason: "`$ref` and `$defs` are dropped or refused, and the argument is then of no type",
};
const NULLABLE: Rule = Rule {
    name: "nullable",
    clients: EVERY,
    reason: "`nullable` is OpenAPI, not JSON Schema: a null would be refused; write the type as a list",
};
const FORMAT: Rule = Rule {
    name: "format",
    clients: "Gemini, OpenAI strict",
    reason: "other formats than `date-time` are refused by one client or another",
};
const ITEMS: Rule = Rule {
    name: "typed-items",
    clients: "Gemini, VS Code, OpenAI",
    reason: "an array whose `items` have no `type` is refused",
};
const KEYWORD: Rule = Rule {
    name: "keyword",
    clients: "Gemini, OpenAI strict",
    reason: "a keyword that clients do not know may make them refuse the schema",
};
const REQUIRED: Rule = Rule {
    name: "required",
    clients: EVERY,
    reason: "a name under `required` that is no property can never be given",
};
const OPEN_OUTPUT: Rule = Rule {
    name: "open-output",
    clients: EVERY,
    reason: "clients check answers: whatever is required or forbidden makes an odd answer of the platform an error",
};

/// Keywords of input schemas that every client takes.
const KNOWN: [&str; 21] = [
    "type",
    "description",
    "properties",
    "required",
    "additionalProperties",
    "items",
    "enum",
    "anyOf",
    "format",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "pattern",
    "minItems",
    "maxItems",
    "uniqueItems",
    "default",
];

/// Checks both schemas of a tool.
pub(super) fn check(entry: &Entry) -> Vec<Fault> {
    let mut faults = Vec::new();
    let nothing = Value::Null;
    let input = entry.tool.get("inputSchema").unwrap_or(&nothing);
    let output = entry.tool.get("outputSchema").unwrap_or(&nothing);
    root(entry, input, "/inputSchema", &mut faults);
    root(entry, output, "/outputSchema", &mut faults);
    if input.get("additionalProperties") != Some(&Value::Bool(false)) {
        faults.push(fault(entry, "/inputSchema", &CLOSED, "an open root"));
    }
    walk(input, "/inputSchema", &mut |schema, pointer| {
        inside(entry, schema, pointer, &mut faults);
        closed(entry, schema, pointer, &mut faults);
    });
    walk(output, "/outputSchema", &mut |schema, pointer| {
        inside(entry, schema, pointer, &mut faults);
        for key in ["required", "additionalProperties"] {
            if schema.contains_key(key) {
                faults.push(fault(entry, pointer, &OPEN_OUTPUT, format!("`{key}`")));
            }
        }
    });
    faults
}

/// Rules of the root.
fn root(entry: &Entry, schema: &Value, pointer: &str, faults: &mut Vec<Fault>) {
    if schema.get("type").and_then(Value::as_str) != Some("object") {
        let found = schema.get("type").map_or_else(|| "no type".to_owned(), Value::to_string);
        faults.push(fault(entry, pointer, &ROOT_OBJECT, found));
    }
    if !schema.get("properties").is_some_and(Value::is_object) {
        faults.push(fault(entry, pointer, &PROPERTIES, "no `properties`"));
    }
    for key in ["oneOf", "anyOf", "allOf"] {
        if schema.get(key).is_some() {
            faults.push(fault(entry, pointer, &ROOT_COMBINATOR, format!("`{key}`")));
        }
    }
}

/// Rules of every schema, in and out.
fn inside(entry: &Entry, schema: &Map<String, Value>, pointer: &str, faults: &mut Vec<Fault>) {
    let mut break_on = |keys: &[&str], rule: &'static Rule| {
        for key in keys.iter().filter(|key| schema.contains_key(**key)) {
            faults.push(fault(entry, pointer, rule, format!("`{key}`")));
        }
    };
    break_on(&["$ref", "$defs", "definitions"], &REFERENCE);
    break_on(&["nullable"], &NULLABLE);
    break_on(&["oneOf", "allOf", "not"], &COMBINATOR);
    if let Some(format) = schema.get("format").filter(|format| *format != "date-time") {
        faults.push(fault(entry, pointer, &FORMAT, format.to_string()));
    }
}

/// Rules of every schema of arguments.
fn closed(entry: &Entry, schema: &Map<String, Value>, pointer: &str, faults: &mut Vec<Fault>) {
    const TOLD: [&str; 7] = ["$ref", "$defs", "definitions", "nullable", "oneOf", "allOf", "not"];
    let unknown =
        schema.keys().filter(|key| !KNOWN.contains(&key.as_str()) && !TOLD.contains(&key.as_str()));
    for key in unknown {
        faults.push(fault(entry, pointer, &KEYWORD, format!("`{key}`")));
    }
    let is_array = match schema.get("type") {
        Some(Value::String(kind)) => kind == "array",
        Some(Value::Array(kinds)) => kinds.iter().any(|kind| kind == "array"),
        _ => false,
    };
    if is_array && schema.get("items").is_none_or(|items| items.get("type").is_none()) {
        faults.push(fault(entry, pointer, &ITEMS, "items without a type"));
    }
    let properties = schema.get("properties").and_then(Value::as_object);
    for name in schema.get("required").and_then(Value::as_array).into_iter().flatten() {
        let known =
            name.as_str().is_some_and(|name| properties.is_some_and(|all| all.contains_key(name)));
        if !known {
            faults.push(fault(entry, pointer, &REQUIRED, name.to_string()));
        }
    }
}

/// Applies a check to every schema inside a schema, with its place.
fn walk(schema: &Value, pointer: &str, check: &mut dyn FnMut(&Map<String, Value>, &str)) {
    let Some(members) = schema.as_object() else { return };
    check(members, pointer);
    for (name, property) in
        members.get("properties").and_then(Value::as_object).into_iter().flatten()
    {
        walk(property, &format!("{pointer}/properties/{}", crate::spec::escape(name)), check);
    }
    for key in ["items", "additionalProperties", "not"] {
        if let Some(inner) = members.get(key) {
            walk(inner, &format!("{pointer}/{key}"), check);
        }
    }
    for key in ["anyOf", "oneOf", "allOf"] {
        let parts = members.get(key).and_then(Value::as_array);
        for (at, part) in parts.into_iter().flatten().enumerate() {
            walk(part, &format!("{pointer}/{key}/{at}"), check);
        }
    }
}
