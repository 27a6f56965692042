//! What a caller is told when a call fails: one snapshot per code.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpListener;

use serde_json::{Value, json};
use support::{DEVICE, KEY_A, Running, project};

const NOBODY: &str = "00000000-0000-4000-8000-000000000000";
const KEY_R: &str = "sandbox-key-R-northwind-read-only";

/// A platform that answers every request with the same bytes, and closes.
fn upstream(answer: &'static str) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            let mut request = [0; 4096];
            let _some_of_it = connection.read(&mut request).unwrap_or_default();
            connection.write_all(answer.as_bytes()).unwrap_or_default();
        }
    });
    format!("http://{address}")
}

/// Takes the error of a failed call, without what is different each time.
fn error(result: &Value) -> Value {
    assert_eq!(result["isError"], true, "{result}");
    assert_eq!(result["content"][0]["text"], result["structuredContent"].to_string());
    let mut error = result["structuredContent"]["error"].clone();
    assert!(error["request_id"].as_str().unwrap().len() >= 8);
    error["request_id"] = "[request id]".into();
    error
}

/// Calls a tool of a server in front of such a platform.
async fn behind(base: &str, tool: &str, arguments: Value) -> Value {
    behind_with(&[], base, tool, arguments).await
}

/// The same with other settings.
async fn behind_with(settings: &[&str], base: &str, tool: &str, arguments: Value) -> Value {
    let server = Running::http(&[&["--base-url", base, "--toolsets", "all"], settings].concat());
    error(&server.call(tool, arguments, &[("x-xyte-api-key", KEY_A)]).await)
}

async fn of_the_platform() -> Vec<(&'static str, Value)> {
    let server = Running::http(&[
        "--sandbox",
        "--sandbox-scenario",
        "small",
        "--toolsets",
        "all",
        "--rate-limit",
        "9",
    ]);
    let mut failures = Vec::new();
    let calls = [
        ("not_found", "get_device", json!({"device_id": NOBODY}), KEY_A),
        ("invalid_params", "send_command", json!({"device_id": DEVICE, "command": "dance"}), KEY_A),
        ("forbidden", "create_space", json!({"name": "Attic"}), KEY_R),
        ("unauthorized", "list_devices", json!({}), "a-key-that-nobody-has-but-is-long-enough"),
        ("invalid_arguments", "list_devices", json!({"limt": 5, "space_id": "lobby"}), KEY_A),
        ("invalid_arguments_uuid", "get_device", json!({"device_id": "Board room"}), KEY_A),
    ];
    for (name, tool, arguments, key) in calls {
        failures
            .push((name, error(&server.call(tool, arguments, &[("x-xyte-api-key", key)]).await)));
    }
    failures
}

