//! What is told of a preset: what it would send, or what came of each step and how the room is afterwards. It decides nothing.

use std::fmt::Write as _;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};
use xyte_mcp_runtime::dispatch::bulk::{Outcome, Told, row};
use xyte_mcp_runtime::dispatch::desk::Computed;
use xyte_mcp_runtime::text::quoted;

use super::apply::{End, Ran};
use super::plan::{Plan, Planned};
use crate::presets::SHUTDOWN;
use crate::workflows::bulk::Excluded;

/// How the room is after the steps.
#[derive(Debug, Default)]
pub(super) struct Room {
    /// What each device reports, by its id.
    pub(super) devices: Map<String, Value>,
    /// `room_status`'s verdict and reasons; none where it could not be told.
    pub(super) verdict: Option<String>,
    pub(super) reasons: Vec<String>,
    /// When all that was true.
    pub(super) as_of: Option<DateTime<Utc>>,
    pub(super) warnings: Vec<String>,
}

/// What would be sent.
pub(super) fn preview(
    room: &str,
    plan: &Plan<'_>,
    requests: Vec<Vec<Value>>,
    token: Option<String>,
) -> Computed {
    let steps = plan.steps.iter().zip(requests).enumerate().map(|(at, (planned, requests))| {
        let sends = planned.items.iter().zip(requests);
        let devices = sends
            .map(|(item, request)| json!({"id": item.id, "name": item.name, "request": request}));
        let mut step = head(at, planned);
        step["devices"] = devices.collect();
        if planned.items.is_empty() {
            step["why"] = if planned.stops() {
                "no device would carry it out: the preset cannot be run"
            } else {
                "no device would carry it out: it is left out"
            }
            .into();
        }
        step
    });
    let count = if plan.obstacle().is_some() { 0 } else { plan.commands() };
    let summary = format!("{} would be sent", counted(count));
    let mut structured = json!({"dry_run": true, "summary": summary, "data": data(room, plan, plan.as_of, &steps.collect::<Vec<_>>())});
    structured["warnings"] = plan.warnings.clone().into();
    if let Some(token) = token {
        structured["plan_token"] = token.into();
    }
    computed(structured, plan.as_of)
}

/// What came of it.
pub(super) fn report(room: &str, plan: &Plan<'_>, ran: &[Ran], after: Room) -> Computed {
    let steps = plan.steps.iter().zip(ran).enumerate().map(|(at, (planned, ran))| {
        let mut step = head(at, planned);
        step["outcome"] = ran.end.word().into();
        step["devices"] = ran.devices.iter().map(|told| device(told, &after.devices)).collect();
        if let Some(why) = &ran.why {
            step["why"] = why.as_str().into();
        }
        if let Some(run) = &ran.run {
            step["run"] = run.as_str().into();
        }
        step
    });
    let as_of = after.as_of.unwrap_or(plan.as_of);
    let mut data = data(room, plan, as_of, &steps.collect::<Vec<_>>());
    let worst = ran
        .iter()
        .map(|ran| ran.end)
        .filter(|end| !matches!(end, End::NotRun | End::LeftOut))
        .max();
    data["outcome"] = worst.unwrap_or(End::NotRun).word().into();
    let unwell =
        ran.iter().enumerate().filter(|(_, ran)| !ran.end.is_well() && ran.end != End::NotRun);
    let unwell: Vec<String> = unwell.map(|(at, ran)| ran.end.said(at + 1)).collect();
    if plan.preset != SHUTDOWN {
        // A room that was switched off is not to be used.
        let verdict = if unwell.is_empty() { after.verdict } else { Some("not_ready".to_owned()) };
        data["verdict"] = verdict.into();
    }
    data["reasons"] = unwell.into_iter().chain(after.reasons).collect();
    let summary = summary(plan, ran);
    let warnings: Vec<String> = plan.warnings.iter().cloned().chain(after.warnings).collect();
    computed(json!({"summary": summary, "data": data, "warnings": warnings}), as_of)
}

fn counted(count: usize) -> String {
    format!("{count} command{}", if count == 1 { "" } else { "s" })
}

