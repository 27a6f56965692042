//! Leaves the platform alone for a while when it cannot be reached, hangs, or its proxies give up on it.
//!
//! One tenant's failures say nothing about the platform for the others: where several tenants call, it opens for all only when at least two of them fail; where one calls alone, it opens for that one.
//! It knows digests and verdicts only, neither requests nor statuses.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::caller::Digest;

/// Failures in a period that open it, if they are at least as many as successes.
const FAILURES: u32 = 10;

/// Outcomes are counted for so long, then from zero.
const PERIOD: Duration = Duration::from_secs(30);

/// Tenants that are told apart in a period; a bound on memory, and enough to judge by.
const MOST_TENANTS: usize = 10_000;

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
    period: Period,
    open: Option<Open>,
}

/// What was counted since a moment.
#[derive(Debug)]
struct Period {
    since: Instant,
    all: Tally,
    tenants: HashMap<Digest, Tally>,
    /// Tenants that ail.
    ailing: usize,
}

#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    sound: u32,
    failing: u32,
}

#[derive(Debug)]
struct Open {
    until: Instant,
    scope: Scope,
    /// Whether a request on trial is under way.
    on_trial: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    /// Nobody passes.
    All,
    /// The tenant that failed on trial does not pass; others are let through on trial too.
    Tried(Digest),
    /// The one tenant that called does not pass; others do.
    One(Digest),
}

impl Breaker {
    pub(super) fn new() -> Self {
        Self(Mutex::new(State { period: Period::new(Instant::now()), open: None }))
    }

    /// Whether a tenant's request would be refused now, and for how long.
    pub(super) fn refuses(&self, tenant: Digest) -> Option<Duration> {
        self.state().verdict(tenant, Instant::now()).err()
    }

    /// Lets a request through, or says how long to wait.
    pub(super) fn admit(&self, tenant: Digest) -> Result<Pass<'_>, Duration> {
        let (mut state, begun) = (self.state(), Instant::now());
        let on_trial = state.verdict(tenant, begun)?;
        if let Some(open) = state.open.as_mut().filter(|_| on_trial) {
            open.on_trial = true;
        }
        Ok(Pass { breaker: self, tenant, begun, on_trial, settled: false })
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
    begun: Instant,
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
            (verdict, false) => self.breaker.state().count(self.tenant, verdict, self.begun),
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
            self.period = Period::new(now);
            return;
        }
        let scope = match self.open.as_ref().map(|open| open.scope) {
            Some(Scope::Tried(other)) if other != tenant => Scope::All,
            Some(Scope::One(_)) => Scope::One(tenant),
            _ => Scope::Tried(tenant),
        };
        self.open = Some(Open { until: now + COOLING, scope, on_trial: false });
    }

    fn count(&mut self, tenant: Digest, verdict: Verdict, begun: Instant) {
        let now = Instant::now();
        if now.duration_since(self.period.since) >= PERIOD {
            self.period = Period::new(now);
        }
        // What hangs ends last: the successes that belong to it were counted in the period before.
        if begun < self.period.since {
            return;
        }
        self.period.count(tenant, verdict);
        if verdict == Verdict::Sound {
            return;
        }
        let Some(scope) = self.period.judge(tenant) else { return };
        // A request from before may fail late; what it says is known already.
        let known = match self.open.as_ref().map(|open| open.scope) {
            None => false,
            Some(Scope::One(_)) => scope != Scope::All,
            Some(Scope::All | Scope::Tried(_)) => true,
        };
        if !known {
            self.open = Some(Open { until: now + COOLING, scope, on_trial: false });
        }
    }
}

impl Period {
    fn new(since: Instant) -> Self {
        Self { since, all: Tally::default(), tenants: HashMap::new(), ailing: 0 }
    }

    fn count(&mut self, tenant: Digest, verdict: Verdict) {
        self.all.add(verdict);
        if self.tenants.len() < MOST_TENANTS || self.tenants.contains_key(&tenant) {
            let tally = self.tenants.entry(tenant).or_default();
            let before = tally.ails();
            tally.add(verdict);
            match (before, tally.ails()) {
                (false, true) => self.ailing += 1,
                (true, false) => self.ailing -= 1,
                _ => {}
            }
        }
    }

    /// For whom the platform is failing. However much one tenant fails, it counts as one.
    fn judge(&self, tenant: Digest) -> Option<Scope> {
        if self.all.failing < FAILURES || !self.all.ails() {
            return None;
        }
        match (self.ailing, self.tenants.len()) {
            (1, 1) => Some(Scope::One(tenant)),
            (ailing @ 2.., tenants) if 2 * ailing >= tenants => Some(Scope::All),
            _ => None,
        }
    }
}

impl Tally {
    fn add(&mut self, verdict: Verdict) {
        match verdict {
            Verdict::Sound => self.sound += 1,
            Verdict::Failing => self.failing += 1,
            Verdict::Silent => {}
        }
    }

    /// Whether failures are at least as many as successes.
    fn ails(self) -> bool {
        self.failing > 0 && self.failing >= self.sound
    }
}

#[cfg(test)]
mod tests;
