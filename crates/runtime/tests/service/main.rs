//! The service as its callers meet it, in front of a platform that records what it is asked.

#![allow(clippy::unwrap_used, reason = "a test whose set-up fails has failed")]

mod answers;
mod cache;
mod cursors;
mod dialects;
mod door;
mod drift;
mod edge;
mod failures;
mod manners;
mod numbers;
mod operators;
mod pipes;
mod privacy;
mod protocol;
#[path = "../../../../tests/support/redis.rs"]
mod redis;
mod replicas;
mod rest;
mod sessions;
mod support;
mod walks;
