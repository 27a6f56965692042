//! What a caller is told when a call does not succeed.

use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use xyte_mcp_runtime::caller::{Caller, Key, Selection, Toolsets};
use xyte_mcp_runtime::service::Settings;
use xyte_mcp_runtime::transport::http::Access;

use crate::support::{KEY_A, KEY_B, Platform, call, call_as, post, service, service_at, start};

#[tokio::test]
async fn an_html_page_of_a_proxy_keeps_its_status_and_loses_its_markup() {
    let platform = Platform::answering(502, "<html><h1>Bad gateway</h1></html>").await;
    let failure = call(&service(&platform), "get_thing", json!({"thing_id": 1})).await.unwrap_err();
    assert_eq!((failure.code.as_ref(), failure.status), ("things_server_error", Some(502)));
    assert_eq!(failure.message, "the platform answered 502");
    assert_eq!(failure.hint.as_deref(), Some("Try again later."));
}

#[tokio::test]
async fn an_operations_own_rule_and_the_platforms_words_are_told() {
    let platform = Platform::answering(409, r#"{"error":"in use"}"#).await;
    let failure = call(&service(&platform), "get_thing", json!({"thing_id": 1})).await.unwrap_err();
    assert_eq!(
        (failure.code.as_ref(), failure.message.as_str()),
        ("busy", "the platform answered 409: in use")
    );
    let platform = Platform::answering(422, r#"{"errors":{"name":["is taken"]}}"#).await;
    let failure =
        call(&service(&platform), "create_thing", json!({"name": "x"})).await.unwrap_err();
    assert_eq!(
        (failure.code.as_ref(), failure.message.as_str()),
        ("invalid_params", "the platform answered 422: name: is taken")
    );
}

#[tokio::test]
async fn a_platform_that_is_not_there_is_a_network_error() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let failure =
        call(&service_at(&base, Settings::default()), "create_thing", json!({"name": "x"}))
            .await
            .unwrap_err();
    assert_eq!(
        (failure.code.as_ref(), failure.message.as_str()),
        ("network_error", "no connection to the platform")
    );
}

#[tokio::test(start_paused = true)]
async fn a_platform_that_never_answers_times_out_and_a_change_is_then_unknown() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let service =
        service_at(&format!("http://{}", listener.local_addr().unwrap()), Settings::default());
    let read = call(&service, "get_thing", json!({"thing_id": 1})).await.unwrap_err();
    assert_eq!(
        (read.code.as_ref(), read.message.as_str()),
        ("timeout", "the platform did not answer in time")
    );
    let write = call(&service, "create_thing", json!({"name": "x"})).await.unwrap_err();
    assert_eq!(write.code, "timeout");
    assert!(write.message.ends_with("whether the change was made is unknown"), "{}", write.message);
}

#[tokio::test]
async fn a_change_that_the_platform_broke_at_is_unknown_and_one_it_refused_is_not() {
    for (status, unknown) in [(500, true), (504, true), (404, false), (429, false)] {
        let platform = Platform::answering(status, "").await;
        let failure =
            call(&service(&platform), "create_thing", json!({"name": "x"})).await.unwrap_err();
        assert_eq!(
            failure.message.contains("is unknown"),
            unknown,
            "{status}: {}",
            failure.message
        );
        assert_eq!(platform.recorded().len(), 1);
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_a_change_that_was_made_and_no_answer_to_a_read() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let service =
        service_at(&format!("http://{}", listener.local_addr().unwrap()), Settings::default());
    let breaking = tokio::spawn(async move {
        loop {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut request = vec![0; 4096];
            let _ = socket.read(&mut request).await.unwrap();
            socket
                .write_all(b"HTTP/1.1 201 Created\r\ncontent-length: 100\r\n\r\n{")
                .await
                .unwrap();
        }
    });
    let answer = call(&service, "create_thing", json!({"name": "x"})).await.unwrap();
    assert_eq!(answer.shaped.structured["http_status"], json!(201));
    let failure = call(&service, "get_thing", json!({"thing_id": 1})).await.unwrap_err();
    assert_eq!((failure.code.as_ref(), failure.status), ("upstream_contract", Some(201)));
    breaking.abort();
}

#[tokio::test]
async fn a_refusal_whose_words_break_off_is_still_that_refusal() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let service =
        service_at(&format!("http://{}", listener.local_addr().unwrap()), Settings::default());
    let breaking = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let _ = socket.read(&mut [0; 4096]).await.unwrap();
        socket.write_all(b"HTTP/1.1 404 No\r\ncontent-length: 100\r\n\r\n{").await.unwrap();
    });
    let failure = call(&service, "get_thing", json!({"thing_id": 1})).await.unwrap_err();
    assert_eq!((failure.code.as_ref(), failure.status), ("not_found", Some(404)));
    breaking.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_hung_platform_costs_no_more_than_the_deadline_whatever_is_asked() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let service = service_at(&base, Settings::default());
    for (tool, arguments) in [
        ("get_thing", json!({"thing_id": 1})),
        ("list_things", json!({"limit": 1000})),
        ("create_thing", json!({"name": "x"})),
    ] {
        let begun = tokio::time::Instant::now();
        let failure = call(&service, tool, arguments).await.unwrap_err();
        assert_eq!(failure.code, "timeout");
        assert!(begun.elapsed() <= Duration::from_secs(20), "{tool}: {:?}", begun.elapsed());
    }
}

