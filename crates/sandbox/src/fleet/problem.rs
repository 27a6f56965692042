//! Incidents: what is wrong now, and what was.

use crate::{
    fleet::{Plan, Size, catalogue::CODEC, device::Planned, planted},
    moment::{DAY, HOUR, MINUTE, START},
    nouns::{device::Device, incident::Incident},
    prng::Prng,
    tenant::Tenant,
};

/// Causes other than being offline: code, priority, title.
const CAUSES: &[(&str, &str, &str)] = &[
    ("temperature", "high", "Temperature is too high"),
    ("fan", "moderate", "Fan does not turn"),
    ("input_lost", "moderate", "Input signal was lost"),
    ("firmware", "planning", "Firmware update is due"),
    ("battery", "low", "Battery is low"),
    ("storage", "critical", "Storage is full"),
];
/// Devices in error with an active incident.
const ERRORS: usize = 5;

pub(crate) fn build(
    tenant: &mut Tenant,
    planned: &[Planned],
    (plan, size): (Plan, Size),
    rng: &mut Prng,
) {
    let mut incidents = active(planned, rng);
    let mut closed = recovered(planned, rng);
    if plan == Plan::Campus {
        incidents.extend(without_device(rng));
        incidents.extend(planned.iter().filter(|entry| is_board_codec(entry)).map(|entry| {
            let cause = ("battery", "low", "Microphone battery is low");
            raised(rng.uuid(), Some(&entry.device), cause, START - DAY)
        }));
    }
    if plan != Plan::Branch {
        incidents.push(planted::incident());
    }
    while closed.len() < size.closed_incidents && !planned.is_empty() {
        let device = &rng.pick(planned).device;
        let created = START - rng.seconds(HOUR, 60 * DAY);
        let mut incident = raised(rng.uuid(), Some(device), *rng.pick(CAUSES), created);
        incident.status = "closed";
        incident.updated = (created + rng.seconds(10 * MINUTE, 8 * HOUR)).min(START);
        closed.push(incident);
    }
    incidents.extend(closed);
    incidents.sort_by_key(|incident| std::cmp::Reverse(incident.created));
    for incident in incidents {
        tenant.incidents.insert(incident.id.clone(), incident);
    }
}

fn is_board_codec(entry: &Planned) -> bool {
    entry.path.starts_with("HQ/") && entry.path.ends_with("/Board room") && entry.model == CODEC
}

/// The incident of a device that went away.
pub(crate) fn offline(id: String, device: &Device, since: i64) -> Incident {
    raised(id, Some(device), ("offline", "high", "Device is offline"), since)
}

fn raised(
    id: String,
    device: Option<&Device>,
    (issue, priority, title): (&str, &'static str, &str),
    created: i64,
) -> Incident {
    Incident {
        id,
        status: "active",
        priority,
        title: title.to_owned(),
        description: None,
        issue: issue.to_owned(),
        device_id: device.map(|device| device.id.clone()),
        device_name: device.map(|device| device.name.clone()),
        created,
        updated: created,
    }
}

/// One for each device that is down, and for some in error.
fn active(planned: &[Planned], rng: &mut Prng) -> Vec<Incident> {
    let mut incidents = Vec::new();
    for entry in planned {
        if let Some((since, None)) = entry.outages.last() {
            incidents.push(offline(rng.uuid(), &entry.device, since + 2 * MINUTE));
        }
    }
    let failing = planned.iter().filter(|entry| entry.error_since.is_some());
    for entry in failing.take(ERRORS) {
        let cause = ("fault", "critical", "Device reports an error");
        incidents.push(raised(rng.uuid(), Some(&entry.device), cause, START - 2 * DAY));
    }
    incidents
}

/// Closed ones of devices that came back.
fn recovered(planned: &[Planned], rng: &mut Prng) -> Vec<Incident> {
    let mut incidents = Vec::new();
    for entry in planned {
        for (since, until) in &entry.outages {
            let Some(until) = until else { continue };
            let mut incident = offline(rng.uuid(), &entry.device, since + MINUTE);
            incident.status = "closed";
            incident.updated = *until;
            incidents.push(incident);
        }
    }
    incidents
}

/// Raised by people: two of them long ago.
fn without_device(rng: &mut Prng) -> Vec<Incident> {
    let cause = ("manual", "planning", "Power work on the floor");
    let ages = [HOUR, 2 * DAY, 9 * DAY, 21 * DAY];
    ages.into_iter().map(|age| raised(rng.uuid(), None, cause, START - age)).collect()
}
