//! Consent, by whoever can be asked: what destroys happens when a person agreed to exactly it, and once.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::Stdio;

use serde_json::{Value, json};
use support::{DEVICE, KEY_A, KEY_B, Running, program, request};

/// A server in front of a sandbox, with these flags.
struct Rig {
    sandbox: Running,
    server: Running,
}

impl Rig {
    fn new(flags: &[&str]) -> Self {
        Self::of("small", flags)
    }

    fn of(scenario: &str, flags: &[&str]) -> Self {
        let sandbox = Running::sandbox_of(scenario);
        let base = format!("http://{}", sandbox.address);
        let flags = [&["--base-url", &base, "--toolsets", "all"], flags].concat();
        let server = Running::http(&flags);
        Self { sandbox, server }
    }

    /// A call by a client that cannot ask anybody.
    async fn call(&self, tool: &str, arguments: Value) -> Value {
        self.call_as(KEY_A, tool, arguments).await
    }

    async fn call_as(&self, key: &str, tool: &str, arguments: Value) -> Value {
        self.server.call(tool, arguments, &[("x-xyte-api-key", key)]).await
    }

    /// A call by a client of the stateless era that can ask its user.
    async fn ask(&self, key: &str, tool: &str, arguments: Value, more: Value) -> Value {
        self.server.call_asking(key, (tool, arguments), more).await
    }

    /// What was changed at the platform.
    async fn changes(&self) -> Vec<String> {
        self.sandbox.changes().await
    }
}

fn code(result: &Value) -> &str {
    assert_eq!(result["isError"], true, "{result}");
    result["structuredContent"]["error"]["code"].as_str().unwrap()
}

fn replied(question: &Value, action: &str) -> Value {
    assert_eq!(question["resultType"], "input_required", "{question}");
    json!({"requestState": question["requestState"], "inputResponses": {"consent": {"action": action, "content": {}}}})
}

fn device() -> Value {
    json!({"device_id": DEVICE})
}

fn delete() -> Vec<String> {
    vec![format!("DELETE /core/v1/organization/devices/{DEVICE}")]
}

#[tokio::test]
async fn over_http_a_client_without_a_person_deletes_nothing_and_costs_the_platform_nothing() {
    let rig = Rig::new(&[]);
    for _ in 0..20 {
        let refused = rig.call("delete_device", device()).await;
        assert_eq!(code(&refused), "confirmation_required");
        assert_eq!(refused["structuredContent"]["error"].get("plan_token"), None);
    }
    let forged = rig.call("delete_device", json!({"device_id": DEVICE, "plan_token": "x"})).await;
    assert_eq!(code(&forged), "confirmation_required");
    assert_eq!(rig.sandbox.received().await, 0);
}

#[tokio::test]
async fn the_person_reads_what_is_deleted_and_a_yes_deletes_it_once() {
    let rig = Rig::new(&[]);
    let question = rig.ask(KEY_A, "delete_device", device(), json!({})).await;
    let request = &question["inputRequests"]["consent"];
    assert_eq!(request["method"], "elicitation/create", "{question}");
    let words = request["params"]["message"].as_str().unwrap();
    for told in ["Delete", "name: Fjord display", DEVICE, "space.full_path", "undo this"] {
        assert!(words.contains(told), "{told}: {words}");
    }
    assert_eq!(rig.changes().await, [""; 0]);
    let yes = replied(&question, "accept");
    let done = rig.ask(KEY_A, "delete_device", device(), yes.clone()).await;
    assert_eq!(done["isError"], false, "{done}");
    assert_eq!(rig.changes().await, delete());
    let again = rig.ask(KEY_A, "delete_device", device(), yes).await;
    assert_eq!(code(&again), "plan_used");
    assert_eq!(rig.changes().await, delete());
}

