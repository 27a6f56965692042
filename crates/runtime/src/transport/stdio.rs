//! MCP over pipes: one client, one caller. Standard output carries the protocol and nothing else.

use rmcp::ServiceExt;
use rmcp::service::{RoleServer, ServerInitializeError};
use rmcp::transport::IntoTransport;
use tokio_util::sync::CancellationToken;

use crate::server::Server;

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

/// Serves standard input and output until the client closes them or the token is cancelled.
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
pub async fn serve_on<T, E, A>(
    server: Server,
    transport: T,
    stop: CancellationToken,
) -> Result<(), StdioError>
where
    T: IntoTransport<RoleServer, E, A>,
    E: std::error::Error + Send + Sync + 'static,
{
    let running = match server.serve_with_ct(transport, stop).await {
        Ok(running) => running,
        // A host that only looked whether the program starts.
        Err(ServerInitializeError::ConnectionClosed(_) | ServerInitializeError::Cancelled) => {
            return Ok(());
        }
        Err(err) => return Err(StdioError::Opening(Box::new(err))),
    };
    running.waiting().await.map_err(StdioError::Aborted)?;
    Ok(())
}
