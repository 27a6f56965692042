//! What is seen from behind: counters, the log, the state, what changed, and starting anew.

use serde_json::{Value, json};
use xyte_mcp_sandbox::{FAULTS, KEYS, SCENARIOS, diff};

use crate::client::{self, B, COMMAND, Client, DEVICE, P, TICKET};

#[tokio::test]
async fn requests_are_counted_by_key_route_and_status() {
    let sandbox = client::sandbox("small");
    let client = Client::of(&sandbox);
    client.get("/organization/devices?page=1").await;
    client.get(&format!("/organization/devices/{DEVICE}")).await;
    client.with(B).get(&format!("/organization/devices/{DEVICE}")).await;
    client.with(P).get("/partner/devices").await;
    client.without_key().get("/organization/nothing").await;
    assert_eq!(sandbox.requests(), 5);
    let stats = client.look("/stats").await;
    assert_eq!(stats["requests"], 5, "looking does not count");
    let of = |key: &str| stats["by_key"][key]["requests"].clone();
    assert_eq!([of("A"), of("B"), of("P")], [json!(2), json!(1), json!(1)]);
    assert_eq!(stats["by_route"]["GET /core/v1/organization/devices/{device_id}"], 2);
    assert_eq!(stats["by_route"]["unknown"], 1);
    assert_eq!(stats["by_status"], json!({ "200": 3, "404": 2 }));
}

#[tokio::test(start_paused = true)]
async fn the_most_requests_at_once_are_known_in_all_and_by_key() {
    let client = client::fresh("small");
    let slow = client.suffering("slow=1000");
    let other = slow.with(B);
    let path = "/organization/info";
    tokio::join!(slow.get(path), slow.get(path), other.get(path));
    client.get(path).await;
    let stats = client.look("/stats").await;
    assert_eq!((&stats["peak_open"], &stats["open"]), (&json!(3), &json!(0)));
    assert_eq!(stats["by_key"]["A"], json!({ "requests": 3, "open": 0, "peak_open": 2 }));
    client.admin("DELETE", "/requests", "").await;
    let stats = client.look("/stats").await;
    assert_eq!((&stats["requests"], &stats["peak_open"]), (&json!(0), &json!(0)));
}

#[tokio::test]
async fn the_log_tells_each_request_and_shows_no_key() {
    let client = client::fresh("small+rate-limited");
    for _ in 0..5 {
        client.get("/organization/devices?per_page=7").await;
    }
    let log = client.admin("GET", "/requests", "").await;
    assert!(!log.text.contains("sandbox-key"));
    let last = log.json()[4].clone();
    let expected = json!({
        "number": 5, "at": "2026-09-07T08:30:00Z", "method": "GET", "key": "A", "status": 429,
        "path": "/core/v1/organization/devices", "query": "per_page=7",
        "route": "/core/v1/organization/devices", "fault": "429 retry-after=2 nth=5",
    });
    assert_eq!(last, expected);
}

#[tokio::test]
async fn reads_change_nothing_and_each_write_is_one_change() {
    let client = client::fresh("baseline");
    for path in ["/devices", "/spaces", "/tickets", "/incidents", "/devices/histories", "/edges"] {
        client.read(path).await;
    }
    client.wait(10).await;
    assert_eq!(client.look("/changes").await, json!([]), "time alone is no change");
    client.write("POST", &format!("/devices/{DEVICE}/move"), json!({ "space_id": 2110 })).await;
    client.write("POST", &format!("/tickets/{TICKET}/resolved"), json!({})).await;
    let sent = client
        .write("POST", &format!("/devices/{DEVICE}/commands"), json!({ "command": "reboot" }))
        .await;
    let changes = client.look("/changes").await;
    let places: Vec<&str> =
        changes.as_array().unwrap().iter().map(|one| one["path"].as_str().unwrap()).collect();
    let new = format!("/A/commands/{}", sent["id"].as_str().unwrap());
    let mut expected =
        [new, format!("/A/devices/{DEVICE}/space_id"), format!("/A/tickets/{TICKET}/open")];
    expected.sort();
    assert_eq!(places, expected);
    assert_eq!(changes[1]["before"], 2104);
}

#[tokio::test]
async fn two_exports_are_compared_as_the_library_does() {
    let client = client::fresh("small");
    let before = client.look("/state").await;
    client.delete(&format!("/devices/{DEVICE}/commands/{COMMAND}")).await;
    let after = client.look("/state").await;
    let body = json!({ "before": before, "after": after }).to_string();
    let told = client.admin("POST", "/diff", &body).await.json();
    let expected = json!([{
        "path": format!("/A/commands/{COMMAND}/status"), "before": "pending", "after": "aborted",
    }]);
    assert_eq!(told, expected);
    assert_eq!(json!(diff(&before, &after)), expected);
    assert_eq!(client.admin("POST", "/diff", "{}").await.status, 400);
    assert_eq!(client.admin("POST", "/diff", "[").await.status, 400);
}

#[tokio::test]
async fn a_reset_gives_back_the_beginning_or_another_world() {
    let client = client::fresh("small+500 path=*/never");
    let first = client.look("/state").await;
    client.delete(&format!("/devices/{DEVICE}")).await;
    client.wait(3_600).await;
    client.admin("POST", "/faults", "hang").await;
    client.admin("POST", "/reset", "").await;
    assert_eq!(client.look("/state").await, first);
    assert_eq!(client.look("/clock").await["now"], "2026-09-07T08:30:00Z");
    assert_eq!(client.look("/faults").await.as_array().unwrap().len(), 1);
    assert_eq!(client.look("/stats").await["requests"], 0);
    let other = json!({ "seed": 4, "scenario": "baseline" });
    assert_eq!(client.admin("POST", "/reset", &other.to_string()).await.json(), other);
    assert_eq!(client.all("/devices").await.len(), 1_200);
    assert_eq!(client.look("/changes").await, json!([]));
    assert_eq!(client.admin("POST", "/reset", "{\"scenario\":\"moon\"}").await.status, 400);
    assert_eq!(client.admin("POST", "/reset", "{\"seed\":-1}").await.status, 400);
}

#[tokio::test]
async fn the_page_about_the_sandbox_names_what_there_is() {
    let page = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/SANDBOX.md"));
    let told = |text: &str| assert!(page.contains(text), "docs/SANDBOX.md does not tell `{text}`");
    for key in KEYS {
        told(&format!("| {} | `{}` |", key.name, key.key));
    }
    for scenario in SCENARIOS {
        told(&format!("| `{scenario}` |"));
    }
    for (name, rule) in FAULTS {
        told(&format!("| `{name}` | `{rule}` |"));
    }
    let routes = client::fresh("empty").admin("GET", "/", "").await.text;
    for line in routes.lines() {
        let words: Vec<&str> = line.split_whitespace().take(2).collect();
        told(&format!("`{}`", words.join(" ")));
    }
}

#[tokio::test]
async fn the_platform_itself_serves_nothing_from_behind() {
    let client = client::fresh("small");
    for path in ["//stats", "//state", "//__sandbox/stats", "//reset"] {
        assert_eq!(client.get(path).await.status, 404, "{path}");
    }
    let routes = client.admin("GET", "/", "").await.text;
    assert_eq!(routes.lines().count(), 13);
    let stats: Value = client.look("/stats").await;
    assert_eq!(stats["requests"], 4);
}
