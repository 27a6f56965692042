//! Lists: rows gathered over pages, and how many of them there are.
//!
//! It reads pages from bytes and says honestly whether more exist; it fetches nothing.

use std::borrow::Cow;

use serde_json::{Value, json};
use xyte_mcp_catalogue::{MOST_ROWS, Paging};

use crate::json;
use crate::shape::projection::{self, Tree};
use crate::shape::table::table;
use crate::shape::{Format, Shaped, absent};
use crate::text::quoted;

/// What is read of every page of a list.
#[derive(Debug, Clone)]
pub struct Plan<'a> {
    /// Dotted path to the rows; empty when the answer itself is the array.
    pub rows: &'a str,
    /// Shown columns; empty shows whole rows. The caller's are owned, the declared ones borrowed.
    pub columns: Cow<'a, [String]>,
    /// The wanted parts of a page, or nothing for all of it.
    pub tree: Option<Cow<'a, Tree>>,
    /// How the list is cut into pages.
    pub paging: Option<&'a Paging>,
    /// How the text is written.
    pub format: Format,
}

/// The parts of a page that a list with these columns needs: its rows, and what says whether more follow.
pub fn page_tree(rows: &str, columns: &[String], paging: Option<&Paging>) -> Option<Tree> {
    let mut tree = match (columns, rows) {
        ([], "") => return None,
        ([], rows) => Tree::new([rows]),
        (columns, rows) => Tree::new(columns.iter().map(String::as_str)).under(rows),
    };
    // An array at the top has no room for paging members.
    if let (Some(paging), false) = (paging, rows.is_empty()) {
        for path in [&paging.more, &paging.next] {
            if !path.is_empty() {
                tree.insert(path);
            }
        }
    }
    Some(tree)
}

/// One page, read.
#[derive(Debug)]
pub enum Page {
    /// Its rows, and what follows.
    Rows(Vec<Value>, After),
    /// The rows are not where the documentation says; the whole answer instead.
    Other(Value),
}

/// What a page says about the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum After {
    /// Nothing follows.
    End,
    /// This page follows.
    Page(u64),
    /// Something follows, and the page does not say where.
    More,
    /// The page does not say.
    Silent,
}

impl Plan<'_> {
    /// Reads a page.
    pub fn read(&self, body: &[u8]) -> Result<Page, serde_json::Error> {
        let mut value = match &self.tree {
            Some(tree) => projection::project(body, tree)?,
            None => json::read(body)?,
        };
        let after = self.after(&value);
        match projection::take(&mut value, self.rows) {
            Some(Value::Array(rows)) if self.tree.is_some() && are_empty(&rows) => {
                // Not one of the columns is there: whole rows are better than none.
                let mut whole = json::read(body)?;
                let rows = projection::take(&mut whole, self.rows);
                Ok(Page::Rows(rows.and_then(into_array).unwrap_or_default(), after))
            }
            Some(Value::Array(rows)) => Ok(Page::Rows(rows, after)),
            _ => json::read(body).map(Page::Other),
        }
    }

    fn after(&self, page: &Value) -> After {
        let Some(paging) = self.paging else { return After::End };
        let next =
            (!paging.next.is_empty()).then(|| projection::follow(page, &paging.next)).flatten();
        let more =
            (!paging.more.is_empty()).then(|| projection::follow(page, &paging.more)).flatten();
        match (more, next) {
            (Some(Value::Bool(false)), _) => After::End,
            (_, Some(Value::Number(number))) => number.as_u64().map_or(After::Silent, After::Page),
            (Some(Value::Bool(true)), _) => After::More,
            (_, Some(Value::Null)) => After::End,
            _ => After::Silent,
        }
    }

    /// Shows the rows that were gathered.
    pub fn show(&self, gathered: Gathered) -> Shaped {
        let Gathered { rows, complete, mut warnings, other } = gathered;
        warnings.extend(self.absent_columns(&rows));
        let summary = summary(rows.len(), complete);
        let text = match self.format {
            Format::Table if !self.columns.is_empty() && other.is_none() && !self.misses(&rows) => {
                let mut text = table(&self.columns, &rows);
                text.push('\n');
                text.push_str(&summary);
                for warning in &warnings {
                    text.push_str("\nwarning: ");
                    text.push_str(warning);
                }
                Some(text)
            }
            _ => None,
        };
        let page = json!({ "returned": rows.len(), "complete": complete, "next_cursor": null });
        let mut structured = json!({ "items": null, "page": page, "warnings": warnings });
        structured["items"] = Value::Array(rows);
        if let Some(other) = other {
            structured["answer"] = other;
        }
        match text {
            Some(text) => Shaped { structured, text },
            None => Shaped::of(structured),
        }
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
        (!names.is_empty()).then(|| format!("no row has {}; {rest}", names.join(", ")))
    }
}

