//! Two processes on one Redis: one limit for both, and no request lost when Redis is killed.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use futures::future::join_all;
use serde_json::{Value, json};
use support::redis::RedisServer;
use support::{KEY_A, KEY_B, Running, program};

/// A replica in front of a sandbox.
fn replica(sandbox: &Running, redis: &str, rate_limit: &str) -> Running {
    let base = format!("http://{}", sandbox.address);
    Running::http(&["--base-url", &base, "--redis-url", redis, "--rate-limit", rate_limit])
}

/// Calls both replicas in turn, all at once, and gives the codes of what failed.
async fn calls(replicas: [&Running; 2], key: &str, count: usize) -> (usize, Vec<Value>) {
    let headers = [("x-xyte-api-key", key)];
    let call = |number: usize| {
        let arguments = json!({"limit": 1, "fresh": true});
        replicas[number % 2].call("list_devices", arguments, &headers)
    };
    let answers = join_all((0..count).map(call)).await;
    let (failed, passed): (Vec<Value>, Vec<Value>) =
        answers.into_iter().partition(|answer| answer["isError"] == true);
    for answer in &passed {
        assert_eq!(answer["structuredContent"]["items"].as_array().unwrap().len(), 1, "{answer}");
    }
    let codes =
        failed.into_iter().map(|answer| answer["structuredContent"]["error"]["code"].clone());
    (passed.len(), codes.collect())
}

#[tokio::test]
async fn two_replicas_let_exactly_the_limit_pass_together() {
    let (sandbox, redis) = (Running::sandbox(), RedisServer::start());
    let (one, two) = (replica(&sandbox, &redis.url(), "20"), replica(&sandbox, &redis.url(), "20"));
    let before = sandbox.received().await;
    for key in [KEY_A, KEY_B] {
        let (passed, codes) = calls([&one, &two], key, 60).await;
        assert_eq!(passed, 20);
        assert!(codes.iter().all(|code| code == "rate_limited"), "{codes:?}");
    }
    assert_eq!(sandbox.received().await - before, 40);
}

#[tokio::test]
async fn no_request_is_lost_when_redis_is_killed_in_the_middle() {
    let (sandbox, mut redis) = (Running::sandbox(), RedisServer::start());
    let url = redis.url();
    let (one, two) = (replica(&sandbox, &url, "100000"), replica(&sandbox, &url, "100000"));
    let first = calls([&one, &two], KEY_A, 100);
    let rest = async {
        // Some calls are under way by now, and others begin later.
        tokio::task::yield_now().await;
        redis.kill();
        calls([&one, &two], KEY_A, 100).await
    };
    let (first, rest) = futures::join!(first, rest);
    assert_eq!(first, (100, Vec::new()));
    assert_eq!(rest, (100, Vec::new()));
    for replica in [one, two] {
        let (code, log) = replica.terminate();
        assert_eq!(code, Some(0));
        assert_eq!(log.matches("Redis is not there").count(), 1, "it is told once: {log}");
    }
}

#[tokio::test]
async fn a_server_starts_without_its_redis_and_says_so_without_the_password() {
    let (sandbox, mut redis) = (Running::sandbox(), RedisServer::start());
    redis.kill();
    let url = format!("{}?pass=hush-hush-hush", redis.url());
    let server = replica(&sandbox, &url, "60");
    let (passed, codes) = calls([&server, &server], KEY_A, 70).await;
    assert_eq!((passed, codes.len()), (60, 10));
    let (code, log) = server.terminate();
    assert_eq!((code, log.matches("Redis is not there").count()), (Some(0), 1));
    assert!(!log.contains("hush"), "{log}");
}

#[test]
fn doctor_says_whether_redis_is_there_and_a_wrong_address_is_refused() {
    let mut redis = RedisServer::start();
    let doctor = |url: &str| {
        let sandbox = ["--sandbox", "--sandbox-scenario", "small"];
        let output = program().arg("doctor").args(sandbox).env("REDIS_URL", url).output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let (code, report) = doctor(&redis.url());
    assert!(code == Some(0) && report.contains("ok    redis"), "{report}");
    redis.kill();
    let (code, report) = doctor(&redis.url());
    assert!(code == Some(7) && report.contains("FAULT redis"), "{report}");
    let (code, report) = doctor("redis://:hush-hush@/");
    assert_eq!(code, Some(2), "{report}");
    assert!(!report.contains("hush"), "{report}");
}
