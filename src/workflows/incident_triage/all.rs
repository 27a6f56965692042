//! All active incidents, those of one kind together, as many as fit.

use chrono::TimeDelta;
use serde_json::{Value, json};
use xyte_mcp_runtime::dispatch::desk::Computed;
use xyte_mcp_runtime::shape::table::foot;

use super::super::answer;
use super::super::period::written;
use super::{Case, Facts, by_priority, priority};

/// The platform's default window for incidents; what is older is easily overlooked.
const OVERLOOKED: TimeDelta = TimeDelta::days(7);

pub(super) fn compute(room: usize, facts: &Facts) -> Computed {
    let mut cases = facts.cases();
    // Of one priority, the kind that begins with the most urgent case comes first.
    let mut kinds: Vec<(&str, Option<&str>)> = Vec::new();
    for case in &cases {
        if !kinds.contains(&kind(case)) {
            kinds.push(kind(case));
        }
    }
    let place = |case: &Case<'_>| kinds.iter().position(|it| *it == kind(case));
    cases.sort_by_cached_key(place);
    let totals = facts.complete().then(|| totals(facts, &cases));
    let (structured, text) = answer::shortened(room, cases.len(), |kept| {
        let answer = shown(facts, &cases, (kept, totals.clone()));
        let text = text(&answer);
        (answer, text)
    });
    Computed { structured, text, as_of: facts.as_of() }
}

fn kind<'f>(case: &Case<'f>) -> (&'f str, Option<&'f str>) {
    (priority(case.incident), case.incident.title.as_deref())
}

fn totals(facts: &Facts, cases: &[Case<'_>]) -> Value {
    let count = |fits: &dyn Fn(&Case<'_>) -> bool| cases.iter().filter(|case| fits(case)).count();
    let is_old =
        |case: &Case<'_>| case.incident.created_at.is_some_and(|at| at < facts.now - OVERLOOKED);
    json!({
        "active": cases.len(),
        "older_than_7_days": count(&is_old),
        "without_device": count(&|case| case.incident.device_id.is_none()),
        "recurring": count(&|case| case.same.len() > 1),
        "with_ticket": count(&|case| !case.tickets.is_empty()),
        "by_priority": by_priority(cases),
    })
}

fn shown(facts: &Facts, cases: &[Case<'_>], (kept, totals): (usize, Option<Value>)) -> Value {
    let mut groups: Vec<Value> = Vec::new();
    let mut room = kept;
    for group in cases.chunk_by(|left, right| kind(left) == kind(right)) {
        let (priority, title) = kind(&group[0]);
        let rows = group.iter().take(room).map(row);
        room = room.saturating_sub(group.len());
        groups.push(json!({
            "priority": priority,
            "title": title,
            "count": group.len(),
            "incidents": rows.collect::<Vec<_>>(),
        }));
    }
    let mut answer = json!({
        "window": facts.window(),
        "totals": totals,
        "order": "priority; then how many are active in the room, how often it came, the oldest first",
        "groups": groups,
        "scanned": {"active": facts.active.rows.len(), "last_30_days": facts.recent.rows.len(), "tickets": facts.tickets.rows.len()},
        "complete": facts.complete(),
        "warnings": facts.warnings,
    });
    if kept < cases.len() {
        answer["left_out"] = json!({"incidents": cases.len() - kept});
    }
    answer
}

/// What is the same for most incidents is left out.
fn row(case: &Case<'_>) -> Value {
    let incident = case.incident;
    let mut row = json!({"id": incident.id, "since": incident.created_at.map(written)});
    if let Some(id) = &incident.device_id {
        row["device"] = json!(incident.device_name);
        row["device_id"] = json!(id);
        row["room"] = json!(incident.path);
    }
    for (member, count) in [
        ("seen_30d", case.same.len().saturating_sub(1)),
        ("same_room", case.in_room.len()),
        ("same_time", case.at_that_time.len()),
    ] {
        if count > 0 {
            let itself = usize::from(member == "seen_30d");
            row[member] = (count + itself).into();
        }
    }
    if !case.tickets.is_empty() {
        row["tickets"] = case.tickets.iter().map(|ticket| json!(ticket.id)).collect();
    }
    row
}

fn text(answer: &Value) -> String {
    let totals = &answer["totals"];
    let first = if totals.is_null() {
        "active incidents".to_owned()
    } else {
        format!(
            "{} active incidents, {} older than 7 days, {} without a device, {} recurring, {} with an open ticket",
            totals["active"],
            totals["older_than_7_days"],
            totals["without_device"],
            totals["recurring"],
            totals["with_ticket"]
        )
    };
    let mut text = String::new();
    foot(&mut text, &first);
    let mut lines: Vec<Value> = Vec::new();
    for group in answer["groups"].as_array().into_iter().flatten() {
        let rows = group["incidents"].as_array().map(Vec::as_slice).unwrap_or_default();
        for (index, row) in rows.iter().enumerate() {
            let mut line = row.clone();
            if index == 0 {
                line["priority"] = group["priority"].clone();
                line["title"] = group["title"].clone();
            }
            lines.push(line);
        }
    }
    let columns = [
        "priority",
        "title",
        "id",
        "since",
        "device",
        "device_id",
        "room",
        "seen_30d",
        "same_room",
        "same_time",
        "tickets",
    ];
    answer::rows(&mut text, &columns, &lines);
    answer::end(&mut text, answer);
    text
}
