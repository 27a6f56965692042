//! A change of a tenant: when it begins and when it ends, no replica goes on using what that tenant read before.
//!
//! It knows digests; what was changed is nothing to it.

use std::sync::Arc;

use super::cache::Cache;
use crate::caller::Digest;
use crate::shared::{Heard, Shared};

/// Under which replicas name the tenant of whom something changes.
const TOPIC: &str = "changed";

/// Forgets what other replicas change.
pub(super) fn listen(shared: &Shared, cache: Arc<Cache>) {
    shared.listen(TOPIC, move |heard| match heard {
        Heard::Message(tenant) => match Digest::try_from(*tenant) {
            Ok(tenant) => cache.begin(tenant),
            // Not of this version; to forget too much is no fault.
            Err(_) => cache.begin_anew(),
        },
        Heard::Missed => cache.begin_anew(),
    });
}

/// A change under way.
#[derive(Debug)]
pub(super) struct Change<'a> {
    cache: Option<&'a Cache>,
    shared: Option<&'a Shared>,
    tenant: Digest,
    ended: bool,
}

impl<'a> Change<'a> {
    /// Tells everybody that a change begins. Whoever cannot be told is told later; the change does not wait for it.
    pub(super) async fn begin(
        cache: Option<&'a Cache>,
        shared: Option<&'a Shared>,
        tenant: Digest,
    ) -> Self {
        let change = Self { cache, shared, tenant, ended: false };
        change.tell().await;
        change
    }

    /// Tells everybody that it is over, whatever came of it.
    pub(super) async fn end(mut self) {
        self.tell().await;
        self.ended = true;
    }

    async fn tell(&self) {
        self.forget();
        if let Some(shared) = self.shared {
            // What could not be said now is said when Redis is there again.
            let _ = shared.tell(TOPIC, &self.tenant).await;
        }
    }

    fn forget(&self) {
        if let Some(cache) = self.cache {
            cache.begin(self.tenant);
        }
    }
}

impl Drop for Change<'_> {
    /// Whoever asked for the change went away, and it may have been made.
    fn drop(&mut self) {
        if !self.ended {
            self.forget();
            if let Some(shared) = self.shared {
                shared.tell_soon(TOPIC, &self.tenant);
            }
        }
    }
}
