//! What every request and every answer passes, whatever the route: the name of the request, CORS, and refusals put into words.

use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use http::header::{CACHE_CONTROL, EXPECT, HeaderName, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, Method};
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};

use super::{body, origin, refusal};
use crate::request::RequestId;

/// Carries the name of the request in every answer.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// A cache in front knows nothing of the headers that hold keys, and would give one tenant the answer of another.
const NOT_KEPT: HeaderValue = HeaderValue::from_static("no-store");

/// Facts about an answer that a page may read.
const EXPOSED: [HeaderName; 7] = [
    HeaderName::from_static("mcp-session-id"),
    HeaderName::from_static("mcp-protocol-version"),
    RETRY_AFTER,
    WWW_AUTHENTICATE,
    HeaderName::from_static("x-mcp-as-of"),
    HeaderName::from_static("x-mcp-sandbox"),
    REQUEST_ID,
];

/// How long a browser may remember what a page may send.
const REMEMBERED: Duration = Duration::from_mins(10);

/// Puts the edge around the routes. Without a listed origin no header of CORS is sent, and no browser lets a foreign page in.
pub(super) fn around(routes: Router, origins: &[String]) -> Router {
    let named = from_fn(name);
    if origins.is_empty() { routes.layer(named) } else { routes.layer(cors(origins)).layer(named) }
}

/// Names a request, and says the name in the answer.
///
/// A request can be refused before its body was read; the rest of it is read before the answer.
async fn name(mut request: Request, next: Next) -> Response {
    let id = RequestId::random();
    request.extensions_mut().insert(id);
    let (parts, body) = request.into_parts();
    // Whoever asks first whether to send its body learns from the answer that it need not.
    let asks = parts.headers.contains_key(EXPECT);
    let (body, rest) = body::lend(body);
    let answered = next.run(Request::from_parts(parts, body)).await;
    let mut response = refusal::tell(answered, id);
    let status = response.status();
    if (status.is_client_error() || status.is_server_error()) && !asks {
        body::drain(rest).await;
    }
    if let Ok(value) = HeaderValue::try_from(id.to_string()) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response.headers_mut().entry(CACHE_CONTROL).or_insert(NOT_KEPT);
    response
}

/// Pages of listed origins may send any header, a key among them, but no cookies: there are none.
fn cors(origins: &[String]) -> CorsLayer {
    let origins = origins.to_vec();
    let listed = move |origin: &HeaderValue, _: &_| {
        origin.to_str().is_ok_and(|origin| origin::is_listed(origin, &origins))
    };
    CorsLayer::new()
        .allow_origin(AllowOrigin::predicate(listed))
        .allow_methods([Method::GET, Method::POST, Method::DELETE])
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers(EXPOSED)
        .max_age(REMEMBERED)
}
