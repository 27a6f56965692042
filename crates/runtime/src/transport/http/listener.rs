//! The socket: connections are accepted, bounded, and ended in good order. It knows no route.

mod busy;
mod crowd;
mod head;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_io_timeout::TimeoutStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

use self::busy::Busy;
use self::crowd::{Crowd, Place};
use self::head::{Counted, Head};
use crate::caller::Address;

/// Longest header block in bytes; above it the answer is 431.
const LONGEST_HEADERS: usize = 32 * 1024;

/// Most bytes that a connection reads ahead; unbounded, one that sends much would keep 400 kB.
const LARGEST_BUFFER: usize = 2 * LONGEST_HEADERS;

/// Longest time for a header block to arrive, for a connection to say nothing, and for a client to take no byte of its answer.
const LONGEST_SILENCE: Duration = Duration::from_secs(30);

/// How long to wait when the system has no more connections to give, and at most for half a request when its connection has to end.
const BREATH: Duration = Duration::from_millis(500);

/// What whoever finds no place is told.
const NO_PLACE: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nContent-Length: 32\r\nRetry-After: 1\r\nConnection: close\r\n\r\n{\"error\":\"too_many_connections\"}";

/// Connections that wait to be accepted. Of a burst of more, the rest would be dropped and come again after a second.
const WAITING: u32 = 4096;

/// How much the socket takes on.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Connections at a time; when there are more, those that are there longest have to end.
    pub connections: usize,
    /// How long requests in flight have to end, when the server does or their connection has to.
    pub drain: Duration,
}

/// Listens at an address.
///
/// # Errors
/// When the address is taken, or none of this machine.
pub fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // After a restart, connections of before may not have ended yet.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(WAITING)
}

/// Serves until the token is cancelled; requests in flight then have a while to end. A connection that fails ends alone.
pub(super) async fn listen(
    app: Router,
    listener: TcpListener,
    stop: CancellationToken,
    bounds: Bounds,
) {
    let connections = TaskTracker::new();
    let crowd = Crowd::new(bounds.connections, stop.clone());
    let room = Arc::new(Semaphore::new(head::ROOM));
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => break,
        };
        match accepted {
            Ok((socket, peer)) => match crowd.enter(Busy::default()) {
                Some(place) => {
                    let head = Head::new(room.clone());
                    let entered = (socket, peer.ip(), head, place);
                    connections.spawn(serve(entered, app.clone(), bounds.drain));
                }
                // Whether all of it is written is of no matter.
                None => drop(socket.try_write(NO_PLACE)),
            },
            Err(err) if is_of_the_connection(&err) => {}
            Err(err) => {
                tracing::warn!(error = %err, "no connection can be accepted");
                tokio::time::sleep(BREATH).await;
            }
        }
    }
    drop(listener);
    connections.close();
    if timeout(bounds.drain, connections.wait()).await.is_err() {
        tracing::warn!("requests were still in flight when the time to end them was over");
    }
}

/// Serves one connection to its end, which comes in good order when its place is wanted.
async fn serve(
    (socket, peer, head, place): (TcpStream, IpAddr, Head, Place),
    app: Router,
    drain: Duration,
) {
    // A delayed acknowledgment would add milliseconds to every streamed answer.
    if let Err(err) = socket.set_nodelay(true) {
        tracing::debug!(error = %err, "cannot switch off Nagle's algorithm");
    }
    let from = Address::of(peer);
    let (busy, head) = (place.busy().clone(), Arc::new(head));
    let service = tower::service_fn({
        let (busy, head) = (busy.clone(), head.clone());
        move |request: hyper::Request<Incoming>| {
            let (app, work) = (app.clone(), busy.begin());
            head.end();
            async move {
                let mut request = request.map(|body| work.until_read(body));
                request.extensions_mut().insert(from);
                let response = app.oneshot(request).await;
                response.map(|response| response.map(|body| work.until_sent(body)))
            }
        }
    });
    let mut socket = TimeoutStream::new(socket);
    socket.set_write_timeout(Some(LONGEST_SILENCE));
    let socket = Counted::new(Box::pin(socket), head, busy.clone());
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(LONGEST_SILENCE)
        .max_header_size(LONGEST_HEADERS)
        .max_buf_size(LARGEST_BUFFER)
        .serve_connection(TokioIo::new(socket), TowerToHyperService::new(service));
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => Some(ended),
        () = place.wanted() => {
            connection.as_mut().graceful_shutdown();
            leave(connection, &place, drain).await
        }
    };
    match ended {
        Some(Ok(())) => {}
        Some(Err(err)) => tracing::debug!(error = %err, "a connection broke"),
        None => tracing::debug!("a connection was cut off"),
    }
}

