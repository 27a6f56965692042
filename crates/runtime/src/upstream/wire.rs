//! The shared connection, one attempt over it, and what came back.
//!
//! It decides nothing: how often something is tried, and what a status means, is said elsewhere.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use futures::StreamExt;
use http::{HeaderMap, HeaderValue};
use memchr::{memchr, memchr2_iter, memmem};
use tokio::time::{Instant, timeout_at};

use super::exchange::MASKED;
use crate::failure::{Failure, Reach};

/// Longest answer that is read: far above any page, and a bound on what one call can cost.
const MAX_REPLY_BYTES: usize = 8 * 1024 * 1024;

/// A connection stands within this time or never: it leaves room for another attempt before the deadline of a call.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Shorter keys are no secrets, and may be anywhere in an answer by accident.
const SHORTEST_SECRET: usize = 16;

/// How the shared connection behaves.
#[derive(Debug, Clone)]
pub struct ClientSettings {
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
        // What is repeated, and that a change never is, is decided in one place.
        .retry(reqwest::retry::never())
        .no_proxy()
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_max_idle_per_host(IDLE_CONNECTIONS)
        .tcp_nodelay(true)
        .user_agent(&settings.user_agent)
        .build()
}

/// What the platform answered, whatever its status.
#[derive(Debug, Clone)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Headers; an answer that was kept has none.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
}

/// An attempt that brought no answer.
#[derive(Debug, Clone)]
pub(super) struct Lost {
    /// In the words a caller gets.
    pub(super) failure: Box<Failure>,
    /// For those who decide what follows.
    pub(super) fault: Fault,
}

impl Lost {
    pub(super) fn new(failure: Failure, fault: Fault) -> Self {
        Self { failure: Box::new(failure), fault }
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// It was not sent, because too much goes wrong.
    Held,
    /// There was no connection.
    Unconnected,
    /// The connection broke before there was a status.
    Broken,
    /// The attempt took too long.
    TimedOut,
    /// The deadline of the call came before that.
    CutOff,
    /// The answer has begun and cannot be used.
    Unusable,
}

/// Until when an attempt may run, and what it means when it does not end by then.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    pub(super) until: Instant,
    pub(super) fault: Fault,
}

impl Patience {
    /// As long as an attempt may take, within the deadline of the call.
    pub(super) fn new(attempt: Duration, deadline: Instant) -> Self {
        let until = Instant::now() + attempt;
        if until < deadline {
            Self { until, fault: Fault::TimedOut }
        } else {
            Self { until: deadline, fault: Fault::CutOff }
        }
    }

    fn lost(self, status: Option<u16>) -> Lost {
        let reach = status.map_or(Reach::Uncertain, Reach::of);
        let failure = Failure { status, reach, ..Failure::timeout() };
        Lost::new(failure, self.fault)
    }
}

/// Sends a request once and reads the whole answer; dropping this drops the request.
pub(super) async fn attempt(
    client: &reqwest::Client,
    request: reqwest::Request,
    patience: Patience,
) -> Result<Reply, Lost> {
    // However it goes out: the value of the key is the one that is marked.
    let key = request.headers().values().find(|value| value.is_sensitive()).cloned();
    let mut response = timeout_at(patience.until, client.execute(request))
        .await
        .map_err(|_| patience.lost(None))?
        .map_err(|err| lost(&err, None))?;
    let status = response.status().as_u16();
    // What is announced as too long need not be read to be refused.
    let announced = response.content_length().unwrap_or(0);
    let headers = std::mem::take(response.headers_mut());
    let read = if announced > MAX_REPLY_BYTES as u64 {
        Err(too_long(status))
    } else {
        timeout_at(patience.until, read(status, response.bytes_stream()))
            .await
            .map_err(|_| patience.lost(Some(status)))?
    };
    let body = match read {
        // A refusal whose words are lost is one all the same.
        Err(_) if Reach::of(status) != Reach::Done => Bytes::new(),
        read => without_key(key.as_ref(), read?),
    };
    Ok(Reply { status, headers, body })
}

async fn read(
    status: u16,
    stream: impl futures::Stream<Item = reqwest::Result<Bytes>>,
) -> Result<Bytes, Lost> {
    let mut stream = std::pin::pin!(stream);
    let (mut chunks, mut length) = (Vec::new(), 0);
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|err| lost(&err, Some(status)))?;
        length += chunk.len();
        if length > MAX_REPLY_BYTES {
            return Err(too_long(status));
        }
        chunks.push(chunk);
    }
    // A short answer comes as one chunk and is kept without a copy, a longer one is copied once.
    Ok(match <[Bytes; 1]>::try_from(chunks) {
        Ok([only]) => only,
        Err(chunks) => chunks.concat().into(),
    })
}

/// Masks the key of the request where the answer repeats it: whoever asked may act with a key that is not theirs to know.
fn without_key(key: Option<&HeaderValue>, body: Bytes) -> Bytes {
    let Some(key) = key.map(HeaderValue::as_bytes) else { return body };
    let Some(coded) = key.strip_prefix(b"Basic ") else {
        return without(key.strip_prefix(b"Bearer ").unwrap_or(key), body);
    };
    // A platform that takes a name and a password knows them by themselves.
    let Ok(pair) = BASE64.decode(coded) else { return without(coded, body) };
    let password = pair.splitn(2, |byte| *byte == b':').nth(1).unwrap_or_default();
    without(password, without(&pair, without(coded, body)))
}

