//! One key, one change: a call that comes again with its idempotency key is answered with what came of it the first time.
//!
//! What is written down before the change stays when nothing is heard of it again; then its outcome is unknown, and it is not made a second time.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::time::{Instant, sleep, timeout_at};

use super::Performed;
use crate::caller::Digest;
use crate::failure::{Failure, Reach};
use crate::ledger::{Ledger, Name, name};
use crate::shape::Shaped;

/// How long a first result is given again.
const LIFE: Duration = Duration::from_hours(24);

/// How often whoever waits for the first of several calls looks.
const LOOK: Duration = Duration::from_millis(50);

/// How much longer than a call may take its outcome may come late.
const GRACE: TimeDelta = TimeDelta::seconds(10);

/// Longest key; what is longer is no key but a text.
const LONGEST: usize = 200;

/// What is written down about a key.
#[derive(Serialize, Deserialize)]
struct Record {
    /// Digest of the arguments it came with first.
    arguments: String,
    /// When the first call is over at the latest.
    until: DateTime<Utc>,
    outcome: Option<Outcome>,
}

#[derive(Serialize, Deserialize)]
enum Outcome {
    Done { structured: Value, text: String, as_of: Option<DateTime<Utc>> },
    Unknown { code: String, message: String, status: Option<u16> },
}

/// A call that brought a key.
pub(super) struct Once<'a> {
    pub(super) ledger: &'a Ledger,
    pub(super) tenant: Digest,
    pub(super) tool: &'a str,
    pub(super) key: &'a str,
    /// Digest of the arguments.
    pub(super) arguments: String,
    /// When the call is over at the latest.
    pub(super) deadline: Instant,
}

impl Once<'_> {
    /// Does the work, unless it was done with this key before; what changed nothing may be tried again.
    pub(super) async fn perform(self, work: impl Future<Output = Performed>) -> Performed {
        if self.key.is_empty() || self.key.len() > LONGEST {
            let message = format!("`idempotency_key` takes 1 to {LONGEST} bytes");
            return Err(Failure::invalid_arguments(message));
        }
        let name = name("once", self.tenant, &[self.tool.as_bytes(), self.key.as_bytes()]);
        if let Some(known) = self.begin(name).await? {
            return known;
        }
        let performed = work.await;
        let record = |outcome| Record {
            arguments: self.arguments.clone(),
            until: Utc::now(),
            outcome: Some(outcome),
        };
        let outcome = match &performed {
            Ok((Shaped { structured, text }, as_of)) => {
                let (structured, text, as_of) = (structured.clone(), text.clone(), *as_of);
                Outcome::Done { structured, text, as_of }
            }
            Err(failure) if failure.reach == Reach::Uncertain => Outcome::Unknown {
                code: failure.code.to_string(),
                message: failure.message.clone(),
                status: failure.status,
            },
            Err(_) => {
                // Nothing was changed, so nothing needs to be remembered; a key that stays merely says so until it expires.
                let _ = self.ledger.remove(&[name]).await;
                return performed;
            }
        };
        let text = serde_json::to_string(&record(outcome)).unwrap_or_default();
        if let Err(err) = self.ledger.put(name, &text, LIFE).await {
            // What was written down before stays: the key's next call hears that the outcome is unknown.
            tracing::warn!(error = %err, "the result of a change is not remembered");
        }
        performed
    }

    /// Writes the call down; of one that is there already, waits for the result.
    async fn begin(&self, name: Name) -> Result<Option<Performed>, Failure> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        let until = Utc::now() + TimeDelta::from_std(left).unwrap_or_default() + GRACE;
        let record = Record { arguments: self.arguments.clone(), until, outcome: None };
        let record = serde_json::to_string(&record).unwrap_or_default();
        loop {
            let held = timeout_at(self.deadline, self.ledger.put_new(name, &record, LIFE)).await;
            let Some(held) = held.map_err(|_| under_way())?? else { return Ok(None) };
            let held: Record = serde_json::from_str(&held)
                .map_err(|err| Failure::internal(format!("a record cannot be read: {err}")))?;
            if held.arguments != self.arguments {
                return Err(Failure::new(
                    "idempotency_conflict",
                    "this idempotency_key came with other arguments before",
                )
                .with_hint("Nothing was sent. Take another key for another change."));
            }
            match held.outcome {
                Some(outcome) => return Ok(Some(again(outcome))),
                None if held.until < Utc::now() => return Ok(Some(Err(vanished()))),
                None if Instant::now() >= self.deadline => return Err(under_way()),
                None => sleep(LOOK).await,
            }
        }
    }
}

fn again(outcome: Outcome) -> Performed {
    match outcome {
        Outcome::Done { structured, text, as_of } => Ok((Shaped { structured, text }, as_of)),
        Outcome::Unknown { code, message, status } => Err(Failure {
            status,
            reach: Reach::Uncertain,
            ..Failure::new(code, message).with_hint("This is what came of the first call with this key. Look the target up before you try again with another key.")
        }),
    }
}

/// The first call never said how it ended.
fn vanished() -> Failure {
    let failure = Failure::new(
        "outcome_unknown",
        "a call with this idempotency_key began and never ended; whether the change was made is unknown",
    );
    Failure { reach: Reach::Uncertain, ..failure }
        .with_hint("It was not tried a second time. Look the target up, then take another key.")
}

fn under_way() -> Failure {
    Failure::new("timeout", "the first call with this idempotency_key is still under way")
        .with_hint("Nothing was sent by this one. Call again with the same key.")
}