/// Lets a connection end that has to: what it is at work on has its time; half a request has a breath to come in whole, and may be begun again elsewhere.
async fn leave<T>(
    mut connection: Pin<&mut impl Future<Output = T>>,
    place: &Place,
    drain: Duration,
) -> Option<T> {
    let until = Instant::now() + drain;
    tokio::select! {
        ended = timeout(drain.min(BREATH), connection.as_mut()) => {
            if let Ok(ended) = ended {
                return Some(ended);
            }
        }
        () = place.hurried() => {}
    }
    if place.busy().is_busy() { timeout_at(until, connection).await.ok() } else { None }
}

/// Errors that concern the one connection, which went away before it was there.
fn is_of_the_connection(err: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(err.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    const BOUNDS: Bounds = Bounds { connections: 100, drain: Duration::ZERO };

    /// A service of one route, asked over a connection of its own.
    async fn asked(bytes: &[u8]) -> String {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let app = Router::new().route("/", axum::routing::get(async || "ok"));
        tokio::spawn(listen(app, listener, CancellationToken::new(), BOUNDS));
        let mut socket = TcpStream::connect(address).await.unwrap();
        socket.write_all(bytes).await.unwrap();
        let mut answer = Vec::new();
        socket.read_to_end(&mut answer).await.unwrap_or_default();
        String::from_utf8_lossy(&answer).into_owned()
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_never_ends_the_headers_is_cut_off() {
        assert_eq!(asked(b"GET / HTTP/1.1\r\nHost: x\r\n").await, "");
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_falls_silent_is_cut_off_after_its_answer() {
        let answer = asked(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
        assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("ok"), "{answer}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_of_connections_waits_to_be_accepted() {
        let listener = bind(([127, 0, 0, 1], 0).into()).unwrap();
        let address = listener.local_addr().unwrap();
        let mut burst = Vec::new();
        for _ in 0..500 {
            let connecting = timeout(LONGEST_SILENCE, TcpStream::connect(address));
            burst.push(connecting.await.expect("it would come again after a second").unwrap());
        }
    }

    async fn listening(app: Router, bounds: Bounds) -> std::net::SocketAddr {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(listen(app, listener, CancellationToken::new(), bounds));
        address
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_does_not_read_its_answer_is_cut_off() {
        const MORE_THAN_SOCKETS_HOLD: usize = 64 << 20;
        let dropped = CancellationToken::new();
        let held = dropped.clone();
        let answer = async move || {
            let guard = held.clone().drop_guard();
            let part = axum::body::Bytes::from(vec![0; 1 << 16]);
            let parts = std::iter::repeat_n(part, MORE_THAN_SOCKETS_HOLD >> 16).map(move |part| {
                let _ = &guard;
                Ok::<_, io::Error>(part)
            });
            axum::body::Body::from_stream(futures::stream::iter(parts))
        };
        let app = Router::new().route("/", axum::routing::get(answer));
        let mut socket = TcpStream::connect(listening(app, BOUNDS).await).await.unwrap();
        socket.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        // The answer is dropped while the client still holds the connection.
        dropped.cancelled().await;
        drop(socket);
    }

    #[tokio::test]
    async fn connections_left_idle_or_with_half_a_request_make_room_for_those_that_ask() {
        let app = Router::new().route("/", axum::routing::get(async || "ok"));
        let address = listening(app, BOUNDS).await;
        let mut idle = TcpStream::connect(address).await.unwrap();
        let mut half = TcpStream::connect(address).await.unwrap();
        half.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
        let mut others = Vec::new();
        for _ in 0..BOUNDS.connections + 20 {
            let mut socket = TcpStream::connect(address).await.unwrap();
            socket.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
            let mut status = [0; 15];
            socket.read_exact(&mut status).await.unwrap();
            assert_eq!(&status, b"HTTP/1.1 200 OK");
            others.push(socket);
        }
        assert_eq!(idle.read(&mut [0]).await.unwrap_or(0), 0);
        assert_eq!(half.read(&mut [0]).await.unwrap_or(0), 0);
    }

    #[tokio::test]
    async fn a_request_under_way_is_answered_though_its_connection_has_to_end() {
        let (entered, mut entries) = tokio::sync::mpsc::channel(1);
        let go = std::sync::Arc::new(tokio::sync::Notify::new());
        let gone = go.clone();
        let slow = async move || {
            entered.send(()).await.unwrap();
            gone.notified().await;
            "late"
        };
        let app = Router::new()
            .route("/", axum::routing::get(async || "ok"))
            .route("/slow", axum::routing::get(slow));
        let address =
            listening(app, Bounds { connections: 1, drain: Duration::from_mins(1) }).await;
        let mut first = TcpStream::connect(address).await.unwrap();
        first.write_all(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        entries.recv().await.unwrap();
        let mut second = TcpStream::connect(address).await.unwrap();
        second.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        second.read_exact(&mut [0; 15]).await.unwrap();
        go.notify_one();
        let mut answer = String::new();
        first.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("late"), "{answer}");
    }

    #[tokio::test]
    async fn slow_senders_of_bodies_keep_nobody_out() {
        let read = async |body: axum::body::Bytes| body;
        let app = Router::new().route("/", axum::routing::post(read));
        let bounds = Bounds { connections: 4, drain: Duration::from_hours(1) };
        let address = listening(app, bounds).await;
        let request = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nhalf";
        let mut slow = Vec::new();
        for _ in 0..300 {
            let mut socket = TcpStream::connect(address).await.unwrap();
            socket.write_all(&request[..request.len() - 1]).await.unwrap();
            slow.push(socket);
            let mut quick = TcpStream::connect(address).await.unwrap();
            quick.write_all(request).await.unwrap();
            let mut status = [0; 15];
            quick.read_exact(&mut status).await.unwrap();
            assert_eq!(&status, b"HTTP/1.1 200 OK");
        }
        assert_eq!(slow[0].read(&mut [0]).await.unwrap_or(0), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn half_a_request_that_comes_in_whole_when_it_has_to_end_is_answered_however_long_it_takes()
     {
        let (entered, mut entries) = tokio::sync::mpsc::channel(1);
        let slow = async move || {
            entered.send(()).await.unwrap();
            tokio::time::sleep(10 * BREATH).await;
            "late"
        };
        let app = Router::new().route("/", axum::routing::get(slow));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let bounds = Bounds { drain: Duration::from_hours(1), ..BOUNDS };
        tokio::spawn(listen(app, listener, stop.clone(), bounds));
        let mut socket = TcpStream::connect(address).await.unwrap();
        socket.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n").await.unwrap();
        // The socket was accepted when another one is answered.
        let mut other = TcpStream::connect(address).await.unwrap();
        other.write_all(b"GET /none HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        other.read_exact(&mut [0; 15]).await.unwrap();
        stop.cancel();
        // When the other one has been closed, both have heard of it.
        other.read_to_end(&mut Vec::new()).await.unwrap();
        socket.write_all(b"\r\n").await.unwrap();
        entries.recv().await.unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await.unwrap();
        assert!(answer.ends_with("late"), "{answer}");
    }

    #[tokio::test]
    async fn a_header_block_is_bounded() {
        let of = |length| {
            let filler = "x".repeat(length);
            format!("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nA: {filler}\r\n\r\n")
                .into_bytes()
        };
        assert!(asked(&of(31 * 1024)).await.starts_with("HTTP/1.1 200 "));
        assert!(asked(&of(33 * 1024)).await.starts_with("HTTP/1.1 431 "));
    }
}
