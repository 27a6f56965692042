//! The built program, asked by clients of both eras, with the sandbox as its platform.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use serde_json::{Value, json};
use support::{DEVICE, KEY_A, KEY_B, Running, SlowPlatform, modern, program, request, stdio};

fn ids(result: &Value) -> Vec<&str> {
    let rows = result["structuredContent"]["items"].as_array().unwrap();
    rows.iter().map(|row| row["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_bare_call_is_answered_with_plain_json_in_both_eras() {
    let server = Running::http(&["--sandbox", "--sandbox-scenario", "small"]);
    let legacy = server.call("list_devices", json!({"limit": 3}), &[]).await;
    assert_eq!(ids(&legacy).len(), 3);
    assert_eq!(legacy["structuredContent"]["page"]["complete"], false);
    assert_eq!(legacy["_meta"]["sandbox"], true);
    let params = json!({"name": "list_devices", "arguments": {"limit": 3}, "_meta": modern()});
    let headers = [
        ("mcp-protocol-version", "2026-07-28"),
        ("mcp-method", "tools/call"),
        ("mcp-name", "list_devices"),
    ];
    let (status, answer) = server.post(&request("tools/call", params), &headers).await;
    assert_eq!((status, &answer["result"]["resultType"]), (200, &json!("complete")), "{answer}");
    let items = &legacy["structuredContent"]["items"]; // No two cursors are alike.
    assert_eq!(answer["result"]["structuredContent"]["items"], *items);
}

#[test]
fn logs_are_lines_of_json_or_text_for_a_person() {
    let lines = |environment| Running::http(&["--env", environment]).started.clone();
    assert!(lines("prod").lines().all(|line| serde_json::from_str::<Value>(line).is_ok()));
    assert!(lines("dev").lines().all(|line| line.contains(" INFO ") && !line.contains('{')));
}

#[test]
fn stdio_speaks_both_eras() {
    let initialize = request(
        "initialize",
        json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}),
    );
    let initialized = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    let call =
        request("tools/call", json!({"name": "get_device", "arguments": {"device_id": DEVICE}}));
    let sandbox = ["--sandbox", "--sandbox-scenario", "small"];
    let answers = stdio(&sandbox, &[initialize, initialized, call.clone()]);
    assert_eq!(answers[0]["result"]["protocolVersion"], "2025-11-25");
    assert_eq!(answers[1]["result"]["structuredContent"]["id"], DEVICE);
    let mut modern_call = call;
    modern_call["params"]["_meta"] = modern();
    let answers = stdio(&sandbox, &[modern_call]);
    assert_eq!(answers[0]["result"]["structuredContent"]["id"], DEVICE);
}

#[tokio::test]
async fn a_wrong_argument_is_named_and_the_platform_sees_nothing() {
    let sandbox = Running::sandbox();
    let base = format!("http://{}", sandbox.address);
    let server = Running::http(&["--base-url", &base, "--toolsets", "all"]);
    let headers = [("x-xyte-api-key", KEY_A)];
    let wrong = [
        ("list_devices", json!({"limt": 5}), "`limit`"),
        ("list_devices", json!({"limit": "many"}), "`limit`"),
        ("list_devices", json!({"limit": 0}), "`limit`"),
        ("get_device", json!({}), "`device_id`"),
        ("get_device", json!({"device_id": ["Board room"]}), "`device_id`"),
        ("list_incidents", json!({"status": "open"}), "`active`"),
        ("create_space", json!({"name": ""}), "`name`"),
        ("create_asset", json!({"name": "Lectern", "status": 5}), "`status`"),
        (
            "merge_devices",
            json!({"device_id": DEVICE, "with_device_ids": ["x"]}),
            "`with_device_ids[0]`",
        ),
        ("list_devices", json!({"space_id": 1e30}), "`space_id`"),
    ];
    for (tool, arguments, named) in wrong {
        let result = server.call(tool, arguments.clone(), &headers).await;
        assert_eq!(result["isError"], true, "{tool} {arguments}");
        let error = &result["structuredContent"]["error"];
        assert_eq!(error["code"], "invalid_arguments", "{tool} {arguments}");
        assert!(error["message"].as_str().unwrap().contains(named), "{tool} {arguments}: {error}");
    }
    assert_eq!(sandbox.received().await, 0);
    server.call("list_devices", json!({"space_id": "2104"}), &headers).await;
    let two = server.call("list_devices", json!({"limit": 2.0}), &headers).await;
    assert_eq!(
        (sandbox.received().await, ids(&two).len()),
        (2, 2),
        "a number may be written in other ways"
    );
}

#[tokio::test]
async fn an_id_cannot_lead_a_call_to_another_resource() {
    let sandbox = Running::sandbox();
    let base = format!("http://{}", sandbox.address);
    let server = Running::http(&["--base-url", &base, "--toolsets", "all"]);
    for id in ["..", ".", "..\\devices", " "] {
        let arguments = json!({"device_id": DEVICE, "command_id": id});
        let result = server.call("cancel_command", arguments, &[("x-xyte-api-key", KEY_A)]).await;
        let error = &result["structuredContent"]["error"];
        assert_eq!(error["code"], "invalid_arguments", "{id}: {result}");
        assert!(error["message"].as_str().unwrap().contains("`command_id`"), "{error}");
    }
    assert_eq!(sandbox.received().await, 0);
}

