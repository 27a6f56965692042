//! Who did what is written down.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use support::{DEVICE, KEY_A, Running};

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
            "after delete_device destructive ok 200",
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
