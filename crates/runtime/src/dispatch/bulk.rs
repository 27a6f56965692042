//! Many changes in one call: each sent at most once, each with an outcome of its own, written down before it leaves.
//!
//! It knows neither what is changed nor which targets there are.

use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use futures::StreamExt as _;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::Fetched;
use super::desk::{Arguments, Desk};
use super::runs::Heard;
use crate::audit::Target;
use crate::caller::Key;
use crate::decode::{Options, decode};
use crate::failure::{Failure, Reach};
use crate::json;
use crate::request::RequestId;
use crate::seal::Purpose;

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
    /// Every target.
    pub items: Vec<Told>,
    /// Whether the outcomes are all in it. Until then each is written down by itself, so that one costs the same among many.
    #[serde(default)]
    pub(super) closed: bool,
}

impl Run {
    /// What can be said of it when nobody is at work on it any more.
    pub(super) fn settled(mut self) -> Self {
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
        let mut run = Run {
            run: RequestId::random().to_string(),
            tool: self.call.tool.name().to_owned(),
            begun: Utc::now(),
            items: items.iter().map(told).collect(),
            closed: false,
        };
        let heard = &self.stay(&run.run).await?;
        self.list_run(&run).await?;
        self.write(&run).await?;
        let most = self.call.service.settings.manners.concurrency;
        let name = run.run.as_str();
        let targets = run.items.iter().cloned().zip(items).enumerate();
        let targets: Vec<_> = targets.collect();
        let changes = targets.into_iter().map(|(at, (mut told, item))| async move {
            self.change(operation, &item.arguments, (name, at, taken), (&mut told, heard)).await;
            (at, told)
        });
        let changes = futures::stream::iter(changes).buffer_unordered(most).collect::<Vec<_>>();
        let changes = tokio::select! {
            changes = changes => changes,
            never = self.stay_on(name, heard) => match never {},
        };
        for (at, told) in changes {
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
        (told, heard): (&mut Told, &Heard),
    ) {
        let obstacle = match heard.lately() {
            false => Some("the server was held up, and may have been taken for gone"),
            true if Instant::now() + TOO_LATE > self.call.span.deadline => {
                Some("the call's time was over before it was sent")
            }
            true => None,
        };
        if let Some(why) = obstacle {
            (told.outcome, told.why) = (Outcome::Skipped, Some(why.to_owned()));
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
