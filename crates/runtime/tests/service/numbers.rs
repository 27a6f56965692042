//! Numbers that keep every digit pass through the protocol's library: ids, progress tokens, arguments and answers, in both eras and over both transports.

use crate::support::{KEY_A, Platform, modern, post_with, service, start, tool_call};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio_util::sync::CancellationToken;
use xyte_mcp_runtime::caller::{Caller, Key};
use xyte_mcp_runtime::server::Server;
use xyte_mcp_runtime::transport::http::Access;
use xyte_mcp_runtime::transport::stdio;

const ANSWER: &str = r#"{"big":18446744073709551616,"id":1,"none":null,"price":1.10,"small":-0.5}"#;

/// A call with a number in every place where a client may put one.
fn message() -> Value {
    let text = r#"{"jsonrpc":"2.0","id":9007199254740993,"method":"tools/call","params":{"name":"create_thing","arguments":{"name":"x","size":1.10,"custom":{"deep":[12345678901234567890123,1e2]}},"_meta":{"progressToken":9007199254740993}}}"#;
    serde_json::from_str(text).unwrap()
}

fn assert_survived(answer: &Value, platform: &Platform) {
    assert_eq!(answer["id"].to_string(), "9007199254740993");
    assert_eq!(answer["result"]["structuredContent"].to_string(), ANSWER);
    assert_eq!(answer["result"]["content"][0]["text"], ANSWER);
    assert_eq!(
        platform.recorded()[0].body,
        r#"{"custom_fields":{"deep":[12345678901234567890123,1e+2]},"name":"x","size":1.10}"#
    );
}

#[tokio::test]
async fn every_digit_survives_over_http_in_the_legacy_era() {
    let platform = Platform::answering(200, ANSWER).await;
    let base = start(service(&platform), Access::Tenants).await;
    let (status, answer) =
        post_with(&format!("{base}/mcp"), &[("x-things-key", KEY_A)], message().to_string()).await;
    assert_eq!(status, 200, "{answer}");
    assert_survived(&answer, &platform);
}

#[tokio::test]
async fn every_digit_survives_over_http_in_the_modern_era() {
    let platform = Platform::answering(200, ANSWER).await;
    let base = start(service(&platform), Access::Tenants).await;
    let headers = [
        ("x-things-key", KEY_A),
        ("mcp-protocol-version", "2026-07-28"),
        ("mcp-method", "tools/call"),
        ("mcp-name", "create_thing"),
    ];
    let (status, answer) =
        post_with(&format!("{base}/mcp"), &headers, modern(message()).to_string()).await;
    assert_eq!(status, 200, "{answer}");
    assert_survived(&answer, &platform);
    assert_eq!(answer["result"]["resultType"], "complete");
}

#[tokio::test]
async fn every_digit_survives_over_pipes_in_both_eras() {
    for opening in [
        Some(
            json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}}),
        ),
        None,
    ] {
        let platform = Platform::answering(200, ANSWER).await;
        let server = Server::for_caller(
            service(&platform),
            crate::support::identity(),
            Caller::with_key(Key::new(KEY_A).unwrap()),
        );
        let (ours, theirs) = tokio::io::duplex(1 << 16);
        let stop = CancellationToken::new();
        let serving = tokio::spawn(stdio::serve_on(server, tokio::io::split(theirs), stop.clone()));
        let (reading, mut writing) = tokio::io::split(ours);
        let mut lines = BufReader::new(reading).lines();
        let is_legacy = opening.is_some();
        if let Some(opening) = opening {
            writing
                .write_all(
                    format!(
                        "{opening}\n{}\n",
                        json!({"jsonrpc": "2.0", "method": "notifications/initialized"})
                    )
                    .as_bytes(),
                )
                .await
                .unwrap();
            let opened: Value =
                serde_json::from_str(&lines.next_line().await.unwrap().unwrap()).unwrap();
            assert_eq!(opened["result"]["protocolVersion"], "2025-11-25");
        }
        let call = if is_legacy { message() } else { modern(message()) };
        writing.write_all(format!("{call}\n").as_bytes()).await.unwrap();
        let answer: Value =
            serde_json::from_str(&lines.next_line().await.unwrap().unwrap()).unwrap();
        assert_survived(&answer, &platform);
        stop.cancel();
        serving.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn ids_come_back_in_the_type_they_were_sent_in() {
    let platform = Platform::answering(200, ANSWER).await;
    let base = start(service(&platform), Access::Tenants).await;
    for id in [json!(0), json!(-1), json!("7"), json!("a-b"), json!(1)] {
        let message = tool_call(id.clone(), "get_thing", json!({"thing_id": 1}));
        let (_, answer) = crate::support::post(&format!("{base}/"), &message).await;
        assert_eq!(answer["id"], id);
    }
}
