//! HTTP: routes, checks at the door, and the socket.
//!
//! It turns a request into a caller and a message for MCP, or into a call for the REST face, and knows nothing of limits.

mod body;
mod choice;
mod docs;
mod edge;
mod key;
mod listener;
mod message;
mod openapi;
mod origin;
mod probe;
mod refusal;
mod rest;
mod session;

use std::sync::{Arc, OnceLock};

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::response::Response;
use axum::routing::{any, post};
use axum::{Extension, Router};
use futures::StreamExt as _;
use http::header::{ACCEPT, ALLOW, CONTENT_LENGTH, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use self::body::Bodies;
pub use self::key::{Access, KeySettings};
pub use self::listener::{Bounds, bind};
use self::message::Kind;
use self::refusal::{INVALID_REQUEST, Refusal};
use self::session::Sessions;
use crate::caller::{Address, Caller, Digest, Key, Selection, Toolsets, Transport};
use crate::request::RequestId;
use crate::server::Server;

/// What a client must accept; the library insists on both.
const BOTH_FORMS: HeaderValue = HeaderValue::from_static("application/json, text/event-stream");

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
    /// Whether clients of the earlier protocol get sessions, so that they can be asked questions.
    pub legacy_sessions: bool,
}

/// What answers messages: the server, for the tests of the protocol with the fixtures beside it.
#[cfg(not(feature = "conformance"))]
type Handler = Server;
#[cfg(feature = "conformance")]
type Handler = crate::server::conformance::WithFixtures;

struct Door {
    settings: HttpSettings,
    server: Server,
    /// Keeps nothing between two requests.
    stateless: StreamableHttpService<Handler, NeverSessionManager>,
    sessions: Option<Sessions>,
    bodies: Bodies,
    /// The service's own document, written when it is first asked for.
    openapi: OnceLock<Bytes>,
}

/// A request that was let in.
struct Admitted {
    request: Request,
    kind: Kind,
    tenant: Digest,
}

