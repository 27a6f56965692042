//! How the service ends: the first signal lets calls end, the second does not.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, ChildStderr, Command, Stdio};

use serde_json::json;
use support::{KEY_A, Running, program, request};

/// The service with one call in flight, which the platform answers when the test does.
struct Busy {
    child: Child,
    log: BufReader<ChildStderr>,
    caller: TcpStream,
    platform: TcpStream,
}

impl Busy {
    fn start() -> Self {
        let platform = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", platform.local_addr().unwrap());
        let mut child = program()
            .args(["http", "--port", "0", "--base-url", &base])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let line = wait_for(&mut log, "MCP at http://");
        let address = line.split("MCP at http://").nth(1).unwrap().split('/').next().unwrap();
        let mut caller = TcpStream::connect(address).unwrap();
        let body = request("tools/call", json!({"name": "list_devices"})).to_string();
        write!(
            caller,
            "POST /mcp HTTP/1.1\r\nHost: {address}\r\nX-API-Key: {KEY_A}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let (platform, _) = platform.accept().unwrap();
        Self { child, log, caller, platform }
    }

    fn signal(&self) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").arg(pid).status().unwrap().success());
    }
}

/// Reads the log up to the line that holds a text.
fn wait_for(log: &mut impl BufRead, text: &str) -> String {
    loop {
        let mut line = String::new();
        assert!(log.read_line(&mut line).unwrap() > 0, "it ended without saying `{text}`");
        if line.contains(text) {
            return line;
        }
    }
}

#[test]
fn after_one_signal_a_call_in_flight_is_still_answered() {
    let mut busy = Busy::start();
    busy.signal();
    wait_for(&mut busy.log, "stopping");
    let body = r#"{"items":[]}"#;
    write!(
        busy.platform,
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    busy.caller.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert_eq!(busy.child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let mut busy = Busy::start();
    busy.signal();
    wait_for(&mut busy.log, "stopping");
    busy.signal();
    assert_eq!(busy.child.wait().unwrap().code(), Some(143));
}

#[test]
fn a_server_open_to_everybody_says_so_at_every_start() {
    let open = Running::http(&["--allow-unauthenticated"]);
    assert!(open.started.contains("--allow-unauthenticated"), "{}", open.started);
}
