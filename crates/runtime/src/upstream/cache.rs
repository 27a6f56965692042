//! Answers that are kept for a while, per tenant.
//!
//! A tenant's epoch ends with a change, and what was read in an earlier one is never found again, even when the answer comes after the change. It knows digests only, never keys.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::HeaderMap;
use moka::notification::RemovalCause;
use tokio::time::Instant;

use super::Answered;
use super::wire::Reply;
use crate::caller::Digest;

/// Most bytes of all kept answers.
const MOST_BYTES: usize = 24 * 1024 * 1024;

/// Most bytes of one tenant's answers: room for a fleet of some thousands, and far from all there is.
const SHARE: usize = MOST_BYTES / 8;

/// What keeping an answer costs besides its texts.
const OVERHEAD: usize = 512;

/// Tenants that are remembered before idle ones are looked for.
const REMEMBERED: usize = 1024;

/// What tells one read from another.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Read {
    pub(super) key: Digest,
    pub(super) epoch: u64,
    pub(super) operation: Box<str>,
    pub(super) url: Box<str>,
}

/// The kept answers.
#[derive(Debug)]
pub(super) struct Cache {
    ttl: Duration,
    // A flight outlives whoever began it, which moka's own coalescing does not offer; so it only keeps.
    kept: moka::sync::Cache<Arc<Read>, Arc<Kept>>,
    tenants: Mutex<Tenants>,
}

#[derive(Debug)]
struct Kept {
    reply: Arc<Reply>,
    at: DateTime<Utc>,
    until: Instant,
    bytes: usize,
    purse: Purse,
}

/// Bytes that a tenant's answers take.
type Purse = Arc<AtomicUsize>;

#[derive(Debug)]
struct Tenants {
    by_digest: HashMap<Digest, Epoch>,
    /// No epoch comes twice, so that a tenant may be forgotten.
    next: u64,
    sweep_at: usize,
}

/// What a tenant reads between two changes of its own.
#[derive(Debug, Clone)]
pub(super) struct Epoch {
    pub(super) number: u64,
    purse: Purse,
}

impl Cache {
    /// A cache that keeps answers so long.
    pub(super) fn new(ttl: Duration) -> Self {
        let weight =
            |_: &Arc<Read>, kept: &Arc<Kept>| u32::try_from(kept.bytes).unwrap_or(u32::MAX);
        let give_back = |_: Arc<Arc<Read>>, kept: Arc<Kept>, _: RemovalCause| {
            kept.purse.fetch_sub(kept.bytes, Ordering::Relaxed);
        };
        let kept = moka::sync::Cache::builder()
            .max_capacity(MOST_BYTES as u64)
            .weigher(weight)
            .time_to_live(ttl)
            .eviction_listener(give_back)
            .build();
        let tenants = Tenants { by_digest: HashMap::new(), next: 0, sweep_at: REMEMBERED };
        Self { ttl, kept, tenants: Mutex::new(tenants) }
    }

    /// The tenant's epoch.
    pub(super) fn epoch(&self, tenant: Digest) -> Epoch {
        self.tenants().epoch(tenant)
    }

    /// Finds an answer that is young enough.
    pub(super) fn find(&self, read: &Arc<Read>) -> Option<Answered> {
        let kept = self.kept.get(read).filter(|kept| Instant::now() < kept.until)?;
        Some(Answered { reply: kept.reply.clone(), at: kept.at, kept_as: Some(read.clone()) })
    }

    /// Keeps a good answer, if the tenant's share has room for it, and passes it on.
    pub(super) fn keep(&self, read: &Arc<Read>, epoch: &Epoch, answered: Answered) -> Answered {
        let Reply { status, body, .. } = answered.reply.as_ref();
        if *status != 200 || body.is_empty() {
            return answered;
        }
        let bytes = OVERHEAD + read.operation.len() + read.url.len() + body.len();
        let room = |taken: usize| Some(taken + bytes).filter(|taken| *taken <= SHARE);
        if epoch.purse.fetch_update(Ordering::Relaxed, Ordering::Relaxed, room).is_err() {
            return answered;
        }
        // The body may be a small part of the connection's buffer; a copy holds no more than it needs.
        let body = Bytes::copy_from_slice(body);
        let reply = Arc::new(Reply { status: 200, headers: HeaderMap::new(), body });
        let (at, until) = (answered.at, Instant::now() + self.ttl);
        let kept = Kept { reply, at, until, bytes, purse: epoch.purse.clone() };
        self.kept.insert(read.clone(), Arc::new(kept));
        Answered { kept_as: Some(read.clone()), ..answered }
    }

    /// Drops an answer that turned out to be of no use.
    pub(super) fn forget(&self, read: &Arc<Read>) {
        self.kept.invalidate(read);
    }

    /// Begins a new epoch of the tenant: what it read before is not found any more.
    pub(super) fn begin(&self, tenant: Digest) {
        self.tenants().begin(tenant);
    }

    /// Begins a new epoch of everybody.
    pub(super) fn begin_anew(&self) {
        // No epoch comes twice, so whoever is forgotten gets a new one.
        self.tenants().by_digest.clear();
        self.kept.invalidate_all();
    }

