//! How often a key may call: exactly so many times in any 60 seconds, counted in this process or by all replicas together.
//!
//! It knows digests only, never keys, and neither HTTP nor MCP.

mod local;
mod replicated;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use tokio::time::Instant;

use self::local::Local;
use self::replicated::Replicated;
use crate::caller::{Address, Digest};
use crate::shared::Shared;

/// The span in which calls are counted.
const WINDOW: Duration = Duration::from_mins(1);

/// Exactly so many calls pass in any 60 seconds, per key.
#[derive(Debug)]
pub struct Limit {
    most: usize,
    local: Local,
    replicated: Option<Replicated>,
    /// Calls that were counted in this process only.
    fallbacks: Counter,
}

impl Limit {
    /// A limit of so many calls a minute, for all replicas together where they share something; 0 switches it off.
    pub fn new(most: u32, shared: Option<Arc<Shared>>, fallbacks: Counter) -> Self {
        let most = most as usize;
        let replicated = shared.map(|shared| Replicated::new(most, shared));
        Self { most, local: Local::new(most), replicated, fallbacks }
    }

    /// Counts a call, or says how long to wait until one would pass.
    ///
    /// Where there are too many keys, it asks for the whereabouts of one that only the platform can tell to be good, and has not: all of an address then count together, or whoever makes up keys would fill the memory with their logs.
    pub async fn admit(
        &self,
        who: Digest,
        whereabouts: impl Fn() -> Option<Address>,
    ) -> Result<(), Duration> {
        if self.most == 0 {
            return Ok(());
        }
        let begun = Instant::now();
        if let Some(replicated) = &self.replicated {
            // The memory of Redis has an end as well.
            if let Some(wait) = self.local.holds_up(who, begun, &whereabouts) {
                return Err(wait);
            }
            match replicated.admit(who, None).await {
                Ok(verdict) => verdict?,
                Err(_gone) => {
                    self.fallbacks.inc();
                }
            }
        }
        // What Redis let pass counts here too: so a replica keeps to the limit by itself whenever Redis goes, comes or forgets.
        // It was begun before Redis looked and is judged after, so what is exact there is never refused here.
        self.local.admit(who, (begun, Instant::now()), whereabouts)
    }
}
