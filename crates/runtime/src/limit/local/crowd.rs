//! Keys that the platform has not confirmed, where there are too many of them: all keys of one address share one log.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use tokio::time::Instant;

use super::{WINDOW, wait};
use crate::caller::{Address, Digest};

/// Most addresses with a log of their own; all others share one.
const MOST_ADDRESSES: usize = 4096;

/// A call, and whose it was.
type Entry = (Instant, Digest);

/// When the calls of the last minute were, by address.
#[derive(Debug, Default)]
pub(super) struct Crowd {
    logs: HashMap<Option<Address>, VecDeque<Entry>>,
}

impl Crowd {
    /// Logs a call that was begun then, if its address has room for it now; or says how long to wait.
    pub(super) fn admit(
        &mut self,
        from: Address,
        who: Digest,
        (begun, now): (Instant, Instant),
        most: usize,
    ) -> Result<(), Duration> {
        let log = self.logs.entry(self.name(from)).or_default();
        if let Some(wait) = wait(log, |(at, _)| *at, now, most) {
            return Err(wait);
        }
        log.insert(log.partition_point(|(at, _)| *at <= begun), (begun, who));
        Ok(())
    }

    /// How long a call has to wait.
    pub(super) fn wait(&mut self, from: Address, now: Instant, most: usize) -> Option<Duration> {
        wait(self.logs.get_mut(&self.name(from))?, |(at, _)| *at, now, most)
    }

    /// Takes the calls of a key out, which the platform has confirmed meanwhile: they count in its own log.
    pub(super) fn release(&mut self, who: &Digest) -> VecDeque<Instant> {
        let mut released = Vec::new();
        self.logs.values_mut().for_each(|log| {
            released.extend(log.iter().filter(|(_, whose)| whose == who).map(|(at, _)| *at));
            log.retain(|(_, whose)| whose != who);
        });
        released.sort_unstable();
        released.into()
    }

    /// Drops the logs of addresses that made no call in the last minute.
    pub(super) fn sweep(&mut self, now: Instant) {
        let young = |(last, _): &Entry| now.saturating_duration_since(*last) < WINDOW;
        self.logs.retain(|_, log| log.back().is_some_and(young));
    }

    fn name(&self, from: Address) -> Option<Address> {
        let has_room = self.logs.contains_key(&Some(from)) || self.logs.len() < MOST_ADDRESSES;
        has_room.then_some(from)
    }
}
