//! The edge of HTTP: broken requests, addresses that are refused too often, pages of other origins, and the names of requests.

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use xyte_mcp_runtime::service::Settings;
use xyte_mcp_runtime::transport::http::Access;

use crate::support::{
    KEY_A, KEY_B, Platform, get, http_settings, modern, post, rest_call, send, service, service_at,
    start, start_with, tool_call,
};

/// Sends bytes as they are, and gives all that comes back until the connection ends.
async fn raw(base: &str, bytes: &[u8]) -> String {
    let mut socket = TcpStream::connect(base.trim_start_matches("http://")).await.unwrap();
    // The server may have seen enough before everything is written.
    let _ = socket.write_all(bytes).await;
    let mut answer = Vec::new();
    let _ = socket.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

/// A request to `/mcp` whose connection ends with it.
fn request(head: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST /mcp HTTP/1.1\r\nHost: localhost\r\nX-Things-Key: {KEY_A}\r\nConnection: close\r\n{head}\r\n"
    );
    [head.as_bytes(), body].concat()
}

async fn serves_on(base: &str) {
    let (status, _) =
        post(&format!("{base}/mcp"), &json!({"jsonrpc": "2.0", "id": 1, "method": "ping"})).await;
    assert_eq!(status, 200);
}

#[tokio::test]
async fn broken_http_is_refused_and_ends_one_connection_only() {
    let base = start(service(&Platform::answering(200, "{}").await), Access::Tenants).await;
    let ping = br#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
    let chunked = "Transfer-Encoding: chunked\r\n";
    let many = "A: b\r\n".repeat(200);
    let long = format!("A: {}\r\n", "x".repeat(40 * 1024));
    let cases: [(&str, Vec<u8>, &[&str]); 13] = [
        ("no HTTP at all", b"\x16\x03\x01\x02\x00\x01\r\n\r\n".to_vec(), &["", "400"]),
        ("no version", b"GET /\r\n\r\n".to_vec(), &["400"]),
        ("another version", b"GET / HTTP/9.9\r\nHost: localhost\r\n\r\n".to_vec(), &["400"]),
        (
            "a blank in the address",
            b"GET /a b HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec(),
            &["400"],
        ),
        ("a length that is no number", request("Content-Length: ten\r\n", ping), &["400"]),
        ("a negative length", request("Content-Length: -1\r\n", ping), &["400"]),
        ("two lengths", request("Content-Length: 40\r\nContent-Length: 41\r\n", ping), &["400"]),
        (
            "a length and chunks",
            request(&format!("Content-Length: 40\r\n{chunked}"), ping),
            &["400"],
        ),
        ("chunks that are none", request(chunked, b"zz\r\nabc\r\n0\r\n\r\n"), &["400"]),
        ("a chunk beyond all bounds", request(chunked, b"fffffffffffffffff\r\n"), &["400"]),
        ("NUL in a header", request("A: b\0c\r\n", ping), &["400"]),
        ("too many headers", request(&many, ping), &["431"]),
        ("too long a header", request(&long, ping), &["431"]),
    ];
    for (name, bytes, statuses) in cases {
        let answer = raw(&base, &bytes).await;
        let status = answer.split(' ').nth(1).unwrap_or_default();
        assert!(statuses.contains(&status), "{name}: {answer}");
        serves_on(&base).await;
    }
}

#[tokio::test]
async fn requests_one_after_the_other_on_a_connection_are_all_answered() {
    let base = start(service(&Platform::answering(200, "{}").await), Access::Tenants).await;
    let probe = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(3);
    let last = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let answers = raw(&base, format!("{probe}{last}").as_bytes()).await;
    assert_eq!(answers.matches("HTTP/1.1 200 OK").count(), 4, "{answers}");
}

#[tokio::test]
async fn whoever_is_refused_before_the_body_was_sent_still_gets_the_answer() {
    let service = service(&Platform::answering(200, "{}").await);
    let base = start(service.clone(), Access::Tenants).await;
    let mut socket = TcpStream::connect(base.trim_start_matches("http://")).await.unwrap();
    let head =
        "POST /mcp HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 2\r\n\r\n";
    socket.write_all(head.as_bytes()).await.unwrap();
    while !service.metrics.text().contains("mcp_auth_failures_total{") {
        tokio::task::yield_now().await;
    }
    socket.write_all(b"{}").await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
}

#[tokio::test]
async fn a_connection_goes_on_after_a_refusal_whose_body_was_read_to_its_end() {
    let base = start(service(&Platform::answering(200, "{}").await), Access::Tenants).await;
    let body = "x".repeat(300 * 1024);
    let length = body.len();
    let refused =
        format!("POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n{body}");
    let last = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let answers = raw(&base, format!("{refused}{last}").as_bytes()).await;
    assert!(answers.starts_with("HTTP/1.1 401 "), "{answers}");
    assert_eq!(answers.matches("HTTP/1.1 200 OK").count(), 1, "{answers}");
}

