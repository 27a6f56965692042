//! One operation of the document: parameters, body, answer, and what the typed client could not carry.

mod carried;
mod derived;
mod reader;
mod security;

use std::collections::BTreeMap;

use serde_json::Value;
use xyte_mcp_catalogue::Location;

use super::{METHODS, escape};
use crate::diagnostic::Diagnostic;
pub(crate) use carried::is_header;
use reader::Reader;

/// One operation, references of its own parts followed (those inside schemas are not).
#[derive(Debug, Clone)]
pub(crate) struct Operation {
    pub(crate) id: String,
    /// Upper case.
    pub(crate) method: String,
    pub(crate) path: String,
    /// Where it stands in the document.
    pub(crate) pointer: String,
    pub(crate) summary: String,
    pub(crate) description: String,
    pub(crate) tags: Vec<String>,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) body: Option<Body>,
    /// Media type in which the success answer comes; empty for `application/json`.
    pub(crate) accept: String,
    /// Schema of the JSON success answer, where the document gives one.
    pub(crate) answer: Option<Value>,
    /// Statuses of successes as the document writes them.
    pub(crate) successes: Vec<String>,
    pub(crate) deprecated: bool,
    /// Statuses of failures as the document writes them.
    pub(crate) failures: Vec<String>,
    /// Names of the security schemes that it asks for together, by alternative; none of either where it needs no key.
    pub(crate) security: Vec<Vec<String>>,
    /// What keeps it from being exposed. A skipped operation may have any.
    pub(crate) faults: Vec<Diagnostic>,
}

/// A parameter in path, query or header.
#[derive(Debug, Clone)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    pub(crate) location: Location,
    pub(crate) required: bool,
    pub(crate) deprecated: bool,
    pub(crate) description: String,
    pub(crate) schema: Value,
    pub(crate) example: Option<Value>,
    pub(crate) pointer: String,
}

/// A request body: JSON, or fields of a form.
#[derive(Debug, Clone)]
pub(crate) struct Body {
    /// Media type; empty for `application/json`.
    pub(crate) media: String,
    pub(crate) required: bool,
    pub(crate) schema: Value,
    pub(crate) example: Option<Value>,
    pub(crate) pointer: String,
}

/// Reads the operations of one path.
pub(crate) fn read_path(
    root: &Value,
    path: &str,
    item: &Value,
    findings: &mut Vec<Diagnostic>,
) -> Vec<Operation> {
    let pointer = format!("/paths/{}", escape(path));
    if item.get("$ref").is_some() {
        findings.push(
            Diagnostic::document(
                "path-reference",
                &pointer,
                format!("the path `{path}` is a reference to another file"),
            )
            .help("put the path item into the document itself"),
        );
        return Vec::new();
    }
    let Some(members) = item.as_object() else {
        let message = format!("the path `{path}` is {}, not an object", carried::kind(item));
        findings.push(Diagnostic::document("wrong-type", &pointer, message));
        return Vec::new();
    };
    let mut operations = Vec::new();
    for key in members.keys().filter(|key| METHODS.contains(&key.to_lowercase().as_str())) {
        if !METHODS.contains(&key.as_str()) {
            let message =
                format!("`{key}` of `{path}` is no method: methods are written in lower case");
            findings.push(Diagnostic::document("wrong-type", format!("{pointer}/{key}"), message));
        }
    }
    for (method, source) in
        METHODS.iter().filter_map(|method| Some((*method, members.get(*method)?)))
    {
        let pointer = format!("{pointer}/{method}");
        let Some(source) = source.as_object() else {
            let method = method.to_uppercase();
            let message = format!("{method} {path} is {}, not an object", carried::kind(source));
            findings.push(Diagnostic::document("wrong-type", pointer, message));
            continue;
        };
        operations.push(
            Reader { root, method, path, pointer, security: Vec::new(), faults: Vec::new() }
                .read(source, item),
        );
    }
    operations
}

/// Lists the statuses of successes, in order.
fn successes(source: &serde_json::Map<String, Value>) -> Vec<String> {
    let responses = source.get("responses").and_then(Value::as_object);
    let statuses = responses.into_iter().flatten().map(|(status, _)| status);
    statuses.filter(|status| status.starts_with('2')).cloned().collect()
}

/// Checks that every operation has an id of its own, also where two ids become one Rust name.
pub(crate) fn check_ids(operations: &mut [Operation], findings: &mut Vec<Diagnostic>) {
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    for operation in operations {
        let place = format!("{} {}", operation.method, operation.path);
        let rust_name = rust_name(&operation.id);
        if let Some(other) = seen.get(&rust_name) {
            let pointer = format!("{}/operationId", operation.pointer);
            findings.push(
                Diagnostic::document(
                    "duplicate-operation-id",
                    pointer,
                    format!("{place} and {other} share the operation id `{}`", operation.id),
                )
                .label("ids are compared as Rust names, in snake case; where there is none, method and path make one")
                .help("rename one with a `[[patch]]`"),
            );
            operation.id.clear(); // The first one keeps the id, so that the rest can still be checked.
            continue;
        }
        seen.insert(rust_name, place);
    }
}

/// Names that the client uses for functions of its own.
const TAKEN: [&str; 9] =
    ["new", "new_with_client", "pre", "post", "exec", "baseurl", "client", "inner", "api_version"];

/// The name of an operation's function in the typed client.
pub(crate) fn rust_name(id: &str) -> String {
    let name = snake(id);
    if TAKEN.contains(&name.as_str()) { format!("{name}_operation") } else { name }
}

/// Writes a name in snake case, with nothing but `a-z`, `0-9` and `_`.
pub(crate) fn snake(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 4);
    let mut previous_lower = false;
    for character in name.chars() {
        if character.is_ascii_alphanumeric() {
            if character.is_ascii_uppercase() && previous_lower {
                out.push('_');
            }
            previous_lower = !character.is_ascii_uppercase();
            out.push(character.to_ascii_lowercase());
        } else {
            previous_lower = false;
            if !out.is_empty() && !out.ends_with('_') {
                out.push('_');
            }
        }
    }
    let out = out.trim_end_matches('_');
    if out.starts_with(|first: char| first.is_ascii_digit()) {
        format!("_{out}")
    } else {
        out.to_owned()
    }
}

/// Writes a name as Rust writes a type, with nothing but letters and digits.
pub(crate) fn pascal(name: &str) -> String {
    let words = name.split(|character: char| !character.is_ascii_alphanumeric());
    let mut out = String::with_capacity(name.len());
    for word in words.filter(|word| !word.is_empty()) {
        let (first, rest) = word.split_at(1);
        out.push_str(&first.to_ascii_uppercase());
        out.push_str(rest);
    }
    if out.starts_with(|first: char| first.is_ascii_digit()) { format!("_{out}") } else { out }
}

/// Lists the `{variables}` of a template.
pub(crate) fn variables(template: &str) -> Vec<&str> {
    template
        .split('{')
        .skip(1)
        .filter_map(|rest| rest.split_once('}'))
        .map(|(name, _)| name)
        .collect()
}
