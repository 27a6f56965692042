//! The way to a real Redis: what happens when it is not there, goes, hangs, and comes back.

use std::sync::Mutex;

use futures::future::join_all;
use tokio::sync::mpsc;

use super::server::RedisServer;
use super::*;

fn at(redis: &RedisServer) -> Arc<Shared> {
    Shared::new(Address::parse(&redis.url()).unwrap(), "things", Counter::default())
}

async fn started(redis: &RedisServer) -> Arc<Shared> {
    let shared = at(redis);
    shared.start().await;
    shared
}

/// What is heard about a topic, in words.
fn listen(shared: &Shared, topic: &str) -> mpsc::UnboundedReceiver<String> {
    let (sender, receiver) = mpsc::unbounded_channel();
    shared.listen(topic, move |heard| {
        let text = match heard {
            Heard::Message(text) => String::from_utf8_lossy(text).into_owned(),
            Heard::Missed => "(missed)".to_owned(),
        };
        sender.send(text).unwrap();
    });
    receiver
}

#[tokio::test]
async fn a_redis_that_is_not_there_is_reached_when_it_comes() {
    let mut redis = RedisServer::start();
    redis.kill();
    let shared = started(&redis).await;
    assert_eq!(shared.ping().await, Err(Gone));
    assert_eq!(shared.errors.get(), 1, "it is not asked while there is no connection");
    redis.restart();
    shared.connected().await;
    assert_eq!(shared.ping().await, Ok(()));
}

#[tokio::test]
async fn a_hung_redis_costs_one_short_wait_and_not_one_per_call() {
    let redis = RedisServer::start();
    let shared = started(&redis).await;
    redis.hang();
    // From here on, nobody waits in earnest for what does not come.
    tokio::time::pause();
    let begun = Instant::now();
    for _ in 0..100 {
        assert_eq!(shared.ping().await, Err(Gone));
    }
    // The clock of the tests counts whole milliseconds.
    assert_eq!(begun.elapsed().as_secs(), 1, "the one wait");
    tokio::time::resume();
    redis.go_on();
    assert_eq!(shared.errors.get(), 1);
    shared.connected().await;
    assert_eq!(shared.ping().await, Ok(()));
}

#[tokio::test]
async fn a_redis_that_may_not_be_written_to_is_none() {
    let redis = RedisServer::start_with(&["--replicaof", "127.0.0.1 1"]);
    assert_eq!(started(&redis).await.ping().await, Err(Gone));
}

#[tokio::test]
async fn a_password_opens_it() {
    let redis = RedisServer::start_with(&["--requirepass", "hush-hush"]);
    assert_eq!(started(&redis).await.ping().await, Err(Gone));
    let address = Address::parse(&format!("{}?pass=hush-hush", redis.url())).unwrap();
    let shared = Shared::new(address, "things", Counter::default());
    shared.start().await;
    assert_eq!(shared.ping().await, Ok(()));
}

#[tokio::test]
async fn what_one_says_all_hear_before_their_next_command_is_answered() {
    let redis = RedisServer::start();
    let (one, two) = (at(&redis), at(&redis));
    let heard: Arc<Mutex<Vec<Vec<u8>>>> = Arc::default();
    let notes = heard.clone();
    two.listen("news", move |said| {
        if let Heard::Message(text) = said {
            notes.lock().unwrap().push(text.to_vec());
        }
    });
    one.start().await;
    two.start().await;
    for number in 0..500_u32 {
        let message = number.to_be_bytes();
        one.tell("news", &message).await.unwrap();
        one.tell("other", &message).await.unwrap();
        assert!(two.heard_all(Instant::now()).await);
        assert_eq!(heard.lock().unwrap().last().unwrap(), &message);
    }
}

#[tokio::test]
async fn a_command_that_was_begun_in_time_need_not_be_repeated() {
    let redis = RedisServer::start();
    let shared = started(&redis).await;
    let since = Instant::now();
    shared.ping().await.unwrap();
    redis.hang();
    assert!(shared.heard_all(since).await, "Redis answered since");
    assert!(!shared.heard_all(Instant::now()).await, "and does not now");
    assert!(!shared.heard_all(since).await, "without a connection nothing is sure");
}

#[tokio::test]
async fn whoever_was_away_is_told_so_and_hears_again() {
    let mut redis = RedisServer::start();
    let shared = at(&redis);
    let mut news = listen(&shared, "news");
    shared.start().await;
    assert_eq!(news.recv().await.unwrap(), "(missed)", "nobody knows what was said before");
    redis.kill();
    redis.restart();
    assert_eq!(news.recv().await.unwrap(), "(missed)");
    shared.connected().await;
    shared.tell_soon("news", b"soon");
    assert_eq!(news.recv().await.unwrap(), "soon");
}

#[tokio::test]
async fn what_could_not_be_said_is_said_when_redis_is_there() {
    let redis = RedisServer::start();
    let (one, two) = (at(&redis), at(&redis));
    let mut news = listen(&two, "news");
    two.start().await;
    assert_eq!(one.tell("news", b"while away").await, Err(Gone));
    one.start().await;
    assert_eq!(news.recv().await.unwrap(), "(missed)");
    assert_eq!(news.recv().await.unwrap(), "while away");
}

#[tokio::test]
async fn too_much_to_be_said_later_becomes_one_word() {
    let mut redis = RedisServer::start();
    redis.kill();
    let shared = at(&redis);
    let mut news = listen(&shared, "news");
    for number in 0..5000_u32 {
        shared.tell_soon("news", &number.to_be_bytes());
    }
    redis.restart();
    shared.start().await;
    assert_eq!(news.recv().await.unwrap(), "(missed)", "that of the connection");
    assert_eq!(news.recv().await.unwrap(), "(missed)", "that of the words");
    let mut count = 0;
    while news.try_recv().is_ok() {
        count += 1;
    }
    assert!(count < news::MOST_OWED, "{count}");
}

#[tokio::test]
async fn the_task_and_the_connection_end_with_the_last_owner() {
    let redis = RedisServer::start();
    let (watcher, gone) = (started(&redis).await, started(&redis).await);
    let weak = Arc::downgrade(&gone);
    let stopped = gone.stop.clone();
    drop(gone);
    stopped.cancelled().await;
    assert!(weak.upgrade().is_none());
    let clients = || async {
        let list = |mut redis| async move {
            redis::cmd("CLIENT").arg("LIST").query_async(&mut redis).await
        };
        let list: String = watcher.run(list).await.unwrap();
        list.lines().count()
    };
    while clients().await > 1 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn many_at_once_lose_nothing_when_redis_is_killed() {
    let mut redis = RedisServer::start();
    let shared = started(&redis).await;
    let calls = (0..1000).map(|number| {
        let shared = shared.clone();
        tokio::spawn(async move { (number, shared.ping().await) })
    });
    let calls: Vec<_> = calls.collect();
    redis.kill();
    let ended = join_all(calls).await;
    assert!(ended.into_iter().all(|ended| ended.is_ok()));
}
