//! Where a JSON pointer lies in the text of the document. Knows nothing of OpenAPI.

use std::ops::Range;

use jsonc_parser::ast::{ObjectPropName, Value};
use jsonc_parser::common::Ranged;

/// The document with the places of its parts.
pub(super) struct Tree<'a> {
    root: Option<Value<'a>>,
}

impl<'a> Tree<'a> {
    /// Parses leniently: what cannot be parsed has no places, and findings then point at its start.
    pub(super) fn parse(text: &'a str) -> Self {
        let parsed = jsonc_parser::parse_to_ast(
            text,
            &jsonc_parser::CollectOptions::default(),
            &jsonc_parser::ParseOptions::default(),
        );
        Self { root: parsed.ok().and_then(|result| result.value) }
    }

    /// Finds the key or element a pointer names, or the nearest ancestor that exists.
    pub(super) fn find(&self, pointer: &str) -> Range<usize> {
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
