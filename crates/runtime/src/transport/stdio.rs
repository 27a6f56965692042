//! MCP over pipes: one client, one caller. Standard output carries the protocol and nothing else.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use rmcp::ServiceExt;
use rmcp::service::ServerInitializeError;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::timeout;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use crate::server::Server;

/// How long cancelled calls may take to tell their end; they wait for nothing any more.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Why the conversation could not be held.
#[derive(Debug, thiserror::Error)]
pub enum StdioError {
    /// The client did not open it as the protocol says.
    #[error("the client did not open a session: {0}")]
    Opening(#[source] Box<ServerInitializeError>),
    /// The task that holds it failed.
    #[error("the session ended abnormally: {0}")]
    Aborted(#[source] tokio::task::JoinError),
}

/// Serves standard input and output until the client closes them or the token is cancelled; calls in flight then have five seconds, which is the protocol library's choice, and open questions none.
///
/// # Errors
/// When the client opens the session wrongly.
pub async fn serve(server: Server, stop: CancellationToken) -> Result<(), StdioError> {
    serve_on(server, rmcp::transport::stdio(), stop).await
}

/// Serves any pair of pipes.
///
/// # Errors
/// As [`serve`].
pub async fn serve_on<I, O>(
    server: Server,
    (input, output): (I, O),
    stop: CancellationToken,
) -> Result<(), StdioError>
where
    I: AsyncRead + Send + Unpin + 'static,
    O: AsyncWrite + Send + Unpin + 'static,
{
    let service = server.service().clone();
    let silent = server.session().map(|session| session.silent().clone()).unwrap_or_default();
    let input = Until { input, stop: Box::pin(stop.cancelled_owned()), silent };
    let running = match server.serve((input, output)).await {
        Ok(running) => running,
        // A host that only looked whether the program starts.
        Err(ServerInitializeError::ConnectionClosed(_) | ServerInitializeError::Cancelled) => {
            return Ok(());
        }
        Err(err) => return Err(StdioError::Opening(Box::new(err))),
    };
    running.waiting().await.map_err(StdioError::Aborted)?;
    // What is still under way was cancelled, and the process may end right after this.
    let told = timeout(LAST_WORDS, service.all_calls_over()).await;
    if told.is_err() {
        tracing::warn!("a call did not end in time");
    }
    Ok(())
}

/// Input that ends when the server is asked to end, so that what was asked before is still answered.
struct Until<I> {
    input: I,
    stop: Pin<Box<WaitForCancellationFutureOwned>>,
    /// Cancelled with its end: nobody replies to a question any more.
    silent: CancellationToken,
}

impl<I: AsyncRead + Unpin> AsyncRead for Until<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        if self.stop.as_mut().poll(context).is_pending() {
            ready!(Pin::new(&mut self.input).poll_read(context, buffer))?;
        }
        if buffer.filled().len() == before && buffer.remaining() > 0 {
            self.silent.cancel();
        }
        Poll::Ready(Ok(()))
    }
}
