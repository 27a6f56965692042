//! The log in this process: it is given the time, and knows of no other replica.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::WINDOW;
use crate::caller::Digest;

/// When the calls of the last minute were, by key.
#[derive(Debug)]
pub(super) struct Local {
    most: usize,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    logs: HashMap<Digest, VecDeque<Instant>>,
    swept: Instant,
}

impl Local {
    pub(super) fn new(most: usize) -> Self {
        let state = State { logs: HashMap::new(), swept: Instant::now() };
        Self { most, state: Mutex::new(state) }
    }

    /// Logs a call that was begun then, if there is room for it now; or says how long to wait.
    pub(super) fn admit(&self, who: Digest, begun: Instant, now: Instant) -> Result<(), Duration> {
        // A log is whole after every step, so a panic elsewhere cannot leave it broken.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if now.saturating_duration_since(state.swept) >= WINDOW {
            let young = |last: &Instant| now.saturating_duration_since(*last) < WINDOW;
            state.logs.retain(|_, log| log.back().is_some_and(young));
            state.swept = now;
        }
        let log = state.logs.entry(who).or_default();
        while log.front().is_some_and(|first| now.saturating_duration_since(*first) >= WINDOW) {
            log.pop_front();
        }
        match log.front() {
            Some(first) if log.len() >= self.most => {
                Err(WINDOW.saturating_sub(now.saturating_duration_since(*first)))
            }
            _ => {
                // Calls that began together end in any order.
                let at = log.partition_point(|earlier| *earlier <= begun);
                log.insert(at, begun);
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logs_of_keys_that_went_away_are_dropped() {
        let (local, start) = (Local::new(5), Instant::now());
        for who in 0..100 {
            local.admit([who; 32], start, start).unwrap();
        }
        let later = start + WINDOW;
        local.admit([0; 32], later, later).unwrap();
        assert_eq!(local.state.lock().unwrap().logs.len(), 1);
    }

    #[test]
    fn a_call_that_began_earlier_leaves_the_log_earlier() {
        let (local, start) = (Local::new(2), Instant::now());
        let second = Duration::from_secs(1);
        local.admit([1; 32], start + second, start + second).unwrap();
        local.admit([1; 32], start, start + second).unwrap();
        let now = start + WINDOW;
        local.admit([1; 32], now, now).unwrap();
        assert_eq!(local.admit([1; 32], now, now), Err(second));
    }
}
