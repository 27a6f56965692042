//! How many requests are under way at once: so many per key, so many in all.
//!
//! Every line is first come, first served, and a key has no more places in the common line than it may have requests under way, so a crowd of one tenant cannot hold up another. It knows digests only, never keys.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::caller::Digest;

/// Requests under way in all.
const MOST: usize = 100;

/// Keys that are remembered before idle ones are looked for.
const REMEMBERED: usize = 1024;

/// Lets requests through one by one.
#[derive(Debug)]
pub(super) struct Gate {
    per_key: usize,
    all: Arc<Semaphore>,
    keys: Mutex<Keys>,
}

#[derive(Debug)]
struct Keys {
    lines: HashMap<Digest, Arc<Semaphore>>,
    /// Number of keys at which idle ones are forgotten; it grows with those in use, so that the work is shared by many requests.
    sweep_at: usize,
}

/// The right to have one request under way, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Permit {
    _of_key: OwnedSemaphorePermit,
    _of_all: OwnedSemaphorePermit,
}

impl Gate {
    /// A gate for so many requests per key.
    pub(super) fn new(per_key: usize) -> Self {
        let keys = Keys { lines: HashMap::new(), sweep_at: REMEMBERED };
        Self {
            per_key: per_key.max(1),
            all: Arc::new(Semaphore::new(MOST)),
            keys: Mutex::new(keys),
        }
    }

    /// Waits for a turn.
    pub(super) async fn enter(&self, key: Digest) -> Permit {
        const OPEN: &str = "no semaphore is ever closed";
        let of_key = self.line(key).acquire_owned().await.expect(OPEN);
        let of_all = self.all.clone().acquire_owned().await.expect(OPEN);
        Permit { _of_key: of_key, _of_all: of_all }
    }

    fn line(&self, key: Digest) -> Arc<Semaphore> {
        // A map is whole after every step, so a panic elsewhere cannot leave it broken.
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        if keys.lines.len() >= keys.sweep_at {
            // Whoever waits or has a permit holds the line as well.
            keys.lines.retain(|_, line| Arc::strong_count(line) > 1);
            keys.sweep_at = REMEMBERED.max(keys.lines.len() * 2);
        }
        keys.lines.entry(key).or_insert_with(|| Arc::new(Semaphore::new(self.per_key))).clone()
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    fn digest(number: usize) -> Digest {
        let mut digest = Digest::default();
        digest[..8].copy_from_slice(&number.to_be_bytes());
        digest
    }

    #[tokio::test]
    async fn a_key_has_so_many_requests_under_way_and_another_key_its_own() {
        let gate = Gate::new(2);
        let first = gate.enter(digest(1)).await;
        let _second = gate.enter(digest(1)).await;
        assert!(gate.enter(digest(1)).now_or_never().is_none());
        assert!(gate.enter(digest(2)).now_or_never().is_some());
        drop(first);
        assert!(gate.enter(digest(1)).now_or_never().is_some());
    }

    #[tokio::test]
    async fn a_hundred_are_under_way_in_all_and_no_crowd_goes_before_a_latecomer() {
        let gate = Gate::new(8);
        let mut permits = Vec::new();
        for key in 0..MOST {
            permits.push(gate.enter(digest(key)).await);
        }
        // Fifty calls of one tenant, then one of another.
        let mut crowd: Vec<_> = (0..50).map(|_| Box::pin(gate.enter(digest(1000)))).collect();
        for waiting in &mut crowd {
            assert!(waiting.as_mut().now_or_never().is_none());
        }
        let mut latecomer = Box::pin(gate.enter(digest(1001)));
        assert!(latecomer.as_mut().now_or_never().is_none());
        // Eight of the crowd are in the common line before the latecomer, and no more.
        permits.truncate(MOST - 9);
        assert!(latecomer.as_mut().now_or_never().is_some());
    }

    #[tokio::test]
    async fn keys_without_requests_are_forgotten() {
        let gate = Gate::new(8);
        let kept = gate.enter(digest(0)).await;
        for key in 1..=10 * REMEMBERED {
            gate.enter(digest(key)).await;
        }
        let keys = gate.keys.lock().unwrap();
        assert!(keys.lines.len() <= REMEMBERED, "{}", keys.lines.len());
        assert!(keys.lines.contains_key(&digest(0)));
        drop(kept);
    }
}
