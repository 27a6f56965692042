//! A call that nobody waits for any more: its request to the platform is dropped, and the operator is told.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::io::Write;

use serde_json::{Value, json};
use support::hanging::{Hanging, session};
use support::{DEVICE, modern, request};

fn call() -> Value {
    request("tools/call", json!({"name": "get_device", "arguments": {"device_id": DEVICE}}))
}

fn modern_call() -> Value {
    let mut call = call();
    call["params"]["_meta"] = modern();
    call
}

const MODERN: &str =
    "MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\nMcp-Name: get_device\r\n";

fn cancelled(id: i32) -> Value {
    json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": id, "reason": "no more"}})
}

/// What the operator sees of a call that was cancelled.
fn is_told(hanging: &mut Hanging) {
    let line: Value = serde_json::from_str(&hanging.log_until("get_device cancelled")).unwrap();
    assert_eq!(line["outcome"], "cancelled", "{line}");
}

#[test]
fn a_client_that_goes_takes_its_request_to_the_platform_with_it() {
    let calls = [
        ("POST /mcp", "", call().to_string()),
        ("POST /mcp", MODERN, modern_call().to_string()),
        ("POST /tools/get_device", "", json!({"device_id": DEVICE}).to_string()),
        (&format!("GET /device/{DEVICE}/status"), "", String::new()),
    ];
    for (line, headers, body) in calls {
        let mut hanging = Hanging::http(&[]);
        let client = hanging.send(line, headers, &body);
        let mut held = hanging.held();
        drop(client);
        held.is_dropped();
        is_told(&mut hanging);
        let metrics = hanging.answer("GET /metrics", "", "");
        let counted = r#"mcp_tool_errors_total{tool="get_device",code="cancelled"} 1"#;
        assert!(metrics.contains(counted), "{line}: {metrics}");
    }
}

#[test]
fn a_call_of_a_session_is_cancelled_by_its_notification() {
    let mut hanging = Hanging::http(&["--legacy-sessions"]);
    let session = session(&hanging);
    let _client = hanging.send("POST /mcp", &session, &call().to_string());
    let mut held = hanging.held();
    let accepted = hanging.answer("POST /mcp", &session, &cancelled(1).to_string());
    assert!(accepted.starts_with("HTTP/1.1 202 "), "{accepted}");
    held.is_dropped();
    is_told(&mut hanging);
}

#[test]
fn on_stdio_a_call_is_cancelled_by_its_notification() {
    let opening = request(
        "initialize",
        json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}),
    );
    let opened = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    let mut legacy = call();
    legacy["id"] = json!(2);
    for (messages, id) in [(vec![opening, opened, legacy], 2), (vec![modern_call()], 1)] {
        let (mut hanging, mut input) = Hanging::stdio();
        for message in &messages {
            writeln!(input, "{message}").unwrap();
        }
        let mut held = hanging.held();
        writeln!(input, "{}", cancelled(id)).unwrap();
        held.is_dropped();
        is_told(&mut hanging);
    }
}

#[test]
fn the_deadline_drops_the_request() {
    // Nothing else would end the request within an hour.
    let hanging = Hanging::http(&["--deadline-ms", "200", "--timeout-ms", "3600000"]);
    let client = hanging.send("POST /mcp", "Connection: close\r\n", &call().to_string());
    let mut held = hanging.held();
    held.is_dropped();
    let answer = client.answer();
    assert!(answer.contains(r#""code":"timeout""#), "{answer}");
}