/// Says where the service is found.
type GoneTo = (StatusCode, &'static str);

/// Tells the requests of a connection that the server is about to end.
#[derive(Debug, Clone)]
struct Stopping(CancellationToken);

/// The application: every route with and without the `/v1` prefix.
pub fn app(server: Server, settings: HttpSettings) -> Router {
    let config = StreamableHttpServerConfig::default()
        .with_legacy_session_mode(false)
        .with_json_response(true)
        // The door checks both, for all routes and before anything else.
        .disable_allowed_hosts()
        .disable_allowed_origins()
        .with_max_request_body_bytes(settings.body_limit);
    let handler = Handler::from(server.clone());
    let sessions = settings
        .legacy_sessions
        .then(|| Sessions::new(handler.clone(), config.clone(), server.service().clone()));
    let stateless = StreamableHttpService::new(
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
    let origins = settings.allowed_origins.clone();
    let (bodies, openapi) = (Bodies::new(settings.body_limit), OnceLock::new());
    let door = Arc::new(Door { settings, server, stateless, sessions, bodies, openapi });
    let routes = Router::new()
        .route("/", post(plain))
        .route("/v1", post(plain))
        .route("/v1/", post(plain))
        .nest("/v1", routes.clone())
        .merge(routes)
        .fallback(rest::no_route)
        .method_not_allowed_fallback(rest::wrong_method)
        .with_state(door);
    edge::around(routes, &origins)
}

/// Serves until the token is cancelled; requests in flight then have a while to end.
pub async fn serve(app: Router, listener: TcpListener, stop: CancellationToken, bounds: Bounds) {
    let app = app.layer(Extension(Stopping(stop.clone())));
    listener::listen(app, listener, stop, bounds).await;
}

async fn gone(State(door): State<Arc<Door>>, request: Request) -> Result<GoneTo, Refusal> {
    door.check_origin(&request.into_parts().0)?;
    Ok((
        StatusCode::GONE,
        "This server speaks MCP over Streamable HTTP: send POST requests to /mcp.",
    ))
}

async fn plain(State(door): State<Arc<Door>>, request: Request) -> Response {
    let selection = Selection::default();
    door.answer(request, selection).await
}

async fn narrowed(
    State(door): State<Arc<Door>>,
    toolsets: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    let Ok(Path(toolsets)) = toolsets else { return unreadable_address() };
    let selection = Selection { toolsets: Toolsets::parse(&toolsets), ..Selection::default() };
    door.answer(request, selection).await
}

async fn narrowed_read_only(
    State(door): State<Arc<Door>>,
    toolsets: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    let Ok(Path(toolsets)) = toolsets else { return unreadable_address() };
    let selection =
        Selection { toolsets: Toolsets::parse(&toolsets), read_only: true, ..Selection::default() };
    door.answer(request, selection).await
}

fn unreadable_address() -> Response {
    Refusal::malformed(INVALID_REQUEST, "the address is not UTF-8", Value::Null).into_message()
}

impl Door {
    async fn answer(&self, request: Request, selection: Selection) -> Response {
        let answered = match self.admit(request, selection).await {
            Ok(admitted) => self.pass_on(admitted).await,
            Err(refusal) => Err(refusal),
        };
        answered.unwrap_or_else(Refusal::into_message)
    }

    /// A session's requests and the handshake go to the part that keeps sessions, all others to the one that keeps nothing.
    async fn pass_on(&self, admitted: Admitted) -> Result<Response, Refusal> {
        let kind = admitted.kind;
        let response = self.hand_over(admitted).await?;
        let plain = response.status().is_client_error()
            && response.headers().get(CONTENT_TYPE).is_none_or(|kind| kind != "application/json");
        if plain { Ok(in_form(response, kind).await) } else { Ok(response) }
    }

    async fn hand_over(&self, admitted: Admitted) -> Result<Response, Refusal> {
        let Admitted { request, kind, tenant } = admitted;
        let of_session = kind == Kind::Handshake || Sessions::named_in(request.headers());
        match self.sessions.as_ref().filter(|_| of_session) {
            None => Ok(self.stateless.handle(request).await.map(Body::new)),
            Some(sessions) if request.method() == Method::GET => {
                let stopping = request.extensions().get::<Stopping>().cloned();
                let response = sessions.answer(request, tenant).await?;
                Ok(match stopping {
                    Some(Stopping(stop)) => response.map(|body| until(body, stop)),
                    None => response,
                })
            }
            Some(sessions) => sessions.answer(request, tenant).await,
        }
    }

    /// Completes a request of the protocol with its caller, and checks its message.
    async fn admit(&self, request: Request, selection: Selection) -> Result<Admitted, Refusal> {
        let (mut parts, body) = request.into_parts();
        let caller = self.caller(&parts, selection)?;
        let tenant = caller.tenant();
        parts.extensions.insert(caller);
        if parts.method != Method::POST {
            let request = Request::from_parts(parts, body);
            return Ok(Admitted { request, kind: Kind::Other, tenant });
        }
        let body = self.bodies.read(body).await?;
        let kind =
            if supply_headers(&mut parts.headers) { message::check(&body)? } else { Kind::Foreign };
        Ok(Admitted { request: Request::from_parts(parts, Body::from(body)), kind, tenant })
    }

    /// The checks in their order, all of which need no body: where the request came from, whose it is, what it chose.
    fn caller(&self, parts: &Parts, selection: Selection) -> Result<Caller, Refusal> {
        self.check_origin(parts)?;
        let mut caller = self.identify(parts)?;
        let catalogue = &self.server.service().catalogue;
        caller.selection = choice::select(&parts.headers, selection, catalogue)?;
        caller.transport = Transport::Http;
        caller.request = parts.extensions.get::<RequestId>().copied();
        Ok(caller)
    }

    /// Finds out who calls. An address that is refused too often is told so, and no more work is done for it.
    fn identify(&self, parts: &Parts) -> Result<Caller, Refusal> {
        let service = self.server.service();
        let address = parts.extensions.get::<Address>().copied();
        match key::identify(&parts.headers, &self.settings.keys) {
            Ok(mut caller) => {
                caller.address = address;
                let held = address.zip(caller.brought());
                let held =
                    held.and_then(|(from, key)| service.strangers.holds_up(from, &key.digest()));
                let Some(wait) = held else { return Ok(caller) };
                let refused = Refusal::too_many(wait);
                service.metrics.auth_failed(refused.reason());
                Err(refused)
            }
            Err(refusal) => Err(self.refuse(address, refusal)),
        }
    }

    /// Counts a refusal that is about who calls, and makes it one of too many where it is.
    fn refuse(&self, address: Option<Address>, refusal: Refusal) -> Refusal {
        let service = self.server.service();
        let refused = match address.map_or(Ok(()), |from| service.strangers.refused(from)) {
            Ok(()) => refusal.of_identity(),
            Err(wait) => Refusal::too_many(wait),
        };
        service.metrics.auth_failed(refused.reason());
        refused
    }

    fn check_origin(&self, parts: &Parts) -> Result<(), Refusal> {
        let HttpSettings { allowed_hosts, allowed_origins, .. } = &self.settings;
        origin::check(&parts.uri, &parts.headers, allowed_hosts, allowed_origins)
    }
}

/// Ends a stream that has no end of its own when the server does.
fn until(body: Body, stop: CancellationToken) -> Body {
    Body::from_stream(body.into_data_stream().take_until(stop.cancelled_owned()))
}

/// A refusal of the protocol's library, which it writes as plain text, in the protocol's own form.
async fn in_form(response: Response, kind: Kind) -> Response {
    /// The library's sentences are far shorter.
    const LONGEST: usize = 4096;
    let (mut parts, body) = response.into_parts();
    let text = to_bytes(body, LONGEST).await.unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    // It takes a message that it cannot read for one of another media type.
    let refusal = if parts.status == StatusCode::UNSUPPORTED_MEDIA_TYPE && kind != Kind::Foreign {
        Refusal::malformed(INVALID_REQUEST, "the body is no message that can be read", Value::Null)
    } else {
        let takes = parts.headers.get(ALLOW).and_then(|methods| methods.to_str().ok());
        match takes.filter(|_| parts.status == StatusCode::METHOD_NOT_ALLOWED) {
            Some(methods) => {
                let message = format!("this address takes {methods}");
                Refusal::new(parts.status, "method_not_allowed", message)
            }
            None => Refusal::new(parts.status, "not_acceptable", text),
        }
    };
    let mut told = refusal.into_message();
    parts.headers.remove(CONTENT_TYPE);
    parts.headers.remove(CONTENT_LENGTH);
    told.headers_mut().extend(parts.headers);
    told
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
