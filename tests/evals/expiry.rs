//! "What runs out within sixty days, and which firmware is behind?"

use std::collections::BTreeMap;

use serde_json::json;

use crate::agent::Agent;
use crate::platform::Platform;
use crate::task::Said;
use crate::world::{Facts, World, text};

const SOON: i64 = 60 * 86_400;

pub(crate) async fn truth(platform: &Platform, world: &World) -> Facts {
    let mut facts = Facts::new();
    for license in world.licenses() {
        if license["expires"].as_i64().is_some_and(|at| at <= world.now + SOON) {
            facts.insert(format!("{} ends", text(&license["id"])));
        }
    }
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    for row in platform.rows("models").await {
        names.insert(text(&row["id"]).to_owned(), text(&row["model"]).to_owned());
    }
    let mut versions: BTreeMap<&str, Vec<Vec<u64>>> = BTreeMap::new();
    for device in world.devices().filter(|device| device["firmware"].is_string()) {
        let parts = text(&device["firmware"]).split('.').map(|part| part.parse().unwrap());
        versions.entry(&names[text(&device["model_id"])]).or_default().push(parts.collect());
    }
    for (model, versions) in versions {
        let newest = versions.iter().max().unwrap();
        let behind = versions.iter().filter(|version| *version < newest).count();
        if behind > 0 {
            facts.insert(format!("{model}: {behind} of {} behind", versions.len()));
        }
    }
    facts
}

pub(crate) async fn ask(agent: &mut Agent<'_>) -> Said {
    let answer = agent.call("expiry_report", json!({"days": 60})).await;
    let mut said = Said::of(&[&answer]);
    for license in answer.list("/licenses") {
        said.facts.insert(format!("{} ends", text(&license["license_id"])));
    }
    // Without some of the devices these are no counts; that has to be said.
    let unsure = answer.structured["warnings"].to_string().contains("at least as many");
    for model in answer.list("/firmware").iter().filter(|_| !unsure) {
        let name = text(&model["model"]);
        said.facts.insert(format!("{name}: {} of {} behind", model["behind"], model["devices"]));
    }
    if !answer.failed && answer.list("/not_available").is_empty() {
        said.misses.push("what the platform does not tell is not told".to_owned());
    }
    said
}
