//! How often a key may call: an exact sliding log over the last minute.
//!
//! It knows digests only, never keys, and neither HTTP nor MCP.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::caller::Digest;

/// The span in which calls are counted.
const WINDOW: Duration = Duration::from_mins(1);

/// Exactly so many calls pass in any 60 seconds, per key.
#[derive(Debug)]
pub struct Limit {
    most: usize,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    logs: HashMap<Digest, VecDeque<Instant>>,
    swept: Instant,
}

impl Limit {
    /// A limit of so many calls a minute; 0 switches it off.
    pub fn new(most: u32) -> Self {
        let state = State { logs: HashMap::new(), swept: Instant::now() };
        Self { most: most as usize, state: Mutex::new(state) }
    }

    /// Counts a call, or says how long to wait until one would pass.
    pub fn admit(&self, who: Digest) -> Result<(), Duration> {
        if self.most == 0 {
            return Ok(());
        }
        let now = Instant::now();
        // A log is whole after every step, so a panic elsewhere cannot leave it broken.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if now.duration_since(state.swept) >= WINDOW {
            state
                .logs
                .retain(|_, log| log.back().is_some_and(|last| now.duration_since(*last) < WINDOW));
            state.swept = now;
        }
        let log = state.logs.entry(who).or_default();
        while log.front().is_some_and(|first| now.duration_since(*first) >= WINDOW) {
            log.pop_front();
        }
        match log.front() {
            Some(first) if log.len() >= self.most => {
                Err(WINDOW.saturating_sub(now.duration_since(*first)))
            }
            _ => {
                log.push_back(now);
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn exactly_the_allowed_number_passes_in_any_window() {
        let limit = Limit::new(3);
        for _ in 0..3 {
            limit.admit([1; 32]).unwrap();
            tokio::time::advance(Duration::from_secs(10)).await;
        }
        // At 30 s the first call is 30 s old.
        assert_eq!(limit.admit([1; 32]), Err(Duration::from_secs(30)));
        tokio::time::advance(Duration::from_millis(29_999)).await;
        assert_eq!(limit.admit([1; 32]), Err(Duration::from_millis(1)));
        tokio::time::advance(Duration::from_millis(1)).await;
        limit.admit([1; 32]).unwrap();
        assert_eq!(limit.admit([1; 32]), Err(Duration::from_secs(10)));
    }

    #[tokio::test(start_paused = true)]
    async fn keys_do_not_share_a_limit_and_zero_switches_it_off() {
        let limit = Limit::new(1);
        limit.admit([1; 32]).unwrap();
        limit.admit([2; 32]).unwrap();
        assert!(limit.admit([1; 32]).is_err());
        let off = Limit::new(0);
        assert!((0..1000).all(|_| off.admit([1; 32]).is_ok()));
    }

    #[tokio::test(start_paused = true)]
    async fn logs_of_keys_that_went_away_are_dropped() {
        let limit = Limit::new(5);
        for who in 0..100 {
            limit.admit([who; 32]).unwrap();
        }
        tokio::time::advance(WINDOW).await;
        limit.admit([0; 32]).unwrap();
        assert_eq!(limit.state.lock().unwrap().logs.len(), 1);
    }
}
