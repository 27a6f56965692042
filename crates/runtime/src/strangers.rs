//! Addresses whose requests are refused again and again: how much of that one address may cause.
//!
//! Only refusals count, so a good caller never meets a limit here, however much it asks.
//! It knows addresses and digests of keys; it knows neither headers nor keys.

use std::fmt;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use governor::clock::Clock;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};
use tokio::time::Instant;

use crate::caller::{Address, Caller, Digest};

/// Refusals of one address at once: a client's mistakes, or a script that tries every form of a key.
const BURST: NonZeroU32 = NonZeroU32::new(120).expect("a constant above zero");

/// Refusals of one address a second in the long run.
const PER_SECOND: NonZeroU32 = NonZeroU32::new(5).expect("a constant above zero");

/// Addresses that are remembered before idle ones are looked for.
const REMEMBERED: usize = 1024;

/// Most addresses that are remembered, at about 60 bytes each; all others then share one allowance.
const MOST_ADDRESSES: usize = 65_536;

/// Most keys that are remembered as good, and most addresses as held up.
const MOST_KEYS: u64 = 16_384;

/// How long a key is known to be good after its last call.
const KNOWN_FOR: Duration = Duration::from_hours(1);

/// Longest time for which an address is held up by one refusal.
const HELD_FOR: Duration = Duration::from_secs(1);

/// What one address may cause.
pub(crate) struct Strangers {
    /// Requests that the door refused.
    at_door: Allowance,
    /// Keys that the platform refused.
    by_platform: Allowance,
    /// Addresses that brought too many bad keys, and until when they are held up.
    held: moka::sync::Cache<Address, Instant>,
    /// Keys that the platform knows.
    known: moka::sync::Cache<Digest, ()>,
}

impl fmt::Debug for Strangers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Strangers").finish_non_exhaustive()
    }
}

impl Default for Strangers {
    fn default() -> Self {
        let cache = || moka::sync::Cache::builder().max_capacity(MOST_KEYS);
        Self {
            at_door: Allowance::default(),
            by_platform: Allowance::default(),
            held: cache().time_to_live(HELD_FOR).build(),
            known: moka::sync::Cache::builder()
                .max_capacity(MOST_KEYS)
                .time_to_idle(KNOWN_FOR)
                .build(),
        }
    }
}

impl Strangers {
    /// Counts a refusal at the door.
    ///
    /// # Errors
    /// The time to wait, where the address has used up its allowance.
    pub(crate) fn refused(&self, address: Address) -> Result<(), Duration> {
        self.at_door.take(address)
    }

    /// How long an address is held up because of bad keys; a key that is known to be good never is.
    pub(crate) fn holds_up(&self, address: Address, key: &Digest) -> Option<Duration> {
        let until = self.held.get(&address)?;
        let wait = until.checked_duration_since(Instant::now())?;
        if self.known.get(key).is_some() { None } else { Some(wait) }
    }

    /// Whether the platform knows a key.
    pub(crate) fn knows(&self, key: &Digest) -> bool {
        self.known.contains_key(key)
    }

    /// Where a caller is, if only the platform can tell that its key is a good one and has not yet.
    pub(crate) fn whereabouts(&self, caller: &Caller) -> Option<Address> {
        let key = caller.brought()?.digest();
        caller.address.filter(|_| !self.knows(&key))
    }

    /// Notes what the platform said to a key that a caller brought.
    pub(crate) fn answered(&self, address: Address, key: Digest, verdict: Verdict) {
        match verdict {
            Verdict::Known if self.known.get(&key).is_none() => self.known.insert(key, ()),
            Verdict::Known => {}
            Verdict::Unknown => {
                if let Err(wait) = self.by_platform.take(address) {
                    self.held.insert(address, Instant::now() + wait.min(HELD_FOR));
                }
            }
        }
    }
}

/// What the platform says about a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Known,
    Unknown,
}

/// An allowance of each address, as GCRA counts it.
struct Allowance {
    limiter: RateLimiter<Option<Address>, HashMapStateStore<Option<Address>>, TokioClock>,
    /// How many addresses there may be before the idle ones are shed.
    sweep_at: AtomicUsize,
}

impl Default for Allowance {
    fn default() -> Self {
        let quota = Quota::per_second(PER_SECOND).allow_burst(BURST);
        let limiter = RateLimiter::hashmap_with_clock(quota, TokioClock);
        Self { limiter, sweep_at: AtomicUsize::new(REMEMBERED) }
    }
}

impl Allowance {
    fn take(&self, address: Address) -> Result<(), Duration> {
        self.shed_idle();
        let crowded = self.limiter.len() >= MOST_ADDRESSES;
        let who = if crowded { None } else { Some(address) };
        self.limiter.check_key(&who).map_err(|refused| refused.wait_time_from(TokioClock.now()))
    }

    /// Forgets addresses whose allowance is whole again, each time their number has doubled.
    fn shed_idle(&self) {
        if self.limiter.len() < self.sweep_at.load(Ordering::Relaxed) {
            return;
        }
        self.limiter.retain_recent();
        let next = (self.limiter.len() * 2).clamp(REMEMBERED, MOST_ADDRESSES);
        self.sweep_at.store(next, Ordering::Relaxed);
    }
}

/// The runtime's clock, so that tests need not wait.
#[derive(Debug, Clone)]
struct TokioClock;

impl Clock for TokioClock {
    type Instant = std::time::Instant;

    fn now(&self) -> Self::Instant {
        Instant::now().into_std()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u32) -> Address {
        Address::of(std::net::IpAddr::V4(last.into()))
    }

    #[tokio::test(start_paused = true)]
    async fn an_address_uses_up_its_own_allowance_and_gets_it_back() {
        let strangers = Strangers::default();
        for _ in 0..BURST.get() {
            strangers.refused(address(1)).unwrap();
        }
        let wait = strangers.refused(address(1)).unwrap_err();
        assert!(wait <= Duration::from_millis(200), "{wait:?}");
        strangers.refused(address(2)).unwrap();
        tokio::time::advance(wait).await;
        strangers.refused(address(1)).unwrap();
        strangers.refused(address(1)).unwrap_err();
    }

    #[tokio::test(start_paused = true)]
    async fn bad_keys_hold_up_unknown_ones_of_their_address_and_never_a_good_one() {
        let strangers = Strangers::default();
        let (good, other) = ([1; 32], [2; 32]);
        strangers.answered(address(1), good, Verdict::Known);
        for guess in 0..=u8::try_from(BURST.get()).unwrap() {
            strangers.answered(address(1), [guess; 32], Verdict::Unknown);
        }
        assert!(strangers.holds_up(address(1), &other).is_some());
        assert_eq!(strangers.holds_up(address(1), &good), None);
        assert_eq!(strangers.holds_up(address(2), &other), None);
        tokio::time::advance(HELD_FOR).await;
        assert_eq!(strangers.holds_up(address(1), &other), None);
    }

    #[tokio::test(start_paused = true)]
    async fn idle_addresses_are_forgotten_and_their_number_has_an_end() {
        let allowance = Allowance::default();
        let many = u32::try_from(MOST_ADDRESSES).unwrap() + 500;
        for last in 0..many {
            let _ = allowance.take(address(last));
        }
        assert_eq!(allowance.limiter.len(), MOST_ADDRESSES + 1, "and one for all others");
        tokio::time::advance(Duration::from_mins(1)).await;
        allowance.take(address(0)).unwrap();
        assert_eq!(allowance.limiter.len(), 1);
    }
}
