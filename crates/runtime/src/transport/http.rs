//! MCP over HTTP: routes, checks at the door, and the socket.
//!
//! It turns a request into a caller and a message, and knows nothing of tools and limits.

mod key;
mod message;
mod origin;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::response::Response;
use axum::routing::{any, get, post};
use axum::serve::ListenerExt as _;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub use self::key::{Access, KeySettings};
use self::message::Refusal;
use crate::caller::{Selection, Toolsets};
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
}

struct Door {
    settings: HttpSettings,
    server: Server,
    mcp: StreamableHttpService<Server, NeverSessionManager>,
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
    let door = Arc::new(Door { settings, server, mcp });
    let routes = Router::new()
        .route("/mcp", any(plain))
        .route("/mcp/x/{toolsets}", any(narrowed))
        .route("/mcp/x/{toolsets}/readonly", any(narrowed_read_only))
        .route("/sse", any(gone))
        .route("/invoke", any(gone))
        .route("/healthz", get(healthz))
        .with_state(door.clone());
    Router::new().route("/", post(plain)).with_state(door).nest("/v1", routes.clone()).merge(routes)
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

async fn healthz() -> &'static str {
    "ok"
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
            Err(refusal) => {
                tracing::info!(
                    http.status = refusal.status.as_u16(),
                    error = refusal.error,
                    "refused {}",
                    refusal.error
                );
                refusal.into_response()
            }
        }
    }

    /// The checks in their order: what is cheap and needs no body comes first.
    async fn admit(&self, request: Request, selection: Selection) -> Result<Request, Refusal> {
        let (mut parts, body) = request.into_parts();
        let settings = &self.settings;
        origin::check(
            &parts.uri,
            &parts.headers,
            &settings.allowed_hosts,
            &settings.allowed_origins,
        )?;
        let mut caller = key::identify(&parts.headers, &settings.keys)?;
        caller.selection = self.select(&parts.headers, selection)?;
        parts.extensions.insert(caller);
        if parts.method != Method::POST {
            return Ok(Request::from_parts(parts, body));
        }
        let body = message::read(body, settings.body_limit).await?;
        if supply_headers(&mut parts.headers) {
            message::check(&body)?;
        }
        Ok(Request::from_parts(parts, Body::from(body)))
    }

    /// What the request chose to see: the URL, else the headers.
    fn select(&self, headers: &HeaderMap, mut selection: Selection) -> Result<Selection, Refusal> {
        let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
        if let (Toolsets::Unset, Some(names)) = (&selection.toolsets, header(TOOLSETS_HEADER)) {
            selection.toolsets = Toolsets::parse(names);
        }
        selection.read_only |= header(READ_ONLY_HEADER)
            .is_some_and(|value| value.trim().eq_ignore_ascii_case("true") || value.trim() == "1");
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
