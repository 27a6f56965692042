//! What operators see: probes, metrics, settings, and the service's own document.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use xyte_mcp_runtime::caller::{Key, Toolsets};
use xyte_mcp_runtime::service::Settings;
use xyte_mcp_runtime::transport::http::{Access, HttpSettings};

use crate::support::{
    KEY_A, KEY_B, Platform, call, get, http_settings, rest_call, send, service, service_at, start,
    start_with,
};

fn own() -> Arc<BTreeMap<String, Key>> {
    Arc::new(BTreeMap::from([("key".to_owned(), Key::new(KEY_A).unwrap())]))
}

#[tokio::test]
async fn a_server_is_ready_when_it_has_a_tool_and_says_why_when_it_has_none() {
    let platform = Platform::answering(200, "{}").await;
    let base = start(service(&platform), Access::Tenants).await;
    for path in ["/readyz", "/v1/readyz"] {
        let got = send("GET", &format!("{base}{path}"), &[], None).await;
        assert_eq!((got.status, got.json()), (200, json!({"status": "ready", "tools": 5})));
    }
    let none =
        Settings { toolsets: Toolsets::parse("admin"), read_only: true, ..Settings::default() };
    let base = start(service_at(&platform.base, none), Access::Tenants).await;
    let got = send("GET", &format!("{base}/readyz"), &[], None).await;
    assert_eq!((got.status, &got.json()["status"]), (503, &json!("not_ready")));
    assert!(got.json()["reason"].as_str().unwrap().contains("no tool"));
    assert_eq!(send("GET", &format!("{base}/healthz"), &[], None).await.status, 200);
    assert!(platform.recorded().is_empty());
}

