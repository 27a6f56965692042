//! A dry run shows exactly what is sent: every tool that changes something, against a platform that writes down the bytes.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};

use serde_json::{Value, json};
use support::{Running, capabilities, name};

const KEY: &str = "an-organization-key-of-forty-characters!";

/// A request as it came over the wire.
struct Wire {
    line: String,
    headers: BTreeMap<String, String>,
    body: String,
}

/// A platform that takes everything and passes on what it got.
fn recorder() -> (String, Receiver<Wire>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            let mut reader = BufReader::new(connection.try_clone().unwrap());
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            let mut headers = BTreeMap::new();
            loop {
                let mut header = String::new();
                reader.read_line(&mut header).unwrap();
                let Some((name, value)) = header.trim_end().split_once(": ") else { break };
                headers.insert(name.to_lowercase(), value.to_owned());
            }
            let length = headers.get("content-length").map_or(0, |it| it.parse().unwrap());
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            let answer = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}";
            connection.write_all(answer.as_bytes()).unwrap();
            let body = String::from_utf8(body).unwrap();
            if sender.send(Wire { line: line.trim_end().to_owned(), headers, body }).is_err() {
                return;
            }
        }
    });
    (base, receiver)
}

/// What was sent to change something.
fn change(receiver: &Receiver<Wire>) -> Option<Wire> {
    receiver.try_iter().find(|wire| !wire.line.starts_with("GET "))
}

#[tokio::test]
async fn what_a_dry_run_shows_is_what_is_sent_byte_for_byte() {
    let (base, receiver) = recorder();
    let flags = ["--base-url", &base, "--toolsets", "all", "--confirm", "off", "--rate-limit", "0"];
    let server = Running::http(&flags);
    let headers = [("x-xyte-api-key", KEY)];
    let mut seen = 0;
    for entry in capabilities()["entries"].as_array().unwrap() {
        if entry["class"] == "read" || entry.get("method").is_none() {
            continue;
        }
        let tool = name(entry);
        let mut arguments = entry["example"].clone();
        arguments["dry_run"] = json!(true);
        let shown = server.call(tool, arguments.clone(), &headers).await;
        let shown = &shown["structuredContent"]["request"];
        assert!(change(&receiver).is_none(), "{tool}: a dry run changes nothing");
        arguments["dry_run"] = json!(false);
        let sent = server.call(tool, arguments, &headers).await;
        let wire = change(&receiver).unwrap_or_else(|| panic!("{tool}: {sent}"));
        let url = shown["url"].as_str().unwrap();
        let path = url.strip_prefix(&base).unwrap();
        assert_eq!(wire.line, format!("{} {path} HTTP/1.1", shown["method"].as_str().unwrap()));
        let mut left = wire.headers.clone();
        for (name, value) in shown["headers"].as_object().unwrap() {
            let sent = left.remove(name).unwrap_or_else(|| panic!("{tool}: {name} was not sent"));
            match value.as_str().unwrap() {
                "****" => assert_eq!(sent, KEY, "{tool}"),
                value => assert_eq!(sent, value, "{tool}: {name}"),
            }
        }
        for transport in ["host", "content-length", "user-agent", "accept-encoding"] {
            left.remove(transport);
        }
        assert_eq!(left, BTreeMap::new(), "{tool}: headers that the dry run did not show");
        let body = match &shown["body"] {
            Value::Null => String::new(),
            body => body.to_string(),
        };
        assert_eq!(wire.body, body, "{tool}");
        seen += 1;
    }
    assert!(seen > 35, "{seen} tools");
}
