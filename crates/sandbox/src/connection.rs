//! The platform's sockets: connections that can end without an answer; knows no route.

use std::{convert::Infallible, future::Future, io};

use axum::{Router, body::Body};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tower::ServiceExt as _;

use crate::http::Dropped;

/// Why a connection ends: a fault asked for it.
#[derive(Debug, thiserror::Error)]
#[error("a fault dropped the connection")]
struct Dropping;

/// Accepts until `shutdown` completes; open requests may hang for good, so nobody waits for them.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    tokio::pin!(shutdown);
    let mut connections = tokio::task::JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((socket, _)) = accepted {
                    connections.spawn(connection(socket, router.clone()));
                }
            }
            Some(_) = connections.join_next() => {}
            () = &mut shutdown => return Ok(()),
        }
    }
}

async fn connection(socket: TcpStream, router: Router) {
    // A delayed acknowledgment would add milliseconds that no platform asked for.
    let _slower_at_worst = socket.set_nodelay(true);
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let answer = router.clone().oneshot(request.map(Body::new));
        async move {
            let Ok(response): Result<_, Infallible> = answer.await;
            let drops = response.extensions().get::<Dropped>().is_some();
            if drops { Err(Dropping) } else { Ok(response) }
        }
    });
    let served = http1::Builder::new().serve_connection(TokioIo::new(socket), service).await;
    // It broke, or a fault broke it; either way it concerns its client alone.
    drop(served);
}
