//! The log in this process: it is given the time, and knows of no other replica.

mod crowd;

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use self::crowd::Crowd;
use super::WINDOW;
use crate::caller::{Address, Digest};

/// Most keys with a log of their own, at about 150 bytes and 16 more for each call; beyond them, only keys that the platform knows get one.
const MOST_LOGS: usize = 16_384;

/// When the calls of the last minute were, by key.
#[derive(Debug)]
pub(super) struct Local {
    most: usize,
    most_logs: usize,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    logs: HashMap<Digest, VecDeque<Instant>>,
    crowd: Crowd,
    swept: Instant,
}

impl Local {
    pub(super) fn new(most: usize) -> Self {
        Self::bounded(most, MOST_LOGS)
    }

    fn bounded(most: usize, most_logs: usize) -> Self {
        let (logs, crowd) = (HashMap::new(), Crowd::default());
        let state = State { logs, crowd, swept: Instant::now() };
        Self { most, most_logs, state: Mutex::new(state) }
    }

    /// Logs a call that was begun then, if there is room for it now; or says how long to wait.
    ///
    /// Whereabouts are asked for only where there are too many logs: of a key that only the platform can tell to be a good one, and has not.
    pub(super) fn admit(
        &self,
        who: Digest,
        (begun, now): (Instant, Instant),
        whereabouts: impl FnOnce() -> Option<Address>,
    ) -> Result<(), Duration> {
        let mut state = self.state();
        state.sweep(now);
        if let Some(from) = self.stranger(&state, &who, whereabouts) {
            return state.crowd.admit(from, who, (begun, now), self.most);
        }
        let State { logs, crowd, .. } = &mut *state;
        let log = logs.entry(who).or_insert_with(|| crowd.release(&who));
        if let Some(wait) = wait(log, |at| *at, now, self.most) {
            return Err(wait);
        }
        // Calls that began together end in any order.
        let at = log.partition_point(|earlier| *earlier <= begun);
        log.insert(at, begun);
        Ok(())
    }

    /// How long a call of an unknown key has to wait because its address has made too many; it is not logged.
    pub(super) fn holds_up(
        &self,
        who: Digest,
        now: Instant,
        whereabouts: impl FnOnce() -> Option<Address>,
    ) -> Option<Duration> {
        let mut state = self.state();
        state.sweep(now);
        let from = self.stranger(&state, &who, whereabouts)?;
        state.crowd.wait(from, now, self.most)
    }

    /// Where a key is from that gets no log of its own.
    fn stranger(
        &self,
        state: &State,
        who: &Digest,
        whereabouts: impl FnOnce() -> Option<Address>,
    ) -> Option<Address> {
        let crowded = state.logs.len() >= self.most_logs && !state.logs.contains_key(who);
        crowded.then(whereabouts).flatten()
    }

    /// A log is whole after every step, so a panic elsewhere cannot leave it broken.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Drops, once a minute, the logs of all keys that made no call since.
    fn sweep(&mut self, now: Instant) {
        if now.saturating_duration_since(self.swept) >= WINDOW {
            let young = |last: &Instant| now.saturating_duration_since(*last) < WINDOW;
            self.logs.retain(|_, log| log.back().is_some_and(young));
            self.crowd.sweep(now);
            self.swept = now;
        }
    }
}

/// Drops what is too old from a log, and says how long to wait where it has no room for a call.
fn wait<T>(
    log: &mut VecDeque<T>,
    at: impl Fn(&T) -> Instant,
    now: Instant,
    most: usize,
) -> Option<Duration> {
    while log.front().is_some_and(|first| now.saturating_duration_since(at(first)) >= WINDOW) {
        log.pop_front();
    }
    let first = log.front().filter(|_| log.len() >= most)?;
    Some(WINDOW.saturating_sub(now.saturating_duration_since(at(first))))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn at(address: u32) -> Address {
        Address::of(std::net::IpAddr::V4(address.into()))
    }

    fn number_of_logs(local: &Local) -> usize {
        local.state().logs.len()
    }

    fn made_up(number: u64) -> Digest {
        let mut digest = [7; 32];
        digest[..8].copy_from_slice(&number.to_be_bytes());
        digest
    }

    #[test]
    fn logs_of_keys_that_went_away_are_dropped() {
        let (local, start) = (Local::new(5), Instant::now());
        for who in 0..100 {
            local.admit([who; 32], (start, start), || None).unwrap();
        }
        let later = start + WINDOW;
        local.admit([0; 32], (later, later), || None).unwrap();
        assert_eq!(number_of_logs(&local), 1);
    }

    #[test]
    fn a_call_that_began_earlier_leaves_the_log_earlier() {
        let (local, start) = (Local::new(2), Instant::now());
        local.admit([1; 32], (start + SECOND, start + SECOND), || None).unwrap();
        local.admit([1; 32], (start, start + SECOND), || None).unwrap();
        let now = (start + WINDOW, start + WINDOW);
        local.admit([1; 32], now, || None).unwrap();
        assert_eq!(local.admit([1; 32], now, || None), Err(SECOND));
    }

    #[test]
    fn made_up_keys_take_a_bounded_number_of_logs_and_then_share_one_per_address() {
        let (local, start) = (Local::bounded(60, 10), Instant::now());
        let now = (start, start);
        let calls = (0..1000).map(|number| local.admit(made_up(number), now, || Some(at(1))));
        assert_eq!(calls.flatten().count(), 10 + 60);
        assert_eq!(local.holds_up(made_up(2000), start, || Some(at(1))), Some(WINDOW));
        assert_eq!(local.holds_up(made_up(2000), start, || Some(at(2))), None);
        local.admit(made_up(2000), now, || Some(at(2))).unwrap();
        assert_eq!(number_of_logs(&local), 10);
        local.admit([1; 32], now, || None).unwrap();
        assert_eq!(number_of_logs(&local), 11, "a key that the platform knows");
    }

    #[test]
    fn a_key_that_is_confirmed_in_a_crowd_has_no_call_more_for_it() {
        let (local, start) = (Local::bounded(5, 0), Instant::now());
        for (address, second) in [(1, 0), (2, 1), (1, 2)] {
            let then = start + second * SECOND;
            local.admit([1; 32], (then, then), || Some(at(address))).unwrap();
        }
        let now = (start + 3 * SECOND, start + 3 * SECOND);
        for _ in 0..2 {
            local.admit([1; 32], now, || None).unwrap();
        }
        assert_eq!(local.admit([1; 32], now, || None), Err(57 * SECOND));
        let later = (start + WINDOW, start + WINDOW);
        local.admit([1; 32], later, || None).unwrap();
        assert_eq!(local.admit([1; 32], later, || None), Err(SECOND));
    }

    #[test]
    fn addresses_without_number_share_one_log_in_the_end() {
        let (local, start) = (Local::bounded(1, 0), Instant::now());
        let calls = (0..10_000).map(|number| {
            let address = at(u32::try_from(number).unwrap());
            local.admit(made_up(number), (start, start), || Some(address)).is_ok()
        });
        assert_eq!(calls.filter(|passed| *passed).count(), 4096 + 1);
    }
}
