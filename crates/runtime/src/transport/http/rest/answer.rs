//! What a REST client gets: the answer with the facts about it as headers, or a failure under its status.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderName, HeaderValue, StatusCode};
use serde_json::{Map, Value, json};

use crate::failure::Failure;
use crate::transport::http::refusal::{Refusal, respond, unnamed};

/// The status of a failure by its code. A code that is not here came from a platform that failed: 502.
pub(in crate::transport::http) const STATUSES: [(&str, u16); 31] = [
    ("invalid_arguments", 400),
    ("unauthorized", 401),
    ("forbidden", 403),
    ("read_only", 403),
    ("tool_not_selected", 403),
    ("toolset_not_selected", 403),
    ("not_found", 404),
    ("unknown_route", 404),
    ("unknown_tool", 404),
    ("method_not_allowed", 405),
    ("ambiguous_name", 409),
    ("confirmation_declined", 409),
    ("confirmation_required", 409),
    ("conflict", 409),
    ("idempotency_conflict", 409),
    ("plan_expired", 409),
    ("plan_invalid", 409),
    ("plan_mismatch", 409),
    ("plan_stale", 409),
    ("plan_used", 409),
    ("unsupported_media_type", 415),
    ("invalid_params", 422),
    ("rate_limited", 429),
    ("cancelled", 499),
    ("internal", 500),
    ("async_disabled", 501),
    ("audit_unavailable", 503),
    ("circuit_open", 503),
    ("ledger_unavailable", 503),
    ("outcome_unknown", 504),
    ("timeout", 504),
];

/// Why a request is not answered as it wished.
#[derive(Debug)]
pub(in crate::transport::http) enum Error {
    /// It was not let in.
    Refused(Refusal),
    /// The call failed.
    Failed(Box<Failure>),
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        Self::Failed(Box::new(failure))
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        match self {
            Self::Refused(refusal) => refusal.into_response(),
            Self::Failed(failure) => unnamed(failure),
        }
    }
}

/// A failure in words.
pub(in crate::transport::http) fn failed(failure: &Failure) -> Response {
    let seconds = failure.retry_after_ms.map(|wait| wait.div_ceil(1000));
    let own_limit = failure.code == "rate_limited" && failure.status.is_none();
    let body = match seconds.filter(|_| own_limit) {
        Some(seconds) => json!({ "error": "rate_limit", "retry_after_seconds": seconds }),
        None => json!({ "error": failure }),
    };
    let mut response = respond(status(&failure.code), &body);
    if let Some(seconds) = seconds {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

fn status(code: &str) -> StatusCode {
    let known = STATUSES.iter().find(|(known, _)| *known == code);
    known
        .and_then(|(_, status)| StatusCode::from_u16(*status).ok())
        .unwrap_or(StatusCode::BAD_GATEWAY)
}

/// An answer; what MCP tells in `_meta` becomes headers: `as_of` is `X-MCP-As-Of`.
pub(super) fn with_meta(body: String, meta: &Map<String, Value>) -> Response {
    let mut response = Response::new(Body::from(body));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    // The name of the request is a header of every answer.
    for (name, value) in meta.iter().filter(|(name, _)| *name != "request_id") {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Bool(_) | Value::Number(_) => value.to_string(),
            Value::Null | Value::Array(_) | Value::Object(_) => continue,
        };
        let name = HeaderName::try_from(format!("x-mcp-{}", name.replace('_', "-")));
        if let (Ok(name), Ok(text)) = (name, HeaderValue::try_from(text)) {
            headers.insert(name, text);
        }
    }
    response
}
