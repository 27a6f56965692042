//! `bulk_command`: one command to many devices, and what they report of it. A device that would not get it is left out, with the reason.

use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::future::join_all;
use serde_json::{Value, json};
use xyte_mcp_runtime::dispatch::bulk::{Item, Outcome, Run, Told};
use xyte_mcp_runtime::dispatch::desk::{Computed, Desk};
use xyte_mcp_runtime::failure::Failure;
use xyte_mcp_runtime::text::quoted;

use super::bulk::{Excluded, Next, Plan, Selected, arguments, called, selection, valued};
use super::command::{self, SEND, commands};
use super::offer::Offers;
use crate::generated::workflows::BulkCommand;

/// The first pause between two looks at what the devices report; it doubles.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(4);

/// What is left of the call for its answer.
const RESERVE: Duration = Duration::from_secs(3);

pub(super) async fn compute(desk: &Desk<'_>, call: BulkCommand) -> Result<Computed, Failure> {
    // The models' commands, too, are read as they are now.
    let desk = &desk.fresh();
    let (command, follow) = (call.command.clone(), call.follow == Some(true));
    let plan = plan(desk, call).await?;
    let plan = match plan.settle(desk).await? {
        Next::Answer(answer) => return Ok(answer),
        Next::Apply(plan) => plan,
    };
    // Accepted is all that the platform's answer says.
    let mut run = desk.apply(SEND, plan.items.clone(), Outcome::Queued).await?;
    if follow {
        desk.begin("all are sent; waiting for the devices");
    }
    look(desk, &mut run, (&command, plan.as_of), follow).await;
    desk.remember(&mut run).await.ok();
    Ok(plan.report(&run, Value::Null))
}

async fn plan(desk: &Desk<'_>, call: BulkCommand) -> Result<Plan, Failure> {
    let selection = selection!(call);
    let Selected { devices, mut excluded, warnings, as_of } = selection.read(desk).await?;
    let offers = Offers::read(desk, devices.iter()).await?;
    let inputs = call.params.clone().unwrap_or_default();
    let mut items = Vec::new();
    for device in devices {
        if let Some(why) = offers.objection(&device, &call.command, &inputs) {
            excluded.push(Excluded { name: called(&device), id: device.id, why });
            continue;
        }
        let mut body = json!({"device_id": device.id, "command": call.command});
        if let Some(params) = &call.params {
            body["extra_params"] = params.clone().into();
        }
        items.push(Item { name: called(&device), arguments: arguments(body), id: device.id });
    }
    let what = format!("Send `{}`{}", quoted(&call.command), valued(&inputs));
    Ok(Plan { operation: SEND, what, kind: "devices", items, excluded, warnings, as_of })
}

/// Looks at the platform for what became of commands: once for those of which nothing is known, until the end where the caller waits.
async fn look(
    desk: &Desk<'_>,
    run: &mut Run,
    (command, since): (&str, DateTime<Utc>),
    follow: bool,
) {
    let mut pause = FIRST_PAUSE;
    loop {
        let open = |told: &Told| match told.outcome {
            Outcome::Queued => follow,
            Outcome::Unknown => told.answer.is_null(),
            _ => false,
        };
        let looked = join_all(run.items.iter_mut().filter(|told| open(told)).map(|told| async {
            match told.outcome {
                Outcome::Unknown => seen(desk, told, command, since).await,
                _ => followed(desk, told).await,
            }
        }));
        looked.await;
        let waits = follow && run.items.iter().any(|told| told.outcome == Outcome::Queued);
        if !waits || tokio::time::Instant::now() + pause + RESERVE > desk.deadline() {
            return;
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// What a device made of a command that was accepted.
pub(super) async fn followed(desk: &Desk<'_>, told: &mut Told) {
    let id = told.answer["id"].as_str().unwrap_or_default().to_owned();
    let Some(commands) = commands(desk, &told.id).await else { return };
    let status = commands.into_iter().find(|it| it.id == id).and_then(|it| it.status);
    match status.as_deref() {
        Some("done") => (told.outcome, told.why) = (Outcome::Executed, None),
        Some(ended @ ("failed" | "aborted")) => {
            let why = format!("the device reports `{ended}`");
            (told.outcome, told.why) = (Outcome::Failed, Some(why));
        }
        Some(other) => told.why = Some(format!("the platform says `{}`", quoted(other))),
        None => {}
    }
}

/// Whether the platform has a command of which nobody knows whether it arrived. That it has one does not say who sent it, so the outcome stays unknown.
pub(super) async fn seen(desk: &Desk<'_>, told: &mut Told, command: &str, since: DateTime<Utc>) {
    let Some(words) = command::latest(desk, &told.id, Some(command), since).await else { return };
    let why = told.why.take().unwrap_or_default();
    told.why = Some(format!("{why}; {words}; not sent again"));
    told.answer = Value::Bool(true); // Looked at.
}
