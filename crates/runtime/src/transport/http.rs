//! HTTP: routes, checks at the door, and the socket.
//!
//! It turns a request into a caller and a message for MCP, or into a call for the REST face, and knows nothing of limits.

mod docs;
mod key;
mod message;
mod openapi;
mod origin;
mod probe;
mod rest;

use std::io;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, Request, State};
use axum::response::Response;
use axum::routing::{any, post};
use axum::serve::ListenerExt as _;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub use self::key::{Access, KeySettings};
use self::message::Refusal;
use crate::caller::{Caller, Key, Selection, Toolsets};
use crate::server::Server;
use crate::text::quoted;

/// What a client must accept; the library insists on both.
const BOTH_FORMS: HeaderValue = HeaderValue::from_static("application/json, text/event-stream");

/// Selects toolsets for one request.
const TOOLSETS_HEADER: &str = "x-mcp-toolsets";

/// Renounces everything that changes something, for one request.
const READ_ONLY_HEADER: &str = "x-mcp-readonly";

/// How HTTP is served.
#[derive(Debug, Clone)]
pub struct HttpSettings {
    /// Names under which the server may be addressed, with or without a port.
    pub allowed_hosts: Vec<String>,
    /// Origins of pages that may call it.
    pub allowed_origins: Vec<String>,
    /// How callers are told apart.
    pub keys: KeySettings,
    /// Longest request body in bytes.
    pub body_limit: usize,
    /// What `/metrics` asks for as a bearer; without one it is open.
    pub metrics_token: Option<Key>,
    /// The operator's settings as `/config` shows them, secrets masked.
    pub shown: Value,
}

struct Door {
    settings: HttpSettings,
    server: Server,
    mcp: StreamableHttpService<Server, NeverSessionManager>,
    /// The service's own document, written when it is first asked for.
    openapi: OnceLock<Bytes>,
}

/// The application: every route with and without the `/v1` prefix.
pub fn app(server: Server, settings: HttpSettings) -> Router {
    let config = StreamableHttpServerConfig::default()
        .with_legacy_session_mode(false)
        .with_json_response(true)
        // The door checks both, for all routes and before anything else.
        .disable_allowed_hosts()
        .disable_allowed_origins()
        .with_max_request_body_bytes(settings.body_limit);
    let handler = server.clone();
    let mcp = StreamableHttpService::new(
        move || Ok(handler.clone()),
        Arc::new(NeverSessionManager::default()),
        config,
    );
    let routes = Router::new()
        .route("/mcp", any(plain))
        .route("/mcp/x/{toolsets}", any(narrowed))
        .route("/mcp/x/{toolsets}/readonly", any(narrowed_read_only))
        .route("/sse", any(gone))
        .route("/invoke", any(gone))
        .merge(probe::routes())
        .merge(docs::routes())
        .merge(rest::routes(&server));
    let door = Arc::new(Door { settings, server, mcp, openapi: OnceLock::new() });
    Router::new()
        .route("/", post(plain))
        .nest("/v1", routes.clone())
        .merge(routes)
        .fallback(rest::no_route)
        .method_not_allowed_fallback(rest::wrong_method)
        .with_state(door)
}

/// Serves until the token is cancelled; requests in flight then have `drain` to end.
///
/// # Errors
/// When the socket fails.
pub async fn serve(
    app: Router,
    listener: TcpListener,
    stop: CancellationToken,
    drain: Duration,
) -> io::Result<()> {
    // A delayed acknowledgment would add milliseconds to every streamed answer.
    let listener = listener.tap_io(|socket| {
        if let Err(err) = socket.set_nodelay(true) {
            tracing::debug!(error = %err, "cannot switch off Nagle's algorithm");
        }
    });
    let bound = stop.clone();
    let expired = async move {
        bound.cancelled().await;
        tokio::time::sleep(drain).await;
    };
    let serving = axum::serve(listener, app).with_graceful_shutdown(stop.cancelled_owned());
    tokio::select! {
        ended = serving => ended,
        () = expired => {
            tracing::warn!("requests were still in flight when the time to end them was over");
            Ok(())
        }
    }
}

async fn gone() -> (StatusCode, &'static str) {
    (StatusCode::GONE, "This server speaks MCP over Streamable HTTP: send POST requests to /mcp.")
}

async fn plain(State(door): State<Arc<Door>>, request: Request) -> Response {
    let selection = Selection { toolsets: Toolsets::Unset, read_only: false };
    door.answer(request, selection).await
}

