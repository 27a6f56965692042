//! What the platform said last in a call: its status, and what it calls the request itself. It is for logs and records, and decides nothing.

use std::sync::{Mutex, MutexGuard, PoisonError};

use http::HeaderName;

use crate::upstream::Reply;

/// Carries the platform's own name of a request, which its operators can look up.
const NAME: HeaderName = HeaderName::from_static("x-request-id");

/// Longest name that is written down; usual ones have 16 to 36 characters.
const LONGEST: usize = 64;

/// What the platform said last.
#[derive(Debug, Default)]
pub(super) struct Said(Mutex<Last>);

#[derive(Debug, Clone, Default)]
pub(super) struct Last {
    /// Its status; none before there is one.
    pub(super) status: Option<u16>,
    /// Its name of the request; none where it tells none, as where an answer was kept.
    pub(super) name: Option<Box<str>>,
}

impl Said {
    pub(super) fn note(&self, reply: &Reply) {
        *self.last() = Last { status: Some(reply.status), name: name(reply) };
    }

    pub(super) fn take(&self) -> Last {
        std::mem::take(&mut *self.last())
    }

    /// It is whole after every step, so a panic elsewhere cannot leave it broken.
    fn last(&self) -> MutexGuard<'_, Last> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A name is of few kinds of characters; anything else that a header holds is not for logs.
fn name(reply: &Reply) -> Option<Box<str>> {
    let name = reply.headers.get(NAME)?.to_str().ok()?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
    let legal = !name.is_empty() && name.len() <= LONGEST && name.bytes().all(plain);
    legal.then(|| name.into())
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderMap, HeaderValue};

    use super::*;

    #[test]
    fn only_what_looks_like_the_name_of_a_request_is_one() {
        let named = |value: &str| {
            let headers = HeaderMap::from_iter([(NAME, HeaderValue::from_str(value).unwrap())]);
            let said = Said::default();
            said.note(&Reply { status: 502, headers, body: Bytes::new() });
            let Last { status, name } = said.take();
            assert_eq!(status, Some(502));
            name
        };
        assert_eq!(named("0b1c-4d.e:F_9").as_deref(), Some("0b1c-4d.e:F_9"));
        for other in ["", "a b", "<b>", "a\"b", &"a".repeat(LONGEST + 1)] {
            assert_eq!(named(other), None, "{other}");
        }
    }
}
