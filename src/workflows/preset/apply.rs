//! Runs the steps of a plan in their order: sends each command once, follows it to its end, and says of every step what came of it. It chooses no device.

use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::future::join_all;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::time::{Instant, sleep};
use xyte_mcp_runtime::dispatch::bulk::{Outcome, Run, Told};
use xyte_mcp_runtime::dispatch::desk::Desk;
use xyte_mcp_runtime::failure::Failure;
use xyte_mcp_runtime::text::quoted;

use super::plan::{Plan, Planned};
use crate::presets::{CommandState, WaitFor};
use crate::workflows::bulk::arguments;
use crate::workflows::bulk_command::{followed, seen};
use crate::workflows::command::SEND;
use crate::workflows::offer::{plain, same};

/// The first pause between two looks at the platform; it doubles.
const FIRST_PAUSE: Duration = Duration::from_millis(250);

/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// What is left of the call for reading the room when the steps are over.
const RESERVE: Duration = Duration::from_secs(5);

/// What came of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum End {
    /// Nothing in the room takes it, and the preset goes on without it.
    LeftOut,
    Done,
    /// Accepted, which is all that was waited for.
    Sent,
    /// It was not begun.
    NotRun,
    /// Accepted, and not carried out when the time was over.
    Queued,
    Failed,
    /// It may have been carried out.
    Unknown,
}

/// A step that was run, or not.
#[derive(Debug)]
pub(super) struct Ran {
    pub(super) end: End,
    /// Why it is not done, where no device says so.
    pub(super) why: Option<String>,
    /// Under which it is remembered what was sent.
    pub(super) run: Option<String>,
    pub(super) devices: Vec<Told>,
}

#[derive(Debug, Deserialize)]
struct Reported {
    effective_status: Option<String>,
    state: Option<Map<String, Value>>,
}

impl End {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::LeftOut => "left_out",
            Self::Done => "done",
            Self::Sent => "sent",
            Self::NotRun => "not_run",
            Self::Queued => "queued",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }

    /// What is said of a step that ended so.
    pub(super) fn said(self, step: usize) -> String {
        match self {
            Self::Unknown => format!("what came of step {step} is unknown"),
            Self::Queued => format!("step {step} has not ended"),
            Self::NotRun => format!("step {step} was not run"),
            _ => format!("step {step} {}", self.word()),
        }
    }

    pub(super) fn is_well(self) -> bool {
        matches!(self, Self::LeftOut | Self::Done | Self::Sent)
    }
}

/// Runs every step until one stops the others.
///
/// # Errors
/// When the first step cannot be written down; then nothing was sent.
pub(super) async fn apply(desk: &Desk<'_>, plan: &Plan<'_>) -> Result<Vec<Ran>, Failure> {
    let mut ran: Vec<Ran> = Vec::new();
    let mut stopped: Option<String> = None;
    if let Some(at) = plan.obstacle() {
        stopped = Some(format!("step {} cannot be run, so nothing was sent", at + 1));
    }
    for (at, planned) in plan.steps.iter().enumerate() {
        let before_all = plan.obstacle() == Some(at);
        if let Some(why) = stopped.as_ref().filter(|_| !before_all) {
            ran.push(Ran {
                end: End::NotRun,
                why: Some(why.clone()),
                run: None,
                devices: Vec::new(),
            });
            continue;
        }
        let (steps, command) = (plan.steps.len(), quoted(&planned.step.command));
        desk.begin(&format!("step {} of {steps}: {command}", at + 1));
        let one = step(desk, planned, plan.as_of).await;
        let one = match one {
            Err(failure) if at == 0 => return Err(failure),
            Err(failure) => Ran {
                end: End::NotRun,
                why: Some(failure.to_string()),
                run: None,
                devices: Vec::new(),
            },
            Ok(one) => one,
        };
        if !one.end.is_well() && planned.stops() && stopped.is_none() {
            stopped = Some(one.end.said(at + 1));
        }
        ran.push(one);
    }
    Ok(ran)
}

async fn step(
    desk: &Desk<'_>,
    planned: &Planned<'_>,
    since: DateTime<Utc>,
) -> Result<Ran, Failure> {
    if planned.items.is_empty() {
        let end = if planned.stops() { End::Failed } else { End::LeftOut };
        let why = if planned.left_out.is_empty() {
            "no device of the room is meant by it"
        } else {
            "no device is left that would carry it out"
        };
        return Ok(Ran { end, why: Some(why.to_owned()), run: None, devices: Vec::new() });
    }
    let latest = desk.deadline().checked_sub(RESERVE).unwrap_or_else(Instant::now);
    if Instant::now() >= latest {
        let why = "the call's time was over before it was sent".to_owned();
        return Ok(Ran { end: End::NotRun, why: Some(why), run: None, devices: Vec::new() });
    }
    let until = latest.min(Instant::now() + Duration::from_secs(planned.wait_for.within.into()));
    // Accepted is all that the platform's answer says.
    let mut run = desk.apply(SEND, planned.items.clone(), Outcome::Queued).await?;
    for told in run.items.iter_mut().filter(|told| told.outcome == Outcome::Unknown) {
        seen(desk, told, &planned.step.command, since).await;
    }
    if planned.wait_for.command == CommandState::Done {
        follow(desk, &mut run, until, None).await;
    }
    if planned.wait_for.wants_more() {
        follow(desk, &mut run, until, Some(&planned.wait_for)).await;
    }
    // What was written before says that it was sent: nobody will take it for undone.
    desk.remember(&mut run).await.ok();
    let end = run.items.iter().map(|told| end(told, planned)).max().unwrap_or(End::Done);
    Ok(Ran { end, why: None, run: Some(run.run), devices: run.items })
}

