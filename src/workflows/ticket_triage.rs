//! `ticket_triage`: open tickets that nobody works on, that are about something still broken, or about a device that is gone. Every ticket is read; none is changed.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use futures::{StreamExt as _, stream};
use serde::Deserialize;
use serde_json::{Value, json};
use xyte_mcp_runtime::dispatch::desk::{Computed, Desk, Rows};
use xyte_mcp_runtime::failure::Failure;
use xyte_mcp_runtime::shape::table::foot;

use super::answer;
use super::fleet::{self, Device, Incident, Ticket, WINDOW};
use super::period::written;
use crate::generated::workflows::TicketTriage;

const USUAL_DAYS: i64 = 30;
/// Tickets that are read at once.
const AT_ONCE: usize = 8;
/// The lists of an answer; a ticket is in the first that fits.
const LISTS: [&str; 4] = ["stale_with_active_incident", "orphaned", "stale", "active_incident"];

/// What only a ticket itself holds.
#[derive(Debug, Deserialize)]
struct Whole {
    status: Option<String>,
    #[serde(default)]
    comments: Option<Vec<Comment>>,
}

#[derive(Debug, Deserialize)]
struct Comment {
    created_at: Option<DateTime<Utc>>,
}

/// What was read besides the tickets.
struct Around {
    devices: BTreeMap<String, Device>,
    all_devices: bool,
    incidents: Rows<Incident>,
}

/// What came of reading the tickets one by one.
#[derive(Default)]
struct Read<'t> {
    /// Each with its newest activity.
    open: Vec<(&'t Ticket, DateTime<Utc>)>,
    unread: Vec<&'t str>,
    /// Resolved or removed since the list was read.
    gone: usize,
    as_of: Option<DateTime<Utc>>,
}

pub(super) async fn compute(desk: &Desk<'_>, arguments: TicketTriage) -> Result<Computed, Failure> {
    let days = arguments.stale_days.unwrap_or(USUAL_DAYS);
    let (tickets, devices, incidents) =
        futures::join!(fleet::tickets(desk), fleet::devices(desk, None), fleet::incidents(desk));
    let mut tickets = tickets?;
    let mut warnings = std::mem::take(&mut tickets.warnings);
    let devices = fleet::secondary(devices, "devices", &mut warnings);
    let incidents = fleet::secondary(incidents, "incidents", &mut warnings);
    warnings.push(WINDOW.to_owned());
    let read = read(desk, &tickets.rows, &mut warnings).await;
    let now = tickets.as_of;
    let as_of = [now, devices.as_of, incidents.as_of, read.as_of.unwrap_or(now)];
    let around = Around {
        all_devices: devices.complete,
        devices: devices.rows.into_iter().map(|row| (row.id.clone(), row)).collect(),
        incidents,
    };
    if !around.all_devices {
        warnings
            .push("not all devices could be read, so no ticket is said to be orphaned".to_owned());
    }
    let all_tickets = tickets.complete && read.unread.is_empty();
    let structured = sorted(&around, &read, (days, now), (all_tickets, warnings));
    let lists =
        ["/stale", "/active_incident", "/unread", "/orphaned", "/stale_with_active_incident"];
    let (structured, text) = answer::fitted(desk.room(), structured, &lists, text);
    let as_of = as_of.into_iter().min().unwrap_or(now);
    Ok(Computed { structured, text, as_of })
}

/// Reads each ticket for its newest comment, a few at once.
async fn read<'t>(desk: &Desk<'_>, tickets: &'t [Ticket], warnings: &mut Vec<String>) -> Read<'t> {
    let mut read = Read::default();
    desk.expect(tickets.len());
    let reads: Vec<_> =
        tickets.iter().map(|ticket| async move { (ticket, whole(desk, ticket).await) }).collect();
    // One that hangs holds up no other.
    let mut reads = stream::iter(reads).buffer_unordered(AT_ONCE);
    let mut failures: BTreeSet<String> = BTreeSet::new();
    while let Some((ticket, whole)) = reads.next().await {
        match whole {
            Ok((whole, as_of)) => {
                read.as_of = Some(read.as_of.map_or(as_of, |oldest| oldest.min(as_of)));
                match activity(ticket, &whole) {
                    _ if whole.status.as_deref() == Some("resolved") => read.gone += 1,
                    Some(at) => read.open.push((ticket, at)),
                    None => read.unread.push(&ticket.id),
                }
            }
            Err(failure) if failure.code == "not_found" => read.gone += 1,
            Err(failure) => {
                read.unread.push(&ticket.id);
                failures.insert(failure.to_string());
            }
        }
    }
    if !read.unread.is_empty() {
        let why: Vec<String> = failures.into_iter().take(3).collect();
        warnings.push(format!(
            "{} tickets could not be read ({}): nothing is said about their activity",
            read.unread.len(),
            why.join("; ")
        ));
    }
    if read.gone > 0 {
        warnings.push(format!("{} tickets were resolved or removed meanwhile", read.gone));
    }
    read.open.sort_by_key(|(ticket, at)| (*at, &ticket.id));
    read.unread.sort_unstable();
    read
}

