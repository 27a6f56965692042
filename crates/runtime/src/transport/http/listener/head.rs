//! Header blocks on their way in: all connections together hold so many bytes of them, and no more. It knows no route.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Semaphore;

use super::NO_PLACE;
use super::busy::Busy;

/// Bytes of a header block for which there is always room; few requests have more.
const FREE: usize = 4 * 1024;

/// Bytes of all half header blocks beyond those.
pub(super) const ROOM: usize = 8 * 1024 * 1024;

/// Most bytes that are read at once. What follows a request in the same piece is not counted, so that piece is short.
const AT_ONCE: usize = 8 * 1024;

/// The header block of the next request of one connection, as far as it has come.
#[derive(Debug)]
pub(super) struct Head {
    room: Arc<Semaphore>,
    read: AtomicUsize,
}

impl Head {
    pub(super) fn new(room: Arc<Semaphore>) -> Self {
        Self { room, read: AtomicUsize::new(0) }
    }

    /// Gives back the room: the block is whole, and the request has begun.
    pub(super) fn end(&self) {
        let read = self.read.swap(0, Ordering::Relaxed);
        if let Some(taken) = read.checked_sub(FREE) {
            self.room.add_permits(taken);
        }
    }

    /// Takes room for more bytes; says whether there was any.
    fn grow(&self, more: usize) -> bool {
        let before = self.read.load(Ordering::Relaxed);
        let wanted = (before + more).saturating_sub(before.max(FREE));
        let Ok(room) = self.room.try_acquire_many(u32::try_from(wanted).unwrap_or(u32::MAX)) else {
            return false;
        };
        room.forget();
        self.read.store(before + more, Ordering::Relaxed);
        true
    }
}

impl Drop for Head {
    fn drop(&mut self) {
        self.end();
    }
}

/// A socket that counts what it reads while no request is under way; where that finds no room, it breaks.
#[derive(Debug)]
pub(super) struct Counted<S> {
    socket: S,
    head: Arc<Head>,
    busy: Busy,
}

impl<S> Counted<S> {
    pub(super) fn new(socket: S, head: Arc<Head>, busy: Busy) -> Self {
        Self { socket, head, busy }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Counted<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        if buf.remaining() <= AT_ONCE {
            ready!(Pin::new(&mut self.socket).poll_read(cx, buf))?;
        } else {
            let mut piece = ReadBuf::new(buf.initialize_unfilled_to(AT_ONCE));
            ready!(Pin::new(&mut self.socket).poll_read(cx, &mut piece))?;
            let length = piece.filled().len();
            buf.advance(length);
        }
        let more = buf.filled().len() - before;
        if self.busy.has_begun() || self.head.grow(more) {
            return Poll::Ready(Ok(()));
        }
        // Whether all of it is written is of no matter.
        let _ = Pin::new(&mut self.socket).poll_write(cx, NO_PLACE);
        Poll::Ready(Err(io::Error::other("too many long header blocks are under way")))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Counted<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write_vectored(cx, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};

    use super::*;

    const LONG: usize = 32 * 1024;

    /// A connection on which so many bytes have been read, and its other end.
    async fn after(
        length: usize,
        room: &Arc<Semaphore>,
    ) -> (io::Result<Counted<DuplexStream>>, DuplexStream) {
        let (near, mut far) = duplex(2 * LONG);
        let head = Arc::new(Head::new(room.clone()));
        let mut socket = Counted::new(near, head, Busy::default());
        let read = pass(&mut far, &mut socket, length).await;
        (read.map(|_| socket), far)
    }

    async fn pass(
        far: &mut DuplexStream,
        socket: &mut Counted<DuplexStream>,
        length: usize,
    ) -> io::Result<usize> {
        far.write_all(&vec![b'x'; length]).await?;
        socket.read_exact(&mut vec![0; length]).await
    }

    #[tokio::test]
    async fn half_header_blocks_share_their_room_and_short_ones_always_find_some() {
        let room = Arc::new(Semaphore::new(3 * LONG));
        let mut held = Vec::new();
        for _ in 0..3 {
            held.push(after(LONG, &room).await.0.unwrap());
        }
        let (refused, mut told) = after(LONG, &room).await;
        refused.unwrap_err();
        let mut answer = String::new();
        told.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
        after(FREE, &room).await.0.unwrap();
        held.pop();
        after(LONG, &room).await.0.unwrap();
        drop(held);
        assert_eq!(room.available_permits(), 3 * LONG);
    }

    #[tokio::test]
    async fn a_request_that_has_begun_gives_the_room_back_and_its_body_takes_none() {
        let room = Arc::new(Semaphore::new(LONG));
        let (socket, mut far) = after(LONG, &room).await;
        let mut socket = socket.unwrap();
        socket.head.end();
        assert_eq!(room.available_permits(), LONG);
        let work = socket.busy.begin();
        for _ in 0..3 {
            pass(&mut far, &mut socket, LONG).await.unwrap();
        }
        assert_eq!(room.available_permits(), LONG);
        drop(work);
        pass(&mut far, &mut socket, LONG).await.unwrap();
        assert_eq!(room.available_permits(), FREE);
    }
}
