//! Periods of time as people and programs write them, and the pieces that the platform takes of them. It reads nothing and knows no clock.

use chrono::{DateTime, Datelike, Days, FixedOffset, NaiveDate, SecondsFormat, TimeDelta, Utc};
use serde_json::{Value, json};
use xyte_mcp_runtime::failure::Failure;
use xyte_mcp_runtime::text::quoted;

/// The longest window of one request for histories.
const LONGEST_PIECE: TimeDelta = TimeDelta::days(31);
/// Beyond this, no answer would come in time.
const LONGEST: TimeDelta = TimeDelta::days(366);

/// From a moment to a later one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Period {
    pub(super) from: DateTime<Utc>,
    pub(super) to: DateTime<Utc>,
    /// Whether it is the one for callers who name none.
    pub(super) usual: bool,
}

impl Period {
    /// The period that is asked for: up to now, and as many days as usual, where a bound is left out.
    pub(super) fn of(
        (from, to): (Option<&str>, Option<&str>),
        usual: TimeDelta,
        now: DateTime<Utc>,
    ) -> Result<Self, Failure> {
        let given = (from.is_some(), to.is_some());
        let to = to.map(|text| moment("to", text)).transpose()?.unwrap_or(now).min(now);
        let from = from.map(|text| moment("from", text)).transpose()?.unwrap_or(to - usual);
        if from >= to {
            let message = format!("`from` {} is not before {}", written(from), written(to));
            let failure = Failure::invalid_arguments(message);
            return Err(failure.with_hint(format!("On the platform it is {}.", written(now))));
        }
        if to - from > LONGEST {
            let message = format!("the period has more than {} days", LONGEST.num_days());
            return Err(Failure::invalid_arguments(message));
        }
        Ok(Self { from, to, usual: given == (false, false) })
    }

    pub(super) fn holds(&self, at: DateTime<Utc>) -> bool {
        (self.from..=self.to).contains(&at)
    }

    /// The same with an earlier beginning.
    pub(super) fn begun_before(&self, by: TimeDelta) -> Self {
        Self { from: self.from - by, ..*self }
    }

    /// Windows that the platform accepts, the newest first. Two of them share a moment, so that no row falls between.
    pub(super) fn pieces(&self) -> Vec<(i64, i64)> {
        let mut pieces = Vec::new();
        let mut to = self.to;
        while to > self.from {
            let from = (to - LONGEST_PIECE).max(self.from);
            pieces.push((from.timestamp(), to.timestamp()));
            to = from;
        }
        pieces
    }

    pub(super) fn told(&self) -> Value {
        let days = (self.to - self.from).as_seconds_f64() / 86_400.0;
        json!({"from": written(self.from), "to": written(self.to), "days": (days * 10.0).round() / 10.0})
    }
}

