//! Pages as the platform's dialects ask for them: which one, how large, and which one follows. It fetches nothing.

use std::fmt;

use serde::{Deserialize, Serialize};
use xyte_mcp_catalogue::{Paging, Step};

use crate::failure::Failure;
use crate::shape::list::{After, Mark};

/// Rows per page where the platform names no bound.
const USUAL_PAGE: u64 = 100;

/// Rows before the next one that are read again when a walk goes on, to see whether the list shifted, and by how much.
const OVERLAP: u64 = 10;

/// Where a walk stands.
#[derive(Debug, Clone)]
pub(super) struct Spot {
    step: Step,
    /// How many pages there are up to this one.
    pub(super) turn: u64,
    /// Number of the page, or of the rows before it.
    number: u64,
    /// What the page is asked for with, where it has no number; nothing for the first.
    cursor: Option<String>,
    /// Rows per page, where it is ours to say.
    size: u64,
    /// Rows before this page, where that is known for sure.
    pub(super) before: Option<u64>,
}

/// Where the walk goes from a page.
pub(super) enum Next {
    End,
    Spot(Spot),
    Astray(String),
}

/// The place between two rows at which a walk is taken up again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Position {
    /// Rows before it, where that is known for sure; then the next four say no more.
    #[serde(rename = "o", default, skip_serializing_if = "Option::is_none")]
    before: Option<u64>,
    #[serde(rename = "n", default, skip_serializing_if = "is_zero")]
    number: u64,
    #[serde(rename = "c", default, skip_serializing_if = "Option::is_none")]
    cursor: Option<String>,
    #[serde(rename = "s", default, skip_serializing_if = "is_zero")]
    size: u64,
    /// Rows of the page before it.
    #[serde(rename = "k", default, skip_serializing_if = "is_zero")]
    skip: u64,
    #[serde(rename = "t", default, skip_serializing_if = "is_zero")]
    turn: u64,
    /// The rows before it, the last one first.
    #[serde(rename = "m", default, skip_serializing_if = "Vec::is_empty")]
    pub(super) marks: Vec<Mark>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Spot {
    /// The first page, for a walk of so many rows.
    pub(super) fn first(paging: Option<&Paging>, limit: usize) -> Self {
        let step = paging.map(|paging| paging.step).unwrap_or_default();
        let number = if step == Step::Page { paging.map_or(0, first_number) } else { 0 };
        let size = paging.map_or(0, |paging| page_size(paging, limit));
        let counts = paging.is_none_or(|paging| match step {
            Step::Page => !paging.size.is_empty(),
            Step::Offset => true,
            Step::Cursor => false,
        });
        Self { step, turn: 1, number, cursor: None, size, before: counts.then_some(0) }
    }

    /// The page at which a walk goes on, and how many of its rows come before that.
    pub(super) fn at(position: &Position, paging: Option<&Paging>, limit: usize) -> (Self, u64) {
        let first = Self::first(paging, limit);
        let limit = limit as u64;
        match (position.before, paging) {
            (Some(before), None) => (first, before),
            (Some(before), Some(paging)) if first.step == Step::Offset => {
                let overlap = before.min(OVERLAP);
                let number = before - overlap;
                let size =
                    page_size(paging, usize::try_from(limit + overlap).unwrap_or(usize::MAX));
                (Self { number, size, turn: 2, before: Some(number), ..first }, overlap)
            }
            (Some(before), Some(paging)) => {
                let (size, index) = aligned(most(paging), before, limit);
                let number = first.number + index;
                let spot =
                    Self { number, size, turn: index + 1, before: Some(size * index), ..first };
                (spot, before - size * index)
            }
            (None, _) => {
                let Position { number, cursor, size, skip, turn, .. } = position.clone();
                // Behind the last row of a page any size serves.
                let size = if skip == 0 { first.size } else { size };
                (Self { number, cursor, size, turn, before: None, ..first }, skip)
            }
        }
    }

    /// The place behind so many rows of this page, of which this is the last one.
    pub(super) fn behind(&self, skip: u64, marks: Vec<Mark>) -> Position {
        let turn = self.turn;
        let Self { number, cursor, size, .. } = self.clone();
        let Some(before) = self.before else {
            return Position { before: None, number, cursor, size, skip, turn, marks };
        };
        let before = Some(before + skip);
        Position { before, number: 0, cursor: None, size: 0, skip: 0, turn: 0, marks }
    }

    /// Whether the page says by itself where it begins, whatever becomes of the rows before it.
    pub(super) fn stands_alone(&self) -> bool {
        self.step == Step::Cursor
    }

    /// The page behind one that the platform breaks on; only a numbered one can be asked for by itself.
    pub(super) fn beyond(&self, failure: &Failure) -> Option<Self> {
        let unreadable = failure.code == "upstream_contract";
        let broken = unreadable || failure.status.is_some_and(|status| status >= 500);
        let numbered = self.step == Step::Page;
        (broken && numbered).then(|| Self {
            number: self.number + 1,
            turn: self.turn + 1,
            before: None,
            ..self.clone()
        })
    }

    pub(super) fn next(&self, after: After, found: usize) -> Next {
        let at = |number| Self {
            number,
            turn: self.turn + 1,
            before: self.before_next(found as u64),
            ..self.clone()
        };
        match after {
            After::End => Next::End,
            After::Silent if found == 0 => Next::End,
            After::Page(_) | After::More if found == 0 => Next::Astray(format!(
                "{self} is empty, and the platform says that more follow; the walk ended there"
            )),
            After::Page(following) if following <= self.number => Next::Astray(format!(
                "{self} names page {following} as the next one; the walk ended there"
            )),
            After::Page(following) if following == self.number + 1 => Next::Spot(at(following)),
            After::Page(following) => Next::Spot(Self { before: None, ..at(following) }),
            After::Cursor(cursor) if self.cursor.as_ref() == Some(&cursor) => {
                Next::Astray(format!("{self} names itself as the next one; the walk ended there"))
            }
            // An empty page with a cursor is an ordinary one: a filter left nothing of it.
            After::Cursor(cursor) => Next::Spot(Self { cursor: Some(cursor), ..at(self.number) }),
            After::More | After::Silent => match self.step {
                Step::Page => Next::Spot(at(self.number + 1)),
                Step::Offset => Next::Spot(at(self.number + found as u64)),
                Step::Cursor => Next::Astray(format!(
                    "{self} says that more follow and not how to ask for them; the walk ended there"
                )),
            },
        }
    }

    /// Rows before the next page: a page that is not full shows that the platform cuts pages its own way.
    fn before_next(&self, found: u64) -> Option<u64> {
        let before = self.before?;
        match self.step {
            Step::Page if found == self.size => Some(before + found),
            Step::Offset => Some(before + found),
            Step::Page | Step::Cursor => None,
        }
    }

    /// The page as the platform's dialect asks for it.
    pub(super) fn query(&self, paging: Option<&Paging>) -> Vec<(String, String)> {
        let Some(paging) = paging else { return Vec::new() };
        let wanted = match self.step {
            Step::Page | Step::Offset => Some(self.number.to_string()),
            Step::Cursor => self.cursor.clone(),
        };
        let mut query: Vec<_> =
            wanted.map(|wanted| (paging.page.clone(), wanted)).into_iter().collect();
        if !paging.size.is_empty() {
            query.push((paging.size.clone(), self.size.to_string()));
        }
        query
    }
}

