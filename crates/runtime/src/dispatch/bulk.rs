//! Many changes in one call: each sent at most once, each with an outcome of its own, written down before it leaves.
//!
//! It knows neither what is changed nor which targets there are.

use std::time::Duration;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use futures::StreamExt as _;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::Fetched;
use super::desk::{Arguments, Desk};
use crate::audit::Target;
use crate::caller::Key;
use crate::decode::{Options, decode};
use crate::failure::{Failure, Reach};
use crate::json;
use crate::ledger::name;
use crate::request::RequestId;
use crate::seal::Purpose;

/// How long a run can be asked for.
const REMEMBERED: Duration = Duration::from_hours(24);

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
    /// # Errors
    /// When nothing can be written down; then nothing was sent.
    pub async fn apply(&self, operation: &str, items: Vec<Item>) -> Result<Run, Failure> {
        let told = |item: &Item| Told {
            id: item.id.clone(),
            name: item.name.clone(),
            outcome: Outcome::Planned,
            why: None,
            answer: Value::Null,
        };
        let left = self.call.span.deadline.saturating_duration_since(Instant::now());
        let run = Run {
            run: RequestId::random().to_string(),
            tool: self.call.tool.name().to_owned(),
            begun: Utc::now(),
            until: Utc::now() + TimeDelta::from_std(left).unwrap_or_default(),
            items: items.iter().map(told).collect(),
        };
        self.list_run(&run.run).await?;
        self.remember(&run).await?;
        self.expect(items.len());
        let run = Mutex::new(run);
        let changes = items.into_iter().enumerate();
        let changes = changes.map(|(at, item)| self.change(operation, at, item.arguments, &run));
        let most = self.call.service.settings.manners.concurrency;
        futures::stream::iter(changes).buffer_unordered(most).for_each(|()| async {}).await;
        Ok(run.into_inner())
    }

    async fn change(&self, operation: &str, at: usize, arguments: Arguments, run: &Mutex<Run>) {
        if Instant::now() + TOO_LATE > self.call.span.deadline {
            let why = "the call's time was over before it was sent".to_owned();
            return self.note(run, at, (Outcome::Skipped, Some(why), Value::Null)).await;
        }
        {
            let mut run = run.lock().await;
            run.items[at].outcome = Outcome::Sending;
            self.record(&run.run, &run.items[at]);
            // What cannot be written down is not sent.
            if self.remember(&run).await.is_err() {
                let why = "it could not be written down, so it was not sent".to_owned();
                run.items[at].outcome = Outcome::Skipped;
                run.items[at].why = Some(why);
                return;
            }
        }
        let outcome = match self.send(operation, &arguments).await {
            Ok(answer) => (Outcome::Executed, None, answer),
            Err(failure) => match failure.reach {
                Reach::Done => (Outcome::Executed, None, Value::Null),
                Reach::Uncertain => (Outcome::Unknown, Some(failure.to_string()), Value::Null),
                Reach::Refused => (Outcome::Failed, Some(failure.to_string()), Value::Null),
                Reach::Unsent => (Outcome::Skipped, Some(failure.to_string()), Value::Null),
            },
        };
        self.note(run, at, outcome).await;
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

    async fn note(
        &self,
        run: &Mutex<Run>,
        at: usize,
        (outcome, why, answer): (Outcome, Option<String>, Value),
    ) {
        let mut run = run.lock().await;
        let told = &mut run.items[at];
        (told.outcome, told.why, told.answer) = (outcome, why, answer);
        self.record(&run.run, &run.items[at]);
        if let Err(err) = self.remember(&run).await {
            // What was written before says that it was on its way: nobody will take it for undone.
            tracing::warn!(error = %err, "the outcome of a change is not remembered");
        }
    }

    /// Writes down what is known of a run.
    ///
    /// # Errors
    /// When it cannot be.
    pub async fn remember(&self, run: &Run) -> Result<(), Failure> {
        let text = serde_json::to_string(run).unwrap_or_default();
        let name = name("run", self.call.tenant, &[run.run.as_bytes()]);
        Ok(self.call.service.ledger.put(name, &text, REMEMBERED).await?)
    }

    /// A run of this tenant, as far as it is known.
    ///
    /// # Errors
    /// When there is none of this name.
    pub async fn run(&self, run: &str) -> Result<Run, Failure> {
        let name = name("run", self.call.tenant, &[run.as_bytes()]);
        let text = self.call.service.ledger.get(name).await?;
        text.and_then(|text| serde_json::from_str(&text).ok()).ok_or_else(|| {
            Failure::new("not_found", "no run of this name is remembered")
                .with_hint("Runs are remembered for a day; without a name, the latest are listed.")
        })
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
