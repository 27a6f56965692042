//! One request as the typed client writes it: whose key, which body, which page.
//!
//! It completes the request and takes it away from the client; it sends nothing.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue};
use progenitor_client::{ByteStream, ResponseValue};
use serde_json::{Map, Value, json};
use xyte_mcp_catalogue::Sending;

use crate::caller::Key;
use crate::failure::Failure;
use crate::json;

/// The key as it is shown in a dry run.
pub(super) const MASKED: &str = "****";

/// Why the client's own sending ends before it begins.
const WRITTEN: &str = "the request was written and taken away";

/// The usual media type of a body.
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// One request to be written: whose key, which body, which page.
///
/// It is the inner value of the generated client, so it is cheap to clone and its `Debug` shows neither key nor body.
#[derive(Clone, Default)]
pub struct Exchange {
    key: Option<Key>,
    /// How the key goes out, where it is not as it is in `Authorization`.
    sending: Option<Sending>,
    body: Option<Bytes>,
    /// Media type of the body, where it is not JSON.
    media: Option<HeaderValue>,
    /// Media type of the answer, where it is not JSON.
    accept: Option<HeaderValue>,
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

    /// The same, with the key sent in this way.
    #[must_use]
    pub(crate) fn with_sending(mut self, sending: Option<Sending>) -> Self {
        self.sending = sending;
        self
    }

    /// The same with these media types of body and answer; an empty one is JSON.
    #[must_use]
    pub(crate) fn with_media(mut self, body: &str, answer: &str) -> Self {
        let named = |kind: &str| HeaderValue::from_str(kind).ok().filter(|kind| !kind.is_empty());
        (self.media, self.accept) = (named(body), named(answer));
        self
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
            headers.insert(CONTENT_TYPE, self.media.clone().unwrap_or(JSON));
            *request.body_mut() = Some(body.clone().into());
        }
        if self.body.is_none() && takes_json(request.headers()) {
            // A body that may be left out, and was.
            *request.body_mut() = None;
            request.headers_mut().remove(CONTENT_TYPE);
        }
        let headers = request.headers_mut();
        headers.remove("api-version");
        headers.insert(ACCEPT, self.accept.clone().unwrap_or(JSON));
        headers.remove(AUTHORIZATION);
        if let Some(key) = &self.key {
            let (name, value) = credential(key, self.sending.as_ref())?;
            headers.insert(name, value);
        }
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

/// The header that carries a key.
fn credential(key: &Key, sending: Option<&Sending>) -> Result<(HeaderName, HeaderValue), String> {
    let plain = key.header();
    let behind = |word: &str, text: &[u8]| {
        let value = HeaderValue::from_bytes(&[word.as_bytes(), text].concat());
        let mut value = value.map_err(|_| "a key holds what no header can".to_owned())?;
        value.set_sensitive(true);
        Ok((AUTHORIZATION, value))
    };
    match sending {
        None => Ok((AUTHORIZATION, plain)),
        Some(Sending::Bearer) => behind("Bearer ", plain.as_bytes()),
        Some(Sending::Basic) => behind("Basic ", BASE64.encode(plain.as_bytes()).as_bytes()),
        Some(Sending::Header(name)) => match HeaderName::from_bytes(name.as_bytes()) {
            Ok(name) => Ok((name, plain)),
            Err(_) => Err(format!("the catalogue names `{name}` as a header")),
        },
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
    fn a_key_goes_out_as_its_scheme_says_and_is_always_masked() {
        let key = Key::new("user:pass").expect("a key");
        let ways = [
            (None, "authorization", "user:pass"),
            (Some(Sending::Bearer), "authorization", "Bearer user:pass"),
            (Some(Sending::Basic), "authorization", "Basic dXNlcjpwYXNz"),
            (Some(Sending::Header("X-Api-Key".to_owned())), "x-api-key", "user:pass"),
        ];
        for (sending, name, value) in ways {
            let exchange = Exchange::new(Some(key.clone()), None).with_sending(sending);
            let url = "http://api.example/".parse().expect("an address");
            let mut request = reqwest::Request::new(http::Method::GET, url);
            request.headers_mut().insert(AUTHORIZATION, HeaderValue::from_static("another"));
            exchange.write(&mut request).expect_err("nothing is sent");
            let request = exchange.into_request().expect("a request");
            let sent: Vec<&HeaderValue> = request.headers().get_all(name).iter().collect();
            assert_eq!(sent, [value]);
            assert!(sent[0].is_sensitive());
            assert_eq!(request.headers().len(), 2, "the key and what is accepted");
        }
    }

    #[test]
    fn debug_shows_neither_key_nor_body() {
        let key = Key::new("a-very-secret-key-of-thirty-two-characters").expect("a key");
        let exchange = Exchange::new(Some(key), Some(Bytes::from_static(b"{\"password\":1}")));
        let shown = format!("{exchange:?}");
        assert!(!shown.contains("secret") && !shown.contains("password"), "{shown}");
    }
}