#[tokio::test]
async fn an_answer_that_stops_in_the_middle_costs_one_deadline() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let stopping = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let _ = socket.read(&mut [0; 4096]).await.unwrap();
        socket.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{").await.unwrap();
        socket.read(&mut [0; 1]).await.unwrap_or_default()
    });
    let deadline = Duration::from_millis(200);
    let service = service_at(&base, Settings { deadline, ..Settings::default() });
    let failure = call(&service, "get_thing", json!({"thing_id": 1})).await.unwrap_err();
    assert_eq!((failure.code.as_ref(), failure.status), ("timeout", Some(200)));
    assert_eq!(stopping.await.unwrap(), 0, "the connection is closed");
}

#[tokio::test(start_paused = true)]
async fn exactly_the_allowed_calls_pass_per_key() {
    let platform = Platform::answering(200, r#"{"id":1}"#).await;
    let service = service_at(
        &platform.base,
        Settings { rate_limit: 3, deadline: Duration::from_hours(1), ..Settings::default() },
    );
    let (a, b) =
        (Caller::with_key(Key::new(KEY_A).unwrap()), Caller::with_key(Key::new(KEY_B).unwrap()));
    for _ in 0..3 {
        // Arguments that are refused count: they are calls.
        let _ = call_as(&service, &a, "get_thing", json!({})).await;
    }
    let failure = call_as(&service, &a, "get_thing", json!({"thing_id": 1})).await.unwrap_err();
    assert_eq!(failure.code, "rate_limited");
    assert!(failure.retry_after_ms.is_some_and(|wait| wait <= 60_000));
    assert_eq!(
        call_as(&service, &b, "get_thing", json!({"thing_id": "x"})).await.unwrap_err().code,
        "invalid_arguments"
    );
    assert!(platform.recorded().is_empty());
}

#[tokio::test]
async fn a_call_without_a_key_is_told_where_to_put_one() {
    let platform = Platform::answering(200, "{}").await;
    let service = service_at(
        &platform.base,
        Settings { key_hint: "Set THINGS_KEY.".to_owned(), ..Settings::default() },
    );
    let failure = call_as(&service, &Caller::keyless(), "get_thing", json!({"thing_id": 1}))
        .await
        .unwrap_err();
    assert_eq!(
        (failure.code.as_ref(), failure.hint.as_deref()),
        ("unauthorized", Some("Set THINGS_KEY."))
    );
    assert!(platform.recorded().is_empty());
}

#[tokio::test]
async fn what_is_not_selected_cannot_be_called() {
    let platform = Platform::answering(204, "").await;
    let service = service(&platform);
    let failure = call(&service, "purge_things", json!({})).await.unwrap_err();
    assert_eq!(failure.code, "toolset_not_selected");
    assert!(failure.hint.unwrap().contains("`admin`"));
    let mut caller = Caller::with_key(Key::new(KEY_A).unwrap());
    caller.selection.toolsets = Toolsets::parse("admin");
    call_as(&service, &caller, "purge_things", json!({})).await.unwrap();
    assert_eq!(
        call_as(&service, &caller, "get_thing", json!({"thing_id": 1})).await.unwrap_err().code,
        "toolset_not_selected"
    );
    // The operator's choice is the bound.
    let bound = service_at(
        &platform.base,
        Settings { toolsets: Toolsets::parse("things"), ..Settings::default() },
    );
    assert!(
        call_as(&bound, &caller, "purge_things", json!({}))
            .await
            .unwrap_err()
            .message
            .contains("does not offer")
    );
    assert_eq!(platform.recorded().len(), 1);
}

#[tokio::test]
async fn a_server_that_only_reads_neither_lists_nor_performs_changes() {
    let platform = Platform::answering(204, "").await;
    let service = service_at(&platform.base, Settings { read_only: true, ..Settings::default() });
    assert_eq!(
        call(&service, "create_thing", json!({"name": "x"})).await.unwrap_err().code,
        "read_only"
    );
    let shown: Vec<String> = service
        .shown(&Selection::default())
        .into_iter()
        .map(|tool| tool.name.into_owned())
        .collect();
    assert_eq!(shown, ["get_thing", "list_flat", "list_things"]);
    assert!(platform.recorded().is_empty());
}

#[tokio::test]
async fn the_operators_remarks_are_in_every_answers_meta() {
    let platform = Platform::answering(200, r#"{"id":1}"#).await;
    let meta = serde_json::Map::from_iter([("sandbox".to_owned(), json!(true))]);
    let service = service_at(&platform.base, Settings { meta, ..Settings::default() });
    let answer = call(&service, "get_thing", json!({"thing_id": 1})).await.unwrap();
    assert_eq!(answer.meta["sandbox"], json!(true));
    let base = start(service, Access::Tenants).await;
    for (method, params) in [
        ("tools/call", json!({"name": "get_thing", "arguments": {}})),
        ("tools/list", json!({})),
        ("resources/read", json!({"uri": "thing://1/status"})),
    ] {
        let (_, answer) =
            post(&base, &json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}))
                .await;
        assert_eq!(answer["result"]["_meta"]["sandbox"], json!(true), "{method}");
    }
}
