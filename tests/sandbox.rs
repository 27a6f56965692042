//! The sandbox as a process, seen through the server and from behind.

#![allow(clippy::unwrap_used, reason = "a test that finds nothing has failed")]

mod support;

use serde_json::{Value, json};
use support::{DEVICE, KEY_A, Running, program};

/// Asks the admin port of a sandbox.
async fn behind(sandbox: &Running, path: &str, body: Option<&str>) -> Value {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("http://{}{path}", sandbox.admin);
    let request = match body {
        Some(body) => client.post(url).body(body.to_owned()),
        None => client.get(url),
    };
    request.send().await.unwrap().json().await.unwrap()
}

#[tokio::test]
async fn a_command_sent_through_the_server_ends_when_time_passes() {
    let sandbox = Running::sandbox();
    let base = format!("http://{}", sandbox.address);
    let server = Running::http(&["--base-url", &base, "--toolsets", "all", "--cache-ttl", "0"]);
    let headers = [("x-xyte-api-key", KEY_A)];
    let command = json!({"device_id": DEVICE, "command": "power_off"});
    let sent = server.call("send_command", command, &headers).await;
    let id = sent["structuredContent"]["id"].clone();
    let status = async || {
        let list = json!({"device_id": DEVICE});
        let listed = server.call("list_device_commands", list, &headers).await;
        let rows = listed["structuredContent"]["items"].as_array().unwrap().clone();
        rows.into_iter().find(|row| row["id"] == id).unwrap()["status"].clone()
    };
    assert_eq!(status().await, "scheduled");
    let clock = behind(&sandbox, "/clock", Some("{\"advance\":90}")).await;
    assert_eq!(clock["now"], "2026-09-07T08:31:30Z");
    assert_eq!(status().await, "done");
    let changes = behind(&sandbox, "/changes", None).await;
    let power = format!("/A/devices/{DEVICE}/state/power");
    assert!(changes.as_array().unwrap().iter().any(|change| change["path"] == power.as_str()));
}

#[tokio::test]
async fn a_read_outlives_a_refused_request_and_the_log_shows_both() {
    let sandbox = Running::sandbox();
    behind(&sandbox, "/faults", Some("503 method=GET path=*/devices nth=1")).await;
    let base = format!("http://{}", sandbox.address);
    let server = Running::http(&["--base-url", &base]);
    let answer = server.call("list_devices", json!({}), &[("x-xyte-api-key", KEY_A)]).await;
    assert_ne!(answer["isError"], true, "{answer}");
    let log = behind(&sandbox, "/requests", None).await;
    assert_eq!((&log[0]["status"], &log[1]["status"]), (&json!(503), &json!(200)));
}

#[test]
fn a_pace_or_a_fault_that_cannot_be_read_is_a_setting_refused() {
    for (flag, held, named) in [
        ("--sandbox-clock", "warp", "fixed, running or step:SECONDS"),
        ("--sandbox-scenario", "small+moon", "rate-limited"),
    ] {
        let output =
            program().args(["call", "list_devices", "--sandbox", flag, held]).output().unwrap();
        let line = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{line}");
        assert!(line.contains(held) && line.contains(named), "{line}");
    }
}
