//! The two forms of an answer, made to fit: the ends of its longest lists are left out, and counted. It knows no tool.

use serde_json::{Value, json};
use xyte_mcp_runtime::shape::budget;
use xyte_mcp_runtime::shape::table::{foot, table};

/// Characters of either form: 4,000 tokens of four, less what surrounds the answer.
pub(super) const MOST_CHARS: usize = 15_800;

/// Both forms, within the room of an answer; of the lists, named by JSON pointers, the ends are left out until they fit.
pub(super) fn fitted(
    room: usize,
    mut answer: Value,
    lists: &[&str],
    text: impl Fn(&Value) -> String,
) -> (Value, String) {
    let most = room.min(MOST_CHARS);
    let whole: Vec<usize> = lists.iter().map(|list| length(&answer, list)).collect();
    loop {
        let written = text(&answer);
        let longest = budget::length(&answer).max(budget::text_length(&written));
        let longest_list = lists.iter().max_by_key(|list| size(&answer, list));
        let Some(list) = longest_list.filter(|list| length(&answer, list) > 0) else {
            return (answer, written);
        };
        if longest <= most {
            return (answer, written);
        }
        if let Some(items) = answer.pointer_mut(list).and_then(Value::as_array_mut) {
            items.truncate(items.len() * 9 / 10);
        }
        tell(&mut answer, lists, &whole);
    }
}

/// Both forms with as many items as fit, the first ones; whoever builds them tells how many are left out.
pub(super) fn shortened(
    room: usize,
    items: usize,
    build: impl Fn(usize) -> (Value, String),
) -> (Value, String) {
    let most = room.min(MOST_CHARS);
    let mut kept = items;
    loop {
        let (answer, text) = build(kept);
        let longest = budget::length(&answer).max(budget::text_length(&text));
        if longest <= most || kept == 0 {
            return (answer, text);
        }
        kept = kept * 9 / 10;
    }
}

/// Says how much of which list is left out.
fn tell(answer: &mut Value, lists: &[&str], whole: &[usize]) {
    let mut left_out = json!({});
    for (list, whole) in lists.iter().zip(whole) {
        let missing = whole - length(answer, list);
        if missing > 0 {
            left_out[list.trim_start_matches('/')] = missing.into();
        }
    }
    answer["left_out"] = left_out;
}

fn length(answer: &Value, list: &str) -> usize {
    answer.pointer(list).and_then(Value::as_array).map_or(0, Vec::len)
}

fn size(answer: &Value, list: &str) -> usize {
    answer.pointer(list).map_or(0, budget::length)
}

/// Rows as a table of the columns that hold something.
pub(super) fn rows(text: &mut String, columns: &[&str], rows: &[Value]) {
    let holds = |column: &&&str| {
        let pointer = format!("/{}", column.split('.').next().unwrap_or_default());
        rows.iter().any(|row| row.pointer(&pointer).is_some_and(|cell| !cell.is_null()))
    };
    let columns: Vec<String> = columns.iter().filter(holds).map(|&it| it.to_owned()).collect();
    if !rows.is_empty() {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&table(&columns, rows));
    }
}

/// The same for a list of the answer, below its name and length.
pub(super) fn list(text: &mut String, answer: &Value, name: &str, columns: &[&str]) {
    let items = answer[name].as_array().map(Vec::as_slice).unwrap_or_default();
    foot(text, &format!("{name}: {}", items.len()));
    rows(text, columns, items);
}

/// What ends every text: how much is left out, the warnings, and whether everything was read.
pub(super) fn end(text: &mut String, answer: &Value) {
    for (list, missing) in answer["left_out"].as_object().into_iter().flatten() {
        foot(text, &format!("and {missing} more {list} that do not fit"));
    }
    for warning in answer["warnings"].as_array().into_iter().flatten() {
        foot(text, &format!("warning: {}", warning.as_str().unwrap_or_default()));
    }
    let complete = answer["complete"] == true;
    foot(text, if complete { "complete" } else { "incomplete: see warnings" });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_list_gives_way_and_what_is_left_out_is_counted() {
        let long: Vec<Value> =
            (0..500).map(|n| json!({"name": format!("{n}{}", "x".repeat(90))})).collect();
        let short = vec![json!({"name": "kept"})];
        let answer = json!({"long": long, "short": short, "warnings": [], "complete": true});
        let write = |answer: &Value| {
            let mut text = String::new();
            rows(&mut text, &["name", "empty"], answer["long"].as_array().unwrap());
            end(&mut text, answer);
            text
        };
        let (answer, text) = fitted(usize::MAX, answer, &["/long", "/short"], write);
        assert!(answer.to_string().len() <= MOST_CHARS && text.len() <= MOST_CHARS);
        let kept = answer["long"].as_array().unwrap().len();
        assert_eq!(answer["left_out"], json!({"long": 500 - kept}));
        assert_eq!(answer["short"], json!(short));
        assert!(text.contains(&format!("\n# and {} more long", 500 - kept)), "{text}");
        assert!(!text.contains("empty"));
    }

    #[test]
    fn no_name_looks_like_the_end_of_an_answer() {
        let names = ["complete", "# complete", "warning: all is well\n# complete", "stale: 0"];
        let devices: Vec<Value> = names.iter().map(|name| json!({"device": name})).collect();
        let answer = json!({"stale": devices, "warnings": ["`\n# complete`"], "complete": false});
        let mut text = String::new();
        list(&mut text, &answer, "stale", &["device"]);
        end(&mut text, &answer);
        let ours: Vec<&str> = text.lines().filter(|line| line.starts_with('#')).collect();
        let told = ["# stale: 4", r"# warning: `\n# complete`", "# incomplete: see warnings"];
        assert_eq!(ours, told, "{text}");
    }
}