fn are_empty(rows: &[Value]) -> bool {
    !rows.is_empty()
        && rows.iter().all(|row| row.as_object().is_some_and(serde_json::Map::is_empty))
}

fn into_array(value: Value) -> Option<Vec<Value>> {
    if let Value::Array(rows) = value { Some(rows) } else { None }
}

/// Rows of one or more pages.
#[derive(Debug, Default)]
pub struct Gathered {
    /// The rows, in the platform's order.
    pub rows: Vec<Value>,
    /// Whether these are all rows there are.
    pub complete: bool,
    /// What a reader should know about them.
    pub warnings: Vec<String>,
    /// The answer, where it had no rows.
    pub other: Option<Value>,
}

fn summary(returned: usize, complete: bool) -> String {
    let rows = if returned == 1 { "row" } else { "rows" };
    let rest = match complete {
        true => "complete",
        false if returned < MOST_ROWS as usize => "there may be more: raise limit",
        false => "there may be more: narrow the question",
    };
    format!("{returned} {rows}, {rest}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paging() -> Paging {
        serde_json::from_value(json!({"dialect": "pages", "page": "page", "size": "per_page", "max": 100, "more": "has_next_page", "next": "next_page"})).unwrap()
    }

    fn after(text: &str) -> After {
        let paging = paging();
        let columns = ["id".to_owned()];
        let tree = page_tree("items", &columns, Some(&paging)).map(Cow::Owned);
        let plan = Plan {
            rows: "items",
            columns: Cow::Borrowed(&columns),
            tree,
            paging: Some(&paging),
            format: Format::Table,
        };
        match plan.read(text.as_bytes()).unwrap() {
            Page::Rows(_, after) => after,
            Page::Other(other) => panic!("no rows in {other}"),
        }
    }

    #[test]
    fn what_follows_is_read_from_either_member() {
        assert_eq!(after(r#"{"items":[],"has_next_page":true,"next_page":2}"#), After::Page(2));
        assert_eq!(after(r#"{"items":[],"has_next_page":false,"next_page":2}"#), After::End);
        assert_eq!(after(r#"{"items":[],"next_page":null}"#), After::End);
        assert_eq!(after(r#"{"items":[],"has_next_page":true,"next_page":null}"#), After::More);
        assert_eq!(after(r#"{"items":[],"has_next_page":null}"#), After::Silent);
        assert_eq!(after(r#"{"items":[]}"#), After::Silent);
        assert_eq!(after(r#"{"items":[],"has_next_page":"yes"}"#), After::Silent);
    }

    #[test]
    fn a_column_that_no_row_has_is_named() {
        let plan = Plan {
            rows: "",
            columns: Cow::Owned(vec!["id".to_owned(), "nmae".to_owned()]),
            tree: None,
            paging: None,
            format: Format::Table,
        };
        let shaped = plan.show(Gathered {
            rows: vec![json!({"id": 1})],
            complete: true,
            ..Gathered::default()
        });
        assert_eq!(
            shaped.structured["warnings"][0],
            "no row has `nmae`; `format: \"json\"` shows whole rows"
        );
        assert!(shaped.text.starts_with("id | nmae\n1 | \n1 row, complete\nwarning: "));
    }
}
