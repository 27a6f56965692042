//! A checked request as a behavior reads it; knows no route and no state.

use serde_json::{Map, Value};

use crate::page::Page;

/// The values of a request that fits the document.
#[derive(Debug)]
pub(crate) struct Ask {
    /// The values of the path's variables, in order.
    pub(crate) path: Vec<String>,
    pub(crate) query: Map<String, Value>,
    /// The members of the body; empty when there is none.
    pub(crate) body: Map<String, Value>,
    pub(crate) page: Page,
}

impl Ask {
    /// The value of the path's variable at `place`.
    pub(crate) fn id(&self, place: usize) -> &str {
        self.path.get(place).map_or("", String::as_str)
    }

    /// The same as a number; 0, which no object has, when it is none.
    pub(crate) fn number(&self, place: usize) -> i64 {
        self.id(place).parse().unwrap_or(0)
    }

    pub(crate) fn text(&self, parameter: &str) -> Option<&str> {
        self.query.get(parameter).and_then(Value::as_str)
    }

    pub(crate) fn integer(&self, parameter: &str) -> Option<i64> {
        self.query.get(parameter).and_then(Value::as_i64)
    }

    pub(crate) fn flag(&self, parameter: &str) -> Option<bool> {
        self.query.get(parameter).and_then(Value::as_bool)
    }

    /// Whether a row passes a text filter: the filter is absent or equal.
    pub(crate) fn wants(&self, parameter: &str, value: Option<&str>) -> bool {
        self.text(parameter).is_none_or(|wanted| value == Some(wanted))
    }

    /// Whether a row passes a numeric filter: the filter is absent or equal.
    pub(crate) fn wants_number(&self, parameter: &str, value: Option<i64>) -> bool {
        self.integer(parameter).is_none_or(|wanted| value == Some(wanted))
    }

    pub(crate) fn body_text(&self, member: &str) -> Option<&str> {
        self.body.get(member).and_then(Value::as_str)
    }

    /// A number of the body; JSON Schema takes `2104.0` for an integer, so it is read as one.
    pub(crate) fn body_integer(&self, member: &str) -> Option<i64> {
        let value = self.body.get(member).filter(|value| value.is_number())?;
        value.to_string().trim_end_matches(".0").parse().ok()
    }

    pub(crate) fn body_flag(&self, member: &str) -> bool {
        self.body.get(member) == Some(&Value::Bool(true))
    }

    pub(crate) fn body_texts(&self, member: &str) -> Vec<&str> {
        let list = self.body.get(member).and_then(Value::as_array);
        list.into_iter().flatten().filter_map(Value::as_str).collect()
    }
}
