//! Ledgers that outlive the process: what is there when they are opened again, and how much each tenant may have.

use prometheus_client::metrics::counter::Counter;

use super::*;
use crate::shared::Address;
use crate::shared::server::RedisServer;

const LIFE: Duration = Duration::from_mins(1);

/// What all tenants may have in a file of these tests, and one tenant in Redis.
const MOST: u32 = 40_000;

fn of(tenant: u8, which: u8) -> Name {
    Name { tenant: [tenant; 32], digest: [which; 32] }
}

/// A file of its own, removed with the test.
struct Path(std::path::PathBuf);

impl Path {
    fn new() -> Self {
        Self(std::env::temp_dir().join(format!("ledger-{}", RequestId::random())))
    }

    fn open(&self) -> Ledger {
        let (file, place) = File::open(&self.0, MOST.into()).unwrap();
        Ledger { place, kept: Kept::File(file) }
    }
}

impl Drop for Path {
    fn drop(&mut self) {
        let _it_may_not_be_there = std::fs::remove_file(&self.0);
    }
}

async fn in_redis(redis: &RedisServer) -> Ledger {
    let shared = Shared::new(Address::parse(&redis.url()).unwrap(), "things", Counter::default());
    shared.start().await;
    let replicated = Replicated::new(shared, MOST.into());
    Ledger { place: "shared".to_owned(), kept: Kept::Shared(replicated) }
}

async fn is_kept(one: &Ledger, two: &Ledger) {
    let (first, second) = (of(1, 1), of(1, 2));
    assert_eq!(one.put_new(first, "a", LIFE).await, Ok(None));
    assert_eq!(one.put_new(second, "b", Duration::from_millis(1)).await, Ok(None));
    assert_eq!(two.put_new(first, "c", LIFE).await, Ok(Some("a".to_owned())));
    while one.get(second).await != Ok(None) {} // Its time is over at once.
    assert_eq!(two.put(first, "d", LIFE).await, Ok(()));
    assert_eq!(one.get(first).await, Ok(Some("d".to_owned())));
    assert_eq!(one.remove(&[first, second]).await, Ok(()));
    assert_eq!(two.get(first).await, Ok(None));
}

/// A tenant that writes without end is refused at some time, and the next one is not.
async fn is_bounded(ledger: &Ledger) {
    let text = "x".repeat(1_000);
    let mut written = 0;
    while ledger.put_new(of(1, written), &text, LIFE).await == Ok(None) {
        written += 1;
        assert!(written < 100, "there is no end to it");
    }
    assert!(written > 10);
    assert_eq!(ledger.put(of(1, 0), &"x".repeat(2_000), LIFE).await, Err(Lost));
    assert_eq!(ledger.get(of(1, 0)).await, Ok(Some(text.clone())), "it stays as it was");
    assert_eq!(ledger.put_new(of(1, 0), &text, LIFE).await, Ok(Some(text.clone())));
    assert_eq!(ledger.put_new(of(2, 200), &text, LIFE).await, Ok(None), "another tenant");
    assert_eq!(ledger.remove(&[of(1, 0), of(1, 1), of(1, 2)]).await, Ok(()));
    assert_eq!(ledger.put_new(of(1, 101), &text, Duration::from_millis(1)).await, Ok(None));
    while ledger.get(of(1, 101)).await != Ok(None) {}
    assert_eq!(ledger.put_new(of(1, 102), &text, LIFE).await, Ok(None), "what is over makes room");
}

#[tokio::test]
async fn what_is_written_is_there_when_the_file_is_opened_again_and_by_another_at_once() {
    let path = Path::new();
    let one = path.open();
    let two = path.open();
    assert_eq!(one.place(), two.place());
    is_kept(&one, &two).await;
}

#[tokio::test]
async fn what_one_replica_writes_the_other_reads() {
    let redis = RedisServer::start();
    is_kept(&in_redis(&redis).await, &in_redis(&redis).await).await;
}

#[tokio::test]
async fn a_tenant_that_fills_its_part_of_the_file_leaves_room_for_the_next() {
    is_bounded(&Path::new().open()).await;
}

#[tokio::test]
async fn a_tenant_that_fills_its_part_of_redis_leaves_room_for_the_next() {
    let redis = RedisServer::start();
    is_bounded(&in_redis(&redis).await).await;
}
