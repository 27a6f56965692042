//! `xyte-mcp doctor`, one exit code per kind of fault.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Command;

use serde_json::{Value, json};
use support::{KEY_A, Running, program};

/// Runs it, and gives its exit code with its report.
fn doctor(arguments: &[&str], variables: &[(&str, &str)]) -> (i32, Value) {
    let mut command = program();
    command.args(["doctor", "--json"]).args(arguments).envs(variables.iter().copied());
    report(command)
}

fn report(mut command: Command) -> (i32, Value) {
    let output = command.output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let code = output.status.code().unwrap();
    assert_eq!(report["exit_code"], code);
    (code, report)
}

/// Answers that were compared with the platform's document: as many as there are default tools that need nothing, and one.
fn compared(report: &Value) -> u64 {
    let checks = report["checks"].as_array().unwrap();
    let answers = checks.iter().find(|check| check["name"] == "answers").unwrap();
    let (count, _) = answers["message"].as_str().unwrap().split_once(" compared").unwrap();
    count.parse().unwrap()
}

#[test]
fn the_sandbox_is_always_well() {
    let (code, report) = doctor(&["--sandbox", "--sandbox-scenario", "small"], &[]);
    assert_eq!(code, 0, "{report}");
    let checks = report["checks"].as_array().unwrap();
    assert!(checks.iter().all(|check| check["ok"] == true), "{report}");
    assert_eq!(report["departures"], json!([]));
    assert!(compared(&report) > 1, "{report}");
}

#[test]
fn its_looks_do_not_count_against_the_limit_of_calls() {
    let (code, report) = doctor(&["--sandbox", "--rate-limit", "1"], &[]);
    assert_eq!(code, 0, "{report}");
    assert!(compared(&report) > 1, "{report}");
}

#[test]
fn the_columns_are_as_wide_as_what_they_hold() {
    let output = program().args(["doctor", "--sandbox"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let (_, table) = text.split_once("\n\n").unwrap();
    let from = table.find(" from\n").unwrap() + 1;
    let sources = ["flag", "environment", ".env", "file", "default"];
    for line in table.lines().skip(1) {
        let source = &line[from..];
        assert!(sources.iter().any(|known| source.starts_with(known)), "{line}\n{text}");
    }
}

#[test]
fn answers_that_the_document_does_not_know_are_listed_and_no_fault() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for socket in listener.incoming() {
            let mut socket = socket.unwrap();
            let _request = socket.read(&mut [0; 4096]).unwrap_or_default();
            let body = r#"{"items":[{"id":7,"status":"asleep"}],"colour":"red"}"#;
            let head = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: application/json";
            let length = body.len();
            write!(socket, "{head}\r\nContent-Length: {length}\r\n\r\n{body}").unwrap_or_default();
        }
    });
    let (code, report) = doctor(&["--base-url", &base], &[("XYTE_API_KEY", KEY_A)]);
    assert_eq!(code, 0, "{report}");
    let departures = report["departures"].as_array().unwrap();
    for expected in [
        json!({"operation": "get_organization_info", "at": "colour", "departure": "field"}),
        json!({"operation": "list_devices", "at": "items[].id", "departure": "type", "expected": "string", "found": "number"}),
        json!({"operation": "list_devices", "at": "items[].status", "departure": "value", "found": "asleep"}),
        json!({"operation": "list_tickets", "at": "", "departure": "type", "expected": "array", "found": "object"}),
    ] {
        assert!(departures.contains(&expected), "{expected} is not in {report:#}");
    }
    let mut text = program();
    text.args(["doctor", "--base-url", &base]).env("XYTE_API_KEY", KEY_A);
    let text = String::from_utf8(text.output().unwrap().stdout).unwrap();
    assert!(
        text.contains("drift `list_devices` at `items[].status`: the value `asleep`"),
        "{text}"
    );
}

