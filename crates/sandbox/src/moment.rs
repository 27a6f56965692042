//! Where the sandbox's time starts, and how moments are written; knows no clock.

use chrono::{DateTime, SecondsFormat};

/// Where the clock starts, 2026-09-07T08:30:00Z, in Unix seconds.
pub(crate) const START: i64 = 1_788_769_800;
pub(crate) const MINUTE: i64 = 60;
pub(crate) const HOUR: i64 = 60 * MINUTE;
pub(crate) const DAY: i64 = 24 * HOUR;
pub(crate) const WEEK: i64 = 7 * DAY;
/// The clock goes no further: what devices record must fit into memory.
pub(crate) const LAST: i64 = START + 365 * DAY;

/// A moment as the platform writes it: ISO 8601, UTC.
pub(crate) fn written(seconds: i64) -> String {
    let moment = DateTime::from_timestamp(seconds, 0).unwrap_or_default();
    moment.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// A moment as HTTP's `Date` header writes it.
pub(crate) fn http_date(seconds: i64) -> String {
    let moment = DateTime::from_timestamp(seconds, 0).unwrap_or_default();
    moment.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// The Unix seconds of an ISO 8601 moment, or of a bare date.
pub(crate) fn read(text: &str) -> Option<i64> {
    let moment = DateTime::parse_from_rfc3339(text)
        .or_else(|_| DateTime::parse_from_rfc3339(&format!("{text}T00:00:00Z")));
    moment.ok().map(|moment| moment.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_starts_on_a_monday_morning() {
        assert_eq!(written(START), "2026-09-07T08:30:00Z");
        assert_eq!(http_date(START), "Mon, 07 Sep 2026 08:30:00 GMT");
        assert_eq!(read("2026-09-07T11:30:00+03:00"), Some(START));
    }
}
