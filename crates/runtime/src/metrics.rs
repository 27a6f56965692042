//! What operators count: calls of tools, requests to the platform, refusals at the door.
//!
//! A recorded fact is a few atomic additions: a tool's meters are found by its place in the catalogue, made at its first call, and kept.
//! Labels are names of tools and operations, codes and statuses, all of which the catalogue or this program bounds; no key, id or free text becomes one.

mod attempts;

use std::fmt;
use std::sync::OnceLock;
use std::time::Duration;

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::catalogue::{Catalogue, Tool};

pub(crate) use self::attempts::{Attempts, Meter};

/// Upper bounds of latencies in seconds: from an answer out of memory to the deadline of a call.
const BUCKETS: [f64; 13] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 20.0];

/// The media type of [`Metrics::text`].
pub const MEDIA_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The meters of one service.
pub struct Metrics {
    registry: Registry,
    tools: Box<[Meters]>,
    calls: Family<OfTool, Counter>,
    call_errors: Family<OfFailedTool, Counter>,
    call_latency: Family<OfTool, Histogram, fn() -> Histogram>,
    attempts: Attempts,
    errors: Family<OfCode, Counter>,
    /// Calls that the limit refused.
    pub rate_limited: Counter,
    /// Connections to Redis that failed or were lost.
    pub(crate) redis_errors: Counter,
    /// Calls that were counted by this process alone, though replicas share a limit.
    pub(crate) limit_fallbacks: Counter,
    auth_failures: Family<OfReason, Counter>,
    drift: Family<OfOperation, Counter>,
}

/// Counts departures of the platform's answers from its document; for those who look for them elsewhere than calls are counted.
pub(crate) struct Drifted(Family<OfOperation, Counter>);

impl Drifted {
    pub(crate) fn count(&self, operation: &str, departures: usize) {
        let of = OfOperation { operation: operation.to_owned() };
        self.0.get_or_create(&of).inc_by(departures as u64);
    }
}

/// How often the cache was of use. Cheap to clone; all clones count together.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reuse {
    /// Reads that were answered from what is kept, or by an equal read under way.
    pub(crate) hits: Counter,
    /// Reads that began a request.
    pub(crate) misses: Counter,
}

/// The meters of one tool, made when they are first needed.
type Meters = OnceLock<(Counter, Histogram)>;

