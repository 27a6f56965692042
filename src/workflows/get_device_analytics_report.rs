//! `get_device_analytics_report`: how much of a period a device could be reached, as far as its recorded states tell. What they do not tell is said to be unknown.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use xyte_mcp_runtime::dispatch::desk::{Computed, Desk, Rows};
use xyte_mcp_runtime::failure::Failure;
use xyte_mcp_runtime::shape::table::foot;
use xyte_mcp_runtime::text::quoted;

use super::answer;
use super::device;
use super::fleet::{self, Device, Incident};
use super::history::{History, LOOK_BACK, Of, Point};
use super::period::{Period, length, written};
use super::timeline::{FLAPPING, Outage, Spent, most_in_a_day, outages, spent};
use crate::generated::workflows::GetDeviceAnalyticsReport;

/// A share of less than this half of the time says nothing about the whole.
const LEAST_KNOWN_PERCENT: f64 = 50.0;

/// What was read about the device.
struct Facts {
    device: Device,
    period: Period,
    points: Vec<Point>,
    rows: usize,
    /// Whether all rows of the period are there.
    all_rows: bool,
    incidents: Rows<Incident>,
    warnings: Vec<String>,
    as_of: DateTime<Utc>,
}

pub(super) async fn compute(
    desk: &Desk<'_>,
    arguments: GetDeviceAnalyticsReport,
) -> Result<Computed, Failure> {
    let facts = read(desk, &arguments).await?;
    let as_of = facts.as_of;
    let (structured, text) =
        answer::fitted(desk.room(), report(facts), &["/outages", "/incidents"], text);
    Ok(Computed { structured, text, as_of })
}

async fn read(desk: &Desk<'_>, arguments: &GetDeviceAnalyticsReport) -> Result<Facts, Failure> {
    if arguments.period.is_some() && arguments.from.is_some() {
        return Err(Failure::invalid_arguments("`period` and `from` both say when it begins"));
    }
    let length = length(arguments.period.as_deref().unwrap_or("week"))?;
    let (device, now) = device::one(desk, &arguments.device_id).await?;
    let bounds = (arguments.from.as_deref(), arguments.to.as_deref());
    let period = Period::of(bounds, length, now)?;
    let (history, incidents) = futures::join!(
        History::read(desk, Of::Device(&device.id), period.begun_before(LOOK_BACK)),
        incidents(desk, &period),
    );
    let mut history = history?;
    let mut warnings = std::mem::take(&mut history.warnings);
    let incidents = fleet::secondary(incidents, "incidents", &mut warnings);
    let past = history.devices.remove(&device.id).unwrap_or_default();
    Ok(Facts {
        as_of: now.min(history.as_of).min(incidents.as_of),
        rows: past.rows,
        points: past.points,
        all_rows: history.complete,
        device,
        period,
        incidents,
        warnings,
    })
}

/// Incidents that were raised in the period, and those that are still active.
async fn incidents(desk: &Desk<'_>, period: &Period) -> Result<Rows<Incident>, Failure> {
    let (raised, active) =
        futures::try_join!(fleet::raised(desk, period.from, period.to), fleet::incidents(desk))?;
    let mut both = raised;
    both.complete &= active.complete;
    both.as_of = both.as_of.min(active.as_of);
    both.warnings.extend(active.warnings);
    // What is active and was raised before the period reaches into it.
    let earlier = |row: &Incident| row.created_at.is_none_or(|at| at < period.from);
    both.rows.extend(active.rows.into_iter().filter(earlier));
    Ok(both)
}

fn report(facts: Facts) -> Value {
    let Facts { device, period, points, rows, all_rows, incidents, warnings, .. } = facts;
    let spent = spent(&points, &period);
    let touches =
        |outage: &Outage| outage.from <= period.to && outage.to.is_none_or(|to| to >= period.from);
    let outages: Vec<Outage> = outages(&points).into_iter().filter(touches).collect();
    let begun: Vec<DateTime<Utc>> = outages
        .iter()
        .filter(|outage| outage.seen_to_begin && period.holds(outage.from))
        .map(|outage| outage.from)
        .collect();
    let ended = outages.iter().filter(|outage| outage.to.is_some_and(|to| period.holds(to)));
    let known = percent(spent.up + spent.down, period.to - period.from);
    let reason = reason(&device, (rows, points.len()), (all_rows, known));
    let availability = reason.is_none().then(|| percent(spent.up, spent.up + spent.down));
    let mut window = period.told();
    window["requests"] = period.begun_before(LOOK_BACK).pieces().len().into();
    let most = most_in_a_day(&begun);
    // Rows that are missing may hold more of them.
    let flapping = (most >= FLAPPING || reason.is_none()).then_some(most >= FLAPPING);
    let own = |row: &&Incident| row.device_id.as_deref() == Some(device.id.as_str());
    let own: Vec<Value> = incidents.rows.iter().filter(own).map(incident).collect();
    json!({
        "device": {"id": device.id, "name": device.name, "path": device.path(), "status_now": device.status()},
        "window": window,
        "availability_percent": availability,
        "reason": reason,
        "known_percent": known,
        "minutes": {
            "up": spent.up.num_minutes(), "down": spent.down.num_minutes(),
            "in_error": spent.error.num_minutes(), "unknown": spent.unknown.num_minutes(),
        },
        "transitions": {"to_offline": begun.len(), "to_online": ended.count()},
        "outages": outages.iter().map(|it| told(it, &period)).collect::<Vec<_>>(),
        "flapping": {"flapping": flapping, "most_in_a_day": most},
        "incidents": own,
        "basis": basis(&spent),
        "scanned": {"rows": rows, "incidents": incidents.rows.len()},
        "complete": all_rows && incidents.complete,
        "warnings": warnings,
    })
}

