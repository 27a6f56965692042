//! Which reads are tried again, and when.
//!
//! It knows outcomes and times; what an attempt is, it does not know.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::time::Duration;

use chrono::{DateTime, Utc};
use http::HeaderMap;
use http::header::RETRY_AFTER;
use tokio::time::{Instant, sleep};

use super::wire::{Fault, Lost, Reply};

/// Attempts of one read, the first one included.
const ATTEMPTS: u32 = 3;

/// Makes attempts until one is final: it succeeded, or another would change nothing or come too late.
pub(super) async fn repeat<F>(
    deadline: Instant,
    backoff: Duration,
    mut attempt: impl FnMut() -> F,
) -> Result<Reply, Lost>
where
    F: Future<Output = Result<Reply, Lost>>,
{
    let mut outcome = attempt().await;
    for turn in 1..ATTEMPTS {
        let Some(asked) = again_after(&outcome) else { break };
        let wait = asked.max(pause(turn, backoff));
        // A pause may be too long for any clock.
        if Instant::now().checked_add(wait).is_none_or(|at| at >= deadline) {
            break;
        }
        sleep(wait).await;
        match attempt().await {
            // What the platform said last tells more than why it was not asked again.
            Err(Lost { fault: Fault::Held, .. }) => break,
            next => outcome = next,
        }
    }
    outcome
}

/// How long to wait at least before another attempt, where another makes sense.
fn again_after(outcome: &Result<Reply, Lost>) -> Option<Duration> {
    match outcome {
        Ok(Reply { status: 408 | 429 | 500..=599, headers, .. }) => {
            Some(retry_after(headers).unwrap_or_default())
        }
        Err(Lost { fault: Fault::Unconnected | Fault::Broken, .. }) => Some(Duration::ZERO),
        _ => None,
    }
}

/// The pause after so many attempts: it doubles, and half of it is left to chance, so that callers who failed together do not come back together.
fn pause(turn: u32, backoff: Duration) -> Duration {
    const HUNDREDTHS: u64 = 51; // Of 50 to 100.
    let whole = backoff * 2_u32.pow(turn - 1);
    // The standard library's hasher is seeded randomly, and differently each time.
    let chance = 50 + RandomState::new().build_hasher().finish() % HUNDREDTHS;
    whole * u32::try_from(chance).unwrap_or(100) / 100
}

/// How long the platform asks to wait, in seconds or until a date.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = DateTime::parse_from_rfc2822(text).ok()?;
    (at.with_timezone(&Utc) - Utc::now()).to_std().ok()
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use bytes::Bytes;
    use chrono::TimeDelta;
    use http::HeaderValue;

    use super::*;
    use crate::failure::Failure;

    const BACKOFF: Duration = Duration::from_millis(250);

    fn answered(status: u16, retry_after: Option<&str>) -> Reply {
        let headers = retry_after
            .map(|text| (RETRY_AFTER, HeaderValue::from_str(text).unwrap()))
            .into_iter()
            .collect();
        Reply { status, headers, body: Bytes::new() }
    }

    fn lost(fault: Fault) -> Lost {
        Lost { failure: Failure::timeout().into(), fault }
    }

    /// The moments of all attempts, with this outcome each, and what came of them.
    async fn moments(outcome: &Result<Reply, Lost>, deadline: u64) -> (Vec<Duration>, Option<u16>) {
        let start = Instant::now();
        let moments = RefCell::new(Vec::new());
        let last = repeat(start + Duration::from_secs(deadline), BACKOFF, async || {
            moments.borrow_mut().push(start.elapsed());
            outcome.clone()
        })
        .await;
        (moments.into_inner(), last.ok().map(|reply| reply.status))
    }

    #[tokio::test(start_paused = true)]
    async fn a_read_is_tried_three_times_with_growing_pauses_left_to_chance() {
        for outcome in [
            Ok(answered(408, None)),
            Ok(answered(429, None)),
            Ok(answered(500, None)),
            Ok(answered(503, None)),
            Err(lost(Fault::Unconnected)),
            Err(lost(Fault::Broken)),
        ] {
            let (moments, _) = moments(&outcome, 20).await;
            let [first, second, third] = moments[..] else { panic!("{moments:?}") };
            assert_eq!(first, Duration::ZERO);
            let (one, two) = (second.abs_diff(first), third.abs_diff(second));
            // The clock of the tests counts whole milliseconds.
            assert!((125..=251).contains(&one.as_millis()), "{one:?}");
            assert!((250..=501).contains(&two.as_millis()), "{two:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_another_attempt_would_not_change_is_final() {
        for outcome in [
            Ok(answered(200, None)),
            Ok(answered(404, None)),
            Ok(answered(422, Some("1"))),
            Err(lost(Fault::TimedOut)),
            Err(lost(Fault::CutOff)),
            Err(lost(Fault::Held)),
            Err(lost(Fault::Unusable)),
        ] {
            assert_eq!(moments(&outcome, 20).await.0.len(), 1, "{outcome:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_platforms_own_pause_is_kept_in_seconds_and_as_a_date() {
        let (moments_of_seconds, status) = moments(&Ok(answered(429, Some("7"))), 20).await;
        let seconds: Vec<u64> = moments_of_seconds.iter().map(Duration::as_secs).collect();
        assert_eq!((seconds, status), (vec![0, 7, 14], Some(429)));
        let at = (Utc::now() + TimeDelta::seconds(9)).to_rfc2822();
        let (moments_of_date, _) = moments(&Ok(answered(503, Some(&at))), 12).await;
        assert!((7..=9).contains(&moments_of_date[1].as_secs()), "{moments_of_date:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_beyond_the_deadline_ends_the_attempts_at_once() {
        let start = Instant::now();
        for pause in ["20", "18446744073709551615", "Fri, 31 Dec 9999 23:59:59 GMT"] {
            let (moments, status) = moments(&Ok(answered(429, Some(pause))), 20).await;
            assert_eq!((moments.len(), status), (1, Some(429)));
        }
        assert_eq!(start.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn an_attempt_that_may_not_be_made_leaves_the_answer_before_it() {
        let outcomes = RefCell::new(vec![Err(lost(Fault::Held)), Ok(answered(503, None))]);
        let deadline = Instant::now() + Duration::from_secs(20);
        let last =
            repeat(deadline, BACKOFF, async || outcomes.borrow_mut().pop().expect("two attempts"))
                .await;
        assert_eq!(last.unwrap().status, 503);
    }

    #[test]
    fn a_date_that_is_past_asks_for_no_pause() {
        let headers = HeaderMap::from_iter([(
            RETRY_AFTER,
            HeaderValue::from_static("Wed, 21 Oct 2015 07:28:00 GMT"),
        )]);
        assert_eq!(retry_after(&headers), None);
    }
}
