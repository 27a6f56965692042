//! What can go wrong with a call, in the words a caller gets.
//!
//! Failures of the caller (arguments, keys, limits), of the way (network, time) and of the platform share one form, so that every face shows them alike.
//! The words of the platform are quoted, shortened, and never include markup; this module does no IO.

pub mod platform;

use std::borrow::Cow;
use std::time::Duration;

use serde::Serialize;

use crate::person::Question;

/// A call that did not succeed.
#[derive(Debug, Clone, PartialEq, Serialize, thiserror::Error)]
#[error("{code}: {message}")]
pub struct Failure {
    /// Stable code for programs.
    pub code: Cow<'static, str>,
    /// What happened.
    pub message: String,
    /// The next step, for a person or a model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The platform's HTTP status, where it answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// How long to wait before the next attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
    /// Identifies the call in the logs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<Box<str>>,
    /// What is missing to a change that needs a person.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub wanted: Option<Box<Wanted>>,
    /// How far the request came; what that means for a change is for dispatch to say.
    #[serde(skip)]
    pub reach: Reach,
}

/// What a change lacks that needs a person.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Wanted {
    /// Carries the change out when it is passed back with the same arguments.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan_token: Option<String>,
    /// What the person behind the caller is to be asked.
    #[serde(skip)]
    pub question: Option<Question>,
}

/// How far a request came before it failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reach {
    /// The platform never saw it.
    #[default]
    Unsent,
    /// The platform may have acted on it, or not.
    Uncertain,
    /// The platform refused it.
    Refused,
    /// The platform performed it; only its answer is of no use.
    Done,
}

impl Reach {
    /// What the status of an answer says about the request.
    pub fn of(status: u16) -> Self {
        match status {
            200..=299 => Self::Done,
            // A redirect often follows a change that was made; behind the others, a proxy gave up waiting, or the platform broke in the middle.
            300..=399 | 408 | 500..=599 => Self::Uncertain,
            _ => Self::Refused,
        }
    }
}

impl Failure {
    /// Makes a failure with a code and a message.
    pub fn new(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            message: message.into(),
            hint: None,
            status: None,
            retry_after_ms: None,
            request_id: None,
            wanted: None,
            reach: Reach::Unsent,
        }
    }

    /// Adds the next step; an empty one is left out.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into()).filter(|hint| !hint.is_empty());
        self
    }

    /// Arguments that cannot be sent.
    pub fn invalid_arguments(message: impl Into<String>) -> Self {
        Self::new("invalid_arguments", message)
            .with_hint("Nothing was sent. Correct the arguments.")
    }

    /// An operation that the API implementation does not know: a fault of the build, not of the caller.
    pub fn unknown_operation(operation: &str) -> Self {
        Self::internal(format!("operation `{operation}` has no implementation"))
    }

    /// A fault of the build, not of the caller.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new("internal", message).with_hint("Report this: the server was built wrongly.")
    }

    /// The platform could not be reached, or the connection broke.
    pub fn network(message: impl Into<String>) -> Self {
        Self::new("network_error", message)
            .with_hint("Try again; if it persists, check the network and the base URL.")
    }

    /// The platform did not answer in time.
    pub fn timeout() -> Self {
        Self::new("timeout", "the platform did not answer in time")
            .with_hint("Try again, or ask for less at once.")
    }

    /// The deadline came while the call waited for its turn: nothing was sent.
    pub fn waited_in_vain() -> Self {
        Self::new("timeout", "nothing was sent: too many requests of this key are under way")
            .with_hint("Try again with fewer calls at once.")
    }

    /// The platform is left alone for a while, because it failed too often.
    pub fn circuit_open(wait: Duration) -> Self {
        let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).max(1);
        let failure = Self::new(
            "circuit_open",
            "nothing was sent: the platform could not be reached or failed too often of late",
        )
        .with_hint(format!("Wait {} seconds, then try again.", wait_ms.div_ceil(1000)));
        Self { retry_after_ms: Some(wait_ms), ..failure }
    }

    /// The platform answered with something that cannot be read.
    pub fn upstream_contract(message: impl Into<String>) -> Self {
        Self::new("upstream_contract", message)
            .with_hint("Try again; if it persists, something between this server and the platform answers in its place.")
    }
}
