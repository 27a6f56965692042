//! MCP over pipes: how a conversation begins and ends.

use serde_json::{Value, json};
use tokio::io::{
    AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader, DuplexStream,
};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use xyte_mcp_runtime::caller::Caller;
use xyte_mcp_runtime::server::Server;
use xyte_mcp_runtime::service::Settings;
use xyte_mcp_runtime::transport::stdio::{StdioError, serve_on};

use crate::support::{KEY_A, Platform, identity, modern, service, service_at, tenant, tool_call};

/// A server without a key, and the client's end of its pipes.
async fn served() -> (DuplexStream, JoinHandle<Result<(), StdioError>>, Platform) {
    let platform = Platform::answering(200, "{}").await;
    let server = Server::for_caller(service(&platform), identity(), Caller::keyless());
    let (ours, theirs) = tokio::io::duplex(1 << 16);
    let serving = serve_on(server, tokio::io::split(theirs), CancellationToken::new());
    (ours, tokio::spawn(serving), platform)
}

#[tokio::test]
async fn a_host_that_only_looks_whether_the_program_starts_is_no_fault() {
    let (ours, serving, _platform) = served().await;
    drop(ours);
    serving.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_server_without_a_key_lists_and_says_what_is_missing() {
    let (ours, serving, platform) = served().await;
    let (reading, mut writing) = tokio::io::split(ours);
    let mut lines = BufReader::new(reading).lines();
    let list = modern(json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}));
    let call = modern(tool_call(json!(2), "get_thing", json!({"thing_id": 1})));
    writing.write_all(format!("{list}\n{call}\n").as_bytes()).await.unwrap();
    let mut answers = Vec::new();
    for _ in 0..2 {
        answers.push(
            serde_json::from_str::<Value>(&lines.next_line().await.unwrap().unwrap()).unwrap(),
        );
    }
    // Requests are answered side by side, so the order is not fixed.
    answers.sort_by_key(|answer| answer["id"].as_i64());
    assert_eq!(answers[0]["result"]["tools"].as_array().unwrap().len(), 4);
    assert_eq!(answers[1]["result"]["structuredContent"]["error"]["code"], "unauthorized");
    assert!(platform.recorded().is_empty());
    drop((lines, writing));
    serving.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_call_that_outlives_its_client_is_cancelled_and_told_before_the_end() {
    let platform = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let base = format!("http://{}", platform.local_addr().unwrap());
    let service = service_at(&base, Settings::default());
    let server = Server::for_caller(service.clone(), identity(), tenant(KEY_A));
    let (mut ours, theirs) = tokio::io::duplex(1 << 16);
    let stop = CancellationToken::new();
    let serving = tokio::spawn(serve_on(server, tokio::io::split(theirs), stop));
    let call = modern(tool_call(json!(1), "get_thing", json!({"thing_id": 1})));
    ours.write_all(format!("{call}\n").as_bytes()).await.unwrap();
    let (mut socket, _) = platform.accept().await.unwrap();
    assert_ne!(socket.read(&mut [0; 4096]).await.unwrap(), 0);
    drop(ours);
    tokio::time::pause(); // Nobody waits for the time that a call has for its end.
    serving.await.unwrap().unwrap();
    let told = r#"mcp_tool_errors_total{tool="get_thing",code="cancelled"} 1"#;
    assert!(service.metrics.text().contains(told), "{}", service.metrics.text());
    assert_eq!(socket.read(&mut [0; 1]).await.unwrap(), 0, "the connection is closed");
}

#[tokio::test]
async fn a_call_that_is_cancelled_takes_its_request_to_the_platform_with_it() {
    let opening = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}});
    let opened = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    let call = tool_call(json!(7), "get_thing", json!({"thing_id": 1}));
    let cancel =
        json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 7}});
    for messages in
        [format!("{opening}\n{opened}\n{call}\n"), format!("{}\n", modern(call.clone()))]
    {
        let platform = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let base = format!("http://{}", platform.local_addr().unwrap());
        let service = service_at(&base, Settings::default());
        let server = Server::for_caller(service, identity(), tenant(KEY_A));
        let (mut ours, theirs) = tokio::io::duplex(1 << 16);
        let stop = CancellationToken::new();
        tokio::spawn(serve_on(server, tokio::io::split(theirs), stop));
        ours.write_all(messages.as_bytes()).await.unwrap();
        // The platform takes the request and does not answer it.
        let (mut socket, _) = platform.accept().await.unwrap();
        assert_ne!(socket.read(&mut [0; 4096]).await.unwrap(), 0);
        ours.write_all(format!("{cancel}\n").as_bytes()).await.unwrap();
        assert_eq!(socket.read(&mut [0; 1]).await.unwrap(), 0, "the connection is closed");
    }
}
