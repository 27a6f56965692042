//! Who went away and when, against what the sandbox itself knows; and honesty where rows are missing or tell nothing.

#![allow(clippy::unwrap_used, reason = "a test that finds nothing has failed")]

mod support;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use support::fleet::{DAY, NOW, admin, ask, paths, rig, state};

/// Devices below a path that went away since a moment, and whether they are back, as the sandbox's incidents know it.
fn gone(state: &Value, below: &str, since: i64) -> BTreeMap<String, bool> {
    let paths = paths(state);
    let incidents = state["incidents"].as_object().unwrap().values();
    let mut gone = BTreeMap::new();
    for incident in incidents.filter(|incident| incident["issue"] == "offline") {
        let Some(device) = incident["device_id"].as_str() else { continue };
        let back = incident["status"] == "closed";
        // It is raised a minute or two after the device went.
        let at = incident["created"].as_i64().unwrap() - if back { 60 } else { 120 };
        if at >= since && paths[device].starts_with(below) {
            gone.insert(device.to_owned(), back);
        }
    }
    gone
}

fn items(answer: &Value) -> BTreeMap<String, &Value> {
    let items = answer["items"].as_array().unwrap().iter();
    items.map(|item| (item["device_id"].as_str().unwrap().to_owned(), item)).collect()
}

#[tokio::test]
async fn one_call_tells_who_went_offline_this_week_with_those_that_are_back_and_their_tickets() {
    let rig = rig("baseline");
    let arguments = json!({"space": "TLV", "event": "went_offline", "group_by": "device"});
    let result = ask(&rig, "search_device_histories", arguments).await;
    let answer = &result["structuredContent"];
    let state = state(&rig.0).await;
    let gone = gone(&state, "TLV/", NOW - 7 * DAY);
    let told = items(answer);
    let recovered: BTreeMap<String, bool> =
        told.iter().map(|(id, item)| (id.clone(), item["recovered"] == true)).collect();
    assert_eq!(recovered, gone);
    assert_eq!((gone.len(), gone.values().filter(|back| **back).count()), (23, 9), "as planted");
    assert_eq!(
        (&answer["totals"]["devices"], &answer["totals"]["recovered"]),
        (&json!(23), &json!(9))
    );
    let tickets = state["tickets"].as_object().unwrap();
    let mut joined = 0;
    for (id, item) in &told {
        let open: BTreeSet<&str> = tickets
            .values()
            .filter(|ticket| ticket["open"] == true && ticket["device_id"] == id.as_str())
            .map(|ticket| ticket["id"].as_str().unwrap())
            .collect();
        let shown = item["tickets"].as_array().into_iter().flatten();
        let shown: BTreeSet<&str> = shown.map(|ticket| ticket["id"].as_str().unwrap()).collect();
        assert_eq!(shown, open, "{item}");
        joined += usize::from(!open.is_empty());
        assert_eq!(item["back_since"].is_string(), item["recovered"] == true, "{item}");
    }
    assert_eq!(answer["totals"]["with_open_ticket"], joined);
    assert_eq!(
        answer["window"],
        json!({"from": "2026-08-31T08:30:00Z", "to": "2026-09-07T08:30:00Z", "days": 7.0, "requests": 1})
    );
    let warnings = answer["warnings"].to_string();
    for told in ["the last 7 days", "begins on Sunday", "from=2026-09-06T00:00:00+03:00"] {
        assert!(warnings.contains(told), "{warnings}");
    }
    assert_eq!((&answer["complete"], &answer["undetermined"]), (&json!(true), &json!([])));
}

#[tokio::test]
async fn a_day_is_asked_for_in_local_time_or_in_unix_seconds() {
    let rig = rig("baseline");
    let state = state(&rig.0).await;
    let monday = 1_788_728_400; // 2026-09-07T00:00:00+03:00
    let gone = gone(&state, "TLV/", monday);
    assert_eq!(gone.len(), 4, "as planted");
    for from in [json!("2026-09-07T00:00:00+03:00"), json!(monday), json!("1788728400")] {
        let arguments = json!({"space": "TLV", "event": "went_offline", "from": from});
        let result = ask(&rig, "search_device_histories", arguments).await;
        let answer = &result["structuredContent"];
        let told = items(answer);
        assert_eq!(told.keys().collect::<Vec<_>>(), gone.keys().collect::<Vec<_>>(), "{from}");
        assert!(!answer["warnings"].to_string().contains("last 7 days"));
    }
}

