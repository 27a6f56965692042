//! What a line of recorded states tells about a device: when it was away, for how long, and for how much of the time nobody knows. It reads nothing.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

use super::history::Point;
use super::period::Period;

/// A device that goes away so often within a day is flapping.
pub(super) const FLAPPING: usize = 3;
/// The shortest silence that counts as one.
const SHORTEST_SILENCE: TimeDelta = TimeDelta::hours(1);
/// A silence that counts as one where too few rows tell how often a device records.
const USUAL_SILENCE: TimeDelta = TimeDelta::hours(26);
/// A silence is longer than so many usual distances between two rows.
const USUAL_DISTANCES: i32 = 3;

/// Whether a recorded status means that the device could not be reached.
pub(super) fn is_down(status: &str) -> bool {
    matches!(status, "offline" | "unavailable" | "disconnected")
}

/// A time of absence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) struct Outage {
    /// The first record of it.
    pub(super) from: DateTime<Utc>,
    /// The first record of being back.
    pub(super) to: Option<DateTime<Utc>>,
    /// Whether there is an earlier record, so that it is known when it began.
    #[serde(skip)]
    pub(super) seen_to_begin: bool,
}

impl Outage {
    pub(super) fn minutes(&self, until: DateTime<Utc>) -> i64 {
        (self.to.unwrap_or(until) - self.from).num_minutes()
    }
}

/// Absences in a line of states, the oldest first.
pub(super) fn outages(points: &[Point]) -> Vec<Outage> {
    let mut outages: Vec<Outage> = Vec::new();
    let mut was_down = None;
    for point in points {
        let down = is_down(&point.status);
        match (was_down, down) {
            (Some(true), true) | (None | Some(false), false) => {}
            (before, true) => {
                outages.push(Outage { from: point.at, to: None, seen_to_begin: before.is_some() });
            }
            (Some(true), false) => {
                if let Some(last) = outages.last_mut() {
                    last.to = Some(point.at);
                }
            }
        }
        was_down = Some(down);
    }
    outages
}

/// How a period went by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Spent {
    pub(super) up: TimeDelta,
    pub(super) down: TimeDelta,
    /// Of the time that it was up, the time in error.
    pub(super) error: TimeDelta,
    /// Before the first row, and in silences.
    pub(super) unknown: TimeDelta,
    /// A longer silence counts as unknown behind its first so much.
    pub(super) silence: TimeDelta,
}

/// Sums up a period: a state holds until the next row, but not through a silence.
pub(super) fn spent(points: &[Point], period: &Period) -> Spent {
    let silence = silence(points);
    let zero = TimeDelta::zero();
    let mut spent = Spent { up: zero, down: zero, error: zero, unknown: zero, silence };
    for (index, point) in points.iter().enumerate() {
        let next = points.get(index + 1).map_or(period.to, |next| next.at);
        let until = next.min(point.at + silence).min(period.to);
        let held = (until - point.at.max(period.from)).max(zero);
        if is_down(&point.status) {
            spent.down += held;
        } else {
            spent.up += held;
            if point.status == "error" {
                spent.error += held;
            }
        }
    }
    spent.unknown = (period.to - period.from) - spent.up - spent.down;
    spent
}

/// How long nothing must be heard of a device before its state counts as unknown.
fn silence(points: &[Point]) -> TimeDelta {
    let mut distances: Vec<TimeDelta> =
        points.windows(2).map(|pair| pair[1].at - pair[0].at).collect();
    if distances.len() < 3 {
        return USUAL_SILENCE;
    }
    distances.sort_unstable();
    (distances[distances.len() / 2] * USUAL_DISTANCES).max(SHORTEST_SILENCE)
}

/// The most absences that began within one day.
pub(super) fn most_in_a_day(begun: &[DateTime<Utc>]) -> usize {
    let within = |first: &DateTime<Utc>| {
        begun.iter().filter(|at| (*first..*first + TimeDelta::days(1)).contains(*at)).count()
    };
    begun.iter().map(within).max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hour: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_788_220_800 + hour * 3600, 0).unwrap()
    }

    fn line(states: &[(i64, &str)]) -> Vec<Point> {
        let point =
            |(hour, status): &(i64, &str)| Point { at: at(*hour), status: (*status).into() };
        states.iter().map(point).collect()
    }

    #[test]
    fn an_absence_without_an_earlier_row_is_not_said_to_begin_there() {
        let states =
            [(0, "offline"), (1, "offline"), (2, "online"), (3, "unavailable"), (4, "offline")];
        let found = outages(&line(&states));
        let told = |from, to: Option<i64>, seen_to_begin| Outage {
            from: at(from),
            to: to.map(at),
            seen_to_begin,
        };
        assert_eq!(found, [told(0, Some(2), false), told(3, None, true)]);
        assert_eq!(found[1].minutes(at(5)), 120);
    }

    #[test]
    fn a_silence_is_neither_up_nor_down() {
        let period = Period { from: at(0), to: at(24), usual: false };
        let hours =
            |spent: &Spent| [spent.up, spent.down, spent.unknown].map(|part| part.num_hours());
        // An hour apart, and then nothing from the fifth hour on: three hours more are believed.
        let states =
            line(&[(1, "online"), (2, "online"), (3, "offline"), (4, "online"), (5, "online")]);
        assert_eq!(hours(&spent(&states, &period)), [1 + 1 + 1 + 3, 1, 17]);
        assert_eq!(hours(&spent(&[], &period)), [0, 0, 24]);
        // What was before the period holds into it.
        let states = line(&[(-2, "offline"), (6, "online")]);
        assert_eq!(hours(&spent(&states, &period)), [18, 6, 0]);
    }

    #[test]
    fn flapping_is_counted_within_any_day_and_not_by_date() {
        let begun = [20, 22, 25, 60].map(at);
        assert_eq!(most_in_a_day(&begun), 3);
        assert_eq!(most_in_a_day(&[]), 0);
    }
}
