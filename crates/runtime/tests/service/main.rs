//! The service as its callers meet it, in front of a platform that records what it is asked.

#![allow(clippy::unwrap_used, reason = "a test whose set-up fails has failed")]

mod answers;
mod door;
mod failures;
mod numbers;
mod pipes;
mod privacy;
mod protocol;
mod sessions;
mod support;
mod walks;
