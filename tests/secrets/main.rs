//! No key is in anything that the program writes, wherever a key comes up and at every level of logging.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod asks;
mod forms;
#[path = "../support/mod.rs"]
mod support;

use std::fs::File;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use asks::{astray, calls, fitting, misplaced, refused};
use forms::{METRICS, OTHER, OWN, PARTNER, TOKEN, without_keys};
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};
use support::{DEVICE, modern, program};

const LEVELS: [&str; 5] = ["ERROR", "WARN", "INFO", "DEBUG", "TRACE"];

/// A platform that says the key it was given in every place there is, under the status that the space or the device names.
fn talkative() -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            std::thread::spawn(move || repeat_the_key(connection.unwrap()));
        }
    });
    format!("http://{address}")
}

fn repeat_the_key(mut connection: TcpStream) {
    let mut request = [0; 8192];
    let length = connection.read(&mut request).unwrap_or_default();
    let text = String::from_utf8_lossy(&request[..length]).into_owned();
    let key = text.lines().find_map(|line| line.strip_prefix("authorization: ")).unwrap_or("none");
    let status = text
        .split_once("space_id=")
        .or_else(|| text.split_once("00000000-0000-4000-8000-000000000"))
        .map_or("200", |(_, rest)| &rest[..3]);
    let row = json!({"id": DEVICE, "name": key, "status": key, key: key});
    let mut body = row.clone();
    body["error"] = format!("the key {key} is wrong").into();
    body["errors"] = json!({ key: [key] });
    body["items"] = json!([row]);
    body["has_next_page"] = false.into();
    let body = if status == "299" { format!("<b>{key}</b>") } else { body.to_string() };
    let answer = format!(
        "HTTP/1.1 {status} {key}\r\nX-Echo: {key}\r\nRetry-After: {key}\r\nLocation: http://x/{key}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    connection.write_all(answer.as_bytes()).unwrap_or_default();
}

/// A file of the test's own that does not exist yet.
fn file(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _from_the_last_run = std::fs::remove_file(&path);
    path
}

/// A process whose outputs are kept in files.
struct Kept {
    child: Child,
    name: String,
    out: PathBuf,
    err: PathBuf,
}

/// A test that fails leaves no server behind.
impl Drop for Kept {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Kept {
    fn start(name: &str, command: &mut Command) -> Self {
        let (out, err) = (file(&format!("{name}.out")), file(&format!("{name}.err")));
        command.stdout(File::create(&out).unwrap()).stderr(File::create(&err).unwrap());
        Self { child: command.spawn().unwrap(), name: name.to_owned(), out, err }
    }

    /// Waits for its end, looks through its logs, and gives its exit code and its answers.
    fn end(mut self) -> (Option<i32>, Vec<u8>) {
        let code = self.child.wait().unwrap().code();
        without_keys(&self.name, &std::fs::read(&self.err).unwrap());
        (code, std::fs::read(&self.out).unwrap())
    }
}

/// Starts a server, and says where it listens; below some levels it does not say so itself.
fn listening(name: &str, command: &mut Command) -> (SocketAddr, Kept) {
    loop {
        let free = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
        command.env("XYTE_MCP_PORT", free.port().to_string());
        let mut server = Kept::start(name, command);
        let ended = loop {
            if let Some(status) = server.child.try_wait().unwrap() {
                break status;
            }
            // Where nobody listens, a connection may meet itself.
            let met = TcpStream::connect(free).is_ok_and(|it| it.local_addr().unwrap() != free);
            if met {
                return (free, server);
            }
            std::thread::yield_now();
        };
        let told = std::fs::read_to_string(&server.err).unwrap();
        // Whoever took the port in between is welcome to it.
        assert!(told.contains("cannot listen on"), "{name} ended with {ended}: {told}");
    }
}

/// Sends all at once and gives what came back, heads included.
async fn send(requests: Vec<RequestBuilder>) -> Vec<(String, Vec<u8>)> {
    let all = requests.into_iter().map(async |request| {
        let shown = format!("{request:?}");
        let answer = request.send().await.unwrap();
        let head = format!("{:?}{:?}", answer.status(), answer.headers());
        (shown, [head.as_bytes(), &answer.bytes().await.unwrap()].concat())
    });
    futures::future::join_all(all).await
}

/// Sends messages over pipes, where all act with the server's keys, and gives the answers.
fn over_pipes(name: &str, command: &mut Command, messages: Vec<Value>) -> Vec<u8> {
    let mut kept = Kept::start(name, command.stdin(Stdio::piped()));
    let mut input = kept.child.stdin.take().unwrap();
    for mut message in messages {
        message["params"]["_meta"] = modern();
        writeln!(input, "{message}").unwrap();
    }
    writeln!(input, "{{\"{OWN}\": {OWN}").unwrap();
    drop(input);
    let (code, answers) = kept.end();
    assert_eq!(code, Some(0), "{name}");
    answers
}

const ONE: [(&str, &str); 2] = [("XYTE_API_KEY", OWN), ("XYTE_PARTNER_API_KEY", PARTNER)];
/// What [`PASSWORD`] is part of.
const REDIS: (&str, &str) = ("REDIS_URL", "redis://:password-of=the~shared-redis-a81c@127.0.0.1:1");
const TOKENS: [(&str, &str); 2] = [("XYTE_MCP_HTTP_TOKEN", TOKEN), ("XYTE_METRICS_TOKEN", METRICS)];

/// The program with settings that all commands share.
fn set(arguments: &[&str], platform: &str, level: &str, audit: &str) -> Command {
    let mut command = program();
    command.args(arguments).args([
        "--base-url",
        platform,
        "--toolsets",
        "all",
        "--rate-limit",
        "0",
    ]);
    command.env(REDIS.0, REDIS.1);
    command.args(["--log-level", level, "--deadline-ms", "500", "--audit", audit]);
    command
}

/// A whole life of the HTTP service.
async fn over_http(name: &str, command: &mut Command, opener: &str) {
    let (address, server) = listening(name, command);
    let client = Client::builder().no_proxy().build().unwrap();
    let base = format!("http://{address}");
    for requests in [fitting(&client, &base, opener), refused(&client, &base)] {
        for (request, answer) in send(requests).await {
            without_keys(&format!("{name}: the answer to {request}"), &answer);
        }
    }
    send(astray(&client, &base, opener)).await;
    support::terminate(server.child.id());
    let (code, out) = server.end();
    assert_eq!((code, out.len()), (Some(0), 0), "{name}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_key_is_in_anything_that_is_written_at_any_level() {
    let platform = talkative();
    for level in LEVELS {
        let records = file(&format!("secrets-audit-{level}"));
        let audit = format!("file:{}", records.display());
        let http = |flags: &[&str], audit: &str| {
            set(&[&["http"], flags].concat(), &platform, level, audit)
        };
        let name = |mode: &str| format!("secrets-{mode}-{level}");
        // Many tenants, one tenant on loopback, one behind a token on all addresses.
        let mut tenants = http(&["--legacy-sessions"], &audit);
        over_http(&name("tenants"), &mut tenants, OTHER).await;
        over_http(&name("one"), http(&[], "stderr").envs(ONE), OWN).await;
        let mut public = http(&["--host", "0.0.0.0"], &audit);
        over_http(&name("token"), public.envs(ONE).envs(TOKENS), TOKEN).await;

        for (pipes, messages) in [("stdio", calls()), ("stdio-astray", misplaced(OWN))] {
            let mut command = set(&["stdio"], &platform, level, "stderr");
            let answers = over_pipes(&name(pipes), command.envs(ONE), messages);
            if pipes == "stdio" {
                without_keys(&name(pipes), &answers);
            }
        }
        for (place, arguments) in [
            &["call", "list_devices"][..],
            &["call", "list_devices", "--args", r#"{"space_id": 401}"#],
            &["call", "get_device", "--args", &json!({"device_id": OWN}).to_string()],
            &["call", OWN],
            &["doctor"],
            &["doctor", "--json"],
        ]
        .into_iter()
        .enumerate()
        {
            let mut command = set(arguments, &platform, level, &audit);
            let kept = Kept::start(&name(&format!("{place}")), command.envs(ONE).envs(TOKENS));
            without_keys(&name(&format!("{place}")), &kept.end().1);
        }
        without_keys("the audit", &std::fs::read(&records).unwrap());
    }
}
