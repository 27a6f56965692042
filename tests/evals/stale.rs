//! "Which open tickets does nobody work on, and which of them are about something that is still broken or gone?"

use std::collections::BTreeSet;

use serde_json::json;

use crate::agent::Agent;
use crate::task::Said;
use crate::world::{Facts, World, seconds, text};

const DAYS: i64 = 30;

pub(crate) fn truth(world: &World) -> Facts {
    let devices: BTreeSet<&str> = world.devices().map(|device| text(&device["id"])).collect();
    let broken: BTreeSet<&str> =
        world.active_incidents().map(|incident| text(&incident["device_id"])).collect();
    let mut facts = Facts::new();
    let mut open = 0;
    for ticket in world.open_tickets() {
        let comments = ticket["comments"].as_array().unwrap().iter();
        let written = comments.map(|comment| &comment["created"]).chain([&ticket["created"]]);
        let activity = written.filter_map(serde_json::Value::as_i64).max().unwrap();
        let (id, device) = (text(&ticket["id"]), text(&ticket["device_id"]));
        open += 1;
        let signs = [
            ("stale", activity <= world.now - DAYS * 86_400),
            ("broken", broken.contains(device)),
            ("orphaned", !device.is_empty() && !devices.contains(device)),
        ];
        for (sign, _) in signs.into_iter().filter(|(_, is_so)| *is_so) {
            facts.insert(format!("{id} {sign}"));
            facts.insert(format!("{id} last {activity}"));
        }
    }
    for sign in ["stale", "orphaned"] {
        let count = facts.iter().filter(|fact| fact.ends_with(&format!(" {sign}"))).count();
        facts.insert(format!("{count} of them {sign}"));
    }
    facts.insert(format!("{open} of them open"));
    facts
}

pub(crate) async fn ask(agent: &mut Agent<'_>) -> Said {
    let answer = agent.call("ticket_triage", json!({"stale_days": DAYS})).await;
    let mut said = Said::of(&[&answer]);
    let lists = [
        ("/stale_with_active_incident", &["stale", "broken"][..]),
        ("/orphaned", &["orphaned"]),
        ("/stale", &["stale"]),
        ("/active_incident", &["broken"]),
    ];
    for (list, signs) in lists {
        for ticket in answer.list(list) {
            let id = text(&ticket["id"]);
            said.facts.extend(signs.iter().map(|sign| format!("{id} {sign}")));
            // Orphaned ones may be stale as well, which their days tell.
            if ticket["idle_days"].as_i64().is_some_and(|days| days >= DAYS) {
                said.facts.insert(format!("{id} stale"));
            }
            said.facts
                .extend(seconds(&ticket["last_activity"]).map(|at| format!("{id} last {at}")));
        }
    }
    for count in ["open", "stale", "orphaned"] {
        let told = answer.structured["totals"][count].as_u64();
        said.facts.extend(told.map(|told| format!("{told} of them {count}")));
    }
    said
}
