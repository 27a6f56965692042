//! The ways in: bytes and headers become a caller and a message. It knows no tools, no limits and no platform.

pub mod http;
pub mod stdio;
