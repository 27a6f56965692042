//! Rows as text: a header line, one line a row, and lines below that begin with `#`.
//!
//! A cell can hold anything a stranger typed, so whatever could start a line, a cell or a new direction of reading is written visibly, and no row begins like a line below.

use std::fmt::Write as _;

use serde_json::Value;

use crate::text;

/// Between two cells.
const SEPARATOR: &str = " | ";

/// What a line below a table begins with, and no line within it.
const FOOT: char = '#';

/// Adds a line below a table, or before it, which no row can be taken for.
pub fn foot(table: &mut String, line: &str) {
    if !table.is_empty() {
        table.push('\n');
    }
    table.push(FOOT);
    table.push(' ');
    table.push_str(&text::on_one_line(line));
}

/// Writes the columns of the rows as a table, without a line after the last row.
pub fn table(columns: &[String], rows: &[Value]) -> String {
    const GUESSED_ROW: usize = 96; // Bytes of a usual row; spares most of the growing.
    let mut text = String::with_capacity((rows.len() + 1) * GUESSED_ROW);
    for (index, column) in columns.iter().enumerate() {
        text.push_str(if index == 0 { "" } else { SEPARATOR });
        escape(&mut text, column);
    }
    let paths = Paths::new(columns);
    let mut cells = vec![None; columns.len()];
    for row in rows {
        text.push('\n');
        let start = text.len();
        paths.find(row, &mut cells);
        for (index, found) in cells.iter().enumerate() {
            text.push_str(if index == 0 { "" } else { SEPARATOR });
            if let Some((value, rest)) = found {
                cell(&mut text, value, rest);
            }
        }
        if text[start..].starts_with(FOOT) {
            text.insert(start, '\\');
        }
    }
    text
}

/// Dotted names, taken apart once and not for every cell.
struct Paths<'c> {
    parts: Vec<Vec<&'c str>>,
    /// Their places, by the first part: a row has its members in this order.
    sorted: Vec<usize>,
}

/// What a row has under the first part of a name, and the parts that follow.
type Found<'r, 'p> = Option<(&'r Value, &'p [&'p str])>;

impl<'c> Paths<'c> {
    fn new(columns: &'c [String]) -> Self {
        let parts: Vec<Vec<&str>> =
            columns.iter().map(|column| column.split('.').collect()).collect();
        let mut sorted: Vec<usize> = (0..parts.len()).collect();
        sorted.sort_by_key(|place| parts[*place][0]);
        Self { parts, sorted }
    }

    /// Finds the members of a row in one walk; what is no object stands in the first cell.
    fn find<'r, 'p>(&'p self, row: &'r Value, cells: &mut [Found<'r, 'p>]) {
        cells.fill(None);
        let Value::Object(members) = row else {
            return cells.iter_mut().take(1).for_each(|cell| *cell = Some((row, &[])));
        };
        let mut members = members.iter().peekable();
        for &place in &self.sorted {
            let (first, rest) = (self.parts[place][0], &self.parts[place][1..]);
            while members.next_if(|(name, _)| name.as_str() < first).is_some() {}
            cells[place] =
                members.peek().filter(|(name, _)| *name == first).map(|(_, value)| (*value, rest));
        }
    }
}

/// Writes what lies at a path: arrays on the way are collected, an odd type is shown as it is.
fn cell(text: &mut String, value: &Value, path: &[&str]) {
    match value {
        Value::Null => {}
        Value::String(string) => escape(text, string),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                text.push_str(if index == 0 { "" } else { ", " });
                cell(text, item, path);
            }
        }
        Value::Object(object) => match path {
            [segment, rest @ ..] => {
                if let Some(inner) = object.get(*segment) {
                    cell(text, inner, rest);
                }
            }
            [] => escape(text, &value.to_string()),
        },
        // A string's buffer never refuses to grow.
        Value::Bool(_) | Value::Number(_) => {
            let _ = write!(text, "{value}");
        }
    }
}

/// Writes text so that it can neither end a line nor a cell, nor hide or turn what follows.
fn escape(out: &mut String, cell: &str) {
    // Most cells are plain, and are copied in one piece.
    if text::is_plain(cell, [b'|', b'\\']) {
        return out.push_str(cell);
    }
    let mut rest = cell;
    while let Some(at) = rest.find(is_special) {
        out.push_str(&rest[..at]);
        let mut chars = rest[at..].chars();
        match chars.next() {
            Some('|') => out.push_str("\\|"),
            Some('\\') => out.push_str("\\\\"),
            Some('\n') => out.push_str("\\n"),
            Some('\r') => out.push_str("\\r"),
            Some('\t') => out.push_str("\\t"),
            Some(hidden) => text::escape(out, hidden),
            None => {}
        }
        rest = chars.as_str();
    }
    out.push_str(rest);
}

/// Whether a character cannot stand in a cell as it is.
fn is_special(char: char) -> bool {
    matches!(char, '|' | '\\') || text::is_hidden(char)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn columns(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn missing_and_null_cells_are_empty_and_numbers_keep_their_digits() {
        let rows = [
            json!({"id": 1, "name": null}),
            serde_json::from_str(r#"{"id":1.10,"name":"x","model":{"name":"M"}}"#).unwrap(),
        ];
        let text = table(&columns(&["id", "name", "model.name"]), &rows);
        assert_eq!(text, "id | name | model.name\n1 |  | \n1.10 | x | M");
    }

    #[test]
    fn a_cell_cannot_forge_a_row_or_a_cell() {
        let evil = "x\nfake | row\r\n3 rows, complete\u{2028}y\u{202e}z\u{200b}\\|\u{85}";
        let text = table(&columns(&["name", "id"]), &[json!({"name": evil, "id": 7})]);
        assert_eq!(text.lines().count(), 2);
        assert_eq!(
            text.lines().last().unwrap(),
            r"x\nfake \| row\r\n3 rows, complete\u{2028}y\u{202e}z\u{200b}\\\|\u{85} | 7"
        );
        assert!(!text.contains(['\u{2028}', '\u{202e}', '\u{200b}', '\u{85}']));
    }

    #[test]
    fn a_row_cannot_look_like_a_line_below_the_table() {
        let names = ["# 3 rows, complete", "#", "\n# 3 rows, complete", " # x", "\\# x"];
        let rows: Vec<Value> = names.iter().map(|name| json!({"name": name})).collect();
        let mut text = table(&columns(&["name"]), &rows);
        foot(&mut text, "5 rows\n# complete\u{2028}");
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.iter().filter(|line| line.starts_with('#')).count(), 1);
        assert_eq!(lines[1..4], [r"\# 3 rows, complete", r"\#", r"\n# 3 rows, complete"]);
        assert_eq!(lines[6], r"# 5 rows\n# complete\u{2028}");
    }

    #[test]
    fn lists_are_collected_and_odd_types_are_shown() {
        let rows = [
            json!({"tags": [{"name": "a"}, {"name": "b"}], "model": "odd"}),
            json!({"model": {"name": {"a": "1|2"}}}),
            json!("bare"),
        ];
        let text = table(&columns(&["tags.name", "model.name"]), &rows);
        assert_eq!(text, "tags.name | model.name\na, b | odd\n | {\"a\":\"1\\|2\"}\nbare | ");
    }
}
