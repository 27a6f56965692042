//! Who did what: one line of JSON per call, two per call that may change something.
//!
//! It is given a writer and knows no files; of keys it knows ids, of arguments a digest and the targets.

use std::fmt;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{SecondsFormat, Utc};
use serde::Serialize;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use tokio::time::Instant;
use xyte_mcp_catalogue::{Class, Location};

use crate::caller::{Caller, Key};
use crate::catalogue::Tool;
use crate::dispatch::bulk::Outcome;
use crate::text::{hex, quoted};

/// Where records go. Cheap to clone; by default nowhere.
#[derive(Clone, Default)]
pub struct Audit {
    writer: Option<Arc<Mutex<Box<dyn Write + Send>>>>,
    /// What no record may hold besides the caller's keys.
    secrets: Arc<[Key]>,
}

impl fmt::Debug for Audit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_on() { "Audit(on)" } else { "Audit(off)" })
    }
}

impl Audit {
    /// Writes every record to this writer, in one piece.
    pub fn to(writer: impl Write + Send + 'static) -> Self {
        Self { writer: Some(Arc::new(Mutex::new(Box::new(writer)))), ..Self::default() }
    }

    /// Masks these too, which a caller may have put where they do not belong.
    #[must_use]
    pub fn masking(self, secrets: impl IntoIterator<Item = Key>) -> Self {
        Self { secrets: secrets.into_iter().collect(), ..self }
    }

    /// Whether anybody reads along.
    pub(crate) fn is_on(&self) -> bool {
        self.writer.is_some()
    }

    /// Writes down what becomes of one target of a call that has many; before it leaves, and after.
    pub(crate) fn target(&self, target: &Target<'_>) {
        let Some(writer) = &self.writer else { return };
        let time = Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true);
        let record = TargetRecord { kind: "audit_target", time, target };
        let Ok(mut line) = serde_json::to_vec(&record) else { return };
        line.push(b'\n');
        let mut writer = writer.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(err) = writer.write_all(&line).and_then(|()| writer.flush()) {
            tracing::error!(error = %err, run = target.run, "a record of the audit is lost");
        }
    }

    /// Begins the record of a call; one that may change something is written down before it happens.
    ///
    /// # Errors
    /// When a change cannot be written down.
    pub(crate) fn begin(
        &self,
        request_id: &str,
        caller: &Caller,
        key: Option<&Key>,
        (tool, arguments): (&Tool, &Map<String, Value>),
    ) -> io::Result<Entry> {
        let Some(writer) = &self.writer else { return Ok(Entry::default()) };
        let masked = |text: &str| {
            let text = self.secrets.iter().fold(caller.redact(text), |text, key| key.redact(&text));
            quoted(&text)
        };
        let record = Record {
            kind: "audit",
            time: String::new(),
            phase: Phase::Before,
            request_id: request_id.to_owned(),
            key_id: key.map(Key::id),
            transport: caller.transport.name(),
            client: caller.client.as_deref().map(masked),
            tool: tool.name().to_owned(),
            class: tool.entry.class,
            targets: targets(tool, arguments, masked),
            arguments_digest: digest(arguments),
            dry_run: arguments.get("dry_run") == Some(&Value::Bool(true)),
            plan: None,
            outcome: None,
            upstream_status: None,
            ms: None,
        };
        let entry = Entry(Some(Open { writer: writer.clone(), record, started: Instant::now() }));
        if tool.is_read() { Ok(entry) } else { entry.write_before() }
    }
}

/// One target of a call that has many.
#[derive(Serialize)]
pub(crate) struct Target<'a> {
    pub(crate) run: &'a str,
    pub(crate) key_id: Option<String>,
    pub(crate) tool: &'a str,
    pub(crate) id: &'a str,
    pub(crate) outcome: Outcome,
}

#[derive(Serialize)]
struct TargetRecord<'a> {
    kind: &'static str,
    time: String,
    #[serde(flatten)]
    target: &'a Target<'a>,
}

/// The record of a call that is not over. Dropped before its end, it says that the call was cancelled.
#[derive(Default)]
pub(crate) struct Entry(Option<Open>);

struct Open {
    writer: Arc<Mutex<Box<dyn Write + Send>>>,
    record: Record,
    started: Instant,
}