#[tokio::test]
async fn each_request_acts_in_the_name_of_its_own_key() {
    let sandbox = Running::sandbox();
    let base = format!("http://{}", sandbox.address);
    let server = Running::http(&["--base-url", &base, "--log-level", "TRACE"]);
    let list = json!({"limit": 1000});
    let bearer = format!("bearer {KEY_B}");
    let (brought_a, brought_b) = ([("x-api-key", KEY_A)], [("authorization", bearer.as_str())]);
    let (a, b) = tokio::join!(
        server.call("list_devices", list.clone(), &brought_a),
        server.call("list_devices", list.clone(), &brought_b),
    );
    let (a, b) = (ids(&a), ids(&b));
    assert!(!a.is_empty() && !b.is_empty());
    assert!(a.iter().all(|id| !b.contains(id)));
    let (status, refused) =
        server.post(&request("tools/call", json!({"name": "list_devices"})), &[]).await;
    assert_eq!((status, &refused["error"]["data"]["error"]), (401, &json!("missing_xyte_key")));
    let both = [("x-xyte-api-key", KEY_A), ("x-api-key", KEY_B)];
    let (status, refused) = server.post(&request("tools/list", json!({})), &both).await;
    assert_eq!(
        (status, &refused["error"]["data"]["error"]),
        (400, &json!("conflicting_xyte_keys"))
    );
    let unknown = "a-key-that-nobody-has-but-is-long-enough";
    let result = server.call("list_devices", json!({}), &[("x-xyte-api-key", unknown)]).await;
    assert_eq!(result["structuredContent"]["error"]["code"], "unauthorized");
    let (_, written) = server.terminate();
    for key in [KEY_A, KEY_B, unknown] {
        assert!(!written.contains(key), "a key is in the logs");
    }
}

#[tokio::test]
async fn on_the_loopback_address_too_the_servers_token_stands_for_its_key() {
    const TOKEN: &str = "a-token-of-more-than-32-characters";
    let sandbox = Running::sandbox();
    let base = format!("http://{}", sandbox.address);
    let own =
        ["--base-url", &base, "--api-key", KEY_A, "--mcp-http-token", TOKEN, "--toolsets", "all"];
    let server = Running::http(&own);
    let token = [("authorization", &*format!("Bearer {TOKEN}"))];
    let result = server.call("get_device", json!({"device_id": DEVICE}), &token).await;
    assert_eq!(result["structuredContent"]["id"], DEVICE, "{result}");
}

#[tokio::test]
async fn a_dry_run_shows_the_request_and_changes_nothing() {
    let sandbox = Running::sandbox();
    let base = format!("http://{}", sandbox.address);
    let server = Running::http(&["--base-url", &base, "--toolsets", "all"]);
    let arguments = json!({"device_id": DEVICE, "custom_parameters": {"a": null}, "dry_run": true});
    let result = server.call("update_device", arguments, &[("x-xyte-api-key", KEY_A)]).await;
    let request = &result["structuredContent"]["request"];
    assert_eq!(request["method"], "PATCH");
    assert_eq!(request["url"], format!("{base}/core/v1/organization/devices/{DEVICE}"));
    assert_eq!(request["body"], json!({"custom_parameters": {"a": null}}));
    assert_eq!(request["headers"]["authorization"], "****");
    assert!(request["headers"].get("api-version").is_none());
    assert_eq!(sandbox.changes().await, [""; 0]);
    let missing =
        json!({"device_id": "00000000-0000-4000-8000-000000000000", "name": "x", "dry_run": true});
    let missing = server.call("update_device", missing, &[("x-xyte-api-key", KEY_A)]).await;
    assert_eq!(missing["structuredContent"]["error"]["code"], "not_found");
    let unknown = json!({"device_id": DEVICE, "command": "fly", "dry_run": true});
    let unknown = server.call("send_command", unknown, &[("x-xyte-api-key", KEY_A)]).await;
    assert_eq!(unknown["structuredContent"]["error"]["code"], "invalid_arguments");
}

#[tokio::test]
async fn a_change_is_seen_by_whoever_reads_next() {
    let server = Running::http(&["--sandbox", "--sandbox-scenario", "small", "--toolsets", "all"]);
    let note = json!({"device_id": DEVICE, "content": "Lamp replaced."});
    let made = server.call("create_device_note", note, &[]).await;
    assert_eq!(made["isError"], false, "{made}");
    let notes = server.call("list_device_notes", json!({"device_id": DEVICE}), &[]).await;
    assert!(notes["content"][0]["text"].as_str().unwrap().contains("Lamp replaced."), "{notes}");
}

