//! The REST face of the built program, with the sandbox as its platform.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use serde_json::{Value, json};
use support::{KEY_A, KEY_B, Running, capabilities, name, program, request};

const SMALL: [&str; 3] = ["--sandbox", "--sandbox-scenario", "small"];

/// Status and body of a GET.
async fn get(server: &Running, path: &str, headers: &[(&str, &str)]) -> (u16, String) {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut request = client.get(format!("http://{}{path}", server.address));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

fn json_of(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| panic!("no JSON: {text}"))
}

/// A template with the arguments of the entry's example in it.
fn filled(template: &str, entry: &Value) -> String {
    let example = entry["example"].as_object().unwrap();
    example.iter().fold(template.to_owned(), |filled, (name, value)| {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        filled.replace(&format!("{{{name}}}"), &text)
    })
}

#[tokio::test]
async fn every_route_answers_what_its_resource_answers() {
    let server = Running::http(&SMALL);
    let capabilities = capabilities();
    let routed = capabilities["entries"].as_array().unwrap().iter();
    let mut count = 0;
    for entry in routed.filter(|entry| entry.get("route").is_some()) {
        let route = filled(entry["route"].as_str().unwrap(), entry);
        let uri = filled(entry["resource"]["uri"].as_str().unwrap(), entry);
        let (_, read) = server.post(&request("resources/read", json!({"uri": uri})), &[]).await;
        let resource = read["result"]["contents"][0]["text"].as_str().unwrap();
        for path in [route.clone(), format!("/v1{route}")] {
            let (status, text) = get(&server, &path, &[]).await;
            assert_eq!((status, text.as_str()), (200, resource), "{path}");
        }
        count += 1;
    }
    assert_eq!(count, 13);
}

#[tokio::test]
async fn the_document_has_every_route_and_every_tool_that_does_something_with_their_schemas() {
    let server = Running::http(&[&SMALL[..], &["--toolsets", "all"]].concat());
    let document = json_of(&get(&server, "/openapi.json", &[]).await.1);
    let listed = json_of(&get(&server, "/tools", &[]).await.1);
    let listed = listed["tools"].as_array().unwrap();
    assert_eq!(listed.len(), capabilities()["entries"].as_array().unwrap().len());
    // What only says that it is not there is called by nobody who reads the document, or by a fuzzer.
    let absent = |entry: &&Value| entry["builtin"] == "async_disabled";
    let entries = capabilities();
    let absent: Vec<&str> =
        entries["entries"].as_array().unwrap().iter().filter(absent).map(name).collect();
    assert_eq!(absent, ["get_task_status", "send_command_async"]);
    let described: Vec<&Value> =
        listed.iter().filter(|tool| !absent.contains(&tool["name"].as_str().unwrap())).collect();
    for tool in &described {
        let name = tool["name"].as_str().unwrap();
        let operation = &document["paths"][format!("/tools/{name}")]["post"];
        let body =
            operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].as_str();
        let answer =
            operation["responses"]["200"]["content"]["application/json"]["schema"]["$ref"].as_str();
        for (reference, schema) in [(body, "inputSchema"), (answer, "outputSchema")] {
            let described = document.pointer(&reference.unwrap()[1..]).unwrap();
            assert_eq!(described, &tool[schema], "{name}: {schema}");
        }
    }
    let paths = document["paths"].as_object().unwrap();
    let posts = paths.values().filter(|path| path.get("post").is_some()).count();
    assert_eq!(posts, described.len(), "and no other");
    for entry in capabilities()["entries"].as_array().unwrap() {
        let Some(route) = entry.get("route") else { continue };
        assert!(paths[route.as_str().unwrap()]["get"].is_object(), "{}", name(entry));
    }
}

#[tokio::test]
async fn a_tool_answers_over_rest_what_it_answers_over_mcp() {
    let sandbox = Running::sandbox();
    let base = format!("http://{}", sandbox.address);
    let server = Running::http(&["--base-url", &base]);
    let key = [("x-xyte-api-key", KEY_B)];
    let called = server.call("list_devices", json!({"limit": 3}), &key).await;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("http://{}/tools/list_devices", server.address);
    let request = client.post(&url).header("x-xyte-api-key", KEY_B).json(&json!({"limit": 3}));
    let answer: Value = request.send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["items"], called["structuredContent"]["items"]);
    assert_eq!(answer["page"]["returned"], 3); // No two cursors are alike.
    let (status, text) = get(&server, "/devices", &[]).await;
    assert_eq!((status, json_of(&text)), (401, json!({"error": "missing_xyte_key"})));
    let nobody = [("x-xyte-api-key", "a-key-that-nobody-has-but-is-long-enough")];
    let (status, text) = get(&server, "/devices", &nobody).await;
    assert_eq!((status, &json_of(&text)["error"]["code"]), (401, &json!("unauthorized")));
}

#[tokio::test]
async fn settings_are_hidden_from_tenants_and_secrets_from_everybody() {
    let tenants = Running::http(&["--base-url", "http://127.0.0.1:1"]);
    assert_eq!(get(&tenants, "/config", &[("x-xyte-api-key", KEY_A)]).await.0, 404);
    let token = "a-token-for-metrics-alone";
    let own = ["--base-url", "http://127.0.0.1:1", "--api-key", KEY_A, "--metrics-token", token];
    let server = Running::http(&own);
    for headers in [&[][..], &[("x-xyte-api-key", KEY_B)]] {
        assert_eq!(get(&server, "/config", headers).await.0, 404);
    }
    let (status, text) = get(&server, "/v1/config", &[("x-xyte-api-key", KEY_A)]).await;
    let shown = json_of(&text);
    assert_eq!((status, &shown["settings"]["XYTE_RATE_LIMIT"]), (200, &json!(60)));
    let key = shown["settings"]["XYTE_API_KEY"].as_str().unwrap();
    assert!(key.starts_with("****") && key.len() == 12, "{key}");
    assert!(!text.contains(KEY_A) && !text.contains(token), "{text}");
}

#[tokio::test]
async fn metrics_take_the_token_that_the_operator_set() {
    let token = "a-token-for-metrics-alone";
    let server = Running::http(&[&SMALL[..], &["--metrics-token", token]].concat());
    get(&server, "/devices?limit=1", &[]).await;
    assert_eq!(get(&server, "/metrics", &[]).await.0, 401);
    let bearer = format!("Bearer {token}");
    let (status, text) = get(&server, "/metrics", &[("authorization", &bearer)]).await;
    assert_eq!(status, 200);
    for line in [
        r#"mcp_tool_invocations_total{tool="list_devices"} 1"#,
        r#"xyte_request_latency_seconds_count{operation="list_devices",status_class="2xx"} 1"#,
    ] {
        assert!(text.contains(line), "no `{line}` in\n{text}");
    }
    let (_, written) = server.terminate();
    assert!(!written.contains(token), "a token is in the logs");
}

#[tokio::test]
async fn every_setting_that_is_shown_is_documented() {
    let server = Running::http(&SMALL);
    let (_, shown) = get(&server, "/config", &[("x-api-key", KEY_A)]).await;
    let help = program().args(["http", "--help"]).output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let (readme, example) = (support::read("README.md"), support::read(".env.example"));
    let shown = json_of(&shown);
    for variable in shown["settings"].as_object().unwrap().keys() {
        for (place, text) in [("--help", &help), ("README.md", &readme), (".env.example", &example)]
        {
            assert!(text.contains(variable), "{place} does not name {variable}");
        }
    }
}
