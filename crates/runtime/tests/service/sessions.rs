//! Sessions for clients of the earlier protocol, beside the service that keeps none.

use http::HeaderMap;
use serde_json::{Value, json};
use xyte_mcp_runtime::transport::http::{Access, HttpSettings};
use xyte_mcp_runtime::upstream::{ClientSettings, Trust, client};

use crate::support::{
    KEY_A, KEY_B, Platform, Served, http_settings, modern, post, service, start_with, tool_call,
};

const LIST: &str = r#"{"things":[{"id":1,"name":"Lamp"}]}"#;

async fn served() -> Served {
    let platform = Platform::answering(200, LIST).await;
    let settings = HttpSettings { legacy_sessions: true, ..http_settings(Access::Tenants) };
    start_with(service(&platform), settings).await
}

/// Sends a request as an old client does, in the name of a key.
async fn send(
    method: &str,
    served: &Served,
    key: &str,
    session: Option<&str>,
    message: Option<Value>,
) -> reqwest::Response {
    let settings = ClientSettings { user_agent: "test".to_owned(), trust: Trust::Nobody };
    let mut request = client(&settings)
        .unwrap()
        .request(method.parse().unwrap(), format!("{}/mcp", served.base))
        .header("accept", "application/json, text/event-stream")
        .header("x-things-key", key);
    if let Some(session) = session {
        request = request.header("mcp-session-id", session);
    }
    if let Some(message) = message {
        request = request.header("content-type", "application/json").body(message.to_string());
    }
    request.send().await.unwrap()
}

fn session_in(headers: &HeaderMap) -> Option<String> {
    Some(headers.get("mcp-session-id")?.to_str().unwrap().to_owned())
}

async fn open(served: &Served, key: &str) -> String {
    let session = shake_hands(served, key).await;
    let initialized = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
    let response = send("POST", served, key, Some(&session), Some(initialized)).await;
    assert_eq!(response.status(), 202);
    session
}

async fn shake_hands(served: &Served, key: &str) -> String {
    let initialize = json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
        "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": "test", "version": "1" } } });
    let response = send("POST", served, key, None, Some(initialize)).await;
    assert_eq!(response.status(), 200);
    let session = session_in(response.headers()).unwrap();
    assert!(response.text().await.unwrap().contains("2025-11-25"));
    session
}

fn list() -> Value {
    tool_call(json!(1), "list_things", json!({}))
}

#[tokio::test]
async fn a_handshake_opens_a_session_and_other_calls_need_none() {
    let served = served().await;
    let session = open(&served, KEY_A).await;
    let in_session = send("POST", &served, KEY_A, Some(&session), Some(list())).await;
    assert!(in_session.text().await.unwrap().contains("Lamp"));
    let url = format!("{}/mcp", served.base);
    let (status, bare) = post(&url, &list()).await;
    assert_eq!((status, &bare["result"]["isError"]), (200, &json!(false)), "{bare}");
    let stateless = send("POST", &served, KEY_A, None, Some(modern(list()))).await;
    assert_eq!(session_in(stateless.headers()), None);
    let (status, broken) =
        crate::support::post_with(&url, &[("x-things-key", KEY_A)], "{".to_owned()).await;
    assert_eq!((status, &broken["error"]["code"]), (400, &json!(-32700)));
}

#[tokio::test]
async fn a_session_serves_only_whoever_opened_it() {
    let served = served().await;
    let session = open(&served, KEY_A).await;
    for method in ["POST", "GET", "DELETE"] {
        let message = (method == "POST").then(list);
        let response = send(method, &served, KEY_B, Some(&session), message).await;
        assert_eq!(response.status(), 404, "{method}");
    }
    let still = send("POST", &served, KEY_A, Some(&session), Some(list())).await;
    assert_eq!(still.status(), 200);
    assert_eq!(send("DELETE", &served, KEY_A, Some(&session), None).await.status(), 202);
    let over = send("POST", &served, KEY_A, Some(&session), Some(list())).await;
    assert_eq!(over.status(), 404);
}

#[tokio::test]
async fn made_up_keys_open_no_sessions_without_end_and_end_none_of_a_good_key() {
    let served = served().await;
    let good = open(&served, KEY_A).await;
    let call = send("POST", &served, KEY_A, Some(&good), Some(list())).await;
    assert!(call.text().await.unwrap().contains("Lamp"), "the platform knows the key");
    let made_up = |number: usize| format!("a-key-that-somebody-made-up-number-{number:04}");
    let mut sessions = Vec::new();
    for number in 0..60 {
        sessions.push(shake_hands(&served, &made_up(number)).await);
    }
    let mut live = 0;
    for (number, session) in sessions.iter().enumerate() {
        let end = send("DELETE", &served, &made_up(number), Some(session), None).await;
        live += usize::from(end.status() == 202);
    }
    assert_eq!(live, 50, "of one address, with keys that the platform has not confirmed");
    let still = send("POST", &served, KEY_A, Some(&good), Some(list())).await;
    assert_eq!(still.status(), 200);
}

#[tokio::test]
async fn an_open_stream_ends_with_the_server_and_does_not_delay_it() {
    let served = served().await;
    let session = open(&served, KEY_A).await;
    let stream = send("GET", &served, KEY_A, Some(&session), None).await;
    assert_eq!(stream.status(), 200);
    served.stop.cancel();
    // The client's own limit of ten seconds is far below the drain's.
    stream.bytes().await.unwrap();
    served.ended.await.unwrap();
}

#[tokio::test]
async fn without_the_switch_a_handshake_opens_no_session() {
    let platform = Platform::answering(200, LIST).await;
    let served = start_with(service(&platform), http_settings(Access::Tenants)).await;
    let initialize = json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
        "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": "test", "version": "1" } } });
    let response = send("POST", &served, KEY_A, None, Some(initialize)).await;
    assert_eq!((response.status().as_u16(), session_in(response.headers())), (200, None));
    assert_eq!(send("GET", &served, KEY_A, None, None).await.status(), 405);
}
