//! Gives up, one fault at a time, what no longer fits the document. Only done when that was accepted.

use std::ops::Range;

use serde_json::{Map, Value};
use toml_edit::{DocumentMut, InlineTable, Item};

use super::Tools;
use super::place::{Step, find};

/// Mends the fault at a place; nothing where a person has to.
pub(super) fn mend(
    text: &str,
    rule: &str,
    span: &Range<usize>,
    tools: &Tools,
) -> Option<(String, String)> {
    let way = find(text, span)?;
    let mut document: DocumentMut = text.parse().ok()?;
    let names: Vec<&str> = way
        .iter()
        .map(|step| match step {
            Step::Key(key) => key.as_str(),
            Step::Element(_) => "",
        })
        .collect();
    let word = text.get(span.clone())?.trim_matches('"');
    if let Some((steps, sentence)) = given_up(rule, &names, word) {
        let removed = match names[..steps] {
            ["names", key] => super::edit::remove(&mut document, "names", key), // A heading stays.
            _ => remove(document.as_item_mut(), &way[..steps]),
        };
        return removed.then(|| (document.to_string(), sentence));
    }
    let sentence = match (rule, names.as_slice()) {
        ("paging-mismatch", ["operations", id, "paging"]) => {
            one_piece(&mut document, id)?;
            format!(
                "`{id}` gives up its `paging`, which no longer fits: it is a list in one piece now"
            )
        }
        ("incomplete-example", ["operations", id]) => {
            complete(&mut document, id, tools.get(*id)?)?;
            format!("`{id}` has made-up values in its example, for arguments that are new")
        }
        _ => return None,
    };
    Some((document.to_string(), sentence))
}

/// What is left out for a fault: so many steps of the way to it, and the sentence that says so.
fn given_up(rule: &str, way: &[&str], word: &str) -> Option<(usize, String)> {
    let all = way.len();
    let names_of = |key: &str| format!("`{key}` is no longer looked up by name: `{word}` is gone");
    Some(match (rule, way) {
        ("unknown-column", ["operations", id, .., "columns", ""]) => {
            (all, format!("`{id}` gives up its column `{word}`, which is gone"))
        }
        ("unknown-column", ["names", key, "also" | "path" | "parent", ..]) => {
            (all, format!("`names.{key}` gives up its column `{word}`, which is gone"))
        }
        ("unknown-column" | "unknown-operation" | "naming-without-a-list", ["names", key, ..]) => {
            (2, names_of(key))
        }
        ("unknown-operation", ["operations", id, "reads", ""]) => {
            (all, format!("`{id}` gives up the check by `{word}`, which is gone"))
        }
        ("unknown-operation" | "unfit-target", ["operations", id, "target", ..]) => {
            (3, format!("`{id}` gives up its `target`, which `{word}` can no longer tell"))
        }
        ("unknown-argument", ["operations", id, "named_by", ""]) => {
            (all, format!("`{id}` gives up to name what is asked for by `{word}`, which is gone"))
        }
        ("unknown-argument", ["operations", id, "arguments" | "example", .., name]) => {
            (all, format!("`{id}` gives up words or an example for `{name}`, which is gone"))
        }
        ("undocumented-status", ["operations", id, "errors", status]) => {
            (all, format!("`{id}` gives up what it says of the status {status}"))
        }
        (
            "unknown-variable" | "missing-variable" | "template-on-write",
            ["operations", id, part, ..],
        ) => (3, format!("`{id}` gives up its {part}, which lacks an argument")),
        ("paging-mismatch", ["operations", id, "rows"]) => {
            (all, format!("`{id}` gives up `rows`, which no longer fit"))
        }
        ("stale-patch", ["patch", "", "at"]) => {
            (2, "gave up a patch that no longer fits".to_owned())
        }
        _ => return None,
    })
}

/// Puts `rows` where `paging` stood: rows that are gone too are the next fault.
fn one_piece(document: &mut DocumentMut, id: &str) -> Option<()> {
    let operation = document.get("operations")?.get(id)?;
    let dialect = operation.get("paging")?.as_str()?;
    let rows = document.get("paging")?.get(dialect)?.get("rows").and_then(Item::as_str);
    let rows = rows.map(str::to_owned);
    let operation = document.get_mut("operations")?.get_mut(id)?.as_table_like_mut()?;
    match rows {
        Some(rows) => super::edit::replace(operation, "paging", ("rows", &rows)),
        None => drop(operation.remove("paging")),
    }
    Some(())
}

/// Completes the first example of a tool that lacks a required argument.
pub(super) fn examples(text: &str, tools: &Tools) -> Option<(String, String)> {
    let (id, tool) = tools.iter().find(|(_, tool)| !missing(tool).is_empty())?;
    let mut document: DocumentMut = text.parse().ok()?;
    complete(&mut document, id, tool)?;
    Some((
        document.to_string(),
        format!("`{id}` has made-up values in its example, since the document gives none"),
    ))
}

