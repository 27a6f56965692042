//! One message in a request body: read within bounds, checked for form.

use std::time::Duration;

use axum::body::{Body, Bytes};
use bytes::BytesMut;
use futures::StreamExt as _;
use http::StatusCode;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;

use super::refusal::{INVALID_PARAMS, INVALID_REQUEST, PARSE_ERROR, Refusal};

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

/// The members of a message; one that is null is not one that is missing.
#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, default, deserialize_with = "present")]
    jsonrpc: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    id: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    method: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    params: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    result: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    error: Option<&'a RawValue>,
}

fn present<'de: 'a, 'a, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<&'a RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

/// What a message is to the door.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Opens a conversation of the earlier protocol.
    Handshake,
    /// Any other message, and a request without one.
    Other,
    /// A body of another media type, which nobody has looked at.
    Foreign,
}

/// Checks that a body is one message; the protocol's library would refuse it as a media type, in plain text.
pub(super) fn check(body: &[u8]) -> Result<Kind, Refusal> {
    let Ok(raw) = serde_json::from_slice::<&RawValue>(body) else {
        return Err(Refusal::malformed(PARSE_ERROR, "the body is not valid JSON", Value::Null));
    };
    let invalid = |message, id| Refusal::malformed(INVALID_REQUEST, message, id);
    let Ok(envelope) = serde_json::from_str::<Envelope<'_>>(raw.get()) else {
        let message = "the body is not one JSON-RPC message; batches are not part of the protocol";
        return Err(invalid(message, Value::Null));
    };
    let Envelope { jsonrpc, id, method, params, result, error } = envelope;
    // An error may belong to no request that could be read.
    let of_nothing = error.is_some() && id.is_some_and(|id| id.get() == "null");
    let id = match id {
        None => Value::Null,
        Some(id) => match identifier(id) {
            Some(id) => id,
            None if of_nothing => Value::Null,
            None => {
                return Err(invalid("`id` is neither text nor a whole number", Value::Null));
            }
        },
    };
    let is_text = |value: &RawValue| value.get().starts_with('"');
    let known = method.is_some_and(is_text) || result.is_some() || error.is_some();
    if !known || jsonrpc.is_none_or(|version| version.get() != "\"2.0\"") {
        return Err(invalid("the body is no JSON-RPC 2.0 request", id));
    }
    if method.is_some() && params.is_some_and(|params| !params.get().starts_with('{')) {
        return Err(Refusal::malformed(INVALID_PARAMS, "`params` is not an object", id));
    }
    let handshake = method.is_some_and(|method| method.get() == "\"initialize\"");
    Ok(if handshake { Kind::Handshake } else { Kind::Other })
}

/// An id as the protocol has them: text, or a whole number that every implementation can hold.
fn identifier(id: &RawValue) -> Option<Value> {
    serde_json::from_str::<Value>(id.get()).ok().filter(|id| id.is_string() || id.is_i64())
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
            br#"{"jsonrpc":2.0,"id":7,"method":"ping"}"#,
            br#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#,
            br#"{"jsonrpc":"2.0","id":{},"method":"ping"}"#,
            br#"{"jsonrpc":"2.0","id":1.5,"method":"ping"}"#,
            br#"{"jsonrpc":"2.0","id":18446744073709551616,"method":"ping"}"#,
            br#"{"jsonrpc":"2.0","id":7,"id":8,"method":"ping"}"#,
            br#"{"jsonrpc":"2.0","id":7,"method":"ping","params":[1]}"#,
            b"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"\xff\"}",
        ];
        let refused = codes.map(|body| check(body).unwrap_err().into_error());
        let codes: Vec<i64> = refused.iter().map(|error| error["code"].as_i64().unwrap()).collect();
        assert_eq!(codes[..2], [-32700; 2]);
        assert_eq!(codes[2..12], [-32600; 10]);
        assert_eq!(codes[12..], [-32602, -32700]);
    }
}
