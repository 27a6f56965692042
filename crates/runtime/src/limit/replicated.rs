//! The same log in Redis, for all replicas: one script, so that no two calls are counted at once.

use std::sync::Arc;
use std::time::Duration;

use redis::Script;

use super::WINDOW;
use crate::caller::Digest;
use crate::shared::{Gone, Shared};
use crate::text::hex;

/// Takes a key's log, the limit, the window in microseconds, and in tests the time.
const SCRIPT: &str = include_str!("replicated.lua");

/// When the calls of the last minute were, by key, whatever replica they came to.
#[derive(Debug)]
pub(super) struct Replicated {
    most: usize,
    script: Script,
    shared: Arc<Shared>,
}

impl Replicated {
    pub(super) fn new(most: usize, shared: Arc<Shared>) -> Self {
        Self { most, script: Script::new(SCRIPT), shared }
    }

    /// Logs a call, or says how long to wait; Redis knows what time it is, unless a test does.
    ///
    /// # Errors
    /// When Redis does not answer; it may have logged the call.
    pub(super) async fn admit(
        &self,
        who: Digest,
        now: Option<Duration>,
    ) -> Result<Result<(), Duration>, Gone> {
        let window = u64::try_from(WINDOW.as_micros()).unwrap_or(u64::MAX);
        let mut call = self.script.key(self.name(who));
        call.arg(self.most).arg(window);
        if let Some(now) = now {
            call.arg(u64::try_from(now.as_micros()).unwrap_or(u64::MAX));
        }
        let call = &call;
        let wait: u64 =
            self.shared.run(|mut redis| async move { call.invoke_async(&mut redis).await }).await?;
        Ok(if wait == 0 { Ok(()) } else { Err(Duration::from_micros(wait)) })
    }

    /// A key's log is named by the key's digest, of which the key cannot be told.
    pub(super) fn name(&self, who: Digest) -> String {
        self.shared.name("limit", &hex(&who))
    }
}
