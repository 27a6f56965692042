//! The built program over HTTP and over pipes, as clients of the protocol use it.

use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

/// The protocol's version.
const VERSION: &str = "2026-07-28";

/// The program, without the settings of whoever runs the tests.
pub(crate) fn program(base: &str, token: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_workbook-mcp"));
    command
        .env_clear()
        .env("WORKBOOK_BASE_URL", base)
        .env("WORKBOOK_TOKEN", token)
        .env("WORKBOOK_TOOLSETS", "all")
        .env("WORKBOOK_RATE_LIMIT", "0")
        .env("WORKBOOK_CONFIRM", "off")
        .env("WORKBOOK_MCP_PORT", "0")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// A program that listens, ended with its test.
pub(crate) struct Running {
    child: Child,
    address: String,
    client: reqwest::Client,
}

impl Running {
    pub(crate) fn start(base: &str, token: &str) -> Self {
        let mut child = program(base, token).arg("http").spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap());
        let address = loop {
            let mut line = String::new();
            assert!(lines.read_line(&mut line).unwrap() > 0, "it ended before it listened");
            if let Some((_, rest)) = line.split_once("MCP at http://") {
                break rest.split("/mcp").next().unwrap().to_owned();
            }
        };
        // Somebody must read on, or the program would wait for room in the pipe.
        std::thread::spawn(move || lines.read_to_string(&mut String::new()));
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { child, address, client }
    }

    pub(crate) async fn ask(&self, method: &str, params: Value) -> Value {
        let url = format!("http://{}/mcp", self.address);
        let name = params["name"].as_str().unwrap_or_default().to_owned();
        let request = self
            .client
            .post(url)
            .header("mcp-protocol-version", VERSION)
            .header("mcp-method", method)
            .header("mcp-name", name)
            .json(&request(method, params));
        let reply = request.send().await.unwrap();
        let message: Value = serde_json::from_slice(&reply.bytes().await.unwrap()).unwrap();
        assert!(message["error"].is_null(), "{message}");
        message["result"].clone()
    }

    /// Calls a tool; gives its result and whether it is an error.
    pub(crate) async fn call(&self, tool: &str, arguments: Value) -> (Value, bool) {
        let result = self.ask("tools/call", json!({"name": tool, "arguments": arguments})).await;
        (result["structuredContent"].clone(), result["isError"] == true)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ended_already = self.child.kill();
        let _gone = self.child.wait();
    }
}

/// Asks the program over pipes, which ends with its input.
pub(crate) fn ask_over_pipes(mut program: Command, method: &str, params: Value) -> Value {
    let mut child = program.arg("stdio").spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    writeln!(input, "{}", request(method, params)).unwrap();
    drop(input);
    let output = child.wait_with_output().unwrap();
    let message: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    message["result"].clone()
}

fn request(method: &str, mut params: Value) -> Value {
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": VERSION,
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
}
