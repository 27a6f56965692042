//! Sessions for clients of the earlier protocol that answer questions: who owns which, and how many there may be.
//!
//! A session's id is no credential: a request that names one must come from whoever opened it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use http::{HeaderMap, StatusCode};
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};

use super::Handler;
use super::refusal::Refusal;
use crate::caller::Digest;

/// Carries the id of a session.
const SESSION_HEADER: &str = "mcp-session-id";

/// Sessions at a time; an abandoned one costs about 50 kB for five minutes.
const MOST_SESSIONS: usize = 1000;

/// The part of the service that keeps sessions.
pub(super) struct Sessions {
    mcp: StreamableHttpService<Handler, LocalSessionManager>,
    manager: Arc<LocalSessionManager>,
    /// The tenant who opened a session; ids of ended ones are dropped when the next one opens.
    owners: Mutex<HashMap<String, Digest>>,
}

impl Sessions {
    pub(super) fn new(handler: Handler, config: StreamableHttpServerConfig) -> Self {
        let manager = Arc::new(LocalSessionManager::default());
        let config = config.with_legacy_session_mode(true).with_json_response(false);
        let mcp =
            StreamableHttpService::new(move || Ok(handler.in_session()), manager.clone(), config);
        Self { mcp, manager, owners: Mutex::default() }
    }

    /// Whether a request names a session.
    pub(super) fn named_in(headers: &HeaderMap) -> bool {
        headers.contains_key(SESSION_HEADER)
    }

    /// Answers a request that names a session or opens one.
    pub(super) async fn answer(
        &self,
        request: Request,
        tenant: Digest,
    ) -> Result<Response, Refusal> {
        let named = request.headers().get(SESSION_HEADER).map(|id| id.to_str().map(str::to_owned));
        match named {
            Some(Ok(id)) if self.owner(&id) == Some(tenant) => {
                Ok(self.mcp.handle(request).await.map(Body::new))
            }
            // What a stranger learns of a session is what it learns of none.
            Some(_) => Err(Refusal::new(
                StatusCode::NOT_FOUND,
                "unknown_session",
                "there is no such session; open another with `initialize`",
            )),
            None => self.open(request, tenant).await,
        }
    }

    async fn open(&self, request: Request, tenant: Digest) -> Result<Response, Refusal> {
        {
            let live = self.manager.sessions.read().await;
            self.owners().retain(|id, _| live.contains_key(id.as_str()));
            if live.len() >= MOST_SESSIONS {
                return Err(Refusal::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "too_many_sessions",
                    "this server holds as many sessions as it can; call without one",
                ));
            }
        }
        let response = self.mcp.handle(request).await.map(Body::new);
        if let Some(Ok(id)) = response.headers().get(SESSION_HEADER).map(|id| id.to_str()) {
            self.owners().insert(id.to_owned(), tenant);
        }
        Ok(response)
    }

    fn owner(&self, id: &str) -> Option<Digest> {
        self.owners().get(id).copied()
    }

    /// The map is whole after every step, so a panic elsewhere cannot leave it broken.
    fn owners(&self) -> std::sync::MutexGuard<'_, HashMap<String, Digest>> {
        self.owners.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
