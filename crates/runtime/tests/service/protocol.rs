//! The protocol's verbs, in both eras.

use serde_json::{Value, json};
use xyte_mcp_runtime::service::Settings;
use xyte_mcp_runtime::transport::http::Access;

use crate::support::{
    CATALOGUE, KEY_A, Platform, catalogue, modern, post, post_with, send, service, service_of,
    start,
};

async fn legacy(method: &str, params: Value) -> Value {
    let platform = Platform::answering(
        200,
        r#"{"id":1,"status":"on","items":[{"id":1,"name":"A","x":1}],"has_next_page":false}"#,
    )
    .await;
    let base = start(service(&platform), Access::Tenants).await;
    post(
        &format!("{base}/mcp"),
        &json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}),
    )
    .await
    .1
}

async fn stateless(method: &str, params: Value, name: Option<&str>) -> (u16, Value) {
    let platform = Platform::answering(404, r#"{"error":"no such thing"}"#).await;
    let base = start(service(&platform), Access::Tenants).await;
    let message = modern(json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}));
    let mut headers = vec![
        ("x-things-key", KEY_A),
        ("mcp-protocol-version", "2026-07-28"),
        ("mcp-method", method),
    ];
    headers.extend(name.map(|name| ("mcp-name", name)));
    post_with(&format!("{base}/mcp"), &headers, message.to_string()).await
}

