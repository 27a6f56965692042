//! A server in front of a sandbox, asked about the fleet, and what the sandbox's own state says about it.

#![allow(clippy::print_stdout, reason = "the scoreboard is for the log")]

use std::collections::BTreeMap;

use serde_json::Value;

use super::{KEY_A, Running};

/// Where the sandbox's clock starts, in Unix seconds.
pub(crate) const NOW: i64 = 1_788_769_800;
pub(crate) const DAY: i64 = 86_400;

/// Tokens that one answer about the fleet may cost.
pub(crate) const MOST_TOKENS: usize = 4000;

/// Requests to the platform that a look at the present state may cost.
const MOST_REQUESTS: u64 = 20;

/// A server in front of a sandbox with this scenario, which may name a seed as in `baseline seed 2`.
pub(crate) fn rig(scenario: &str) -> (Running, Running) {
    let (scenario, seed) = scenario.split_once(" seed ").unwrap_or((scenario, "1"));
    let sandbox = Running::seeded(scenario, seed);
    let base = format!("http://{}", sandbox.address);
    let server = Running::http(&["--base-url", &base]);
    (sandbox, server)
}

/// Asks once, prints what it cost, and holds it to its size.
pub(crate) async fn ask(rig: &(Running, Running), tool: &str, arguments: Value) -> Value {
    let (sandbox, server) = rig;
    let before = sandbox.received().await;
    let result = server
        .call(tool, arguments.clone(), &[("x-xyte-api-key", KEY_A), ("x-mcp-toolsets", "all")])
        .await;
    let requests = sandbox.received().await - before;
    let text = result["content"][0]["text"].as_str().unwrap().chars().count();
    let structured = result["structuredContent"].to_string().chars().count();
    let tokens = text.max(structured).div_ceil(4);
    println!(
        "scoreboard: {tool} {arguments}: 1 call, {tokens} tokens, {requests} upstream requests"
    );
    assert!(tokens <= MOST_TOKENS, "{tokens} tokens");
    if ["fleet_health", "find", "room_status", "expiry_report"].contains(&tool) {
        assert!(requests <= MOST_REQUESTS, "{requests} requests");
    }
    result
}

/// What tenant A owns, as the sandbox knows it.
pub(crate) async fn state(sandbox: &Running) -> Value {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("http://{}/state", sandbox.admin);
    let mut state: Value = client.get(url).send().await.unwrap().json().await.unwrap();
    state["A"].take()
}

/// Posts to the admin port.
pub(crate) async fn admin(sandbox: &Running, path: &str, body: impl Into<String>) {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("http://{}{path}", sandbox.admin);
    let answer = client.post(url).body(body.into()).send().await.unwrap();
    assert!(answer.status().is_success(), "{path}: {}", answer.text().await.unwrap());
}

/// The path of every device's space, from the sandbox's own tree.
pub(crate) fn paths(state: &Value) -> BTreeMap<String, String> {
    let spaces = state["spaces"].as_object().unwrap();
    let path = |device: &Value| {
        let mut names = Vec::new();
        let mut at = device["space_id"].clone();
        while let Some(space) = at.as_i64().and_then(|id| spaces.get(&id.to_string())) {
            names.insert(0, space["name"].as_str().unwrap());
            at = space["parent_id"].clone();
        }
        names.join("/")
    };
    let devices = state["devices"].as_object().unwrap().iter();
    devices.map(|(id, device)| (id.clone(), path(device))).collect()
}