#[tokio::test]
async fn sixty_days_are_read_in_pieces_and_not_refused() {
    let rig = rig("baseline");
    let arguments = json!({"device_id": support::DEVICE, "from": "2026-07-09", "limit": 1000});
    let result = ask(&rig, "search_device_histories", arguments.clone()).await;
    let answer = &result["structuredContent"];
    assert_eq!((&answer["window"]["requests"], &answer["complete"]), (&json!(2), &json!(true)));
    let rows = answer["items"].as_array().unwrap();
    let times: Vec<&str> = rows.iter().map(|row| row["created_at"].as_str().unwrap()).collect();
    assert!(times.windows(2).all(|pair| pair[0] > pair[1]), "newest first, none twice: {times:?}");
    // It records once a day, and the sandbox remembers forty.
    assert!((40..=41).contains(&rows.len()), "{}", rows.len());
    assert!(
        rows.iter().all(|row| row["state"]["status"].is_string() && row["uuid"] == support::DEVICE)
    );
    let few = json!({"device_id": support::DEVICE, "from": "2026-07-09", "limit": 10});
    let few = ask(&rig, "search_device_histories", few).await;
    let few = &few["structuredContent"];
    assert_eq!(few["items"].as_array().unwrap()[..], rows[..10]);
    assert_eq!((&few["complete"], &few["page"]["returned"]), (&json!(false), &json!(10)));
    let told = format!("go on with to={}", times[9]);
    assert!(few["warnings"].to_string().contains(&told), "{few}");

    let arguments = json!({"space": "TLV/T1/F2", "event": "went_offline", "group_by": "device", "from": "2026-07-09"});
    let result = ask(&rig, "search_device_histories", arguments).await;
    let answer = &result["structuredContent"];
    assert_eq!((&answer["window"]["requests"], &answer["complete"]), (&json!(2), &json!(true)));
    let state = state(&rig.0).await;
    let gone = gone(&state, "TLV/T1/F2/", NOW - 60 * DAY);
    assert_eq!(items(answer).keys().collect::<Vec<_>>(), gone.keys().collect::<Vec<_>>());
}

#[tokio::test]
async fn a_status_is_that_of_the_row_and_not_of_the_device_now() {
    let rig = rig("baseline");
    let arguments = json!({"space": "TLV", "event": "came_back", "group_by": "device"});
    let result = ask(&rig, "search_device_histories", arguments).await;
    let back = items(&result["structuredContent"]).into_keys().next().unwrap();
    let arguments = json!({"device_id": back, "status": "offline"});
    let result = ask(&rig, "search_device_histories", arguments).await;
    let answer = &result["structuredContent"];
    let rows = answer["items"].as_array().unwrap();
    assert!(!rows.is_empty() && rows.iter().all(|row| row["state"]["status"] == "offline"));
    assert!(answer["warnings"].to_string().contains("not of the devices now"), "{answer}");
    let both = json!({"status": "offline", "event": "went_offline"});
    let refused = ask(&rig, "search_device_histories", both).await;
    assert_eq!(refused["isError"], true);
}

#[tokio::test]
async fn rows_that_could_not_be_read_are_told_and_nothing_is_counted() {
    let rig = rig("baseline+500 path=*/devices/histories query=page=5");
    let arguments = json!({"space": "TLV", "event": "went_offline", "group_by": "device"});
    let result = ask(&rig, "search_device_histories", arguments).await;
    let answer = &result["structuredContent"];
    assert_eq!((&answer["complete"], &answer["totals"]), (&json!(false), &Value::Null));
    assert!(answer["warnings"].to_string().contains("page 5 could not be read"), "{answer}");
    let state = state(&rig.0).await;
    assert!(!items(answer).is_empty());
    for (id, item) in items(answer) {
        let there = state["devices"][id.as_str()]["effective"] == "ok";
        assert_eq!(item["recovered"], there, "its present status tells: {item}");
    }

    let rig = support::fleet::rig("baseline+500 path=*/tickets");
    let arguments = json!({"space": "TLV", "event": "went_offline", "group_by": "device"});
    let result = ask(&rig, "search_device_histories", arguments).await;
    let answer = &result["structuredContent"];
    assert_eq!((&answer["complete"], &answer["totals"]["devices"]), (&json!(false), &json!(23)));
    assert_eq!(answer["totals"]["with_open_ticket"], Value::Null);
}

