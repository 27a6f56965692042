//! What a behavior gives back, and the refusals; knows no route and no state.

use axum::{
    body::Body,
    http::{HeaderValue, Response, StatusCode, header},
};
use serde_json::{Map, Value, json};

/// A request that went well.
#[derive(Debug)]
pub(crate) enum Answer {
    /// The content, sent when the document promises one.
    Json(Value),
    /// Done, with nothing of its own to say.
    Done,
}

/// A request that was refused.
#[derive(Debug)]
pub(crate) struct Refusal {
    status: StatusCode,
    body: Value,
}

/// What every behavior returns.
pub(crate) type Reply = Result<Answer, Refusal>;

impl Refusal {
    pub(crate) fn unauthorized() -> Self {
        Self::plain(StatusCode::UNAUTHORIZED, "Not authorized")
    }

    pub(crate) fn forbidden() -> Self {
        Self::plain(StatusCode::FORBIDDEN, "Forbidden")
    }

    pub(crate) fn not_found() -> Self {
        Self::plain(StatusCode::NOT_FOUND, "Not found")
    }

    pub(crate) fn method() -> Self {
        Self::plain(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed")
    }

    /// A status of a fault that was asked for.
    pub(crate) fn made_up(status: StatusCode) -> Self {
        Self::plain(status, status.canonical_reason().unwrap_or("Made up"))
    }

    pub(crate) fn bad_request(sentence: &str) -> Self {
        Self::plain(StatusCode::BAD_REQUEST, sentence)
    }

    /// One field that the state of the tenant refuses.
    pub(crate) fn field(field: &str, message: &str) -> Self {
        Self::fields(&Map::from_iter([(field.to_owned(), json!([message]))]))
    }

    pub(crate) fn fields(errors: &Map<String, Value>) -> Self {
        let body = json!({ "error": "Validation failed", "errors": errors });
        Self { status: StatusCode::UNPROCESSABLE_ENTITY, body }
    }

    fn plain(status: StatusCode, sentence: &str) -> Self {
        Self { status, body: json!({ "error": sentence }) }
    }

    pub(crate) fn response(&self) -> Response<Body> {
        response(self.status, Some(&self.body))
    }
}

/// Writes a response.
pub(crate) fn response(status: StatusCode, body: Option<&Value>) -> Response<Body> {
    let mut response = Response::new(body.map_or_else(Body::empty, |body| body.to_string().into()));
    *response.status_mut() = status;
    if body.is_some() {
        let json = HeaderValue::from_static("application/json");
        response.headers_mut().insert(header::CONTENT_TYPE, json);
    }
    response
}
