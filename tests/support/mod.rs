//! Runs the built program as its users do, and talks to it.

#![allow(dead_code, reason = "every test file uses its own part of this")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(clippy::needless_pass_by_value, reason = "a test hands over what it wrote in place")]

pub(crate) mod fleet;
pub(crate) mod hanging;
pub(crate) mod redis;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

/// Key A of the sandbox.
pub(crate) const KEY_A: &str = "sandbox-key-A-northwind-organization";
/// Key B of the sandbox.
pub(crate) const KEY_B: &str = "sandbox-key-B-fabrikam-organization";
/// Key P of the sandbox.
pub(crate) const KEY_P: &str = "sandbox-key-P-contoso-partner-vendor";
/// A device that every sandbox has.
pub(crate) const DEVICE: &str = "5b0c8c1e-6f0a-4a51-9d3c-0c5f2f1b7a10";

/// The program, without the settings of whoever runs the tests.
pub(crate) fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xyte-mcp"));
    command.env_clear().current_dir(env!("CARGO_TARGET_TMPDIR"));
    command
}

/// A file of the project.
pub(crate) fn project(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The text of a file of the project.
pub(crate) fn read(path: &str) -> String {
    std::fs::read_to_string(project(path)).unwrap_or_else(|err| panic!("{path}: {err}"))
}

/// What the built program serves.
pub(crate) fn capabilities() -> Value {
    let output = program().arg("capabilities").output().unwrap();
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Name of an entry's tool.
pub(crate) fn name(entry: &Value) -> &str {
    entry["tool"]["name"].as_str().unwrap()
}

/// A process that listens, ended with its test.
pub(crate) struct Running {
    child: Child,
    pub(crate) address: String,
    /// Where a sandbox is seen from behind.
    pub(crate) admin: String,
    /// What it wrote while it started.
    pub(crate) started: String,
    rest: Option<std::thread::JoinHandle<String>>,
}

impl Running {
    /// Starts the HTTP service on a free port.
    pub(crate) fn http(arguments: &[&str]) -> Self {
        Self::http_with(&[], arguments)
    }

    /// The same with variables.
    pub(crate) fn http_with(variables: &[(&str, &str)], arguments: &[&str]) -> Self {
        let mut command = program();
        command.envs(variables.iter().copied());
        command.args(["http", "--port", "0"]).args(arguments);
        Self::start(command, Pipe::Stderr, "MCP at http://", "/mcp")
    }

    /// Starts the sandbox on a free port.
    pub(crate) fn sandbox() -> Self {
        Self::sandbox_of("small")
    }

    /// Starts the sandbox with another scenario.
    pub(crate) fn sandbox_of(scenario: &str) -> Self {
        Self::sandbox_with(&["--scenario", scenario])
    }

    /// Starts the sandbox with another scenario and another fleet.
    pub(crate) fn seeded(scenario: &str, seed: &str) -> Self {
        Self::sandbox_with(&["--scenario", scenario, "--seed", seed])
    }

    /// Starts the sandbox with another scenario and pace of time.
    pub(crate) fn sandbox_at(scenario: &str, clock: &str) -> Self {
        Self::sandbox_with(&["--scenario", scenario, "--clock", clock])
    }

    /// Starts the sandbox with these flags.
    pub(crate) fn sandbox_with(arguments: &[&str]) -> Self {
        let mut command = program();
        command.args(["sandbox", "--port", "0"]).args(arguments);
        let mut running = Self::start(command, Pipe::Stdout, "admin: http://", " ");
        let (_, first) = running.started.split_once("http://").unwrap();
        let address = first.lines().next().unwrap().to_owned();
        running.admin = std::mem::replace(&mut running.address, address);
        running
    }

    fn start(mut command: Command, pipe: Pipe, before: &str, after: &str) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (out, err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let mut lines: Box<dyn BufRead + Send> = match pipe {
            Pipe::Stdout => Box::new(BufReader::new(out)),
            Pipe::Stderr => Box::new(BufReader::new(err)),
        };
        let mut started = String::new();
        let address = loop {
            let mut line = String::new();
            assert!(
                lines.read_line(&mut line).unwrap() > 0,
                "it ended before it listened:\n{started}"
            );
            started.push_str(&line);
            if let Some((_, rest)) = line.split_once(before) {
                break rest.split(after).next().unwrap().trim().to_owned();
            }
        };
        // Somebody must read on, or the process would wait for room in the pipe.
        let rest = std::thread::spawn(move || {
            let mut text = String::new();
            lines.read_to_string(&mut text).unwrap_or_default();
            text
        });
        Self { child, address, admin: String::new(), started, rest: Some(rest) }
    }

    /// Sends one JSON-RPC message, as a person with curl would.
    pub(crate) async fn post(&self, message: &Value, headers: &[(&str, &str)]) -> (u16, Value) {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let mut request = client.post(format!("http://{}/mcp", self.address)).json(message);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let body = response.bytes().await.unwrap();
        (
            status,
            serde_json::from_slice(&body).unwrap_or_else(|_| String::from_utf8_lossy(&body).into()),
        )
    }

    /// Calls a tool and gives its result.
    pub(crate) async fn call(
        &self,
        tool: &str,
        arguments: Value,
        headers: &[(&str, &str)],
    ) -> Value {
        let params = json!({"name": tool, "arguments": arguments});
        let (status, answer) = self.post(&request("tools/call", params), headers).await;
        assert_eq!(status, 200, "{answer}");
        answer["result"].clone()
    }

    /// What a sandbox was asked to change, in order.
    pub(crate) async fn changes(&self) -> Vec<String> {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let url = format!("http://{}/requests", self.admin);
        let log: Value = client.get(url).send().await.unwrap().json().await.unwrap();
        let entries = log.as_array().or_else(|| log["requests"].as_array()).unwrap().iter();
        let line = |entry: &Value| {
            format!("{} {}", entry["method"].as_str().unwrap(), entry["path"].as_str().unwrap())
        };
        entries.map(line).filter(|line| !line.starts_with("GET ")).collect()
    }

    /// Calls a tool as a client of the stateless era that can ask its user.
    pub(crate) async fn call_asking(
        &self,
        key: &str,
        (tool, arguments): (&str, Value),
        more: Value,
    ) -> Value {
        let mut params = json!({"name": tool, "arguments": arguments, "_meta": modern()});
        params["_meta"]["io.modelcontextprotocol/clientCapabilities"] = json!({"elicitation": {}});
        for (name, value) in more.as_object().unwrap() {
            params[name] = value.clone();
        }
        let headers = [
            ("mcp-protocol-version", "2026-07-28"),
            ("mcp-method", "tools/call"),
            ("mcp-name", tool),
            ("x-xyte-api-key", key),
        ];
        let (status, answer) = self.post(&request("tools/call", params), &headers).await;
        assert_eq!(status, 200, "{answer}");
        answer["result"].clone()
    }

    /// Requests that a sandbox has received.
    pub(crate) async fn received(&self) -> u64 {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let url = format!("http://{}/stats", self.admin);
        let stats: Value = client.get(url).send().await.unwrap().json().await.unwrap();
        stats["requests"].as_u64().unwrap()
    }

    /// Asks it to end, and gives its exit code with everything it wrote.
    pub(crate) fn terminate(self) -> (Option<i32>, String) {
        self.ask_to_end();
        self.ended()
    }

    /// Asks it to end.
    pub(crate) fn ask_to_end(&self) {
        terminate(self.child.id());
    }

    /// Waits for its end, and gives its exit code with everything it wrote.
    pub(crate) fn ended(mut self) -> (Option<i32>, String) {
        let code = self.child.wait().unwrap().code();
        let rest = self.rest.take().unwrap().join().unwrap();
        (code, format!("{}{rest}", self.started))
    }
}

/// Sends the signal that asks a process to end.
pub(crate) fn terminate(pid: u32) {
    assert!(Command::new("kill").arg(pid.to_string()).status().unwrap().success());
}

/// A platform that answers when the test says so.
pub(crate) struct SlowPlatform {
    listener: TcpListener,
}

impl SlowPlatform {
    /// Starts to listen, and gives its address.
    pub(crate) fn start() -> (Self, String) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        (Self { listener }, base)
    }

    /// Waits for a request.
    pub(crate) fn receive(&self) -> Received {
        let (mut connection, _) = self.listener.accept().unwrap();
        let mut request = [0; 4096];
        assert!(connection.read(&mut request).unwrap() > 0);
        Received { connection }
    }
}

/// A request that waits for its answer.
pub(crate) struct Received {
    connection: TcpStream,
}

impl Received {
    /// Answers with JSON.
    pub(crate) fn answer(mut self, body: &str) {
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        self.connection.write_all(format!("{head}{body}").as_bytes()).unwrap();
    }
}

#[derive(Clone, Copy)]
enum Pipe {
    Stdout,
    Stderr,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _it_may_have_ended = self.child.kill();
        let _nobody_asks = self.child.wait();
    }
}

/// A JSON-RPC request.
pub(crate) fn request(method: &str, params: Value) -> Value {
    json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
}

/// The `_meta` of a request of the stateless era.
pub(crate) fn modern() -> Value {
    json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
    })
}

/// Sends messages to `xyte-mcp stdio` and gives the answers by their order.
pub(crate) fn stdio(arguments: &[&str], messages: &[Value]) -> Vec<Value> {
    let mut command = program();
    command
        .arg("stdio")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut answers = Vec::new();
    for message in messages {
        writeln!(input, "{message}").unwrap();
        let mut waits = message.get("id").is_some();
        while waits {
            let answer: Value = serde_json::from_str(&output.next().unwrap().unwrap()).unwrap();
            // Notifications come before the answer.
            waits = answer.get("id").is_none();
            answers.push(answer);
        }
    }
    drop(input);
    assert!(child.wait().unwrap().success(), "it ends when its client does");
    answers
}