#[tokio::test]
async fn a_name_finds_the_device_and_one_that_several_have_is_not_guessed() {
    let rig = rig("baseline");
    let arguments = json!({"device_id": "fjord display", "limit": 1});
    let result = ask(&rig, "search_device_histories", arguments).await;
    assert_eq!(result["structuredContent"]["items"][0]["uuid"], support::DEVICE);
    for (arguments, code) in [
        (json!({"device_id": "Room 101 display"}), "ambiguous_name"),
        (json!({"device_id": "zeppelin"}), "not_found"),
        (json!({"space": "Board room"}), "ambiguous_name"),
        (json!({"from": "last tuesday"}), "invalid_arguments"),
    ] {
        let refused = ask(&rig, "search_device_histories", arguments).await;
        assert_eq!(refused["structuredContent"]["error"]["code"], code, "{refused}");
    }
    admin(&rig.0, "/devices", json!({"device": support::DEVICE, "status": "offline"}).to_string())
        .await;
    let arguments = json!({"device_id": support::DEVICE, "event": "went_offline", "fresh": true});
    let result = ask(&rig, "search_device_histories", arguments).await;
    assert_eq!(result["structuredContent"]["totals"]["still_away"], 1, "as of this moment");
}

#[tokio::test]
async fn whether_a_device_is_back_is_told_of_the_present_though_the_period_is_past() {
    let rig = rig("baseline");
    let arguments = json!({"space": "HQ/B1", "group_by": "device", "from": "2026-08-03T08:30:00Z", "to": "2026-09-02T08:30:00Z"});
    let result = ask(&rig, "search_device_histories", arguments).await;
    let answer = &result["structuredContent"];
    let state = state(&rig.0).await;
    let told = items(answer);
    let later = told.iter().filter(|(id, item)| {
        let there = state["devices"][id.as_str()]["effective"] == "ok";
        assert_eq!(item["recovered"], there, "{item}");
        there && item.get("back_since").is_none()
    });
    let later: Vec<&String> = later.map(|(id, _)| id).collect();
    assert!(!later.is_empty(), "one came back after the period");
    let back = told.values().filter(|item| item["recovered"] == true).count();
    assert_eq!(answer["totals"]["recovered"], back);
    assert!(answer["basis"].as_str().unwrap().contains("the status now"), "{answer}");
}

#[tokio::test]
async fn rows_that_do_not_fit_are_reached_by_going_on_where_it_is_told() {
    let rig = rig("small");
    let key = |row: &Value| format!("{} {}", row["uuid"], row["created_at"]);
    let from = NOW - 18 * DAY;
    let mut arguments = json!({"from": from.to_string(), "limit": 1000});
    let (mut seen, mut answers) = (BTreeSet::new(), 0);
    loop {
        let result = ask(&rig, "search_device_histories", arguments.clone()).await;
        let answer = &result["structuredContent"];
        seen.extend(answer["items"].as_array().unwrap().iter().map(key));
        answers += 1;
        if answer["complete"] == true {
            break;
        }
        let warnings = answer["warnings"].to_string();
        let (_, to) = warnings.split_once("go on with to=").unwrap();
        arguments["to"] = json!(to.split('"').next().unwrap());
    }
    assert!(answers > 2, "they do not fit into one answer");
    let mut all = BTreeSet::new();
    let mut page = json!({"from": from, "to": NOW, "limit": 100, "fields": ["uuid", "created_at"]});
    loop {
        let headers = [("x-xyte-api-key", support::KEY_A), ("x-mcp-toolsets", "all")];
        let result = rig.1.call("list_device_histories", page.clone(), &headers).await;
        let answer = &result["structuredContent"];
        all.extend(answer["items"].as_array().unwrap().iter().map(key));
        page["cursor"] = answer["page"]["next_cursor"].clone();
        if page["cursor"].is_null() {
            break;
        }
    }
    assert_eq!(seen, all);
}