#[tokio::test]
async fn a_no_is_final_whatever_is_said_later() {
    let rig = Rig::new(&[]);
    for no in ["decline", "cancel"] {
        let question = rig.ask(KEY_A, "delete_device", device(), json!({})).await;
        let declined = rig.ask(KEY_A, "delete_device", device(), replied(&question, no)).await;
        assert_eq!(code(&declined), "confirmation_declined");
        let yes = replied(&question, "accept");
        let later = rig.ask(KEY_A, "delete_device", device(), yes).await;
        assert_eq!(code(&later), "plan_used");
    }
    assert_eq!(rig.changes().await, [""; 0]);
}

#[tokio::test]
async fn a_yes_holds_for_what_was_asked_and_for_nothing_else() {
    let rig = Rig::new(&[]);
    let question = rig.ask(KEY_A, "delete_device", device(), json!({})).await;
    let yes = replied(&question, "accept");
    let mut forged = yes.clone();
    let state = yes["requestState"].as_str().unwrap();
    forged["requestState"] = json!(format!("{}A", &state[..state.len() - 1]));
    if forged["requestState"] == yes["requestState"] {
        forged["requestState"] = json!(format!("{}B", &state[..state.len() - 1]));
    }
    let other = json!({"device_id": "7c2e9d10-4b6f-4e63-b1a9-0d8e5f4a3c99"});
    for (key, tool, arguments, more, expected) in [
        (KEY_A, "delete_device", device(), &forged, "plan_invalid"),
        (KEY_B, "delete_device", device(), &yes, "plan_invalid"),
        (KEY_A, "delete_device", other, &yes, "plan_mismatch"),
    ] {
        let refused = rig.ask(key, tool, arguments, more.clone()).await;
        assert_eq!(code(&refused), expected, "{tool}");
    }
    let renamed = json!({"device_id": DEVICE, "name": "Another display"});
    let renamed = rig.call("update_device", renamed).await;
    assert_eq!(renamed["isError"], false, "{renamed}");
    let late = rig.ask(KEY_A, "delete_device", device(), yes).await;
    assert_eq!(code(&late), "plan_stale");
    assert!(rig.changes().await.iter().all(|line| !line.starts_with("DELETE")));
}

#[tokio::test]
async fn a_token_carries_out_what_was_previewed_where_the_operator_lets_it() {
    let rig = Rig::new(&["--confirm", "token"]);
    let refused = rig.call("delete_device", device()).await;
    assert_eq!(code(&refused), "confirmation_required");
    let first = refused["structuredContent"]["error"]["plan_token"].as_str().unwrap();
    let preview = rig.call("delete_device", json!({"device_id": DEVICE, "dry_run": true})).await;
    let preview = &preview["structuredContent"];
    assert_eq!(preview["target"]["name"], "Fjord display", "{preview}");
    assert_eq!(preview["request"]["method"], "DELETE");
    let token = preview["plan_token"].as_str().unwrap();
    let with = |token: &str| json!({"device_id": DEVICE, "plan_token": token});
    let foreign = rig.call_as(KEY_B, "delete_device", with(token)).await;
    assert_eq!(code(&foreign), "plan_invalid");
    let of_a_question = rig.ask(KEY_A, "delete_device", device(), json!({})).await;
    let state = of_a_question["requestState"].as_str().unwrap();
    assert_eq!(code(&rig.call("delete_device", with(state)).await), "plan_invalid");
    assert_eq!(rig.changes().await, [""; 0]);
    let done = rig.call("delete_device", with(token)).await;
    assert_eq!(done["isError"], false, "{done}");
    assert_eq!(code(&rig.call("delete_device", with(token)).await), "plan_used");
    assert_eq!(code(&rig.call("delete_device", with(first)).await), "not_found");
    assert_eq!(rig.changes().await, delete());
}

#[tokio::test]
async fn a_policy_that_wants_a_person_takes_no_token_and_one_that_wants_nobody_asks_nobody() {
    let rig = Rig::new(&["--confirm", "elicit"]);
    let preview = rig.call("delete_device", json!({"device_id": DEVICE, "dry_run": true})).await;
    assert_eq!(preview["structuredContent"].get("plan_token"), None);
    assert_eq!(code(&rig.call("delete_device", device()).await), "confirmation_required");
    let rig = Rig::new(&["--confirm", "off"]);
    assert_eq!(rig.call("delete_device", device()).await["isError"], false);
    assert_eq!(rig.changes().await, delete());
}

