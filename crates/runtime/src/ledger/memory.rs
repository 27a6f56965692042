//! The ledger of one process. It forgets nothing before its time, so it has an end: when it is full, no more changes are made that need it.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::Lost;
use crate::caller::Digest;

/// Most texts at a time; one is mostly a few hundred bytes.
const MOST: usize = 50_000;

/// Most bytes of all texts.
const MOST_BYTES: usize = 64 * 1024 * 1024;

#[derive(Debug, Default)]
pub(super) struct Memory(Mutex<Texts>);

#[derive(Debug, Default)]
struct Texts {
    by_name: HashMap<Digest, (String, Instant)>,
    bytes: usize,
}

impl Memory {
    pub(super) fn put_new(
        &self,
        name: Digest,
        text: &str,
        life: Duration,
    ) -> Result<Option<String>, Lost> {
        let mut texts = self.texts();
        if let Some(held) = texts.get(name) {
            return Ok(Some(held));
        }
        texts.put(name, text, life).map(|()| None)
    }

    pub(super) fn put(&self, name: Digest, text: &str, life: Duration) -> Result<(), Lost> {
        self.texts().put(name, text, life)
    }

    pub(super) fn get(&self, name: Digest) -> Option<String> {
        self.texts().get(name)
    }

    pub(super) fn remove(&self, name: Digest) {
        self.texts().remove(name);
    }

    fn texts(&self) -> MutexGuard<'_, Texts> {
        // No operation leaves a half-written entry behind.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Texts {
    fn get(&self, name: Digest) -> Option<String> {
        let (text, until) = self.by_name.get(&name)?;
        (*until > Instant::now()).then(|| text.clone())
    }

    fn put(&mut self, name: Digest, text: &str, life: Duration) -> Result<(), Lost> {
        self.remove(name);
        if self.is_full(text) {
            let now = Instant::now();
            self.by_name.retain(|_, (_, until)| *until > now);
            self.bytes = self.by_name.values().map(|(text, _)| text.len()).sum();
        }
        if self.is_full(text) {
            return Err(Lost);
        }
        self.bytes += text.len();
        self.by_name.insert(name, (text.to_owned(), Instant::now() + life));
        Ok(())
    }

    fn is_full(&self, text: &str) -> bool {
        self.by_name.len() >= MOST || self.bytes + text.len() > MOST_BYTES
    }

    fn remove(&mut self, name: Digest) {
        if let Some((text, _)) = self.by_name.remove(&name) {
            self.bytes -= text.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIFE: Duration = Duration::from_secs(60);

    #[tokio::test(start_paused = true)]
    async fn the_first_text_stays_until_its_time_is_over() {
        let memory = Memory::default();
        assert_eq!(memory.put_new([1; 32], "a", LIFE), Ok(None));
        assert_eq!(memory.put_new([1; 32], "b", LIFE), Ok(Some("a".to_owned())));
        tokio::time::advance(LIFE).await;
        assert_eq!(memory.get([1; 32]), None);
        assert_eq!(memory.put_new([1; 32], "b", LIFE), Ok(None));
    }

    #[tokio::test(start_paused = true)]
    async fn a_full_ledger_takes_no_more_and_forgets_nothing_before_its_time() {
        let memory = Memory::default();
        let large = "x".repeat(MOST_BYTES);
        assert_eq!(memory.put([1; 32], &large, LIFE), Ok(()));
        assert_eq!(memory.put_new([2; 32], "b", LIFE), Err(Lost));
        assert_eq!(
            memory.put([1; 32], "small", LIFE),
            Ok(()),
            "what it takes the place of is gone"
        );
        assert_eq!(memory.put_new([2; 32], "b", LIFE), Ok(None));
        assert_eq!(memory.put([3; 32], &large[..MOST_BYTES - 6], LIFE), Ok(()));
        tokio::time::advance(LIFE).await;
        assert_eq!(memory.put_new([4; 32], &large, LIFE), Ok(None), "what is over makes room");
    }
}