/// Why no availability is told.
fn reason(
    device: &Device,
    (rows, points): (usize, usize),
    (all_rows, known): (bool, f64),
) -> Option<String> {
    let status = quoted(device.status());
    if !all_rows {
        Some("not all recorded states could be read: see warnings".to_owned())
    } else if rows > 0 && points == 0 {
        Some(format!("{rows} rows are recorded in this period, and none tells a status"))
    } else if points == 0 {
        Some(format!("no states are recorded in this period; the device is {status} now"))
    } else if known < LEAST_KNOWN_PERCENT {
        Some(format!("recorded states cover only {known} % of the period"))
    } else {
        None
    }
}

/// How the figures come about.
fn basis(spent: &Spent) -> [String; 5] {
    let minutes = spent.silence.num_minutes();
    [
        "transitions: between recorded rows (list_device_histories), so at their moments; changes between two rows are not seen".to_owned(),
        "down: offline, unavailable or disconnected; error counts as up, and apart".to_owned(),
        format!("gaps: a state holds until the next row, for {minutes} minutes at most (three times the usual distance of rows); what is behind that is unknown, and not in the percentage"),
        format!("flapping: {FLAPPING} or more times offline within 24 hours"),
        "incidents: raised in the period, or still active; one that was raised before it and is closed is not among them".to_owned(),
    ]
}

fn percent(part: TimeDelta, whole: TimeDelta) -> f64 {
    let share = part.as_seconds_f64() / whole.as_seconds_f64().max(1.0);
    (share * 100_000.0).round() / 1_000.0
}

fn told(outage: &Outage, period: &Period) -> Value {
    let mut told = json!({
        "from": written(outage.from),
        "to": outage.to.map(written),
        "minutes": outage.minutes(period.to),
    });
    if !outage.seen_to_begin {
        told["began_earlier"] = true.into();
    }
    told
}

fn incident(incident: &Incident) -> Value {
    let is_active = incident.status.as_deref() == Some("active");
    let ended = incident.updated_at.filter(|_| !is_active);
    json!({
        "id": incident.id,
        "title": incident.title,
        "priority": incident.priority,
        "status": incident.status,
        "since": incident.created_at.map(written),
        "last_change": ended.map(written),
    })
}

fn text(answer: &Value) -> String {
    let word = |pointer: &str| answer.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let availability = match answer["availability_percent"].as_f64() {
        Some(percent) => format!("available {percent} % of the known time"),
        None => format!("availability unknown: {}", word("/reason")),
    };
    let (minutes, turns, flapping) =
        (&answer["minutes"], &answer["transitions"], &answer["flapping"]);
    let mut text = String::new();
    let first = format!(
        "{} ({}), {} to {}: {availability}",
        quoted(word("/device/name")),
        quoted(word("/device/id")),
        word("/window/from"),
        word("/window/to")
    );
    foot(&mut text, &first);
    let spent = format!(
        "minutes up {}, down {}, in error {}, unknown {} ({} % known)",
        minutes["up"],
        minutes["down"],
        minutes["in_error"],
        minutes["unknown"],
        answer["known_percent"]
    );
    foot(&mut text, &spent);
    let turns = format!(
        "went offline {} times, came back {}; flapping: {} (most in a day: {})",
        turns["to_offline"], turns["to_online"], flapping["flapping"], flapping["most_in_a_day"]
    );
    foot(&mut text, &turns);
    answer::list(&mut text, answer, "outages", &["from", "to", "minutes", "began_earlier"]);
    let columns = ["id", "title", "priority", "status", "since", "last_change"];
    answer::list(&mut text, answer, "incidents", &columns);
    for basis in answer["basis"].as_array().into_iter().flatten() {
        foot(&mut text, &format!("basis: {}", basis.as_str().unwrap_or_default()));
    }
    answer::end(&mut text, answer);
    text
}
