//! How the platform is treated: what is tried again, what is not, and when it is left alone.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use futures::future::join_all;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::Instant;
use xyte_mcp_runtime::failure::Reach;
use xyte_mcp_runtime::service::Settings;
use xyte_mcp_runtime::upstream::{ClientSettings, Kind, Manners, Order, Trust, Upstream, client};

use crate::support::{
    KEY_A, KEY_B, Platform, Scripted, call, call_as, service, service_at, tenant,
};

/// Statuses after which a read is tried again.
const PASSING: [u16; 6] = [408, 429, 500, 502, 503, 504];

#[tokio::test]
async fn a_read_is_sent_three_times_and_a_write_is_never_sent_twice() {
    for status in PASSING {
        let platform = Platform::answering(status, "").await;
        let service = service(&platform);
        let failure = call(&service, "get_thing", json!({"thing_id": 1})).await.unwrap_err();
        assert_eq!((failure.status, platform.recorded().len()), (Some(status), 3));
        let failure = call(&service, "create_thing", json!({"name": "x"})).await.unwrap_err();
        assert_eq!((failure.status, platform.recorded().len()), (Some(status), 4));
    }
}

#[tokio::test]
async fn a_refusal_is_not_tried_again() {
    for status in [400, 401, 403, 404, 409, 422] {
        let platform = Platform::answering(status, "").await;
        call(&service(&platform), "get_thing", json!({"thing_id": 1})).await.unwrap_err();
        assert_eq!(platform.recorded().len(), 1, "{status}");
    }
}

#[tokio::test]
async fn a_read_that_succeeds_at_last_is_a_success() {
    let count = AtomicUsize::new(0);
    let platform = Platform::start(move |_| match count.fetch_add(1, Ordering::Relaxed) {
        0 => (429, String::new()),
        1 => (503, "<html>".to_owned()),
        _ => (200, r#"{"id":1}"#.to_owned()),
    })
    .await;
    let answer = call(&service(&platform), "get_thing", json!({"thing_id": 1})).await.unwrap();
    assert_eq!(answer.shaped.structured["id"], json!(1));
}

#[tokio::test]
async fn a_connection_that_breaks_is_made_again_for_a_read_and_not_for_a_write() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let count = Arc::new(AtomicUsize::new(0));
    let seen = count.clone();
    tokio::spawn(async move {
        loop {
            let (mut socket, _) = listener.accept().await.unwrap();
            let _ = socket.read(&mut [0; 4096]).await.unwrap();
            seen.fetch_add(1, Ordering::Relaxed);
        }
    });
    let service = service_at(&base, Settings::default());
    let write = call(&service, "create_thing", json!({"name": "x"})).await.unwrap_err();
    assert!(write.code == "network_error" && write.message.ends_with("is unknown"), "{write}");
    assert_eq!(count.load(Ordering::Relaxed), 1);
    let read = call(&service, "get_thing", json!({"thing_id": 1})).await.unwrap_err();
    assert_eq!((read.code.as_ref(), count.load(Ordering::Relaxed)), ("network_error", 4));
}

#[tokio::test]
async fn retry_after_beyond_the_deadline_is_told_without_another_attempt() {
    let platform = Platform::start(|_| Scripted::busy(429, 20)).await;
    let failure = call(&service(&platform), "get_thing", json!({"thing_id": 1})).await.unwrap_err();
    assert_eq!((failure.code.as_ref(), failure.retry_after_ms), ("rate_limited", Some(20_000)));
    assert_eq!(failure.hint.as_deref(), Some("The platform asks to wait 20 seconds."));
    assert_eq!(platform.recorded().len(), 1);
}

#[tokio::test]
async fn a_write_that_comes_too_often_is_told_when_to_come_back() {
    let platform = Platform::start(|_| Scripted::busy(429, 1)).await;
    let failure =
        call(&service(&platform), "create_thing", json!({"name": "x"})).await.unwrap_err();
    assert_eq!((failure.retry_after_ms, platform.recorded().len()), (Some(1000), 1));
}

#[tokio::test]
async fn one_deadline_is_over_all_attempts_and_drops_the_request() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let hung = tokio::spawn(async move {
        let (mut first, _) = listener.accept().await.unwrap();
        let _ = first.read(&mut [0; 4096]).await.unwrap();
        first.write_all(b"HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n").await.unwrap();
        // The second attempt comes on the same connection and is never answered.
        assert_ne!(first.read(&mut [0; 4096]).await.unwrap(), 0);
        first.read(&mut [0; 1]).await.unwrap()
    });
    let deadline = Duration::from_millis(300);
    // Without the deadline over both, nothing would ever end the second one.
    let manners = Manners { timeout: Duration::from_hours(1), ..Manners::default() };
    let service = service_at(&base, Settings { deadline, manners, ..Settings::default() });
    let failure = call(&service, "get_thing", json!({"thing_id": 1})).await.unwrap_err();
    assert_eq!(failure.code, "timeout");
    assert_eq!(hung.await.unwrap(), 0, "the connection is closed");
}

