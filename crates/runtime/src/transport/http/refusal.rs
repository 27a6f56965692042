//! Refusals at the door, in the protocol's own form and without it.
//!
//! A refusal is made where its reason is seen, and put into words where the name of the request is known.

use std::time::Duration;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::rest;
use crate::failure::Failure;
use crate::request::RequestId;

/// The code of a refusal at the door; the protocol leaves this range to servers.
const REFUSED: i32 = -32001;
pub(super) const PARSE_ERROR: i32 = -32700;
pub(super) const INVALID_REQUEST: i32 = -32600;
pub(super) const INVALID_PARAMS: i32 = -32602;

/// A request that is not let in.
#[derive(Debug, Clone)]
pub(super) struct Refusal {
    status: StatusCode,
    error: String,
    /// Whether it is about who calls: outside of the protocol, the code then says everything.
    of_identity: bool,
    message: String,
    code: i32,
    id: Value,
    /// How long to wait before the next request.
    wait: Option<Duration>,
}

/// A refusal that waits to be put into words.
#[derive(Debug, Clone)]
enum Untold {
    /// As an error of the protocol.
    Message(Refusal),
    /// As a client meets it that does not speak the protocol.
    Plain(Refusal),
    /// A call over REST that failed, perhaps before anybody named it.
    Failed(Box<Failure>),
}

impl Refusal {
    pub(super) fn new(
        status: StatusCode,
        error: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            status,
            error: error.into(),
            of_identity: false,
            message: message.into(),
            code: REFUSED,
            id: Value::Null,
            wait: None,
        }
    }

    /// A message that is none of the protocol's.
    pub(super) fn malformed(code: i32, message: &str, id: Value) -> Self {
        Self { code, id, ..Self::new(StatusCode::BAD_REQUEST, "malformed_message", message) }
    }

    /// A request from an address that was refused too often.
    pub(super) fn too_many(wait: Duration) -> Self {
        let message = "too many requests of this address were refused";
        let refusal = Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_refusals", message);
        Self { wait: Some(wait), of_identity: true, ..refusal }
    }

    /// The same, as one about who calls.
    pub(super) fn of_identity(self) -> Self {
        Self { of_identity: true, ..self }
    }

    /// Why, in the metrics.
    pub(super) fn reason(&self) -> &str {
        if self.wait.is_some() { "too_many" } else { &self.error }
    }

    /// The refusal as an error of the protocol under its HTTP status.
    pub(super) fn into_message(self) -> Response {
        untold(Untold::Message(self))
    }

    fn retry_after_seconds(&self) -> Option<u64> {
        let millis = self.wait?.as_millis();
        Some(u64::try_from(millis.div_ceil(1000)).unwrap_or(u64::MAX).max(1))
    }

    fn tell(&self, body: &Value, request: RequestId) -> Response {
        log(self, request);
        let mut told = respond(self.status, body);
        if let Some(seconds) = self.retry_after_seconds() {
            told.headers_mut().insert(RETRY_AFTER, seconds.into());
        }
        told
    }

    fn error(&self) -> Map<String, Value> {
        let mut error = Map::from_iter([("error".to_owned(), self.error.clone().into())]);
        if let Some(seconds) = self.retry_after_seconds() {
            error.insert("retry_after_seconds".to_owned(), seconds.into());
        }
        error
    }

    fn message(&self, request: RequestId) -> Value {
        let mut data = self.error();
        data.insert("request_id".to_owned(), request.to_string().into());
        let error = json!({ "code": self.code, "message": self.message, "data": data });
        json!({ "jsonrpc": "2.0", "id": self.id, "error": error })
    }

    fn plain(&self, request: RequestId) -> Value {
        if self.of_identity {
            return Value::Object(self.error());
        }
        let request = request.to_string();
        json!({ "error": { "code": self.error, "message": self.message, "request_id": request } })
    }

    #[cfg(test)]
    pub(super) fn told(&self) -> (u16, String) {
        (self.status.as_u16(), self.error.clone())
    }

    #[cfg(test)]
    pub(super) fn into_error(self) -> Value {
        self.message(RequestId::random())["error"].take()
    }
}

impl IntoResponse for Refusal {
    /// The refusal as a client meets it that does not speak the protocol.
    fn into_response(self) -> Response {
        untold(Untold::Plain(self))
    }
}

/// A failed call.
pub(super) fn unnamed(failure: Box<Failure>) -> Response {
    untold(Untold::Failed(failure))
}

fn untold(untold: Untold) -> Response {
    let mut response = Response::new(Body::empty());
    response.extensions_mut().insert(untold);
    response
}

/// Puts a refusal into words and logs it, if the response is one.
pub(super) fn tell(response: Response, request: RequestId) -> Response {
    let (mut parts, body) = response.into_parts();
    let Some(untold) = parts.extensions.remove::<Untold>() else {
        return Response::from_parts(parts, body);
    };
    let mut told = match untold {
        Untold::Message(refusal) => refusal.tell(&refusal.message(request), request),
        Untold::Plain(refusal) => refusal.tell(&refusal.plain(request), request),
        Untold::Failed(mut failure) => {
            failure.request_id.get_or_insert_with(|| request.to_string().into());
            rest::failed(&failure)
        }
    };
    // What routing knows of the route, such as its methods.
    told.headers_mut().extend(parts.headers);
    told
}

fn log(refusal: &Refusal, request: RequestId) {
    let Refusal { status, error, wait, .. } = refusal;
    let (request, status) = (request.to_string(), status.as_u16());
    if wait.is_none() {
        tracing::info!(request.id = request, http.status = status, error, "refused {error}");
    } else {
        // Whoever is refused too often shall not fill the log either; the metrics count them.
        tracing::debug!(request.id = request, http.status = status, error, "refused {error}");
    }
}

/// An answer that is JSON.
pub(super) fn respond(status: StatusCode, body: &impl Serialize) -> Response {
    // What is answered is made of text and JSON, which can always be written.
    let body = serde_json::to_vec(body).unwrap_or_default();
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if status == StatusCode::UNAUTHORIZED {
        // Not `Bearer`: that would send clients looking for an OAuth server.
        response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("ApiKey"));
    }
    response
}
