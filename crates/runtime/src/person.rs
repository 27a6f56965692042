//! The person behind a caller: whether somebody can be asked, and what was replied. It knows neither what is asked for nor MCP.

use std::fmt;
use std::sync::Arc;

use futures::future::BoxFuture;

/// How the person behind a caller can be asked.
#[derive(Clone, Default)]
pub enum Person {
    /// Nobody can be asked.
    #[default]
    Nobody,
    /// The question is the call's answer; the call comes again, with the reply.
    Later(Option<Arc<Replied>>),
    /// The question is answered while the call waits.
    Now(Arc<dyn Ask>),
}

impl fmt::Debug for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nobody => "Nobody",
            Self::Later(None) => "Later",
            Self::Later(Some(_)) => "Later(replied)",
            Self::Now(_) => "Now",
        })
    }
}

impl Person {
    /// Whether a question would reach somebody.
    pub fn can_be_asked(&self) -> bool {
        !matches!(self, Self::Nobody)
    }

    /// What came back with this call.
    pub(crate) fn replied(&self) -> Option<&Replied> {
        match self {
            Self::Later(replied) => replied.as_deref(),
            Self::Nobody | Self::Now(_) => None,
        }
    }
}

/// Something that asks a person and waits.
pub trait Ask: Send + Sync {
    /// Asks, and waits for the reply as long as is sensible.
    fn ask<'a>(&'a self, words: &'a str) -> BoxFuture<'a, Reply>;
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replied {
    /// What was given out with the question.
    pub state: String,
    /// What the person said.
    pub reply: Reply,
}

/// What a person said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reply {
    /// Yes.
    Accepted,
    /// No.
    Declined,
    /// Nothing: the question was closed, or nobody was there.
    Cancelled,
}

/// A question that a call raises.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// What a person reads.
    pub words: String,
    /// What comes back with the reply, so that it holds for nothing else.
    pub state: String,
}
