//! Reads one TOML table key by key, and tells which keys nobody asked for. Knows types, not meanings.

use std::cell::RefCell;
use std::ops::Range;

use serde_json::{Map, Number, Value};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Word;
use crate::diagnostic::Diagnostic;

/// Findings shared by nested readers.
pub(super) type Findings = RefCell<Vec<Diagnostic>>;

/// One table being read.
pub(super) struct Reader<'a> {
    table: &'a DeTable<'a>,
    span: Range<usize>,
    /// How the table is called in messages.
    title: String,
    asked: RefCell<Vec<&'static str>>,
    findings: &'a Findings,
}

impl<'a> Reader<'a> {
    pub(super) fn new(
        table: &'a DeTable<'a>,
        span: Range<usize>,
        title: impl Into<String>,
        findings: &'a Findings,
    ) -> Self {
        Self { table, span, title: title.into(), asked: RefCell::default(), findings }
    }

    pub(super) fn string(&self, key: &'static str) -> Option<Word> {
        self.typed(key, "a string", DeValue::as_str).as_ref().map(own)
    }

    pub(super) fn required_string(&self, key: &'static str) -> Option<Word> {
        if self.value(key).is_none() {
            self.report(
                Diagnostic::overrides(
                    "missing-key",
                    self.span.clone(),
                    format!("{} has no `{key}`", self.title),
                )
                .label(format!("`{key} = \"…\"` is needed here")),
            );
        }
        self.string(key)
    }

    pub(super) fn boolean(&self, key: &'static str) -> Option<Spanned<bool>> {
        self.typed(key, "true or false", DeValue::as_bool)
    }

    pub(super) fn strings(&self, key: &'static str) -> Option<Vec<Word>> {
        let array = self.typed(key, "an array of strings", DeValue::as_array)?;
        let words = array.get_ref().iter().filter_map(|element| {
            let word = element
                .get_ref()
                .as_str()
                .map(|word| Spanned::new(element.span(), word.to_owned()));
            if word.is_none() {
                self.wrong_type(key, "strings", element);
            }
            word
        });
        Some(words.collect())
    }

    /// Reads a table of tables, such as `[operations.*]`.
    pub(super) fn tables(&self, key: &'static str) -> Vec<(Word, Reader<'a>)> {
        let Some(table) = self.typed(key, "a table", DeValue::as_table) else { return Vec::new() };
        let entries = table.get_ref().iter().filter_map(|(name, value)| {
            let title = format!("`{key}.{}`", name.get_ref());
            let Some(inner) = value.get_ref().as_table() else {
                self.wrong_type(key, "tables", value);
                return None;
            };
            let word = Spanned::new(name.span(), name.get_ref().to_string());
            Some((word, Reader::new(inner, name.span(), title, self.findings)))
        });
        entries.collect()
    }

    pub(super) fn table(&self, key: &'static str) -> Option<Reader<'a>> {
        let table = self.typed(key, "a table", DeValue::as_table)?;
        Some(Reader::new(
            table.get_ref(),
            table.span(),
            format!("`{key}` of {}", self.title),
            self.findings,
        ))
    }

    /// Reads an array of tables, such as `[[patch]]`.
    pub(super) fn array_of_tables(&self, key: &'static str) -> Vec<Reader<'a>> {
        let Some(array) = self.typed(key, "an array of tables", DeValue::as_array) else {
            return Vec::new();
        };
        let readers = array.get_ref().iter().filter_map(|element| {
            let Some(table) = element.get_ref().as_table() else {
                self.wrong_type(key, "tables", element);
                return None;
            };
            Some(Reader::new(table, element.span(), format!("`{key}`"), self.findings))
        });
        readers.collect()
    }

    /// Reads any value, as JSON.
    pub(super) fn json(&self, key: &'static str) -> Option<Value> {
        self.value(key).map(|value| json(value.get_ref()))
    }

    /// Gives the value itself, for keys that take several types.
    pub(super) fn value(&self, key: &'static str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.asked.borrow_mut().push(key);
        self.table.get(key)
    }

    /// Gives every member, for tables whose keys are free.
    pub(super) fn members(&self) -> impl Iterator<Item = (Word, &'a Spanned<DeValue<'a>>)> {
        self.table
            .iter()
            .map(|(name, value)| (Spanned::new(name.span(), name.get_ref().to_string()), value))
    }

    pub(super) fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    pub(super) fn findings(&self) -> &'a Findings {
        self.findings
    }

    /// Reports the keys that nobody asked for.
    pub(super) fn finish(self) {
        let asked = self.asked.borrow();
        for key in self.table.keys().filter(|key| !asked.contains(&key.get_ref().as_ref())) {
            let message = format!("unknown key `{}` in {}", key.get_ref(), self.title);
            let fault = Diagnostic::overrides("unknown-key", key.span(), message);
            self.report(fault.nearest(key.get_ref(), asked.iter().copied()));
        }
    }

    pub(super) fn report(&self, finding: Diagnostic) {
        self.findings.borrow_mut().push(finding);
    }

    pub(super) fn wrong_type(&self, key: &str, wanted: &str, found: &Spanned<DeValue<'_>>) {
        let message = format!("`{key}` of {} takes {wanted}", self.title);
        let kind = found.get_ref().type_str();
        let label =
            format!("this is {} {kind}", if kind.starts_with(['a', 'i']) { "an" } else { "a" });
        self.report(Diagnostic::overrides("wrong-type", found.span(), message).label(label));
    }

    fn typed<T>(
        &self,
        key: &'static str,
        wanted: &str,
        read: impl Fn(&'a DeValue<'a>) -> Option<T>,
    ) -> Option<Spanned<T>> {
        let value = self.value(key)?;
        let found = read(value.get_ref()).map(|found| Spanned::new(value.span(), found));
        if found.is_none() {
            self.wrong_type(key, wanted, value);
        }
        found
    }
}

/// Makes an owned word.
fn own(word: &Spanned<&str>) -> Word {
    Spanned::new(word.span(), (*word.get_ref()).to_owned())
}

/// Turns a TOML value into JSON. TOML has no null: a patch that needs one cannot be written.
pub(super) fn json(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => Value::String(text.to_string()),
        DeValue::Integer(number) => {
            let digits = number.as_str().replace('_', "");
            let parsed = i64::from_str_radix(&digits, number.radix()).map(Number::from);
            parsed
                .or_else(|_| digits.trim_start_matches('+').parse())
                .map_or_else(|_| digits.into(), Value::Number)
        }
        DeValue::Float(number) => {
            let digits = number.as_str().replace('_', "");
            digits
                .trim_start_matches('+')
                .parse()
                .map_or_else(|_| digits.clone().into(), Value::Number) // `inf` is no JSON.
        }
        DeValue::Boolean(flag) => Value::Bool(*flag),
        DeValue::Datetime(time) => Value::String(time.to_string()),
        DeValue::Array(elements) => {
            elements.iter().map(|element| json(element.get_ref())).collect()
        }
        DeValue::Table(members) => {
            let members = members
                .iter()
                .map(|(key, value)| (key.get_ref().to_string(), json(value.get_ref())));
            Value::Object(members.collect::<Map<_, _>>())
        }
    }
}
