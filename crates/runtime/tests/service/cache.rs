//! Answers that are used again: for whom, how long, and when not.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::future::join_all;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;
use xyte_mcp_runtime::service::{Service, Settings};
use xyte_mcp_runtime::upstream::{ClientSettings, Kind, Manners, Order, Trust, Upstream, client};

use crate::support::{
    KEY_A, KEY_B, Platform, call, call_as, catalogue, service, service_at, service_of, tenant,
};

/// A platform whose every answer has another number.
async fn counting() -> Platform {
    let count = AtomicUsize::new(0);
    Platform::start(move |_| {
        (200, json!({"id": count.fetch_add(1, Ordering::Relaxed)}).to_string())
    })
    .await
}

/// The number in the answer to a read of this key.
async fn read(service: &Service, key: &str, arguments: Value) -> Value {
    let answer = call_as(service, &tenant(key), "get_thing", arguments).await.unwrap();
    assert!(answer.meta["as_of"].is_string());
    answer.shaped.structured["id"].clone()
}

#[tokio::test]
async fn fifty_equal_reads_are_one_request() {
    let platform = counting().await;
    let service = service(&platform);
    let answers =
        join_all((0..50).map(|_| call(&service, "get_thing", json!({"thing_id": 1})))).await;
    assert!(answers.into_iter().all(|answer| answer.unwrap().shaped.structured["id"] == json!(0)));
    assert_eq!(platform.recorded().len(), 1);
    // And the next one is none.
    assert_eq!(read(&service, KEY_A, json!({"thing_id": 1})).await, json!(0));
    assert_eq!(platform.recorded().len(), 1);
}

#[tokio::test]
async fn reads_that_differ_in_key_or_address_are_not_equal() {
    let platform = counting().await;
    let service = service(&platform);
    let mut answers = Vec::new();
    for (key, id) in [(KEY_A, 1), (KEY_A, 2), (KEY_B, 1)] {
        answers.push(read(&service, key, json!({"thing_id": id})).await);
    }
    assert_eq!(answers, [0, 1, 2]);
}

#[tokio::test]
async fn a_fresh_read_asks_the_platform_and_the_others_get_its_answer() {
    let service = service(&counting().await);
    assert_eq!(read(&service, KEY_A, json!({"thing_id": 1})).await, json!(0));
    assert_eq!(read(&service, KEY_A, json!({"thing_id": 1, "fresh": true})).await, json!(1));
    assert_eq!(read(&service, KEY_A, json!({"thing_id": 1})).await, json!(1));
}

#[tokio::test]
async fn a_write_forgets_what_its_tenant_read() {
    for outcome in [201, 422, 500] {
        let count = AtomicUsize::new(0);
        let platform = Platform::start(move |record| {
            let status = if record.method == "GET" { 200 } else { outcome };
            (status, json!({"id": count.fetch_add(1, Ordering::Relaxed)}).to_string())
        })
        .await;
        let service = service(&platform);
        assert_eq!(read(&service, KEY_A, json!({"thing_id": 1})).await, json!(0));
        assert_eq!(read(&service, KEY_B, json!({"thing_id": 1})).await, json!(1));
        let _ = call(&service, "create_thing", json!({"name": "x"})).await;
        assert_eq!(read(&service, KEY_A, json!({"thing_id": 1})).await, json!(3), "{outcome}");
        assert_eq!(read(&service, KEY_B, json!({"thing_id": 1})).await, json!(1), "{outcome}");
    }
}

#[tokio::test]
async fn a_dry_run_forgets_nothing() {
    let service = service(&counting().await);
    assert_eq!(read(&service, KEY_A, json!({"thing_id": 1})).await, json!(0));
    call(&service, "create_thing", json!({"name": "x", "dry_run": true})).await.unwrap();
    assert_eq!(read(&service, KEY_A, json!({"thing_id": 1})).await, json!(0));
}

#[tokio::test]
async fn what_must_be_of_this_moment_is_never_used_again() {
    let mut model = catalogue();
    model.entries.iter_mut().for_each(|entry| entry.cache = false);
    let platform = counting().await;
    let service = service_of(model, &platform.base, Settings::default());
    join_all((0..5).map(|_| call(&service, "get_thing", json!({"thing_id": 1})))).await;
    assert_eq!(platform.recorded().len(), 5);
}

#[tokio::test]
async fn a_cache_that_is_off_asks_the_platform_for_every_read() {
    let platform = counting().await;
    let manners = Manners { cache_ttl: Duration::ZERO, ..Manners::default() };
    let service = service_at(&platform.base, Settings { manners, ..Settings::default() });
    join_all((0..5).map(|_| call(&service, "get_thing", json!({"thing_id": 1})))).await;
    call(&service, "get_thing", json!({"thing_id": 1})).await.unwrap();
    assert_eq!(platform.recorded().len(), 6);
}

