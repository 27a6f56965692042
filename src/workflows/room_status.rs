//! `room_status`: whether a room can be used, and what speaks against it. It judges by statuses, incidents and tickets, not by what devices show.

use serde_json::{Value, json};
use xyte_mcp_runtime::dispatch::desk::{Computed, Desk};
use xyte_mcp_runtime::failure::Failure;
use xyte_mcp_runtime::shape::table::foot;
use xyte_mcp_runtime::text::quoted;

use super::answer;
use super::fleet::{Device, Fleet, Incident};
use super::space::Spaces;
use crate::generated::workflows::RoomStatus;

/// Devices and reasons shown of a space that is more than a room.
const MOST_SHOWN: usize = 30;

/// What speaks against a room, the worse last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Weight {
    Degraded,
    NotReady,
}

type Reason = (Weight, String);

pub(super) async fn compute(desk: &Desk<'_>, arguments: RoomStatus) -> Result<Computed, Failure> {
    let scope = Spaces::read(desk).await?.scope(&arguments.space)?;
    // The platform does not say whether a space's list holds the spaces below.
    let only = (scope.ids.len() == 1).then_some(scope.id);
    let fleet = Fleet::read(desk, only).await?;
    let inside = |device: &&Device| device.space_id().is_some_and(|id| scope.ids.contains(&id));
    let devices: Vec<&Device> = fleet.devices.iter().filter(inside).collect();
    let mut reasons: Vec<Reason> = Vec::new();
    let mut shown = Vec::new();
    for device in &devices {
        let told = reasons.len();
        reasons.extend(of_device(device, &fleet));
        if devices.len() <= MOST_SHOWN || reasons.len() > told {
            shown.push(row(device, &fleet));
        }
    }
    reasons.sort_by_key(|(weight, _)| std::cmp::Reverse(*weight));
    let complete = fleet.complete && scope.complete;
    let verdict = match reasons.first() {
        Some((Weight::NotReady, _)) => Some("not_ready"),
        // What could not be read may be worse.
        _ if !complete || devices.is_empty() => None,
        Some((Weight::Degraded, _)) => Some("degraded"),
        None => Some("ready"),
    };
    let mut warnings = scope.warnings;
    warnings.extend(fleet.warnings);
    if verdict.is_none() {
        let why = if devices.is_empty() {
            "no devices were found in it"
        } else {
            "not everything could be read"
        };
        warnings.push(format!("no verdict: {why}"));
    }
    if shown.len() > MOST_SHOWN || reasons.len() > MOST_SHOWN {
        warnings.push(format!("{} devices have something against them, with {} reasons; the first {MOST_SHOWN} are shown", shown.len(), reasons.len()));
    }
    shown.truncate(MOST_SHOWN);
    reasons.truncate(MOST_SHOWN);
    let reasons: Vec<String> = reasons.into_iter().map(|(_, reason)| reason).collect();
    let mut structured = json!({
        "space": {"id": scope.id, "path": scope.path, "spaces_below": scope.ids.len() - 1},
        "verdict": verdict,
        "reasons": reasons,
        "rows": (fleet.all_devices && scope.complete).then_some(devices.len()),
        "devices": shown,
        "not_checked": ["power, input and other state of devices: `get_device`"],
        "complete": complete,
        "warnings": warnings,
    });
    let as_of = fleet.as_of.min(scope.as_of);
    if let Some(zone) = &scope.zone {
        zone.tell(&mut structured, as_of);
    }
    let (structured, text) =
        answer::fitted(desk.room(), structured, &["/devices", "/reasons"], text);
    Ok(Computed { structured, text, as_of })
}

/// What speaks against a device.
fn of_device(device: &Device, fleet: &Fleet) -> Vec<Reason> {
    let name = quoted(device.name.as_deref().unwrap_or(&device.id));
    let mut reasons = Vec::new();
    let weight = match device.status() {
        "ok" => None,
        "offline" | "disconnected" | "error" => Some(Weight::NotReady),
        _ => Some(Weight::Degraded),
    };
    reasons.extend(
        weight.map(|weight| (weight, format!("{name}: status {}", quoted(device.status())))),
    );
    for incident in fleet.incidents_of(&device.id) {
        let priority = incident.priority.as_deref().unwrap_or("unknown");
        let weight = if priority == "critical" { Weight::NotReady } else { Weight::Degraded };
        let title = quoted(incident.title.as_deref().unwrap_or("untitled"));
        reasons.push((weight, format!("{name}: active incident {title} ({})", quoted(priority))));
    }
    for ticket in fleet.tickets_of(&device.id) {
        let title = quoted(ticket.title.as_deref().unwrap_or("untitled"));
        reasons.push((Weight::Degraded, format!("{name}: open ticket {title}")));
    }
    reasons
}

fn row(device: &Device, fleet: &Fleet) -> Value {
    let incident = |incident: &Incident| json!({"id": incident.id, "title": incident.title, "priority": incident.priority, "since": incident.created_at});
    let incidents: Vec<Value> = fleet.incidents_of(&device.id).map(incident).collect();
    let tickets = fleet.tickets_of(&device.id);
    let tickets: Vec<Value> =
        tickets.map(|ticket| json!({"id": ticket.id, "title": ticket.title})).collect();
    let model = device.model.as_ref().and_then(|model| model.name.as_deref());
    let mut row = json!({"id": device.id, "name": device.name, "model": model, "status": device.status(), "last_seen": device.last_seen_at});
    for (member, list) in [("incidents", incidents), ("tickets", tickets)] {
        if !list.is_empty() {
            row[member] = list.into();
        }
    }
    row
}

fn text(answer: &Value) -> String {
    let words = |member: &str| -> Vec<String> {
        let list = answer[member].as_array().into_iter().flatten();
        list.filter_map(|word| word.as_str().map(str::to_owned)).collect()
    };
    let path = quoted(answer["space"]["path"].as_str().unwrap_or_default());
    let verdict = answer["verdict"].as_str().unwrap_or("no verdict");
    let mut text = String::new();
    foot(&mut text, &format!("{path} ({}): {verdict}", answer["space"]["id"]));
    for reason in words("reasons") {
        foot(&mut text, &format!("reason: {reason}"));
    }
    let columns = [
        "name",
        "id",
        "model",
        "status",
        "last_seen",
        "incidents.title",
        "incidents.id",
        "tickets.title",
        "tickets.id",
    ];
    let rows = answer["devices"].as_array().map(Vec::as_slice).unwrap_or_default();
    answer::rows(&mut text, &columns, rows);
    if let (Some(time), Some(zone)) = (answer["local_time"].as_str(), answer["time_zone"].as_str())
    {
        foot(&mut text, &format!("local time: {time} ({})", quoted(zone)));
    }
    foot(&mut text, &format!("not checked: {}", words("not_checked").join(", ")));
    answer::end(&mut text, answer);
    text
}
