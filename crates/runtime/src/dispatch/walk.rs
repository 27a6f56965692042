//! Page after page of one list, up to the rows that were asked for, or that there is room for.

mod cursor;
mod spot;

use chrono::{DateTime, Utc};
use serde_json::Value;

use self::spot::{Next, Position, Spot};
use super::view::list_plan;
use super::{Errand, Fetched, Performed, View, preview};
use crate::decode::Options;
use crate::failure::Failure;
use crate::shape::budget;
use crate::shape::list::{After, Frame, Gathered, Mark, Page, Plan};
use crate::upstream::Answered;

/// Most pages of one call: far above what the largest limit needs, and an end to a platform that always announces one more.
const MOST_PAGES: u64 = 200;

/// Rows by which a list is taken up again: should the last one be gone, those before it may be there.
const REMEMBERED: usize = 3;

/// What a page that cannot be read does to a walk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gap {
    /// It ends there: what follows would not be the next rows.
    Ends,
    /// It goes on behind it, since whoever asks wants as much of the whole as there is.
    IsPassed,
}

/// How far a walk goes.
struct Bounds {
    /// Most rows.
    limit: usize,
    /// Characters beyond which no further page is read.
    room: Option<usize>,
    gap: Gap,
}

/// What came of a walk.
#[allow(
    clippy::large_enum_variant,
    reason = "it is made once for each call, and taken apart at once"
)]
enum Walked {
    /// Rows, where they are from, and when the oldest page was true.
    Gathered(Gathered, Trail, DateTime<Utc>),
    /// The first request, which a dry run does not send.
    Preview(Value),
}

/// Gathers the rows of a call, from its cursor on, and shows them.
pub(super) async fn walk(errand: &Errand<'_>, view: View) -> Performed {
    let (plan, limit) = list_plan(errand.tool, errand.options, view);
    let room = match view {
        View::Tool => Some(budget::chars(errand.service.settings.answer_tokens)),
        // Resources and routes are for programs, which take a list as it is.
        View::Resource => None,
    };
    let start = cursor::open(errand)?;
    let continued = start.is_some();
    let bounds = Bounds { limit, room, gap: Gap::Ends };
    match gather(errand, &plan, bounds, start).await? {
        Walked::Gathered(gathered, trail, as_of) => {
            let all = gathered.rows.len();
            let cursor = |count: usize| {
                let position = trail.behind(count, all)?;
                Some(cursor::seal(errand, position))
            };
            Ok((plan.show(gathered, &Frame { room, continued, cursor: &cursor }), Some(as_of)))
        }
        Walked::Preview(request) => Ok(preview(&request)),
    }
}

/// Gathers every row there is, or so many, for whoever counts them; a page that cannot be read is passed over.
pub(super) async fn all(
    errand: &Errand<'_>,
    plan: &Plan<'_>,
    limit: usize,
) -> Result<Option<(Gathered, DateTime<Utc>)>, Failure> {
    let bounds = Bounds { limit, room: None, gap: Gap::IsPassed };
    Ok(match gather(errand, plan, bounds, None).await? {
        Walked::Gathered(gathered, _, as_of) => Some((gathered, as_of)),
        Walked::Preview(_) => None,
    })
}

async fn gather(
    errand: &Errand<'_>,
    plan: &Plan<'_>,
    bounds: Bounds,
    start: Option<Position>,
) -> Result<Walked, Failure> {
    let mut walk = Walk::new(errand, plan, bounds, start);
    for _ in 1..=MOST_PAGES {
        match walk.turn().await? {
            Turn::On => {}
            Turn::Over => return Ok(walk.over()),
            Turn::Preview(request) => return Ok(Walked::Preview(request)),
        }
    }
    Ok(walk.over())
}

/// Where the rows of a walk are from.
#[derive(Debug, Default)]
struct Trail {
    pages: Vec<Leaf>,
    marks: Vec<Mark>,
    /// The page that follows the last row, where there is one that can be asked for.
    following: Option<Spot>,
    /// Whether rows of the last page were left behind.
    rest: bool,
}

