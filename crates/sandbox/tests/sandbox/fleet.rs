//! The planted facts of `baseline`: what tasks are measured against, counted for several seeds.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::client::{self, B};

const NOW: i64 = 1_788_769_800;
const DAY: i64 = 86_400;

fn count(rows: &[Value], fits: impl Fn(&Value) -> bool) -> usize {
    rows.iter().filter(|row| fits(row)).count()
}

fn text<'a>(row: &'a Value, pointer: &str) -> &'a str {
    row.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

#[tokio::test]
async fn the_statuses_of_the_1200_devices_add_up() {
    for client in client::planted() {
        let devices = client.all("/devices").await;
        let mut statuses = BTreeMap::new();
        for device in &devices {
            *statuses.entry(text(device, "/effective_status")).or_insert(0) += 1;
        }
        let expected =
            [("error", 22), ("never_seen", 12), ("offline", 60), ("ok", 1_088), ("warning", 18)];
        assert_eq!(statuses, BTreeMap::from(expected));
        assert_eq!(count(&devices, |row| row["space"].is_null()), 17);
        let rolled = |row: &Value| row["effective_status"] != row["merged_effective_status"];
        assert_eq!(count(&devices, rolled), 8);
    }
}

#[tokio::test]
async fn projectors_are_where_the_tasks_expect_them() {
    for client in client::planted() {
        let devices = client.all("/devices").await;
        let is = |row: &Value| text(row, "/model/name").contains("Projector");
        let projectors: Vec<Value> = devices.into_iter().filter(is).collect();
        assert_eq!(projectors.len(), 96);
        let inside = |row: &&Value| text(row, "/space/full_path").starts_with("HQ/B1/");
        let inside: Vec<Value> = projectors.iter().filter(inside).cloned().collect();
        assert_eq!(inside.len(), 14);
        let models = client.all("/models").await;
        assert_eq!(models.len(), 9);
        let mut without = BTreeSet::new();
        for model in &models {
            let whole = client.read(&format!("/models/{}", text(model, "/id"))).await;
            let commands = whole["commands"].as_array().unwrap();
            if !commands.iter().any(|command| command["name"] == "reboot") {
                without.insert(text(model, "/id").to_owned());
            }
        }
        assert_eq!(without.len(), 3);
        let able = |row: &Value| !without.contains(text(row, "/model/id"));
        assert_eq!(count(&inside, |row| able(row) && row["effective_status"] == "ok"), 10);
        assert_eq!(count(&inside, |row| able(row) && row["effective_status"] == "offline"), 2);
        assert_eq!(count(&inside, |row| !able(row)), 2);
    }
}

#[tokio::test]
async fn the_240_spaces_hold_two_board_rooms_and_the_hard_names() {
    for client in client::planted() {
        let spaces = client.all("/spaces").await;
        assert_eq!(spaces.len(), 240);
        let boards = client.all("/spaces?name=Board%20room").await;
        let devices = client.all("/devices").await;
        let paths: BTreeSet<&str> = devices
            .iter()
            .filter(|row| boards.iter().any(|room| room["id"] == row["space"]["id"]))
            .map(|row| text(row, "/space/full_path"))
            .collect();
        assert_eq!(paths, BTreeSet::from(["HQ/B1/F9/Board room", "TLV/T2/F3/Board room"]));
        let named = |part: char| count(&spaces, |row| text(row, "/name").contains(part));
        assert_eq!((named('ח'), named('🚀'), named('|'), named('\n')), (1, 1, 1, 1));
        assert_eq!(count(&devices, |row| text(row, "/name").contains('\n')), 1);
        assert_eq!(count(&devices, |row| text(row, "/space/full_path").contains("Spare")), 0);
    }
}

#[tokio::test]
async fn the_board_room_at_headquarters_is_not_quite_ready() {
    for client in client::planted() {
        let devices = client.all("/devices").await;
        let inside = |row: &&Value| text(row, "/space/full_path") == "HQ/B1/F9/Board room";
        let of = |label: &str| {
            let named = |row: &&Value| text(row, "/name").ends_with(label);
            devices.iter().filter(inside).find(named).unwrap().clone()
        };
        let display = client.read(&format!("/devices/{}", text(&of("display"), "/id"))).await;
        assert_eq!(display["state"]["power"], "standby");
        assert_eq!(of("camera")["effective_status"], "warning");
        assert_eq!(of("DSP")["effective_status"], "ok");
        let incidents = client.all("/incidents?status=active&from=0").await;
        let codec = incidents.iter().find(|row| row["device_id"] == of("codec")["id"]).unwrap();
        assert_eq!(codec["priority"], "low");
    }
}

#[tokio::test]
async fn of_2000_incidents_71_are_active_and_19_of_these_are_old() {
    for client in client::planted() {
        assert_eq!(client.all("/incidents?from=0&per_page=500").await.len(), 2_000);
        let active = client.all("/incidents?from=0&status=active").await;
        assert_eq!(active.len(), 71);
        let recent = client.all("/incidents?status=active").await;
        assert_eq!(active.len() - recent.len(), 19, "the default window is a week");
        assert_eq!(count(&active, |row| row["device_id"].is_null()), 4);
    }
}

