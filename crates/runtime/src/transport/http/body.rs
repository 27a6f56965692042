//! Bodies of requests: read within bounds of length, time, and memory. It knows nothing of what they say.

use std::time::Duration;

use axum::body::{Body, BodyDataStream, Bytes};
use bytes::BytesMut;
use futures::StreamExt as _;
use http::StatusCode;
use serde_json::Value;
use tokio::sync::Semaphore;

use super::refusal::{PARSE_ERROR, Refusal};

/// Longest time a client may take to write its body.
const LONGEST: Duration = Duration::from_secs(30);

/// Bytes of a body for which there is always room; few calls are longer.
const FREE: usize = 16 * 1024;

/// Bytes of all bodies under way beyond those: slow senders, each within its own limit, would fill the memory together.
const ROOM: usize = 64 * 1024 * 1024;

/// The bodies that are being read.
#[derive(Debug)]
pub(super) struct Bodies {
    /// Longest body in bytes.
    limit: usize,
    room: Semaphore,
}

impl Bodies {
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, room: Semaphore::new(ROOM) }
    }

    /// Reads a body of bounded length in bounded time.
    pub(super) async fn read(&self, body: Body) -> Result<Bytes, Refusal> {
        let late = |_| {
            let message = "the body did not arrive in time";
            Refusal::new(StatusCode::REQUEST_TIMEOUT, "body_too_slow", message)
        };
        tokio::time::timeout(LONGEST, self.read_all(body)).await.map_err(late)?
    }

    async fn read_all(&self, body: Body) -> Result<Bytes, Refusal> {
        let limit = self.limit;
        let mut stream = body.into_data_stream();
        let mut read = BytesMut::new();
        let mut taken = Vec::new();
        while let Some(chunk) = stream.next().await {
            let ended = |_| Refusal::malformed(PARSE_ERROR, "the body ended early", Value::Null);
            let chunk = chunk.map_err(ended)?;
            let length = read.len() + chunk.len();
            if length > limit {
                drop(read);
                drain(stream, limit).await;
                let message = format!("the body is longer than {limit} bytes");
                return Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", message));
            }
            let more = length.saturating_sub(read.len().max(FREE));
            let more = u32::try_from(more).unwrap_or(u32::MAX);
            let Ok(permits) = self.room.try_acquire_many(more) else {
                drop(read);
                drain(stream, limit).await;
                let (busy, message) =
                    (StatusCode::SERVICE_UNAVAILABLE, "too many long bodies are under way");
                return Err(Refusal::new(busy, "too_many_bodies", message));
            };
            taken.push(permits);
            read.extend_from_slice(&chunk);
        }
        Ok(read.freeze())
    }
}

/// Reads on for a while: a client that is still writing would take a closed connection for the answer.
async fn drain(mut stream: BodyDataStream, limit: usize) {
    const LONGEST: Duration = Duration::from_secs(2);
    const TIMES_THE_LIMIT: usize = 8;
    let mut left = limit.saturating_mul(TIMES_THE_LIMIT);
    let reading = async {
        while let Some(Ok(chunk)) = stream.next().await {
            left = left.saturating_sub(chunk.len());
            if left == 0 {
                return;
            }
        }
    };
    // Whichever ends first is fine.
    let _ = tokio::time::timeout(LONGEST, reading).await;
}

#[cfg(test)]
mod tests {
    use futures::{FutureExt as _, stream};

    use super::*;

    #[tokio::test]
    async fn slow_senders_of_long_bodies_fill_their_room_and_leave_some_for_short_ones() {
        const LIMIT: usize = 1 << 20;
        let bodies = std::sync::Arc::new(Bodies::new(LIMIT));
        let slow = || {
            let first = stream::iter([Ok::<_, std::io::Error>(Bytes::from(vec![b'x'; LIMIT]))]);
            Body::from_stream(first.chain(stream::pending()))
        };
        let reads = (0..100).map(|_| {
            let (bodies, body) = (bodies.clone(), slow());
            async move { bodies.read_all(body).await.is_ok() }
        });
        let mut reads: Vec<_> = reads.map(Box::pin).collect();
        // All of them have read what has come.
        for read in &mut reads {
            assert!(read.now_or_never().is_none());
        }
        assert!(bodies.room.available_permits() < LIMIT);
        assert!(bodies.read(Body::from(vec![b'x'; FREE])).await.is_ok());
        let refused = bodies.read(Body::from(vec![b'x'; LIMIT])).await.unwrap_err();
        assert_eq!(refused.told(), (503, "too_many_bodies".to_owned()));
        drop(reads);
        assert!(bodies.read(Body::from(vec![b'x'; LIMIT])).await.is_ok());
    }
}