/// A page of which rows were taken.
#[derive(Debug)]
struct Leaf {
    spot: Spot,
    /// The first row that was taken, by its number in the page and among all that were.
    from: usize,
    first: usize,
}

impl Trail {
    /// The place behind so many of all rows, if anything follows there.
    fn behind(&self, count: usize, all: usize) -> Option<Position> {
        let at_end = count == all && !self.rest;
        let following = self.following.as_ref().filter(|_| at_end);
        if at_end && following.is_none() {
            return None;
        }
        let alone = following.filter(|spot| count == 0 || spot.stands_alone());
        if let Some(spot) = alone {
            return Some(spot.behind(0, Vec::new()));
        }
        let leaf = self.pages.iter().rev().find(|leaf| leaf.first < count)?;
        let shown = self.marks.iter().take(count);
        let marks = shown.rev().take(REMEMBERED).copied().collect();
        Some(leaf.spot.behind((leaf.from + count - leaf.first) as u64, marks))
    }
}

/// A walk under way.
struct Walk<'w, 'a> {
    errand: &'w Errand<'a>,
    plan: &'w Plan<'w>,
    bounds: Bounds,
    spot: Spot,
    /// How many rows of the first page were shown before, and which ones are the last of them.
    joint: Option<(u64, Vec<Mark>)>,
    gathered: Gathered,
    trail: Trail,
    chars: usize,
    /// Turns of the pages that were passed over.
    passed: Vec<u64>,
    previous: Option<Answered>,
    /// The rows are as old as the oldest page.
    as_of: DateTime<Utc>,
    begun: bool,
}

enum Turn {
    On,
    Over,
    Preview(Value),
}

impl<'w, 'a> Walk<'w, 'a> {
    fn new(
        errand: &'w Errand<'a>,
        plan: &'w Plan<'w>,
        bounds: Bounds,
        start: Option<Position>,
    ) -> Self {
        let (spot, joint) = match start {
            None => (Spot::first(plan.paging, bounds.limit), None),
            Some(position) => {
                let (spot, skip) = Spot::at(&position, plan.paging, bounds.limit);
                (spot, Some((skip, position.marks)))
            }
        };
        Self {
            errand,
            plan,
            bounds,
            spot,
            joint,
            gathered: Gathered::default(),
            trail: Trail::default(),
            chars: 0,
            passed: Vec::new(),
            previous: None,
            as_of: DateTime::<Utc>::MAX_UTC,
            begun: false,
        }
    }

    fn over(self) -> Walked {
        Walked::Gathered(self.gathered, self.trail, self.as_of)
    }

    /// Reads one page.
    async fn turn(&mut self) -> Result<Turn, Failure> {
        let answered = match self.fetch().await {
            Ok(Fetched::Answered(answered)) => answered,
            Ok(Fetched::Preview(request)) => return Ok(Turn::Preview(request)),
            Err(failure) => return self.pass(failure),
        };
        self.as_of = self.as_of.min(answered.at);
        let (rows, marks, after) = match self.plan.read(&answered.reply.body) {
            Ok(Page::Rows { rows, marks, after }) => (rows, marks, after),
            Ok(Page::Other(other)) => {
                self.warn(format!(
                    "the platform's answer has no rows at `{}`; it is passed on in `answer`",
                    self.plan.rows
                ));
                self.gathered.other = Some(other);
                self.trail.following = None;
                return Ok(Turn::Over);
            }
            Err(err) => {
                let failure = self.errand.unreadable(&answered, &err);
                return self.pass(failure);
            }
        };
        self.begun = true;
        let same = |previous: &Answered| previous.reply.body == answered.reply.body;
        if !rows.is_empty() && self.previous.as_ref().is_some_and(same) {
            let spot = &self.spot;
            self.warn(format!(
                "the platform answered {spot} with the page before it; the walk ended there"
            ));
            self.trail.following = None;
            return Ok(Turn::Over);
        }
        self.previous = Some(answered);
        Ok(self.keep(rows, marks, after))
    }

