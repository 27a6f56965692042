//! Equal reads at the same time are one request.
//!
//! A flight belongs to everybody who waits for it and to nobody else: it goes on while one of them waits, whoever began it, and is dropped with the last one.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use futures::FutureExt as _;
use futures::future::{BoxFuture, Shared, WeakShared};

use super::Outcome;
use super::cache::Read;

/// A request that several callers may wait for.
pub(super) type Flight = Shared<BoxFuture<'static, Outcome>>;

type UnderWay = HashMap<Arc<Read>, (u64, WeakShared<BoxFuture<'static, Outcome>>)>;

/// The flights under way.
#[derive(Debug, Default)]
pub(super) struct Flights {
    under_way: Arc<Mutex<UnderWay>>,
    count: AtomicU64,
}

/// How a caller came to a flight.
#[derive(Debug)]
pub(super) enum Boarded {
    /// Began it.
    Began(Flight),
    /// Found it under way.
    Joined(Flight),
}

impl Flights {
    /// Joins the flight of an equal read, or begins one.
    pub(super) fn board(
        &self,
        read: &Arc<Read>,
        begin: impl FnOnce() -> BoxFuture<'static, Outcome>,
    ) -> Boarded {
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(flight) = under_way.get(read).and_then(|(_, flight)| flight.upgrade()) {
            return Boarded::Joined(flight);
        }
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        let landing = Landing { under_way: self.under_way.clone(), read: read.clone(), number };
        let request = begin();
        let flight = async move {
            let _landing = landing;
            request.await
        };
        let flight = flight.boxed().shared();
        if let Some(weak) = flight.downgrade() {
            under_way.insert(read.clone(), (number, weak));
        }
        Boarded::Began(flight)
    }
}

/// Takes a flight off the list when it ends, or when nobody waits for it any more.
struct Landing {
    under_way: Arc<Mutex<UnderWay>>,
    read: Arc<Read>,
    number: u64,
}

impl Drop for Landing {
    fn drop(&mut self) {
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        // Another flight may have begun between the last one's leaving and this.
        if under_way.get(&self.read).is_some_and(|(number, _)| *number == self.number) {
            under_way.remove(&self.read);
        }
    }
}
