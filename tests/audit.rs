//! Who did what is written down, and no key is, wherever one comes up.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use serde_json::{Value, json};
use support::{DEVICE, KEY_A, KEY_B, Running, modern, program, request};

const KEY_P: &str = "sandbox-key-P-contoso-partner-vendor";
const NOBODYS: &str = "a-key-that-nobody-has-but-is-long-enough";
const TOKEN: &str = "a-token-of-24-characters-or-more";
const LEVELS: [&str; 5] = ["ERROR", "WARN", "INFO", "DEBUG", "TRACE"];

/// A file of the test's own that does not exist yet.
fn file(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _from_the_last_run = std::fs::remove_file(&path);
    path
}

fn records(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn without_keys(what: &str, written: &[u8]) {
    for key in [KEY_A, KEY_B, KEY_P, NOBODYS, TOKEN] {
        let found = written.windows(key.len()).any(|window| window == key.as_bytes());
        assert!(!found, "{what} holds {key}:\n{}", String::from_utf8_lossy(written));
    }
}

#[tokio::test]
async fn a_read_leaves_one_record_and_a_change_two() {
    let path = file("audit-records");
    let sandbox = Running::sandbox();
    let base = format!("http://{}", sandbox.address);
    let audit = format!("file:{}", path.display());
    let server = Running::http(&["--base-url", &base, "--toolsets", "all", "--audit", &audit]);
    let key = [("x-xyte-api-key", KEY_A)];
    let calls = [
        ("get_device", json!({"device_id": DEVICE})),
        ("create_device_note", json!({"device_id": DEVICE, "content": "Lamp replaced."})),
        ("delete_device", json!({"device_id": DEVICE, "dry_run": true})),
        ("get_device", json!({"device_id": "00000000-0000-4000-8000-000000000000"})),
    ];
    for (tool, arguments) in calls {
        server.call(tool, arguments, &key).await;
    }
    let records = records(&path);
    let brief: Vec<_> = records
        .iter()
        .map(|record| {
            let of = |name: &str| record[name].as_str().unwrap_or("-").to_owned();
            let status = record["upstream_status"].as_u64().unwrap_or(0);
            format!("{} {} {} {} {status}", of("phase"), of("tool"), of("class"), of("outcome"))
        })
        .collect();
    assert_eq!(
        brief,
        [
            "after get_device read ok 200",
            "before create_device_note write - 0",
            "after create_device_note write ok 200",
            "before delete_device destructive - 0",
            "after delete_device destructive ok 0",
            "after get_device read not_found 404",
        ]
    );
    assert_eq!(records[1]["request_id"], records[2]["request_id"]);
    assert_eq!(records[1]["targets"], json!({"device_id": DEVICE}));
    assert_eq!((&records[3]["dry_run"], &records[1]["dry_run"]), (&json!(true), &json!(false)));
    assert_ne!(records[0]["arguments_digest"], records[5]["arguments_digest"]);
    for record in &records {
        assert_eq!((&record["kind"], &record["transport"]), (&json!("audit"), &json!("http")));
        assert_eq!(record["key_id"].as_str().unwrap().len(), 8);
        assert!(record["time"].as_str().unwrap().ends_with('Z'));
    }
    assert!(!std::fs::read_to_string(&path).unwrap().contains("Lamp"), "arguments are a digest");
}

#[tokio::test]
async fn a_change_that_cannot_be_written_down_is_not_made() {
    let sandbox = Running::sandbox();
    let base = format!("http://{}", sandbox.address);
    let server =
        Running::http(&["--base-url", &base, "--toolsets", "all", "--audit", "file:/dev/full"]);
    let key = [("x-xyte-api-key", KEY_A)];
    let read = server.call("get_device", json!({"device_id": DEVICE}), &key).await;
    assert_eq!(read["isError"], false);
    assert_eq!(sandbox.received().await, 1);
    let note = json!({"device_id": DEVICE, "content": "Lamp replaced."});
    let refused = server.call("create_device_note", note, &key).await;
    assert_eq!(refused["structuredContent"]["error"]["code"], "audit_unavailable");
    assert_eq!(sandbox.received().await, 1);
}

/// Every way a key can come up: used, refused, doubled, and where no key belongs.
async fn cycle(server: &Running) {
    let key = [("x-xyte-api-key", KEY_A)];
    server.call("list_devices", json!({"limit": 2}), &key).await;
    server.call("list_devices", json!({}), &[("authorization", &format!("Bearer {KEY_B}"))]).await;
    server.call("list_devices", json!({}), &[("x-api-key", NOBODYS)]).await;
    let note = json!({"device_id": DEVICE, "content": "Lamp replaced."});
    server.call("create_device_note", note, &key).await;
    server.call("delete_device", json!({"device_id": DEVICE, "dry_run": true}), &key).await;
    server.call("get_device", json!({"device_id": KEY_A}), &key).await;
    server.call("get_space", json!({"space_id": KEY_A}), &key).await;
    server.call("list_devices", json!({KEY_A: KEY_A}), &key).await;
    let list = request("tools/list", json!({}));
    server.post(&list, &[("x-xyte-api-key", KEY_A), ("x-api-key", KEY_B)]).await;
    server.post(&list, &[("authorization", &format!("Basic {KEY_A}"))]).await;
    server.post(&request(KEY_A, json!({})), &key).await;
    server
        .post(&request("resources/read", json!({"uri": format!("device://{KEY_A}/status")})), &key)
        .await;
    server.post(&request("tools/call", json!({"name": KEY_A})), &key).await;
}

/// The same over pipes, where all requests act with the server's keys.
fn piped(arguments: &[&str], variables: [(&str, &str); 3]) -> Output {
    let calls = [
        ("list_devices", json!({"limit": 2})),
        ("get_device", json!({"device_id": KEY_A})),
        ("create_device_note", json!({"device_id": DEVICE, "content": KEY_B})),
    ];
    let mut command = program();
    command.arg("stdio").args(arguments).envs(variables);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    for (tool, arguments) in calls {
        let call = json!({"name": tool, "arguments": arguments, "_meta": modern()});
        writeln!(input, "{}", request("tools/call", call)).unwrap();
    }
    drop(input);
    child.wait_with_output().unwrap()
}

/// Standard error carries the logs; what goes to standard output goes to whoever sent the key.
#[tokio::test]
async fn no_key_is_in_any_log_or_record_at_any_level() {
    let sandbox = Running::sandbox();
    let base = format!("http://{}", sandbox.address);
    let variables =
        [("XYTE_API_KEY", KEY_A), ("XYTE_PARTNER_API_KEY", KEY_P), ("XYTE_MCP_HTTP_TOKEN", TOKEN)];
    for level in LEVELS {
        let path = file(&format!("audit-{level}"));
        for audit in [format!("file:{}", path.display()), "stderr".to_owned()] {
            let common = ["--base-url", &base, "--toolsets", "all"];
            let arguments = [&common[..], &["--log-level", level, "--audit", &audit]].concat();
            // Below this level it does not say where it listens.
            if ["INFO", "DEBUG", "TRACE"].contains(&level) {
                let server = Running::http(&[&arguments[..], &["--legacy-sessions"]].concat());
                cycle(&server).await;
                let (code, written) = server.terminate();
                assert_eq!(code, Some(0));
                assert_eq!(written.contains("\"kind\":\"audit\""), audit == "stderr");
                without_keys(&format!("standard error of http at {level}"), written.as_bytes());
            }
            let output = piped(&arguments, variables);
            without_keys(&format!("standard error of stdio at {level}"), &output.stderr);
            for command in [&["call", "list_devices"][..], &["doctor"], &["doctor", "--json"]] {
                let output =
                    program().args(command).args(&arguments).envs(variables).output().unwrap();
                assert!(output.status.success());
                without_keys(&format!("{command:?} at {level}"), &output.stderr);
                without_keys(&format!("{command:?} at {level}"), &output.stdout);
            }
        }
        assert!(!records(&path).is_empty());
        without_keys("the audit", &std::fs::read(&path).unwrap());
    }
}
