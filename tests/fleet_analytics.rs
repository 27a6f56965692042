//! How much of the time a device was there, against what the sandbox knows of its outages; and no figure where its history cannot tell.

#![allow(clippy::unwrap_used, reason = "a test that finds nothing has failed")]

mod support;

use serde_json::{Value, json};
use support::fleet::{DAY, NOW, ask, rig, state};

/// A device that went away and came back within the last six days, with the moments in Unix seconds.
fn recovered(state: &Value) -> (String, i64, i64) {
    let incidents = state["incidents"].as_object().unwrap().values();
    let mut offline =
        incidents.filter(|row| row["issue"] == "offline" && row["status"] == "closed");
    let found = offline.find(|row| row["created"].as_i64().unwrap() > NOW - 6 * DAY).unwrap();
    // It is raised a minute after the device went, and closed when it came back.
    let since = found["created"].as_i64().unwrap() - 60;
    (found["device_id"].as_str().unwrap().to_owned(), since, found["updated"].as_i64().unwrap())
}

fn seconds(moment: &Value) -> i64 {
    chrono::DateTime::parse_from_rfc3339(moment.as_str().unwrap()).unwrap().timestamp()
}

#[tokio::test]
async fn an_outage_is_told_to_the_minute_and_counts_against_availability() {
    let rig = rig("baseline seed 5");
    let (device, since, until) = recovered(&state(&rig.0).await);
    let result = ask(&rig, "get_device_analytics_report", json!({"device_id": device})).await;
    let answer = &result["structuredContent"];
    let outage = &answer["outages"][0];
    assert_eq!((seconds(&outage["from"]), seconds(&outage["to"])), (since, until));
    assert_eq!(outage["minutes"], (until - since) / 60);
    assert_eq!(answer["transitions"], json!({"to_offline": 1, "to_online": 1}));
    assert_eq!(answer["flapping"], json!({"flapping": false, "most_in_a_day": 1}));
    #[allow(clippy::cast_precision_loss, reason = "a week has few seconds")]
    let up = 100.0 * (1.0 - (until - since) as f64 / (7 * DAY) as f64);
    let told = answer["availability_percent"].as_f64().unwrap();
    assert!((told - up).abs() < 0.001, "{told} and not {up}");
    assert_eq!((&answer["known_percent"], &answer["reason"]), (&json!(100.0), &Value::Null));
    let mut incidents = answer["incidents"].as_array().unwrap().iter();
    let own = incidents.find(|row| row["title"] == "Device is offline").unwrap();
    assert_eq!((&own["status"], seconds(&own["last_change"])), (&json!("closed"), until));
    assert_eq!(answer["complete"], true);
    // The same in a period of its own, which begins and ends within the outage.
    let (from, to) = ((since + 60).to_string(), (until - 60).to_string());
    let inside = json!({"device_id": device, "from": from, "to": to});
    let result = ask(&rig, "get_device_analytics_report", inside).await;
    assert_eq!(result["structuredContent"]["availability_percent"], 0.0);
}

#[tokio::test]
async fn a_history_that_cannot_tell_gives_no_percentage() {
    let rig = rig("baseline seed 5");
    let state = state(&rig.0).await;
    let devices = state["devices"].as_object().unwrap();
    let (unseen, _) = devices.iter().find(|(_, it)| it["effective"] == "never_seen").unwrap();
    let result = ask(&rig, "get_device_analytics_report", json!({"device_id": unseen})).await;
    let answer = &result["structuredContent"];
    assert_eq!(
        (&answer["availability_percent"], &answer["known_percent"]),
        (&Value::Null, &json!(0.0))
    );
    assert!(answer["reason"].as_str().unwrap().contains("no states are recorded"), "{answer}");
    assert_eq!(answer["flapping"]["flapping"], Value::Null);
    // The sandbox remembers forty days, so most of a year is unknown.
    let year = json!({"device_id": support::DEVICE, "period": "last_300_days"});
    let result = ask(&rig, "get_device_analytics_report", year).await;
    let answer = &result["structuredContent"];
    assert_eq!(
        (&answer["availability_percent"], &answer["window"]["requests"]),
        (&Value::Null, &json!(10))
    );
    assert!(answer["reason"].as_str().unwrap().contains("cover only"), "{answer}");
    for wrong in [
        json!({"device_id": unseen, "period": "a while"}),
        json!({"device_id": unseen, "period": "day", "from": "2026-09-01"}),
        json!({"device_id": "no such device"}),
    ] {
        assert_eq!(ask(&rig, "get_device_analytics_report", wrong).await["isError"], true);
    }
}

#[tokio::test]
async fn a_device_that_goes_and_comes_all_day_is_flapping() {
    let rig = rig("small");
    for step in 0..8 {
        let status = if step % 2 == 0 { "offline" } else { "online" };
        support::fleet::admin(&rig.0, "/clock", r#"{"advance": 600}"#).await;
        let body = json!({"device": support::DEVICE, "status": status}).to_string();
        support::fleet::admin(&rig.0, "/devices", body).await;
    }
    let result =
        ask(&rig, "get_device_analytics_report", json!({"device_id": "fjord display"})).await;
    let answer = &result["structuredContent"];
    assert_eq!(answer["flapping"], json!({"flapping": true, "most_in_a_day": 4}), "{answer}");
    assert_eq!(answer["minutes"]["down"], 40);
    assert_eq!(answer["outages"].as_array().unwrap().len(), 4);
}

#[tokio::test]
async fn missing_rows_leave_no_percentage_and_missing_incidents_leave_one() {
    let rig = rig("baseline+500 path=*/devices/histories from=2");
    // Of two windows one can be read.
    let device = json!({"device_id": support::DEVICE, "period": "35d"});
    let result = ask(&rig, "get_device_analytics_report", device).await;
    let answer = &result["structuredContent"];
    assert_eq!(
        (&answer["availability_percent"], &answer["complete"]),
        (&Value::Null, &json!(false))
    );
    assert!(answer["reason"].as_str().unwrap().contains("not all recorded states"), "{answer}");

    let rig = support::fleet::rig("baseline+500 path=*/incidents");
    let device = json!({"device_id": support::DEVICE});
    let result = ask(&rig, "get_device_analytics_report", device).await;
    let answer = &result["structuredContent"];
    assert_eq!(
        (&answer["availability_percent"], &answer["complete"]),
        (&json!(100.0), &json!(false))
    );
    assert!(answer["warnings"].to_string().contains("incidents could not be read"), "{answer}");
}
