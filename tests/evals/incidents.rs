//! "What is wrong right now, since when, and who knows of it?" asked of all active incidents, whatever their age.

use serde_json::{Value, json};

use crate::agent::Agent;
use crate::task::Said;
use crate::world::{Facts, World, seconds, text};

const WEEK: i64 = 7 * 86_400;

pub(crate) fn truth(world: &World) -> Facts {
    let mut facts = Facts::new();
    let (mut active, mut old, mut nowhere) = (0, 0, 0);
    for incident in world.active_incidents() {
        let (id, device) = (text(&incident["id"]), text(&incident["device_id"]));
        let since = incident["created"].as_i64().unwrap();
        active += 1;
        old += usize::from(since < world.now - WEEK);
        nowhere += usize::from(device.is_empty());
        facts.insert(format!(
            "{id} is {} {}",
            text(&incident["priority"]),
            text(&incident["title"])
        ));
        facts.insert(format!("{id} since {since}"));
        if device.is_empty() {
            continue;
        }
        facts.insert(format!("{id} about {device}"));
        let about = |ticket: &&Value| ticket["device_id"] == device;
        for ticket in world.open_tickets().filter(about) {
            facts.insert(format!("{id} ticket {}", text(&ticket["id"])));
        }
    }
    facts.insert(format!("{active} active, {old} older, {nowhere} without a device"));
    facts
}

pub(crate) async fn ask(agent: &mut Agent<'_>) -> Said {
    let answer = agent.call("incident_triage", json!({})).await;
    let mut said = Said::of(&[&answer]);
    for group in answer.list("/groups") {
        let what = format!("{} {}", text(&group["priority"]), text(&group["title"]));
        for incident in group["incidents"].as_array().into_iter().flatten() {
            let id = text(&incident["id"]);
            said.facts.insert(format!("{id} is {what}"));
            said.facts.extend(seconds(&incident["since"]).map(|at| format!("{id} since {at}")));
            if let Some(device) = incident["device_id"].as_str() {
                said.facts.insert(format!("{id} about {device}"));
            }
            for ticket in incident["tickets"].as_array().into_iter().flatten() {
                said.facts.insert(format!("{id} ticket {}", text(ticket)));
            }
        }
    }
    let totals = &answer.structured["totals"];
    if totals.is_object() {
        let count = |name: &str| totals[name].clone();
        let (old, nowhere) = (count("older_than_7_days"), count("without_device"));
        let active = count("active");
        said.facts.insert(format!("{active} active, {old} older, {nowhere} without a device"));
    }
    said
}
