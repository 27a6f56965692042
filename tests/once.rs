//! Nothing that changes something happens twice: keys that name a change, plans that are used up, on replicas, after restarts and crashes.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::path::PathBuf;

use futures::future::join_all;
use serde_json::{Value, json};
use support::redis::RedisServer;
use support::{DEVICE, KEY_A, KEY_B, Running};

/// 32 bytes in base64.
const SEAL: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

fn server(sandbox: &Running, more: &[&str]) -> Running {
    let base = format!("http://{}", sandbox.address);
    let flags =
        ["--base-url", &base, "--toolsets", "all", "--rate-limit", "0", "--confirm", "token"];
    Running::http(&[&flags, more].concat())
}

/// A folder of its own for the state of a server, removed with it.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("state-{name}"));
        let _it_may_not_be_there = std::fs::remove_dir_all(&folder);
        Self(folder)
    }

    fn text(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _it_may_not_be_there = std::fs::remove_dir_all(&self.0);
    }
}

async fn call(server: &Running, tool: &str, arguments: Value) -> Value {
    server.call(tool, arguments, &[("x-xyte-api-key", KEY_A)]).await
}

fn code(result: &Value) -> &str {
    assert_eq!(result["isError"], true, "{result}");
    result["structuredContent"]["error"]["code"].as_str().unwrap()
}

fn reboot(key: &str) -> Value {
    json!({"device_id": DEVICE, "command": "reboot", "idempotency_key": key})
}

fn delete(token: &Value) -> Value {
    json!({"device_id": DEVICE, "plan_token": token})
}

async fn token(server: &Running) -> Value {
    let preview =
        call(server, "delete_device", json!({"device_id": DEVICE, "dry_run": true})).await;
    preview["structuredContent"]["plan_token"].clone()
}

#[tokio::test]
async fn fifty_calls_at_once_with_one_key_send_one_command_and_all_hear_of_it() {
    let (sandbox, redis) =
        (Running::sandbox_of("small+slow=300 method=POST"), RedisServer::start());
    let url = redis.url();
    let alone = server(&sandbox, &[]);
    let replicas =
        [server(&sandbox, &["--redis-url", &url]), server(&sandbox, &["--redis-url", &url])];
    for (key, servers) in [("one", [&alone, &alone]), ("two", [&replicas[0], &replicas[1]])] {
        let before = sandbox.changes().await.len();
        let calls = (0..50).map(|number| call(servers[number % 2], "send_command", reboot(key)));
        let answers = join_all(calls).await;
        for answer in &answers {
            assert_eq!(answer["isError"], false, "{answer}");
            assert_eq!(answer["structuredContent"], answers[0]["structuredContent"]);
        }
        assert_eq!(sandbox.changes().await.len() - before, 1, "{key}");
    }
    let mut other = reboot("one");
    other["command"] = json!("power_off");
    assert_eq!(code(&call(&alone, "send_command", other).await), "idempotency_conflict");
    let foreign = alone.call("send_command", reboot("one"), &[("x-xyte-api-key", KEY_B)]).await;
    assert_eq!(code(&foreign), "not_found", "another tenant's key is another key");
}

#[tokio::test]
async fn an_unknown_outcome_is_told_again_and_a_refusal_may_be_tried_again() {
    let sandbox = Running::sandbox_of("small+drop-after method=POST nth=1");
    let alone = server(&sandbox, &[]);
    let first = call(&alone, "send_command", reboot("key")).await;
    let told = first["structuredContent"]["error"]["message"].as_str().unwrap().to_owned();
    assert!(told.contains("whether the change was made is unknown"), "{told}");
    let again = call(&alone, "send_command", reboot("key")).await;
    assert_eq!(again["structuredContent"]["error"]["message"], json!(told));
    assert_eq!(sandbox.changes().await.len(), 1);

    let sandbox = Running::sandbox_of("small+429 method=POST nth=1");
    let alone = server(&sandbox, &[]);
    let refused = call(&alone, "send_command", reboot("key")).await;
    assert_eq!(code(&refused), "rate_limited");
    let done = call(&alone, "send_command", reboot("key")).await;
    assert_eq!(done["isError"], false, "{done}");
}

#[tokio::test]
async fn of_a_deletion_whose_answer_was_lost_it_is_told_whether_the_thing_is_still_there() {
    for (fault, told) in [
        ("small+drop-after method=DELETE nth=1", "the platform does not have it any more"),
        ("small+500 method=DELETE nth=1", "the platform still has it"),
    ] {
        let sandbox = Running::sandbox_of(fault);
        let alone = server(&sandbox, &[]);
        let lost = call(&alone, "delete_device", delete(&token(&alone).await)).await;
        let message = lost["structuredContent"]["error"]["message"].as_str().unwrap();
        let unknown = message.contains("whether the change was made is unknown");
        assert!(unknown && message.contains(told), "{fault}: {message}");
        assert_eq!(sandbox.changes().await.len(), 1, "and it is not sent again");
    }
}

#[tokio::test]
async fn a_plan_is_used_up_on_all_replicas_and_holds_on_each() {
    let (sandbox, redis) = (Running::sandbox(), RedisServer::start());
    let url = redis.url();
    let shared = ["--redis-url", &url, "--seal-key", SEAL];
    let (one, two) = (server(&sandbox, &shared), server(&sandbox, &shared));
    let token = token(&one).await;
    let done = call(&two, "delete_device", delete(&token)).await;
    assert_eq!(done["isError"], false, "{done}");
    assert_eq!(code(&call(&one, "delete_device", delete(&token)).await), "plan_used");
    assert_eq!(sandbox.changes().await.len(), 1);
}

