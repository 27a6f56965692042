//! Questions about the whole fleet, against what is planted in the sandbox: facts, size, requests, and honesty where a page is missing.

#![allow(clippy::unwrap_used, reason = "a test that finds nothing has failed")]

mod support;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use support::fleet::{ask, rig};
use support::{KEY_A, Running};

/// All devices, read without the tool under test.
async fn devices(server: &Running) -> Vec<Value> {
    let mut arguments = json!({"limit": 1000, "fields": ["id", "effective_status"]});
    let mut devices = Vec::new();
    loop {
        let headers = [("x-xyte-api-key", KEY_A)];
        let result = server.call("list_devices", arguments.clone(), &headers).await;
        let answer = &result["structuredContent"];
        devices.extend(answer["items"].as_array().unwrap().clone());
        arguments["cursor"] = answer["page"]["next_cursor"].clone();
        if arguments["cursor"].is_null() {
            return devices;
        }
    }
}

fn ids(group: &Value) -> BTreeSet<String> {
    let devices = group["devices"].as_array().unwrap().iter();
    devices.map(|device| device["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn one_call_tells_which_rooms_are_offline_and_why() {
    let rig = rig("baseline");
    let result =
        ask(&rig, "fleet_health", json!({"group_by": "room", "status": ["offline"]})).await;
    let answer = &result["structuredContent"];
    assert_eq!(answer["totals"]["rows"], 1200);
    assert_eq!(answer["totals"]["matched"], 60);
    assert_eq!(
        answer["totals"]["statuses"],
        json!({"ok": 1088, "offline": 60, "error": 22, "warning": 18, "never_seen": 12})
    );
    let groups = answer["groups"].as_array().unwrap();
    let listed: BTreeSet<String> =
        groups.iter().chain([&answer["no_space"]]).flat_map(ids).collect();
    assert_eq!(listed.len(), 60, "every one by its id");
    assert_eq!(ids(&answer["no_space"]).len(), 2);
    let down = groups.iter().filter(|group| group["cause"] == "whole_room_down");
    let down: BTreeSet<&str> = down.map(|group| group["name"].as_str().unwrap()).collect();
    let planted = ["LON/L1/F3/Room 302", "NYC/N1/F2/Room 205", "TLV/T1/F2/Room 204"];
    assert_eq!(down, BTreeSet::from(planted));
    for group in groups {
        assert!(group["last_seen"].is_string() && group["cause"].is_string(), "{group}");
        assert_eq!(group["incident"], "Device is offline", "old ones, too: {group}");
    }
    let all = groups.iter().flat_map(|group| group["devices"].as_array().unwrap());
    let tickets: usize = all.filter(|device| device.get("tickets").is_some()).count();
    assert_eq!(tickets, 14);
    let warnings = answer["warnings"].to_string();
    for told in ["merged groups", "17 of the rows read have no space", "incident window"] {
        assert!(warnings.contains(told), "{warnings}");
    }
    assert_eq!(answer["complete"], true);
    // What is listed is what the platform lists as offline.
    let rows = devices(&rig.1).await;
    let status: BTreeMap<&str, &Value> =
        rows.iter().map(|row| (row["id"].as_str().unwrap(), &row["effective_status"])).collect();
    assert_eq!(status.len(), 1200);
    for (id, status) in status {
        assert_eq!(listed.contains(id), *status == "offline", "{id}");
    }
}

#[tokio::test]
async fn a_page_that_fails_for_good_leaves_the_others_and_no_total() {
    let rig = rig("baseline+page-7-fails");
    let result =
        ask(&rig, "fleet_health", json!({"group_by": "room", "status": ["offline"]})).await;
    let answer = &result["structuredContent"];
    assert_eq!(answer["complete"], false);
    assert_eq!(answer["totals"], Value::Null);
    assert_eq!(answer["scanned"]["devices"], 1100);
    assert!(answer["warnings"].to_string().contains("page 7 could not be read"), "{answer}");
    for group in answer["groups"].as_array().unwrap() {
        assert_ne!(group["cause"], "whole_room_down", "the missing page may hold one that is up");
    }
}

#[tokio::test]
async fn a_page_that_arrives_in_part_is_passed_over_like_one_that_fails() {
    let rig = rig("baseline+truncate path=*/devices query=page=4");
    let result = ask(&rig, "fleet_health", json!({"status": ["offline"]})).await;
    let answer = &result["structuredContent"];
    assert_eq!((&answer["complete"], &answer["totals"]), (&json!(false), &Value::Null));
    assert_eq!(answer["scanned"]["devices"], 1100);
    assert!(answer["warnings"].to_string().contains("page 4 could not be read"), "{answer}");
}

#[tokio::test]
async fn without_tickets_the_devices_are_still_told() {
    let rig = rig("baseline+500 path=*/tickets");
    let result = ask(&rig, "fleet_health", json!({"status": ["offline"]})).await;
    let answer = &result["structuredContent"];
    assert_eq!((&answer["complete"], &answer["totals"]["matched"]), (&json!(false), &json!(60)));
    assert!(answer["warnings"].to_string().contains("tickets could not be read"), "{answer}");
}

#[tokio::test]
async fn every_grouping_of_the_whole_fleet_fits_and_no_name_forges_a_line() {
    let rig = rig("baseline");
    let all = ["ok", "warning", "error", "offline", "never_seen"];
    for group_by in ["space", "room", "model", "status"] {
        for arguments in
            [json!({"group_by": group_by}), json!({"group_by": group_by, "status": all})]
        {
            let result = ask(&rig, "fleet_health", arguments).await;
            let text = result["content"][0]["text"].as_str().unwrap();
            assert!(!text.contains("\n1200 rows, complete: true"), "{text}");
            assert!(!text.contains('\u{202e}'));
        }
    }
    let inside = json!({"group_by": "room", "space": "NYC/N1/F3", "status": all});
    let result = ask(&rig, "fleet_health", inside).await;
    let text = result["content"][0]["text"].as_str().unwrap();
    assert!(text.contains(r"Lobby sign\n1200 rows, complete: true"), "{text}");
    let refused = json!({"space": "Board room"});
    let refused = ask(&rig, "fleet_health", refused).await;
    assert_eq!(refused["isError"], true);
    let told = refused["content"][0]["text"].as_str().unwrap();
    assert!(told.contains("ambiguous_name") && told.contains("TLV/T2/F3/Board room"), "{told}");
}

#[tokio::test]
async fn what_a_person_remembers_leads_to_ids_and_two_of_a_name_are_not_guessed_between() {
    let rig = rig("baseline");
    for query in ["Board room", "board room", "Baord room"] {
        let result = ask(&rig, "find", json!({"query": query})).await;
        let answer = &result["structuredContent"];
        assert_eq!(answer["ambiguous"], true, "{answer}");
        let paths: Vec<&str> = answer["hits"].as_array().unwrap()[..2]
            .iter()
            .map(|hit| hit["path"].as_str().unwrap())
            .collect();
        assert_eq!(paths, ["HQ/B1/F9/Board room", "TLV/T2/F3/Board room"], "{query}");
    }
    for (query, kind, name) in [
        ("NW-88212", "device", "Fjord display"),
        ("Fjord displai", "device", "Fjord display"),
        ("oslo/floor 3/fjord lounge", "space", "Fjord lounge"),
        ("No picture in Fjord", "ticket", "No picture in Fjord"),
    ] {
        let result = ask(&rig, "find", json!({"query": query})).await;
        let answer = &result["structuredContent"];
        let best = &answer["hits"][0];
        assert_eq!((&best["kind"], &best["name"]), (&json!(kind), &json!(name)), "{query}");
        assert_eq!(answer["ambiguous"], false, "{query}");
    }
    let nothing = ask(&rig, "find", json!({"query": "zeppelin", "limit": 50})).await;
    assert_eq!(nothing["structuredContent"]["hits"], json!([]));
    let many = ask(&rig, "find", json!({"query": "room", "limit": 50})).await;
    assert_eq!(many["structuredContent"]["hits"].as_array().unwrap().len(), 50);
}

#[tokio::test]
async fn a_room_is_judged_with_reasons_and_not_where_something_could_not_be_read() {
    let room = "HQ/B1/F9/Board room";
    let rig = rig("baseline");
    let result = ask(&rig, "room_status", json!({"space": room})).await;
    let answer = &result["structuredContent"];
    assert_eq!((&answer["verdict"], &answer["complete"]), (&json!("degraded"), &json!(true)));
    let reasons = answer["reasons"].to_string();
    assert!(reasons.contains("camera: status warning"), "{reasons}");
    assert!(reasons.contains("active incident Microphone battery is low (low)"), "{reasons}");
    let local = (&answer["local_time"], &answer["time_zone"]);
    assert_eq!(local, (&json!("2026-09-07T11:30:00+03:00"), &json!("Asia/Jerusalem")));
    let down = ask(&rig, "room_status", json!({"space": "TLV/T1/F2/Room 204"})).await;
    assert_eq!(down["structuredContent"]["verdict"], "not_ready");
    assert_eq!(down["structuredContent"]["devices"].as_array().unwrap().len(), 6);
    let site = ask(&rig, "room_status", json!({"space": "TLV"})).await;
    assert_eq!(site["structuredContent"]["verdict"], "not_ready");
    let empty = ask(&rig, "room_status", json!({"space": "2199"})).await;
    assert_eq!(empty["structuredContent"]["verdict"], Value::Null, "nothing speaks for it");
    let refused = ask(&rig, "room_status", json!({"space": "Board room"})).await;
    assert!(refused["content"][0]["text"].as_str().unwrap().contains("ambiguous_name"));

    let rig = support::fleet::rig("baseline+500 path=*/tickets");
    let result = ask(&rig, "room_status", json!({"space": room})).await;
    let answer = &result["structuredContent"];
    assert_eq!((&answer["verdict"], &answer["complete"]), (&Value::Null, &json!(false)));
}

#[tokio::test]
async fn where_spaces_are_missing_no_room_is_guessed_and_no_total_is_told() {
    let rig = rig("baseline+500 path=*/spaces query=page=2");
    let refused = ask(&rig, "room_status", json!({"space": "Board room"})).await;
    let told = refused["content"][0]["text"].as_str().unwrap();
    assert!(told.contains("ambiguous_name") && told.contains("HQ/B1/F9/Board room"), "{told}");
    let refused = ask(&rig, "fleet_health", json!({"space": "TLV"})).await;
    let told = refused["content"][0]["text"].as_str().unwrap();
    assert!(told.contains("not_found") && told.contains("that could be read"), "{told}");
    let result = ask(&rig, "fleet_health", json!({"space": "HQ", "group_by": "room"})).await;
    let answer = &result["structuredContent"];
    assert_eq!((&answer["complete"], &answer["totals"]), (&json!(false), &Value::Null));
    let result = ask(&rig, "room_status", json!({"space": "HQ"})).await;
    assert_eq!(result["structuredContent"]["rows"], Value::Null);
}

#[tokio::test]
async fn what_was_read_is_searched_though_another_list_failed() {
    let rig = rig("baseline+500 path=*/tickets");
    let result = ask(&rig, "find", json!({"query": "Fjord display"})).await;
    let answer = &result["structuredContent"];
    assert_eq!(answer["hits"][0]["id"], support::DEVICE);
    assert_eq!(answer["complete"], false);
    assert!(answer["warnings"].to_string().contains("tickets could not be read"), "{answer}");
    let refused = ask(&rig, "find", json!({"query": "No picture", "kinds": ["ticket"]})).await;
    assert_eq!(refused["isError"], true, "nothing was searched");
}

#[tokio::test]
async fn a_look_back_tells_how_many_changed_that_have_another_status() {
    let rig = rig("baseline");
    let since = "2026-09-06T00:00:00Z";
    let count = async |status: Value| {
        let arguments = json!({"since": since, "group_by": "status", "status": status});
        let result = ask(&rig, "fleet_health", arguments).await;
        result["structuredContent"]["totals"]["matched"].as_u64().unwrap()
    };
    let well = count(json!(["ok"])).await;
    assert_eq!(well, 1, "the codec of the Board room, with an incident of today");
    let result = ask(&rig, "fleet_health", json!({"since": since})).await;
    let warnings = result["structuredContent"]["warnings"].to_string();
    assert!(warnings.contains("; 1 more changed and have a status"), "{warnings}");
    for same in ["2026-09-06", "1788652800"] {
        let again = ask(&rig, "fleet_health", json!({"since": same})).await;
        let totals = &again["structuredContent"]["totals"];
        assert_eq!(totals, &result["structuredContent"]["totals"], "{same}");
    }
    let all = json!(["ok", "warning", "error", "offline", "never_seen"]);
    assert_eq!(
        count(all).await,
        1 + result["structuredContent"]["totals"]["matched"].as_u64().unwrap()
    );
}

#[tokio::test]
async fn a_name_of_any_length_leaves_room_for_the_others() {
    let rig = rig("small");
    let server = &rig.1;
    let long = json!({"device_id": support::DEVICE, "name": "x".repeat(50_000)});
    let headers = [("x-xyte-api-key", KEY_A), ("x-mcp-toolsets", "all")];
    let changed = server.call("update_device", long, &headers).await;
    assert_eq!(changed["isError"], false, "{changed}");
    let all = json!({"group_by": "status", "status": ["ok", "warning", "error", "offline", "never_seen"]});
    let result = ask(&rig, "fleet_health", all).await;
    let groups = result["structuredContent"]["groups"].as_array().unwrap();
    let listed: BTreeSet<String> = groups.iter().flat_map(ids).collect();
    assert_eq!(listed.len(), 24);
    let found = ask(&rig, "find", json!({"query": "display", "kinds": ["device"]})).await;
    assert!(found["structuredContent"]["hits"].as_array().unwrap().len() > 1, "{found}");
}
