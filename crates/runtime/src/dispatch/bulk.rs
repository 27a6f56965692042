//! Many changes in one call: each sent at most once, each with an outcome of its own, written down before it leaves.
//!
//! It knows neither what is changed nor which targets there are.

use std::time::Duration;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use futures::StreamExt as _;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::Fetched;
use super::desk::{Arguments, Desk};
use crate::audit::Target;
use crate::caller::Key;
use crate::decode::{Options, decode};
use crate::failure::{Failure, Reach};
use crate::json;
use crate::ledger::{Name, name};
use crate::request::RequestId;
use crate::seal::Purpose;

/// How long a run can be asked for.
const REMEMBERED: Duration = Duration::from_hours(24);

/// Outcomes of a run that are read at a time.
const AT_ONCE: usize = 32;

/// Runs of a tenant that can be listed.
const LISTED: usize = 20;

/// Too little time for a request and its answer: what has not been sent by then is not sent.
const TOO_LATE: Duration = Duration::from_secs(2);

/// One change of many.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// What it is done to.
    pub id: String,
    /// What people call that.
    pub name: String,
    /// Arguments of the operation.
    pub arguments: Arguments,
}

/// What became of one change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Not sent yet.
    Planned,
    /// It left, and no answer is written down.
    Sending,
    /// Done.
    Executed,
    /// Accepted; what becomes of it is not known yet.
    Queued,
    /// Refused, or ended without success.
    Failed,
    /// It may have been done.
    Unknown,
    /// Not sent.
    Skipped,
}

/// A target and what became of its change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Told {
    /// What it was done to.
    pub id: String,
    /// What people call that.
    pub name: String,
    /// What became of it.
    pub outcome: Outcome,
    /// Why, where it is not done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// The platform's answer.
    #[serde(skip)]
    pub answer: Value,
}

/// A run as it is remembered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Its name.
    pub run: String,
    /// The tool.
    pub tool: String,
    /// When it began.
    pub begun: DateTime<Utc>,
    /// When it is over at the latest.
    pub until: DateTime<Utc>,
    /// Every target.
    pub items: Vec<Told>,
    /// Whether the outcomes are all in it. Until then each is written down by itself, so that one costs the same among many.
    #[serde(default)]
    closed: bool,
}

/// What is written down of one target while its run goes on.
#[derive(Serialize, Deserialize)]
struct Note {
    outcome: Outcome,
    why: Option<String>,
}

impl Run {
    /// What can be said of it when nobody is at work on it any more.
    #[must_use]
    pub fn settled(mut self) -> Self {
        for item in &mut self.items {
            let (outcome, why) = match item.outcome {
                Outcome::Planned => (Outcome::Skipped, "the call ended before it was sent"),
                Outcome::Sending => (Outcome::Unknown, "it left, and its answer was never read"),
                _ => continue,
            };
            (item.outcome, item.why) = (outcome, Some(why.to_owned()));
        }
        self
    }
}

