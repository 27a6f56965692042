//! T7: "Which devices went offline this week in Tel Aviv, and what tickets are open on them?"

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat};
use serde_json::{Value, json};

use crate::agent::{Agent, Ending};
use crate::platform::Platform;
use crate::task::Said;
use crate::world::{Facts, World, seconds, text};

const DAY: i64 = 86_400;
/// Longest window of one request of the platform.
const LONGEST: i64 = 31 * DAY;
/// Read before the period, to see what a device was when it began.
const BEFORE: i64 = 3 * DAY;

/// What was asked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked {
    pub(crate) place: &'static str,
    /// The beginning; the last seven days where it is left out.
    pub(crate) from: Option<&'static str>,
}

impl Asked {
    fn begin(self, now: i64) -> i64 {
        self.from.map_or(now - 7 * DAY, |from| seconds(&json!(from)).unwrap())
    }
}

/// From the platform's records, device by device.
pub(crate) async fn truth(platform: &Platform, world: &World, asked: Asked) -> Facts {
    let begin = asked.begin(world.now);
    let mut records: BTreeMap<String, BTreeMap<i64, String>> = BTreeMap::new();
    let mut to = world.now;
    while to > begin - BEFORE {
        let from = (to - LONGEST).max(begin - BEFORE);
        let list = format!("devices/histories?from={from}&to={to}&per_page=1000");
        for row in platform.rows(&list).await {
            let at = seconds(&row["created_at"]).unwrap();
            let of = records.entry(text(&row["uuid"]).to_owned()).or_default();
            of.insert(at, text(&row["state"]["status"]).to_owned());
        }
        to = from;
    }
    let mut facts = Facts::new();
    for device in world.devices_below(asked.place) {
        let id = text(&device["id"]);
        let Some(records) = records.get(id) else { continue };
        let line: Vec<(&i64, bool)> =
            records.iter().map(|(at, status)| (at, status == "offline")).collect();
        let went = line.windows(2).filter(|pair| !pair[0].1 && pair[1].1 && *pair[1].0 >= begin);
        let Some(last) = went.map(|pair| pair[1].0).next_back() else { continue };
        let is_away = line.last().is_some_and(|(_, away)| *away);
        facts.insert(format!("{id} in {}", world.path(&device["space_id"]).unwrap_or_default()));
        facts.insert(format!("{id} went {last}"));
        facts.insert(format!("{id} {}", if is_away { "away" } else { "back" }));
        let tickets = world.troubles(id).into_iter().filter(|fact| fact.contains(" ticket "));
        facts.extend(tickets);
    }
    facts
}

pub(crate) async fn ask(agent: &mut Agent<'_>, world: &World, asked: Asked) -> Said {
    let mut arguments = json!({"space": asked.place, "group_by": "device"});
    if let Some(from) = asked.from {
        arguments["from"] = json!(from);
    }
    let answer = agent.call("search_device_histories", arguments).await;
    let mut said = Said::of(&[&answer]);
    // Without some of the rows nobody knows when a device went; that has to be said.
    let warnings = answer.structured["warnings"].to_string();
    let unsure = answer.ending() == Ending::Part && warnings.contains("may have gone earlier");
    for row in answer.list("/items") {
        let id = text(&row["device_id"]);
        said.facts.insert(format!("{id} in {}", text(&row["room"])));
        for ticket in row["tickets"].as_array().into_iter().flatten() {
            said.facts.insert(format!("{id} ticket {}", text(&ticket["id"])));
        }
        if unsure {
            continue;
        }
        said.facts.extend(seconds(&row["last_offline"]).map(|at| format!("{id} went {at}")));
        let state = if row["recovered"] == true { "back" } else { "away" };
        said.facts.insert(format!("{id} {state}"));
    }
    if answer.failed {
        return said;
    }
    // The window is said, so that a reader knows which week it is.
    let window = &answer.structured["window"];
    let (from, to) = (asked.begin(world.now), world.now);
    if (seconds(&window["from"]), seconds(&window["to"])) != (Some(from), Some(to)) {
        let written = |at| {
            let at = DateTime::from_timestamp(at, 0).unwrap();
            at.to_rfc3339_opts(SecondsFormat::Secs, true)
        };
        said.misses.push(format!("{window} is not {} to {}", written(from), written(to)));
    }
    let totals = &answer.structured["totals"];
    if answer.ending() == Ending::Whole {
        let devices = answer.list("/items").len();
        let back = answer.list("/items").iter().filter(|row| row["recovered"] == true).count();
        let told = (&totals["devices"], &totals["recovered"]);
        if told != (&json!(devices), &json!(back)) {
            said.misses.push(format!("totals {totals} of {devices} devices, {back} back"));
        }
    } else if unsure && *totals != Value::Null {
        said.misses.push("totals of a list that was not read to its end".to_owned());
    }
    said
}
