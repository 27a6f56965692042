//! Sessions for clients of the earlier protocol that answer questions: who owns which, and how many there may be.
//!
//! A session's id is no credential: a request that names one must come from whoever opened it.

mod places;

use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use http::{HeaderMap, StatusCode};
use rmcp::transport::streamable_http_server::session::SessionManager as _;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};

use self::places::{Holder, Places};
use super::Handler;
use super::refusal::Refusal;
use crate::caller::{Caller, Digest};
use crate::service::Service;

/// Carries the id of a session.
const SESSION_HEADER: &str = "mcp-session-id";

/// The part of the service that keeps sessions.
pub(super) struct Sessions {
    mcp: StreamableHttpService<Handler, LocalSessionManager>,
    manager: Arc<LocalSessionManager>,
    service: Arc<Service>,
    /// Who opened a session; the places of ended ones are free when the next one opens.
    places: Places,
}

impl Sessions {
    pub(super) fn new(
        handler: Handler,
        config: StreamableHttpServerConfig,
        service: Arc<Service>,
    ) -> Self {
        let manager = Arc::new(LocalSessionManager::default());
        let config = config.with_legacy_session_mode(true).with_json_response(false);
        let mcp = StreamableHttpService::new(move || Ok(handler.clone()), manager.clone(), config);
        Self { mcp, manager, service, places: Places::default() }
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
            Some(Ok(id)) if self.places.serve(&id, tenant) => {
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
            self.places.keep(|id| live.contains_key(id));
        }
        let caller = request.extensions().get::<Caller>();
        let from = caller.filter(|caller| caller.brought().is_some()).and_then(|one| one.address);
        let knows = |tenant: &Digest| self.service.strangers.knows(tenant);
        let Some((opening, ended)) = self.places.enter(Holder { tenant, from }, knows) else {
            return Err(Refusal::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "too_many_sessions",
                "this server holds as many sessions as it can; call without one",
            ));
        };
        if let Some(id) = ended {
            // Before the other is there, so that there are never more than there are places.
            if let Err(err) = self.manager.close_session(&id.into()).await {
                tracing::debug!(error = %err, "a session could not be told its end");
            }
        }
        let mcp = self.mcp.clone();
        // It goes on when the client goes, so that no session is left that has no place.
        let opened = tokio::spawn(async move {
            let response = mcp.handle(request).await.map(Body::new);
            if let Some(Ok(id)) = response.headers().get(SESSION_HEADER).map(|id| id.to_str()) {
                opening.opened(id);
            }
            response
        });
        opened.await.map_err(|_| {
            let message = "the session could not be opened";
            Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", message)
        })
    }
}