#[tokio::test]
async fn a_command_that_the_operator_names_needs_a_person_however_it_is_called() {
    let rig = Rig::new(&["--confirm-commands", "factory_reset, Reboot"]);
    for named in [
        json!({"command": "reboot"}),
        json!({"friendly_name": "Reboot"}),
        json!({"command": "mute", "name": "reboot"}),
    ] {
        let mut arguments = named;
        arguments["device_id"] = json!(DEVICE);
        assert_eq!(code(&rig.call("send_command", arguments).await), "confirmation_required");
    }
    assert_eq!(rig.changes().await, [""; 0]);
    let rig = Rig::new(&[]);
    let free = json!({"device_id": DEVICE, "command": "reboot"});
    assert_eq!(rig.call("send_command", free).await["isError"], false);
}

/// A client of the era of sessions, over pipes, that can ask its user.
struct Pipes {
    child: std::process::Child,
    input: Option<std::process::ChildStdin>,
    output: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Pipes {
    fn start(base: &str, capabilities: &Value) -> Self {
        let mut command = program();
        command.args(["stdio", "--toolsets", "all", "--base-url", base, "--api-key", KEY_A]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut pipes = Self { child, input, output };
        let hello = json!({"protocolVersion": "2025-11-25", "capabilities": capabilities, "clientInfo": {"name": "test", "version": "1"}});
        pipes.send(&request("initialize", hello));
        pipes.receive();
        pipes.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
        pipes
    }

    fn send(&mut self, message: &Value) {
        writeln!(self.input.as_mut().unwrap(), "{message}").unwrap();
    }

    fn receive(&mut self) -> Value {
        serde_json::from_str(&self.output.next().unwrap().unwrap()).unwrap()
    }

    /// Waits for its end, and gives its exit code with what it still says.
    fn ended(&mut self) -> (Option<i32>, String) {
        let said: Vec<String> = self.output.by_ref().map(Result::unwrap).collect();
        (self.child.wait().unwrap().code(), said.join("\n"))
    }

    fn call(&mut self, tool: &str, arguments: &Value) {
        self.send(&request("tools/call", json!({"name": tool, "arguments": arguments})));
    }
}

impl Drop for Pipes {
    fn drop(&mut self) {
        let _it_may_have_ended = self.child.kill();
        let _nobody_asks = self.child.wait();
    }
}

#[tokio::test]
async fn over_pipes_the_client_is_asked_while_the_call_waits() {
    let sandbox = Running::sandbox();
    let base = format!("http://{}", sandbox.address);
    let mut pipes = Pipes::start(&base, &json!({"elicitation": {}}));
    for (action, expected) in [("decline", Some("confirmation_declined")), ("accept", None)] {
        pipes.call("delete_device", &device());
        let asked = pipes.receive();
        assert_eq!(asked["method"], "elicitation/create", "{asked}");
        assert!(asked["params"]["message"].as_str().unwrap().contains("Fjord display"));
        assert_eq!(sandbox.changes().await, [""; 0]);
        pipes.send(&json!({"jsonrpc": "2.0", "id": asked["id"], "result": {"action": action}}));
        let result = &pipes.receive()["result"];
        assert_eq!(expected, (result["isError"] == true).then(|| code(result)), "{result}");
    }
    assert_eq!(sandbox.changes().await, delete());
}

#[tokio::test]
async fn a_client_that_goes_while_the_question_is_open_has_changed_nothing_and_keeps_nobody() {
    let sandbox = Running::sandbox();
    let base = format!("http://{}", sandbox.address);
    let mut pipes = Pipes::start(&base, &json!({"elicitation": {}}));
    pipes.call("delete_device", &device());
    assert_eq!(pipes.receive()["method"], "elicitation/create");
    drop(pipes.input.take());
    let (code, told) = pipes.ended();
    assert_eq!(code, Some(0));
    assert!(told.contains("confirmation_declined"), "it waits for no reply: {told}");
    assert_eq!(sandbox.changes().await, [""; 0]);
}

#[tokio::test]
async fn over_pipes_a_client_that_cannot_ask_gets_a_token_for_its_host_to_ask() {
    let sandbox = Running::sandbox();
    let base = format!("http://{}", sandbox.address);
    let mut pipes = Pipes::start(&base, &json!({}));
    pipes.call("delete_device", &device());
    let refused = pipes.receive()["result"].take();
    assert_eq!(code(&refused), "confirmation_required");
    let token = &refused["structuredContent"]["error"]["plan_token"];
    pipes.call("delete_device", &json!({"device_id": DEVICE, "plan_token": token}));
    let done = pipes.receive();
    assert_eq!(done["result"]["isError"], false, "{done}");
    assert_eq!(sandbox.changes().await, delete());
}

#[tokio::test]
async fn the_shell_asks_on_a_terminal_only_and_takes_a_flag_instead() {
    let sandbox = Running::sandbox();
    let base = format!("http://{}", sandbox.address);
    let call = |more: &[&str]| {
        let mut command = program();
        command.args(["call", "delete_device", "--base-url", &base, "--api-key", KEY_A]);
        command.args(["--args", &device().to_string()]).args(more).stdin(Stdio::null());
        command.output().unwrap()
    };
    let refused = call(&[]);
    assert!(!refused.status.success());
    assert!(String::from_utf8_lossy(&refused.stdout).contains("--yes"));
    assert_eq!(sandbox.changes().await, [""; 0]);
    assert!(call(&["--yes"]).status.success());
    assert_eq!(sandbox.changes().await, delete());
}

/// Reads an answer's events until one holds this.
async fn event(stream: &mut reqwest::Response, wanted: &str) -> Value {
    let mut text = String::new();
    loop {
        let line = text.lines().find(|line| line.starts_with("data:") && line.contains(wanted));
        if let Some(line) = line.filter(|_| text.ends_with('\n')) {
            return serde_json::from_str(line.trim_start_matches("data:").trim()).unwrap();
        }
        let chunk = stream.chunk().await.unwrap().unwrap_or_else(|| panic!("it ended: {text}"));
        text.push_str(std::str::from_utf8(&chunk).unwrap());
    }
}

#[tokio::test]
async fn in_a_session_over_http_the_client_is_asked_on_the_stream_of_its_call() {
    let rig = Rig::new(&["--legacy-sessions"]);
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let post = |session: &str, message: &Value| {
        let mut request = client
            .post(format!("http://{}/mcp", rig.server.address))
            .header("accept", "application/json, text/event-stream")
            .header("x-xyte-api-key", KEY_A)
            .json(message);
        if !session.is_empty() {
            request = request.header("mcp-session-id", session);
        }
        request.send()
    };
    let hello = json!({"protocolVersion": "2025-11-25", "capabilities": {"elicitation": {}}, "clientInfo": {"name": "test", "version": "1"}});
    let welcome = post("", &request("initialize", hello)).await.unwrap();
    let session = welcome.headers()["mcp-session-id"].to_str().unwrap().to_owned();
    let ready = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    assert!(post(&session, &ready).await.unwrap().status().is_success());
    for (action, expected) in [("cancel", "confirmation_declined"), ("accept", "204")] {
        let call = request("tools/call", json!({"name": "delete_device", "arguments": device()}));
        let mut stream = post(&session, &call).await.unwrap();
        let asked = event(&mut stream, "elicitation/create").await;
        assert!(asked["params"]["message"].as_str().unwrap().contains("Fjord display"));
        assert_eq!(rig.changes().await, [""; 0]);
        let reply = json!({"jsonrpc": "2.0", "id": asked["id"], "result": {"action": action}});
        assert!(post(&session, &reply).await.unwrap().status().is_success());
        let done = event(&mut stream, "structuredContent").await;
        assert!(done["result"]["structuredContent"].to_string().contains(expected), "{done}");
    }
    assert_eq!(rig.changes().await, delete());
}
