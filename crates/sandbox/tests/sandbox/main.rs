//! The sandbox from outside, through its router and without a network.

#![allow(clippy::unwrap_used, reason = "a test that finds nothing has failed")]

mod client;

mod admin;
mod answers;
mod clock;
mod faults;
mod fleet;
mod planted;
mod refusals;
mod worlds;
mod writes;
