//! Where the platform's answers depart from its document: looked for in samples, off the path of the calls.
//!
//! It is given JSON Schemas and bytes, and knows no requests.
//! Of an answer it keeps where it departs, and the name or value that the document does not have, shortened; nothing else.

mod departure;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::Instant;

pub use self::departure::{Departure, Kind};
use crate::api::Api;
use crate::catalogue::{Catalogue, Tool};
use crate::metrics::Drifted;
use crate::upstream::Reply;

/// Between two looks at answers of one operation.
const INTERVAL: Duration = Duration::from_mins(1);

/// Longest answer that is looked at, in bytes: its tree takes a multiple of them.
const LONGEST: usize = 1024 * 1024;

/// Most departures that are remembered; an answer whose names differ each time would have no end of them.
const MOST_REMEMBERED: usize = 500;

/// Looks at answers, and remembers what it found.
pub struct Drift {
    api: Arc<dyn Api>,
    started: Instant,
    /// By the tool's place, the millisecond from which its next answer is looked at.
    due: Box<[AtomicU64]>,
    /// One look at a time; an answer that comes meanwhile is let pass.
    turn: Arc<Semaphore>,
    seen: Arc<Seen>,
}

struct Seen {
    drifted: Drifted,
    /// Answers that were compared.
    compared: AtomicU64,
    departures: Mutex<BTreeSet<Departure>>,
}

impl fmt::Debug for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Drift").finish_non_exhaustive()
    }
}

impl Drift {
    pub(crate) fn new(api: Arc<dyn Api>, catalogue: &Catalogue, drifted: Drifted) -> Self {
        let seen = Seen { drifted, compared: AtomicU64::new(0), departures: Mutex::default() };
        Self {
            api,
            started: Instant::now(),
            due: catalogue.tools.iter().map(|_| AtomicU64::new(0)).collect(),
            turn: Arc::new(Semaphore::new(1)),
            seen: Arc::new(seen),
        }
    }

    /// Hands an answer over, if it is time for one of this tool; never waits.
    pub(crate) fn look(&self, tool: &Tool, reply: &Reply) {
        let due = &self.due[tool.position];
        let now = millis(self.started.elapsed());
        let fits = (1..=LONGEST).contains(&reply.body.len());
        if !fits || now < due.load(Ordering::Relaxed) {
            return;
        }
        let Ok(turn) = self.turn.clone().try_acquire_owned() else { return };
        due.store(now + millis(INTERVAL), Ordering::Relaxed);
        let (api, seen) = (self.api.clone(), self.seen.clone());
        let (operation, body) = (tool.entry.operation.clone(), reply.body.clone());
        spawn_blocking(move || {
            if let Some(schema) = api.documented_answer(&operation) {
                seen.compare(&operation, schema, &body);
            }
            drop(turn);
        });
    }

    /// Waits until what was handed over has been looked at.
    pub async fn settled(&self) {
        // The semaphore is never closed.
        let _turn = self.turn.acquire().await;
    }

    /// Answers that were compared with the document so far.
    pub fn compared(&self) -> u64 {
        self.seen.compared.load(Ordering::Relaxed)
    }

    /// What was found so far, by operation and place.
    pub fn departures(&self) -> Vec<Departure> {
        self.seen.departures().iter().cloned().collect()
    }
}

impl Seen {
    /// An answer that is no JSON is a failure, which its caller was told.
    fn compare(&self, operation: &str, schema: &str, body: &[u8]) {
        let Some(found) = departure::find(operation, schema, body) else { return };
        self.compared.fetch_add(1, Ordering::Relaxed);
        if found.is_empty() {
            return;
        }
        self.drifted.count(operation, found.len());
        let mut departures = self.departures();
        for departure in found {
            if departures.len() >= MOST_REMEMBERED || departures.contains(&departure) {
                continue;
            }
            let logged = departure.logged();
            let same = |other: &Departure| other.operation == operation && other.logged() == logged;
            if !departures.iter().any(same) {
                tracing::warn!(
                    operation,
                    at = departure.at,
                    "the platform's answer to `{operation}` departs from its document {logged}"
                );
            }
            departures.insert(departure);
        }
    }

    /// The set is whole after every step, so a panic elsewhere cannot leave it broken.
    fn departures(&self) -> MutexGuard<'_, BTreeSet<Departure>> {
        self.departures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
