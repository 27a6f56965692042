//! The ledger of one process. It forgets nothing before its time, so it has an end: when it is full for a tenant, no more changes of this tenant are made that need it.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::{Lost, Name};
use crate::caller::Digest;

/// Most texts at a time; one is mostly a few hundred bytes.
const MOST: usize = 50_000;

/// Most bytes of all texts.
const MOST_BYTES: usize = 64 * 1024 * 1024;

#[derive(Debug, Default)]
pub(super) struct Memory(Mutex<Texts>);

#[derive(Debug, Default)]
struct Texts {
    by_name: HashMap<Name, (String, Instant)>,
    all: Size,
    by_tenant: HashMap<Digest, Size>,
}

/// How much there is.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Size {
    texts: usize,
    bytes: usize,
}

impl Size {
    fn add(&mut self, text: &str) {
        self.texts += 1;
        self.bytes += text.len();
    }

    fn take(&mut self, text: &str) {
        self.texts -= 1;
        self.bytes -= text.len();
    }
}

impl Memory {
    pub(super) fn put_new(
        &self,
        name: Name,
        text: &str,
        life: Duration,
    ) -> Result<Option<String>, Lost> {
        let mut texts = self.texts();
        if let Some(held) = texts.get(name) {
            return Ok(Some(held));
        }
        texts.put(name, text, life).map(|()| None)
    }

    pub(super) fn put(&self, name: Name, text: &str, life: Duration) -> Result<(), Lost> {
        self.texts().put(name, text, life)
    }

    pub(super) fn get(&self, name: Name) -> Option<String> {
        self.texts().get(name)
    }

    pub(super) fn remove(&self, names: &[Name]) {
        let mut texts = self.texts();
        for name in names {
            texts.remove(*name);
        }
    }

    fn texts(&self) -> MutexGuard<'_, Texts> {
        // No operation leaves a half-written entry behind.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Texts {
    fn get(&self, name: Name) -> Option<String> {
        let (text, until) = self.by_name.get(&name)?;
        (*until > Instant::now()).then(|| text.clone())
    }

    fn put(&mut self, name: Name, text: &str, life: Duration) -> Result<(), Lost> {
        let before = self.remove(name);
        if self.is_full(name.tenant, text) {
            self.sweep();
        }
        if self.is_full(name.tenant, text) {
            // What cannot be written over stays.
            if let Some((text, until)) = before {
                self.insert(name, text, until);
            }
            return Err(Lost);
        }
        self.insert(name, text.to_owned(), Instant::now() + life);
        Ok(())
    }

    fn insert(&mut self, name: Name, text: String, until: Instant) {
        self.all.add(&text);
        self.by_tenant.entry(name.tenant).or_default().add(&text);
        self.by_name.insert(name, (text, until));
    }

    /// Whether a text is too much: a tenant may have as much as it leaves free, so that none fills the ledger for the others.
    fn is_full(&self, tenant: Digest, text: &str) -> bool {
        let mut own = self.by_tenant.get(&tenant).copied().unwrap_or_default();
        let mut all = self.all;
        own.add(text);
        all.add(text);
        own.texts > MOST.saturating_sub(all.texts)
            || own.bytes > MOST_BYTES.saturating_sub(all.bytes)
    }

    fn sweep(&mut self) {
        let now = Instant::now();
        let over: Vec<Name> = self
            .by_name
            .iter()
            .filter(|(_, (_, until))| *until <= now)
            .map(|(name, _)| *name)
            .collect();
        for name in over {
            self.remove(name);
        }
    }

    fn remove(&mut self, name: Name) -> Option<(String, Instant)> {
        let (text, until) = self.by_name.remove(&name)?;
        self.all.take(&text);
        if let Some(own) = self.by_tenant.get_mut(&name.tenant) {
            own.take(&text);
            if own.texts == 0 {
                self.by_tenant.remove(&name.tenant);
            }
        }
        Some((text, until))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIFE: Duration = Duration::from_mins(1);

    /// What one tenant may have when nobody else has anything.
    const HALF: usize = MOST_BYTES / 2;

    fn of(tenant: u8, which: u8) -> Name {
        Name { tenant: [tenant; 32], digest: [which; 32] }
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_text_stays_until_its_time_is_over() {
        let memory = Memory::default();
        assert_eq!(memory.put_new(of(1, 1), "a", LIFE), Ok(None));
        assert_eq!(memory.put_new(of(1, 1), "b", LIFE), Ok(Some("a".to_owned())));
        tokio::time::advance(LIFE).await;
        assert_eq!(memory.get(of(1, 1)), None);
        assert_eq!(memory.put_new(of(1, 1), "b", LIFE), Ok(None));
    }

    #[tokio::test(start_paused = true)]
    async fn a_full_ledger_takes_no_more_and_forgets_nothing_before_its_time() {
        let memory = Memory::default();
        let large = "x".repeat(HALF);
        assert_eq!(memory.put(of(1, 1), &large, LIFE), Ok(()));
        assert_eq!(memory.put_new(of(1, 2), "b", LIFE), Err(Lost));
        assert_eq!(
            memory.put(of(1, 1), "small", LIFE),
            Ok(()),
            "what it takes the place of is gone"
        );
        assert_eq!(memory.put_new(of(1, 2), "b", LIFE), Ok(None));
        assert_eq!(memory.put(of(1, 3), &large[..HALF - 6], LIFE), Ok(()));
        assert_eq!(memory.put_new(of(1, 4), "c", LIFE), Err(Lost));
        tokio::time::advance(LIFE).await;
        assert_eq!(memory.put_new(of(1, 4), &large, LIFE), Ok(None), "what is over makes room");
    }

    #[tokio::test(start_paused = true)]
    async fn a_text_that_cannot_be_written_over_stays() {
        let memory = Memory::default();
        assert_eq!(memory.put(of(1, 1), "sending", LIFE), Ok(()));
        assert_eq!(memory.put(of(1, 1), &"x".repeat(HALF + 1), LIFE), Err(Lost));
        assert_eq!(memory.get(of(1, 1)).as_deref(), Some("sending"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_tenant_that_fills_its_part_leaves_room_for_the_next() {
        let memory = Memory::default();
        assert_eq!(memory.put(of(1, 1), &"x".repeat(HALF), LIFE), Ok(()));
        assert_eq!(memory.put(of(1, 2), "y", LIFE), Err(Lost));
        assert_eq!(memory.put(of(2, 3), &"x".repeat(HALF / 2), LIFE), Ok(()));
        assert_eq!(memory.put(of(2, 4), "y", LIFE), Err(Lost));
        assert_eq!(memory.put(of(3, 5), "y", LIFE), Ok(()));
    }
}
