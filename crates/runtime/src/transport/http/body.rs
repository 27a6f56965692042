//! Bodies of requests: read within bounds of length, time, and memory. It knows nothing of what they say.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, BodyDataStream, Bytes, HttpBody};
use bytes::BytesMut;
use futures::StreamExt as _;
use http::StatusCode;
use hyper::body::{Frame, SizeHint};
use serde_json::Value;
use tokio::sync::Semaphore;

use super::refusal::{PARSE_ERROR, Refusal};

/// Longest time a client may take to write its body.
const LONGEST: Duration = Duration::from_secs(30);

/// Bytes of a body for which there is always room; few calls are longer.
const FREE: usize = 4 * 1024;

/// Bytes of all bodies under way beyond those: slow senders, each within its own limit, would fill the memory together.
const ROOM: usize = 16 * 1024 * 1024;

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
        // What is announced as too long need not come to be refused.
        if body.size_hint().lower() > self.limit as u64 {
            return Err(self.too_large());
        }
        let late = |_| {
            let message = "the body did not arrive in time";
            Refusal::new(StatusCode::REQUEST_TIMEOUT, "body_too_slow", message)
        };
        tokio::time::timeout(LONGEST, self.read_all(body)).await.map_err(late)?
    }

    async fn read_all(&self, body: Body) -> Result<Bytes, Refusal> {
        let mut stream = body.into_data_stream();
        let mut read = BytesMut::new();
        let mut taken = Vec::new();
        while let Some(chunk) = stream.next().await {
            let ended = |_| Refusal::malformed(PARSE_ERROR, "the body ended early", Value::Null);
            let chunk = chunk.map_err(ended)?;
            let length = read.len() + chunk.len();
            if length > self.limit {
                return Err(self.too_large());
            }
            let more = length.saturating_sub(read.len().max(FREE));
            let more = u32::try_from(more).unwrap_or(u32::MAX);
            let Ok(permits) = self.room.try_acquire_many(more) else {
                let (busy, message) = (
                    StatusCode::SERVICE_UNAVAILABLE,
                    "too many long bodies are under way; try again in a while",
                );
                return Err(Refusal::new(busy, "too_many_bodies", message));
            };
            taken.push(permits);
            read.extend_from_slice(&chunk);
        }
        Ok(read.freeze())
    }

    fn too_large(&self) -> Refusal {
        let message = format!("the body is longer than {} bytes; send less at once", self.limit);
        Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", message)
    }
}

/// What is left of a body when its request is answered.
pub(super) struct Rest(Arc<Mutex<BodyDataStream>>);

/// Hands a body on, and keeps what will be left of it.
pub(super) fn lend(body: Body) -> (Body, Rest) {
    let shared = Arc::new(Mutex::new(body.into_data_stream()));
    (Body::new(Lent(shared.clone())), Rest(shared))
}

/// A body that was handed on, with what it says of its length.
struct Lent(Arc<Mutex<BodyDataStream>>);

impl Lent {
    /// A stream is whole after every step, so a panic elsewhere cannot leave it broken.
    fn body(&self) -> MutexGuard<'_, BodyDataStream> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl HttpBody for Lent {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut *self.body()).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body().is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        HttpBody::size_hint(&*self.body())
    }
}

/// Reads on for a while: a client that is still writing would take a closed connection for the answer.
pub(super) async fn drain(Rest(rest): Rest) {
    const LONGEST: Duration = Duration::from_secs(2);
    const MOST: usize = 8 * 1024 * 1024;
    // Whoever still reads it will read it to its end.
    let Some(stream) = Arc::into_inner(rest) else { return };
    let mut stream = stream.into_inner().unwrap_or_else(PoisonError::into_inner);
    let mut left = MOST;
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
        // Those with room have read what has come, and wait for more; the others are refused.
        let waiting =
            reads.iter_mut().filter_map(|read| read.now_or_never().is_none().then_some(()));
        assert_eq!(waiting.count(), ROOM / (LIMIT - FREE));
        assert!(bodies.room.available_permits() < LIMIT);
        assert!(bodies.read(Body::from(vec![b'x'; FREE])).await.is_ok());
        let refused = bodies.read(Body::from(vec![b'x'; LIMIT])).await.unwrap_err();
        assert_eq!(refused.told(), (503, "too_many_bodies".to_owned()));
        drop(reads);
        assert!(bodies.read(Body::from(vec![b'x'; LIMIT])).await.is_ok());
    }
}
