//! What is true of a tenant, from the sandbox's own export: nothing that a server said plays a part. It knows no task.

use std::collections::{BTreeMap, BTreeSet};

use chrono::DateTime;
use serde_json::Value;

use crate::platform::Platform;

/// Sentences that are true or false: an id, and what is said of it.
pub(crate) type Facts = BTreeSet<String>;

/// A tenant, and the moment.
pub(crate) struct World {
    tenant: Value,
    /// Unix seconds of the virtual present.
    pub(crate) now: i64,
}

impl World {
    pub(crate) async fn of(platform: &Platform) -> Self {
        let clock = platform.behind("clock").await;
        let mut state = platform.behind("state").await;
        Self { tenant: state["A"].take(), now: seconds(&clock["now"]).unwrap() }
    }

    fn rows(&self, noun: &str) -> impl Iterator<Item = &Value> {
        self.tenant[noun].as_object().unwrap().values()
    }

    pub(crate) fn devices(&self) -> impl Iterator<Item = &Value> {
        self.rows("devices")
    }

    pub(crate) fn licenses(&self) -> impl Iterator<Item = &Value> {
        self.rows("licenses")
    }

    pub(crate) fn spaces(&self) -> impl Iterator<Item = &Value> {
        self.rows("spaces")
    }

    pub(crate) fn open_tickets(&self) -> impl Iterator<Item = &Value> {
        self.rows("tickets").filter(|ticket| ticket["open"] == true)
    }

    pub(crate) fn active_incidents(&self) -> impl Iterator<Item = &Value> {
        self.rows("incidents").filter(|incident| incident["status"] == "active")
    }

    /// Names from the root down.
    pub(crate) fn path(&self, space: &Value) -> Option<String> {
        let mut names = Vec::new();
        let mut next = space.as_i64();
        while let Some(id) = next {
            let space = &self.tenant["spaces"][id.to_string()];
            names.push(text(&space["name"]));
            next = space["parent_id"].as_i64();
        }
        names.reverse();
        (!names.is_empty()).then(|| names.join("/"))
    }

    /// Devices in a space or below it.
    pub(crate) fn devices_below(&self, path: &str) -> impl Iterator<Item = &Value> {
        let below = format!("{path}/");
        self.devices().filter(move |device| {
            let own = self.path(&device["space_id"]).unwrap_or_default();
            own == path || own.starts_with(&below)
        })
    }

    /// The devices of each room by its path; those without a space are not among them.
    pub(crate) fn rooms(&self) -> BTreeMap<String, Vec<&Value>> {
        let mut rooms: BTreeMap<String, Vec<&Value>> = BTreeMap::new();
        for device in self.devices() {
            if let Some(path) = self.path(&device["space_id"]) {
                rooms.entry(path).or_default().push(device);
            }
        }
        rooms
    }

    /// What its active incidents and open tickets say of a device.
    pub(crate) fn troubles(&self, device: &str) -> Facts {
        let of = |row: &&Value| row["device_id"] == device;
        let incidents = self.active_incidents().filter(of);
        let incidents = incidents.map(|row| format!("{device} incident {}", text(&row["title"])));
        let tickets = self.open_tickets().filter(of);
        incidents
            .chain(tickets.map(|row| format!("{device} ticket {}", text(&row["id"]))))
            .collect()
    }
}

/// The text of a value; empty where there is none.
pub(crate) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Unix seconds of a moment as answers write it.
pub(crate) fn seconds(moment: &Value) -> Option<i64> {
    let moment = DateTime::parse_from_rfc3339(moment.as_str()?).ok()?;
    Some(moment.timestamp())
}