fn end(told: &Told, planned: &Planned<'_>) -> End {
    match told.outcome {
        Outcome::Executed => End::Done,
        Outcome::Queued if planned.wait_for.command == CommandState::Sent => End::Sent,
        Outcome::Queued | Outcome::Sending => End::Queued,
        Outcome::Failed => End::Failed,
        Outcome::Unknown => End::Unknown,
        Outcome::Planned | Outcome::Skipped => End::NotRun,
    }
}

impl WaitFor {
    /// Whether more than the command is waited for.
    fn wants_more(&self) -> bool {
        self.status.is_some() || !self.state.is_empty()
    }
}

/// Looks again and again, until nothing is open or the time is over: at the commands, or at what the devices report afterwards.
async fn follow(desk: &Desk<'_>, run: &mut Run, until: Instant, wanted: Option<&WaitFor>) {
    let mut pause = FIRST_PAUSE;
    let open = |told: &Told| match told.outcome {
        Outcome::Executed => true,
        Outcome::Queued => wanted.is_none_or(|wanted| wanted.command == CommandState::Sent),
        _ => false,
    };
    let mut open: Vec<bool> = run.items.iter().map(open).collect();
    loop {
        let looked = run.items.iter_mut().zip(&mut open).filter(|(_, open)| **open);
        join_all(looked.map(|(told, open)| async move {
            *open = match wanted {
                None => !is_over(desk, told).await,
                Some(wanted) => !is_so(desk, told, wanted).await,
            };
        }))
        .await;
        if !open.contains(&true) {
            return;
        }
        if Instant::now() + pause > until {
            break;
        }
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
    let late = run.items.iter_mut().zip(open).filter(|(_, open)| *open);
    for (told, _) in late.filter(|_| wanted.is_some()) {
        told.outcome = Outcome::Failed;
    }
}

/// Whether the command has ended; notes how far it is.
async fn is_over(desk: &Desk<'_>, told: &mut Told) -> bool {
    followed(desk, told).await;
    told.outcome != Outcome::Queued
}

/// Whether the device reports what is wanted; notes what it reports instead.
async fn is_so(desk: &Desk<'_>, told: &mut Told, wanted: &WaitFor) -> bool {
    let why = match look(desk, &told.id).await {
        Ok(reported) => reported.differs(wanted),
        Err(failure) => Some(format!("what it reports could not be read ({failure})")),
    };
    told.why = why;
    told.why.is_none()
}

impl Reported {
    fn differs(&self, wanted: &WaitFor) -> Option<String> {
        let status = self.effective_status.as_deref().unwrap_or("unknown");
        if let Some(wanted) =
            wanted.status.as_deref().filter(|wanted| !wanted.eq_ignore_ascii_case(status))
        {
            return Some(format!("its status is {}, not {}", quoted(status), quoted(wanted)));
        }
        wanted.state.iter().find_map(|(name, value)| {
            let found =
                self.state.as_ref().and_then(|state| state.get(name)).unwrap_or(&Value::Null);
            let text = |value| quoted(&plain(value));
            (!same(found, value))
                .then(|| format!("its {} is {}, not {}", quoted(name), text(found), text(value)))
        })
    }

    /// Single values are shown; lists and objects can be long.
    fn shown(self) -> Value {
        const MOST: usize = 12;
        const LONGEST: usize = 100;
        let state = self.state.unwrap_or_default().into_iter();
        let single = state.filter(|(_, value)| match value {
            Value::Array(_) | Value::Object(_) => false,
            Value::String(text) => text.len() <= LONGEST,
            _ => true,
        });
        json!({"status": self.effective_status, "state": single.take(MOST).collect::<Map<_, _>>()})
    }
}

async fn look(desk: &Desk<'_>, device: &str) -> Result<Reported, Failure> {
    let which = arguments(json!({"device_id": device}));
    let columns = ["effective_status", "state"];
    desk.fresh_object::<Reported>("get_device", &which, &columns)
        .await
        .map(|(reported, _)| reported)
}

/// What a device reports after the steps; nothing where it cannot be read.
pub(super) async fn read_back(desk: &Desk<'_>, device: &str) -> Value {
    look(desk, device).await.map_or(Value::Null, Reported::shown)
}