async fn of_the_way_there() -> Vec<(&'static str, Value)> {
    let html = "HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\nContent-Length: 21\r\n\r\n<h1>Bad gateway</h1>\r\n";
    let broken =
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{\"items\":";
    let busy = "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 30\r\nContent-Length: 2\r\n\r\n{}";
    let moved = "HTTP/1.1 302 Found\r\nLocation: http://example.com/\r\nContent-Length: 0\r\n\r\n";
    let update = || json!({"device_id": DEVICE, "name": "Lectern"});
    // Bound and never accepted: the connection stands, and nobody answers.
    let silent = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let hung = format!("http://{}", silent.local_addr().unwrap());
    let short = ["--timeout-ms", "300"];
    vec![
        ("server_error", behind(&upstream(html), "list_devices", json!({})).await),
        ("server_error_of_a_write", behind(&upstream(html), "update_device", update()).await),
        ("upstream_contract", behind(&upstream(broken), "list_devices", json!({})).await),
        ("rate_limited_by_the_platform", behind(&upstream(busy), "list_devices", json!({})).await),
        ("redirect", behind(&upstream(moved), "list_devices", json!({})).await),
        ("network_error", behind("http://127.0.0.1:1", "list_devices", json!({})).await),
        ("timeout", behind_with(&short, &hung, "list_devices", json!({})).await),
        ("timeout_of_a_write", behind_with(&short, &hung, "update_device", update()).await),
        ("circuit_open", of_a_platform_that_is_not_there().await),
    ]
}

/// What a call is told after ten before it found nobody.
async fn of_a_platform_that_is_not_there() -> Value {
    let server = Running::http(&["--base-url", "http://127.0.0.1:1", "--toolsets", "all"]);
    let update = json!({"device_id": DEVICE, "name": "Lectern"});
    let headers = [("x-xyte-api-key", KEY_A)];
    for _ in 0..10 {
        let failure = error(&server.call("update_device", update.clone(), &headers).await);
        assert_eq!(failure["code"], "network_error");
    }
    let mut failure = error(&server.call("update_device", update, &headers).await);
    assert!((1..=10_000).contains(&failure["retry_after_ms"].as_u64().unwrap()));
    failure["retry_after_ms"] = "[milliseconds]".into();
    failure["hint"] = "[seconds]".into();
    failure
}

async fn of_our_own() -> Vec<(&'static str, Value)> {
    let small = ["--sandbox", "--sandbox-scenario", "small"];
    let bound =
        Running::http(&[&small[..], &["--toolsets", "devices", "--rate-limit", "2"]].concat());
    let beyond = error(&bound.call("list_tickets", json!({}), &[]).await);
    let open = Running::http(&[&small[..], &["--rate-limit", "1"]].concat());
    let unselected = error(&open.call("create_space", json!({"name": "Attic"}), &[]).await);
    let full = [&small[..], &["--toolsets", "all", "--audit", "file:/dev/full"]].concat();
    let note = json!({"device_id": DEVICE, "content": "Lamp replaced."});
    let unrecorded = error(&Running::http(&full).call("create_device_note", note, &[]).await);
    let left_out = [("x-mcp-exclude-tools", "list_spaces")];
    let narrowed = Running::http(&small);
    let excluded = error(&narrowed.call("list_spaces", json!({}), &left_out).await);
    let mut limited = error(&open.call("list_devices", json!({}), &[]).await);
    assert!((1..=60_000).contains(&limited["retry_after_ms"].as_u64().unwrap()));
    limited["retry_after_ms"] = "[milliseconds]".into();
    limited["hint"] = "[seconds]".into();
    let reading = Running::http(&[&small[..], &["--toolsets", "all", "--read-only"]].concat());
    let read_only = error(&reading.call("delete_device", json!({"device_id": DEVICE}), &[]).await);
    vec![
        ("toolset_not_offered", beyond),
        ("toolset_not_selected", unselected),
        ("tool_not_selected", excluded),
        ("audit_unavailable", unrecorded),
        ("rate_limited", limited),
        ("read_only", read_only),
    ]
}

#[tokio::test]
async fn every_failure_has_a_code_a_message_and_a_next_step_and_leaks_nothing() {
    let mut failures = of_the_platform().await;
    failures.extend(of_the_way_there().await);
    failures.extend(of_our_own().await);
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(project("snapshots/failures"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let mut names = BTreeSet::new();
    for (name, failure) in failures {
        assert!(!failure["message"].as_str().unwrap().is_empty(), "{name}");
        assert!(!failure["hint"].as_str().unwrap_or_default().is_empty(), "{name}: {failure}");
        for secret in [KEY_A, KEY_R, "<h1>", "a-key-that-nobody-has"] {
            assert!(!failure.to_string().contains(secret), "{name}: {failure}");
        }
        settings.bind(|| insta::assert_snapshot!(name, format!("{failure:#}")));
        names.insert(format!("{name}.snap"));
    }
    for file in std::fs::read_dir(project("snapshots/failures")).unwrap() {
        let file = file.unwrap().file_name().into_string().unwrap();
        assert!(
            names.contains(&file),
            "remove snapshots/failures/{file}, or run `cargo spec bless`"
        );
    }
}
