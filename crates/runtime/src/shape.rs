//! How an answer is shown: which parts of it, as rows or as an object, as structure and as text.
//!
//! It works on bytes and plans; it knows neither the platform's address nor MCP.
//! Whatever the platform sent is passed on: an odd type is shown as it is, a list without its rows is shown whole, with a warning.

pub mod budget;
pub mod list;
pub mod projection;
pub mod table;

use serde_json::{Map, Value, json};

use crate::text::visible_json;

/// How much of an answer is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// The chosen columns; the text of a list is a table.
    #[default]
    Table,
    /// Everything, as the platform sent it.
    Json,
}

/// A shaped answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Shaped {
    /// For programs.
    pub structured: Value,
    /// For readers; the same facts.
    pub text: String,
}

impl Shaped {
    /// An answer whose text is its structure as compact JSON, in which nothing is hidden.
    pub fn of(structured: Value) -> Self {
        // What is made of text and JSON can always be written; `to_string` of a value takes twice as long.
        let text = visible_json(serde_json::to_string(&structured).unwrap_or_default());
        Self { structured, text }
    }

    /// An answer of which only the status, and perhaps some JSON, is known.
    pub fn undocumented(status: u16, answer: Value) -> Self {
        Self::of(Value::Object(Map::from_iter([
            ("status".to_owned(), status.into()),
            ("answer".to_owned(), answer),
        ])))
    }

    /// An object; what is no object (a list, a number) is wrapped, since a structured answer has to be one.
    pub fn object(value: Value) -> Self {
        match value {
            Value::Object(_) => Self::of(value),
            other => Self::of(json!({
                "answer": other,
                "warnings": ["the platform's answer is not an object, unlike its documentation; it is passed on unchanged"],
            })),
        }
    }
}

/// Lists the dotted names that none of the values has. Below a null nothing can be said, so a name through it counts as there.
pub(crate) fn absent<'c, 'v>(
    names: &'c [String],
    values: impl IntoIterator<Item = &'v Value>,
) -> Vec<&'c String> {
    fn has<'p>(value: &Value, mut parts: impl Iterator<Item = &'p str> + Clone) -> bool {
        let rest = parts.clone();
        match (parts.next(), value) {
            (None, _) | (_, Value::Null) => true,
            (Some(part), Value::Object(members)) => {
                members.get(part).is_some_and(|member| has(member, parts))
            }
            (_, Value::Array(elements)) => {
                elements.is_empty() || elements.iter().any(|element| has(element, rest.clone()))
            }
            _ => false,
        }
    }
    let values: Vec<&Value> = values.into_iter().collect();
    let missing = |name: &&String| {
        let parts: Vec<&str> = name.split('.').collect();
        !values.iter().any(|value| has(value, parts.iter().copied()))
    };
    names.iter().filter(missing).collect()
}
