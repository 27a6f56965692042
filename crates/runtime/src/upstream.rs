//! The way to the platform: the shared connection, one exchange over it, and the reply.
//!
//! It knows reqwest and the generated client's hooks; it knows neither tools nor who asked.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue};
use progenitor_client::{ByteStream, ResponseValue};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::caller::Key;
use crate::failure::{Failure, Reach};

/// Longest answer that is read: far above any page, and a bound on what one call can cost.
const MAX_REPLY_BYTES: usize = 32 * 1024 * 1024;

/// The key as it is shown in a dry run.
const MASKED: &str = "****";

/// How the shared connection behaves.
#[derive(Debug, Clone)]
pub struct ClientSettings {
    /// How long one attempt may take, body included.
    pub timeout: Duration,
    /// How the service names itself.
    pub user_agent: String,
    /// Whom it trusts.
    pub trust: Trust,
}

/// Whose certificates are trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// The roots of the machine.
    System,
    /// Nobody's: for plain HTTP, so that a machine without roots can serve it.
    Nobody,
}

/// Makes the one client that all calls share.
///
/// # Errors
/// When the TLS set-up of the machine cannot be used, or the user agent is no header value.
pub fn client(settings: &ClientSettings) -> Result<reqwest::Client, reqwest::Error> {
    const IDLE_CONNECTIONS: usize = 20;
    let builder = reqwest::Client::builder();
    let builder = match settings.trust {
        Trust::System => builder,
        Trust::Nobody => builder.tls_certs_only([]),
    };
    builder
        // A redirect could carry a key to another host.
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .timeout(settings.timeout)
        .connect_timeout(settings.timeout)
        .pool_max_idle_per_host(IDLE_CONNECTIONS)
        .tcp_nodelay(true)
        .user_agent(&settings.user_agent)
        .build()
}

/// One request to the platform: whose key, which body, and whether it is really sent.
///
/// It is the inner value of the generated client, so it is cheap to clone and its `Debug` shows neither key nor body.
#[derive(Clone, Default)]
pub struct Exchange {
    key: Option<Key>,
    body: Option<Bytes>,
    query: Vec<(String, String)>,
    preview: Option<Arc<OnceLock<Value>>>,
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange")
            .field("key", &self.key)
            .field("body_bytes", &self.body.as_ref().map(Bytes::len))
            .field("dry_run", &self.preview.is_some())
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

    /// The same, but only described: [`Exchange::prepare`] keeps the request and refuses to send it.
    #[must_use]
    pub(crate) fn into_dry_run(mut self) -> Self {
        self.preview = Some(Arc::default());
        self
    }

    /// The request that a dry run would have sent.
    pub(crate) fn preview(&self) -> Option<&Value> {
        self.preview.as_ref()?.get()
    }

    /// Completes the request of the generated client; called from its `pre` hook.
    ///
    /// # Errors
    /// In a dry run, so that nothing is sent.
    pub fn prepare(&self, request: &mut reqwest::Request) -> Result<(), String> {
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
        let Some(slot) = &self.preview else { return Ok(()) };
        // A second request of the same call is not possible: the first one was refused.
        let _ = slot.set(describe(request));
        Err("dry run: nothing was sent".to_owned())
    }
}

/// A request as a dry run shows it.
fn describe(request: &reqwest::Request) -> Value {
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
        serde_json::from_slice(bytes)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(bytes).into_owned()))
    });
    json!({ "method": request.method().as_str(), "url": request.url().as_str(), "headers": headers, "body": body })
}

/// Whether a body as the caller wrote it, which is JSON, may replace the typed one.
fn takes_json(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_none_or(|kind| kind.as_bytes().ends_with(b"json"))
}

/// What the platform answered, whatever its status.
#[derive(Debug, Clone)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
}

impl Reply {
    /// A typed look at the body, for code that computes with it; what is passed on is the body itself.
    ///
    /// # Errors
    /// `upstream_contract`, when the body has another form.
    pub fn view<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        serde_json::from_slice(&self.body).map_err(|err| {
            let message = format!(
                "the platform's answer has an unexpected form (line {}, column {})",
                err.line(),
                err.column()
            );
            Failure {
                status: Some(self.status),
                reach: Reach::of(self.status),
                ..Failure::upstream_contract(message)
            }
        })
    }
}

/// Reads the outcome of a generated call: every status is a reply, only the lack of an answer is a failure.
pub async fn reply(
    result: Result<ResponseValue<ByteStream>, progenitor_client::Error<ByteStream>>,
) -> Result<Reply, Failure> {
    use progenitor_client::Error;
    match result {
        Ok(value) | Err(Error::ErrorResponse(value)) => {
            let (status, headers) = (value.status().as_u16(), value.headers().clone());
            read(status, headers, value.into_inner_stream()).await
        }
        Err(Error::UnexpectedResponse(response)) => {
            let (status, headers) = (response.status().as_u16(), response.headers().clone());
            read(status, headers, response.bytes_stream()).await
        }
        Err(
            Error::CommunicationError(err)
            | Error::InvalidUpgrade(err)
            | Error::ResponseBodyError(err),
        ) => Err(lost(&err)),
        Err(Error::InvalidRequest(text)) => Err(Failure::invalid_arguments(text)),
        Err(Error::InvalidResponsePayload(..)) => Err(Failure {
            reach: Reach::Uncertain,
            ..Failure::upstream_contract("the platform's answer cannot be read")
        }),
        Err(Error::Custom(text)) => Err(Failure::new("not_sent", text)),
    }
}

async fn read(
    status: u16,
    headers: HeaderMap,
    stream: impl futures::Stream<Item = reqwest::Result<Bytes>>,
) -> Result<Reply, Failure> {
    let mut stream = std::pin::pin!(stream);
    let mut first = Bytes::new();
    let mut rest = BytesMut::new();
    while let Some(chunk) = stream.next().await {
        // The status is known already, and with it how far the request came.
        let chunk = chunk.map_err(|err| Failure {
            status: Some(status),
            reach: Reach::of(status),
            ..lost(&err)
        })?;
        if first.len() + rest.len() + chunk.len() > MAX_REPLY_BYTES {
            let message = format!("the platform's answer is longer than {MAX_REPLY_BYTES} bytes");
            return Err(Failure {
                reach: Reach::of(status),
                status: Some(status),
                ..Failure::upstream_contract(message)
            });
        }
        // A short answer comes as one chunk and is kept without a copy.
        if first.is_empty() {
            first = chunk;
        } else {
            rest.extend_from_slice(&chunk);
        }
    }
    let body = if rest.is_empty() { first } else { [first, rest.freeze()].concat().into() };
    Ok(Reply { status, headers, body })
}

/// Names the reason why there is no answer. The error's own text is left out: it holds the URL, and ids with it.
fn lost(err: &reqwest::Error) -> Failure {
    let failure = if err.is_timeout() {
        Failure::timeout()
    } else if err.is_connect() {
        Failure::network("no connection to the platform")
    } else {
        Failure::network("the connection broke before the platform's answer was complete")
    };
    let reach = if err.is_connect() { Reach::Unsent } else { Reach::Uncertain };
    Failure { reach, ..failure }
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

    #[tokio::test]
    async fn an_endless_answer_is_cut_off() {
        let chunk = Bytes::from(vec![b' '; 1 << 20]);
        let endless = futures::stream::repeat(chunk).map(Ok);
        let failure = read(200, HeaderMap::new(), endless).await.expect_err("too long");
        assert_eq!((failure.code.as_ref(), failure.status), ("upstream_contract", Some(200)));
    }
}
