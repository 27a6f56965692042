//! A load of many tenants on the built server, in front of a platform that fails in every way.
//!
//! What happens to a call is drawn from the seed, the tenant and the number of the call, so its outcome is known before it is made, however the calls of all tenants mix.
//! It knows the server as its clients do: by its command line, its addresses and its answers.

mod ask;
mod chance;
mod platform;
mod report;
mod script;
mod server;
mod tenant;

pub use platform::Platform;
pub use report::Tally;
pub use server::{Server, Usage, redis};
pub use tenant::{Amount, Storm};