    async fn fetch(&self) -> Result<Fetched, Failure> {
        let query = self.spot.query(self.plan.paging);
        if self.joint.is_none() || self.plan.paging.is_none() {
            return self.errand.fetch(query).await;
        }
        // An old copy of the page would hide that the list has shifted since.
        let anew = Options { fresh: true, ..self.errand.options.clone() };
        Errand { options: &anew, ..*self.errand }.fetch(query).await
    }

    /// Takes the rows of a page, and decides where to go from there.
    fn keep(&mut self, mut rows: Vec<Value>, mut marks: Vec<Mark>, after: After) -> Turn {
        self.trail.following = None;
        let found = rows.len();
        let from = self.join(&marks, found);
        rows.drain(..from);
        marks.drain(..from.min(marks.len()));
        let first = self.gathered.rows.len();
        self.trail.pages.push(Leaf { spot: self.spot.clone(), from, first });
        let Bounds { limit, room, .. } = self.bounds;
        let fitting = limit - first;
        self.trail.rest = rows.len() > fitting;
        rows.truncate(fitting);
        if room.is_some() {
            let lengths: Vec<usize> = rows.iter().map(budget::length).collect();
            self.chars += lengths.iter().sum::<usize>();
            self.gathered.lengths.extend(lengths);
        }
        self.gathered.rows.extend(rows);
        self.trail.marks.extend(marks);
        if self.trail.rest {
            return Turn::Over;
        }
        let full = self.gathered.rows.len() >= limit || room.is_some_and(|room| self.chars >= room);
        match self.spot.next(after, found) {
            Next::End => {
                self.gathered.complete = self.passed.is_empty();
                Turn::Over
            }
            Next::Astray(warning) => {
                self.warn(warning);
                Turn::Over
            }
            Next::Spot(following) => {
                self.spot = following.clone();
                self.trail.following = Some(following);
                if full { Turn::Over } else { Turn::On }
            }
        }
    }

    /// How many rows of the page were shown before; a list that shifted meanwhile is taken up behind the last of them that is still there.
    fn join(&mut self, marks: &[Mark], found: usize) -> usize {
        let Some((skip, last)) = self.joint.take() else { return 0 };
        let skip = usize::try_from(skip).unwrap_or(usize::MAX);
        if skip == 0 || last.is_empty() {
            return skip.min(found);
        }
        if marks.get(skip - 1) == last.first() {
            return skip;
        }
        self.warn(
            "the list has changed since the answer before this one, so that rows may be missing or repeated; call without `cursor` to begin again".to_owned(),
        );
        let behind = |wanted: &Mark| {
            let places = marks.iter().enumerate().filter(|(_, mark)| *mark == wanted);
            places.map(|(at, _)| at + 1).min_by_key(|at| at.abs_diff(skip))
        };
        // Of a page without any of them, rows are rather repeated than lost; the whole list is not.
        let unknown = if self.plan.paging.is_some() { 0 } else { skip.min(found) };
        last.iter().find_map(behind).unwrap_or(unknown)
    }

    fn warn(&mut self, warning: String) {
        self.gathered.warnings.push(warning);
    }

    /// Goes on behind a page that cannot be read, where that is wanted and it is the first one in a row.
    fn pass(&mut self, failure: Failure) -> Result<Turn, Failure> {
        let again = self.passed.last().is_some_and(|turn| turn + 1 == self.spot.turn);
        let wanted = self.bounds.gap == Gap::IsPassed && !again;
        let beyond = self.spot.beyond(&failure).filter(|_| wanted);
        self.partial(failure)?;
        let Some(beyond) = beyond else { return Ok(Turn::Over) };
        self.passed.push(self.spot.turn);
        (self.spot, self.previous) = (beyond, None);
        Ok(Turn::On)
    }

    /// A failure of the first page is one of the call; a later one leaves the rows that are there.
    fn partial(&mut self, failure: Failure) -> Result<(), Failure> {
        if !self.begun {
            return Err(failure);
        }
        let spot = &self.spot;
        self.warn(format!("{spot} could not be read ({failure})"));
        Ok(())
    }
}
