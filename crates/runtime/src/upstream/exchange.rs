//! One request as the typed client writes it: whose key, which body, which page.
//!
//! It completes the request and takes it away from the client; it sends nothing.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue};
use progenitor_client::{ByteStream, ResponseValue};
use serde_json::{Map, Value, json};

use crate::caller::Key;
use crate::failure::Failure;
use crate::json;

/// The key as it is shown in a dry run.
pub(super) const MASKED: &str = "****";

/// Why the client's own sending ends before it begins.
const WRITTEN: &str = "the request was written and taken away";

/// One request to be written: whose key, which body, which page.
///
/// It is the inner value of the generated client, so it is cheap to clone and its `Debug` shows neither key nor body.
#[derive(Clone, Default)]
pub struct Exchange {
    key: Option<Key>,
    body: Option<Bytes>,
    query: Vec<(String, String)>,
    /// Where the request lies after it was written; shared with the client's copy.
    written: Arc<Mutex<Option<reqwest::Request>>>,
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange")
            .field("key", &self.key)
            .field("body_bytes", &self.body.as_ref().map(Bytes::len))
            .finish_non_exhaustive()
    }
}

impl Exchange {
    /// An exchange in the name of a key, with the body as the caller wrote it.
    pub fn new(key: Option<Key>, body: Option<Bytes>) -> Self {
        Self { key, body, ..Self::default() }
    }

    /// The same for one page of a list.
    #[must_use]
    pub(crate) fn with_query(mut self, query: Vec<(String, String)>) -> Self {
        self.query = query;
        self
    }

    /// Completes the request of the generated client and takes it away; called from its `pre` hook.
    ///
    /// # Errors
    /// Always, so that the client sends nothing: what is sent, when and how often is for the service to say.
    pub fn write(&self, request: &mut reqwest::Request) -> Result<(), String> {
        if !self.query.is_empty() {
            request.url_mut().query_pairs_mut().extend_pairs(&self.query);
        }
        if let Some(body) = self.body.as_ref().filter(|_| takes_json(request.headers())) {
            let headers = request.headers_mut();
            headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            *request.body_mut() = Some(body.clone().into());
        }
        if self.body.is_none() && takes_json(request.headers()) {
            // A body that may be left out, and was.
            *request.body_mut() = None;
            request.headers_mut().remove(CONTENT_TYPE);
        }
        let headers = request.headers_mut();
        headers.remove("api-version");
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        match &self.key {
            Some(key) => headers.insert(AUTHORIZATION, key.header()),
            None => headers.remove(AUTHORIZATION),
        };
        let left = reqwest::Request::new(request.method().clone(), request.url().clone());
        let taken = std::mem::replace(request, left);
        *self.written.lock().unwrap_or_else(PoisonError::into_inner) = Some(taken);
        Err(WRITTEN.to_owned())
    }

    /// The request that was written, after [`written`] said that it was.
    ///
    /// # Errors
    /// When the client's hook did not run: a fault of the build.
    pub fn into_request(self) -> Result<reqwest::Request, Failure> {
        let request = self.written.lock().unwrap_or_else(PoisonError::into_inner).take();
        request.ok_or_else(|| Failure::internal("the typed client wrote no request"))
    }
}

/// Reads the outcome of a generated call, which ends as soon as its request is written.
///
/// # Errors
/// When the arguments make no request.
pub fn written(
    result: Result<ResponseValue<ByteStream>, progenitor_client::Error<ByteStream>>,
) -> Result<(), Failure> {
    use progenitor_client::Error;
    match result {
        Err(Error::Custom(text)) if text == WRITTEN => Ok(()),
        Err(Error::InvalidRequest(text)) => Err(Failure::invalid_arguments(text)),
        Err(Error::CommunicationError(err)) if err.is_builder() => {
            Err(Failure::invalid_arguments("the arguments make no valid address"))
        }
        _ => Err(Failure::internal("the typed client went past its hook")),
    }
}

/// A request as a dry run shows it.
pub(crate) fn describe(request: &reqwest::Request) -> Value {
    let shown = |value: &HeaderValue| {
        if value.is_sensitive() {
            MASKED.to_owned()
        } else {
            String::from_utf8_lossy(value.as_bytes()).into_owned()
        }
    };
    let headers: Map<String, Value> = request
        .headers()
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), Value::String(shown(value))))
        .collect();
    let bytes = request.body().and_then(reqwest::Body::as_bytes);
    let body = bytes.map_or(Value::Null, |bytes| {
        json::read(bytes)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(bytes).into_owned()))
    });
    json!({ "method": request.method().as_str(), "url": request.url().as_str(), "headers": headers, "body": body })
}

/// Whether a body as the caller wrote it, which is JSON, may replace the typed one.
fn takes_json(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_none_or(|kind| kind.as_bytes().ends_with(b"json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_neither_key_nor_body() {
        let key = Key::new("a-very-secret-key-of-thirty-two-characters").expect("a key");
        let exchange = Exchange::new(Some(key), Some(Bytes::from_static(b"{\"password\":1}")));
        let shown = format!("{exchange:?}");
        assert!(!shown.contains("secret") && !shown.contains("password"), "{shown}");
    }
}
