//! Page after page of one list, up to the rows that were asked for.

use std::fmt;

use chrono::{DateTime, Utc};
use serde_json::Value;
use xyte_mcp_catalogue::{Paging, Step};

use super::{Errand, Fetched, Performed, preview};
use crate::failure::Failure;
use crate::shape::list::{After, Gathered, Page, Plan};
use crate::upstream::Answered;

/// Most pages of one call: far above what the largest limit needs, and an end to a platform that always announces one more.
const MOST_PAGES: u64 = 200;

/// Rows per page where the platform names no bound.
const USUAL_PAGE: usize = 100;

/// What a page that cannot be read does to a walk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gap {
    /// It ends there: what follows would not be the next rows.
    Ends,
    /// It goes on behind it, since whoever asks wants as much of the whole as there is.
    IsPassed,
}

/// What came of a walk.
pub(super) enum Walked {
    /// Rows, and when the oldest page was true.
    Gathered(Gathered, DateTime<Utc>),
    /// The first request, which a dry run does not send.
    Preview(Value),
}

/// Gathers rows and shows them.
pub(super) async fn walk(errand: &Errand<'_>, plan: &Plan<'_>, limit: usize) -> Performed {
    Ok(match gather(errand, plan, limit, Gap::Ends).await? {
        Walked::Gathered(gathered, as_of) => (plan.show(gathered), Some(as_of)),
        Walked::Preview(request) => preview(&request),
    })
}

/// Gathers rows until there are no more, or as many as the limit.
pub(super) async fn gather(
    errand: &Errand<'_>,
    plan: &Plan<'_>,
    limit: usize,
    gap: Gap,
) -> Result<Walked, Failure> {
    let mut gathered = Gathered::default();
    // Turns of the pages that were passed over.
    let mut passed: Vec<u64> = Vec::new();
    let mut spot = Spot::first(plan.paging);
    let mut previous: Option<Answered> = None;
    // The rows are as old as the oldest page.
    let mut as_of = DateTime::<Utc>::MAX_UTC;
    for _ in 1..=MOST_PAGES {
        let fetched = errand.fetch(query(plan.paging, &spot, limit)).await;
        let answered = match fetched {
            Ok(Fetched::Answered(answered)) => answered,
            Ok(Fetched::Preview(request)) => return Ok(Walked::Preview(request)),
            Err(failure) => {
                let again = passed.last().is_some_and(|turn| turn + 1 == spot.turn);
                let beyond = spot.beyond(&failure).filter(|_| gap == Gap::IsPassed && !again);
                partial(&mut gathered, &spot, failure)?;
                let Some(beyond) = beyond else { break };
                passed.push(spot.turn);
                (spot, previous) = (beyond, None);
                continue;
            }
        };
        as_of = as_of.min(answered.at);
        let (rows, after) = match plan.read(&answered.reply.body) {
            Ok(Page::Rows(rows, after)) => (rows, after),
            Ok(Page::Other(other)) => {
                gathered.warnings.push(format!(
                    "the platform's answer has no rows at `{}`; it is passed on in `answer`",
                    plan.rows
                ));
                gathered.other = Some(other);
                break;
            }
            Err(err) => {
                partial(&mut gathered, &spot, errand.unreadable(&answered, &err))?;
                break;
            }
        };
        let same = |previous: Answered| previous.reply.body == answered.reply.body;
        if !rows.is_empty() && previous.is_some_and(same) {
            gathered.warnings.push(format!(
                "the platform answered {spot} with the page before it; the walk ended there"
            ));
            break;
        }
        let found = rows.len();
        gathered.rows.extend(rows);
        if gathered.rows.len() > limit {
            gathered.rows.truncate(limit);
            break;
        }
        match spot.next(after, found) {
            Next::End => {
                gathered.complete = passed.is_empty();
                break;
            }
            Next::Astray(warning) => {
                gathered.warnings.push(warning);
                break;
            }
            Next::Spot(_) if gathered.rows.len() >= limit => break,
            Next::Spot(following) => spot = following,
        }
        previous = Some(answered);
    }
    Ok(Walked::Gathered(gathered, as_of))
}

/// Where a walk stands.
#[derive(Debug, Clone)]
struct Spot {
    step: Step,
    /// How many pages there are up to this one.
    turn: u64,
    /// Number of the page, or of the rows before it.
    number: u64,
    /// What the page is asked for with, where it has no number; nothing for the first.
    cursor: Option<String>,
}

/// Where the walk goes from a page.
enum Next {
    End,
    Spot(Spot),
    Astray(String),
}

impl Spot {
    fn first(paging: Option<&Paging>) -> Self {
        let step = paging.map(|paging| paging.step).unwrap_or_default();
        let number = match (step, paging) {
            (Step::Page, Some(paging)) if paging.from_zero => 0,
            (Step::Page, _) => 1,
            (Step::Offset | Step::Cursor, _) => 0,
        };
        Self { step, turn: 1, number, cursor: None }
    }

    /// The page behind one that the platform breaks on; only a numbered one can be asked for by itself.
    fn beyond(&self, failure: &Failure) -> Option<Self> {
        let broken = failure.status.is_some_and(|status| status >= 500);
        let numbered = self.step == Step::Page;
        (broken && numbered).then(|| Self {
            number: self.number + 1,
            turn: self.turn + 1,
            ..self.clone()
        })
    }

    fn next(&self, after: After, found: usize) -> Next {
        let at = |number| Self { number, turn: self.turn + 1, ..self.clone() };
        match after {
            After::End => Next::End,
            After::Silent if found == 0 => Next::End,
            After::Page(_) | After::More if found == 0 => Next::Astray(format!(
                "{self} is empty, and the platform says that more follow; the walk ended there"
            )),
            After::Page(following) if following <= self.number => Next::Astray(format!(
                "{self} names page {following} as the next one; the walk ended there"
            )),
            After::Page(following) => Next::Spot(at(following)),
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

/// A failure of the first page is one of the call; a later one leaves the rows that are there.
fn partial(gathered: &mut Gathered, spot: &Spot, failure: Failure) -> Result<(), Failure> {
    if spot.turn == 1 {
        return Err(failure);
    }
    gathered.warnings.push(format!("{spot} could not be read ({failure})"));
    Ok(())
}

/// The page as the platform's dialect asks for it.
fn query(paging: Option<&Paging>, spot: &Spot, limit: usize) -> Vec<(String, String)> {
    let Some(paging) = paging else { return Vec::new() };
    let wanted = match paging.step {
        Step::Page | Step::Offset => Some(spot.number.to_string()),
        Step::Cursor => spot.cursor.clone(),
    };
    let mut query: Vec<_> =
        wanted.map(|wanted| (paging.page.clone(), wanted)).into_iter().collect();
    if !paging.size.is_empty() {
        query.push((paging.size.clone(), page_size(paging, limit).to_string()));
    }
    query
}

/// Rows per page: as few pages as possible, then as few rows as possible.
fn page_size(paging: &Paging, limit: usize) -> usize {
    let most = paging.max.map_or(USUAL_PAGE, |max| max as usize).max(1);
    limit.div_ceil(limit.div_ceil(most).max(1)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_few_and_no_larger_than_needed() {
        let paging: Paging =
            serde_json::from_str(r#"{"dialect":"p","page":"page","size":"per_page","max":100}"#)
                .unwrap();
        let sizes = [1, 50, 100, 101, 150, 1000].map(|limit| page_size(&paging, limit));
        assert_eq!(sizes, [1, 50, 100, 51, 75, 100]);
    }
}
