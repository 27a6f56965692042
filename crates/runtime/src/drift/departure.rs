//! What in one answer the document does not have: fields, types, values. It compares, and remembers nothing.

use std::collections::BTreeSet;
use std::fmt;

use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::{Draft, JsonType, ValidationError};
use serde::Serialize;
use serde_json::Value;

use crate::text::quoted;

/// Most complaints of one answer that are read: a row repeats what the row before it said.
const MOST_COMPLAINTS: usize = 10_000;

/// Most departures of one answer: beyond it, the answer is another one altogether.
const MOST_DEPARTURES: usize = 100;

/// One place at which answers of an operation depart from the document.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Departure {
    /// The operation.
    pub operation: String,
    /// The place in the answer, such as `items[].status`; `*` stands for any name, and nothing for the answer itself.
    pub at: String,
    /// What is different there.
    #[serde(flatten)]
    pub kind: Kind,
}

/// What is different at a place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "departure", rename_all = "snake_case")]
pub enum Kind {
    /// A field that the document does not have.
    Field,
    /// Another type.
    Type {
        /// What the document says.
        expected: String,
        /// What came.
        found: &'static str,
    },
    /// A value that the document does not list.
    Value {
        /// What came, shortened.
        found: String,
    },
}

impl fmt::Display for Departure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Value { found } => {
                let place = self.place();
                write!(f, "{place}: the value `{found}`, which the document does not have")
            }
            Kind::Field | Kind::Type { .. } => f.write_str(&self.logged()),
        }
    }
}

impl Departure {
    /// The same without the value: what a device, ticket or person said is not for logs.
    pub(super) fn logged(&self) -> String {
        let place = self.place();
        match &self.kind {
            Kind::Field => format!("{place}: a field that the document does not have"),
            Kind::Type { expected, found } => format!("{place}: {found} instead of {expected}"),
            Kind::Value { .. } => format!("{place}: a value that the document does not have"),
        }
    }

    fn place(&self) -> String {
        match self.at.as_str() {
            "" => "as a whole".to_owned(),
            at => format!("at `{at}`"),
        }
    }
}

/// Compares an answer with what is known of it; nothing when one of the two cannot be read.
pub(super) fn find(operation: &str, schema: &str, body: &[u8]) -> Option<BTreeSet<Departure>> {
    let schema: Value = serde_json::from_str(schema).ok()?;
    let validator = jsonschema::options().with_draft(Draft::Draft202012).build(&schema).ok()?;
    let answer: Value = crate::json::read(body).ok()?;
    let mut found = BTreeSet::new();
    let mut keep = |at: String, kind: Kind| {
        if found.len() < MOST_DEPARTURES {
            found.insert(Departure { operation: operation.to_owned(), at, kind });
        }
    };
    for complaint in validator.iter_errors(&answer).take(MOST_COMPLAINTS) {
        read(&complaint, &mut keep);
    }
    Some(found)
}

fn read(complaint: &ValidationError<'_>, keep: &mut impl FnMut(String, Kind)) {
    let at = place(complaint.schema_path().as_str());
    let instance = complaint.instance().as_ref();
    match complaint.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            for name in unexpected {
                let dot = if at.is_empty() { "" } else { "." };
                keep(format!("{at}{dot}{}", quoted(name)), Kind::Field);
            }
        }
        ValidationErrorKind::Type { kind } => {
            let expected = match kind {
                TypeKind::Single(one) => one.as_str().to_owned(),
                TypeKind::Multiple(several) => {
                    let names: Vec<&str> = several.iter().map(JsonType::as_str).collect();
                    names.join(" or ")
                }
            };
            keep(at, Kind::Type { expected, found: JsonType::from(instance).as_str() });
        }
        // A value of another type is told as such.
        ValidationErrorKind::Enum { options }
            if options.as_array().is_some_and(|options| {
                options.iter().any(|option| JsonType::from(option) == JsonType::from(instance))
            }) =>
        {
            let text = instance.as_str().map_or_else(|| instance.to_string(), str::to_owned);
            keep(at, Kind::Value { found: quoted(&text) });
        }
        // The alternative that was most likely meant is the one that has least to complain about.
        ValidationErrorKind::AnyOf { context } => {
            for complaint in
                context.iter().min_by_key(|complaints| complaints.len()).into_iter().flatten()
            {
                read(complaint, keep);
            }
        }
        _ => {}
    }
}

