//! The connection: how it is made, used, lost and made again.
//!
//! Commands and messages share one connection, so what was said before a command was carried out is heard before its answer.

use std::convert::Infallible;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Msg, PushInfo, PushKind, RedisResult, cmd};
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::Shared;
use super::news::Heard;

/// How long a command may take. A busy machine takes a while, and giving up makes limits inexact; a hung Redis costs this once.
const PATIENCE: Duration = Duration::from_secs(1);

/// How long it may take to connect, names, TLS and password included.
const HANDSHAKE: Duration = Duration::from_secs(2);

/// The pause between two attempts to connect; meanwhile Redis is not asked at all.
const PAUSE: Duration = Duration::from_secs(1);

/// Shows that this Redis runs scripts and may be written to; a replica or a full one may not.
const PROBE: &str = "return redis.call('SET', KEYS[1], 1, 'PX', 1000)";

/// Redis did not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Redis does not answer")]
pub struct Gone;

/// A connection that works as far as is known.
#[derive(Debug, Clone)]
pub(super) struct Connection {
    number: u64,
    redis: MultiplexedConnection,
}

impl Shared {
    /// Connects, and keeps connected until this is dropped. It returns after the first attempt, however that went.
    pub async fn start(self: &Arc<Self>) {
        self.connect().await;
        let (stop, wake) = (self.stop.clone(), self.news.wake());
        tokio::spawn(keep(Arc::downgrade(self), stop, self.connection.subscribe(), wake));
    }

    /// Waits until there is a connection.
    pub async fn connected(&self) {
        // The sender lives as long as this, so there is always something to wait for.
        let _ = self.connection.subscribe().wait_for(Option::is_some).await;
    }

    /// Asks whether Redis is there.
    ///
    /// # Errors
    /// When it does not answer in time.
    pub async fn ping(&self) -> Result<(), Gone> {
        self.run(|mut redis| async move { cmd("PING").exec_async(&mut redis).await }).await
    }

    /// Whether everything was heard that was said before this moment: Redis has answered a command that was begun since, or does so now.
    pub async fn heard_all(&self, since: Instant) -> bool {
        let confirmed = self.confirmed.load(Ordering::Acquire) >= self.nanoseconds(since);
        self.connection.borrow().is_some() && (confirmed || self.ping().await.is_ok())
    }

    /// Lets Redis do something, if there is a connection and it answers in time.
    pub(crate) async fn run<T, F>(
        &self,
        ask: impl FnOnce(MultiplexedConnection) -> F,
    ) -> Result<T, Gone>
    where
        F: Future<Output = RedisResult<T>>,
    {
        let connection = self.connection.borrow().clone();
        let Some(Connection { number, redis }) = connection else { return Err(Gone) };
        let begun = self.nanoseconds(Instant::now());
        let cause = match timeout(PATIENCE, ask(redis)).await {
            Ok(Ok(value)) => {
                self.confirmed.fetch_max(begun, Ordering::AcqRel);
                return Ok(value);
            }
            Ok(Err(err)) => err.to_string(),
            Err(_) => format!("no answer within {} s", PATIENCE.as_secs()),
        };
        self.lose(number, &cause);
        Err(Gone)
    }

    async fn connect(self: &Arc<Self>) {
        let attempt = timeout(HANDSHAKE, self.shake_hands()).await;
        let cause = match attempt {
            Ok(Ok(connection)) => {
                // It listens already, and whatever was said before may have been missed.
                self.news.missed();
                self.connection.send_replace(Some(connection));
                if self.complained.swap(false, Ordering::Relaxed) {
                    tracing::info!("Redis is there again: limits and changes are shared");
                }
                return self.tell_what_is_owed().await;
            }
            Ok(Err(err)) => err.to_string(),
            Err(_) => format!("no connection within {} s", HANDSHAKE.as_secs()),
        };
        self.errors.inc();
        self.complain(&cause);
    }

    async fn shake_hands(self: &Arc<Self>) -> RedisResult<Connection> {
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        let shared = Arc::downgrade(self);
        let hear = move |push: PushInfo| {
            if let Some(shared) = shared.upgrade() {
                shared.hear(number, push);
            }
            Ok::<(), Infallible>(())
        };
        // Both times are bounded here, for all steps together.
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(None)
            .set_response_timeout(None)
            .set_push_sender(hear);
        let client = self.address.client();
        let mut redis = client.get_multiplexed_async_connection_with_config(&config).await?;
        let probe = self.name("probe", "write");
        cmd("EVAL").arg(PROBE).arg(1).arg(probe).exec_async(&mut redis).await?;
        for channel in self.news.channels() {
            redis.subscribe(channel).await?;
        }
        Ok(Connection { number, redis })
    }

    /// Takes what Redis sends unasked; it is called before the answers that come after it are passed on.
    fn hear(&self, number: u64, push: PushInfo) {
        if push.kind == PushKind::Disconnection {
            return self.lose(number, "the connection was closed");
        }
        if let Some(message) = Msg::from_push_info(push) {
            let payload = message.get_payload_bytes();
            let heard = if payload.is_empty() { Heard::Missed } else { Heard::Message(payload) };
            self.news.pass_on(message.get_channel_name(), &heard);
        }
    }

    /// Gives a connection up, unless another one has taken its place.
    fn lose(&self, number: u64, cause: &str) {
        let lost = self.connection.send_if_modified(|connection| {
            let same = connection.as_ref().is_some_and(|connection| connection.number == number);
            if same {
                *connection = None;
            }
            same
        });
        if lost {
            self.errors.inc();
            self.complain(cause);
        }
    }

    fn complain(&self, cause: &str) {
        if !self.complained.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                error = cause,
                "Redis is not there: until it is, limits count per process and no kept answer is used"
            );
        }
    }

    fn nanoseconds(&self, moment: Instant) -> u64 {
        let after = moment.saturating_duration_since(self.made).as_nanos();
        u64::try_from(after).unwrap_or(u64::MAX)
    }
}

/// Connects again whenever the connection is lost, and tells what could not be told.
async fn keep(
    shared: Weak<Shared>,
    stop: CancellationToken,
    mut connection: watch::Receiver<Option<Connection>>,
    wake: Arc<Notify>,
) {
    loop {
        tokio::select! {
            // Without a connection there is nobody to tell, whatever is owed.
            biased;
            () = stop.cancelled() => return,
            () = lost(&mut connection) => {
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = sleep(PAUSE) => {}
                }
                let Some(shared) = shared.upgrade() else { return };
                shared.connect().await;
            }
            () = wake.notified() => {
                let Some(shared) = shared.upgrade() else { return };
                shared.tell_what_is_owed().await;
            }
        }
    }
}

/// Waits until there is no connection.
async fn lost(connection: &mut watch::Receiver<Option<Connection>>) {
    // Without a sender there is nobody left for whom to connect, and the token says so.
    let _ = connection.wait_for(Option::is_none).await;
}
