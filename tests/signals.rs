//! How the service ends: the first signal lets calls end, the second does not.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::io::{Read, Write};

use serde_json::{Value, json};
use support::hanging::{Hanging, session};
use support::{Running, modern, request};

fn call() -> String {
    request("tools/call", json!({"name": "list_devices"})).to_string()
}

#[test]
fn after_one_signal_a_call_in_flight_is_still_answered() {
    for sessions in [false, true] {
        let mut hanging = Hanging::http(if sessions { &["--legacy-sessions"] } else { &[] });
        let headers = if sessions { session(&hanging) } else { String::new() };
        let client = hanging.send("POST /mcp", &headers, &call());
        let held = hanging.held();
        hanging.signal();
        hanging.log_until("stopping");
        held.answer(r#"{"items":[]}"#);
        let answer = client.answer();
        assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains("items"), "{answer}");
        assert_eq!(hanging.ended(), Some(0));
    }
}

#[test]
fn on_stdio_too_a_call_in_flight_is_still_answered() {
    let (mut hanging, mut input) = Hanging::stdio();
    let mut call: Value = serde_json::from_str(&call()).unwrap();
    call["params"]["_meta"] = modern();
    writeln!(input, "{call}").unwrap();
    let held = hanging.held();
    hanging.signal();
    hanging.log_until("stopping");
    held.answer(r#"{"items":[]}"#);
    let mut answer = String::new();
    hanging.child.stdout.take().unwrap().read_to_string(&mut answer).unwrap();
    assert!(answer.contains(r#""complete":true"#), "{answer}");
    assert_eq!(hanging.ended(), Some(0));
    drop(input); // The client had not gone before.
}

#[test]
fn an_open_stream_of_a_session_ends_with_the_server() {
    let hanging = Hanging::http(&["--legacy-sessions"]);
    let mut stream = hanging.send("GET /mcp", &session(&hanging), "");
    let head = stream.head();
    assert!(head.starts_with("HTTP/1.1 200 ") && head.contains("text/event-stream"), "{head}");
    hanging.signal();
    // A chunked answer that is complete ends with an empty chunk.
    let rest = stream.answer();
    assert!(rest.ends_with("0\r\n\r\n"), "{rest:?}");
    assert_eq!(hanging.ended(), Some(0));
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let mut hanging = Hanging::http(&[]);
    let _client = hanging.send("POST /mcp", "", &call());
    let _held = hanging.held();
    hanging.signal();
    hanging.log_until("stopping");
    hanging.signal();
    assert_eq!(hanging.ended(), Some(143));
}

#[test]
fn a_server_open_to_everybody_says_so_at_every_start() {
    let open = Running::http(&["--allow-unauthenticated"]);
    assert!(open.started.contains("--allow-unauthenticated"), "{}", open.started);
}
