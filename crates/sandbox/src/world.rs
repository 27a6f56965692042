//! The tenants and the vendor, each behind a lock of its own; knows no request.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::{fleet, nouns::partner::Partner, scenario::Kind, tenant::Tenant};

/// All state of a sandbox. Whoever takes several locks takes them in the order of the fields.
#[derive(Debug)]
pub(crate) struct World {
    tenants: [Mutex<Tenant>; 2],
    partner: Mutex<Partner>,
}

impl World {
    pub(crate) fn new(seed: u64, scenario: Kind) -> Self {
        let (first, second, partner) = fleet::build(seed, scenario);
        Self { tenants: [Mutex::new(first), Mutex::new(second)], partner: Mutex::new(partner) }
    }

    /// Lets happen what happens in all tenants until `now`.
    pub(crate) fn settle(&self, now: i64) {
        for mut tenant in self.tenants() {
            tenant.settle(now);
        }
    }

    /// Starts anew.
    pub(crate) fn reset(&self, seed: u64, scenario: Kind) {
        let [mut first, mut second] = self.tenants();
        let mut partner = self.partner();
        (*first, *second, *partner) = fleet::build(seed, scenario);
    }

    /// The tenant with this index; the keys name no other than these two.
    pub(crate) fn tenant(&self, index: usize) -> MutexGuard<'_, Tenant> {
        // A panic in another request leaves rows whole: each write is a single insertion.
        self.tenants[index % 2].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Both tenants, first to last.
    pub(crate) fn tenants(&self) -> [MutexGuard<'_, Tenant>; 2] {
        [self.tenant(0), self.tenant(1)]
    }

    pub(crate) fn partner(&self) -> MutexGuard<'_, Partner> {
        self.partner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
