//! The built program in front of an upstream that keeps state: every tool, over the protocol.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod client;
mod tools;
mod upstream;