/// A meter of how long something takes.
fn latency() -> Histogram {
    Histogram::new(BUCKETS)
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfTool {
    tool: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfFailedTool {
    tool: String,
    code: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfOperation {
    operation: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfCode {
    code: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfReason {
    reason: String,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

impl Metrics {
    /// Registers every meter; those of the platform begin with the catalogue's own scheme.
    pub(crate) fn new(catalogue: &Catalogue, reuse: &Reuse) -> Self {
        let operations = catalogue.tools.iter().map(|tool| tool.entry.operation.as_str());
        let mut metrics = Self {
            registry: Registry::default(),
            tools: catalogue.tools.iter().map(|_| Meters::default()).collect(),
            calls: Family::default(),
            call_errors: Family::default(),
            call_latency: Family::new_with_constructor(latency),
            attempts: Attempts::new(operations),
            errors: Family::default(),
            rate_limited: Counter::default(),
            redis_errors: Counter::default(),
            limit_fallbacks: Counter::default(),
            auth_failures: Family::default(),
            drift: Family::default(),
        };
        metrics.register_of_platform(&catalogue.api.scheme, reuse);
        metrics.register_own();
        metrics
    }

    /// Counters are named without `_total`, which their text adds.
    fn register_of_platform(&mut self, platform: &str, reuse: &Reuse) {
        let platform = platform.replace(|char: char| !char.is_ascii_alphanumeric(), "_");
        let own = &mut self.registry;
        own.register(
            format!("{platform}_request_latency_seconds"),
            "Time of one request that was sent to the platform, each attempt by itself",
            self.attempts.latency.clone(),
        );
        own.register(
            format!("{platform}_errors"),
            "Reads and changes that the platform was asked for and that did not succeed after all attempts, by the code the caller gets",
            self.errors.clone(),
        );
        own.register(
            format!("{platform}_status"),
            "Answers of the platform by HTTP status, those to each attempt by themselves",
            self.attempts.statuses.clone(),
        );
        own.register(
            format!("{platform}_schema_drift"),
            "Fields, types and values in sampled answers that the document does not have",
            self.drift.clone(),
        );
        own.register(
            format!("{platform}_cache_hits"),
            "Reads answered from what is kept, or by an equal read under way",
            reuse.hits.clone(),
        );
        own.register(
            format!("{platform}_cache_misses"),
            "Reads that may be answered from what is kept, and were not",
            reuse.misses.clone(),
        );
    }

    /// What this program counts of itself has the same names in front of any platform.
    fn register_own(&mut self) {
        let own = &mut self.registry;
        own.register(
            "mcp_tool_invocations",
            "Calls of a tool and reads of its resource, over any face",
            self.calls.clone(),
        );
        own.register("mcp_tool_errors", "Calls that did not succeed", self.call_errors.clone());
        own.register(
            "mcp_tool_latency_seconds",
            "Time of one whole call",
            self.call_latency.clone(),
        );
        own.register(
            "mcp_rate_limited",
            "Calls refused because their key had made too many",
            self.rate_limited.clone(),
        );
        own.register(
            "mcp_redis_errors",
            "Connections to Redis that failed or were lost",
            self.redis_errors.clone(),
        );
        own.register(
            "mcp_limit_fallbacks",
            "Calls counted by this process alone because Redis did not answer",
            self.limit_fallbacks.clone(),
        );
        own.register(
            "mcp_auth_failures",
            "HTTP requests refused because of their key",
            self.auth_failures.clone(),
        );
    }

    /// The meters of requests to the platform.
    pub(crate) fn attempts(&self) -> Attempts {
        self.attempts.clone()
    }

    /// The counter of departures.
    pub(crate) fn drifted(&self) -> Drifted {
        Drifted(self.drift.clone())
    }

    /// Records the end of a call, with the code of its failure.
    pub(crate) fn called(&self, tool: &Tool, failure: Option<&str>, duration: Duration) {
        let (calls, latency) = self.tools[tool.position].get_or_init(|| {
            let of = OfTool { tool: tool.name().to_owned() };
            (self.calls.get_or_create_owned(&of), self.call_latency.get_or_create_owned(&of))
        });
        calls.inc();
        latency.observe(duration.as_secs_f64());
        if let Some(code) = failure {
            let of = OfFailedTool { tool: tool.name().to_owned(), code: code.to_owned() };
            self.call_errors.get_or_create(&of).inc();
        }
    }

    /// Records what the platform was asked for and did not give.
    pub(crate) fn lost(&self, code: &str) {
        self.errors.get_or_create(&OfCode { code: code.to_owned() }).inc();
    }

    /// Records a request that was refused because of its key.
    pub(crate) fn auth_failed(&self, reason: &str) {
        self.auth_failures.get_or_create(&OfReason { reason: reason.to_owned() }).inc();
    }

    /// Writes everything in Prometheus' text format.
    ///
    /// The library writes its successor, in which the line of a counter's type has another name than the counter.
    pub fn text(&self) -> String {
        let mut written = String::new();
        // A string never refuses to grow, and nothing else can fail.
        let _ = text::encode_registry(&mut written, &self.registry);
        let mut counter = None;
        let mut lines = Vec::new();
        // The help of a meter comes before its type, and both before its values.
        for line in written.lines().rev() {
            let mut words = line.splitn(4, ' ');
            match (words.next(), words.next(), words.next(), words.next()) {
                (Some("#"), Some("TYPE"), Some(name), Some("counter")) => {
                    counter = Some(name);
                    lines.push(format!("# TYPE {name}_total counter"));
                }
                (Some("#"), Some("HELP"), Some(name), Some(help)) if counter == Some(name) => {
                    lines.push(format!("# HELP {name}_total {help}"));
                }
                _ => lines.push(line.to_owned()),
            }
        }
        lines.iter().rev().flat_map(|line| [line, "\n"]).collect()
    }
}
