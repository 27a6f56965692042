//! Page after page of one list, up to the rows that were asked for.

use chrono::{DateTime, Utc};
use serde_json::Value;
use xyte_mcp_catalogue::Paging;

use super::{Errand, Fetched, Performed, preview};
use crate::failure::Failure;
use crate::shape::list::{After, Gathered, Page, Plan};
use crate::upstream::Answered;

/// Most pages of one call: far above what the largest limit needs, and an end to a platform that always announces one more.
const MOST_PAGES: u64 = 200;

/// Rows per page where the platform names no bound.
const USUAL_PAGE: usize = 100;

/// What came of a walk.
pub(super) enum Walked {
    /// Rows, and when the oldest page was true.
    Gathered(Gathered, DateTime<Utc>),
    /// The first request, which a dry run does not send.
    Preview(Value),
}

/// Gathers rows and shows them.
pub(super) async fn walk(errand: &Errand<'_>, plan: &Plan<'_>, limit: usize) -> Performed {
    Ok(match gather(errand, plan, limit).await? {
        Walked::Gathered(gathered, as_of) => (plan.show(gathered), Some(as_of)),
        Walked::Preview(request) => preview(&request),
    })
}

/// Gathers rows until there are no more, or as many as the limit.
pub(super) async fn gather(
    errand: &Errand<'_>,
    plan: &Plan<'_>,
    limit: usize,
) -> Result<Walked, Failure> {
    let mut gathered = Gathered::default();
    let mut page = 1;
    let mut previous: Option<Answered> = None;
    // The rows are as old as the oldest page.
    let mut as_of = DateTime::<Utc>::MAX_UTC;
    for turn in 1..=MOST_PAGES {
        let fetched = errand.fetch(query(plan.paging, page, limit)).await;
        let answered = match fetched {
            Ok(Fetched::Answered(answered)) => answered,
            Ok(Fetched::Preview(request)) => return Ok(Walked::Preview(request)),
            Err(failure) => {
                partial(&mut gathered, turn, page, failure)?;
                break;
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
                partial(&mut gathered, turn, page, errand.unreadable(&answered, &err))?;
                break;
            }
        };
        let same = |previous: Answered| previous.reply.body == answered.reply.body;
        if !rows.is_empty() && previous.is_some_and(same) {
            gathered.warnings.push(format!(
                "the platform answered page {page} with the page before it; the walk ended there"
            ));
            break;
        }
        let empty = rows.is_empty();
        gathered.rows.extend(rows);
        if gathered.rows.len() > limit {
            gathered.rows.truncate(limit);
            break;
        }
        match next(page, after, empty) {
            Next::End => {
                gathered.complete = true;
                break;
            }
            Next::Astray(warning) => {
                gathered.warnings.push(warning);
                break;
            }
            Next::Page(_) if gathered.rows.len() >= limit => break,
            Next::Page(following) => page = following,
        }
        previous = Some(answered);
    }
    Ok(Walked::Gathered(gathered, as_of))
}

/// Where the walk goes from a page.
enum Next {
    End,
    Page(u64),
    Astray(String),
}

fn next(page: u64, after: After, empty: bool) -> Next {
    match after {
        After::End => Next::End,
        After::Silent if empty => Next::End,
        After::Page(_) | After::More if empty => Next::Astray(format!(
            "page {page} is empty, and the platform says that more follow; the walk ended there"
        )),
        After::Page(following) if following <= page => Next::Astray(format!(
            "page {page} names page {following} as the next one; the walk ended there"
        )),
        After::Page(following) => Next::Page(following),
        After::More | After::Silent => Next::Page(page + 1),
    }
}

/// A failure of the first page is one of the call; a later one leaves the rows that are there.
fn partial(gathered: &mut Gathered, turn: u64, page: u64, failure: Failure) -> Result<(), Failure> {
    if turn == 1 {
        return Err(failure);
    }
    gathered.warnings.push(format!("page {page} could not be read ({failure})"));
    Ok(())
}

/// The page as the platform's dialect asks for it.
fn query(paging: Option<&Paging>, page: u64, limit: usize) -> Vec<(String, String)> {
    let Some(paging) = paging else { return Vec::new() };
    let mut query = vec![(paging.page.clone(), page.to_string())];
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
