//! The program in front of a platform that answers when the test says so, talked to byte by byte.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, ChildStderr, ChildStdin, Stdio};

use super::{KEY_A, program, request, terminate};

/// The program, its log, and the platform it talks to.
pub(crate) struct Hanging {
    pub(crate) child: Child,
    log: BufReader<ChildStderr>,
    address: String,
    platform: TcpListener,
}

impl Hanging {
    /// Starts the HTTP service.
    pub(crate) fn http(arguments: &[&str]) -> Self {
        let mut hanging = Self::start(&[&["http", "--port", "0"], arguments].concat());
        let line = hanging.log_until("MCP at http://");
        let address = line.split("MCP at http://").nth(1).unwrap().split('/').next().unwrap();
        address.clone_into(&mut hanging.address);
        hanging
    }

    /// Starts the service over pipes, and gives the client's end of one.
    pub(crate) fn stdio() -> (Self, ChildStdin) {
        let mut hanging = Self::start(&["stdio", "--api-key", KEY_A]);
        let input = hanging.child.stdin.take().unwrap();
        (hanging, input)
    }

    fn start(arguments: &[&str]) -> Self {
        let platform = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", platform.local_addr().unwrap());
        let mut child = program()
            .args(arguments)
            .args(["--base-url", &base])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped()) // Nobody has to read it: the answers are short.
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        Self { child, log, address: String::new(), platform }
    }

    /// Reads the log up to the line that holds a text.
    pub(crate) fn log_until(&mut self, text: &str) -> String {
        loop {
            let mut line = String::new();
            assert!(self.log.read_line(&mut line).unwrap() > 0, "it ended without saying `{text}`");
            if line.contains(text) {
                return line;
            }
        }
    }

    /// Sends a request in the name of key A; headers end with a line break each.
    pub(crate) fn send(&self, line: &str, headers: &str, body: &str) -> Client {
        let mut connection = TcpStream::connect(&self.address).unwrap();
        let (address, length) = (&self.address, body.len());
        write!(
            connection,
            "{line} HTTP/1.1\r\nHost: {address}\r\nX-API-Key: {KEY_A}\r\nContent-Type: application/json\r\nAccept: application/json, text/event-stream\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
        )
        .unwrap();
        Client(connection)
    }

    /// Sends a request and reads the whole answer.
    pub(crate) fn answer(&self, line: &str, headers: &str, body: &str) -> String {
        self.send(line, &format!("Connection: close\r\n{headers}"), body).answer()
    }

    /// Waits for a request to the platform.
    pub(crate) fn held(&self) -> Held {
        let (mut connection, _) = self.platform.accept().unwrap();
        assert_ne!(connection.read(&mut [0; 4096]).unwrap(), 0);
        Held(connection)
    }

    /// Asks the program to end.
    pub(crate) fn signal(&self) {
        terminate(self.child.id());
    }

    /// Waits for its end.
    pub(crate) fn ended(mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }
}

impl Drop for Hanging {
    fn drop(&mut self) {
        let _it_may_have_ended = self.child.kill();
        let _nobody_asks = self.child.wait();
    }
}

/// A client that waits for its answer; dropped, it goes away.
pub(crate) struct Client(TcpStream);

impl Client {
    /// Reads until the connection ends.
    pub(crate) fn answer(mut self) -> String {
        let mut answer = String::new();
        self.0.read_to_string(&mut answer).unwrap();
        answer
    }

    /// Reads the status and the headers.
    pub(crate) fn head(&mut self) -> String {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            self.0.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        String::from_utf8(head).unwrap()
    }
}

/// A request that the platform holds.
pub(crate) struct Held(TcpStream);

impl Held {
    /// Waits until the connection is closed from the other side.
    pub(crate) fn is_dropped(&mut self) {
        // A reset says the same as an end.
        assert_eq!(self.0.read(&mut [0; 1]).unwrap_or_default(), 0);
    }

    /// Answers with JSON.
    pub(crate) fn answer(mut self, body: &str) {
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json";
        write!(self.0, "{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len()).unwrap();
    }
}

/// Opens a session, and gives the header that names it.
pub(crate) fn session(hanging: &Hanging) -> String {
    let opening = request(
        "initialize",
        serde_json::json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}),
    );
    let opened = hanging.answer("POST /mcp", "", &opening.to_string());
    let id = opened.lines().find_map(|line| line.strip_prefix("mcp-session-id: ")).unwrap();
    let header = format!("Mcp-Session-Id: {id}\r\n");
    let initialized = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
    let accepted = hanging.answer("POST /mcp", &header, initialized);
    assert!(accepted.starts_with("HTTP/1.1 202 "), "{accepted}");
    header
}
