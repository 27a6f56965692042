//! Requests that were really sent to the platform: how long each took, and what it was answered with. It knows nothing of calls and of kept answers.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use tokio::time::Instant;

use super::latency;

/// Classes of a status by its first digit; the first one is that of no answer.
const CLASSES: [&str; 6] = ["none", "1xx", "2xx", "3xx", "4xx", "5xx"];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct OfClass {
    operation: String,
    status_class: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct OfStatus {
    status: u16,
}

/// The meters of all operations. Cheap to clone; all clones count together.
#[derive(Clone)]
pub(crate) struct Attempts {
    pub(super) latency: Family<OfClass, Histogram, fn() -> Histogram>,
    pub(super) statuses: Family<OfStatus, Counter>,
    operations: Arc<HashMap<String, Arc<Meter>>>,
}

/// Counts the attempts of one operation.
pub(crate) struct Meter {
    operation: String,
    latency: Family<OfClass, Histogram, fn() -> Histogram>,
    statuses: Family<OfStatus, Counter>,
    /// Each made when it is first needed.
    classes: [OnceLock<Histogram>; CLASSES.len()],
}

/// An attempt under way. One that is dropped was sent all the same, and counts as one without an answer.
#[derive(Debug)]
pub(crate) struct Attempt<'a> {
    meter: &'a Meter,
    begun: Instant,
    status: Option<u16>,
}

impl fmt::Debug for Attempts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attempts").finish_non_exhaustive()
    }
}

impl fmt::Debug for Meter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Meter").field("operation", &self.operation).finish_non_exhaustive()
    }
}

impl Attempts {
    /// Meters for these operations; attempts of others are not counted.
    pub(super) fn new<'a>(operations: impl Iterator<Item = &'a str>) -> Self {
        let (latency, statuses) = (Family::new_with_constructor(latency as _), Family::default());
        let meter = |operation: &str| Meter {
            operation: operation.to_owned(),
            latency: Family::clone(&latency),
            statuses: Family::clone(&statuses),
            classes: Default::default(),
        };
        let operations = operations.map(|name| (name.to_owned(), Arc::new(meter(name)))).collect();
        Self { latency, statuses, operations: Arc::new(operations) }
    }

    /// The meter of an operation.
    pub(crate) fn meter(&self, operation: &str) -> Option<Arc<Meter>> {
        self.operations.get(operation).cloned()
    }
}

impl Default for Attempts {
    fn default() -> Self {
        Self::new(std::iter::empty())
    }
}

impl Meter {
    /// Begins an attempt, which ends when this is dropped.
    pub(crate) fn begin(&self) -> Attempt<'_> {
        Attempt { meter: self, begun: Instant::now(), status: None }
    }
}

impl Attempt<'_> {
    /// Notes the status of the answer, if there was one.
    pub(crate) fn answered(&mut self, status: Option<u16>) {
        self.status = status;
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        let Meter { operation, latency, statuses, classes } = self.meter;
        let class =
            self.status.map_or(0, |status| usize::from(status / 100).min(CLASSES.len() - 1));
        let histogram = classes[class].get_or_init(|| {
            let (operation, status_class) = (operation.clone(), CLASSES[class]);
            latency.get_or_create_owned(&OfClass { operation, status_class })
        });
        histogram.observe(self.begun.elapsed().as_secs_f64());
        if let Some(status) = self.status {
            statuses.get_or_create(&OfStatus { status }).inc();
        }
    }
}
