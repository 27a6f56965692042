//! One incident with everything that is known around it.

use serde::Deserialize;
use serde_json::{Value, json};
use xyte_mcp_runtime::dispatch::desk::{Computed, Desk};
use xyte_mcp_runtime::failure::Failure;
use xyte_mcp_runtime::shape::table::foot;
use xyte_mcp_runtime::text::quoted;

use super::super::answer;
use super::super::fleet::Incident;
use super::super::period::written;
use super::{Case, Facts, priority};

#[derive(Debug, Deserialize)]
struct Status {
    effective_status: Option<String>,
}

pub(super) async fn compute(desk: &Desk<'_>, facts: &Facts, id: &str) -> Result<Computed, Failure> {
    let cases = facts.cases();
    let Some(place) = cases.iter().position(|case| case.incident.id == id) else {
        return Err(absent(facts, id));
    };
    let case = &cases[place];
    let mut warnings = facts.warnings.clone();
    let status = match &case.incident.device_id {
        Some(device) => status(desk, device, &mut warnings).await,
        None => Value::Null,
    };
    let mut incident = told(facts, case);
    incident["device_status_now"] = status;
    // A place among some would be none.
    incident["place"] = json!(facts.active.complete.then_some(place + 1));
    incident["of_active"] = json!(facts.active.complete.then_some(cases.len()));
    let structured = json!({
        "window": facts.window(),
        "incident": incident,
        "scanned": {"active": facts.active.rows.len(), "last_30_days": facts.recent.rows.len(), "tickets": facts.tickets.rows.len()},
        "complete": facts.complete() && warnings.len() == facts.warnings.len(),
        "warnings": warnings,
    });
    let lists = ["/incident/same_time", "/incident/same_room", "/incident/earlier"];
    let (structured, text) = answer::fitted(desk.room(), structured, &lists, text);
    Ok(Computed { structured, text, as_of: facts.as_of() })
}

async fn status(desk: &Desk<'_>, device: &str, warnings: &mut Vec<String>) -> Value {
    let arguments = json!({"device_id": device});
    let arguments = arguments.as_object().cloned().unwrap_or_default();
    let read = desk.object::<Status>("get_device", &arguments, &["effective_status"]).await;
    match read {
        Ok((status, _)) => json!(status.effective_status),
        Err(failure) => {
            warnings.push(format!("the device could not be read ({failure})"));
            Value::Null
        }
    }
}

/// Why there is no active incident of this id.
fn absent(facts: &Facts, id: &str) -> Failure {
    let message = format!("no active incident is `{}`", quoted(id));
    let failure = Failure::new("not_found", message);
    if facts.recent.rows.iter().any(|row| row.id == id) {
        return failure.with_hint("It was raised within 30 days and is closed.");
    }
    failure.with_hint(if facts.complete() {
        "incident_triage without incident_id lists all active ones."
    } else {
        "Not all incidents could be read, so it may exist. Try again."
    })
}

fn told(facts: &Facts, case: &Case<'_>) -> Value {
    let incident = case.incident;
    let age = incident.created_at.map(|at| (facts.now - at).num_hours());
    let others = |list: &[&Incident]| -> Vec<Value> { list.iter().map(|it| other(it)).collect() };
    let earlier = case.same.iter().filter(|it| it.id != incident.id);
    json!({
        "id": incident.id,
        "priority": priority(incident),
        "title": incident.title,
        "since": incident.created_at.map(written),
        "age_hours": age,
        "device": incident.device_name,
        "device_id": incident.device_id,
        "room": incident.path,
        "seen_30d": case.same.len(),
        "earlier": earlier.map(|it| json!({"id": it.id, "status": it.status, "since": it.created_at.map(written), "last_change": it.updated_at.map(written)})).collect::<Vec<_>>(),
        "same_room": others(&case.in_room),
        "same_time": others(&case.at_that_time),
        "tickets": case.tickets.iter().map(|it| json!({"id": it.id, "title": it.title, "opened": it.created_at.map(written)})).collect::<Vec<_>>(),
    })
}

fn other(incident: &Incident) -> Value {
    json!({
        "id": incident.id,
        "priority": priority(incident),
        "title": incident.title,
        "device": incident.device_name,
        "room": incident.path,
        "since": incident.created_at.map(written),
    })
}

fn text(answer: &Value) -> String {
    let incident = &answer["incident"];
    let mut text = String::new();
    foot(&mut text, "one incident:");
    let columns = [
        "priority",
        "title",
        "id",
        "since",
        "age_hours",
        "device",
        "device_id",
        "device_status_now",
        "room",
        "seen_30d",
        "place",
        "of_active",
    ];
    answer::rows(&mut text, &columns, std::slice::from_ref(incident));
    for (list, columns) in [
        ("earlier", &["id", "status", "since", "last_change"][..]),
        ("same_room", &["id", "priority", "title", "device", "since"][..]),
        ("same_time", &["id", "priority", "title", "device", "room", "since"][..]),
        ("tickets", &["id", "title", "opened"][..]),
    ] {
        answer::list(&mut text, incident, list, columns);
    }
    answer::end(&mut text, answer);
    text
}
