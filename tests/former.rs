//! What the former version of this server had: a session's context, filters of users, the organization beside a device, background tasks that are off, and all tools by name.

#![allow(clippy::unwrap_used, reason = "a test that finds nothing has failed")]

mod support;

use serde_json::{Value, json};
use support::{DEVICE, KEY_A, Running, modern, program, request, stdio};

const SANDBOX: [&str; 3] = ["--sandbox", "--sandbox-scenario", "small"];

#[allow(clippy::needless_pass_by_value, reason = "a test hands over what it wrote in place")]
fn call(tool: &str, arguments: Value) -> Value {
    request("tools/call", json!({"name": tool, "arguments": arguments, "_meta": modern()}))
}

fn read(uri: &str) -> Value {
    request("resources/read", json!({"uri": uri, "_meta": modern()}))
}

fn contents(answer: &Value) -> Value {
    let text = answer["result"]["contents"][0]["text"].as_str();
    serde_json::from_str(text.unwrap_or_else(|| panic!("{answer}"))).unwrap()
}

#[test]
fn over_stdio_a_context_completes_the_calls_that_leave_ids_out() {
    let all = [&SANDBOX[..], &["--toolsets", "all"]].concat();
    let answers = stdio(
        &all,
        &[
            call("get_device", json!({})),
            call("set_context", json!({"device_id": DEVICE})),
            call("get_device", json!({})),
            call("list_device_commands", json!({})),
            call("delete_device", json!({"dry_run": true})),
            call("send_command", json!({"command": "reboot", "dry_run": true})),
            call("move_device", json!({"device_id": DEVICE, "dry_run": true})),
            call("set_context", json!({"device_id": ""})),
            call("get_device", json!({})),
            call("set_context", json!({"device_id": "Board display"})),
        ],
    );
    let result = |at: usize| &answers[at]["result"];
    let code = |at: usize| result(at)["structuredContent"]["error"]["code"].clone();
    assert_eq!(code(0), "invalid_arguments");
    assert_eq!(result(1)["structuredContent"], json!({"context": {"device_id": DEVICE}}));
    assert_eq!(result(2)["structuredContent"]["id"], DEVICE, "{}", answers[2]);
    assert_eq!(result(2)["_meta"]["context"], json!({"device_id": DEVICE}), "it is told");
    assert_eq!(result(3)["isError"], false, "{}", answers[3]);
    assert_eq!(code(4), "invalid_arguments", "what is destroyed is named");
    assert!(result(5).to_string().contains(DEVICE), "{}", answers[5]);
    assert_eq!(code(6), "invalid_arguments", "a change takes its target only");
    assert_eq!(result(7)["structuredContent"], json!({"context": {}}));
    assert_eq!(code(8), "invalid_arguments");
    assert_eq!(code(9), "invalid_arguments", "it takes an id");
}

#[tokio::test]
async fn without_a_session_nothing_is_remembered_and_the_argument_to_pass_is_named() {
    let server = Running::http(&[&SANDBOX[..], &["--toolsets", "all"]].concat());
    let result = server.call("set_context", json!({"device_id": DEVICE}), &[]).await;
    assert_eq!(result["isError"], true, "{result}");
    let hint = &result["structuredContent"]["error"]["hint"];
    assert!(hint.as_str().unwrap().contains("`device_id`"), "{result}");
    let result = server.call("get_device", json!({}), &[]).await;
    assert_eq!(result["isError"], true, "{result}");
}

#[tokio::test]
async fn a_session_over_http_remembers_for_itself_and_for_no_other() {
    let server =
        Running::http(&[&SANDBOX[..], &["--toolsets", "all", "--legacy-sessions"]].concat());
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("http://{}/mcp", server.address);
    let send = |session: Option<String>, message: Value| {
        let mut request = client.post(&url).json(&message);
        request = request.header("accept", "application/json, text/event-stream");
        if let Some(session) = session {
            request = request.header("mcp-session-id", session);
        }
        async move { request.send().await.unwrap() }
    };
    let open = json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
    let mut ids = Vec::new();
    for _ in 0..2 {
        let opened = send(None, request("initialize", open.clone())).await;
        let id = opened.headers()["mcp-session-id"].to_str().unwrap().to_owned();
        let ready = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
        send(Some(id.clone()), ready).await;
        ids.push(id);
    }
    let tool = |name: &str, arguments: Value| {
        request("tools/call", json!({"name": name, "arguments": arguments}))
    };
    let answer = |at: usize, message: Value| {
        let reply = send(Some(ids[at].clone()), message);
        async move { reply.await.text().await.unwrap() }
    };
    let set = answer(0, tool("set_context", json!({"device_id": DEVICE}))).await;
    assert!(set.contains(DEVICE), "{set}");
    let own = answer(0, tool("get_device", json!({}))).await;
    assert!(own.contains("effective_status"), "{own}");
    let other = answer(1, tool("get_device", json!({}))).await;
    assert!(other.contains("invalid_arguments"), "{other}");
}

#[test]
fn a_filter_is_a_name_of_the_session_and_leaves_its_devices() {
    let messages = [
        read("user://lobby/preferences"),
        read("user://lobby/devices"),
        call("set_context", json!({"filter": "lobby", "device_id": DEVICE})),
        read("user://lobby/preferences"),
        read("xyte://user/lobby/devices"),
        read("user://other/devices"),
        call("get_device", json!({})),
    ];
    let answers = stdio(&[&SANDBOX[..], &["--toolsets", "all"]].concat(), &messages);
    assert_eq!(contents(&answers[0])["preferences"], json!({}));
    let all = contents(&answers[1]);
    assert_eq!((&all["total"], &all["complete"]), (&json!(24), &json!(true)));
    assert_eq!(all["devices"].as_array().unwrap().len(), 24, "a resource has all rows");
    assert_eq!(contents(&answers[3])["preferences"], json!({"device_id": DEVICE}));
    let one = contents(&answers[4]);
    assert_eq!((&one["total"], &one["devices"][0]["id"]), (&json!(1), &json!(DEVICE)));
    assert_eq!(contents(&answers[5])["total"], 24);
    assert_eq!(answers[6]["result"]["isError"], true, "a filter is for those who name it");
}

