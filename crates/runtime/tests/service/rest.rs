//! The REST face: the same answers and failures as over MCP, in plain JSON.

use serde_json::{Value, json};
use xyte_mcp_runtime::service::Settings;
use xyte_mcp_runtime::transport::http::Access;

use crate::support::{
    KEY_A, Platform, Scripted, get, post, rest_call, send, service, service_at, start, tool_call,
};

const THINGS: &str = r#"{"items":[{"id":18446744073709551616,"name":"A","extra":1.10},{"id":2,"name":null}],"has_next_page":false}"#;

async fn base(status: u16, body: &str) -> String {
    start(service(&Platform::answering(status, body).await), Access::Tenants).await
}

fn names(listed: &Value) -> Vec<&str> {
    listed.as_array().unwrap().iter().map(|tool| tool["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_route_answers_what_its_resource_answers() {
    let base = base(200, THINGS).await;
    for (route, uri) in [("/things", "things://"), ("/thing/7/status", "thing://7/status")] {
        let read =
            json!({"jsonrpc": "2.0", "id": 1, "method": "resources/read", "params": {"uri": uri}});
        let (_, resource) = post(&base, &read).await;
        for prefix in ["", "/v1", "/x/things/readonly", "/v1/x/all"] {
            let got = get(&format!("{base}{prefix}{route}")).await;
            assert_eq!((got.status, got.header("content-type")), (200, "application/json"));
            assert_eq!(got.text, resource["result"]["contents"][0]["text"].as_str().unwrap());
            assert!(got.header("x-mcp-as-of").ends_with('Z'));
        }
    }
}

#[tokio::test]
async fn a_route_takes_the_tools_other_arguments_as_its_query() {
    let platform = Platform::answering(200, THINGS).await;
    let base = start(service(&platform), Access::Tenants).await;
    let items =
        async |query: &str| get(&format!("{base}/things?{query}")).await.json()["items"].clone();
    assert_eq!(items("fields=extra&kind=a").await.to_string(), r#"[{"extra":1.10},{}]"#);
    assert_eq!(
        items("fields=id,name&fields=extra&limit=1").await.to_string(),
        r#"[{"extra":1.10,"id":18446744073709551616,"name":"A"}]"#
    );
    assert_eq!(items("format=json").await[0]["extra"].to_string(), "1.10");
    assert_eq!(
        platform.targets(),
        [
            "/things?kind=a&page=1&per_page=100",
            "/things?page=1&per_page=1",
            "/things?page=1&per_page=100"
        ]
    );
    for (query, named) in [
        ("limt=1", "`limit`"),
        ("limit=many", "`limit`"),
        ("kind=a&kind=b", "`kind`"),
        ("kind=c", "`kind`"),
    ] {
        let got = get(&format!("{base}/things?{query}")).await;
        assert_eq!((got.status, &got.json()["error"]["code"]), (400, &json!("invalid_arguments")));
        assert!(got.text.contains(named), "{query}: {}", got.text);
    }
    let got = get(&format!("{base}/thing/7/status?thing_id=8")).await;
    assert_eq!(got.status, 400, "the address has one: {}", got.text);
}

#[tokio::test]
async fn a_tool_takes_the_body_as_its_arguments_and_answers_its_structured_result() {
    let platform = Platform::answering(200, THINGS).await;
    let base = start(service(&platform), Access::Tenants).await;
    let arguments = json!({"kind": "a", "limit": 1});
    let (_, called) = post(&base, &tool_call(json!(1), "list_things", arguments.clone())).await;
    // No two cursors are alike.
    let without_cursor = |mut answer: Value| {
        assert!(answer["page"]["next_cursor"].take().is_string());
        answer
    };
    let called = without_cursor(called["result"]["structuredContent"].clone());
    for path in ["", "/v1"] {
        let got = rest_call(&format!("{base}{path}"), "list_things", arguments.clone()).await;
        assert_eq!((got.status, without_cursor(got.json())), (200, called.clone()));
    }
    let url = format!("{base}/tools/list_things");
    assert_eq!(
        send("POST", &url, &[("x-things-key", KEY_A)], None).await.status,
        200,
        "no arguments"
    );
    for (kind, body, status) in
        [("application/json", "[]", 400), ("application/json", "{", 400), ("text/plain", "{}", 415)]
    {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let request = client.post(&url).header("x-things-key", KEY_A).header("content-type", kind);
        let got = request.body(body).send().await.unwrap();
        assert_eq!(got.status(), status);
        let answer: Value = got.json().await.unwrap();
        assert!(answer["error"]["message"].is_string(), "{answer}");
    }
}

#[tokio::test]
async fn a_failure_has_the_status_of_its_code() {
    for (upstream, body, status, code) in [
        (400, "{}", 422, "invalid_params"),
        (401, "{}", 401, "unauthorized"),
        (403, "{}", 403, "forbidden"),
        (404, "{}", 404, "not_found"),
        (409, "{}", 409, "conflict"),
        (422, "{}", 422, "invalid_params"),
        (429, "{}", 429, "rate_limited"),
        (500, "{}", 502, "things_server_error"),
        (504, "<html>", 502, "things_server_error"),
        (418, "{}", 502, "api_error"),
        (200, "<html>", 502, "upstream_contract"),
    ] {
        let got = rest_call(&base(upstream, body).await, "list_flat", json!({})).await;
        let error = &got.json()["error"];
        assert_eq!((got.status, &error["code"]), (status, &json!(code)), "{upstream}");
        assert!(error["request_id"].is_string());
    }
    let platform = Platform::start(|_| Scripted::busy(429, 60)).await; // Longer than the deadline: told at once.
    let got = rest_call(
        &start(service_at(&platform.base, Settings::default()), Access::Tenants).await,
        "list_flat",
        json!({}),
    )
    .await;
    assert_eq!((got.status, got.header("retry-after")), (429, "60"));
    let gone = service_at("http://127.0.0.1:1", Settings::default());
    let got = rest_call(&start(gone, Access::Tenants).await, "list_flat", json!({})).await;
    assert_eq!((got.status, &got.json()["error"]["code"]), (502, &json!("network_error")));
}

#[tokio::test]
async fn a_key_over_its_limit_is_told_when_the_next_call_passes() {
    let platform = Platform::answering(200, THINGS).await;
    let settings = Settings { rate_limit: 1, ..Settings::default() };
    let base = start(service_at(&platform.base, settings), Access::Tenants).await;
    assert_eq!(get(&format!("{base}/things")).await.status, 200);
    for got in
        [get(&format!("{base}/things")).await, rest_call(&base, "list_flat", json!({})).await]
    {
        let seconds: u64 = got.header("retry-after").parse().unwrap();
        assert!((1..=60).contains(&seconds));
        assert_eq!(got.status, 429);
        assert_eq!(got.json(), json!({"error": "rate_limit", "retry_after_seconds": seconds}));
    }
}

#[tokio::test]
async fn who_is_not_let_in_gets_a_code_and_no_bearer_challenge() {
    let base = base(200, THINGS).await;
    for (method, path) in [
        ("GET", "/things"),
        ("POST", "/tools/list_things"),
        ("GET", "/tools"),
        ("GET", "/v1/resources"),
    ] {
        for (headers, status, error) in [
            (&[][..], 401, "missing_things_key"),
            (&[("x-things-key", "short")], 403, "invalid_things_key"),
            (
                &[("x-things-key", KEY_A), ("authorization", crate::support::KEY_B)],
                400,
                "conflicting_things_keys",
            ),
        ] {
            let got = send(method, &format!("{base}{path}"), headers, None).await;
            assert_eq!((got.status, got.json()), (status, json!({"error": error})), "{path}");
            let challenge = if status == 401 { "ApiKey" } else { "" };
            assert_eq!(got.header("www-authenticate"), challenge);
        }
    }
}

#[tokio::test]
async fn what_is_not_there_is_said_in_json() {
    let base = base(200, THINGS).await;
    for (method, path, status, code) in [
        ("GET", "/nothing", 404, "unknown_route"),
        ("GET", "/v1/nothing", 404, "unknown_route"),
        ("DELETE", "/things", 405, "method_not_allowed"),
        ("GET", "/v1/tools/list_things", 405, "method_not_allowed"),
        ("POST", "/tools/list_thing", 404, "unknown_tool"),
        ("GET", "/thing/%ff/status", 400, "invalid_arguments"),
    ] {
        let got = send(method, &format!("{base}{path}"), &[("x-things-key", KEY_A)], None).await;
        assert_eq!((got.status, &got.json()["error"]["code"]), (status, &json!(code)), "{path}");
        assert_eq!(got.header("allow").is_empty(), status != 405);
    }
    let got = rest_call(&base, "list_thing", json!({})).await;
    assert!(got.json()["error"]["hint"].as_str().unwrap().contains("`list_things`"));
}

#[tokio::test]
async fn lists_and_calls_are_narrowed_by_header_and_by_address() {
    let base = base(200, THINGS).await;
    let all = ["purge_things", "create_thing", "get_thing", "list_flat", "list_things"];
    for (path, headers, expected) in [
        ("/tools", &[][..], &all[1..]),
        ("/tools", &[("x-mcp-toolsets", "all")], &all),
        ("/tools", &[("x-mcp-readonly", "1")], &all[2..]),
        ("/x/all/tools", &[], &all),
        ("/v1/x/admin/tools", &[], &all[..1]),
        ("/x/all/readonly/tools", &[], &all[2..]),
    ] {
        let headers = [&[("x-things-key", KEY_A)], headers].concat();
        let got = send("GET", &format!("{base}{path}"), &headers, None).await.json();
        assert_eq!(names(&got["tools"]), expected, "{path}");
    }
    let got = rest_call(&format!("{base}/x/admin"), "create_thing", json!({"name": "x"})).await;
    assert_eq!((got.status, &got.json()["error"]["code"]), (403, &json!("toolset_not_selected")));
    let got =
        rest_call(&format!("{base}/x/all/readonly"), "create_thing", json!({"name": "x"})).await;
    assert_eq!((got.status, &got.json()["error"]["code"]), (403, &json!("read_only")));
    let got = get(&format!("{base}/x/thngs/tools")).await;
    assert_eq!((got.status, &got.json()["error"]["code"]), (400, &json!("unknown_toolset")));
    let headers = [("x-things-key", KEY_A), ("x-mcp-readonly", "yes, please")];
    let got = send("GET", &format!("{base}/tools"), &headers, None).await;
    assert_eq!((got.status, &got.json()["error"]["code"]), (400, &json!("invalid_readonly")));
    let got = get(&format!("{base}/resources")).await.json();
    assert_eq!(got["resources"][0]["route"], "/things");
    assert_eq!(got["resourceTemplates"][0]["route"], "/thing/{thing_id}/status");
}

#[tokio::test]
async fn single_tools_that_are_named_or_left_out_hold_for_resources_and_routes_as_well() {
    let base = base(200, THINGS).await;
    let ask = async |method: &str, path: &str, header: (&str, &str), body: Option<Value>| {
        let headers = [("x-things-key", KEY_A), header];
        send(method, &format!("{base}{path}"), &headers, body).await
    };
    let (only, without) =
        (("x-mcp-tools", "thing, purge_things"), ("x-mcp-exclude-tools", "list_things"));
    let got = ask("GET", "/tools", only, None).await.json();
    assert_eq!(names(&got["tools"]), ["purge_things", "get_thing"]);
    for header in [only, without] {
        let got = ask("GET", "/resources", header, None).await.json();
        assert_eq!(
            got["resources"].as_array().unwrap().iter().find(|it| it["uri"] == "things://"),
            None,
            "{got}"
        );
        let read = json!({"jsonrpc": "2.0", "id": 1, "method": "resources/read", "params": {"uri": "things://"}});
        let over_mcp = ask("POST", "/mcp", header, Some(read)).await.json();
        assert_eq!(over_mcp["error"]["data"]["error"]["code"], "tool_not_selected", "{over_mcp}");
        for (method, path, body) in
            [("GET", "/things", None), ("POST", "/tools/list_things", Some(json!({})))]
        {
            let got = ask(method, path, header, body).await;
            let code = &got.json()["error"]["code"];
            assert_eq!((got.status, code), (403, &json!("tool_not_selected")), "{path}");
        }
    }
    assert_eq!(ask("GET", "/things", ("x-mcp-tools", "list_things"), None).await.status, 200);
    let got = ask("GET", "/tools", ("x-mcp-tools", "get_thng"), None).await;
    assert_eq!((got.status, &got.json()["error"]["code"]), (400, &json!("unknown_tool")));
}

#[tokio::test]
async fn foreign_hosts_and_pages_are_refused_and_the_servers_own_page_is_not() {
    let base = base(200, THINGS).await;
    let url = format!("{base}/tools/list_things");
    for (header, value, code) in [
        ("host", "evil.example", "host_not_allowed"),
        ("origin", "http://127.0.0.1:1", "origin_not_allowed"),
    ] {
        let headers = [("x-things-key", KEY_A), (header, value)];
        for (method, path) in [
            ("POST", "/tools/list_things"),
            ("GET", "/things"),
            ("GET", "/docs"),
            ("GET", "/openapi.json"),
            ("GET", "/nothing"),
        ] {
            let got = send(method, &format!("{base}{path}"), &headers, None).await;
            assert_eq!((got.status, &got.json()["error"]["code"]), (403, &json!(code)), "{path}");
        }
        for probe in ["/healthz", "/readyz", "/metrics"] {
            assert_eq!(
                send("GET", &format!("{base}{probe}"), &headers[1..], None).await.status,
                200
            );
        }
    }
    let headers = [("x-things-key", KEY_A), ("origin", base.as_str())];
    assert_eq!(send("POST", &url, &headers, Some(json!({}))).await.status, 200);
}

#[tokio::test]
async fn no_cache_in_front_keeps_what_belongs_to_a_key() {
    let base = start(service(&Platform::answering(200, "{}").await), Access::Tenants).await;
    let with_key = [("x-things-key", KEY_A)];
    for (path, headers, kept) in [
        ("/things", &with_key[..], "no-store"),
        ("/thing/1", &with_key, "no-store"),
        ("/things", &[], "no-store"),
        ("/healthz", &[], "no-store"),
        ("/docs", &[], "public, max-age=3600"),
    ] {
        let got = send("GET", &format!("{base}{path}"), headers, None).await;
        assert_eq!(got.header("cache-control"), kept, "{path}");
    }
}
