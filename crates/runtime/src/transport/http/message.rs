//! One message in a request body: read within bounds, checked for form; and refusals, in the protocol's own form and without it.

use std::borrow::Cow;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::response::{IntoResponse, Response};
use bytes::BytesMut;
use futures::StreamExt as _;
use http::header::{CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};

/// The code of a refusal at the door; the protocol leaves this range to servers.
const REFUSED: i32 = -32001;
const PARSE_ERROR: i32 = -32700;
const INVALID_REQUEST: i32 = -32600;

/// A request that is not let in.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) error: String,
    /// Whether it is about who calls: outside of the protocol, the code then says everything.
    pub(super) of_identity: bool,
    message: String,
    code: i32,
    id: Value,
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
        }
    }

    fn malformed(code: i32, message: &str, id: Value) -> Self {
        Self { code, id, ..Self::new(StatusCode::BAD_REQUEST, "malformed_message", message) }
    }

    /// The refusal as an error of the protocol under its HTTP status.
    pub(super) fn into_message(self) -> Response {
        let error =
            json!({ "code": self.code, "message": self.message, "data": { "error": self.error } });
        let body = json!({ "jsonrpc": "2.0", "id": self.id, "error": error });
        respond(self.status, &body)
    }
}

impl IntoResponse for Refusal {
    /// The refusal as a client meets it that does not speak the protocol.
    fn into_response(self) -> Response {
        let body = if self.of_identity {
            json!({ "error": self.error })
        } else {
            json!({ "error": { "code": self.error, "message": self.message } })
        };
        respond(self.status, &body)
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

/// Longest time a client may take to write its body.
const LONGEST_BODY: Duration = Duration::from_secs(30);

/// Reads a body of bounded length in bounded time.
pub(super) async fn read(body: Body, limit: usize) -> Result<Bytes, Refusal> {
    let late = |_| {
        Refusal::new(
            StatusCode::REQUEST_TIMEOUT,
            "body_too_slow",
            "the body did not arrive in time",
        )
    };
    tokio::time::timeout(LONGEST_BODY, read_all(body, limit)).await.map_err(late)?
}

async fn read_all(body: Body, limit: usize) -> Result<Bytes, Refusal> {
    let mut stream = body.into_data_stream();
    let mut read = BytesMut::new();
    while let Some(chunk) = stream.next().await {
        let chunk = chunk
            .map_err(|_| Refusal::malformed(PARSE_ERROR, "the body ended early", Value::Null))?;
        if read.len() + chunk.len() > limit {
            drain(stream, limit).await;
            let message = format!("the body is longer than {limit} bytes");
            return Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", message));
        }
        read.extend_from_slice(&chunk);
    }
    Ok(read.freeze())
}

/// Reads on for a while: a client that is still writing would take a closed connection for the answer.
async fn drain(mut stream: axum::body::BodyDataStream, limit: usize) {
    const LONGEST: Duration = Duration::from_secs(2);
    const TIMES_THE_LIMIT: usize = 8;
    let mut left = limit.saturating_mul(TIMES_THE_LIMIT);
    let reading = async {
        while let Some(Ok(chunk)) = stream.next().await {
            left = left.saturating_sub(chunk.len());
            if left == 0 {
                return;
            }
        }
    };
    // Whichever ends first is fine.
    let _ = tokio::time::timeout(LONGEST, reading).await;
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    jsonrpc: Option<Cow<'a, str>>,
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    method: Option<&'a RawValue>,
    #[serde(borrow)]
    result: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
}

/// What a message is to the door.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Opens a conversation of the earlier protocol.
    Handshake,
    Other,
}

/// Checks that a body is one message; the protocol's library would refuse it as a media type.
pub(super) fn check(body: &[u8]) -> Result<Kind, Refusal> {
    let Ok(raw) = serde_json::from_slice::<&RawValue>(body) else {
        return Err(Refusal::malformed(PARSE_ERROR, "the body is not valid JSON", Value::Null));
    };
    let Ok(envelope) = serde_json::from_str::<Envelope<'_>>(raw.get()) else {
        let message = "the body is not one JSON-RPC message; batches are not part of the protocol";
        return Err(Refusal::malformed(INVALID_REQUEST, message, Value::Null));
    };
    let known = envelope.method.is_some_and(|method| method.get().starts_with('"'))
        || envelope.result.is_some()
        || envelope.error.is_some();
    if known && envelope.jsonrpc.as_deref() == Some("2.0") {
        let handshake = envelope.method.is_some_and(|method| method.get() == "\"initialize\"");
        return Ok(if handshake { Kind::Handshake } else { Kind::Other });
    }
    let id = envelope.id.and_then(|id| serde_json::from_str(id.get()).ok()).unwrap_or_default();
    Err(Refusal::malformed(INVALID_REQUEST, "the body is no JSON-RPC 2.0 request", id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_message_of_the_protocol_passes() {
        let kind = |body: &[u8]| check(body).unwrap();
        assert_eq!(kind(br#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#), Kind::Other);
        assert_eq!(kind(br#"{"jsonrpc":"2.0","id":1,"method":"initialize"}"#), Kind::Handshake);
        assert_eq!(kind(br#"{"jsonrpc":"2.0","id":1,"result":{}}"#), Kind::Other);
        let codes = [
            &br#"{"jsonrpc":"2.0","id":1"#[..],
            b"",
            b"[]",
            b"1",
            br#"{"id":7,"method":"ping"}"#,
            br#"{"jsonrpc":"2.0","id":7,"method":3}"#,
        ];
        let codes =
            codes.map(|body| check(body).unwrap_err()).map(|refusal| (refusal.code, refusal.id));
        assert_eq!(
            codes.each_ref().map(|(code, _)| *code),
            [-32700, -32700, -32600, -32600, -32600, -32600]
        );
        assert_eq!(codes[5].1, json!(7));
    }
}
