//! Pages of lists: their rows, what tells these apart, and what follows.
//!
//! It reads pages from bytes; it fetches nothing, and does not know how rows are shown.

mod show;

use std::borrow::Cow;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use serde_json::Value;
use xyte_mcp_catalogue::{Paging, Step};

pub use self::show::{Frame, Gathered};
use super::Format;
use super::projection::{self, Tree};
use crate::json;

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
    /// What tells one row from another, where somebody wants to know.
    pub key: Option<Key<'a>>,
}

/// The member that tells one row from another.
#[derive(Debug, Clone, Copy)]
pub struct Key<'a> {
    /// Its name.
    pub name: &'a str,
    /// Whether it is shown, and not read for this alone.
    pub shown: bool,
}

/// What is left of a row when it is to be known again.
pub type Mark = u32;

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
    Rows {
        /// What is shown of them.
        rows: Vec<Value>,
        /// One for each row, where the plan has a key.
        marks: Vec<Mark>,
        /// What follows.
        after: After,
    },
    /// The rows are not where the documentation says; the whole answer instead.
    Other(Value),
}

/// What a page says about the next one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum After {
    /// Nothing follows.
    End,
    /// This page follows.
    Page(u64),
    /// The page follows that this text asks for.
    Cursor(String),
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
        let Some(Value::Array(mut rows)) = projection::take(&mut value, self.rows) else {
            return json::read(body).map(Page::Other);
        };
        let marks = self.marks(&mut rows);
        if self.tree.is_some() && are_empty(&rows) {
            // Not one of the columns is there: whole rows are better than none.
            let mut whole = json::read(body)?;
            rows = projection::take(&mut whole, self.rows).and_then(into_array).unwrap_or_default();
        }
        Ok(Page::Rows { rows, marks, after })
    }

    /// Marks the rows, and removes what was read for that alone.
    fn marks(&self, rows: &mut [Value]) -> Vec<Mark> {
        let Some(key) = self.key else { return Vec::new() };
        let mark = |row: &mut Value| match row.get(key.name) {
            None | Some(Value::Null) => mark(row),
            Some(value) => {
                let mark = mark(value);
                if let (false, Some(members)) = (key.shown, row.as_object_mut()) {
                    members.remove(key.name);
                }
                mark
            }
        };
        rows.iter_mut().map(mark).collect()
    }

    fn after(&self, page: &Value) -> After {
        let Some(paging) = self.paging else { return After::End };
        let next =
            (!paging.next.is_empty()).then(|| projection::follow(page, &paging.next)).flatten();
        let more =
            (!paging.more.is_empty()).then(|| projection::follow(page, &paging.more)).flatten();
        match (more, next) {
            (Some(Value::Bool(false)), _) => After::End,
            (_, Some(Value::String(cursor)))
                if paging.step == Step::Cursor && !cursor.is_empty() =>
            {
                After::Cursor(cursor.clone())
            }
            (_, Some(Value::Number(cursor))) if paging.step == Step::Cursor => {
                After::Cursor(cursor.to_string())
            }
            (more, _) if paging.step == Step::Cursor => {
                if more == Some(&Value::Bool(true)) {
                    After::More
                } else {
                    After::End
                }
            }
            (_, Some(Value::Number(number))) => number.as_u64().map_or(After::Silent, After::Page),
            (Some(Value::Bool(true)), _) => After::More,
            (_, Some(Value::Null)) => After::End,
            _ => After::Silent,
        }
    }
}

fn are_empty(rows: &[Value]) -> bool {
    !rows.is_empty()
        && rows.iter().all(|row| row.as_object().is_some_and(serde_json::Map::is_empty))
}

fn into_array(value: Value) -> Option<Vec<Value>> {
    if let Value::Array(rows) = value { Some(rows) } else { None }
}

/// Enough to tell one row of a list from the others. A build with another hash takes every row for another, and says that the list may have shifted.
#[allow(clippy::cast_possible_truncation, reason = "half of it is enough")]
fn mark(value: &Value) -> Mark {
    let mut hasher = DefaultHasher::new();
    match value {
        Value::String(text) => text.hash(&mut hasher),
        other => other.to_string().hash(&mut hasher),
    }
    hasher.finish() as Mark
}

#[cfg(test)]
mod tests {
    use serde_json::json;

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
            key: None,
        };
        match plan.read(text.as_bytes()).unwrap() {
            Page::Rows { after, .. } => after,
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
    fn a_row_is_known_by_its_key_whatever_else_is_shown_of_it() {
        let marks = |text: &str, shown: bool| {
            let columns = ["name".to_owned()];
            let key = Some(Key { name: "id", shown });
            let read = page_tree("", &["name".to_owned(), "id".to_owned()], None);
            let tree = read.map(Cow::Owned);
            let columns = Cow::Borrowed(&columns[..]);
            let plan = Plan { rows: "", columns, tree, paging: None, format: Format::Table, key };
            match plan.read(text.as_bytes()).unwrap() {
                Page::Rows { rows, marks, .. } => (rows, marks),
                Page::Other(other) => panic!("no rows in {other}"),
            }
        };
        let (rows, before) =
            marks(r#"[{"id":1,"name":"a"},{"id":2,"name":"a"},{"name":"x"}]"#, false);
        assert_eq!(rows, [json!({"name": "a"}), json!({"name": "a"}), json!({"name": "x"})]);
        let (rows, after) = marks(r#"[{"id":1,"name":"b"},{"id":2},{"name":"y"}]"#, true);
        assert_eq!(rows[0], json!({"id": 1, "name": "b"}));
        assert_eq!(before[..2], after[..2]);
        assert!(before[0] != before[1] && before[2] != after[2]);
    }
}