#[tokio::test]
async fn one_tenants_failures_do_not_keep_another_from_the_platform() {
    let platform = Platform::start(|record| {
        let failing = record.headers["authorization"] == KEY_A;
        if failing { (503, String::new()) } else { (200, r#"{"id":1}"#.to_owned()) }
    })
    .await;
    let service = service(&platform);
    let (a, b) = (tenant(KEY_A), tenant(KEY_B));
    for id in 0..20 {
        let failure = call_as(&service, &a, "get_thing", json!({"thing_id": id})).await;
        assert!(failure.is_err());
        call_as(&service, &b, "get_thing", json!({"thing_id": id})).await.unwrap();
    }
    // Where others succeed, the failing tenant is told the platform's own answer to the end.
    assert_eq!(platform.recorded().len(), 20 * 4);
}

#[tokio::test]
async fn a_platform_that_fails_for_two_tenants_is_left_alone_for_a_while() {
    let platform = Platform::answering(503, "").await;
    let service = service(&platform);
    let create = json!({"name": "x"});
    for key in [KEY_A, KEY_B].repeat(5) {
        let failure = call_as(&service, &tenant(key), "create_thing", create.clone()).await;
        assert_eq!(failure.unwrap_err().code, "things_server_error");
    }
    for tool in [("create_thing", create), ("get_thing", json!({"thing_id": 1}))] {
        let failure = call(&service, tool.0, tool.1).await.unwrap_err();
        assert_eq!(failure.code, "circuit_open");
        assert!(failure.retry_after_ms.is_some_and(|wait| (9000..=10_000).contains(&wait)));
        assert!(failure.hint.is_some_and(|hint| hint.contains("10 seconds")));
        assert!(failure.message.starts_with("nothing was sent"), "{}", failure.message);
        assert!(!failure.message.contains("unknown"), "{}", failure.message);
    }
    assert_eq!(platform.recorded().len(), 10);
}

#[tokio::test]
async fn answers_of_the_platform_itself_do_not_open_the_breaker() {
    for status in [400, 429, 500, 501] {
        let platform = Platform::answering(status, "").await;
        let service = service(&platform);
        for _ in 0..15 {
            let failure = call(&service, "create_thing", json!({"name": "x"})).await.unwrap_err();
            assert_eq!(failure.status, Some(status));
        }
    }
}

/// A platform that holds every request until it is let go, and tells of each that came.
async fn holding() -> (String, mpsc::UnboundedReceiver<String>, Arc<Semaphore>) {
    let (told, came) = mpsc::unbounded_channel();
    let go = Arc::new(Semaphore::new(0));
    let held = go.clone();
    let router = Router::new().fallback(move |request: axum::extract::Request| {
        let (told, held) = (told.clone(), held.clone());
        async move {
            told.send(request.uri().to_string()).unwrap();
            held.acquire().await.unwrap().forget();
            r#"{"id":1}"#
        }
    });
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (base, came, go)
}

#[tokio::test]
async fn one_keys_crowd_waits_its_turn_while_another_key_is_served() {
    let (base, mut came, go) = holding().await;
    let manners = Manners { concurrency: 3, ..Manners::default() };
    let service = service_at(&base, Settings { manners, ..Settings::default() });
    let (crowd, guest) = (service.clone(), service);
    let crowd = tokio::spawn(async move {
        join_all((0..20).map(|id| call(&crowd, "get_thing", json!({"thing_id": id})))).await
    });
    for _ in 0..3 {
        came.recv().await.unwrap();
    }
    // The fourth to come is another tenant's.
    let guest = tokio::spawn(async move {
        call_as(&guest, &tenant(KEY_B), "get_thing", json!({"thing_id": 99})).await
    });
    assert_eq!(came.recv().await.unwrap(), "/things/99");
    assert!(came.try_recv().is_err());
    go.add_permits(100);
    guest.await.unwrap().unwrap();
    assert!(crowd.await.unwrap().iter().all(Result::is_ok));
}

#[tokio::test]
async fn waiting_for_a_turn_counts_against_the_deadline_and_sends_nothing() {
    let (base, mut came, _go) = holding().await;
    let client =
        client(&ClientSettings { user_agent: "test".to_owned(), trust: Trust::Nobody }).unwrap();
    let upstream = Upstream::new(&Manners { concurrency: 1, ..Manners::default() }, None);
    let change = |millis| {
        upstream.fetch(Order {
            client: &client,
            request: client.post(format!("{base}/{millis}")).build().unwrap(),
            operation: "create_thing",
            tenant: [1; 32],
            key: [1; 32],
            since: Instant::now(),
            deadline: Instant::now() + Duration::from_millis(millis),
            kind: Kind::Change,
        })
    };
    let (first, second) = (change(10_000), change(100));
    let failure = tokio::select! {
        biased;
        _ = first => panic!("nobody answers it"),
        second = second => second.unwrap_err(),
    };
    assert_eq!((failure.code.as_ref(), failure.reach), ("timeout", Reach::Unsent));
    assert!(failure.message.starts_with("nothing was sent"), "{}", failure.message);
    assert_eq!(came.recv().await.unwrap(), "/10000");
    assert!(came.try_recv().is_err());
}