fn without(key: &[u8], body: Bytes) -> Bytes {
    if key.len() < SHORTEST_SECRET {
        return body;
    }
    // Without an escape there is one way to write it, and a faster one to look for it.
    if memchr(b'\\', &body).is_none() && memmem::find(&body, key).is_none() {
        return body;
    }
    let mut masked = Vec::new();
    let (mut copied, mut read) = (0, 0);
    for at in memchr2_iter(key[0], b'\\', &body) {
        if at < read {
            continue;
        }
        if let Some(length) = spelled(&body[at..], key) {
            masked.extend_from_slice(&body[copied..at]);
            masked.extend_from_slice(MASKED.as_bytes());
            copied = at + length;
            read = copied;
        } else if body[at] == b'\\' {
            // An escape is one character, of which no part begins another.
            read = at + 2;
        }
    }
    if copied == 0 {
        return body;
    }
    masked.extend_from_slice(&body[copied..]);
    masked.into()
}

/// How many bytes the key takes at the beginning of a text, where it stands there: JSON may write any character as an escape.
fn spelled(text: &[u8], key: &[u8]) -> Option<usize> {
    const DIGITS: usize = 4;
    let mut rest = text;
    for &byte in key {
        rest = match rest {
            [b'\\', b'u', digits @ ..] if number(digits.get(..DIGITS)?) == Some(byte.into()) => {
                &digits[DIGITS..]
            }
            [b'\\', escaped, rest @ ..] if *escaped == byte => rest,
            [plain, rest @ ..] if *plain == byte => rest,
            _ => return None,
        };
    }
    Some(text.len() - rest.len())
}

fn number(digits: &[u8]) -> Option<u32> {
    u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

fn too_long(status: u16) -> Lost {
    let message = format!("the platform's answer is longer than {MAX_REPLY_BYTES} bytes");
    let failure = Failure {
        reach: Reach::of(status),
        status: Some(status),
        ..Failure::upstream_contract(message)
    };
    Lost::new(failure, Fault::Unusable)
}

/// Names the reason why there is no answer, or none that is whole. The error's own text is left out: it holds the URL, and ids with it.
fn lost(err: &reqwest::Error, status: Option<u16>) -> Lost {
    let failure = if err.is_timeout() {
        Failure::timeout()
    } else if err.is_connect() {
        Failure::network("no connection to the platform")
    } else if status.is_some() {
        Failure::upstream_contract("the platform's answer broke off before it was complete")
    } else {
        Failure::network("the connection broke before the platform answered")
    };
    // Once the status is known, so is how far the request came.
    let (fault, reach) = match status {
        Some(status) => (Fault::Unusable, Reach::of(status)),
        None if err.is_connect() => (Fault::Unconnected, Reach::Unsent),
        None => (Fault::Broken, Reach::Uncertain),
    };
    Lost::new(Failure { status, reach, ..failure }, fault)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_endless_answer_is_cut_off() {
        let chunk = Bytes::from(vec![b' '; 1 << 20]);
        let endless = futures::stream::repeat(chunk).map(Ok);
        let Lost { failure, .. } = read(200, endless).await.expect_err("too long");
        assert_eq!((failure.code.as_ref(), failure.status), ("upstream_contract", Some(200)));
    }

    #[test]
    fn a_key_that_is_repeated_is_masked_and_all_else_is_left_as_it_is() {
        let key = HeaderValue::from_static("a-key-of-more-than-16");
        let masked = |body: &'static [u8]| without_key(Some(&key), Bytes::from_static(body));
        assert_eq!(
            masked(b"{\"a-key-of-more-than-16\":1,\"b\":\"a-key-of-more-than-16\"}"),
            "{\"****\":1,\"b\":\"****\"}"
        );
        assert_eq!(masked(b"a-key-of-more-than-1"), "a-key-of-more-than-1");
        let short = HeaderValue::from_static("1");
        assert_eq!(without_key(Some(&short), Bytes::from_static(b"[1, 2]")), "[1, 2]");
    }

    #[test]
    fn a_key_is_masked_however_json_spells_it_and_whatever_word_it_goes_out_with() {
        for word in ["", "Bearer "] {
            let key = HeaderValue::from_str(&format!("{word}/key+of=more-than-16")).unwrap();
            let masked = |body: &'static str| without_key(Some(&key), Bytes::from(body));
            assert_eq!(masked(r#"{"a\\n":"//key+of=more-than-16"}"#), r#"{"a\\n":"/****"}"#);
            assert_eq!(masked(r#"["\/key+of=more-than-16\u"]"#), r#"["****\u"]"#);
            assert_eq!(masked(r#"["\u002F\u006bey\u002bof=more-than-16"]"#), r#"["****"]"#);
            for other in [r#"["\\/key+of"]"#, r#"["\/key+of=more-than-1\u00"]"#, r"\", r"\u"] {
                assert_eq!(masked(other), other);
            }
            // A backslash, and then the key.
            assert_eq!(masked(r#"["\\/key+of=more-than-16"]"#), r#"["\\****"]"#);
        }
    }
    #[test]
    fn a_name_with_a_password_is_masked_as_it_was_written_and_as_it_went_out() {
        let pair = "a-user:a-password-of-22-chars";
        let coded = BASE64.encode(pair);
        let key = HeaderValue::from_str(&format!("Basic {coded}")).unwrap();
        for said in [pair, &coded] {
            let body = format!(r#"{{"error":"{said} is wrong"}}"#);
            assert_eq!(without_key(Some(&key), body.into()), r#"{"error":"**** is wrong"}"#);
        }
        let body = Bytes::from_static(br#"["a-user","a-password-of-22-chars"]"#);
        assert_eq!(without_key(Some(&key), body), r#"["a-user","****"]"#);
    }
}