/// Required arguments without a value in the example.
fn missing(tool: &Value) -> Vec<String> {
    let required =
        tool["schema"]["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
    required.filter(|name| tool["example"].get(*name).is_none()).map(str::to_owned).collect()
}

/// Writes an example with the known values and samples of the missing ones.
fn complete(document: &mut DocumentMut, id: &str, tool: &Value) -> Option<()> {
    let operation = document.get_mut("operations")?.get_mut(id)?.as_table_like_mut()?;
    let mut example = match operation.get("example").and_then(Item::as_value) {
        Some(toml_edit::Value::InlineTable(known)) => known.clone(),
        _ => InlineTable::new(),
    };
    let known: &Map<String, Value> = tool["example"].as_object()?;
    super::edit::tidy(&mut example);
    for (name, value) in known.iter().filter(|(name, _)| name.as_str() != "limit") {
        if !example.contains_key(name) {
            example.insert(name, toml(value)?);
        }
    }
    for name in missing(tool) {
        example.insert(&name, toml(&sample(&tool["schema"]["properties"][&name]))?);
    }
    operation.insert("example", Item::Value(example.into()));
    Some(())
}

/// A value that a schema allows.
fn sample(schema: &Value) -> Value {
    for key in ["default", "example"] {
        if let Some(value) = schema.get(key) {
            return value.clone();
        }
    }
    if let Some(value) = schema["enum"].get(0) {
        return value.clone();
    }
    if let Some(part) = schema["anyOf"].get(0) {
        return sample(part);
    }
    let kind = match &schema["type"] {
        Value::Array(kinds) => kinds.first().and_then(Value::as_str).unwrap_or("string"),
        kind => kind.as_str().unwrap_or("string"),
    };
    match kind {
        "integer" | "number" => schema.get("minimum").cloned().unwrap_or_else(|| 1.into()),
        "boolean" => true.into(),
        "array" => vec![sample(&schema["items"])].into(),
        "object" => {
            let names =
                schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
            let members = names.map(|name| (name.to_owned(), sample(&schema["properties"][name])));
            Value::Object(members.collect())
        }
        _ if schema["format"] == "date-time" => "2026-01-01T00:00:00Z".into(),
        _ => "5b0c8c1e-6f0a-4a51-9d3c-0c5f2f1b7a10".into(), // Fits where a UUID is wanted, and is text elsewhere.
    }
}

/// The same value in TOML; nothing for null, which TOML lacks.
fn toml(value: &Value) -> Option<toml_edit::Value> {
    Some(match value {
        Value::Null => return None,
        Value::Bool(flag) => (*flag).into(),
        Value::Number(number) => match number.as_i64() {
            Some(number) => number.into(),
            None => number.as_f64()?.into(),
        },
        Value::String(text) => text.as_str().into(),
        Value::Array(elements) => {
            let elements: Option<toml_edit::Array> = elements.iter().map(toml).collect();
            elements?.into()
        }
        Value::Object(members) => {
            let mut table = InlineTable::new();
            for (name, value) in members {
                table.insert(name, toml(value)?);
            }
            table.into()
        }
    })
}

/// Removes what a way leads to, and an array or table that is empty then.
fn remove(item: &mut Item, way: &[Step]) -> bool {
    let Some((step, rest)) = way.split_first() else { return false };
    if let (Step::Element(at), Item::ArrayOfTables(tables)) = (step, &mut *item) {
        if rest.is_empty() {
            tables.remove(*at);
            return true;
        }
        return false;
    }
    let Step::Key(key) = step else { return false };
    let Some(table) = item.as_table_like_mut() else { return false };
    let Some(member) = table.get_mut(key) else { return false };
    let removed = match rest {
        [] => {
            table.remove(key);
            return true;
        }
        [Step::Element(at)] => match member {
            Item::Value(toml_edit::Value::Array(elements)) => {
                elements.remove(*at);
                true
            }
            Item::ArrayOfTables(tables) => {
                tables.remove(*at);
                true
            }
            _ => false,
        },
        rest => remove(member, rest),
    };
    let empty = match table.get(key) {
        Some(Item::Value(toml_edit::Value::Array(elements))) => elements.is_empty(),
        Some(Item::Value(toml_edit::Value::InlineTable(table))) => table.is_empty(),
        Some(Item::Table(table)) => table.is_empty() && table.is_dotted(),
        Some(Item::ArrayOfTables(tables)) => tables.is_empty(),
        _ => false,
    };
    if removed && empty {
        table.remove(key);
    }
    removed
}
