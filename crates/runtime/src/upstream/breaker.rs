//! Leaves the platform alone for a while when it cannot be reached, hangs, or its proxies give up on it.
//!
//! One tenant's failures say nothing about the platform for the others: where several tenants call, it opens for all only when at least two of them fail; where one calls alone, it opens for that one.
//! It knows digests and verdicts only, neither requests nor statuses.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::caller::Digest;

/// Failures in the window that open it, if they are at least as many as successes.
const FAILURES: u32 = 10;

/// Outcomes count for one to two of these.
const PERIOD: Duration = Duration::from_secs(30);

/// How long it stays open before a request is let through on trial.
const COOLING: Duration = Duration::from_secs(10);

/// When to come back while another request is on trial.
const TRIAL: Duration = Duration::from_secs(1);

/// What an outcome says about the platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It answered.
    Sound,
    /// It did not answer, or somebody answered in its place.
    Failing,
    /// Nothing.
    Silent,
}

/// The breaker of one host.
#[derive(Debug)]
pub(super) struct Breaker(Mutex<State>);

#[derive(Debug)]
struct State {
    current: Window,
    previous: Window,
    open: Option<Open>,
}

/// Outcomes of one period.
#[derive(Debug, Clone)]
struct Window {
    since: Instant,
    sound: u32,
    failing: u32,
    /// Tenants with outcomes, and with failures; which ones matters only up to the second.
    seen: Few,
    failed: Few,
}

/// At most two different tenants.
#[derive(Debug, Clone, Copy, Default)]
struct Few(Option<Digest>, Option<Digest>);

#[derive(Debug)]
struct Open {
    until: Instant,
    scope: Scope,
    /// Whether a request on trial is under way.
    on_trial: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    /// Closed to everybody.
    All,
    /// Closed to the one tenant that failed on trial; others are let through on trial too.
    Tried(Digest),
    /// Closed to the one tenant that called; others pass.
    One(Digest),
}

impl Breaker {
    pub(super) fn new() -> Self {
        let window = Window::new(Instant::now());
        Self(Mutex::new(State { current: window.clone(), previous: window, open: None }))
    }

    /// Whether a tenant's request would be refused now, and for how long.
    pub(super) fn refuses(&self, tenant: Digest) -> Option<Duration> {
        self.state().verdict(tenant, Instant::now()).err()
    }

    /// Lets a request through, or says how long to wait.
    pub(super) fn admit(&self, tenant: Digest) -> Result<Pass<'_>, Duration> {
        let mut state = self.state();
        let on_trial = state.verdict(tenant, Instant::now())?;
        if let Some(open) = state.open.as_mut().filter(|_| on_trial) {
            open.on_trial = true;
        }
        Ok(Pass { breaker: self, tenant, on_trial, settled: false })
    }

    /// The state is whole after every step, so a panic elsewhere cannot leave it broken.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request that was let through; without a verdict, it says nothing.
#[derive(Debug)]
pub(super) struct Pass<'a> {
    breaker: &'a Breaker,
    tenant: Digest,
    on_trial: bool,
    settled: bool,
}

impl Pass<'_> {
    /// Tells what came of the request.
    pub(super) fn settle(mut self, verdict: Verdict) {
        self.settled = verdict != Verdict::Silent;
        match (verdict, self.on_trial) {
            (Verdict::Silent, _) => {}
            (verdict, true) => self.breaker.state().tried(self.tenant, verdict, Instant::now()),
            (verdict, false) => self.breaker.state().count(self.tenant, verdict, Instant::now()),
        }
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        if self.on_trial && !self.settled {
            // The caller left before there was an outcome: the next one is on trial.
            if let Some(open) = &mut self.breaker.state().open {
                open.on_trial = false;
            }
        }
    }
}

impl State {
    /// Whether a request is let through on trial, or how long to wait.
    fn verdict(&self, tenant: Digest, now: Instant) -> Result<bool, Duration> {
        let Some(open) = &self.open else { return Ok(false) };
        let cooling = match open.scope {
            Scope::One(other) if other != tenant => return Ok(false),
            Scope::Tried(other) => other == tenant,
            Scope::All | Scope::One(_) => true,
        };
        let wait = open.until.saturating_duration_since(now);
        match (cooling && !wait.is_zero(), open.on_trial) {
            (true, _) => Err(wait),
            (false, true) => Err(TRIAL),
            (false, false) => Ok(true),
        }
    }

    fn tried(&mut self, tenant: Digest, verdict: Verdict, now: Instant) {
        if verdict == Verdict::Sound {
            self.open = None;
            self.current = Window::new(now);
            self.previous = self.current.clone();
            return;
        }
        let scope = match self.open.as_ref().map(|open| open.scope) {
            Some(Scope::Tried(other)) if other != tenant => Scope::All,
            Some(Scope::One(_)) => Scope::One(tenant),
            _ => Scope::Tried(tenant),
        };
        self.open = Some(Open { until: now + COOLING, scope, on_trial: false });
    }

    fn count(&mut self, tenant: Digest, verdict: Verdict, now: Instant) {
        self.turn(now);
        let window = &mut self.current;
        window.seen.add(tenant);
        if verdict == Verdict::Sound {
            window.sound += 1;
            return;
        }
        window.failing += 1;
        window.failed.add(tenant);
        let failing = self.previous.failing + self.current.failing;
        let sound = self.previous.sound + self.current.sound;
        if failing < FAILURES || failing < sound {
            return;
        }
        let failed = self.previous.failed.and(self.current.failed);
        let seen = self.previous.seen.and(self.current.seen);
        let scope = match (failed.are_two(), seen.are_two()) {
            (true, _) => Scope::All,
            (false, false) => Scope::One(tenant),
            (false, true) => return,
        };
        // A request from before may fail late; what it says is known already.
        if self
            .open
            .as_ref()
            .is_none_or(|open| scope == Scope::All && matches!(open.scope, Scope::One(_)))
        {
            self.open = Some(Open { until: now + COOLING, scope, on_trial: false });
        }
    }

    /// Begins a period when the last one is over.
    fn turn(&mut self, now: Instant) {
        let age = now.duration_since(self.current.since);
        if age >= 2 * PERIOD {
            self.previous = Window::new(now);
            self.current = self.previous.clone();
        } else if age >= PERIOD {
            self.previous = std::mem::replace(&mut self.current, Window::new(now));
        }
    }
}

impl Window {
    fn new(since: Instant) -> Self {
        Self { since, sound: 0, failing: 0, seen: Few::default(), failed: Few::default() }
    }
}

impl Few {
    fn add(&mut self, tenant: Digest) {
        match self {
            Self(first @ None, _) => *first = Some(tenant),
            Self(Some(first), second @ None) if *first != tenant => *second = Some(tenant),
            _ => {}
        }
    }

    fn and(mut self, others: Self) -> Self {
        [others.0, others.1].into_iter().flatten().for_each(|tenant| self.add(tenant));
        self
    }

    fn are_two(self) -> bool {
        self.1.is_some()
    }
}

#[cfg(test)]
mod tests;
