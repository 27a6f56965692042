//! The platform's ways of paging, read from the document; knows no kind of row.

use serde_json::{Map, Value, json};

/// How a list tells that there is more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// `items` and `has_next_page`.
    HasNextPage,
    /// `items` and `next_page`, null at the end.
    NextPage,
    /// `data` and `page_info`, as partner lists have it.
    PageInfo,
}

impl Dialect {
    /// The dialect the document's own example of the answer shows.
    pub(crate) fn read(media: Option<&Value>) -> Self {
        let example = media.and_then(|media| media.get("example"));
        let shows = |member| example.is_some_and(|example| example.get(member).is_some());
        if shows("next_page") {
            Self::NextPage
        } else if shows("page_info") {
            Self::PageInfo
        } else {
            Self::HasNextPage
        }
    }
}

/// The part of a list that was asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Page {
    pub(crate) number: usize,
    pub(crate) size: usize,
    pub(crate) dialect: Dialect,
}

impl Page {
    /// Picks this page out of `rows` and writes it in the dialect; only its rows are rendered.
    pub(crate) fn of<T>(self, rows: impl Iterator<Item = T>, render: impl Fn(T) -> Value) -> Value {
        let first = self.number.saturating_sub(1).saturating_mul(self.size);
        let end = first.saturating_add(self.size);
        let mut picked = Vec::new();
        let mut total = 0;
        for row in rows {
            if (first..end).contains(&total) {
                picked.push(render(row));
            }
            total += 1;
        }
        let more = total > end;
        match self.dialect {
            Dialect::HasNextPage => json!({ "items": picked, "has_next_page": more }),
            Dialect::NextPage => {
                let next = more.then_some(self.number.saturating_add(1));
                json!({ "items": picked, "next_page": next })
            }
            Dialect::PageInfo => {
                let info = json!({ "has_next": more, "total_count": total });
                json!({ "data": picked, "page_info": info })
            }
        }
    }
}

/// Lets an answer made of the document alone be the last page: a list that nothing keeps goes on nowhere.
pub(crate) fn end(answer: &mut Value) {
    let mut say = |pointer: &str, last: Value| {
        if let Some(member) = answer.pointer_mut(pointer) {
            *member = last;
        }
    };
    say("/has_next_page", false.into());
    say("/next_page", Value::Null);
    say("/page_info/has_next", false.into());
}

/// Names that the number of rows goes by, in one state of the document or another.
const SIZES: [&str; 3] = ["per_page", "page_size", "limit"];

/// The page a request asks for; a list without a size uses the platform's 100.
pub(crate) fn asked(query: &Map<String, Value>, dialect: Dialect) -> Page {
    let number =
        |name| query.get(name).and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok());
    Page {
        number: number("page").unwrap_or(1),
        size: SIZES.into_iter().find_map(number).unwrap_or(100),
        dialect,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_beyond_the_end_is_empty_and_keeps_the_total() {
        let page = |number, dialect| Page { number, size: 2, dialect }.of(0..5, |row| json!(row));
        let info = page(9, Dialect::PageInfo);
        assert_eq!(info["page_info"], json!({ "has_next": false, "total_count": 5 }));
        assert_eq!(page(2, Dialect::NextPage), json!({ "items": [2, 3], "next_page": 3 }));
        let last = json!({ "items": [4], "has_next_page": false });
        assert_eq!(page(3, Dialect::HasNextPage), last);
    }

    #[test]
    fn an_answer_made_of_the_document_alone_is_the_last_page() {
        let mut made = json!({ "items": [1], "has_next_page": true, "next_page": 2, "page_info": { "has_next": true } });
        end(&mut made);
        let last = json!({ "items": [1], "has_next_page": false, "next_page": null, "page_info": { "has_next": false } });
        assert_eq!(made, last);
        let mut other = json!(["has_next_page"]);
        end(&mut other);
        assert_eq!(other, json!(["has_next_page"]));
    }
}