#[tokio::test]
async fn a_tool_of_another_set_is_neither_shown_nor_called_and_the_set_is_named() {
    let server =
        Running::http(&["--sandbox", "--sandbox-scenario", "small", "--toolsets", "devices"]);
    let (_, answer) = server.post(&request("tools/list", json!({})), &[]).await;
    let tools = answer["result"]["tools"].as_array().unwrap();
    assert!(tools.iter().any(|tool| tool["name"] == "claim_device"));
    assert!(tools.iter().all(|tool| tool["name"] != "list_tickets"));
    let result = server.call("list_tickets", json!({}), &[]).await;
    assert_eq!(result["isError"], true);
    assert!(
        result["structuredContent"]["error"]["message"].as_str().unwrap().contains("`tickets`")
    );
}

#[tokio::test]
async fn a_read_only_server_changes_nothing() {
    let server = Running::http(&[
        "--sandbox",
        "--sandbox-scenario",
        "small",
        "--toolsets",
        "all",
        "--read-only",
    ]);
    let (_, answer) = server.post(&request("tools/list", json!({})), &[]).await;
    let tools = answer["result"]["tools"].as_array().unwrap();
    assert!(tools.iter().all(|tool| tool["annotations"]["readOnlyHint"] == true));
    let result = server.call("delete_device", json!({"device_id": DEVICE}), &[]).await;
    assert_eq!(result["structuredContent"]["error"]["code"], "read_only");
    let device = server.call("get_device", json!({"device_id": DEVICE}), &[]).await;
    assert_eq!(device["structuredContent"]["id"], DEVICE);
}

#[tokio::test]
async fn resources_are_read_under_both_names_and_say_how_to_use_the_server() {
    let server = Running::http(&["--sandbox", "--sandbox-scenario", "small"]);
    for uri in [format!("device://{DEVICE}/status"), format!("xyte://device/{DEVICE}/status")] {
        let (_, answer) = server.post(&request("resources/read", json!({"uri": uri})), &[]).await;
        let text = answer["result"]["contents"][0]["text"].as_str().unwrap();
        let status: Value = serde_json::from_str(text).unwrap();
        for field in ["status", "effective_status", "merged_effective_status"] {
            assert!(status.get(field).is_some(), "{uri}: {status}");
        }
    }
    let (_, answer) =
        server.post(&request("resources/read", json!({"uri": "xyte://docs/api-usage"})), &[]).await;
    let usage = answer["result"]["contents"][0]["text"].as_str().unwrap();
    assert!(usage.starts_with("# API usage\n"));
}

#[tokio::test]
async fn a_call_in_flight_ends_before_the_process_does() {
    let (platform, base) = SlowPlatform::start();
    let server = std::sync::Arc::new(Running::http(&["--base-url", &base]));
    let calling = tokio::spawn({
        let server = server.clone();
        async move { server.call("list_devices", json!({}), &[("x-xyte-api-key", KEY_A)]).await }
    });
    let request = tokio::task::spawn_blocking(move || platform.receive()).await.unwrap();
    server.ask_to_end();
    request.answer("{\"items\": [], \"has_next_page\": false}");
    assert_eq!(calling.await.unwrap()["structuredContent"]["page"]["complete"], true);
    let server = std::sync::Arc::into_inner(server).unwrap();
    assert_eq!(server.ended().0, Some(0));
}

#[test]
fn stdio_ends_when_it_is_asked_to_although_its_client_stays() {
    let mut command = program();
    command.args(["stdio", "--sandbox", "--sandbox-scenario", "small"]);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    writeln!(input, "{}", request("tools/list", json!({"_meta": modern()}))).unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    support::terminate(child.id());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    drop(input); // The client had not gone before.
}

#[test]
fn a_setting_that_cannot_be_used_ends_the_program_with_one_line() {
    let output = program().arg("http").env("XYTE_MCP_PORT", "eighty").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let line = String::from_utf8(output.stderr).unwrap();
    assert_eq!(line, "xyte-mcp: XYTE_MCP_PORT holds `eighty`; it takes a port from 0 to 65535\n");
}

#[test]
fn a_misspelled_toolset_or_scenario_is_refused_like_any_setting() {
    let output = program().args(["stdio", "--toolsets", "devises"]).output().unwrap();
    let line = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        line.contains("XYTE_TOOLSETS holds `devises`") && line.contains("did you mean `devices`?"),
        "{line}"
    );
    let output = program()
        .args(["call", "list_devices", "--sandbox", "--sandbox-scenario", "tiny"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn stdio_without_a_key_lists_and_says_where_a_key_is_set() {
    let list = request("tools/list", json!({"_meta": modern()}));
    let call =
        request("tools/call", json!({"name": "list_devices", "arguments": {}, "_meta": modern()}));
    let answers = stdio(&[], &[list, call]);
    assert!(!answers[0]["result"]["tools"].as_array().unwrap().is_empty());
    let error = &answers[1]["result"]["structuredContent"]["error"];
    assert_eq!(error["code"], "unauthorized");
    assert!(error["hint"].as_str().unwrap().contains("XYTE_API_KEY"));
}
