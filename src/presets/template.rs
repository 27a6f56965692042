//! `{name}` in texts: which params are meant, and their values in their place. It knows no step.

use serde_json::{Map, Value};

/// A piece of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece<'t> {
    Plain(&'t str),
    Name(&'t str),
}

/// Splits a text; `{{name}}` is the plain text `{name}`, and braces around anything else are plain.
fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(open) = rest.find('{') {
        let (before, after) = rest.split_at(open);
        let doubled = after.starts_with("{{");
        let inner = after.trim_start_matches('{');
        let end = inner.find(|char: char| !is_of_name(char)).unwrap_or(inner.len());
        let (name, tail) = inner.split_at(end);
        pieces.push(Piece::Plain(before));
        let close = if doubled { "}}" } else { "}" };
        match tail.strip_prefix(close) {
            Some(tail) if !name.is_empty() => {
                let piece = if doubled {
                    Piece::Plain(&after[1..name.len() + 3])
                } else {
                    Piece::Name(name)
                };
                pieces.push(piece);
                rest = tail;
            }
            _ => {
                pieces.push(Piece::Plain(&after[..1]));
                rest = &after[1..];
            }
        }
    }
    pieces.push(Piece::Plain(rest));
    pieces.retain(|piece| *piece != Piece::Plain(""));
    pieces
}

/// Whether names of params have this character.
pub(crate) fn is_of_name(char: char) -> bool {
    matches!(char, 'a'..='z' | '0'..='9' | '_')
}

/// The params that a value speaks of, however deep.
pub(crate) fn names(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => {
            let names = pieces(text).into_iter().filter_map(|piece| match piece {
                Piece::Name(name) => Some(name),
                Piece::Plain(_) => None,
            });
            names.collect()
        }
        Value::Array(items) => items.iter().flat_map(names).collect(),
        Value::Object(members) => members.values().flat_map(names).collect(),
        _ => Vec::new(),
    }
}

/// Puts values in the place of names. A text that is nothing but a name becomes the value as it is, of whatever type.
pub(crate) fn fill(value: &Value, params: &Map<String, Value>) -> Value {
    match value {
        Value::String(text) => match pieces(text).as_slice() {
            [Piece::Name(name)] => params.get(*name).cloned().unwrap_or(Value::Null),
            pieces => pieces.iter().map(|piece| spelled(*piece, params)).collect::<String>().into(),
        },
        Value::Array(items) => items.iter().map(|item| fill(item, params)).collect(),
        Value::Object(members) => {
            let filled = members.iter().map(|(name, member)| (name.clone(), fill(member, params)));
            Value::Object(filled.collect())
        }
        other => other.clone(),
    }
}

fn spelled(piece: Piece<'_>, params: &Map<String, Value>) -> String {
    match piece {
        Piece::Plain(text) => text.to_owned(),
        Piece::Name(name) => match params.get(name) {
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
            None => String::new(),
        },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_name_alone_keeps_its_type_and_doubled_braces_are_plain() {
        let params = json!({"level": 3, "input": "hdmi1"});
        let params = params.as_object().unwrap();
        let value = json!({"a": "{level}", "b": "to {input}-{level}", "c": "{{input}}", "d": "{ x }", "e": ["{input}"], "f": "{"});
        let filled = json!({"a": 3, "b": "to hdmi1-3", "c": "{input}", "d": "{ x }", "e": ["hdmi1"], "f": "{"});
        assert_eq!(fill(&value, params), filled);
        assert_eq!(names(&value), ["level", "input", "level", "input"]);
    }
}
