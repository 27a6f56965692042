//! T4, the reading half: "Prepare the Board room": two rooms have the name, nobody guesses, and the one that is meant is judged with reasons.

use serde_json::{Value, json};

use crate::agent::{Agent, Ending};
use crate::task::Said;
use crate::world::{Facts, World, text};

/// The name that a person says, and the path of the room that is meant.
fn room(small: bool) -> (&'static str, &'static str) {
    if small {
        ("Board", "Northwind/Oslo/Floor 3/Board")
    } else {
        ("Board room", "HQ/B1/F9/Board room")
    }
}

pub(crate) fn truth(world: &World, small: bool) -> Facts {
    let (name, path) = room(small);
    let mut facts = Facts::new();
    for space in world.spaces().filter(|space| space["name"] == name) {
        let path = world.path(&space["id"]).unwrap();
        facts.insert(format!("candidate {} {path}", space["id"]));
    }
    if facts.is_empty() {
        return facts;
    }
    let (mut broken, mut troubled) = (false, false);
    for device in world.devices_below(path) {
        let (id, status) = (text(&device["id"]), text(&device["effective"]));
        facts.insert(format!("{id} is {status}"));
        let troubles = world.troubles(id);
        let critical = world
            .active_incidents()
            .any(|incident| incident["device_id"] == id && incident["priority"] == "critical");
        broken |= critical || ["offline", "disconnected", "error"].contains(&status);
        troubled |= status != "ok" || !troubles.is_empty();
        facts.extend(troubles);
        if status != "ok" {
            facts.insert(format!("reason: {} {status}", text(&device["name"])));
        }
    }
    let verdict = if broken {
        "not_ready"
    } else if troubled {
        "degraded"
    } else {
        "ready"
    };
    facts.insert(format!("the room is {verdict}"));
    facts
}

pub(crate) async fn ask(agent: &mut Agent<'_>, small: bool) -> Said {
    let (name, path) = room(small);
    let found = agent.call("find", json!({"query": name, "kinds": ["space"]})).await;
    let mut said = Said::of(&[&found]);
    let best = found.list("/hits").first().map_or(Value::Null, |hit| hit["fit"].clone());
    let hits: Vec<&Value> = found.list("/hits").iter().filter(|hit| hit["fit"] == best).collect();
    for hit in &hits {
        said.facts.insert(format!("candidate {} {}", text(&hit["id"]), text(&hit["path"])));
    }
    if (found.structured["ambiguous"] == true) != (hits.len() > 1) {
        said.misses.push("two of a name are not told to be ambiguous".to_owned());
    }
    if hits.is_empty() {
        return said;
    }
    if hits.len() > 1 {
        let guess = agent.call("room_status", json!({"space": name})).await;
        let refused = guess.ending() == Ending::Refused && guess.text.contains("ambiguous_name");
        let named = hits.iter().all(|hit| guess.text.contains(text(&hit["path"])));
        if !refused || !named {
            said.misses.push(format!("a name of two rooms was answered with {}", guess.text));
        }
    }
    let answer = agent.call("room_status", json!({"space": path})).await;
    said.hear(&answer);
    if let Some(verdict) = answer.structured["verdict"].as_str() {
        said.facts.insert(format!("the room is {verdict}"));
    }
    let reasons = answer.structured["reasons"].to_string();
    for device in answer.list("/devices") {
        let (id, status) = (text(&device["id"]), text(&device["status"]));
        said.facts.insert(format!("{id} is {status}"));
        let name = text(&device["name"]);
        if reasons.contains(&format!("{name}: status {status}")) {
            said.facts.insert(format!("reason: {name} {status}"));
        }
        for incident in device["incidents"].as_array().into_iter().flatten() {
            said.facts.insert(format!("{id} incident {}", text(&incident["title"])));
        }
        for ticket in device["tickets"].as_array().into_iter().flatten() {
            said.facts.insert(format!("{id} ticket {}", text(&ticket["id"])));
        }
    }
    said
}
