//! Who went away in a period and who came back, a line a time or a line a device. It knows the rows' own states only.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use xyte_mcp_runtime::dispatch::desk::{Computed, Desk, Rows};
use xyte_mcp_runtime::failure::Failure;
use xyte_mcp_runtime::shape::table::foot;

use super::super::answer;
use super::super::fleet::{self, Device, Ticket};
use super::super::history::{History, LOOK_BACK, Past};
use super::super::period::written;
use super::super::timeline::{Outage, outages};
use super::Asked;
use crate::generated::workflows::{
    SearchDeviceHistories, SearchDeviceHistoriesEvent as Event, SearchDeviceHistoriesGroupBy,
};

const USUAL_LIMIT: i64 = 100;

/// The absences of one device that count.
struct Away<'h> {
    id: &'h str,
    past: &'h Past,
    outages: Vec<Outage>,
    /// Whether it is there again.
    recovered: bool,
    /// When its last absence ended, also when another one was asked for.
    back: Option<DateTime<Utc>>,
}

pub(super) async fn compute(
    desk: &Desk<'_>,
    asked: &Asked,
    arguments: &SearchDeviceHistories,
) -> Result<Computed, Failure> {
    let event = arguments.event.unwrap_or(Event::WentOffline);
    let by_device = arguments.group_by == Some(SearchDeviceHistoriesGroupBy::Device);
    let read = History::read(desk, asked.of(), asked.period.begun_before(LOOK_BACK));
    let tickets =
        async { if by_device { fleet::tickets(desk).await } else { Ok(Rows::default()) } };
    let (history, tickets) = futures::join!(read, tickets);
    let history = history?;
    let mut warnings = asked.warnings();
    warnings.extend(history.warnings.clone());
    if !history.complete {
        let what =
            "rows are missing: a device may be missing, and may have gone earlier than shown";
        warnings.push(what.to_owned());
    }
    let tickets = fleet::secondary(tickets, "tickets", &mut warnings);
    let away = away(asked, &history, event);
    let unclear = unclear(asked, &history);
    if !unclear.is_empty() {
        warnings.push(format!("{} devices were away at their first row and have none before it: whether they went away in this period is unknown; see `undetermined`", unclear.len()));
    }
    let as_of = history.as_of.min(asked.as_of()).min(tickets.as_of);
    let complete = history.complete && asked.complete() && tickets.complete;
    let mut items = if by_device { devices(asked, &away, &tickets) } else { times(asked, &away) };
    let (found, most) = (items.len(), arguments.limit.unwrap_or(USUAL_LIMIT));
    items.truncate(usize::try_from(most).unwrap_or(1));
    if items.len() < found {
        warnings.push(format!("{} of {found} are shown: raise `limit`", items.len()));
    }
    let shown_whole = items.len() == found;
    let structured = json!({
        "window": asked.window(),
        "space": asked.place(),
        "event": if event == Event::WentOffline { "went_offline" } else { "came_back" },
        // What is missing may hold more.
        "totals": (history.complete && asked.complete()).then(|| totals(&away, &tickets)),
        "items": items,
        "undetermined": unclear,
        "page": {"returned": items.len(), "complete": complete && shown_whole, "next_cursor": null},
        "scanned": {"rows": history.rows, "devices": history.devices.len(), "tickets": tickets.rows.len()},
        "basis": basis(by_status(asked, &history)),
        "complete": complete,
        "warnings": warnings,
    });
    let (mut structured, text) =
        answer::fitted(desk.room(), structured, &["/items", "/undetermined"], text);
    let kept = structured["items"].as_array().map_or(0, Vec::len);
    structured["page"]["returned"] = kept.into();
    if kept < found {
        structured["page"]["complete"] = false.into();
    }
    Ok(Computed { structured, text, as_of })
}

/// The devices with what is asked for in the period, the last first.
fn away<'h>(asked: &Asked, history: &'h History, event: Event) -> Vec<Away<'h>> {
    let period = asked.period;
    let counts = |outage: &Outage| match event {
        Event::WentOffline => outage.seen_to_begin && period.holds(outage.from),
        Event::CameBack => outage.to.is_some_and(|to| period.holds(to)),
    };
    let inside = history.devices.iter().filter(|(id, past)| asked.is_inside(id, past.space_id));
    let mut away: Vec<Away<'h>> = inside
        .filter_map(|(id, past)| {
            let all = outages(&past.points);
            let back = all.last().and_then(|last| last.to);
            let recovered = match asked.find(id) {
                Some(device) if by_status(asked, history) => !device.is_down(),
                _ => back.is_some(),
            };
            let outages: Vec<Outage> = all.into_iter().filter(counts).collect();
            let back = back.filter(|_| recovered);
            (!outages.is_empty()).then_some(Away { id, past, outages, recovered, back })
        })
        .collect();
    away.sort_by_key(|away| std::cmp::Reverse(away.outages.last().map(|last| last.from)));
    away
}