    /// The map is whole after every step, so a panic elsewhere cannot leave it broken.
    fn tenants(&self) -> MutexGuard<'_, Tenants> {
        self.tenants.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tenants {
    fn epoch(&mut self, tenant: Digest) -> Epoch {
        if let Some(epoch) = self.by_digest.get(&tenant) {
            return epoch.clone();
        }
        self.sweep();
        let epoch = Epoch { number: self.next, purse: Purse::default() };
        self.next += 1;
        self.by_digest.insert(tenant, epoch.clone());
        epoch
    }

    fn begin(&mut self, tenant: Digest) {
        // Of a tenant that is not known, nothing is kept.
        if let Some(epoch) = self.by_digest.get_mut(&tenant) {
            epoch.number = self.next;
            self.next += 1;
        }
    }

    fn sweep(&mut self) {
        if self.by_digest.len() >= self.sweep_at {
            // Every kept answer and every read under way holds the purse as well.
            self.by_digest.retain(|_, epoch| Arc::strong_count(&epoch.purse) > 1);
            self.sweep_at = REMEMBERED.max(self.by_digest.len() * 2);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Digest = [1; 32];
    const B: Digest = [2; 32];
    const TTL: Duration = Duration::from_mins(1);

    fn read(epoch: &Epoch, key: Digest, url: &str) -> Arc<Read> {
        Arc::new(Read { key, epoch: epoch.number, operation: "list".into(), url: url.into() })
    }

    /// Keeps an answer of so many bytes.
    fn keep(cache: &Cache, tenant: Digest, url: &str, status: u16, bytes: usize) {
        let epoch = cache.epoch(tenant);
        let reply = Reply { status, headers: HeaderMap::new(), body: vec![b'1'; bytes].into() };
        cache.keep(&read(&epoch, tenant, url), &epoch, Answered::now(reply));
    }

    fn has(cache: &Cache, tenant: Digest, url: &str) -> bool {
        cache.find(&read(&cache.epoch(tenant), tenant, url)).is_some()
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_is_kept_for_its_time_and_its_tenant() {
        let cache = Cache::new(TTL);
        keep(&cache, A, "/x", 200, 10);
        assert!(has(&cache, A, "/x") && !has(&cache, A, "/y") && !has(&cache, B, "/x"));
        tokio::time::advance(TTL).await;
        assert!(!has(&cache, A, "/x"));
    }

    #[tokio::test]
    async fn a_kept_answer_tells_when_the_platform_gave_it() {
        let cache = Cache::new(TTL);
        let epoch = cache.epoch(A);
        let reply = Reply { status: 200, headers: HeaderMap::new(), body: "1".into() };
        let at = Utc::now() - chrono::TimeDelta::seconds(42);
        let read = read(&epoch, A, "/x");
        cache.keep(&read, &epoch, Answered { at, ..Answered::now(reply) });
        assert_eq!(cache.find(&read).unwrap().at, at);
    }

    #[tokio::test]
    async fn only_a_200_with_a_body_is_kept() {
        let cache = Cache::new(TTL);
        for (status, bytes) in [(404, 10), (500, 10), (204, 0), (200, 0), (201, 10)] {
            keep(&cache, A, "/x", status, bytes);
            assert!(!has(&cache, A, "/x"), "{status}");
        }
    }

    #[tokio::test]
    async fn what_was_read_in_an_earlier_epoch_is_not_found_even_when_it_comes_later() {
        let cache = Cache::new(TTL);
        let before = cache.epoch(A);
        cache.begin(A);
        keep(&cache, A, "/y", 200, 10);
        keep(&cache, B, "/y", 200, 10);
        cache.begin(A);
        let reply = Reply { status: 200, headers: HeaderMap::new(), body: "1".into() };
        cache.keep(&read(&before, A, "/x"), &before, Answered::now(reply));
        assert!(!has(&cache, A, "/x") && !has(&cache, A, "/y") && has(&cache, B, "/y"));
    }

    #[tokio::test]
    async fn nothing_is_found_after_everybody_began_anew_and_new_answers_are() {
        let cache = Cache::new(TTL);
        let before = cache.epoch(A);
        keep(&cache, A, "/x", 200, 10);
        cache.begin_anew();
        let reply = Reply { status: 200, headers: HeaderMap::new(), body: "1".into() };
        cache.keep(&read(&before, A, "/x"), &before, Answered::now(reply));
        assert!(!has(&cache, A, "/x"));
        keep(&cache, A, "/x", 200, 10);
        assert!(has(&cache, A, "/x"));
    }

    #[tokio::test]
    async fn a_tenant_that_reads_much_takes_no_more_than_its_share() {
        let cache = Cache::new(TTL);
        keep(&cache, B, "/x", 200, 1000);
        for number in 0..1000 {
            keep(&cache, A, &format!("/{number}"), 200, 100 * 1024);
        }
        cache.kept.run_pending_tasks();
        assert!(cache.kept.weighted_size() <= (SHARE + 2000) as u64);
        assert!(has(&cache, A, "/0") && has(&cache, B, "/x"));
    }

    #[tokio::test]
    async fn what_is_dropped_gives_its_room_back() {
        let cache = Cache::new(TTL);
        for _ in 0..3 {
            keep(&cache, A, "/x", 200, SHARE - 2 * OVERHEAD);
            let epoch = cache.epoch(A);
            assert!(epoch.purse.load(Ordering::Relaxed) > SHARE / 2);
            cache.forget(&read(&epoch, A, "/x"));
            cache.kept.run_pending_tasks();
            assert_eq!(epoch.purse.load(Ordering::Relaxed), 0);
        }
    }

    #[tokio::test]
    async fn tenants_of_whom_nothing_is_kept_are_forgotten() {
        let cache = Cache::new(TTL);
        keep(&cache, A, "/x", 200, 10);
        for number in 0..10_000_u64 {
            let mut tenant = Digest::default();
            tenant[..8].copy_from_slice(&number.to_be_bytes());
            cache.epoch(tenant);
        }
        assert!(cache.tenants().by_digest.len() <= REMEMBERED + 1);
        assert!(has(&cache, A, "/x"));
    }
}
