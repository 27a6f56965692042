//! T1: "Which rooms are offline and why?"

use serde_json::{Value, json};

use crate::agent::{Agent, Answer, Ending};
use crate::task::Said;
use crate::world::{Facts, World, seconds, text};

/// Devices that went down within so many seconds went down together.
const TOGETHER: i64 = 300;

pub(crate) fn truth(world: &World) -> Facts {
    let mut facts = Facts::new();
    let is_down = |device: &&Value| device["effective"] == "offline";
    for device in world.devices().filter(is_down) {
        let id = text(&device["id"]);
        let place = world.path(&device["space_id"]).unwrap_or_else(|| "no space".to_owned());
        facts.insert(format!("{id} in {place}"));
        facts.extend(device["last_seen"].as_i64().map(|at| format!("{id} seen {at}")));
        facts.extend(world.troubles(id));
    }
    for (path, devices) in world.rooms() {
        let down = devices.iter().copied().filter(is_down);
        let seen = down.filter_map(|device| device["last_seen"].as_i64()).collect();
        facts.extend(cause(&path, devices.len(), seen));
    }
    let statuses: Vec<&str> = world.devices().map(|device| text(&device["effective"])).collect();
    facts.extend(counts(&statuses));
    facts
}

/// Why a room is down, by when its devices were seen last; several that are down among others may be either.
pub(crate) fn cause(path: &str, devices: usize, mut seen: Vec<i64>) -> Option<String> {
    seen.sort_unstable();
    match seen.as_slice() {
        [first, .., last] if seen.len() == devices && last - first <= TOGETHER => {
            Some(format!("{path} whole_room_down"))
        }
        [_] if devices > 1 => Some(format!("{path} single_device")),
        _ => None,
    }
}

/// How many devices have which status.
pub(crate) fn counts(statuses: &[&str]) -> Facts {
    let of = |status: &str| statuses.iter().filter(|other| **other == status).count();
    let mut facts: Facts =
        statuses.iter().map(|status| format!("{} are {status}", of(status))).collect();
    facts.insert(format!("{} of {}", of("offline"), statuses.len()));
    facts
}

pub(crate) async fn ask(agent: &mut Agent<'_>) -> Said {
    let asked = json!({"group_by": "room", "status": ["offline"]});
    let answer = agent.call("fleet_health", asked).await;
    let mut said = Said::of(&[&answer]);
    let groups = answer.list("/groups").iter().chain([&answer.structured["no_space"]]);
    for group in groups.filter(|group| group.is_object()) {
        let place = group["name"].as_str().unwrap_or("no space");
        for device in group["devices"].as_array().into_iter().flatten() {
            of_device(&mut said.facts, place, group, device);
        }
        // One of several that are down is told to be alone where they went at other times; only rooms with one are judged.
        let alone = group["matched"] == 1 && group["rows"].as_i64().is_some_and(|rows| rows > 1);
        match text(&group["cause"]) {
            "single_device" if !alone => {}
            cause @ ("single_device" | "whole_room_down") => {
                said.facts.insert(format!("{place} {cause}"));
            }
            _ => {}
        }
    }
    totals(&answer, &mut said);
    warnings(&answer, &mut said);
    said
}

fn of_device(facts: &mut Facts, place: &str, group: &Value, device: &Value) {
    let id = text(&device["id"]);
    facts.insert(format!("{id} in {place}"));
    let seen = device.get("last_seen").unwrap_or(&group["last_seen"]);
    facts.extend(seconds(seen).map(|at| format!("{id} seen {at}")));
    let own = device["incidents"].as_array().into_iter().flatten();
    for incident in own.chain([&group["incident"]]).filter_map(Value::as_str) {
        facts.insert(format!("{id} incident {incident}"));
    }
    for ticket in device["tickets"].as_array().into_iter().flatten() {
        facts.insert(format!("{id} ticket {}", text(&ticket["id"])));
    }
}

/// Totals are told of a fleet that was read to its end, and of no other.
fn totals(answer: &Answer, said: &mut Said) {
    let totals = &answer.structured["totals"];
    for (status, count) in totals["statuses"].as_object().into_iter().flatten() {
        said.facts.insert(format!("{count} are {status}"));
    }
    if totals.is_object() {
        said.facts.insert(format!("{} of {}", totals["matched"], totals["rows"]));
    }
    let warnings = answer.structured["warnings"].to_string();
    let page_missing = warnings.contains("page ") || warnings.contains("devices were scanned");
    if answer.ending() == Ending::Part && page_missing && totals.is_object() {
        said.misses.push("totals of a list that was not read to its end".to_owned());
    }
}

fn warnings(answer: &Answer, said: &mut Said) {
    let warnings = answer.structured["warnings"].to_string();
    let nowhere = answer.structured["no_space"].is_object();
    let named = [("merged groups", true), ("have no space", nowhere), ("incident window", true)];
    for (words, needed) in named {
        if needed && !answer.failed && !warnings.contains(words) {
            said.misses.push(format!("no warning names {words}"));
        }
    }
}