/// Devices whose first row says that they were away, within the period.
fn unclear(asked: &Asked, history: &History) -> Vec<Value> {
    let inside = history.devices.iter().filter(|(id, past)| asked.is_inside(id, past.space_id));
    let unclear = inside.filter_map(|(id, past)| {
        let first = *outages(&past.points).first()?;
        let unclear = !first.seen_to_begin && asked.period.holds(first.from);
        unclear.then(
            || json!({"device_id": id, "device": past.name, "first_row": written(first.from)}),
        )
    });
    unclear.collect()
}

/// Whether only the present status tells who is back: rows are missing, or end before the present.
fn by_status(asked: &Asked, history: &History) -> bool {
    !history.complete || !asked.is_up_to_now()
}

/// How the answer comes about.
fn basis(by_status: bool) -> String {
    let rows = "recorded rows: away is offline, unavailable or disconnected; 26 hours before the window are read to see what was before";
    let past = "; recovered: by the status now, since rows up to the present are not there";
    format!("{rows}{}", if by_status { past } else { "" })
}

fn totals(away: &[Away<'_>], tickets: &Rows<Ticket>) -> Value {
    let recovered = away.iter().filter(|away| away.recovered).count();
    let has_ticket = |away: &&Away<'_>| {
        tickets.rows.iter().any(|ticket| ticket.device_id.as_deref() == Some(away.id))
    };
    json!({
        "devices": away.len(),
        "times": away.iter().map(|away| away.outages.len()).sum::<usize>(),
        "recovered": recovered,
        "still_away": away.len() - recovered,
        "with_open_ticket": tickets.complete.then(|| away.iter().filter(has_ticket).count()),
    })
}

/// One row a device.
fn devices(asked: &Asked, away: &[Away<'_>], tickets: &Rows<Ticket>) -> Vec<Value> {
    let mut by_device: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for ticket in &tickets.rows {
        if let Some(device) = ticket.device_id.as_deref() {
            let named = json!({"id": ticket.id, "title": ticket.title});
            by_device.entry(device).or_default().push(named);
        }
    }
    let row = |away: &Away<'_>| {
        let mut row = named(asked, away);
        if away.outages.len() > 1 {
            row["times"] = away.outages.len().into();
        }
        row["last_offline"] = json!(away.outages.last().map(|last| written(last.from)));
        row["recovered"] = away.recovered.into();
        if let Some(back) = away.back {
            row["back_since"] = written(back).into();
        }
        row["status_now"] = json!(asked.find(away.id).map(Device::status));
        if let Some(tickets) = by_device.get(away.id) {
            row["tickets"] = tickets.clone().into();
        }
        row
    };
    away.iter().map(row).collect()
}

/// One row a time, the last first.
fn times(asked: &Asked, away: &[Away<'_>]) -> Vec<Value> {
    let mut times: Vec<(&Away<'_>, &Outage)> = away
        .iter()
        .flat_map(|away| away.outages.iter().map(move |outage| (away, outage)))
        .collect();
    times.sort_by_key(|(_, outage)| std::cmp::Reverse(outage.from));
    let row = |(away, outage): (&Away<'_>, &Outage)| {
        let mut row = named(asked, away);
        row["offline_from"] = written(outage.from).into();
        row["back_at"] = json!(outage.to.map(written));
        row["minutes"] = outage.minutes(asked.period.to).into();
        row
    };
    times.into_iter().map(row).collect()
}

fn named(asked: &Asked, away: &Away<'_>) -> Value {
    let device = asked.find(away.id);
    let name = device.and_then(|device| device.name.as_deref()).or(away.past.name.as_deref());
    let room = device.and_then(Device::path);
    json!({"device_id": away.id, "device": name, "room": room})
}

fn text(answer: &Value) -> String {
    let bound = |name: &str| answer["window"][name].as_str().unwrap_or_default().to_owned();
    let event = answer["event"].as_str().unwrap_or_default();
    let totals = &answer["totals"];
    let counts = if totals.is_null() {
        String::new()
    } else {
        format!(
            ": {} devices, {} times; {} recovered, {} still away",
            totals["devices"], totals["times"], totals["recovered"], totals["still_away"]
        )
    };
    let mut text = String::new();
    foot(&mut text, &format!("{event}{counts}; {} to {}", bound("from"), bound("to")));
    let rows = answer["items"].as_array().map(Vec::as_slice).unwrap_or_default();
    let columns = [
        "device",
        "device_id",
        "room",
        "times",
        "last_offline",
        "recovered",
        "back_since",
        "offline_from",
        "back_at",
        "minutes",
        "status_now",
        "tickets.title",
        "tickets.id",
    ];
    answer::rows(&mut text, &columns, rows);
    let unclear = answer["undetermined"].as_array().map(Vec::as_slice).unwrap_or_default();
    if !unclear.is_empty() {
        foot(&mut text, "undetermined:");
        answer::rows(&mut text, &["device", "device_id", "first_row"], unclear);
    }
    foot(&mut text, &format!("basis: {}", answer["basis"].as_str().unwrap_or_default()));
    answer::end(&mut text, answer);
    text
}