#[tokio::test]
async fn whoever_asks_before_it_sends_a_body_is_refused_without_it() {
    let base = start(service(&Platform::answering(200, "{}").await), Access::Tenants).await;
    let head = "POST /mcp HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: 9000\r\n\r\n";
    let answer = raw(&base, head.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_announced_as_too_long_is_refused_before_it_comes() {
    let base = start(service(&Platform::answering(200, "{}").await), Access::Tenants).await;
    for head in ["", "Expect: 100-continue\r\n"] {
        let answer = raw(&base, &request(&format!("Content-Length: 1048577\r\n{head}"), b"")).await;
        assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    }
    let call = format!(
        "POST /tools/create_thing HTTP/1.1\r\nHost: localhost\r\nX-Things-Key: {KEY_A}\r\nConnection: close\r\nContent-Length: 1048577\r\n\r\n"
    );
    let answer = raw(&base, call.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
}

#[tokio::test]
async fn broken_messages_are_errors_of_the_protocol_with_the_right_code() {
    const CALL: &[u8] = br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"#;
    let base = start(service(&Platform::answering(200, "{}").await), Access::Tenants).await;
    let deep = "[".repeat(1 << 19);
    let nested = format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"create_thing","arguments":{{"custom":{}{}}}}}}}"#,
        "[".repeat(1000),
        "]".repeat(1000)
    );
    let long_id = format!(r#"{{"jsonrpc":"2.0","id":1{},"method":"ping"}}"#, "0".repeat(100_000));
    let cases: [(&[u8], i64); 16] = [
        (deep.as_bytes(), -32700),
        (nested.as_bytes(), -32600),
        (long_id.as_bytes(), -32600),
        (b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xff\xfe\"}", -32700),
        (br#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, -32600),
        (br#"{"jsonrpc":"2.0","id":true,"method":"ping"}"#, -32600),
        (br#"{"jsonrpc":"2.0","id":[1],"method":"ping"}"#, -32600),
        (br#"{"jsonrpc":"2.0","id":1.5,"method":"ping"}"#, -32600),
        (br#"{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}"#, -32600),
        (br#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#, -32600),
        (br#"{"id":1,"method":"ping"}"#, -32600),
        (br#"{"jsonrpc":"2.0","id":1,"method":["ping"]}"#, -32600),
        (br#"{"jsonrpc":"2.0","id":1}"#, -32600),
        (br#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#, -32600),
        (br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":["list_things"]}"#, -32602),
        (br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"create_thing","arguments":{"custom":{"$serde_json::private::Number":"x"}}}}"#, -32602),
    ];
    for era in ["", "MCP-Protocol-Version: 2026-07-28\r\n"] {
        // What only the method's own parameters are at fault for, needs more headers in that era.
        let cases = cases.iter().filter(|(body, _)| era.is_empty() || !body.starts_with(CALL));
        for (body, code) in cases {
            let head = format!(
                "Content-Type: application/json\r\nContent-Length: {}\r\n{era}",
                body.len()
            );
            let answer = raw(&base, &request(&head, body)).await;
            let shown = String::from_utf8_lossy(&body[..body.len().min(100)]);
            // Parameters that a method does not take are answered, not refused.
            let answered = body.starts_with(CALL) && *code == -32602;
            let status = if answered { "200" } else { "400" };
            assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{shown}: {answer}");
            let text = answer.split_once("\r\n\r\n").unwrap().1;
            let error: Value =
                serde_json::from_str(text).unwrap_or_else(|_| panic!("{shown}: {answer}"));
            assert_eq!(
                (&error["jsonrpc"], &error["error"]["code"]),
                (&json!("2.0"), &json!(code)),
                "{shown}: {error}"
            );
        }
        serves_on(&base).await;
    }
}

#[tokio::test]
async fn a_body_without_a_length_is_bounded_like_one_with() {
    let base = start(service(&Platform::answering(200, "{}").await), Access::Tenants).await;
    let chunk = format!("{:x}\r\n{}\r\n", 1 << 20, "x".repeat(1 << 20));
    let body = format!("{}0\r\n\r\n", chunk.repeat(3));
    let answer = raw(&base, &request("Transfer-Encoding: chunked\r\n", body.as_bytes())).await;
    assert!(answer.starts_with("HTTP/1.1 413 ") && answer.contains("body_too_large"), "{answer}");
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_come_is_not_waited_for_long() {
    let base = start(service(&Platform::answering(200, "{}").await), Access::Tenants).await;
    let answer = raw(&base, &request("Content-Length: 10\r\n", b"{")).await;
    assert!(answer.starts_with("HTTP/1.1 408 ") && answer.contains("body_too_slow"), "{answer}");
}

#[tokio::test]
async fn members_named_like_marks_of_our_json_library_pass_through() {
    const ROW: &str = r#"{"$serde_json::private::Number":"x","id":1,"more":{"$serde_json::private::RawValue":"<"}}"#;
    let platform = Platform::start(|record| {
        let list = record.target.starts_with("/things?");
        (
            200,
            if list {
                format!(r#"{{"items":[{ROW}],"has_next_page":false}}"#)
            } else {
                ROW.to_owned()
            },
        )
    })
    .await;
    let base = start(service(&platform), Access::Tenants).await;
    let got = rest_call(&base, "get_thing", json!({"thing_id": 1, "format": "json"})).await;
    assert_eq!((got.status, got.text.as_str()), (200, ROW));
    let listing = tool_call(json!(1), "list_things", json!({"format": "json"}));
    let got = send("POST", &format!("{base}/mcp"), &[("x-things-key", KEY_A)], Some(listing)).await;
    assert!(got.text.contains(&format!(r#""items":[{ROW}]"#)), "{}", got.text);
}

/// Asks so many times over one connection, each time with other headers.
async fn asked(base: &str, headers: impl Iterator<Item = String>) -> Vec<String> {
    let mut requests = String::new();
    let mut number = 0;
    for headers in headers {
        number += 1;
        requests.push_str("GET /things HTTP/1.1\r\nHost: localhost\r\n");
        requests.push_str(&headers);
        requests.push_str("\r\n");
    }
    let last = "GET /sse HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let answers = raw(base, format!("{requests}{last}").as_bytes()).await;
    answers.split("HTTP/1.1 ").skip(1).take(number).map(str::to_owned).collect()
}

fn is(answer: &str, status: u16) -> bool {
    answer.starts_with(&status.to_string())
}

#[tokio::test]
async fn an_address_that_is_refused_too_often_is_told_so_and_its_good_callers_are_not_disturbed() {
    let platform = Platform::answering(200, r#"{"id":1}"#).await;
    let base = start(service(&platform), Access::Tenants).await;
    let answers = asked(&base, std::iter::repeat_n(String::new(), 500)).await;
    assert!(answers[..120].iter().all(|answer| is(answer, 401)));
    let refused = answers.iter().find(|answer| is(answer, 429)).expect("an end of refusals");
    assert!(refused.contains("retry-after: 1\r\n"), "{refused}");
    assert!(
        refused.ends_with(r#"{"error":"too_many_refusals","retry_after_seconds":1}"#),
        "{refused}"
    );
    assert_eq!(get(&format!("{base}/things")).await.status, 200, "a key's first call");
    let metrics = send("GET", &format!("{base}/metrics"), &[], None).await.text;
    assert!(metrics.contains(r#"mcp_auth_failures_total{reason="too_many"}"#), "{metrics}");
}

#[tokio::test]
async fn keys_that_the_platform_refuses_hold_up_unknown_keys_of_their_address_and_no_known_one() {
    let platform = Platform::start(|record| {
        let status = if record.headers["authorization"] == KEY_A { 200 } else { 401 };
        (status, r#"{"id":1}"#.to_owned())
    })
    .await;
    let settings = Settings { rate_limit: 0, ..Settings::default() };
    let base = start(service_at(&platform.base, settings), Access::Tenants).await;
    let key = |key: &str| format!("X-Things-Key: {key}\r\n");
    let keys = (0..400).flat_map(|number| [KEY_A.to_owned(), format!("{KEY_B}{number}")]);
    let answers = asked(&base, keys.map(|one| key(&one))).await;
    let (known, answered): (Vec<_>, Vec<_>) =
        answers.chunks(2).map(|pair| (pair[0].as_str(), pair[1].as_str())).unzip();
    assert!(known.iter().all(|answer| is(answer, 200)));
    assert!(answered[..120].iter().all(|answer| is(answer, 401)));
    let held = answered.iter().filter(|answer| is(answer, 429)).count();
    assert!(held > 0, "there is no end of guesses");
    let refused =
        platform.recorded().iter().filter(|it| it.headers["authorization"] != KEY_A).count();
    assert_eq!(refused, 400 - held, "nobody asks the platform about those");
}

#[tokio::test]
async fn pages_of_listed_origins_may_call_and_all_others_may_not() {
    const PAGE: &str = "https://app.example.com";
    let platform = Platform::answering(200, r#"{"id":1}"#).await;
    let mut settings = http_settings(Access::Tenants);
    settings.allowed_origins = vec![PAGE.to_owned()];
    let open = start_with(service(&platform), settings).await.base;
    let asks = [
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "content-type,x-things-key,mcp-protocol-version"),
    ];
    for path in ["/mcp", "/v1/mcp", "/", "/tools/get_thing"] {
        let from = |page| [&[("origin", page)], &asks[..]].concat();
        let got = send("OPTIONS", &format!("{open}{path}"), &from(PAGE), None).await;
        assert_eq!((got.status, got.header("access-control-allow-origin")), (200, PAGE), "{path}");
        assert!(got.header("access-control-allow-methods").contains("POST"));
        assert!(got.header("access-control-allow-headers").contains("x-things-key"));
        let got =
            send("OPTIONS", &format!("{open}{path}"), &from("https://evil.example"), None).await;
        assert_eq!(got.header("access-control-allow-origin"), "");
    }
    let call = Some(json!({"thing_id": 1}));
    let url = format!("{open}/tools/get_thing");
    let got = send("POST", &url, &[("origin", PAGE), ("x-things-key", KEY_A)], call.clone()).await;
    assert_eq!((got.status, got.header("access-control-allow-origin")), (200, PAGE));
    assert!(got.header("access-control-expose-headers").contains("x-request-id"));
    let got = send("POST", &url, &[("origin", PAGE)], call.clone()).await;
    assert_eq!(
        (got.status, got.header("access-control-allow-origin")),
        (401, PAGE),
        "a refusal is read too"
    );
    let closed = start(service(&platform), Access::Tenants).await;
    for (base, page) in [(&open, "https://evil.example"), (&closed, PAGE)] {
        let url = format!("{base}/tools/get_thing");
        let got =
            send("POST", &url, &[("origin", page), ("x-things-key", KEY_A)], call.clone()).await;
        assert_eq!((got.status, got.header("access-control-allow-origin")), (403, ""));
    }
    let got = send("OPTIONS", &format!("{closed}/mcp"), &[("origin", PAGE), asks[0]], None).await;
    assert!(got.status == 403 && got.header("access-control-allow-methods").is_empty());
}

#[tokio::test]
async fn every_answer_names_its_request_and_takes_no_name_from_the_caller() {
    let platform = Platform::start(|record| {
        let status = if record.target.ends_with("/2") { 404 } else { 200 };
        (status, r#"{"id":1}"#.to_owned())
    })
    .await;
    let base = start(service(&platform), Access::Tenants).await;
    let with_key = [("x-things-key", KEY_A), ("x-request-id", "mine")];
    let mut names = Vec::new();
    for (method, path, headers, status) in [
        ("GET", "/healthz", &[][..], 200),
        ("GET", "/nowhere", &[], 404),
        ("DELETE", "/healthz", &[], 405),
        ("GET", "/things", &[], 401),
        ("GET", "/things", &with_key, 200),
        ("POST", "/tools/no_such_tool", &with_key, 404),
        ("GET", "/mcp", &with_key, 405),
        ("GET", "/sse", &[], 410),
    ] {
        let got = send(method, &format!("{base}{path}"), headers, None).await;
        assert_eq!(got.status, status, "{path}");
        let name = got.header("x-request-id").to_owned();
        assert_eq!(name.len(), 16, "{path}: {name}");
        if let Ok(body) = serde_json::from_str::<Value>(&got.text)
            && body["error"].is_object()
        {
            let error = &body["error"];
            let told = error.get("request_id").or_else(|| error["data"].get("request_id"));
            assert_eq!(told, Some(&json!(name)), "{path}: {body}");
        }
        names.push(name);
    }
    let failed = rest_call(&base, "get_thing", json!({"thing_id": 2})).await;
    assert_eq!(failed.json()["error"]["request_id"], failed.header("x-request-id"));
    for message in [
        tool_call(json!(1), "get_thing", json!({"thing_id": 1})),
        modern(tool_call(json!(1), "get_thing", json!({"thing_id": 1}))),
    ] {
        let version = message["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"].clone();
        let headers = [
            ("x-things-key", KEY_A),
            ("mcp-method", "tools/call"),
            ("mcp-name", "get_thing"),
            ("mcp-protocol-version", version.as_str().unwrap_or("2025-11-25")),
        ];
        let got = send("POST", &format!("{base}/mcp"), &headers, Some(message)).await;
        assert_eq!(
            got.json()["result"]["_meta"]["request_id"],
            got.header("x-request-id"),
            "{}",
            got.text
        );
        names.push(got.header("x-request-id").to_owned());
    }
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 10);
}