#[tokio::test]
async fn an_old_client_opens_with_initialize() {
    let params = json!({"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
    let result = legacy("initialize", params).await["result"].clone();
    assert_eq!(result["protocolVersion"], "2025-06-18");
    assert_eq!(result["serverInfo"]["name"], "things");
    assert_eq!(result["instructions"], "Call list_things first.");
    assert_eq!(
        result["capabilities"],
        json!({"tools": {}, "resources": {}, "extensions": {"io.modelcontextprotocol/skills": {"directoryRead": true}}})
    );
}

#[tokio::test]
async fn a_stateless_client_discovers_and_may_keep_what_it_learned() {
    let (status, answer) = stateless("server/discover", json!({}), None).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(
        (&answer["result"]["ttlMs"], &answer["result"]["cacheScope"]),
        (&json!(300_000), &json!("public"))
    );
    assert_eq!(answer["result"]["instructions"], "Call list_things first.");
    // Headers that a shared cache does not know of choose what is listed.
    for method in ["tools/list", "resources/list", "resources/templates/list"] {
        let (_, answer) = stateless(method, json!({}), None).await;
        assert_eq!(
            (&answer["result"]["ttlMs"], &answer["result"]["cacheScope"]),
            (&json!(300_000), &json!("private")),
            "{method}"
        );
    }
    let (_, answer) = stateless("tools/list", json!({}), None).await;
    assert_eq!(answer["result"]["_meta"]["io.modelcontextprotocol/serverInfo"]["version"], "1.2.3");
}

#[tokio::test]
async fn the_tools_are_listed_as_the_catalogue_has_them() {
    let answer = legacy("tools/list", json!({})).await;
    let catalogue: Value = serde_json::from_str(CATALOGUE).unwrap();
    let entries = catalogue["entries"].as_array().unwrap();
    let expected: Vec<&Value> = entries
        .iter()
        .filter(|entry| entry["default"] == true)
        .map(|entry| &entry["tool"])
        .collect();
    assert_eq!(answer["result"]["tools"].as_array().unwrap().iter().collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn an_unknown_tool_is_an_error_of_the_protocol_that_names_the_nearest() {
    let answer = legacy("tools/call", json!({"name": "list_thing", "arguments": {}})).await;
    assert_eq!(answer["error"]["code"], json!(-32602));
    assert_eq!(
        answer["error"]["message"],
        "unknown tool `list_thing`; did you mean `list_things`?"
    );
}

#[tokio::test]
async fn a_failure_is_a_result_with_the_same_facts_in_both_forms() {
    let (status, answer) = stateless(
        "tools/call",
        json!({"name": "thing", "arguments": {"thing_id": 5}}),
        Some("thing"),
    )
    .await;
    let result = &answer["result"];
    assert_eq!((status, &result["isError"]), (200, &json!(true)), "{answer}");
    let error = &result["structuredContent"]["error"];
    assert_eq!((&error["code"], &error["status"]), (&json!("not_found"), &json!(404)));
    assert_eq!(error["hint"], "list_things names all things.");
    assert_eq!(
        serde_json::from_str::<Value>(result["content"][0]["text"].as_str().unwrap()).unwrap(),
        result["structuredContent"]
    );
}

#[tokio::test]
async fn an_old_name_answers_and_says_which_one_to_use() {
    let told = |name: &'static str| async move {
        let call = json!({"name": name, "arguments": {"thing_id": "x"}});
        legacy("tools/call", call).await["result"]["_meta"]["deprecated"].clone()
    };
    assert_eq!(told("thing").await, "use get_thing; removed after 0.4");
    assert_eq!(told("get_thing").await, Value::Null);
}

#[tokio::test]
async fn what_the_platform_gives_up_is_marked_as_a_resource_and_over_rest_too() {
    let platform = Platform::answering(200, r#"{"id":1,"status":"on"}"#).await;
    let mut model = catalogue();
    let entry = model.entries.iter_mut().find(|entry| entry.operation == "get_thing").unwrap();
    entry.deprecated = "going to be removed".to_owned();
    let service = service_of(model, &platform.base, Settings::default());
    let base = start(service, Access::Tenants).await;
    let read = json!({"jsonrpc": "2.0", "id": 1, "method": "resources/read", "params": {"uri": "thing://7/status"}});
    let (_, answer) = post(&format!("{base}/mcp"), &read).await;
    assert_eq!(answer["result"]["_meta"]["deprecated"], "going to be removed");
    let document = send("GET", &format!("{base}/openapi.json"), &[], None).await.json();
    assert_eq!(document["paths"]["/tools/get_thing"]["post"]["deprecated"], true);
    assert_eq!(document["paths"]["/thing/{thing_id}/status"]["get"]["deprecated"], true);
    assert!(document["paths"]["/things"]["get"].get("deprecated").is_none());
}

#[tokio::test]
async fn resources_are_listed_and_read_under_both_names() {
    let listed = legacy("resources/list", json!({})).await;
    let uris: Vec<&str> = listed["result"]["resources"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| r["uri"].as_str().unwrap())
        .collect();
    assert_eq!(uris, ["things://", "things://docs/usage", "skill://things-care/SKILL.md"]);
    let templates = legacy("resources/templates/list", json!({})).await;
    assert_eq!(
        templates["result"]["resourceTemplates"][0]["uriTemplate"],
        "thing://{thing_id}/status"
    );
    for uri in ["thing://7/status", "things://thing/7/status"] {
        let answer = legacy("resources/read", json!({"uri": uri})).await;
        let contents = &answer["result"]["contents"][0];
        assert_eq!(
            (&contents["uri"], &contents["text"]),
            (&json!(uri), &json!(r#"{"id":1,"status":"on"}"#)),
            "{answer}"
        );
        assert!(answer["result"]["_meta"]["as_of"].is_string());
    }
    let answer = legacy("resources/read", json!({"uri": "things://"})).await;
    let text: Value =
        serde_json::from_str(answer["result"]["contents"][0]["text"].as_str().unwrap()).unwrap();
    assert_eq!(text["items"], json!([{"id": 1, "name": "A"}]));
    assert_eq!(text["page"]["complete"], json!(true));
    let answer = legacy("resources/read", json!({"uri": "things://docs/usage"})).await;
    assert_eq!(answer["result"]["contents"][0]["text"], "# Usage");
}

#[tokio::test]
async fn a_resource_that_is_not_there_is_not_found_in_each_eras_code() {
    assert_eq!(
        legacy("resources/read", json!({"uri": "thingz://"})).await["error"]["code"],
        json!(-32002)
    );
    let (_, answer) =
        stateless("resources/read", json!({"uri": "thing://5/status"}), Some("thing://5/status"))
            .await;
    assert_eq!(answer["error"]["code"], json!(-32602));
    assert_eq!(answer["error"]["data"]["error"]["code"], "not_found");
    let answer = legacy("resources/read", json!({"uri": "thing://x/status"})).await;
    assert!(answer["error"]["message"].as_str().unwrap().contains("`thing_id`"), "{answer}");
}

#[tokio::test]
async fn an_unknown_method_is_not_found() {
    assert_eq!(legacy("things/do", json!({})).await["error"]["code"], json!(-32601));
    let (status, answer) = stateless("things/do", json!({}), None).await;
    assert_eq!((status, &answer["error"]["code"]), (404, &json!(-32601)));
    let (status, answer) = stateless("initialize", json!({}), None).await;
    assert_eq!((status, &answer["error"]["code"]), (404, &json!(-32601)), "{answer}");
    for params in [json!({}), json!({"name": 3}), json!({"name": "get_thing", "arguments": []})] {
        let answer = legacy("tools/call", params).await;
        assert_eq!(answer["error"]["code"], json!(-32602), "{answer}");
    }
}
