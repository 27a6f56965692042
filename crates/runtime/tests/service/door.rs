//! HTTP: who is let in, under which address, with what kind of message.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use xyte_mcp_runtime::caller::{Key, Toolsets};
use xyte_mcp_runtime::server::Server;
use xyte_mcp_runtime::service::Settings;
use xyte_mcp_runtime::transport::http::{Access, app, serve};

use crate::support::{
    BOUNDS, KEY_A, Platform, http_settings, identity, post, post_with, send, service, service_at,
    start, tool_call,
};

async fn platform() -> Platform {
    Platform::answering(200, r#"{"id":1}"#).await
}

fn get_thing() -> Value {
    tool_call(json!(1), "get_thing", json!({"thing_id": 1}))
}

#[tokio::test]
async fn a_bare_call_is_answered_with_plain_json_on_every_address() {
    let base = start(service(&platform().await), Access::Tenants).await;
    for path in ["/mcp", "/v1/mcp", "/", "/v1", "/v1/", "/mcp/x/things", "/v1/mcp/x/all/readonly"] {
        let (status, answer) = post(&format!("{base}{path}"), &get_thing()).await;
        assert_eq!(
            (status, &answer["result"]["structuredContent"]),
            (200, &json!({"id": 1})),
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_request_without_a_key_is_refused_in_the_protocols_form() {
    let platform = platform().await;
    let base = start(service(&platform), Access::Tenants).await;
    let (status, answer) = post_with(&format!("{base}/mcp"), &[], get_thing().to_string()).await;
    assert_eq!(status, 401);
    assert_eq!(answer["error"]["data"]["error"], "missing_things_key");
    assert_eq!((&answer["jsonrpc"], &answer["id"]), (&json!("2.0"), &Value::Null));
    let (status, answer) =
        post_with(&format!("{base}/mcp"), &[("x-things-key", "short")], get_thing().to_string())
            .await;
    assert_eq!((status, &answer["error"]["data"]["error"]), (403, &json!("invalid_things_key")));
    assert!(platform.recorded().is_empty());
}

#[tokio::test]
async fn the_servers_own_key_serves_a_caller_without_one() {
    let platform = platform().await;
    let own = Arc::new(BTreeMap::from([("key".to_owned(), Key::new(KEY_A).unwrap())]));
    let base = start(service(&platform), Access::OwnForAnyone(own)).await;
    let (status, answer) = post_with(&base, &[], get_thing().to_string()).await;
    assert_eq!((status, &answer["result"]["structuredContent"]), (200, &json!({"id": 1})));
    assert_eq!(platform.recorded()[0].headers["authorization"], KEY_A);
}

#[tokio::test]
async fn broken_messages_are_answered_in_the_protocols_form() {
    let base = start(service(&platform().await), Access::Tenants).await;
    for (body, code) in [
        ("{\"jsonrpc\":", -32700),
        ("", -32700),
        ("[]", -32600),
        ("{\"id\":1}", -32600),
        ("\"x\"", -32600),
    ] {
        let (status, answer) =
            post_with(&format!("{base}/mcp"), &[("x-things-key", KEY_A)], body.to_owned()).await;
        assert_eq!((status, &answer["error"]["code"]), (400, &json!(code)), "{body}: {answer}");
    }
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_refused_after_it_was_read() {
    let base = start(service(&platform().await), Access::Tenants).await;
    let message = tool_call(json!(1), "create_thing", json!({"name": "x".repeat(3 << 20)}));
    let (status, answer) = post(&format!("{base}/mcp"), &message).await;
    assert_eq!((status, &answer["error"]["data"]["error"]), (413, &json!("body_too_large")));
}

#[tokio::test]
async fn foreign_hosts_and_pages_are_refused() {
    let base = start(service(&platform().await), Access::Tenants).await;
    for (header, value, error) in [
        ("host", "evil.example", "host_not_allowed"),
        ("origin", "https://evil.example", "origin_not_allowed"),
    ] {
        let (status, answer) = post_with(
            &format!("{base}/mcp"),
            &[("x-things-key", KEY_A), (header, value)],
            get_thing().to_string(),
        )
        .await;
        assert_eq!((status, &answer["error"]["data"]["error"]), (403, &json!(error)));
    }
}

#[tokio::test]
async fn old_addresses_name_the_new_one_and_the_probe_needs_no_key() {
    let base = start(service(&platform().await), Access::Tenants).await;
    for path in ["/sse", "/invoke", "/v1/sse", "/v1/invoke"] {
        let (status, answer) = post_with(&format!("{base}{path}"), &[], String::new()).await;
        assert_eq!(status, 410);
        assert!(answer.as_str().unwrap().contains("/mcp"));
    }
    for path in ["/healthz", "/v1/healthz"] {
        assert_eq!(reqwest::get(format!("{base}{path}")).await.unwrap().status(), 200);
    }
}

#[tokio::test]
async fn a_request_selects_its_toolsets_by_header_or_address() {
    let base = start(service(&platform().await), Access::Tenants).await;
    let list = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"});
    let names = |answer: Value| -> Vec<String> {
        answer["result"]["tools"]
            .as_array()
            .unwrap()
            .iter()
            .map(|tool| tool["name"].as_str().unwrap().to_owned())
            .collect()
    };
    let with = |headers: Vec<(&'static str, &'static str)>| {
        let (url, body) = (format!("{base}/mcp"), list.to_string());
        async move {
            post_with(&url, &[&[("x-things-key", KEY_A)], headers.as_slice()].concat(), body)
                .await
                .1
        }
    };
    assert_eq!(
        names(with(vec![]).await),
        ["create_thing", "get_thing", "list_flat", "list_things"]
    );
    assert_eq!(names(with(vec![("x-mcp-toolsets", "admin")]).await), ["purge_things"]);
    assert_eq!(
        names(with(vec![("x-mcp-readonly", "true")]).await),
        ["get_thing", "list_flat", "list_things"]
    );
    assert_eq!(
        names(post(&format!("{base}/mcp/x/admin,things/readonly"), &list).await.1),
        ["get_thing", "list_flat", "list_things"]
    );
    let (status, answer) = post(&format!("{base}/mcp/x/thngs"), &list).await;
    assert_eq!((status, &answer["error"]["data"]["error"]), (400, &json!("unknown_toolset")));
    let told = answer["error"]["message"].as_str().unwrap();
    assert!(told.contains("did you mean `things`?") && told.contains("admin"), "{told}");
}

#[tokio::test(start_paused = true)]
async fn a_stopped_server_ends_within_its_bound() {
    let platform = Platform::answering(200, "{}").await;
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let router =
        app(Server::for_requests(service(&platform), identity()), http_settings(Access::Tenants));
    let serving = tokio::spawn(serve(router, listener, stop.clone(), BOUNDS));
    // A client that never finishes its request.
    let mut socket = tokio::net::TcpStream::connect(address).await.unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut socket, b"POST /mcp HTTP/1.1\r\nhost: localhost\r\n")
        .await
        .unwrap();
    stop.cancel();
    serving.await.unwrap();
}

#[tokio::test]
async fn a_client_that_goes_away_takes_its_request_to_the_platform_with_it() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let service = crate::support::service_at(&base, xyte_mcp_runtime::service::Settings::default());
    let url = start(service, Access::Tenants).await;
    let calling = tokio::spawn(async move { post(&url, &get_thing()).await });
    // The platform takes the request and does not answer it.
    let (mut socket, _) = listener.accept().await.unwrap();
    let mut buffer = vec![0; 4096];
    assert_ne!(tokio::io::AsyncReadExt::read(&mut socket, &mut buffer).await.unwrap(), 0);
    calling.abort();
    // The connection is closed from the other side.
    assert_eq!(tokio::io::AsyncReadExt::read(&mut socket, &mut buffer).await.unwrap(), 0);
}

/// An address, headers, and the tools that are then listed.
type Case<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)], &'a [&'a str]);

