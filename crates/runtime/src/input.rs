//! The checked arguments of one call, handed to the typed client; it does not know where they came from.

use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use serde_path_to_error::Segment;
use xyte_mcp_catalogue::{Entry, Location};

use crate::failure::Failure;
use crate::text;

/// Checked arguments together with the entry they belong to.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    entry: &'a Entry,
    arguments: &'a Map<String, Value>,
}

/// The media type of bodies that are written like a query.
const FORM: &str = "application/x-www-form-urlencoded";

/// What an argument that is absent reads as.
static ABSENT: Value = Value::Null;

impl<'a> Input<'a> {
    /// Pairs an entry with its arguments.
    pub fn new(entry: &'a Entry, arguments: &'a Map<String, Value>) -> Self {
        Self { entry, arguments }
    }

    /// Reads one argument; an absent one reads as null, so that an `Option` is `None`.
    pub fn get<T: DeserializeOwned>(&self, name: &str) -> Result<T, Failure> {
        let value = self.value(name);
        T::deserialize(value).map_err(|err| unfit(name, value, &err))
    }

    /// Reads one argument as text without a copy.
    pub fn text(&self, name: &str) -> Result<&'a str, Failure> {
        self.optional_text(name)?.ok_or_else(|| {
            Failure::invalid_arguments(format!("`{name}` is missing: text is accepted"))
        })
    }

    /// Reads one argument as text without a copy, if it is there.
    pub fn optional_text(&self, name: &str) -> Result<Option<&'a str>, Failure> {
        match self.value(name) {
            Value::Null => Ok(None),
            Value::String(text) => Ok(Some(text)),
            other => Err(Failure::invalid_arguments(format!(
                "`{name}` is not text: {}",
                text::quoted(&other.to_string())
            ))),
        }
    }

    /// Reads a number in the caller's own spelling.
    pub fn spelled(&self, name: &str) -> Result<String, Failure> {
        self.optional_spelled(name)?.ok_or_else(|| {
            Failure::invalid_arguments(format!("`{name}` is missing: a number is accepted"))
        })
    }

    /// Reads a number in the caller's own spelling, if it is there.
    pub fn optional_spelled(&self, name: &str) -> Result<Option<String>, Failure> {
        match self.value(name) {
            Value::Null => Ok(None),
            Value::Number(number) => Ok(Some(number.to_string())),
            other => Err(Failure::invalid_arguments(format!(
                "`{name}` is no number: {}",
                text::quoted(&other.to_string())
            ))),
        }
    }

    /// Reads the body: the object of all arguments that belong to it, or the one argument that is the whole body.
    pub fn body<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        if let Some(name) = self.whole_body() {
            return self.get(name);
        }
        let body = Value::Object(self.body_object());
        serde_path_to_error::deserialize(&body).map_err(|err| {
            let path = err.path().to_string();
            let value = at(&body, err.path());
            unfit(&self.spoken(&path), value, err.inner())
        })
    }

    /// A path in the body under the names of the tool's arguments.
    fn spoken(&self, path: &str) -> String {
        let end = path.find(['.', '[']).unwrap_or(path.len());
        let field = self
            .entry
            .arguments
            .iter()
            .find(|a| a.location == Location::Body && a.wire == path[..end]);
        field.map_or_else(
            || path.to_owned(),
            |argument| format!("{}{}", argument.name, &path[end..]),
        )
    }

    /// Writes the body as the caller wrote it, with its nulls and empty objects; nothing where the operation takes none.
    ///
    /// The typed body leaves such members out, and they mean something to the platform.
    pub fn body_bytes(&self) -> Option<Bytes> {
        let written = match self.whole_body() {
            Some(name) => serde_json::to_vec(self.arguments.get(name)?),
            None if self.has_body() => {
                let body = self.body_object();
                if body.is_empty() && self.entry.optional_body {
                    return None;
                }
                if self.entry.media == FORM {
                    return Some(form(&body).into());
                }
                serde_json::to_vec(&body)
            }
            None => return None,
        };
        written.ok().map(Bytes::from)
    }

    fn value(&self, name: &str) -> &'a Value {
        self.arguments.get(name).unwrap_or(&ABSENT)
    }

    fn whole_body(&self) -> Option<&'a str> {
        let whole = self.entry.arguments.iter().find(|a| a.location == Location::WholeBody)?;
        Some(whole.name.as_str())
    }

    fn has_body(&self) -> bool {
        self.entry.arguments.iter().any(|argument| argument.location == Location::Body)
    }

    fn body_object(&self) -> Map<String, Value> {
        let fields = self.entry.arguments.iter().filter(|a| a.location == Location::Body);
        fields
            .filter_map(|a| Some((a.wire.clone(), self.arguments.get(&a.name)?.clone())))
            .collect()
    }
}

/// Writes fields as a form: a list repeats its name, and null is left out.
fn form(fields: &Map<String, Value>) -> String {
    let mut out = form_urlencoded::Serializer::new(String::new());
    for (name, value) in fields {
        for value in value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice) {
            match value {
                Value::Null => {}
                Value::String(text) => drop(out.append_pair(name, text)),
                other => drop(out.append_pair(name, &other.to_string())),
            }
        }
    }
    out.finish()
}

/// Finds what lies at a path.
fn at<'v>(body: &'v Value, path: &serde_path_to_error::Path) -> &'v Value {
    path.iter().fold(body, |value, segment| {
        let member = match segment {
            Segment::Map { key } => value.get(key),
            Segment::Seq { index } => value.get(index),
            _ => None,
        };
        member.unwrap_or(value)
    })
}

/// Says why a value that passed the schema does not fit the typed client.
fn unfit(name: &str, value: &Value, err: &serde_json::Error) -> Failure {
    if value.is_null() {
        return Failure::invalid_arguments(format!("`{name}` is missing"));
    }
    let reason = err.to_string();
    let why = if reason.starts_with("UUID parsing failed") {
        "is not a UUID such as 123e4567-e89b-12d3-a456-426614174000".to_owned()
    } else if value.is_number() {
        "is beyond what a whole number can be here: at most 9223372036854775807 is accepted"
            .to_owned()
    } else {
        format!("is not accepted ({reason})")
    };
    Failure::invalid_arguments(format!("`{name}` {why}: {}", text::quoted(&value.to_string())))
}
