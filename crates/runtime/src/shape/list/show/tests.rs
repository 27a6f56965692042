//! Rows in a frame.

use super::*;

fn plan(columns: &[&str], format: Format) -> Plan<'static> {
    let columns = Cow::Owned(columns.iter().map(|&column| column.to_owned()).collect());
    Plan { rows: "", columns, tree: None, paging: None, format, key: None }
}

fn gathered(rows: Vec<Value>) -> Gathered {
    let lengths = rows.iter().map(budget::length).collect();
    Gathered { rows, lengths, complete: true, ..Gathered::default() }
}

fn frame(room: usize, cursor: &dyn Fn(usize) -> Option<String>) -> Frame<'_> {
    Frame { room: Some(room), continued: false, cursor }
}

#[test]
fn a_column_that_no_row_has_is_named() {
    let plan = plan(&["id", "nmae"], Format::Table);
    let shaped = plan.show(gathered(vec![json!({"id": 1})]), &frame(4000, &|_| None));
    assert_eq!(
        shaped.structured["warnings"][0],
        "no row has `nmae`; `format: \"json\"` shows whole rows"
    );
    assert!(shaped.text.starts_with("id | nmae\n1 | \n# 1 row, complete\n# warning: "));
}

#[test]
fn rows_that_do_not_fit_are_for_the_cursor_and_both_forms_say_so() {
    let rows: Vec<Value> = (0..500).map(|at| json!({"id": at, "name": "x".repeat(90)})).collect();
    for format in [Format::Table, Format::Json] {
        let plan = plan(&["id", "name"], format);
        let cursor = |count: usize| (count < 500).then(|| format!("after-{count}"));
        let shaped = plan.show(gathered(rows.clone()), &frame(8000, &cursor));
        let shown = shaped.structured["items"].as_array().unwrap().len();
        assert!((60..80).contains(&shown), "{shown}");
        let page =
            json!({"returned": shown, "complete": false, "next_cursor": format!("after-{shown}")});
        assert_eq!(shaped.structured["page"], page);
        assert!(shaped.text.contains(&format!("after-{shown}")));
        assert!(shaped.text.contains(&format!("cut to {shown} rows")));
        let both = budget::length(&shaped.structured).max(budget::text_length(&shaped.text));
        assert!((7500..=8000).contains(&both), "{both}");
    }
}

#[test]
fn a_row_beyond_the_room_is_shown_in_part_and_the_next_one_follows() {
    let rows = vec![json!({"id": 1, "log": "x".repeat(9000)}), json!({"id": 2})];
    for columns in [&["id", "log"][..], &[]] {
        let plan = plan(columns, Format::Table);
        let cursor = |count: usize| (count < 2).then(|| "next".to_owned());
        let shaped = plan.show(gathered(rows.clone()), &frame(4000, &cursor));
        assert_eq!(shaped.structured["items"], json!([{"id": 1}]));
        assert_eq!(shaped.structured["page"]["next_cursor"], "next");
        let warnings = shaped.structured["warnings"].to_string();
        assert!(warnings.contains("left out: `log`; `fields` chooses"), "{warnings}");
    }
}

#[test]
fn text_that_grows_when_it_is_made_visible_is_counted_as_it_is_shown() {
    let rows: Vec<Value> = (0..100).map(|_| json!({"name": "|\u{202e}".repeat(60)})).collect();
    for columns in [&["name"][..], &[]] {
        let shaped =
            plan(columns, Format::Table).show(gathered(rows.clone()), &frame(8000, &|_| None));
        assert!(budget::text_length(&shaped.text) <= 8000);
        assert!(!shaped.text.contains('\u{202e}'));
        assert!(shaped.structured["items"][0]["name"].as_str().unwrap().contains('\u{202e}'));
    }
}

#[test]
fn names_of_fields_longer_than_the_room_do_not_break_it() {
    let fields: Vec<String> = (0..100).map(|at| format!("{at}{}", "\u{202e}".repeat(60))).collect();
    let fields: Vec<&str> = fields.iter().map(String::as_str).chain(["id"]).collect();
    let plan = plan(&fields, Format::Table);
    for rows in [vec![json!({"id": 1}); 3], Vec::new()] {
        let shaped = plan.show(gathered(rows), &frame(4000, &|_| None));
        assert!(budget::text_length(&shaped.text) <= 4000);
        assert!(budget::length(&shaped.structured) <= 4000);
    }
}