#[tokio::test]
async fn metrics_count_what_happened_and_hold_neither_key_nor_id() {
    let platform = Platform::start(|record| match record.target.as_str() {
        "/things/404404" => (404, r#"{"error":"no thing 404404"}"#.to_owned()),
        "/things" => (500, String::new()),
        _ => (200, r#"{"id":515151}"#.to_owned()),
    })
    .await;
    let settings = Settings { rate_limit: 5, ..Settings::default() };
    let base = start(service_at(&platform.base, settings), Access::Tenants).await;
    for id in [515_151, 515_151, 404_404] {
        rest_call(&base, "get_thing", json!({"thing_id": id})).await;
    }
    rest_call(&base, "create_thing", json!({"name": "secret name"})).await;
    rest_call(&base, "create_thing", json!({"nmae": "secret name"})).await;
    rest_call(&base, "create_thing", json!({"name": "secret name", "dry_run": true})).await;
    send("GET", &format!("{base}/things"), &[], None).await;
    send("GET", &format!("{base}/things"), &[("x-things-key", "short")], None).await;
    send("POST", &format!("{base}/tools/no-such-tool"), &[("x-things-key", KEY_A)], None).await;
    let got = send("GET", &format!("{base}/metrics"), &[], None).await;
    assert_eq!(got.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    let lines: BTreeSet<&str> = got.text.lines().collect();
    for line in [
        "# TYPE mcp_tool_invocations_total counter",
        r#"mcp_tool_invocations_total{tool="get_thing"} 3"#,
        r#"mcp_tool_invocations_total{tool="create_thing"} 3"#,
        r#"mcp_tool_errors_total{tool="get_thing",code="not_found"} 1"#,
        r#"mcp_tool_errors_total{tool="create_thing",code="things_server_error"} 1"#,
        r#"mcp_tool_errors_total{tool="create_thing",code="invalid_arguments"} 1"#,
        r#"mcp_tool_errors_total{tool="create_thing",code="rate_limited"} 1"#,
        r#"mcp_tool_latency_seconds_count{tool="get_thing"} 3"#,
        r#"things_request_latency_seconds_count{operation="get_thing",status_class="2xx"} 1"#,
        r#"things_request_latency_seconds_count{operation="get_thing",status_class="4xx"} 1"#,
        r#"things_request_latency_seconds_count{operation="create_thing",status_class="5xx"} 1"#,
        r#"things_errors_total{code="not_found"} 1"#,
        r#"things_status_total{status="200"} 1"#,
        r#"things_status_total{status="500"} 1"#,
        "mcp_rate_limited_total 1",
        r#"mcp_auth_failures_total{reason="missing_things_key"} 1"#,
        r#"mcp_auth_failures_total{reason="invalid_things_key"} 1"#,
    ] {
        assert!(lines.contains(line), "no line `{line}` in\n{}", got.text);
    }
    let id = Key::new(KEY_A).unwrap().id();
    for hidden in [KEY_A, &id, "515151", "404404", "secret", "nmae", "no-such-tool", "short"] {
        assert!(!got.text.contains(hidden), "`{hidden}` is in\n{}", got.text);
    }
}

#[tokio::test]
async fn each_attempt_is_counted_with_its_own_status_and_a_kept_answer_not_at_all() {
    let count = AtomicUsize::new(0);
    let platform = Platform::start(move |_| match count.fetch_add(1, Ordering::Relaxed) {
        0 => (429, String::new()),
        1 => (503, String::new()),
        _ => (200, r#"{"id":1}"#.to_owned()),
    })
    .await;
    let service = service(&platform);
    for _ in 0..5 {
        call(&service, "get_thing", json!({"thing_id": 1})).await.unwrap();
    }
    let text = service.metrics.text();
    for (class, status) in [("2xx", 200), ("4xx", 429), ("5xx", 503)] {
        let latency = format!(r#"operation="get_thing",status_class="{class}"}} 1"#);
        assert!(text.contains(&latency), "no `{latency}` in\n{text}");
        let status = format!(r#"things_status_total{{status="{status}"}} 1"#);
        assert!(text.contains(&status), "no `{status}` in\n{text}");
    }
    assert!(!text.contains("things_errors_total{"), "{text}");
}

#[tokio::test]
async fn a_platform_that_is_not_there_is_counted_without_a_status() {
    let base = start(service_at("http://127.0.0.1:1", Settings::default()), Access::Tenants).await;
    rest_call(&base, "list_flat", json!({})).await;
    let text = send("GET", &format!("{base}/metrics"), &[], None).await.text;
    assert!(text.contains(
        r#"things_request_latency_seconds_count{operation="list_flat",status_class="none"} 3"#
    ));
    assert!(text.contains(r#"things_errors_total{code="network_error"} 1"#));
    assert!(!text.contains("things_status_total"));
}

#[tokio::test]
async fn an_answer_of_somebody_else_in_the_platforms_place_is_counted_each_time() {
    let platform = Platform::answering(200, "<html>Log in</html>").await;
    let base = start(service(&platform), Access::Tenants).await;
    for (tool, arguments) in [("get_thing", json!({"thing_id": 1})), ("list_flat", json!({}))] {
        assert_eq!(rest_call(&base, tool, arguments).await.status, 502, "{tool}");
    }
    let text = send("GET", &format!("{base}/metrics"), &[], None).await.text;
    assert!(text.contains(r#"things_errors_total{code="upstream_contract"} 2"#), "{text}");
    assert!(text.contains(r#"things_status_total{status="200"} 2"#), "{text}");
}

#[tokio::test]
async fn metrics_may_ask_for_a_token_of_their_own() {
    let settings = HttpSettings {
        metrics_token: Some(Key::new("a-token-for-metrics").unwrap()),
        ..http_settings(Access::Tenants)
    };
    let platform = Platform::answering(200, "{}").await;
    let base = start_with(service(&platform), settings).await.base;
    let url = format!("{base}/metrics");
    let right = [("authorization", "Bearer a-token-for-metrics")];
    for (headers, status) in [
        (&[][..], 401),
        (&[("authorization", "Bearer another-token")], 401),
        (&[("x-things-key", KEY_A)], 401),
        (&right, 200),
    ] {
        assert_eq!(send("GET", &url, headers, None).await.status, status);
    }
    // Who guesses is counted like who guesses keys.
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let guess = async || client.get(&url).bearer_auth("another-token").send().await.unwrap();
    let mut refused = guess().await;
    while refused.status() == 401 {
        refused = guess().await;
    }
    assert_eq!(refused.status(), 429);
    assert!(refused.text().await.unwrap().contains("too_many_refusals"));
    let text = send("GET", &url, &right, None).await.text;
    assert!(text.contains("mcp_auth_failures_total{reason=\"invalid_token\"} 1"), "{text}");
}

#[tokio::test]
async fn settings_are_shown_to_the_servers_own_key_only() {
    let platform = Platform::answering(200, "{}").await;
    let token = Key::new("a-token-of-24-characters").unwrap();
    for (access, with_key) in [
        (Access::Tenants, 404),
        (Access::OwnForAnyone(own()), 200),
        (Access::OwnForToken { keys: own(), openers: Arc::new([token]) }, 200),
    ] {
        let url = format!("{}/config", start(service(&platform), access).await);
        let got = get(&url).await;
        assert_eq!(got.status, with_key);
        if with_key == 200 {
            assert_eq!(got.json(), json!({"setting": 1}));
        }
        for headers in [
            &[][..],
            &[("x-things-key", KEY_B)],
            &[("authorization", "Bearer a-token-of-24-characters")],
            &[("x-things-key", KEY_A), ("authorization", KEY_B)],
        ] {
            let got = send("GET", &url, headers, None).await;
            assert_eq!((got.status, &got.json()["error"]["code"]), (404, &json!("unknown_route")));
        }
    }
}

/// Every reference inside a document.
fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(members) => {
            found.extend(members.get("$ref").and_then(Value::as_str));
            members.values().for_each(|member| references(member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

#[tokio::test]
async fn the_document_describes_what_is_served_and_nothing_else() {
    let platform = Platform::answering(200, "{}").await;
    let base = start(service(&platform), Access::Tenants).await;
    let document = send("GET", &format!("{base}/openapi.json"), &[], None).await.json();
    assert_eq!(document["openapi"], "3.1.0");
    for (path, method) in [
        ("/things", "get"),
        ("/thing/{thing_id}/status", "get"),
        ("/tools/create_thing", "post"),
        ("/tools/purge_things", "post"),
        ("/readyz", "get"),
    ] {
        assert!(document["paths"][path][method]["responses"]["200"].is_object(), "{path}");
    }
    assert!(document["paths"].get("/config").is_none(), "hidden from many tenants");
    assert_eq!(document["security"], json!([{"x-things-key": []}, {"bearer": []}]));
    let mut found = Vec::new();
    references(&document, &mut found);
    assert!(found.len() > 50);
    for reference in found {
        assert!(document.pointer(&reference[1..]).is_some(), "{reference} leads nowhere");
    }
    let narrow = Settings { read_only: true, ..Settings::default() };
    let base = start(service_at(&platform.base, narrow), Access::OwnForAnyone(own())).await;
    let document = send("GET", &format!("{base}/openapi.json"), &[], None).await.json();
    assert!(document["paths"].get("/tools/create_thing").is_none(), "it cannot be called");
    assert!(document["paths"].get("/config").is_some());
    assert!(document["security"].as_array().unwrap().contains(&json!({})), "no key is needed");
}

#[tokio::test]
async fn the_page_loads_nothing_from_elsewhere() {
    let platform = Platform::answering(200, "{}").await;
    let base = start(service(&platform), Access::Tenants).await;
    for prefix in ["", "/v1"] {
        let page = send("GET", &format!("{base}{prefix}/docs"), &[], None).await;
        assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"));
        assert!(page.header("content-security-policy").starts_with("default-src 'none'"));
        assert!(!page.text.contains("//"), "it names no other host");
        let links = page.text.split("=\"docs/").skip(1).map(|rest| rest.split('"').next().unwrap());
        let links: Vec<&str> = links.collect();
        assert_eq!(links.len(), 3);
        for link in links {
            let got = send("GET", &format!("{base}{prefix}/docs/{link}"), &[], None).await;
            assert!(got.status == 200 && !got.text.is_empty(), "{link}");
        }
    }
    assert_eq!(send("GET", &format!("{base}/v1/docs/"), &[], None).await.status, 200);
}
