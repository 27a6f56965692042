//! Which part of the overrides a span is. Knows TOML only.

use std::ops::Range;

use toml_edit::{Document, Item, Table, TableLike, Value};

/// One step down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    Key(String),
    Element(usize),
}

/// Finds the way to the key or value that a span covers.
pub(super) fn find(text: &str, span: &Range<usize>) -> Option<Vec<Step>> {
    let document: Document<&str> = Document::parse(text).ok()?;
    let mut way = Vec::new();
    in_table(document.as_table(), span, &mut way).then_some(way)
}

fn in_table(table: &Table, span: &Range<usize>, way: &mut Vec<Step>) -> bool {
    let members =
        table.iter().map(|(key, item)| (key, table.key(key).and_then(toml_edit::Key::span), item));
    { members }.any(|(key, place, item)| {
        way.push(Step::Key(key.to_owned()));
        let found = place.as_ref() == Some(span) || in_item(item, span, way);
        if !found {
            way.pop();
        }
        found
    })
}

fn in_item(item: &Item, span: &Range<usize>, way: &mut Vec<Step>) -> bool {
    match item {
        Item::None => false,
        Item::Value(value) => in_value(value, span, way),
        Item::Table(table) => in_table(table, span, way),
        Item::ArrayOfTables(tables) => tables.iter().enumerate().any(|(at, table)| {
            way.push(Step::Element(at));
            let found = in_table(table, span, way);
            if !found {
                way.pop();
            }
            found
        }),
    }
}

fn in_value(value: &Value, span: &Range<usize>, way: &mut Vec<Step>) -> bool {
    if value.span().as_ref() == Some(span) {
        return true;
    }
    match value {
        Value::Array(elements) => elements.iter().enumerate().any(|(at, element)| {
            way.push(Step::Element(at));
            let found = in_value(element, span, way);
            if !found {
                way.pop();
            }
            found
        }),
        Value::InlineTable(table) => {
            let members: Vec<(String, Option<Range<usize>>, &Value)> = table
                .iter()
                .map(|(key, value)| {
                    (
                        key.to_owned(),
                        TableLike::key(table, key).and_then(toml_edit::Key::span),
                        value,
                    )
                })
                .collect();
            members.into_iter().any(|(key, place, value)| {
                way.push(Step::Key(key));
                let found = place.as_ref() == Some(span) || in_value(value, span, way);
                if !found {
                    way.pop();
                }
                found
            })
        }
        _ => false,
    }
}