#[tokio::test]
async fn a_request_names_single_tools_and_leaves_some_out_and_never_gets_more() {
    let platform = platform().await;
    let bound = Settings { toolsets: Toolsets::parse("things"), ..Settings::default() };
    let free = start(service(&platform), Access::Tenants).await;
    let bound = start(service_at(&platform.base, bound), Access::Tenants).await;
    let list = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}).to_string();
    let ask = async |base: &str, path: &str, headers: &[(&str, &str)], body: &str| {
        let headers = [&[("x-things-key", KEY_A)], headers].concat();
        post_with(&format!("{base}{path}"), &headers, body.to_owned()).await
    };
    let names = |answer: &Value| -> Vec<String> {
        let tools = answer["result"]["tools"].as_array().unwrap();
        tools.iter().map(|tool| tool["name"].as_str().unwrap().to_owned()).collect()
    };
    let cases: [Case<'_>; 7] = [
        (&free, "/mcp", &[("x-mcp-tools", "thing, purge_things")], &["purge_things", "get_thing"]),
        (&bound, "/mcp", &[("x-mcp-tools", "get_thing,purge_things")], &["get_thing"]),
        (&free, "/mcp/x/admin", &[("x-mcp-tools", "get_thing")], &[]),
        (
            &free,
            "/mcp/x/things/readonly",
            &[("x-mcp-tools", "create_thing,get_thing")],
            &["get_thing"],
        ),
        (
            &free,
            "/mcp",
            &[("x-mcp-exclude-tools", "thing"), ("x-mcp-exclude-tools", "list_flat")],
            &["create_thing", "list_things"],
        ),
        (&free, "/mcp", &[("x-mcp-tools", "get_thing"), ("x-mcp-exclude-tools", "get_thing")], &[]),
        (&bound, "/mcp", &[("x-mcp-toolsets", "all"), ("x-mcp-tools", "purge_things")], &[]),
    ];
    for (base, path, headers, expected) in cases {
        let (_, answer) = ask(base, path, headers, &list).await;
        assert_eq!(names(&answer), expected, "{path} {headers:?}");
    }
    let call = get_thing().to_string();
    let (_, answer) = ask(&free, "/mcp", &[("x-mcp-exclude-tools", "get_thing")], &call).await;
    let error = &answer["result"]["structuredContent"]["error"];
    assert_eq!(error["code"], "tool_not_selected", "what is hidden cannot be called");
    for (name, text, code) in [
        ("x-mcp-exclude-tools", "get_thng", "unknown_tool"),
        ("x-mcp-tools", "get_thng", "unknown_tool"),
        ("x-mcp-readonly", "perhaps", "invalid_readonly"),
        ("x-mcp-tools", "caf\u{e9}", "malformed_header"),
    ] {
        let (status, answer) = ask(&free, "/mcp", &[(name, text)], &list).await;
        assert_eq!((status, &answer["error"]["data"]["error"]), (400, &json!(code)), "{answer}");
    }
}

#[tokio::test]
async fn an_address_that_is_no_text_and_another_method_are_refused_in_the_protocols_form() {
    let base = start(service(&platform().await), Access::Tenants).await;
    let key = [("x-things-key", KEY_A)];
    for (method, path, status, message) in [
        ("POST", "/mcp/x/%ff", 400, "the address is not UTF-8"),
        ("POST", "/v1/mcp/x/%ff/readonly", 400, "the address is not UTF-8"),
        ("PUT", "/mcp", 405, "this address takes POST"),
    ] {
        let got = send(method, &format!("{base}{path}"), &key, Some(json!({}))).await;
        let error = &got.json()["error"];
        assert_eq!((got.status, &error["message"]), (status, &json!(message)), "{path}");
    }
}
