//! What a connection is at: half a request, or work on a whole one until the last byte of its answer. It knows no socket.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, Incoming, SizeHint};

/// The requests of a connection.
#[derive(Debug, Clone, Default)]
pub(super) struct Busy(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    /// Whose header block is whole.
    begun: AtomicUsize,
    /// Of those, the ones that have come in whole, or are answered already.
    whole: AtomicUsize,
}

impl Busy {
    /// Begins a request, which ends when this is dropped.
    pub(super) fn begin(&self) -> Work {
        self.0.begun.fetch_add(1, Ordering::Relaxed);
        Work(Arc::new(Request { counts: self.0.clone(), whole: AtomicBool::new(false) }))
    }

    /// Whether the header block of a request is whole.
    pub(super) fn has_begun(&self) -> bool {
        self.0.begun.load(Ordering::Relaxed) > 0
    }

    /// Whether a request is worked on; one whose body is still on its way may be begun again elsewhere.
    pub(super) fn is_busy(&self) -> bool {
        self.0.whole.load(Ordering::Relaxed) > 0
    }
}

/// A request under way.
#[derive(Debug, Clone)]
pub(super) struct Work(Arc<Request>);

#[derive(Debug)]
struct Request {
    counts: Arc<Counts>,
    whole: AtomicBool,
}

impl Work {
    /// Notes that the request has come in whole.
    pub(super) fn is_whole(&self) {
        if !self.0.whole.swap(true, Ordering::Relaxed) {
            self.0.counts.whole.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Notes when the body of the request has come in whole.
    pub(super) fn until_read(&self, body: Incoming) -> Body {
        if body.is_end_stream() {
            self.is_whole();
            return Body::new(body);
        }
        Body::new(Passing { body, work: self.clone(), way: Way::In })
    }

    /// Lets the request end with the body of its answer.
    pub(super) fn until_sent(self, body: Body) -> Body {
        self.is_whole();
        Body::new(Passing { body, work: self, way: Way::Out })
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        if *self.whole.get_mut() {
            self.counts.whole.fetch_sub(1, Ordering::Relaxed);
        }
        self.counts.begun.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A body on its way, and the request that it belongs to.
struct Passing<B> {
    body: B,
    work: Work,
    way: Way,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    In,
    Out,
}

impl<B: HttpBody<Data = Bytes> + Unpin> HttpBody for Passing<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        if self.way == Way::In && (frame.is_none() || self.body.is_end_stream()) {
            self.work.is_whole();
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
