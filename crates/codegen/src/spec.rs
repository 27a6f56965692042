//! The document: its operations as plain data, `$ref`s of parameters, bodies and answers followed.
//!
//! Knows OpenAPI 3.0 and its quirks; knows neither MCP nor, but for the patches it is given, the overrides.

pub(crate) mod duplicate;
pub(crate) mod flat;
pub(crate) mod operation;
pub(crate) mod patch;
pub(crate) mod reference;

use serde_json::Value;

pub(crate) use operation::{Body, Operation, Parameter};

use crate::diagnostic::{Diagnostic, Place};

/// A document that was read.
pub(crate) struct Document {
    /// The whole document, patches applied.
    pub(crate) value: Value,
    pub(crate) title: String,
    pub(crate) version: String,
    pub(crate) server: String,
    /// Declared tags with their descriptions, in the document's order.
    pub(crate) tags: Vec<(String, String)>,
    /// Operations by path, then method.
    pub(crate) operations: Vec<Operation>,
}

/// Methods an operation can have, in the order of the specification.
pub(crate) const METHODS: [&str; 8] =
    ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// Parses the text and checks what would make every later finding wrong.
pub(crate) fn parse(text: &str, findings: &mut Vec<Diagnostic>) -> Option<Value> {
    let value: Value = match serde_json::from_str(text) {
        Ok(value) => value,
        Err(err) => {
            let at = byte_of(text, err.line(), err.column());
            findings.push(
                Diagnostic::new(
                    "document-not-json",
                    Place::DocumentBytes(at..at),
                    format!("the document is not JSON: {err}"),
                )
                .help("an OpenAPI 3.0 document in JSON is expected"),
            );
            return None;
        }
    };
    findings.extend(duplicate::find(text));
    Some(value)
}

/// Checks that the document, patches applied, is of the version that is read.
pub(crate) fn check_version(value: &Value, findings: &mut Vec<Diagnostic>) -> bool {
    if !value.is_object() {
        let fault = Diagnostic::document("no-document", "", "the document is no object");
        findings.push(fault.help("an OpenAPI 3.0 document in JSON is expected"));
        return false;
    }
    let version = value.get("openapi").and_then(Value::as_str).unwrap_or_default();
    if !(version == "3.0" || version.starts_with("3.0.")) {
        let stated = match value.get("swagger").and_then(Value::as_str) {
            Some(swagger) => format!("Swagger {swagger}"),
            None if value.get("openapi").is_some() => format!("`{version}`"),
            None => "no version".to_owned(),
        };
        findings.push(
            Diagnostic::document(
                "unsupported-version",
                "/openapi",
                format!("the document states {stated}, and 3.0.x is read"),
            )
            .label("the typed client is generated from OpenAPI 3.0 only")
            .help("publish or convert the document as OpenAPI 3.0.3"),
        );
        return false;
    }
    true
}

/// Reads every operation, and checks that each has an id of its own.
pub(crate) fn read(value: Value, findings: &mut Vec<Diagnostic>) -> Document {
    let mut document = read_operations(value, findings);
    operation::check_ids(&mut document.operations, findings);
    document
}

/// Reads every operation. Faults of one operation are kept with it, since a skipped operation may have any.
pub(crate) fn read_operations(value: Value, findings: &mut Vec<Diagnostic>) -> Document {
    let text = |pointer: &str| {
        value.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let tags = value
        .get("tags")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|tag| {
            let description = tag.get("description").and_then(Value::as_str).unwrap_or_default();
            Some((tag.get("name")?.as_str()?.to_owned(), description.to_owned()))
        })
        .collect();
    let mut operations = Vec::new();
    match value.get("paths").and_then(Value::as_object) {
        Some(paths) => {
            for (path, item) in paths {
                operations.extend(operation::read_path(&value, path, item, findings));
            }
        }
        None => findings.push(
            Diagnostic::document("no-paths", "/paths", "the document has no `paths` object")
                .help("every operation of an OpenAPI document stands under `paths`"),
        ),
    }
    operations.sort_by(|left, right| (&left.path, &left.method).cmp(&(&right.path, &right.method)));
    Document {
        title: text("/info/title"),
        version: text("/info/version"),
        server: text("/servers/0/url").trim_end_matches('/').to_owned(),
        tags,
        operations,
        value,
    }
}

/// Escapes one segment of a JSON pointer.
pub(crate) fn escape(segment: &str) -> String {
    segment.replace('~', "~0").replace('/', "~1")
}

fn byte_of(text: &str, line: usize, column: usize) -> usize {
    let start: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    start + column.saturating_sub(1)
}