async fn narrowed(
    State(door): State<Arc<Door>>,
    Path(toolsets): Path<String>,
    request: Request,
) -> Response {
    let selection = Selection { toolsets: Toolsets::parse(&toolsets), read_only: false };
    door.answer(request, selection).await
}

async fn narrowed_read_only(
    State(door): State<Arc<Door>>,
    Path(toolsets): Path<String>,
    request: Request,
) -> Response {
    let selection = Selection { toolsets: Toolsets::parse(&toolsets), read_only: true };
    door.answer(request, selection).await
}

impl Door {
    async fn answer(&self, request: Request, selection: Selection) -> Response {
        match self.admit(request, selection).await {
            Ok(request) => self.mcp.handle(request).await.map(Body::new),
            Err(refusal) => refusal.into_message(),
        }
    }

    /// Completes a request of the protocol with its caller, and checks its message.
    async fn admit(&self, request: Request, selection: Selection) -> Result<Request, Refusal> {
        let (mut parts, body) = request.into_parts();
        let caller = self.caller(&parts, selection)?;
        parts.extensions.insert(caller);
        if parts.method != Method::POST {
            return Ok(Request::from_parts(parts, body));
        }
        let body = message::read(body, self.settings.body_limit).await?;
        if supply_headers(&mut parts.headers) {
            message::check(&body)?;
        }
        Ok(Request::from_parts(parts, Body::from(body)))
    }

    /// The checks in their order, all of which need no body: where the request came from, whose it is, what it chose.
    fn caller(&self, parts: &Parts, selection: Selection) -> Result<Caller, Refusal> {
        self.check_origin(parts)?;
        let identified = key::identify(&parts.headers, &self.settings.keys);
        let mut caller = identified.map_err(|mut refusal| {
            refusal.of_identity = true;
            self.server.service().metrics.auth_failed(&refusal.error);
            log(refusal)
        })?;
        caller.selection = self.select(&parts.headers, selection).map_err(log)?;
        Ok(caller)
    }

    fn check_origin(&self, parts: &Parts) -> Result<(), Refusal> {
        let HttpSettings { allowed_hosts, allowed_origins, .. } = &self.settings;
        origin::check(&parts.uri, &parts.headers, allowed_hosts, allowed_origins).map_err(log)
    }

    /// What the request chose to see: the URL, else the headers.
    fn select(&self, headers: &HeaderMap, mut selection: Selection) -> Result<Selection, Refusal> {
        let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
        if let (Toolsets::Unset, Some(names)) = (&selection.toolsets, header(TOOLSETS_HEADER)) {
            selection.toolsets = Toolsets::parse(names);
        }
        for value in headers.get_all(READ_ONLY_HEADER) {
            selection.read_only |= switch(value).ok_or_else(|| {
                let message = format!("the header {READ_ONLY_HEADER} takes true or false");
                Refusal::new(StatusCode::BAD_REQUEST, "invalid_readonly", message)
            })?;
        }
        let known = &self.server.service().catalogue.toolsets;
        let Toolsets::Named(names) = &selection.toolsets else { return Ok(selection) };
        match names.iter().find(|name| !known.iter().any(|toolset| toolset.name == **name)) {
            None => Ok(selection),
            Some(unknown) => {
                let all = known
                    .iter()
                    .map(|toolset| toolset.name.as_str())
                    .collect::<Vec<_>>()
                    .join(", ");
                let message =
                    format!("no toolset `{}`; there are {all}, and `all`", quoted(unknown));
                Err(Refusal::new(StatusCode::BAD_REQUEST, "unknown_toolset", message))
            }
        }
    }
}

/// Reads a switch; what is neither on nor off must not pass for off.
fn switch(value: &HeaderValue) -> Option<bool> {
    match value.to_str().ok()?.trim().to_ascii_lowercase().as_str() {
        "true" | "1" => Some(true),
        "false" | "0" | "" => Some(false),
        _ => None,
    }
}

fn log(refusal: Refusal) -> Refusal {
    let (status, error) = (refusal.status.as_u16(), &refusal.error);
    tracing::info!(http.status = status, error, "refused {error}");
    refusal
}

/// Completes a bare call, one that a person typed; says whether the body claims to be JSON.
fn supply_headers(headers: &mut HeaderMap) -> bool {
    let accept = headers
        .get(ACCEPT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("*/*")
        .to_ascii_lowercase();
    let takes_json =
        ["*/*", "application/*", "application/json"].iter().any(|form| accept.contains(form));
    if takes_json {
        headers.insert(ACCEPT, BOTH_FORMS);
    }
    let content =
        headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static("application/json"));
    content
        .to_str()
        .is_ok_and(|content| content.to_ascii_lowercase().starts_with("application/json"))
}