/// The place in the answer that a place in its schema describes: made of the document's own names, never of an answer's.
fn place(schema_path: &str) -> String {
    let mut place = String::new();
    let mut segments = schema_path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let name = match segment {
            "properties" => segments.next().map(|name| name.replace("~1", "/").replace("~0", "~")),
            "additionalProperties" => segments.peek().map(|_| "*".to_owned()),
            "items" => {
                place.push_str("[]");
                None
            }
            "anyOf" => {
                segments.next();
                None
            }
            _ => None,
        };
        if let Some(name) = name {
            if !place.is_empty() {
                place.push('.');
            }
            place.push_str(&name);
        }
    }
    place
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn found(schema: &Value, answer: &Value) -> Vec<String> {
        let found = find("x", &schema.to_string(), answer.to_string().as_bytes()).unwrap();
        found.iter().map(ToString::to_string).collect()
    }

    fn closed(properties: &Value) -> Value {
        json!({"type": "object", "properties": properties, "additionalProperties": false})
    }

    #[test]
    fn each_kind_of_departure_is_told_once_with_its_place() {
        let row = closed(&json!({
            "id": {"type": "integer"},
            "status": {"type": ["string", "null"], "enum": ["on", "off", null]},
            "properties": closed(&json!({"items": {"type": "number"}})),
        }));
        let schema = closed(&json!({"items": {"type": "array", "items": row}}));
        let row = json!({"id": "1", "status": "asleep", "colour": 1, "properties": {"items": "2", "a/b": 0}});
        assert_eq!(
            found(&schema, &json!({"items": [row, row, {"id": 1.5, "status": 3}]})),
            [
                "at `items[].colour`: a field that the document does not have",
                "at `items[].id`: number instead of integer",
                "at `items[].id`: string instead of integer",
                "at `items[].properties.a/b`: a field that the document does not have",
                "at `items[].properties.items`: string instead of number",
                "at `items[].status`: number instead of null or string",
                "at `items[].status`: the value `asleep`, which the document does not have",
            ]
        );
        assert_eq!(found(&schema, &json!([])), ["as a whole: array instead of object"]);
        assert_eq!(
            found(
                &schema,
                &json!({"items": [{"id": 1.0, "status": null}, {"id": 18_446_744_073_709_551_615_u64}]})
            ),
            [""; 0]
        );
    }

    #[test]
    fn the_log_is_told_where_an_unknown_value_is_and_not_what_it_says() {
        let schema = closed(&json!({"status": {"enum": ["on"]}}));
        let body = json!({"status": "said in confidence", "colour": 1}).to_string();
        let found = find("x", &schema.to_string(), body.as_bytes()).unwrap();
        assert_eq!(
            found.iter().map(Departure::logged).collect::<Vec<_>>(),
            [
                "at `colour`: a field that the document does not have",
                "at `status`: a value that the document does not have",
            ]
        );
    }

    #[test]
    fn of_a_map_the_names_are_not_told() {
        let schema = json!({"type": "object", "additionalProperties": closed(&json!({"n": {"type": "integer"}}))});
        let answer = json!({"5b0c8c1e": {"n": "many", "m": 1}});
        assert_eq!(
            found(&schema, &answer),
            [
                "at `*.m`: a field that the document does not have",
                "at `*.n`: string instead of integer"
            ]
        );
    }

    #[test]
    fn of_alternatives_the_nearest_is_meant() {
        let schema = json!({"anyOf": [
            {"type": "string"},
            closed(&json!({"id": {"type": "integer"}, "name": {"type": "string"}})),
            closed(&json!({"code": {"type": "integer"}, "price": {"type": "integer"}})),
        ]});
        assert_eq!(found(&schema, &json!({"id": 1, "name": "a"})), [""; 0]);
        assert_eq!(found(&schema, &json!("plain")), [""; 0]);
        assert_eq!(found(&schema, &json!({"id": 1, "name": 2})).len(), 1);
    }

    #[test]
    fn a_foreign_name_or_value_is_shortened_and_shown_plainly() {
        let long = "x".repeat(5000);
        let schema = closed(&json!({"status": {"enum": ["on"]}}));
        for told in found(&schema, &json!({"status": &long, long.as_str(): 1, "a\u{202e}\n": 1})) {
            assert!(told.len() < 200 && !told.contains(['\u{202e}', '\n']), "{told}");
        }
    }
}
