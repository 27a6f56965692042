//! T2, the reading half: "Reboot all projectors in building HQ/B1": which ones can be, and which not for which reason.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use crate::agent::Agent;
use crate::platform::Platform;
use crate::task::Said;
use crate::world::{Facts, World, text};

/// The building, and how a person would look for its projectors.
fn place(small: bool) -> (&'static str, &'static str) {
    if small { ("Northwind/Oslo", "projector Oslo") } else { ("HQ/B1", "projector HQ B1") }
}

/// Models by id: name, and whether it can be rebooted; from the platform itself.
async fn models(platform: &Platform) -> BTreeMap<String, (String, bool)> {
    let mut models = BTreeMap::new();
    for row in platform.rows("models").await {
        let id = text(&row["id"]).to_owned();
        let whole = platform.row(&format!("models/{id}")).await;
        let commands = whole["commands"].as_array().unwrap();
        let reboots = commands.iter().any(|command| command["name"] == "reboot");
        models.insert(id, (text(&row["model"]).to_owned(), reboots));
    }
    models
}

pub(crate) async fn truth(platform: &Platform, world: &World, small: bool) -> Facts {
    let models = models(platform).await;
    let mut facts = Facts::new();
    for device in world.devices_below(place(small).0) {
        let (model, reboots) = &models[text(&device["model_id"])];
        if !model.contains("Projector") {
            continue;
        }
        let (id, is_well) = (text(&device["id"]), device["effective"] == "ok");
        let status = text(&device["effective"]);
        facts.insert(match (is_well, reboots) {
            (_, false) => format!("{id} is left out: no reboot"),
            (false, true) => format!("{id} is left out: {status}"),
            (true, true) => format!("{id} is a target"),
        });
    }
    facts
}

pub(crate) async fn ask(agent: &mut Agent<'_>, small: bool) -> Said {
    let (space, query) = place(small);
    let asked = json!({"query": query, "kinds": ["device"], "limit": 50});
    let found = agent.call("find", asked).await;
    let mut said = Said::of(&[&found]);
    let status: BTreeMap<String, String> = found
        .list("/hits")
        .iter()
        .map(|hit| (text(&hit["id"]).to_owned(), text(&hit["status"]).to_owned()))
        .collect();
    if status.is_empty() {
        return said;
    }
    let all = ["ok", "warning", "error", "offline", "disconnected", "never_seen"];
    let asked = json!({"group_by": "model", "space": space, "status": all});
    let by_model = agent.call("fleet_health", asked).await;
    said.hear(&by_model);
    // Groups hold fewer devices than they count where not all fit; those that are nowhere listed are in the one such group.
    let mut rest: BTreeSet<&String> = status.keys().collect();
    let mut groups: Vec<(BTreeSet<String>, bool)> = Vec::new();
    for group in by_model.list("/groups") {
        let devices = group["devices"].as_array().into_iter().flatten();
        let ids: BTreeSet<String> = devices.map(|row| text(&row["id"]).to_owned()).collect();
        let short = group["matched"].as_u64() != Some(ids.len() as u64);
        let ids: BTreeSet<String> = ids.into_iter().filter(|id| rest.remove(id)).collect();
        if !ids.is_empty() {
            groups.push((ids, short));
        }
    }
    let short = groups.iter_mut().filter(|(_, short)| *short).collect::<Vec<_>>();
    match (short.len(), rest.is_empty()) {
        (_, true) => {}
        (1, false) => {
            short.into_iter().for_each(|(ids, _)| ids.extend(rest.iter().map(|id| (*id).clone())))
        }
        _ => said.misses.push(format!("the models of {rest:?} are not told")),
    }
    for (ids, _) in groups {
        let reboots = can_reboot(agent, &mut said, ids.first().unwrap()).await;
        for id in ids {
            said.facts.insert(match (status[&id].as_str(), reboots) {
                (_, false) => format!("{id} is left out: no reboot"),
                ("ok", true) => format!("{id} is a target"),
                (status, true) => format!("{id} is left out: {status}"),
            });
        }
    }
    said
}

/// Whether a device's model knows the command.
async fn can_reboot(agent: &mut Agent<'_>, said: &mut Said, device: &str) -> bool {
    let device = agent.call("get_device", json!({"device_id": device})).await;
    let model = device.structured["model"]["id"].clone();
    let model = agent.call("get_device_model", json!({"model_id": model})).await;
    said.hear(&device);
    said.hear(&model);
    model.list("/commands").iter().any(|command| command["name"] == "reboot")
}