#[tokio::test]
async fn of_300_tickets_84_are_open_and_31_of_these_are_stale() {
    for client in client::planted() {
        let open = client.read("/tickets").await;
        let open = open.as_array().unwrap();
        assert_eq!(open.len(), 84);
        let active = client.all("/incidents?from=0&status=active").await;
        let (mut stale, mut ill, mut gone, mut hostile) = (0, 0, 0, 0);
        for ticket in open {
            let whole = client.read(&format!("/tickets/{}", text(ticket, "/id"))).await;
            let comments = whole["comments"].as_array().unwrap();
            hostile += count(comments, |comment| text(comment, "/text").starts_with("SYSTEM:"));
            let last = comments.iter().map(|comment| text(comment, "/created_at"));
            // ISO 8601 in UTC sorts as text.
            if last.chain([text(ticket, "/created_at")]).all(|at| at < "2026-08-08T08:30:00Z") {
                stale += 1;
                let device = text(ticket, "/device_id");
                ill += usize::from(active.iter().any(|row| row["device_id"] == device));
                let path = format!("/organization/devices/{device}");
                gone += usize::from(client.get(&path).await.status == 404);
            }
        }
        assert_eq!((stale, ill, gone, hostile), (31, 6, 3, 1));
    }
}

#[tokio::test]
async fn in_tel_aviv_23_devices_went_down_this_week_and_9_came_back() {
    for client in client::planted() {
        let mut spaces = BTreeSet::new();
        let devices = client.all("/devices").await;
        let mut current = BTreeMap::new();
        for device in devices.iter().filter(|row| text(row, "/space/full_path").starts_with("TLV/"))
        {
            spaces.insert(device["space"]["id"].to_string());
            current.insert(text(device, "/id"), text(device, "/status"));
        }
        let mut went_down = BTreeMap::new();
        let (from, to) = (NOW - 7 * DAY, NOW);
        let path = format!("/devices/histories?from={from}&to={to}&per_page=1000");
        for entry in client.all(&path).await {
            let device = text(&entry, "/uuid").to_owned();
            if current.contains_key(device.as_str()) && entry["state"]["status"] == "offline" {
                // Rows come newest first: what stays is the oldest one, the transition.
                went_down.insert(device, text(&entry, "/created_at").to_owned());
            }
        }
        assert_eq!(went_down.len(), 23);
        let back = went_down.keys().filter(|device| current[device.as_str()] == "online");
        assert_eq!(back.count(), 9);
        let today = went_down.values().filter(|at| at.as_str() >= "2026-09-06T21:00:00Z");
        assert_eq!(today.count(), 4);
    }
}

#[tokio::test]
async fn histories_reach_back_40_days_and_two_devices_are_noisy() {
    for client in client::planted() {
        let mut rows = BTreeMap::new();
        for row in client.all("/devices/histories?per_page=1000").await {
            *rows.entry(text(&row, "/uuid").to_owned()).or_insert(0) += 1;
        }
        assert_eq!(rows.values().filter(|count| **count > 1_000).count(), 2);
        let old = format!("/devices/histories?from={}&to={}", NOW - 40 * DAY, NOW - 39 * DAY);
        assert!(!client.all(&old).await.is_empty());
    }
}

#[tokio::test]
async fn licenses_end_and_secrets_are_masked_as_planted() {
    for client in client::planted() {
        assert_eq!(client.all("/licenses").await.len(), 41);
        let ending =
            "/licenses?expires_before=2026-11-06T08:30:00Z&expires_after=2026-09-07T08:30:00Z";
        assert_eq!(client.all(ending).await.len(), 6);
        let mut masked = 0;
        for device in client.all("/devices").await {
            if text(&device, "/model/name") == "Meet Codec Pro" {
                let whole = client.read(&format!("/devices/{}", text(&device, "/id"))).await;
                masked += usize::from(whole["custom_parameters"]["Password"] == "*****");
            }
        }
        assert_eq!(masked, 3);
    }
}

#[tokio::test]
async fn the_other_tenant_has_40_devices_and_shares_names_with_the_first() {
    for client in client::planted() {
        let first = client.all("/devices").await;
        let second = client.with(B).all("/devices").await;
        assert_eq!(second.len(), 40);
        assert!(second.iter().any(|row| first.iter().any(|other| other["name"] == row["name"])));
        assert!(second.iter().all(|row| first.iter().all(|other| other["id"] != row["id"])));
    }
}

#[tokio::test]
async fn the_organization_counts_what_it_owns() {
    for client in client::planted() {
        let info = client.read("/info").await;
        let statistics = &info["statistics"];
        assert_eq!(statistics["devices"], 1_200);
        assert_eq!(statistics["spaces"], 240);
        assert_eq!(statistics["open_tickets"], 84);
        assert_eq!(statistics["open_incidents"], 71);
    }
}
