//! Where a JSON pointer lies in the text of the document, and where a byte lies in lines and columns. Knows nothing of OpenAPI.

use std::ops::Range;

use jsonc_parser::ast::{ObjectPropName, Value};
use jsonc_parser::common::Ranged;

/// The document with the places of its parts.
pub(crate) struct Tree<'a> {
    root: Option<Value<'a>>,
}

impl<'a> Tree<'a> {
    /// Parses leniently: what cannot be parsed has no places, and findings then point at its start.
    pub(crate) fn parse(text: &'a str) -> Self {
        let parsed = jsonc_parser::parse_to_ast(
            text,
            &jsonc_parser::CollectOptions::default(),
            &jsonc_parser::ParseOptions::default(),
        );
        Self { root: parsed.ok().and_then(|result| result.value) }
    }

    /// Finds the key or element a pointer names, or the nearest ancestor that exists.
    pub(crate) fn find(&self, pointer: &str) -> Range<usize> {
        let mut place = 0..0;
        let mut current = self.root.as_ref();
        for segment in pointer.split('/').skip(1) {
            let segment = segment.replace("~1", "/").replace("~0", "~");
            let Some(next) = current else { break };
            current = match next {
                Value::Object(object) => {
                    let Some(member) = object.get(&segment) else { break };
                    place = match &member.name {
                        ObjectPropName::String(name) => name.range.start..name.range.end,
                        ObjectPropName::Word(name) => name.range.start..name.range.end,
                    };
                    Some(&member.value)
                }
                Value::Array(array) => {
                    let Some(element) =
                        segment.parse().ok().and_then(|at: usize| array.elements.get(at))
                    else {
                        break;
                    };
                    place = element.range().start..element.range().end;
                    Some(element)
                }
                _ => break,
            };
        }
        place
    }
}

/// Where the lines of a text begin, found once.
pub(crate) struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        Self { text, starts: std::iter::once(0).chain(breaks.map(|(at, _)| at + 1)).collect() }
    }

    pub(crate) fn text(&self) -> &'a str {
        self.text
    }

    /// Line and column of a byte, both counted from 1, the column in characters.
    pub(crate) fn at(&self, byte: usize) -> (usize, usize) {
        let line = self.starts.partition_point(|start| *start <= byte);
        let before = self.text.get(self.starts[line - 1]..byte).unwrap_or_default();
        (line, before.chars().count() + 1)
    }

    /// The bytes of the lines that a span touches, without the last line break.
    pub(crate) fn around(&self, span: &Range<usize>) -> Range<usize> {
        let line = |byte: usize| self.starts.partition_point(|start| *start <= byte);
        let end = self.starts.get(line(span.end)).map_or(self.text.len(), |next| next - 1);
        self.starts[line(span.start) - 1]..end.max(span.end)
    }
}