/// Says `n commands executed` only where that is all there was to do.
fn summary(plan: &Plan<'_>, ran: &[Ran]) -> String {
    let told = || ran.iter().flat_map(|ran| &ran.devices);
    let count = |outcome| told().filter(|told| told.outcome == outcome).count();
    let executed = count(Outcome::Executed);
    if executed == plan.commands() && ran.iter().all(|ran| ran.end.is_well()) {
        let all = format!("{executed} commands executed");
        return match ran.iter().filter(|ran| ran.end == End::LeftOut).count() {
            0 => all,
            1 => format!("{all}, 1 step left out"),
            steps => format!("{all}, {steps} steps left out"),
        };
    }
    let mut parts = vec![format!("{executed} of {} executed", counted(plan.commands()))];
    let not_run = plan.commands() - told().count() + count(Outcome::Skipped);
    for (count, word) in [
        (count(Outcome::Failed), "failed"),
        (count(Outcome::Unknown), "unknown"),
        (count(Outcome::Queued), "queued"),
        (not_run, "not run"),
    ] {
        if count > 0 {
            parts.push(format!("{count} {word}"));
        }
    }
    parts.join(", ")
}

fn head(at: usize, planned: &Planned<'_>) -> Value {
    let mut step = json!({"step": at + 1, "command": planned.step.command});
    if let Some(title) = &planned.step.title {
        step["title"] = title.as_str().into();
    }
    if !planned.left_out.is_empty() {
        let row = |it: &Excluded| json!({"id": it.id, "name": it.name, "why": it.why});
        step["left_out"] = planned.left_out.iter().map(row).collect();
    }
    step
}

fn device(told: &Told, reported: &Map<String, Value>) -> Value {
    let mut row = row(told);
    if let Some(command) = told.answer["id"].as_str() {
        row["command_id"] = command.into();
    }
    if let Some(Value::Object(reported)) = reported.get(&told.id) {
        row["reports"] = reported.clone().into();
    }
    row
}

fn data(room: &str, plan: &Plan<'_>, as_of: DateTime<Utc>, steps: &[Value]) -> Value {
    let mut data = json!({
        "room": room.trim(),
        "space": {"id": plan.scope.id, "path": plan.scope.path},
        "preset": plan.preset,
        "steps": steps,
    });
    if let Some(zone) = &plan.scope.zone {
        zone.tell(&mut data, as_of);
    }
    data
}

fn computed(structured: Value, as_of: DateTime<Utc>) -> Computed {
    let text = text(&structured);
    Computed { structured, text, as_of }
}

/// The same facts for readers.
fn text(answer: &Value) -> String {
    let words = |value: &Value| quoted(value.as_str().unwrap_or_default());
    let data = &answer["data"];
    let mut lines = vec![words(&answer["summary"])];
    let mut place = format!(
        "{} ({}), preset {}",
        words(&data["space"]["path"]),
        data["space"]["id"],
        words(&data["preset"])
    );
    for member in ["outcome", "verdict", "local_time", "time_zone"] {
        if data[member].is_string() {
            let _ = write!(place, ", {member} {}", words(&data[member]));
        }
    }
    lines.push(place);
    for reason in data["reasons"].as_array().into_iter().flatten() {
        lines.push(format!("reason: {}", reason.as_str().unwrap_or_default()));
    }
    for step in data["steps"].as_array().into_iter().flatten() {
        let mut line = format!("step {}: {}", step["step"], words(&step["command"]));
        for member in ["title", "outcome", "why"] {
            if step[member].is_string() {
                let _ = write!(line, " | {}", words(&step[member]));
            }
        }
        lines.push(line);
        let devices = step["devices"].as_array().into_iter().flatten();
        for row in devices.chain(step["left_out"].as_array().into_iter().flatten()) {
            let left_out = if row.get("outcome").is_none() && row.get("request").is_none() {
                "left out: "
            } else {
                ""
            };
            let mut line = format!("  {left_out}{} {}", words(&row["name"]), words(&row["id"]));
            for member in ["outcome", "why"] {
                if row[member].is_string() {
                    let _ = write!(line, " | {}", words(&row[member]));
                }
            }
            for member in ["request", "reports"] {
                if row[member].is_object() {
                    let _ = write!(line, " | {member} {}", row[member]);
                }
            }
            lines.push(line);
        }
    }
    if let Some(token) = answer["plan_token"].as_str() {
        lines.push(format!("plan_token: {token}"));
    }
    for warning in answer["warnings"].as_array().into_iter().flatten() {
        lines.push(format!("warning: {}", warning.as_str().unwrap_or_default()));
    }
    lines.join("\n")
}