async fn whole(desk: &Desk<'_>, ticket: &Ticket) -> Result<(Whole, DateTime<Utc>), Failure> {
    let arguments = json!({"ticket_id": ticket.id});
    let arguments = arguments.as_object().cloned().unwrap_or_default();
    desk.object("get_ticket", &arguments, &["status", "comments.created_at"]).await
}

/// When something was last written: the newest comment, or else the ticket itself.
fn activity(ticket: &Ticket, whole: &Whole) -> Option<DateTime<Utc>> {
    let comments = whole.comments.iter().flatten().filter_map(|comment| comment.created_at);
    comments.chain(ticket.created_at).max()
}

/// Puts each ticket into the list that says the most about it.
fn sorted(
    around: &Around,
    read: &Read<'_>,
    (days, now): (i64, DateTime<Utc>),
    (all_tickets, warnings): (bool, Vec<String>),
) -> Value {
    let stale_since = now - TimeDelta::days(days);
    let mut lists: [Vec<Value>; 4] = Default::default();
    let (mut stale, mut stale_and_ill, mut ill, mut orphaned) = (0, 0, 0, 0);
    for (ticket, activity) in &read.open {
        let incidents: Vec<&Incident> = around.incidents_of(ticket).collect();
        let is_stale = *activity <= stale_since;
        let (is_ill, is_orphan) = (!incidents.is_empty(), around.is_gone(ticket));
        stale += usize::from(is_stale);
        ill += usize::from(is_ill);
        stale_and_ill += usize::from(is_stale && is_ill);
        orphaned += usize::from(is_orphan);
        let list = match (is_stale, is_ill, is_orphan) {
            (true, true, _) => 0,
            (_, _, true) => 1,
            (true, false, false) => 2,
            (false, true, false) => 3,
            (false, false, false) => continue,
        };
        lists[list].push(around.row(ticket, (*activity, now), &incidents));
    }
    let with_incidents = all_tickets && around.incidents.complete;
    let mut answer = json!({
        "stale_days": days,
        "totals": {
            "open": all_tickets.then_some(read.open.len()),
            "stale": all_tickets.then_some(stale),
            "stale_with_active_incident": with_incidents.then_some(stale_and_ill),
            "with_active_incident": with_incidents.then_some(ill),
            "orphaned": (all_tickets && around.all_devices).then_some(orphaned),
        },
        "unread": read.unread,
        "basis": "activity is the newest comment, or the opening where there is none; a ticket is listed once, orphaned ones may be stale as well",
        "scanned": {"tickets": read.open.len(), "devices": around.devices.len(), "incidents": around.incidents.rows.len()},
        "complete": with_incidents && around.all_devices,
        "warnings": warnings,
    });
    for (name, list) in LISTS.into_iter().zip(lists) {
        answer[name] = list.into();
    }
    answer
}

impl Around {
    fn incidents_of<'a>(&'a self, ticket: &'a Ticket) -> impl Iterator<Item = &'a Incident> {
        let device = ticket.device_id.as_deref();
        let about = move |row: &&Incident| device.is_some() && row.device_id.as_deref() == device;
        self.incidents.rows.iter().filter(about)
    }

    /// Whether the device a ticket is about is no longer there.
    fn is_gone(&self, ticket: &Ticket) -> bool {
        let known = |id: &String| self.devices.contains_key(id);
        self.all_devices && ticket.device_id.as_ref().is_some_and(|id| !known(id))
    }

    fn row(
        &self,
        ticket: &Ticket,
        (activity, now): (DateTime<Utc>, DateTime<Utc>),
        incidents: &[&Incident],
    ) -> Value {
        let mut row = json!({
            "id": ticket.id,
            "title": ticket.title,
            "last_activity": written(activity),
            "idle_days": (now - activity).num_days(),
            "device_id": ticket.device_id,
        });
        if let Some(device) = ticket.device_id.as_ref().and_then(|id| self.devices.get(id)) {
            row["device"] = json!(device.name);
            row["room"] = json!(device.path());
        }
        if !incidents.is_empty() {
            let named = incidents.iter().map(|it| json!({"id": it.id, "title": it.title}));
            row["incidents"] = named.collect();
        }
        row
    }
}

fn text(answer: &Value) -> String {
    let totals = &answer["totals"];
    let count = |name: &str| match &totals[name] {
        Value::Null => "?".to_owned(),
        number => number.to_string(),
    };
    let mut text = String::new();
    let first = format!(
        "{} open tickets: {} stale for {} days or more, {} of these with an active incident; {} orphaned",
        count("open"),
        count("stale"),
        answer["stale_days"],
        count("stale_with_active_incident"),
        count("orphaned")
    );
    foot(&mut text, &first);
    let columns = [
        "id",
        "title",
        "last_activity",
        "idle_days",
        "device",
        "device_id",
        "room",
        "incidents.title",
        "incidents.id",
    ];
    for list in LISTS {
        answer::list(&mut text, answer, list, &columns);
    }
    foot(&mut text, &format!("basis: {}", answer["basis"].as_str().unwrap_or_default()));
    answer::end(&mut text, answer);
    text
}