#[derive(Serialize)]
struct Record {
    kind: &'static str,
    time: String,
    phase: Phase,
    request_id: String,
    key_id: Option<String>,
    transport: &'static str,
    client: Option<String>,
    tool: String,
    class: Class,
    targets: Map<String, Value>,
    arguments_digest: String,
    dry_run: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    plan: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    upstream_status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ms: Option<u64>,
}

#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "lowercase")]
enum Phase {
    Before,
    After,
}

impl Entry {
    fn write_before(mut self) -> io::Result<Self> {
        match self.0.as_mut().map_or(Ok(()), Open::write) {
            Ok(()) => Ok(self),
            Err(err) => {
                self.0 = None; // What could not begin has no end.
                Err(err)
            }
        }
    }

    /// Ends the record with what came of the call.
    pub(crate) fn end(mut self, outcome: &str, upstream_status: Option<u16>, plan: Option<String>) {
        if let Some(open) = &mut self.0 {
            open.record.plan = plan;
        }
        self.finish(outcome, upstream_status);
    }

    fn finish(&mut self, outcome: &str, upstream_status: Option<u16>) {
        let Some(mut open) = self.0.take() else { return };
        open.record.phase = Phase::After;
        open.record.outcome = Some(outcome.to_owned());
        open.record.upstream_status = upstream_status;
        open.record.ms = u64::try_from(open.started.elapsed().as_millis()).ok();
        if let Err(err) = open.write() {
            tracing::error!(error = %err, request.id = open.record.request_id, "a record of the audit is lost");
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.finish("cancelled", None);
    }
}

impl Open {
    fn write(&mut self) -> io::Result<()> {
        self.record.time = Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true);
        let mut line = serde_json::to_vec(&self.record)?;
        line.push(b'\n');
        // A writer that panicked has written a part of a line at worst.
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        writer.write_all(&line)?;
        writer.flush()
    }
}

/// The arguments that say which object is meant: those in the path.
fn targets(
    tool: &Tool,
    arguments: &Map<String, Value>,
    masked: impl Fn(&str) -> String,
) -> Map<String, Value> {
    let in_path = tool.entry.arguments.iter().filter(|it| matches!(it.location, Location::Path));
    in_path
        .filter_map(|it| {
            let value = arguments.get(&it.name)?;
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            Some((it.name.clone(), masked(&text).into()))
        })
        .collect()
}

/// The digest of a value, whatever the order in which its members were written.
pub(crate) fn digest_of(value: &Value) -> [u8; 32] {
    let mut hash = Sha256::new();
    feed(&mut hash, value);
    hash.finalize().into()
}

/// The digest of the arguments, whatever the order in which they were written.
pub(crate) fn digest(arguments: &Map<String, Value>) -> String {
    let mut hash = Sha256::new();
    feed(&mut hash, &Value::Object(arguments.clone()));
    hex(&hash.finalize())
}

fn feed(hash: &mut Sha256, value: &Value) {
    match value {
        Value::Object(members) => {
            let mut sorted: Vec<_> = members.iter().collect();
            sorted.sort_unstable_by_key(|(name, _)| *name);
            hash.update(b"{");
            for (name, member) in sorted {
                hash.update(Value::String(name.clone()).to_string());
                hash.update(b":");
                feed(hash, member);
                hash.update(b",");
            }
            hash.update(b"}");
        }
        Value::Array(items) => {
            hash.update(b"[");
            for item in items {
                feed(hash, item);
                hash.update(b",");
            }
            hash.update(b"]");
        }
        plain => hash.update(plain.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_digest_is_of_what_the_arguments_say_and_not_of_their_order() {
        let of = |text: &str| digest(&serde_json::from_str(text).unwrap());
        assert_eq!(
            of(r#"{"a":1,"b":{"c":[1,2],"d":null}}"#),
            of(r#"{"b":{"d":null,"c":[1,2]},"a":1}"#)
        );
        assert_ne!(of(r#"{"a":[1,2]}"#), of(r#"{"a":[2,1]}"#));
        assert_ne!(of(r#"{"a":"1"}"#), of(r#"{"a":1}"#));
        assert_eq!(digest(json!({}).as_object().unwrap()).len(), 64);
    }
}
