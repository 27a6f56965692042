//! What one operation takes and gives, whole: every rule and word of the document, under the names that agents use.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use xyte_mcp_catalogue::{Entry, Form, Location};

use crate::resolve::schema::{self, Purpose};
use crate::spec::flat::flatten;
use crate::spec::{Document, Operation};

/// One side of a comparison.
pub(super) struct Contract {
    pub(super) arguments: BTreeMap<String, Argument>,
    /// Schema of a row of a list, or of the object; bare where it is not documented.
    pub(super) answer: Value,
    /// Whether the rows are not where the overrides say, so that the answer cannot be compared.
    pub(super) rows_are_lost: bool,
}

/// One argument of the tool.
#[derive(Clone)]
pub(super) struct Argument {
    /// Nothing for the server's own arguments.
    pub(super) location: Option<Location>,
    /// Name on the wire.
    pub(super) wire: String,
    /// Which variable of the path it is.
    pub(super) variable: Option<usize>,
    pub(super) required: bool,
    /// With the words that are served.
    pub(super) schema: Value,
    /// The document's own words.
    pub(super) words: String,
}

/// Collects what an operation takes and gives.
pub(super) fn contract(document: &Document, operation: &Operation, entry: &Entry) -> Contract {
    let input = &entry.tool["inputSchema"];
    let required = |name: &str| {
        let names = input.get("required").and_then(Value::as_array);
        names.into_iter().flatten().any(|known| known == name)
    };
    let served = input.get("properties").and_then(Value::as_object);
    let variables = crate::spec::operation::variables(&operation.path);
    let arguments = served.into_iter().flatten().map(|(name, served)| {
        let argument = entry.arguments.iter().find(|argument| argument.name == *name);
        let whole =
            argument.map(|argument| whole(document, operation, &argument.wire, argument.location));
        let mut schema = whole.unwrap_or_else(|| served.clone());
        let words =
            schema.get("description").and_then(Value::as_str).unwrap_or_default().to_owned();
        if let Some(description) = served.get("description") {
            schema["description"] = description.clone();
        }
        let argument = Argument {
            location: argument.map(|argument| argument.location),
            wire: argument.map(|argument| argument.wire.clone()).unwrap_or_default(),
            variable: argument
                .filter(|argument| argument.location == Location::Path)
                .and_then(|argument| variables.iter().position(|known| *known == argument.wire)),
            required: required(name),
            schema,
            words,
        };
        (name.clone(), argument)
    });
    Contract {
        arguments: arguments.collect(),
        answer: answer(document, operation, entry),
        rows_are_lost: rows_are_lost(document, operation, entry),
    }
}

/// The whole schema of one argument.
fn whole(document: &Document, operation: &Operation, wire: &str, location: Location) -> Value {
    let root = &document.value;
    let parameter = operation
        .parameters
        .iter()
        .find(|parameter| parameter.name == wire && parameter.location == location);
    if let Some(parameter) = parameter {
        let mut source = flatten(root, &parameter.schema);
        if !parameter.description.is_empty() {
            source.insert("description".into(), parameter.description.clone().into());
        }
        if parameter.deprecated {
            source.insert("deprecated".into(), true.into());
        }
        return schema::convert(root, &source.into(), Purpose::Whole);
    }
    let Some(body) = &operation.body else { return json!({}) };
    if location == Location::WholeBody {
        return schema::convert(root, &body.schema, Purpose::Whole);
    }
    let flat = flatten(root, &body.schema);
    let field = flat.get("properties").and_then(|fields| fields.get(wire));
    field.map_or_else(|| json!({}), |field| schema::convert(root, field, Purpose::Whole))
}

fn answer(document: &Document, operation: &Operation, entry: &Entry) -> Value {
    let root = &document.value;
    let Some(answer) = &operation.answer else { return json!({}) };
    let row = match entry.answer.form {
        Form::List => schema::member(root, answer, &entry.answer.rows)
            .and_then(|list| flatten(root, &list).get("items").cloned()),
        Form::Object => Some(answer.clone()),
        Form::Unknown | Form::Computed => None,
    };
    row.map_or_else(|| json!({}), |row| schema::convert(root, &row, Purpose::Whole))
}

fn rows_are_lost(document: &Document, operation: &Operation, entry: &Entry) -> bool {
    let root = &document.value;
    let Some(answer) = operation.answer.as_ref().filter(|answer| !schema::is_bare(root, answer))
    else {
        return false; // Whatever comes may have them.
    };
    let rows = schema::member(root, answer, &entry.answer.rows);
    entry.answer.form == Form::List
        && !rows.is_some_and(|rows| {
            flatten(root, &rows).get("type").is_some_and(|kind| kind == "array")
        })
}
