//! `incident_triage`: active incidents in the order in which a person should look at them, and what is known about each. It closes nothing and blames nobody.

mod all;
mod one;

use std::cmp::Reverse;
use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use xyte_mcp_runtime::dispatch::desk::{Computed, Desk, Rows};
use xyte_mcp_runtime::failure::Failure;

use super::fleet::{self, Incident, Ticket, WINDOW};
use super::period::written;
use crate::generated::workflows::IncidentTriage;

/// How far back the same problem is looked for.
const RECURRENCE: TimeDelta = TimeDelta::days(30);
/// Incidents that were raised within this time of each other may have one cause.
const TOGETHER: TimeDelta = TimeDelta::minutes(5);
/// The platform's words, the most urgent first.
const PRIORITIES: [&str; 5] = ["critical", "high", "moderate", "low", "planning"];

/// What was read.
struct Facts {
    active: Rows<Incident>,
    /// Raised within the time of recurrence, active and closed.
    recent: Rows<Incident>,
    tickets: Rows<Ticket>,
    warnings: Vec<String>,
    now: DateTime<Utc>,
}

/// An active incident among the others.
struct Case<'f> {
    incident: &'f Incident,
    /// The same problem of the same device, the newest first; itself included, however old it is.
    same: Vec<&'f Incident>,
    in_room: Vec<&'f Incident>,
    at_that_time: Vec<&'f Incident>,
    tickets: Vec<&'f Ticket>,
}

pub(super) async fn compute(
    desk: &Desk<'_>,
    arguments: IncidentTriage,
) -> Result<Computed, Failure> {
    let facts = Facts::read(desk).await?;
    match &arguments.incident_id {
        Some(id) => one::compute(desk, &facts, id).await,
        None => Ok(all::compute(desk.room(), &facts)),
    }
}

impl Facts {
    async fn read(desk: &Desk<'_>) -> Result<Self, Failure> {
        let (active, tickets) = futures::join!(fleet::incidents(desk), fleet::tickets(desk));
        let mut active = active?;
        // The platform's clock: it may differ from ours.
        let now = active.as_of;
        let recent = fleet::raised(desk, now - RECURRENCE, now).await;
        let mut warnings = std::mem::take(&mut active.warnings);
        let recent = fleet::secondary(recent, "incidents of the last 30 days", &mut warnings);
        let tickets = fleet::secondary(tickets, "tickets", &mut warnings);
        warnings.push(WINDOW.to_owned());
        Ok(Self { active, recent, tickets, warnings, now })
    }

    fn complete(&self) -> bool {
        self.active.complete && self.recent.complete && self.tickets.complete
    }

    fn as_of(&self) -> DateTime<Utc> {
        self.now.min(self.recent.as_of).min(self.tickets.as_of)
    }

    fn window(&self) -> Value {
        json!({
            "active_from": written(DateTime::UNIX_EPOCH),
            "recurrence_from": written(self.now - RECURRENCE),
            "to": written(self.now),
        })
    }

    /// All active incidents, the most urgent first.
    fn cases(&self) -> Vec<Case<'_>> {
        let mut cases: Vec<Case<'_>> = self.active.rows.iter().map(|row| self.case(row)).collect();
        cases.sort_by_key(|case| {
            let incident = case.incident;
            (
                rank(incident),
                Reverse(case.in_room.len()),
                Reverse(case.same.len()),
                incident.created_at,
            )
        });
        cases
    }

    fn case<'f>(&'f self, incident: &'f Incident) -> Case<'f> {
        let others = || self.active.rows.iter().filter(|other| other.id != incident.id);
        let in_room = others()
            .filter(|other| incident.path.is_some() && other.path == incident.path)
            .collect();
        let near = |other: &&Incident| {
            let times = other.created_at.zip(incident.created_at);
            times.is_some_and(|(other, own)| (other - own).abs() <= TOGETHER)
        };
        // Without a device, nothing tells whether two of one title are about the same.
        let is_same = |other: &&Incident| {
            other.id != incident.id
                && incident.device_id.is_some()
                && other.title == incident.title
                && other.device_id == incident.device_id
        };
        let mut same: Vec<&Incident> = self.recent.rows.iter().filter(is_same).collect();
        same.push(incident);
        same.sort_by_key(|incident| Reverse(incident.created_at));
        let device = incident.device_id.as_deref();
        let about = |ticket: &&Ticket| device.is_some() && ticket.device_id.as_deref() == device;
        Case {
            incident,
            same,
            in_room,
            at_that_time: others().filter(near).collect(),
            tickets: self.tickets.rows.iter().filter(about).collect(),
        }
    }
}

/// Place of an incident's priority; an unknown one comes first, for it may be anything.
fn rank(incident: &Incident) -> usize {
    let priority = incident.priority.as_deref().unwrap_or_default();
    PRIORITIES.iter().position(|known| *known == priority).map_or(0, |place| place + 1)
}

fn priority(incident: &Incident) -> &str {
    incident.priority.as_deref().unwrap_or("unknown")
}

fn by_priority(cases: &[Case<'_>]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for case in cases {
        *counts.entry(priority(case.incident).to_owned()).or_default() += 1;
    }
    counts
}