#[tokio::test]
async fn the_name_of_a_filter_is_in_no_log() {
    let server =
        Running::http(&[&SANDBOX[..], &["--log-level", "TRACE", "--audit", "stderr"]].concat());
    let secret = "somebody-took-this-for-a-token";
    for part in ["devices", "preferences"] {
        let uri = format!("user://{secret}/{part}");
        let (_, answer) = server.post(&request("resources/read", json!({"uri": uri})), &[]).await;
        assert!(answer["result"]["contents"][0]["text"].is_string(), "{answer}");
        let url = format!("http://{}/user/{secret}/{part}", server.address);
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        assert_eq!(client.get(url).send().await.unwrap().status(), 200);
    }
    let (_, written) = server.terminate();
    assert!(!written.contains(secret), "{written}");
    assert!(written.contains("list_user_devices"));
}

#[test]
fn the_organization_is_shown_beside_a_device_and_its_place() {
    let uri = format!("organization://info/{DEVICE}");
    let answers = stdio(
        &SANDBOX,
        &[
            read(&uri),
            read("organization://info"),
            call("get_device", json!({"device_id": DEVICE})),
        ],
    );
    let (both, device) = (contents(&answers[0]), &answers[2]["result"]["structuredContent"]);
    assert_eq!(both["organization"], contents(&answers[1]));
    assert_eq!(
        both["device"],
        json!({"id": DEVICE, "name": device["name"], "space": device["space"]["full_path"]})
    );
}

#[tokio::test]
async fn without_background_tasks_their_tools_say_exactly_that() {
    let server = Running::http(&SANDBOX);
    let off = json!({"error": "async_disabled"});
    for tool in ["send_command_async", "get_task_status"] {
        for arguments in [json!({}), json!({"device_id": DEVICE, "command": "reboot"})] {
            let result = server.call(tool, arguments, &[]).await;
            assert_eq!((&result["isError"], &result["structuredContent"]), (&json!(true), &off));
            let text = result["content"][0]["text"].as_str().unwrap();
            assert_eq!(serde_json::from_str::<Value>(text).unwrap(), off);
        }
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let url = format!("http://{}/tools/{tool}", server.address);
        let got = client.post(url).json(&json!({})).send().await.unwrap();
        assert_eq!(got.status(), 501);
        assert_eq!(got.json::<Value>().await.unwrap(), off);
    }
    let refused = program().arg("stdio").env("ENABLE_ASYNC_TASKS", "true").output().unwrap();
    assert_eq!(refused.status.code(), Some(2), "what is not there is not switched on");
}

#[tokio::test]
async fn a_host_with_little_room_reaches_everything_through_five_tools() {
    let sandbox = Running::sandbox();
    let base = format!("http://{}", sandbox.address);
    let server = Running::http(&["--base-url", &base]);
    let headers = [("x-xyte-api-key", KEY_A), ("x-mcp-toolsets", "compact")];
    let (_, listed) = server.post(&request("tools/list", json!({})), &headers).await;
    let tools = listed["result"]["tools"].as_array().unwrap();
    assert_eq!(tools.len(), 5);
    let tokens = listed["result"]["tools"].to_string().chars().count().div_ceil(4);
    assert!(tokens <= 1000, "{tokens} tokens");
    let found =
        server.call("search_operations", json!({"query": "reboot a device"}), &headers).await;
    let found = &found["structuredContent"]["operations"];
    let names: Vec<&str> =
        found.as_array().unwrap().iter().map(|it| it["operation"].as_str().unwrap()).collect();
    assert!(names.contains(&"send_command"), "{names:?}");
    for (query, best) in [
        ("offline devices", "fleet_health"),
        ("history of a device", "search_device_histories"),
        ("stale tickets", "ticket_triage"),
        ("expiring licenses", "expiry_report"),
    ] {
        let found = json!({"query": query, "limit": 3});
        let found = server.call("search_operations", found, &headers).await;
        let found = &found["structuredContent"]["operations"];
        let names = found.as_array().unwrap().iter().map(|it| &it["operation"]);
        assert!(names.into_iter().any(|name| name == best), "{query}: {found}");
    }
    let shown =
        server.call("describe_operation", json!({"operation": "send_command"}), &headers).await;
    assert_eq!(shown["structuredContent"]["call_with"], "call_write");
    assert_eq!(sandbox.received().await, 0, "nothing of this asks the platform");
    let by_name = json!({"operation": "get_device", "arguments": {"device_id": DEVICE}});
    let device = server.call("call_read", by_name, &headers).await;
    assert_eq!(device["structuredContent"]["id"], DEVICE, "{device}");
    let direct = server.call("get_device", json!({"device_id": DEVICE}), &headers).await;
    assert_eq!(direct["structuredContent"]["error"]["code"], "toolset_not_selected");
    let sent = json!({"operation": "send_command", "arguments": {"device_id": DEVICE, "command": "reboot"}});
    let sent = server.call("call_write", sent, &headers).await;
    assert_eq!(sent["isError"], false, "{sent}");
    let wrong = json!({"operation": "delete_device", "arguments": {"device_id": DEVICE}});
    let wrong = server.call("call_write", wrong, &headers).await;
    let hint = wrong["structuredContent"]["error"]["hint"].as_str().unwrap();
    assert!(hint.contains("`call_destructive`"), "{wrong}");
}
