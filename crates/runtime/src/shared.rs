//! One Redis that all replicas share: the way to it, and what replicas tell each other through it.
//!
//! It knows Redis, names and bytes. It knows no tools, no HTTP, and not what a name or a message is for.

mod address;
mod link;
mod news;
#[cfg(test)]
#[path = "../../../tests/support/redis.rs"]
pub(crate) mod server;
#[cfg(test)]
mod tests;

pub use self::address::{Address, AddressError};
pub use self::link::Gone;
pub use self::news::Heard;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};

use prometheus_client::metrics::counter::Counter;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};

use self::link::Connection;
use self::news::News;

/// The way to one Redis.
///
/// A task keeps one connection up. While there is none, whoever asks is told so at once: nobody waits for a Redis that was lost.
#[derive(Debug)]
pub struct Shared {
    address: Address,
    /// All names of ours in Redis begin with it.
    prefix: String,
    connection: watch::Sender<Option<Connection>>,
    made: Instant,
    /// Connections so far.
    count: AtomicU64,
    /// When the latest command was begun that Redis answered, in nanoseconds after `made`.
    confirmed: AtomicU64,
    /// Whether it was told that there is no connection.
    complained: AtomicBool,
    errors: Counter,
    news: News,
    stop: CancellationToken,
    /// Ends the task with the last owner.
    _end: DropGuard,
}

impl Shared {
    /// A way to Redis that nobody has gone yet; [`Shared::start`] begins it.
    pub fn new(address: Address, prefix: &str, errors: Counter) -> Arc<Self> {
        let stop = CancellationToken::new();
        Arc::new(Self {
            address,
            prefix: prefix.to_owned(),
            connection: watch::Sender::new(None),
            made: Instant::now(),
            count: AtomicU64::new(0),
            confirmed: AtomicU64::new(0),
            complained: AtomicBool::new(false),
            errors,
            news: News::default(),
            _end: stop.clone().drop_guard(),
            stop,
        })
    }

    /// What a thing of ours is called in Redis.
    pub(crate) fn name(&self, kind: &str, what: &str) -> String {
        format!("{}:{kind}:{what}", self.prefix)
    }
}