impl Desk<'_> {
    /// Most targets of one call.
    pub fn bulk_max(&self) -> usize {
        self.call.service.settings.bulk_max
    }

    /// The request of a change, as it would be sent.
    ///
    /// # Errors
    /// When the arguments are none of the operation's.
    pub async fn describe(&self, operation: &str, arguments: &Arguments) -> Result<Value, Failure> {
        let tool = self.find_change(operation)?;
        let decoded = decode(tool, arguments.clone())?;
        let options = Options { dry_run: true, ..Options::default() };
        match self.errand(tool, &decoded.arguments, &options).fetch(Vec::new()).await? {
            Fetched::Preview(request) => Ok(request),
            Fetched::Answered(_) => Err(Failure::unknown_operation(operation)),
        }
    }

    /// Makes many changes by one operation, some at a time, each at most once; gives what became of each, in the order of the items.
    ///
    /// What the platform takes is `taken`: done, or only accepted.
    ///
    /// # Errors
    /// When nothing can be written down; then nothing was sent.
    pub async fn apply(
        &self,
        operation: &str,
        items: Vec<Item>,
        taken: Outcome,
    ) -> Result<Run, Failure> {
        let told = |item: &Item| Told {
            id: item.id.clone(),
            name: item.name.clone(),
            outcome: Outcome::Planned,
            why: None,
            answer: Value::Null,
        };
        let left = self.call.span.deadline.saturating_duration_since(Instant::now());
        let mut run = Run {
            run: RequestId::random().to_string(),
            tool: self.call.tool.name().to_owned(),
            begun: Utc::now(),
            until: Utc::now() + TimeDelta::from_std(left).unwrap_or_default(),
            items: items.iter().map(told).collect(),
            closed: false,
        };
        self.list_run(&run.run).await?;
        self.write(&run).await?;
        let most = self.call.service.settings.manners.concurrency;
        let name = run.run.as_str();
        let targets = run.items.iter().cloned().zip(items).enumerate();
        let targets: Vec<_> = targets.collect();
        let changes = targets.into_iter().map(|(at, (mut told, item))| async move {
            self.change(operation, &item.arguments, (name, at, taken), &mut told).await;
            (at, told)
        });
        let changes = futures::stream::iter(changes).buffer_unordered(most);
        for (at, told) in changes.collect::<Vec<_>>().await {
            run.items[at] = told;
        }
        if let Err(err) = self.remember(&mut run).await {
            // Each outcome is written down already.
            tracing::warn!(error = %err, "the report of a change is not remembered in one piece");
        }
        Ok(run)
    }

    async fn change(
        &self,
        operation: &str,
        arguments: &Arguments,
        (run, at, taken): (&str, usize, Outcome),
        told: &mut Told,
    ) {
        if Instant::now() + TOO_LATE > self.call.span.deadline {
            let why = "the call's time was over before it was sent".to_owned();
            (told.outcome, told.why) = (Outcome::Skipped, Some(why));
            return self.note((run, at), told).await;
        }
        told.outcome = Outcome::Sending;
        self.record(run, told);
        // What cannot be written down is not sent.
        if self.write_note((run, at), told).await.is_err() {
            let why = "it could not be written down, so it was not sent".to_owned();
            (told.outcome, told.why) = (Outcome::Skipped, Some(why));
            return self.record(run, told);
        }
        (told.outcome, told.why, told.answer) = match self.send(operation, arguments).await {
            Ok(answer) => (taken, None, answer),
            Err(failure) => match failure.reach {
                Reach::Done => (taken, None, Value::Null),
                Reach::Uncertain => (Outcome::Unknown, Some(failure.to_string()), Value::Null),
                Reach::Refused => (Outcome::Failed, Some(failure.to_string()), Value::Null),
                Reach::Unsent => (Outcome::Skipped, Some(failure.to_string()), Value::Null),
            },
        };
        self.note((run, at), told).await;
    }

    async fn send(&self, operation: &str, arguments: &Arguments) -> Result<Value, Failure> {
        let tool = self.find_change(operation)?;
        let decoded = decode(tool, arguments.clone())?;
        let options = self.options();
        let errand = self.errand(tool, &decoded.arguments, &options);
        match errand.fetch(Vec::new()).await? {
            Fetched::Answered(answered) => {
                Ok(json::read(&answered.reply.body).unwrap_or(Value::Null))
            }
            Fetched::Preview(_) => Err(Failure::unknown_operation(operation)),
        }
    }

    fn record(&self, run: &str, told: &Told) {
        let (key_id, tool) = (self.call.key.map(Key::id), self.call.tool.name());
        let target = Target { run, key_id, tool, id: &told.id, outcome: told.outcome };
        self.call.service.settings.audit.target(&target);
    }

    async fn note(&self, target: (&str, usize), told: &Told) {
        self.record(target.0, told);
        if let Err(err) = self.write_note(target, told).await {
            // What was written before says that it was on its way: nobody will take it for undone.
            tracing::warn!(error = %err, "the outcome of a change is not remembered");
        }
    }

    async fn write_note(&self, (run, at): (&str, usize), told: &Told) -> Result<(), Failure> {
        let note = Note { outcome: told.outcome, why: told.why.clone() };
        let text = serde_json::to_string(&note).unwrap_or_default();
        Ok(self.call.service.ledger.put(self.note_of(run, at), &text, REMEMBERED).await?)
    }

    fn note_of(&self, run: &str, at: usize) -> Name {
        name("target", self.call.tenant, &[run.as_bytes(), &at.to_be_bytes()])
    }

    /// Writes down all that is known of a run, in one piece, in place of what was written of each target.
    ///
    /// # Errors
    /// When it cannot be.
    pub async fn remember(&self, run: &mut Run) -> Result<(), Failure> {
        let notes = !std::mem::replace(&mut run.closed, true);
        self.write(run).await?;
        if notes {
            let notes: Vec<Name> =
                (0..run.items.len()).map(|at| self.note_of(&run.run, at)).collect();
            // Notes that stay are not read any more.
            self.call.service.ledger.remove(&notes).await?;
        }
        Ok(())
    }

    async fn write(&self, run: &Run) -> Result<(), Failure> {
        let text = serde_json::to_string(run).unwrap_or_default();
        let name = name("run", self.call.tenant, &[run.run.as_bytes()]);
        Ok(self.call.service.ledger.put(name, &text, REMEMBERED).await?)
    }

    /// A run of this tenant, as far as it is known.
    ///
    /// # Errors
    /// When there is none of this name.
    pub async fn run(&self, run: &str) -> Result<Run, Failure> {
        let head = || name("run", self.call.tenant, &[run.as_bytes()]);
        let read = async || self.call.service.ledger.get(head()).await;
        let parsed =
            |text: Option<String>| text.and_then(|it| serde_json::from_str::<Run>(&it).ok());
        let unknown = || {
            Failure::new("not_found", "no run of this name is remembered")
                .with_hint("Runs are remembered for a day; without a name, the latest are listed.")
        };
        let mut known = parsed(read().await?).ok_or_else(unknown)?;
        if known.closed {
            return Ok(known);
        }
        let notes =
            (0..known.items.len()).map(|at| self.call.service.ledger.get(self.note_of(run, at)));
        let notes: Vec<_> = futures::stream::iter(notes).buffered(AT_ONCE).collect().await;
        // A run that was closed meanwhile has no notes any more, and says all itself.
        if let Some(closed) = parsed(read().await?).filter(|run| run.closed) {
            return Ok(closed);
        }
        for (told, note) in known.items.iter_mut().zip(notes) {
            let Some(note) = note? else { continue };
            let Ok(note) = serde_json::from_str::<Note>(&note) else { continue };
            (told.outcome, told.why) = (note.outcome, note.why);
        }
        Ok(known)
    }

    /// Names of the latest runs of this tenant, the latest first.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn runs(&self) -> Result<Vec<String>, Failure> {
        let text = self.call.service.ledger.get(name("runs", self.call.tenant, &[])).await?;
        Ok(text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
    }

    /// Two runs that begin at once may lose one of the list; each is still known by its name.
    async fn list_run(&self, run: &str) -> Result<(), Failure> {
        let mut runs = self.runs().await?;
        runs.insert(0, run.to_owned());
        runs.truncate(LISTED);
        let text = serde_json::to_string(&runs).unwrap_or_default();
        Ok(self
            .call
            .service
            .ledger
            .put(name("runs", self.call.tenant, &[]), &text, REMEMBERED)
            .await?)
    }

    /// Seals what a change did, for a later one of this tenant.
    pub fn seal_report(&self, report: &[u8]) -> String {
        self.call.service.settings.seal.seal(Purpose::Report, self.call.tenant, None, report)
    }

    /// Opens what an earlier change sealed.
    ///
    /// # Errors
    /// When it was not given out to this tenant.
    pub fn open_report(&self, report: &str) -> Result<Vec<u8>, Failure> {
        let opened = self.call.service.settings.seal.open(
            Purpose::Report,
            self.call.tenant,
            report,
            Utc::now(),
        );
        opened.map_err(|_| {
            Failure::new(
                "plan_invalid",
                "the report was not given out by this server to this caller",
            )
            .with_hint("Nothing was sent. Pass the report as it was answered, or name the devices.")
        })
    }
}

/// The time of a run for people.
pub fn written(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// One target as a caller reads it.
pub fn row(told: &Told) -> Value {
    let mut row = json!({"id": told.id, "name": told.name, "outcome": told.outcome});
    if let Some(why) = &told.why {
        row["why"] = json!(why);
    }
    row
}
