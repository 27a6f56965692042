//! The end of a call, whatever it is: told to the audit, the metrics and the log, once each.
//!
//! A call that is dropped before it has an outcome was cancelled, by whoever waited for it.

use std::sync::OnceLock;

use serde_json::{Map, Value};
use tokio::time::Instant;
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::said::{Last, Said};
use crate::audit::Entry;
use crate::caller::Key;
use crate::catalogue::Tool;
use crate::failure::Failure;
use crate::service::Service;

/// A call under way.
pub(super) struct Ending<'a> {
    pub(super) service: &'a Service,
    pub(super) tool: &'a Tool,
    pub(super) key: Option<&'a Key>,
    pub(super) request_id: &'a str,
    pub(super) started: Instant,
    pub(super) said: Said,
    /// What was agreed to before the call; nothing where nobody had to.
    pub(super) plan: OnceLock<String>,
    /// The ids that were found for names; nothing where no name was looked up.
    pub(super) resolved: OnceLock<Map<String, Value>>,
    /// The record of the audit; none where it could not be begun, and after the end.
    pub(super) record: Option<Entry>,
    /// Whether the end was told.
    pub(super) over: bool,
    /// Given back after the end was told.
    pub(super) _under_way: TaskTrackerToken,
}

impl Ending<'_> {
    /// Tells how the call ended.
    pub(super) fn tell(&mut self, failure: Option<&Failure>) {
        let status = failure.and_then(|failure| failure.status);
        self.end(failure.map(|failure| failure.code.as_ref()), status);
    }

    fn end(&mut self, code: Option<&str>, status: Option<u16>) {
        self.over = true;
        let Last { status: answered, name } = self.said.take();
        let (outcome, status) = (code.unwrap_or("ok"), status.or(answered));
        let name =
            name.map(|name| self.key.map_or_else(|| name.to_string(), |key| key.redact(&name)));
        let took = self.started.elapsed();
        if let Some(record) = self.record.take() {
            record.end(outcome, status, self.plan.get().cloned());
        }
        self.service.metrics.called(self.tool, code, took);
        tracing::info!(
            request.id = self.request_id,
            tool.name = self.tool.name(),
            key.id = self.key.map(Key::id),
            outcome,
            upstream.status = status,
            upstream.request.id = name,
            duration_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            "{} {outcome}",
            self.tool.name(),
        );
    }
}

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        if !self.over {
            self.end(Some("cancelled"), None);
        }
    }
}
