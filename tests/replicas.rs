//! Two processes on one Redis: one limit for both, and no request lost when Redis is killed.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use futures::StreamExt as _;
use futures::future::join_all;
use futures::stream::FuturesUnordered;
use serde_json::{Value, json};
use support::redis::RedisServer;
use support::{KEY_A, KEY_B, Running, program};

/// A replica in front of a sandbox.
fn replica(sandbox: &Running, redis: &str, rate_limit: &str) -> Running {
    let base = format!("http://{}", sandbox.address);
    Running::http(&["--base-url", &base, "--redis-url", redis, "--rate-limit", rate_limit])
}

/// Calls a replica, and gives the code of what failed.
async fn call(replica: &Running, key: &str) -> Option<Value> {
    let arguments = json!({"limit": 1, "fresh": true});
    let answer = replica.call("list_devices", arguments, &[("x-xyte-api-key", key)]).await;
    if answer["isError"] == true {
        return Some(answer["structuredContent"]["error"]["code"].clone());
    }
    assert_eq!(answer["structuredContent"]["items"].as_array().unwrap().len(), 1, "{answer}");
    None
}

/// Calls both replicas in turn, all at once; gives how many calls passed, and the codes of the others.
async fn calls(replicas: [&Running; 2], key: &str, count: usize) -> (usize, Vec<Value>) {
    let outcomes = join_all((0..count).map(|number| call(replicas[number % 2], key))).await;
    let codes: Vec<Value> = outcomes.into_iter().flatten().collect();
    (count - codes.len(), codes)
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
    let replicas = [&one, &two];
    let mut under_way: FuturesUnordered<_> =
        (0..200).map(|number| call(replicas[number % 2], KEY_A)).collect();
    for _ in 0..20 {
        assert_eq!(under_way.next().await, Some(None));
    }
    redis.kill();
    let rest: Vec<Option<Value>> = under_way.collect().await;
    assert_eq!((rest.len(), rest.iter().flatten().next()), (180, None));
    assert_eq!(calls(replicas, KEY_A, 20).await, (20, Vec::new()));
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
