//! The socket: connections are accepted, bounded, and ended in good order. It knows no route.

use std::io;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

/// Longest header block in bytes; above it the answer is 431.
const LONGEST_HEADERS: usize = 32 * 1024;

/// Longest time for a header block to arrive, and for a connection to say nothing.
const LONGEST_SILENCE: Duration = Duration::from_secs(30);

/// How long to wait when the system has no more connections to give.
const BREATH: Duration = Duration::from_millis(500);

/// Serves until the token is cancelled; requests in flight then have `drain` to end. A connection that fails ends alone.
pub(super) async fn listen(
    app: Router,
    listener: TcpListener,
    stop: CancellationToken,
    drain: Duration,
) {
    let connections = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => break,
        };
        match accepted {
            Ok((socket, _)) => take(socket, app.clone(), &connections),
            Err(err) if is_of_the_connection(&err) => {}
            Err(err) => {
                tracing::warn!(error = %err, "no connection can be accepted");
                tokio::time::sleep(BREATH).await;
            }
        }
    }
    drop(listener);
    if tokio::time::timeout(drain, connections.shutdown()).await.is_err() {
        tracing::warn!("requests were still in flight when the time to end them was over");
    }
}

/// Serves one connection by itself.
fn take(socket: TcpStream, app: Router, connections: &GracefulShutdown) {
    // A delayed acknowledgment would add milliseconds to every streamed answer.
    if let Err(err) = socket.set_nodelay(true) {
        tracing::debug!(error = %err, "cannot switch off Nagle's algorithm");
    }
    let service = app.map_request(|request: hyper::Request<hyper::body::Incoming>| -> Request {
        request.map(axum::body::Body::new)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(LONGEST_SILENCE)
        .max_header_size(LONGEST_HEADERS)
        .serve_connection(TokioIo::new(socket), TowerToHyperService::new(service));
    let connection = connections.watch(connection);
    tokio::spawn(async move {
        if let Err(err) = connection.await {
            tracing::debug!(error = %err, "a connection broke");
        }
    });
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

    /// A service of one route, asked over a connection of its own.
    async fn asked(bytes: &[u8]) -> String {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let app = Router::new().route("/", axum::routing::get(async || "ok"));
        tokio::spawn(listen(app, listener, CancellationToken::new(), Duration::ZERO));
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
