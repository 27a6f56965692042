//! Several services on one Redis: what one changes the others know, and what happens when Redis goes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;
use xyte_mcp_runtime::service::{Service, Settings};
use xyte_mcp_runtime::shared::Address;
use xyte_mcp_runtime::transport::http::Access;
use xyte_mcp_runtime::upstream::Manners;

use crate::redis::RedisServer;
use crate::support::{KEY_A, KEY_B, Platform, call, call_as, send, service_at, start, tenant};

/// A platform whose every answer has another number.
async fn counting() -> Platform {
    let count = AtomicUsize::new(0);
    Platform::start(move |_| {
        (200, json!({"id": count.fetch_add(1, Ordering::Relaxed)}).to_string())
    })
    .await
}

async fn replica(base: &str, redis: &RedisServer, rate_limit: u32) -> Arc<Service> {
    let redis = Some(Address::parse(&redis.url()).unwrap());
    // No answer grows too old for a test to notice that it is kept.
    let manners = Manners { cache_ttl: Duration::from_hours(1), ..Manners::default() };
    let settings = Settings { redis, rate_limit, manners, ..Settings::default() };
    let service = service_at(base, settings);
    service.start().await;
    service
}

/// The number of the platform's answer that a read gets.
async fn read(service: &Service, key: &str) -> u64 {
    let thing = json!({"thing_id": 1});
    let answer = call_as(service, &tenant(key), "get_thing", thing).await.unwrap();
    answer.shaped.structured["id"].as_u64().unwrap()
}

async fn write(service: &Service) {
    call(service, "create_thing", json!({"name": "x"})).await.unwrap();
}

async fn until_back(service: &Service) {
    while service.ping().await.is_err() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn what_one_replica_changed_no_other_answers_from_before() {
    let (platform, redis) = (counting().await, RedisServer::start());
    // Without a limit nothing else speaks to Redis in a call.
    for rate_limit in [0, 10_000] {
        let one = replica(&platform.base, &redis, rate_limit).await;
        let two = replica(&platform.base, &redis, rate_limit).await;
        let guest = read(&two, KEY_B).await;
        for _ in 0..100 {
            let kept = read(&two, KEY_A).await;
            assert_eq!(read(&two, KEY_A).await, kept, "it is kept");
            write(&one).await;
            assert!(read(&two, KEY_A).await > kept);
        }
        assert_eq!(read(&two, KEY_B).await, guest, "another tenant's answer is still kept");
    }
}

#[tokio::test]
async fn a_change_whose_caller_left_is_told_to_all_replicas() {
    let (platform, redis) = (counting().await, RedisServer::start());
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", silent.local_addr().unwrap());
    let one = replica(&base, &redis, 0).await;
    let two = replica(&platform.base, &redis, 0).await;
    let before = read(&two, KEY_A).await;
    let writer = one.clone();
    let change = tokio::spawn(async move { write(&writer).await });
    let (mut socket, _) = silent.accept().await.unwrap();
    assert!(socket.read(&mut [0; 1024]).await.unwrap() > 0);
    let meanwhile = read(&two, KEY_A).await;
    assert!(meanwhile > before, "it was told before it was sent");
    change.abort();
    while read(&two, KEY_A).await == meanwhile {}
}

#[tokio::test]
async fn without_redis_reads_are_answered_and_never_from_before() {
    let (platform, mut redis) = (counting().await, RedisServer::start());
    let one = replica(&platform.base, &redis, 60).await;
    let two = replica(&platform.base, &redis, 60).await;
    let mut latest = read(&two, KEY_A).await;
    assert_eq!(read(&two, KEY_A).await, latest);
    redis.kill();
    for _ in 0..3 {
        write(&one).await;
        let next = read(&two, KEY_A).await;
        assert!(next > latest);
        latest = next;
    }
    redis.restart();
    until_back(&one).await;
    until_back(&two).await;
    let next = read(&two, KEY_A).await;
    assert!(next > latest, "what was read meanwhile is not used either");
    assert_eq!(read(&two, KEY_A).await, next, "and answers are kept again");
}

#[tokio::test]
async fn a_hung_redis_makes_no_old_answer_of_a_kept_one() {
    let (platform, redis) = (counting().await, RedisServer::start());
    let one = replica(&platform.base, &redis, 60).await;
    let two = replica(&platform.base, &redis, 60).await;
    let kept = read(&two, KEY_A).await;
    redis.hang();
    write(&one).await;
    let next = read(&two, KEY_A).await;
    redis.go_on();
    assert!(next > kept);
}

#[tokio::test]
async fn a_redis_that_is_not_there_keeps_a_replica_from_being_ready_and_from_nothing_else() {
    let (platform, mut redis) = (counting().await, RedisServer::start());
    let service = replica(&platform.base, &redis, 60).await;
    let base = start(service.clone(), Access::Tenants).await;
    let ready = || async { send("GET", &format!("{base}/readyz"), &[], None).await };
    assert_eq!(ready().await.status, 200);
    redis.kill();
    let refused = ready().await;
    let expected: Value = json!({"status": "not_ready", "reason": "Redis does not answer"});
    assert_eq!((refused.status, refused.json()), (503, expected));
    assert_eq!(send("GET", &format!("{base}/healthz"), &[], None).await.status, 200);
    read(&service, KEY_A).await;
    let metrics = send("GET", &format!("{base}/metrics"), &[], None).await.text;
    assert!(metrics.contains("\nmcp_limit_fallbacks_total 1\n"), "{metrics}");
    let errors = metrics.lines().find(|line| line.starts_with("mcp_redis_errors_total ")).unwrap();
    assert_ne!(errors, "mcp_redis_errors_total 0");
    redis.restart();
    until_back(&service).await;
    assert_eq!(ready().await.status, 200);
}
