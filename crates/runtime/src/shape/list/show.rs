//! Rows as an answer: as structure and as a table, as many as one answer has room for.
//!
//! It does not know where rows come from, nor what a cursor holds.

use std::borrow::Cow;
use std::fmt;

use serde_json::{Value, json};

use super::Plan;
use crate::shape::budget::{self, enumerate};
use crate::shape::table::{foot, table};
use crate::shape::{Format, Shaped, absent};
use crate::text::quoted;

/// Characters of the words on a row that is too large by itself.
const FOR_WORDS: usize = 800;

/// Rows of one or more pages.
#[derive(Debug, Default)]
pub struct Gathered {
    /// The rows, in the platform's order.
    pub rows: Vec<Value>,
    /// Characters of each row as JSON, where there is a bound.
    pub lengths: Vec<usize>,
    /// Whether nothing follows.
    pub complete: bool,
    /// What a reader should know about them.
    pub warnings: Vec<String>,
    /// The answer, where it had no rows.
    pub other: Option<Value>,
}

/// What surrounds the rows of an answer.
pub struct Frame<'f> {
    /// Most characters of either form, where there is a bound.
    pub room: Option<usize>,
    /// Whether rows came before, in other answers.
    pub continued: bool,
    /// What goes on after so many of the rows; nothing where nothing follows.
    pub cursor: &'f dyn Fn(usize) -> Option<String>,
}

impl fmt::Debug for Frame<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Frame").field("room", &self.room).finish_non_exhaustive()
    }
}

/// What stands around some rows.
struct Around {
    page: Value,
    warnings: Vec<String>,
    summary: String,
}

impl Plan<'_> {
    /// Shows the rows that were gathered, or as many of them as fit.
    pub fn show(&self, mut gathered: Gathered, frame: &Frame<'_>) -> Shaped {
        gathered.warnings.extend(self.absent_columns(&gathered.rows));
        let Some(room) = frame.room else {
            let around = around(&gathered, frame, gathered.rows.len());
            return self.draw(gathered, around);
        };
        if gathered.other.is_some() {
            let around = around(&gathered, frame, gathered.rows.len());
            return budget::clamp(self.draw(gathered, around), room);
        }
        let mut count = guess(&gathered, room);
        while count > 0 {
            let around = around(&gathered, frame, count);
            let rows = &gathered.rows[..count];
            let text = self.is_table(rows).then(|| self.text(rows, &around));
            let text_fits = text.as_deref().is_none_or(|text| budget::text_length(text) <= room);
            if text_fits && structured_length(&gathered, &around, count) <= room {
                gathered.rows.truncate(count);
                return shaped(gathered, around, text);
            }
            if count == 1 {
                return self.one_large(gathered, around, room);
            }
            count -= count.div_ceil(20);
        }
        let around = around(&gathered, frame, 0);
        budget::clamp(self.draw(gathered, around), room)
    }

    /// The first row alone, of which not all fits.
    fn one_large(&self, mut gathered: Gathered, mut around: Around, room: usize) -> Shaped {
        gathered.rows.truncate(1);
        let left = room.saturating_sub(structured_length(&gathered, &around, 0) + FOR_WORDS);
        if let Some(row) = gathered.rows.first_mut() {
            let cut = budget::cut(row, left);
            if !cut.is_empty() {
                around.warnings.push(cut.words("the row", "`fields` chooses what is shown"));
            }
        }
        budget::clamp(self.draw(gathered, around), room)
    }

    fn draw(&self, gathered: Gathered, around: Around) -> Shaped {
        let is_table = gathered.other.is_none() && self.is_table(&gathered.rows);
        let text = is_table.then(|| self.text(&gathered.rows, &around));
        shaped(gathered, around, text)
    }

    fn text(&self, rows: &[Value], around: &Around) -> String {
        let mut text = table(&self.columns, rows);
        foot(&mut text, &around.summary);
        for warning in &around.warnings {
            foot(&mut text, &format!("warning: {warning}"));
        }
        text
    }

    fn is_table(&self, rows: &[Value]) -> bool {
        self.format == Format::Table && !self.columns.is_empty() && !self.misses(rows)
    }

    /// Whether none of the columns is in any row.
    fn misses(&self, rows: &[Value]) -> bool {
        !rows.is_empty() && absent(&self.columns, rows).len() == self.columns.len()
    }

    /// Names fields the caller chose that no row has: most likely misspelt. One declared column may be absent, since the platform omits what is empty; all of them may not.
    fn absent_columns(&self, rows: &[Value]) -> Option<String> {
        let objects: Vec<&Value> = rows.iter().filter(|row| row.is_object()).collect();
        let chosen = matches!(self.columns, Cow::Owned(_));
        if objects.is_empty() || self.columns.is_empty() || !(chosen || self.misses(rows)) {
            return None;
        }
        let absent = absent(&self.columns, objects);
        let names: Vec<String> =
            absent.iter().map(|column| format!("`{}`", quoted(column))).collect();
        let rest = if self.misses(rows) {
            "whole rows are shown"
        } else {
            "`format: \"json\"` shows whole rows"
        };
        (!names.is_empty()).then(|| format!("no row has {}; {rest}", enumerate(&names)))
    }
}

/// Characters of the structured form with the first so many rows.
fn structured_length(gathered: &Gathered, around: &Around, count: usize) -> usize {
    let empty = json!({ "items": [], "page": around.page, "warnings": around.warnings });
    let rows = gathered.lengths.iter().take(count).map(|length| length + 1).sum::<usize>();
    budget::length(&empty) + rows
}

/// Puts an answer together; without a text of its own, it is the structure.
fn shaped(gathered: Gathered, around: Around, text: Option<String>) -> Shaped {
    let Around { page, warnings, .. } = around;
    let mut structured = json!({ "items": null, "page": page, "warnings": warnings });
    structured["items"] = Value::Array(gathered.rows);
    if let Some(other) = gathered.other {
        structured["answer"] = other;
    }
    match text {
        Some(text) => Shaped { structured, text },
        None => Shaped::of(structured),
    }
}

/// How many rows most likely fit; one at least, if there is one.
fn guess(gathered: &Gathered, room: usize) -> usize {
    let mut left = room;
    let fitting = gathered.lengths.iter().take_while(|length| {
        let fits = **length < left;
        left = left.saturating_sub(**length + 1);
        fits
    });
    fitting.count().max(1).min(gathered.rows.len())
}

/// What is told about the first so many rows.
fn around(gathered: &Gathered, frame: &Frame<'_>, count: usize) -> Around {
    let all = gathered.rows.len();
    let complete = gathered.complete && count == all;
    let cursor = (frame.cursor)(count);
    let mut warnings = gathered.warnings.clone();
    if count < all {
        warnings.push(format!(
            "cut to {count} rows, which is what one answer has room for; `cursor` goes on, and fewer `fields` make room"
        ));
    }
    let rows = match (frame.continued, count) {
        (false, 1) => "1 row".to_owned(),
        (false, _) => format!("{count} rows"),
        (true, 1) => "1 more row".to_owned(),
        (true, _) => format!("{count} more rows"),
    };
    let summary = match (&cursor, complete) {
        (_, true) => format!("{rows}, complete"),
        (Some(cursor), false) => format!("{rows}, more follow; cursor: {cursor}"),
        (None, false) => format!("{rows}, incomplete"),
    };
    let page = json!({ "returned": count, "complete": complete, "next_cursor": cursor });
    Around { page, warnings, summary }
}

#[cfg(test)]
mod tests;
