//! T2, up to the approval: "Reboot all projectors in building HQ/B1, ask me first": who is a target, who is left out and why, and nothing is sent before somebody agreed.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::agent::Agent;
use crate::platform::Platform;
use crate::task::Said;
use crate::world::{Facts, World, text};

/// The building, and the word in the names of the models; the small world has no projectors.
fn place(small: bool) -> (&'static str, &'static str) {
    if small { ("Northwind/Oslo", "panel") } else { ("HQ/B1", "projector") }
}

/// Models by id: name, and whether it can be rebooted; from the platform itself.
async fn models(platform: &Platform) -> BTreeMap<String, (String, bool)> {
    let mut models = BTreeMap::new();
    for row in platform.rows("models").await {
        let id = text(&row["id"]).to_owned();
        let whole = platform.row(&format!("models/{id}")).await;
        let commands = whole["commands"].as_array().unwrap();
        let reboots = commands.iter().any(|command| command["name"] == "reboot");
        models.insert(id, (text(&row["model"]).to_lowercase(), reboots));
    }
    models
}

pub(crate) async fn truth(platform: &Platform, world: &World, small: bool) -> Facts {
    let models = models(platform).await;
    let (space, kind) = place(small);
    let mut facts = Facts::new();
    let (mut targets, mut excluded) = (0, 0);
    for device in world.devices_below(space) {
        let (model, reboots) = &models[text(&device["model_id"])];
        if !model.contains(kind) {
            continue;
        }
        let (id, status) = (text(&device["id"]), text(&device["effective"]));
        let fetches = !["offline", "never_seen"].contains(&status);
        targets += usize::from(fetches && *reboots);
        excluded += usize::from(!fetches || !reboots);
        facts.insert(match (fetches, reboots) {
            (_, false) => format!("{id} is left out: no reboot"),
            (false, true) => format!("{id} is left out: {status}"),
            (true, true) => format!("{id} is a target"),
        });
    }
    facts.insert(format!("{targets} targets, {excluded} left out"));
    facts
}

pub(crate) async fn ask(agent: &mut Agent<'_>, small: bool) -> Said {
    let (space, kind) = place(small);
    let found = agent.call("find", json!({"query": space, "kinds": ["space"], "limit": 3})).await;
    let mut said = Said::of(&[&found]);
    let mut asked = json!({"selector": {"space": space, "model": format!("*{kind}*")}, "command": "reboot", "dry_run": true});
    let preview = agent.call("bulk_command", asked.clone()).await;
    said.hear(&preview);
    if preview.failed {
        return said;
    }
    for target in preview.list("/targets") {
        said.facts.insert(format!("{} is a target", text(&target["id"])));
    }
    for device in preview.list("/excluded") {
        let why = text(&device["why"]);
        let reasons =
            [("no command", "no reboot"), ("offline", "offline"), ("never", "never_seen")];
        let reason = reasons.iter().find(|(words, _)| why.contains(words)).map_or(why, |it| it.1);
        said.facts.insert(format!("{} is left out: {reason}", text(&device["id"])));
    }
    let (targets, excluded) = (preview.list("/targets").len(), preview.list("/excluded").len());
    said.facts.insert(format!("{targets} targets, {excluded} left out"));
    if targets == 0 {
        return said;
    }
    let request = &preview.structured["request"];
    if request["method"] != "POST" || request["body"] != json!({"command": "reboot"}) {
        said.misses.push(format!("the preview shows {request}"));
    }
    asked["dry_run"] = Value::Bool(false);
    let unasked = agent.call("bulk_command", asked).await;
    if !unasked.failed || !unasked.text.contains("confirmation_required") {
        said.misses.push(format!("without a yes it answered {}", unasked.text));
    }
    said
}