impl fmt::Display for Spot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.step {
            Step::Page => write!(f, "page {}", self.number),
            Step::Offset => write!(f, "the page after {} rows", self.number),
            Step::Cursor => write!(f, "page {}", self.turn),
        }
    }
}

fn first_number(paging: &Paging) -> u64 {
    u64::from(!paging.from_zero)
}

fn most(paging: &Paging) -> u64 {
    paging.max.map_or(USUAL_PAGE, u64::from).max(1)
}

/// Rows per page: as few pages as possible, then as few rows as possible.
fn page_size(paging: &Paging, limit: usize) -> u64 {
    let limit = limit as u64;
    limit.div_ceil(limit.div_ceil(most(paging)).max(1)).max(1)
}

/// The size of pages, and the number of full ones before, such that the first page holds the last row that was shown, and a walk from there needs few pages, sees rows before it, and reads few in vain.
fn aligned(most: u64, before: u64, limit: u64) -> (u64, u64) {
    let needed = before.saturating_add(limit.min(u64::from(u32::MAX)));
    let last = before.saturating_sub(1);
    let cost = |size: &u64| {
        let index = last / size;
        let pages = needed.div_ceil(*size) - index;
        let unseen = OVERLAP.saturating_sub(before - index * size);
        (pages, unseen, pages * size)
    };
    let size = (1..=most).min_by_key(cost).unwrap_or(1);
    (size, last / size)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paging(text: &str) -> Paging {
        serde_json::from_str(text).unwrap()
    }

    fn pages() -> Paging {
        paging(r#"{"dialect":"p","page":"page","size":"per_page","max":100}"#)
    }

    #[test]
    fn pages_are_few_and_no_larger_than_needed() {
        let sizes = [1, 50, 100, 101, 150, 1000].map(|limit| page_size(&pages(), limit));
        assert_eq!(sizes, [1, 50, 100, 51, 75, 100]);
    }

    #[test]
    fn a_walk_goes_on_at_any_row_with_rows_before_it_in_sight_and_one_more_request_at_most() {
        for before in 1..400 {
            for limit in [1, 7, 50, 90, 100, 250] {
                let (size, index) = aligned(100, before, limit);
                let start = size * index;
                assert!(size <= 100 && start < before && before <= start + size);
                let requests = (before + limit - start).div_ceil(size);
                assert!(requests <= limit.div_ceil(100) + 1, "{before} {limit}");
            }
        }
    }

    #[test]
    fn a_place_is_told_by_its_offset_only_while_pages_are_full() {
        let first = Spot::first(Some(&pages()), 50);
        let Next::Spot(full) = first.next(After::More, 50) else { panic!("it goes on") };
        assert_eq!(full.behind(3, Vec::new()).before, Some(53));
        let Next::Spot(short) = first.next(After::More, 25) else { panic!("it goes on") };
        let position = short.behind(3, vec![1]);
        assert_eq!((position.before, position.number, position.skip), (None, 2, 3));
        let (spot, skip) = Spot::at(&position, Some(&pages()), 10);
        assert_eq!((spot.number, spot.size, skip), (2, 50, 3), "the same page of the same size");
    }

    #[test]
    fn the_text_of_a_position_is_short() {
        let first = Spot::first(Some(&pages()), 50);
        let text = serde_json::to_string(&first.behind(50, vec![7, 8])).unwrap();
        assert_eq!(text, r#"{"o":50,"m":[7,8]}"#);
        assert_eq!(serde_json::from_str::<Position>(&text).unwrap(), first.behind(50, vec![7, 8]));
    }
}