#[tokio::test]
async fn an_answer_that_is_no_success_or_no_json_is_not_used_again() {
    let count = AtomicUsize::new(0);
    let platform = Platform::start(move |_| match count.fetch_add(1, Ordering::Relaxed) {
        0 => (404, "{}".to_owned()),
        1 => (200, "<html>".to_owned()),
        2 => (200, r#"{"id":"#.to_owned()),
        _ => (200, r#"{"id":3}"#.to_owned()),
    })
    .await;
    let service = service(&platform);
    for code in ["not_found", "upstream_contract", "upstream_contract"] {
        let failure = call(&service, "get_thing", json!({"thing_id": 1})).await.unwrap_err();
        assert_eq!(failure.code, code);
    }
    assert_eq!(read(&service, KEY_A, json!({"thing_id": 1})).await, json!(3));
    let listed = call(&service, "list_flat", json!({})).await.unwrap();
    assert_eq!(listed.shaped.structured["answer"]["id"], json!(3));
}

#[tokio::test]
async fn every_page_of_a_list_is_kept() {
    let platform = Platform::start(|record| {
        let rows: Vec<Value> = (0..100).map(|id| json!({"id": id, "at": record.target})).collect();
        (
            200,
            json!({"items": rows, "has_next_page": !record.target.contains("page=3")}).to_string(),
        )
    })
    .await;
    let service = service(&platform);
    for _ in 0..2 {
        let answer = call(&service, "list_things", json!({"limit": 300})).await.unwrap();
        assert_eq!(answer.shaped.structured["page"]["returned"], json!(300));
        assert_eq!(platform.recorded().len(), 3);
    }
}

/// A platform whose one connection is in the hands of the test, after it asked for a thing.
async fn asked(listener: &TcpListener) -> TcpStream {
    let (mut socket, _) = listener.accept().await.unwrap();
    assert_ne!(socket.read(&mut [0; 4096]).await.unwrap(), 0);
    socket
}

#[tokio::test]
async fn a_caller_who_leaves_does_not_take_the_answer_from_the_others() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let service = service_at(&base, Settings::default());
    let begin = || {
        let service = service.clone();
        tokio::spawn(async move { call(&service, "get_thing", json!({"thing_id": 1})).await })
    };
    let (first, second) = (begin(), begin());
    let mut socket = asked(&listener).await;
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    socket.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\n{\"id\":1}").await.unwrap();
    assert_eq!(second.await.unwrap().unwrap().shaped.structured["id"], json!(1));
}

#[tokio::test]
async fn the_last_caller_who_leaves_drops_the_request() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let service = service_at(&base, Settings::default());
    let callers: Vec<_> = (0..3)
        .map(|_| {
            let service = service.clone();
            tokio::spawn(async move { call(&service, "get_thing", json!({"thing_id": 1})).await })
        })
        .collect();
    let mut socket = asked(&listener).await;
    callers.iter().for_each(tokio::task::JoinHandle::abort);
    assert_eq!(socket.read(&mut [0; 1]).await.unwrap(), 0, "the connection is closed");
    // The next one is not tied to what was dropped.
    let next =
        tokio::spawn(async move { call(&service, "get_thing", json!({"thing_id": 1})).await });
    let mut socket = asked(&listener).await;
    socket.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\n{\"id\":2}").await.unwrap();
    assert_eq!(next.await.unwrap().unwrap().shaped.structured["id"], json!(2));
}

#[tokio::test]
async fn a_caller_with_time_left_is_not_bound_to_the_deadline_of_another() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}/things", listener.local_addr().unwrap());
    let client =
        client(&ClientSettings { user_agent: "test".to_owned(), trust: Trust::Nobody }).unwrap();
    let upstream = Upstream::new(&Manners::default(), None);
    let fetch = |millis| {
        upstream.fetch(Order {
            client: &client,
            request: client.get(&url).build().unwrap(),
            operation: "list_things",
            tenant: [1; 32],
            key: [1; 32],
            since: Instant::now(),
            deadline: Instant::now() + Duration::from_millis(millis),
            kind: Kind::CachedRead,
        })
    };
    let platform = async {
        let _hung = asked(&listener).await;
        let mut socket = asked(&listener).await;
        socket.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").await.unwrap();
    };
    let (first, second, ()) = futures::join!(fetch(100), fetch(20_000), platform);
    assert_eq!(first.unwrap_err().code, "timeout");
    assert_eq!(second.unwrap().reply.body, "{}");
}
