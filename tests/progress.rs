//! Progress of long calls, over every transport: told to whoever asks for it, and to nobody else.

#![allow(clippy::unwrap_used, reason = "a test that finds nothing has failed")]

mod support;

use serde_json::{Value, json};
use support::{KEY_A, Running, modern, request};

/// A call of a tool that reads ticket after ticket.
fn triage(mut meta: Value, token: Option<&str>) -> Value {
    if let Some(token) = token {
        meta["progressToken"] = token.into();
    }
    request(
        "tools/call",
        json!({"name": "ticket_triage", "arguments": {"fresh": true}, "_meta": meta}),
    )
}

/// The messages of a stream of events.
fn messages(stream: &Value) -> Vec<Value> {
    let text = stream.as_str().expect("a stream of events and not one JSON answer");
    let data = text.lines().filter_map(|line| line.strip_prefix("data:"));
    data.filter_map(|data| serde_json::from_str(data.trim()).ok()).collect()
}

/// Holds progress to the protocol's words: the caller's token, growing numbers, and then the answer.
fn check(messages: &[Value]) {
    let (answer, steps) = messages.split_last().unwrap();
    assert_eq!(answer["result"]["structuredContent"]["complete"], true, "{answer}");
    assert!(!steps.is_empty(), "nothing was told");
    let mut done = 0.0;
    for step in steps {
        assert_eq!(step["method"], "notifications/progress", "{step}");
        let params = &step["params"];
        assert_eq!(params["progressToken"], "mine");
        let now = params["progress"].as_f64().unwrap();
        assert!(now > done, "{now} after {done}");
        assert!(params["total"].as_f64().is_none_or(|total| total >= now), "{params}");
        assert!(params["message"].as_str().unwrap().contains("answers of the platform read"));
        done = now;
    }
}

#[tokio::test]
async fn progress_comes_before_the_answer_in_both_eras_of_http() {
    let sandbox = Running::sandbox();
    let base = format!("http://{}", sandbox.address);
    let server = Running::http(&["--base-url", &base, "--toolsets", "all", "--legacy-sessions"]);
    let key = ("x-xyte-api-key", KEY_A);
    let era = ("mcp-protocol-version", "2026-07-28");
    for (meta, headers) in [
        (modern(), vec![key, era, ("mcp-method", "tools/call"), ("mcp-name", "ticket_triage")]),
        (json!({}), vec![key]),
    ] {
        let (status, stream) = server.post(&triage(meta.clone(), Some("mine")), &headers).await;
        assert_eq!(status, 200, "{stream}");
        check(&messages(&stream));
        let (_, answer) = server.post(&triage(meta, None), &headers).await;
        assert!(answer["result"].is_object(), "who did not ask gets one JSON answer: {answer}");
    }
    let open = request(
        "initialize",
        json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}),
    );
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let post = |body: &Value, session: Option<&str>| {
        let request = client.post(format!("http://{}/mcp", server.address)).json(body);
        let request =
            request.header(key.0, key.1).header("accept", "application/json, text/event-stream");
        session.into_iter().fold(request, |it, id| it.header("mcp-session-id", id)).send()
    };
    let opened = post(&open, None).await.unwrap();
    let session = opened.headers()["mcp-session-id"].to_str().unwrap().to_owned();
    let begun = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    post(&begun, Some(&session)).await.unwrap();
    let answer = post(&triage(json!({}), Some("mine")), Some(&session)).await.unwrap();
    check(&messages(&answer.text().await.unwrap().into()));
}

#[tokio::test]
async fn progress_comes_before_the_answer_over_pipes() {
    let sandbox = Running::sandbox();
    let base = format!("http://{}", sandbox.address);
    let flags = ["--base-url", &base, "--api-key", KEY_A, "--toolsets", "all"];
    let told = support::stdio(&flags, &[triage(modern(), Some("mine"))]);
    check(&told);
}

#[tokio::test]
async fn while_a_preset_runs_its_steps_are_told_as_they_begin() {
    let sandbox = Running::sandbox_at("small", "step:15");
    let base = format!("http://{}", sandbox.address);
    let server = Running::http(&["--base-url", &base]);
    let mut meta = modern();
    meta["progressToken"] = "mine".into();
    let tool = "start_meeting_room_preset";
    let call = json!({"name": tool, "arguments": {"room": "Board"}, "_meta": meta});
    let headers = [
        ("x-xyte-api-key", KEY_A),
        ("mcp-protocol-version", "2026-07-28"),
        ("mcp-method", "tools/call"),
        ("mcp-name", tool),
    ];
    let (_, stream) = server.post(&request("tools/call", call), &headers).await;
    let messages = messages(&stream);
    let (answer, steps) = messages.split_last().unwrap();
    let summary = &answer["result"]["structuredContent"]["summary"];
    assert_eq!(*summary, "2 commands executed", "{answer}");
    let told: Vec<&str> =
        steps.iter().map(|step| step["params"]["message"].as_str().unwrap()).collect();
    let mut from = 0;
    for part in ["step 1 of 2: power_on", "step 2 of 2: set_input", "reading the room"] {
        let at = told[from..].iter().position(|message| message.contains(part));
        from += at.unwrap_or_else(|| panic!("{part}: {told:#?}"));
    }
}
