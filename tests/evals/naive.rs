//! T1 and T7 asked of the platform's API page by page, as a client of a server that only passes calls on has to: the measure beside which the answers of computed tools stand. It is judged by no budget.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::board::{HEAD, Row, share};
use crate::platform::Platform;
use crate::world::{Facts, World, seconds, text};
use crate::{offline, outages, tokens};

/// What was read, and what it would have cost a model.
struct Reader<'p> {
    platform: &'p Platform,
    calls: usize,
    tokens: usize,
    largest: usize,
    real: usize,
}

impl<'p> Reader<'p> {
    fn of(platform: &'p Platform) -> Self {
        Self { platform, calls: 0, tokens: 0, largest: 0, real: 0 }
    }

    async fn read(&mut self, path: &str) -> Value {
        let answer = self.platform.row(path).await;
        let written = answer.to_string();
        let tokens = tokens::quarter(&written);
        self.calls += 1;
        self.tokens += tokens;
        self.largest = self.largest.max(tokens);
        self.real += tokens::real(&written);
        answer
    }

    async fn list(&mut self, list: &str) -> Vec<Value> {
        let mut rows = Vec::new();
        for page in 1.. {
            let join = if list.contains('?') { '&' } else { '?' };
            let mut answer = self.read(&format!("{list}{join}page={page}")).await;
            let Value::Array(items) = answer["items"].take() else { break };
            rows.extend(items);
            if answer["has_next_page"] != true {
                break;
            }
        }
        rows
    }

    fn row(self, name: &str, said: &Facts, truth: &Facts) -> Row {
        let right = said.intersection(truth).count();
        let mut cells = vec!["-".to_owned(); HEAD.len()];
        let told = [
            (0, name.to_owned()),
            (1, "baseline".to_owned()),
            (2, "1".to_owned()),
            (3, "the API itself, page by page".to_owned()),
            (4, self.calls.to_string()),
            (6, self.tokens.to_string()),
            (7, self.largest.to_string()),
            (8, format!("-/{}", self.real)),
            (9, self.calls.to_string()),
            (12, share(right, said.len())),
            (13, share(right, truth.len())),
        ];
        for (column, cell) in told {
            cells[column] = cell;
        }
        Row { cells, misses: Vec::new(), judged: false }
    }
}

pub(crate) async fn run() -> Vec<Row> {
    let platform = Platform::start(1, "baseline");
    let world = World::of(&platform).await;
    let week = outages::Asked { place: "TLV", from: None };
    vec![rooms(&platform, &world).await, gone(&platform, &world, week).await]
}

/// Devices, incidents and tickets as the lists give them without further arguments.
async fn rooms(platform: &Platform, world: &World) -> Row {
    let mut reader = Reader::of(platform);
    let mut facts = Facts::new();
    let devices = reader.list("devices").await;
    let incidents = reader.list("incidents?status=active").await;
    let tickets = reader.read("tickets").await;
    let mut rooms: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    for device in &devices {
        let place = device["space"]["full_path"].as_str().unwrap_or("no space");
        rooms.entry(place).or_default().push(device);
        if device["effective_status"] != "offline" {
            continue;
        }
        let id = text(&device["id"]);
        facts.insert(format!("{id} in {place}"));
        facts.extend(seconds(&device["last_seen_at"]).map(|at| format!("{id} seen {at}")));
        let of = |row: &&Value| row["device_id"] == id;
        for row in incidents.iter().filter(of) {
            facts.insert(format!("{id} incident {}", text(&row["title"])));
        }
        for row in tickets.as_array().unwrap().iter().filter(of) {
            facts.insert(format!("{id} ticket {}", text(&row["id"])));
        }
    }
    rooms.remove("no space");
    let down = |device: &Value| device["effective_status"] == "offline";
    let rooms = rooms.into_iter().map(|(place, devices)| {
        let all = devices.len();
        let seen = devices.into_iter().filter(|device| down(device));
        (place, all, seen.filter_map(|device| seconds(&device["last_seen_at"])).collect())
    });
    facts.extend(rooms.filter_map(|(place, all, seen)| offline::cause(place, all, seen)));
    let status: Vec<&str> = devices.iter().map(|row| text(&row["effective_status"])).collect();
    facts.extend(offline::counts(&status));
    reader.row("T1 rooms offline", &facts, &offline::truth(world))
}

/// The rows of devices that are offline now, which is what the platform's filter looks at.
async fn gone(platform: &Platform, world: &World, week: outages::Asked) -> Row {
    let truth = outages::truth(platform, world, week).await;
    let mut reader = Reader::of(platform);
    let devices = reader.list("devices").await;
    let rows = reader.list("devices/histories?status=offline&per_page=1000").await;
    let tickets = reader.read("tickets").await;
    let mut facts = Facts::new();
    for device in &devices {
        let id = text(&device["id"]);
        let path = text(&device["space"]["full_path"]);
        let of = |row: &&Value| row["uuid"] == id && row["state"]["status"] == "offline";
        let away = rows.iter().filter(of).filter_map(|row| seconds(&row["created_at"])).min();
        let Some(away) = away.filter(|_| path.starts_with(week.place)) else { continue };
        facts.insert(format!("{id} in {path}"));
        facts.insert(format!("{id} went {away}"));
        facts.insert(format!("{id} away"));
        for ticket in tickets.as_array().unwrap().iter().filter(|row| row["device_id"] == id) {
            facts.insert(format!("{id} ticket {}", text(&ticket["id"])));
        }
    }
    reader.row("T7 week in Tel Aviv", &facts, &truth)
}