#[tokio::test]
async fn a_restart_forgets_no_used_plan_and_no_first_result() {
    let (sandbox, folder) = (Running::sandbox(), Folder::new("restart"));
    let kept = ["--seal-key", SEAL, "--state-dir", folder.text()];
    let first = server(&sandbox, &kept);
    let (used, unused) = (token(&first).await, token(&first).await);
    let sent = call(&first, "send_command", reboot("key")).await;
    drop(first); // Killed, not asked.
    let second = server(&sandbox, &kept);
    let again = call(&second, "send_command", reboot("key")).await;
    assert_eq!(again["structuredContent"], sent["structuredContent"]);
    assert_eq!(call(&second, "delete_device", delete(&used)).await["isError"], false);
    drop(second);
    let third = server(&sandbox, &kept);
    assert_eq!(code(&call(&third, "delete_device", delete(&used)).await), "plan_used");
    assert_eq!(code(&call(&third, "delete_device", delete(&unused)).await), "not_found");
    assert_eq!(sandbox.changes().await.len(), 2);
}

#[tokio::test]
async fn without_a_lasting_key_or_a_common_ledger_a_plan_belongs_to_its_process() {
    let sandbox = Running::sandbox();
    let (one, two) = (server(&sandbox, &[]), server(&sandbox, &[]));
    let made_up = token(&one).await;
    assert_eq!(code(&call(&two, "delete_device", delete(&made_up)).await), "plan_invalid");
    let (here, there) = (Folder::new("here"), Folder::new("there"));
    let one = server(&sandbox, &["--seal-key", SEAL, "--state-dir", here.text()]);
    let two = server(&sandbox, &["--seal-key", SEAL, "--state-dir", there.text()]);
    let elsewhere = token(&one).await;
    assert_eq!(code(&call(&two, "delete_device", delete(&elsewhere)).await), "plan_invalid");
    assert_eq!(sandbox.changes().await, [""; 0]);
}

/// Kills a bulk run while its third request is under way, and asks another process what came of it.
async fn kill_in_between(kept: &[&str]) {
    let sandbox = Running::sandbox_of("baseline+hang method=POST nth=3");
    let kept = [kept, &["--seal-key", SEAL, "--upstream-concurrency", "1"]].concat();
    let arguments =
        json!({"selector": {"space": "HQ/B1", "model": "*projector*"}, "command": "reboot"});
    let mut preview = arguments.clone();
    preview["dry_run"] = json!(true);
    let first = server(&sandbox, &kept);
    let preview = call(&first, "bulk_command", preview).await;
    let mut apply = arguments;
    apply["plan_token"] = preview["structuredContent"]["plan_token"].clone();
    {
        let running = call(&first, "bulk_command", apply.clone());
        let third = async { while sandbox.changes().await.len() < 3 {} };
        tokio::select! {
            answer = running => panic!("it waits for the third: {answer}"),
            () = third => {}
        }
    }
    drop(first);
    let second = server(&sandbox, &kept);
    assert_eq!(code(&call(&second, "bulk_command", apply).await), "plan_used");
    let runs = call(&second, "bulk_report", json!({})).await;
    let run = &runs["structuredContent"]["runs"][0]["run"];
    let report = async || call(&second, "bulk_report", json!({"run": run})).await;
    let mut outcomes = report().await["structuredContent"]["outcomes"].take();
    // Until it is taken for gone, the process might still send what is left.
    while outcomes.get("planned").is_some() {
        assert_eq!(outcomes, json!({"queued": 2, "sending": 1, "planned": 7}));
        outcomes = report().await["structuredContent"]["outcomes"].take();
    }
    assert_eq!(outcomes, json!({"queued": 2, "unknown": 1, "skipped": 7}));
    assert_eq!(sandbox.changes().await.len(), 3);
}

#[tokio::test]
async fn of_a_bulk_run_that_was_killed_every_outcome_can_be_read_and_nothing_is_sent_twice() {
    let (folder, redis) = (Folder::new("killed"), RedisServer::start());
    let url = redis.url();
    let (in_file, in_redis) = (["--state-dir", folder.text()], ["--redis-url", &url]);
    tokio::join!(kill_in_between(&in_file), kill_in_between(&in_redis));
}

#[tokio::test]
async fn what_is_written_down_of_a_target_does_not_grow_with_their_number() {
    let (sandbox, redis) = (Running::sandbox_of("baseline"), RedisServer::start());
    let (base, url) = (format!("http://{}", sandbox.address), redis.url());
    let flags = ["--base-url", &base, "--redis-url", &url, "--toolsets", "all", "--confirm", "off"];
    let server = Running::http(&flags);
    let devices = call(&server, "list_devices", json!({"limit": 48, "fields": ["id"]})).await;
    let devices = devices["structuredContent"]["items"].as_array().unwrap().clone();
    let ids: Vec<&Value> = devices.iter().map(|row| &row["id"]).collect();
    let mut each = Vec::new();
    for ids in [&ids[..8], &ids[..]] {
        let before = redis.received();
        let done = call(&server, "bulk_suspend_incidents", json!({"device_ids": ids})).await;
        assert_eq!(done["structuredContent"]["outcomes"], json!({"executed": ids.len()}), "{done}");
        each.push((redis.received() - before) / ids.len() as u64);
    }
    assert!(each[1] <= each[0], "bytes per target, of few and of many: {each:?}");
}
