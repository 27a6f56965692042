//! Keys and tenants: nobody's key is seen, and nobody sees another's things.

use std::io::Write;
use std::sync::{Arc, Mutex};

use futures::future::join_all;
use serde_json::json;
use xyte_mcp_runtime::transport::http::Access;

use crate::support::{
    KEY_A, KEY_B, Platform, Scripted, call, post_with, service, start, tool_call,
};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn no_key_is_ever_logged_or_quoted() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    // For the whole process: what the other tests log meanwhile holds no key either.
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let platform = Platform::start(|record| {
        let key = record.headers["authorization"].to_str().unwrap();
        let headers = vec![("x-request-id", format!("named-{key}"))];
        Scripted { status: 422, headers, body: json!({"error": format!("bad {key}")}).to_string() }
    })
    .await;
    let service = service(&platform);
    let failure = call(&service, "create_thing", json!({"name": "x"})).await.unwrap_err();
    assert!(
        failure.message.contains("****") && !failure.message.contains(KEY_A),
        "{}",
        failure.message
    );
    let base = start(service, Access::Tenants).await;
    for headers in [
        vec![("x-things-key", KEY_A)],
        vec![("x-things-key", KEY_A), ("authorization", KEY_B)],
        vec![("authorization", "Basic abc")],
    ] {
        let (_, answer) = post_with(
            &base,
            &headers,
            tool_call(json!(1), "get_thing", json!({"thing_id": 1})).to_string(),
        )
        .await;
        assert!(
            !answer.to_string().contains(KEY_A) && !answer.to_string().contains(KEY_B),
            "{answer}"
        );
    }
    let logged = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(logged.contains(&*failure.request_id.unwrap()), "the call is logged");
    assert!(logged.contains("named-****"), "under the platform's own name");
    assert!(!logged.contains(KEY_A) && !logged.contains(KEY_B), "no key is logged");
}

#[tokio::test]
async fn two_tenants_at_once_never_see_each_others_things() {
    // The platform answers with what it knows about the key it was given.
    let platform = Platform::start(|record| {
        let owner = if record.headers["authorization"] == KEY_A { "a" } else { "b" };
        (200, json!({"id": 1, "owner": owner}).to_string())
    })
    .await;
    let url = format!("{}/mcp", start(service(&platform), Access::Tenants).await);
    let calls = (0..40).map(|turn| {
        let url = url.clone();
        async move {
            let (key, owner) = if turn % 2 == 0 { (KEY_A, "a") } else { (KEY_B, "b") };
            let (_, answer) = post_with(
                &url,
                &[("x-things-key", key)],
                tool_call(json!(turn), "get_thing", json!({"thing_id": turn})).to_string(),
            )
            .await;
            assert_eq!(answer["result"]["structuredContent"]["owner"], owner);
            assert_eq!(answer["id"], json!(turn));
        }
    });
    join_all(calls).await;
}