/// A moment as answers show it.
pub(super) fn written(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// Where the calendar weeks begin that somebody may mean by "this week", in a zone of so many minutes from UTC.
pub(super) fn weeks(now: DateTime<Utc>, offset_minutes: i64) -> Option<(String, String)> {
    let seconds = i32::try_from(offset_minutes * 60).ok()?;
    let zone = FixedOffset::east_opt(seconds)?;
    let today = now.with_timezone(&zone).date_naive();
    let begin = |back: u32| {
        let day = today.checked_sub_days(Days::new(back.into()))?;
        let midnight = day.and_hms_opt(0, 0, 0)?.and_local_timezone(zone).single()?;
        Some(midnight.to_rfc3339_opts(SecondsFormat::Secs, false))
    };
    let weekday = today.weekday();
    begin(weekday.num_days_from_sunday()).zip(begin(weekday.num_days_from_monday()))
}

/// Reads a length of time: `week`, `24h`, `last_30_days`.
pub(super) fn length(text: &str) -> Result<TimeDelta, Failure> {
    let folded = text.trim().to_lowercase().replace(['_', ' '], "");
    let folded = folded.trim_start_matches("last");
    let digits = folded.chars().take_while(char::is_ascii_digit).count();
    let (number, unit) = folded.split_at(digits);
    let number: i64 = if number.is_empty() { 1 } else { number.parse().unwrap_or_default() };
    let hours = match unit.trim_end_matches('s') {
        "h" | "hour" => 1,
        "d" | "day" => 24,
        "w" | "week" => 7 * 24,
        "month" => 30 * 24,
        "quarter" => 90 * 24,
        "y" | "year" => 365 * 24,
        _ => 0,
    };
    let length = number.checked_mul(hours).and_then(TimeDelta::try_hours);
    length.filter(|length| *length > TimeDelta::zero()).ok_or_else(|| {
        let message = format!("`period` is \"{}\", which is no length of time", quoted(text));
        Failure::invalid_arguments(message)
            .with_hint("Lengths are written as `week`, `24h`, `90d` or `last_30_days`.")
    })
}

/// Reads ISO 8601 with a zone, a bare date (its midnight in UTC), or Unix seconds.
pub(super) fn moment(name: &str, text: &str) -> Result<DateTime<Utc>, Failure> {
    let text = text.trim();
    let epoch = || text.parse().ok().and_then(|seconds| DateTime::from_timestamp(seconds, 0));
    let date = || text.parse::<NaiveDate>().ok()?.and_hms_opt(0, 0, 0);
    let read = DateTime::parse_from_rfc3339(text).ok().map(|at| at.with_timezone(&Utc));
    read.or_else(epoch).or_else(|| date().map(|at| at.and_utc())).ok_or_else(|| {
        let message = format!("`{name}` is \"{}\", which is no time", quoted(text));
        Failure::invalid_arguments(message).with_hint(
            "Times are written as `2026-09-07T08:30:00Z`, with a zone, as `2026-09-07`, or in Unix seconds.",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn a_time_is_read_in_every_spelling_that_leaves_no_doubt() {
        let now = at("2026-09-07T08:30:00Z");
        for text in
            ["2026-09-01T03:00:00+03:00", "2026-09-01T00:00:00.000Z", "2026-09-01", "1788220800"]
        {
            let period = Period::of((Some(text), None), TimeDelta::days(7), now).unwrap();
            assert_eq!((period.from, period.to), (at("2026-09-01T00:00:00Z"), now), "{text}");
        }
        for text in ["2026-09-01T03:00:00", "yesterday", "", "2026-09-08T00:00:00Z"] {
            let refused = Period::of((Some(text), None), TimeDelta::days(7), now).unwrap_err();
            assert_eq!(refused.code, "invalid_arguments", "{text}");
        }
    }

    #[test]
    fn a_length_of_time_is_read_as_people_write_it() {
        for (text, hours) in
            [("day", 24), ("24h", 24), ("last_30_days", 720), ("2 weeks", 336), ("month", 720)]
        {
            assert_eq!(length(text).unwrap(), TimeDelta::hours(hours), "{text}");
        }
        for text in ["", "0d", "a while", "-3d", "99999999999999999999d", "9223372036854775807y"] {
            assert_eq!(length(text).unwrap_err().code, "invalid_arguments", "{text}");
        }
    }

    #[test]
    fn a_long_period_is_cut_into_windows_that_leave_nothing_out() {
        let now = at("2026-09-07T08:30:00Z");
        let period = Period::of((None, None), TimeDelta::days(60), now).unwrap();
        let pieces = period.pieces();
        assert_eq!(pieces.len(), 2);
        assert_eq!(pieces[0].0, pieces[1].1, "no row falls between");
        assert_eq!((pieces[1].0, pieces[0].1), (period.from.timestamp(), now.timestamp()));
        assert!(pieces.iter().all(|(from, to)| to - from <= 31 * 86_400));
    }

    #[test]
    fn the_beginning_of_a_week_is_told_in_local_time() {
        let (sunday, monday) = weeks(at("2026-09-07T08:30:00Z"), 180).unwrap();
        assert_eq!(sunday, "2026-09-06T00:00:00+03:00");
        assert_eq!(monday, "2026-09-07T00:00:00+03:00");
        // On Saturday evening in UTC it is Sunday there.
        let (sunday, _) = weeks(at("2026-09-05T22:00:00Z"), 180).unwrap();
        assert_eq!(sunday, "2026-09-06T00:00:00+03:00");
    }
}
