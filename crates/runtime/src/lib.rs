//! The service behind a generated MCP server: transports, admission, decoding, dispatch, failures and shaping.
//!
//! This crate knows no platform: it is given a catalogue, an [`api::Api`] that performs operations by name, and settings as plain structs.
//! It reads no environment; of files it knows those of the ledger, where it is told to keep one.

pub mod api;
pub mod audit;
pub mod caller;
pub mod catalogue;
pub mod decode;
pub mod dispatch;
pub mod drift;
pub mod failure;
pub mod input;
mod json;
pub mod ledger;
pub mod limit;
pub mod metrics;
pub mod person;
mod progress;
pub mod remote;
pub mod request;
pub mod seal;
pub mod server;
pub mod service;
pub mod shape;
pub mod shared;
mod strangers;
pub mod text;
pub mod transport;
pub mod upstream;