#[test]
fn each_kind_of_fault_has_its_exit_code() {
    let key = ("XYTE_API_KEY", "a-key-that-the-sandbox-does-not-know");
    assert_eq!(doctor(&[], &[("XYTE_RATE_LIMIT", "many")]).0, 2);
    assert_eq!(doctor(&["--sandbox", "--toolsets", "devises"], &[]).0, 2);
    let mut unheard = program();
    unheard.arg("doctor").stdout(std::fs::File::create("/dev/full").unwrap());
    unheard.args(["--sandbox", "--sandbox-scenario", "small"]);
    assert_eq!(unheard.output().unwrap().status.code(), Some(1), "nobody can be told");
    // No port that a test is given is that low.
    let nobody = "http://127.0.0.1:1";
    assert_eq!(doctor(&["--base-url", nobody], &[]).0, 3);
    assert_eq!(doctor(&["--base-url", nobody], &[key]).0, 3);
    let redis = ("REDIS_URL", "redis://127.0.0.1:1");
    assert_eq!(doctor(&["--sandbox", "--sandbox-scenario", "small"], &[redis]).0, 7);
    // The system takes the connection, and nobody ever reads from it.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let slow = format!("http://{}", silent.local_addr().unwrap());
    assert_eq!(doctor(&["--base-url", &slow, "--timeout-ms", "100"], &[key]).0, 4);
    let sandbox = Running::sandbox();
    let base = format!("http://{}", sandbox.address);
    assert_eq!(doctor(&["--base-url", &base], &[key]).0, 5);
    assert_eq!(doctor(&["--base-url", &base], &[("XYTE_API_KEY", KEY_A)]).0, 0);
    assert_eq!(doctor(&["--base-url", &base], &[]).0, 0, "without a key, any answer will do");
    let page = TcpListener::bind("127.0.0.1:0").unwrap();
    let other = format!("http://{}", page.local_addr().unwrap());
    std::thread::spawn(move || {
        let (mut socket, _) = page.accept().unwrap();
        let _request = socket.read(&mut [0; 4096]).unwrap();
        let answer =
            "HTTP/1.1 404 Not Found\r\nContent-Length: 6\r\nContent-Type: text/html\r\n\r\n<html>";
        socket.write_all(answer.as_bytes()).unwrap();
    });
    assert_eq!(doctor(&["--base-url", &other], &[key]).0, 6);
}

#[test]
fn it_says_where_each_value_is_from_and_never_shows_a_secret() {
    let folder = own_folder();
    let secret = "hush-hush-hush-hush-hush-hush-hush-hush";
    std::fs::write(
        folder.join(".env"),
        format!(
            "XYTE_API_KEY={secret}\nXYTE_RATE_LIMIT=7\nPORT=1234\nXYTE_MCP_HTTP_TOKEN_FILE=token\n"
        ),
    )
    .unwrap();
    std::fs::write(folder.join("token"), secret).unwrap();
    let mut command = program();
    command.current_dir(&folder).args(["doctor", "--json", "--base-url", "http://127.0.0.1:9"]);
    command.env("XYTE_RATE_LIMIT", "8");
    let (_, report) = report(command);
    let of = |name: &str| {
        let settings = report["settings"].as_array().unwrap();
        let one = settings.iter().find(|setting| setting["name"] == name).unwrap();
        let text = |part: &str| one[part].as_str().unwrap_or_default().to_owned();
        (text("value"), text("source"), text("variable"))
    };
    let from = |value: &str, source: &str, variable: &str| {
        (value.to_owned(), source.to_owned(), variable.to_owned())
    };
    assert_eq!(of("XYTE_RATE_LIMIT"), from("8", "environment", "XYTE_RATE_LIMIT"));
    assert_eq!(of("XYTE_MCP_PORT"), from("1234", ".env", "PORT"));
    assert_eq!(of("XYTE_BASE_URL"), from("http://127.0.0.1:9", "flag", ""));
    assert_eq!(of("XYTE_TIMEOUT_MS"), from("15000", "default", ""));
    assert_eq!(of("XYTE_API_KEY").1, ".env");
    assert_eq!(of("XYTE_MCP_HTTP_TOKEN").1, "file");
    assert!(!report.to_string().contains("hush"), "{report}");
}

#[test]
fn a_broken_line_of_the_file_is_named_and_not_quoted() {
    let folder = own_folder();
    std::fs::write(folder.join(".env"), "XYTE_API_KEY='hush\n").unwrap();
    let output = program().current_dir(&folder).arg("doctor").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("XYTE_API_KEY") && !told.contains("hush"), "{told}");
}

/// A folder of the test's own.
fn own_folder() -> std::path::PathBuf {
    let test = std::thread::current().name().unwrap().to_owned();
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}
