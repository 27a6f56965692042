//! What is asked: with keys where they belong, where none belongs, and keys that open nothing.

use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};

use crate::forms::{METRICS, OTHER, OWN, PARTNER, TOKEN, forms};
use crate::support::{DEVICE, modern, request};

fn call(name: &str, arguments: &Value) -> Value {
    request("tools/call", json!({"name": name, "arguments": arguments}))
}

/// Calls that succeed and that fail in each of the platform's ways.
pub(crate) fn calls() -> Vec<Value> {
    let read = |uri: String| request("resources/read", json!({"uri": uri}));
    let broken = "00000000-0000-4000-8000-000000000500";
    let mut calls = vec![
        call("list_devices", &json!({})),
        call("list_devices", &json!({"format": "json"})),
        call("get_device", &json!({"device_id": DEVICE})),
        call("create_device_note", &json!({"device_id": DEVICE, "content": "Lamp replaced."})),
        call("delete_device", &json!({"device_id": DEVICE, "dry_run": true})),
        call("update_device", &json!({"device_id": broken, "name": "Lectern"})),
        read("devices://".to_owned()),
        read(format!("device://{DEVICE}/status")),
        read(format!("device://{broken}/status")),
    ];
    let statuses = [299, 302, 400, 401, 403, 404, 409, 422, 429, 500];
    calls.extend(statuses.map(|status| call("list_devices", &json!({"space_id": status}))));
    calls
}

/// Messages with a key where none belongs.
pub(crate) fn misplaced(key: &str) -> Vec<Value> {
    let read = |uri: String| request("resources/read", json!({"uri": uri}));
    let client = json!({"name": key, "version": key});
    vec![
        call("list_devices", &json!({"fields": ["id", "name", key]})),
        call("list_devices", &json!({key: key, "limit": key, "space_id": key})),
        call("get_device", &json!({"device_id": key})),
        call("get_space", &json!({"space_id": key})),
        call("create_device_note", &json!({"device_id": DEVICE, "content": key})),
        call("create_device_note", &json!({"device_id": DEVICE, "content": key, "dry_run": true})),
        call(key, &json!({})),
        request(key, json!({})),
        request("tools/list", json!({"cursor": key})),
        request(
            "initialize",
            json!({"protocolVersion": key, "capabilities": {}, "clientInfo": client}),
        ),
        read(format!("device://{key}/status")),
        read(format!("user://{key}/devices")),
        read(key.to_owned()),
        json!({"jsonrpc": key, "id": key, "method": "tools/list"}),
    ]
}

/// An MCP request without a handshake.
fn in_modern(request: RequestBuilder, message: &Value) -> RequestBuilder {
    let mut message = message.clone();
    message["params"]["_meta"] = modern();
    let named = &message["params"];
    let name = named["name"].as_str().or_else(|| named["uri"].as_str()).unwrap_or_default();
    request
        .header("mcp-protocol-version", "2026-07-28")
        .header("mcp-method", message["method"].as_str().unwrap_or_default())
        .header("mcp-name", name)
        .json(&message)
}

/// What no answer may hold a key of, whatever the platform says: each with what opens the door.
pub(crate) fn fitting(client: &Client, base: &str, opener: &str) -> Vec<RequestBuilder> {
    let mut requests = Vec::new();
    for message in calls() {
        requests.push(client.post(format!("{base}/mcp")).json(&message));
        requests.push(in_modern(client.post(format!("{base}/mcp")), &message));
        let tool = message["params"]["name"].as_str().unwrap_or("list_devices");
        let arguments = &message["params"]["arguments"];
        requests.push(client.post(format!("{base}/tools/{tool}")).json(arguments));
    }
    for path in [
        "/devices",
        "/devices?format=json",
        "/devices?space_id=500",
        "/devices?limit=x",
        "/tools",
        "/resources",
        "/healthz",
        "/readyz",
        "/metrics",
        "/config",
        "/docs",
        "/openapi.json",
        "/sse",
        "/invoke",
        "/nowhere",
    ] {
        requests.push(client.get(format!("{base}{path}")));
    }
    requests.into_iter().map(|request| request.header("x-xyte-api-key", opener)).collect()
}

/// Keys where none belong, in messages, headers and addresses; the answer quotes them to whoever wrote them, and nothing else may.
pub(crate) fn astray(client: &Client, base: &str, key: &str) -> Vec<RequestBuilder> {
    let post = || client.post(format!("{base}/mcp"));
    let list = request("tools/list", json!({}));
    let mut requests = Vec::new();
    for message in misplaced(key) {
        requests.push(post().json(&message));
        requests.push(in_modern(post(), &message));
    }
    for header in [
        "x-mcp-toolsets",
        "x-mcp-tools",
        "x-mcp-exclude-tools",
        "x-mcp-readonly",
        "mcp-protocol-version",
        "mcp-session-id",
        "mcp-name",
        "accept",
        "origin",
        "host",
        "user-agent",
        "content-type",
    ] {
        requests.push(post().header(header, key).json(&list));
        requests.push(client.get(format!("{base}/devices")).header(header, key));
    }
    for path in [
        "/devices?limit=1&KEY=KEY",
        "/devices?fields=KEY",
        "/devices?space_id=KEY",
        "/device/KEY/status",
        "/tools/KEY",
        "/KEY",
        "/mcp/x/KEY",
        "/x/KEY/devices",
        "/mcp/x/all/KEY",
        "/metrics?KEY",
        "/events?KEY",
        "/config?KEY",
    ] {
        for written in [key, &forms(key)[2]] {
            let url = format!("{base}{}", path.replace("KEY", written));
            requests.push(client.get(&url));
            requests.push(client.post(url).json(&json!({key: key})));
        }
    }
    requests.push(
        client.post(format!("{base}/tools/list_devices")).body(format!("{{\"{key}\": {key}}}")),
    );
    requests.push(post().body(format!("{{\"{key}\": {key}")));
    requests.into_iter().map(|request| request.header("x-xyte-api-key", key)).collect()
}

/// Keys that do not fit together, are too short, or are none.
pub(crate) fn refused(client: &Client, base: &str) -> Vec<RequestBuilder> {
    let list = request("tools/list", json!({}));
    let mut requests = Vec::new();
    for headers in [
        vec![("x-xyte-api-key", OWN.to_owned()), ("x-api-key", OTHER.to_owned())],
        vec![("authorization", format!("Bearer {OTHER}")), ("x-api-key", PARTNER.to_owned())],
        vec![("authorization", format!("Basic {OTHER}"))],
        vec![("authorization", format!("{OTHER}, {OTHER}"))],
        vec![("authorization", OTHER.to_owned())],
        vec![("authorization", format!("Bearer {METRICS}"))],
        vec![("x-api-key", TOKEN.to_owned())],
        vec![("x-api-key", OTHER[..20].to_owned())],
        vec![],
    ] {
        for path in ["/mcp", "/devices", "/config", "/metrics"] {
            let url = format!("{base}{path}");
            let request =
                if path == "/mcp" { client.post(url).json(&list) } else { client.get(url) };
            requests.push(
                headers.iter().fold(request, |request, (name, value)| request.header(*name, value)),
            );
        }
    }
    requests
}
