//! One suite for both logs: in this process and in a real Redis, which is told the time.

use std::time::Duration;

use futures::future::join_all;
use redis::cmd;
use tokio::time::Instant;

use super::local::Local;
use super::replicated::Replicated;
use super::*;
use crate::shared::Address;
use crate::shared::server::RedisServer;

const A: Digest = [1; 32];
const B: Digest = [2; 32];

/// Where a key is from that the platform knows: nobody cares.
fn known() -> Option<crate::caller::Address> {
    None
}

/// Either log; times are milliseconds.
enum Log {
    Here(Local, Instant),
    There(Replicated),
}

impl Log {
    async fn admit(&self, who: Digest, at: u64) -> Result<(), Duration> {
        let at = Duration::from_millis(at);
        match self {
            Self::Here(local, start) => local.admit(who, (*start + at, *start + at), known),
            Self::There(log) => log.admit(who, Some(at)).await.unwrap(),
        }
    }
}

async fn shared(redis: &RedisServer) -> Arc<Shared> {
    let address = Address::parse(&redis.url()).unwrap();
    let shared = Shared::new(address, "things", Counter::default());
    shared.start().await;
    shared
}

async fn replicated(redis: &RedisServer, most: usize) -> Replicated {
    Replicated::new(most, shared(redis).await)
}

/// Both logs with the same limit.
async fn both(redis: &RedisServer, most: usize) -> [Log; 2] {
    let here = Log::Here(Local::new(most), Instant::now());
    [here, Log::There(replicated(redis, most).await)]
}

#[tokio::test]
async fn exactly_the_allowed_number_passes_in_any_window() {
    for log in both(&RedisServer::start(), 3).await {
        for at in [0, 10_000, 20_000] {
            log.admit(A, at).await.unwrap();
        }
        assert_eq!(log.admit(A, 30_000).await, Err(Duration::from_secs(30)));
        assert_eq!(log.admit(A, 59_999).await, Err(Duration::from_millis(1)));
        log.admit(A, 60_000).await.unwrap();
        assert_eq!(log.admit(A, 60_000).await, Err(Duration::from_secs(10)));
        log.admit(A, 75_000).await.unwrap();
        assert_eq!(log.admit(A, 79_000).await, Err(Duration::from_secs(1)));
    }
}

#[tokio::test]
async fn no_window_of_a_long_random_load_holds_more_than_allowed_and_none_is_refused_for_nothing() {
    for log in both(&RedisServer::start(), 7).await {
        let (mut passed, mut at, mut seed): (Vec<u64>, u64, u64) = (Vec::new(), 0, 42);
        for _ in 0..500 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            at += (seed >> 33) % 9000;
            let recent = passed.iter().filter(|then| at - **then < 60_000).count();
            let admitted = log.admit(A, at).await.is_ok();
            assert_eq!(admitted, recent < 7, "at {at} after {passed:?}");
            passed.extend(admitted.then_some(at));
        }
        assert!(passed.len() > 100);
    }
}

#[tokio::test]
async fn keys_do_not_share_a_log() {
    for log in both(&RedisServer::start(), 1).await {
        log.admit(A, 0).await.unwrap();
        log.admit(B, 0).await.unwrap();
        assert!(log.admit(A, 1).await.is_err() && log.admit(B, 1).await.is_err());
    }
}

#[tokio::test]
async fn zero_switches_the_limit_off() {
    let redis = RedisServer::start();
    for shared in [None, Some(shared(&redis).await)] {
        let off = Limit::new(0, shared, Counter::default());
        assert!(join_all((0..1000).map(|_| off.admit(A, known))).await.iter().all(Result::is_ok));
    }
}

#[tokio::test]
async fn two_replicas_together_let_exactly_the_allowed_number_pass_at_once() {
    let redis = RedisServer::start();
    let limit = |shared| Limit::new(60, Some(shared), Counter::default());
    let (one, two) = (limit(shared(&redis).await), limit(shared(&redis).await));
    let calls = (0..200)
        .map(|number| if number % 2 == 0 { one.admit(A, known) } else { two.admit(A, known) });
    let verdicts = join_all(calls).await;
    assert_eq!(verdicts.iter().filter(|verdict| verdict.is_ok()).count(), 60);
    let waits = verdicts.iter().filter_map(|verdict| verdict.err());
    let (almost, window) = (Duration::from_secs(50), Duration::from_mins(1));
    assert!(waits.clone().all(|wait| almost < wait && wait <= window), "{waits:?}");
    assert_eq!(one.fallbacks.get() + two.fallbacks.get(), 0);
}

#[tokio::test]
async fn a_log_in_redis_is_named_by_the_digest_and_goes_with_its_last_call() {
    let redis = RedisServer::start();
    let shared = shared(&redis).await;
    let log = Replicated::new(5, shared.clone());
    log.admit(A, None).await.unwrap().unwrap();
    let name = format!("things:limit:{}", "01".repeat(32));
    let left: i64 = shared
        .run(|mut redis| async move { cmd("PTTL").arg(name).query_async(&mut redis).await })
        .await
        .unwrap();
    assert!(left > 50_000 && left <= 60_000, "{left}");
}

#[tokio::test]
async fn a_lowered_limit_counts_the_calls_from_before() {
    let redis = RedisServer::start();
    let (high, low) = (replicated(&redis, 3).await, replicated(&redis, 1).await);
    for at in 0..3 {
        high.admit(A, Some(Duration::from_secs(at))).await.unwrap().unwrap();
    }
    // Only when the last of the three is gone, there is room for one.
    let verdict = low.admit(A, Some(Duration::from_secs(10))).await.unwrap();
    assert_eq!(verdict, Err(Duration::from_secs(52)));
}

#[tokio::test]
async fn a_clock_of_redis_that_is_set_back_refuses_nobody_for_long() {
    let redis = RedisServer::start();
    let log = replicated(&redis, 1).await;
    log.admit(A, Some(Duration::from_hours(2))).await.unwrap().unwrap();
    log.admit(A, Some(Duration::from_hours(1))).await.unwrap().unwrap();
    assert!(log.admit(A, Some(Duration::from_hours(1))).await.unwrap().is_err());
}

#[tokio::test]
async fn without_redis_a_replica_keeps_to_the_limit_by_itself() {
    let mut redis = RedisServer::start();
    let limit = Limit::new(10, Some(shared(&redis).await), Counter::default());
    for _ in 0..4 {
        limit.admit(A, known).await.unwrap();
    }
    redis.kill();
    let verdicts = join_all((0..20).map(|_| limit.admit(A, known))).await;
    let passed = verdicts.iter().filter(|verdict| verdict.is_ok()).count();
    assert_eq!(passed, 6, "those that Redis counted are counted here too");
    assert_eq!(limit.fallbacks.get(), 20);
}

#[tokio::test]
async fn a_redis_that_forgot_everything_lets_no_replica_exceed_the_limit() {
    let mut redis = RedisServer::start();
    let shared = shared(&redis).await;
    let limit = Limit::new(5, Some(shared.clone()), Counter::default());
    for _ in 0..5 {
        limit.admit(A, known).await.unwrap();
    }
    redis.kill();
    assert!(limit.admit(A, known).await.is_err());
    redis.restart();
    shared.connected().await;
    assert!(limit.admit(A, known).await.is_err());
    assert_eq!(limit.fallbacks.get(), 1, "the last one was counted by Redis");
}
