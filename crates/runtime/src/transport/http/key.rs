//! Key headers become a [`Caller`]; it never prints what they hold.

use std::collections::BTreeMap;
use std::sync::Arc;

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use super::refusal::Refusal;
use crate::caller::{Caller, Key, KeyError};

/// How callers are told apart.
#[derive(Debug, Clone)]
pub struct KeySettings {
    /// Headers that carry a key, besides `Authorization`.
    pub headers: Vec<HeaderName>,
    /// What a key is called in error codes: `api_key` gives `missing_api_key`.
    pub noun: String,
    /// Shortest key that is accepted.
    pub min_length: usize,
    /// Whose keys are used.
    pub access: Access,
    /// What the operator gave callers in place of a key: it stands for the server's own keys, and never goes to the platform.
    pub token: Option<Key>,
}

/// Whose keys are used.
#[derive(Debug, Clone)]
pub enum Access {
    /// Every request brings its key.
    Tenants,
    /// The server's own keys serve whoever brings none; only for a loopback address, or where the operator opened it.
    OwnForAnyone(Arc<BTreeMap<String, Key>>),
    /// The server's own keys serve whoever presents what opens them; whoever presents another of them has that one alone.
    OwnForToken {
        /// The server's own keys, by credential.
        keys: Arc<BTreeMap<String, Key>>,
        /// What callers present to act with all of them: a token, or the one that stands for the server.
        openers: Arc<[Key]>,
    },
}

/// Finds out who calls.
pub(super) fn identify(headers: &HeaderMap, settings: &KeySettings) -> Result<Caller, Refusal> {
    let noun = &settings.noun;
    let brought = brought(headers, settings)?;
    let is_token = |key: &Key| is_one_of(key, settings.token.iter());
    match (&settings.access, brought) {
        (Access::Tenants, None) => {
            let names =
                settings.headers.iter().map(HeaderName::as_str).collect::<Vec<_>>().join(" or ");
            Err(Refusal::new(
                StatusCode::UNAUTHORIZED,
                format!("missing_{noun}"),
                format!("send an API key in the header {names}"),
            ))
        }
        (Access::OwnForAnyone(keys), None) => Ok(Caller::with_own_keys(keys.clone())),
        (Access::OwnForAnyone(keys), Some(key))
            if is_one_of(&key, keys.values()) || is_token(&key) =>
        {
            Ok(Caller::with_own_keys(keys.clone()))
        }
        (Access::Tenants, Some(key)) if is_token(&key) => Err(Refusal::new(
            StatusCode::FORBIDDEN,
            format!("invalid_{noun}"),
            "the server's token opens nothing here, since the server has no key of its own; send an API key",
        )),
        (Access::Tenants | Access::OwnForAnyone(_), Some(key))
            if key.length() < settings.min_length =>
        {
            Err(Refusal::new(
                StatusCode::FORBIDDEN,
                format!("invalid_{noun}"),
                format!(
                    "the API key is shorter than {} characters; send it whole, as it was made",
                    settings.min_length
                ),
            ))
        }
        (Access::Tenants | Access::OwnForAnyone(_), Some(key)) => Ok(Caller::with_key(key)),
        (Access::OwnForToken { .. }, None) => Err(unopened(StatusCode::UNAUTHORIZED)),
        (Access::OwnForToken { keys, openers }, Some(key)) => opened(&key, keys, openers),
    }
}

/// Who presents a key to a server that serves no stranger.
fn opened(
    key: &Key,
    keys: &Arc<BTreeMap<String, Key>>,
    openers: &[Key],
) -> Result<Caller, Refusal> {
    if is_one_of(key, openers.iter()) {
        return Ok(Caller::with_own_keys(keys.clone()));
    }
    let is_it = |own: &Key| own.digest() == key.digest();
    let own = keys.iter().filter(|(_, own)| is_it(own));
    let own: BTreeMap<_, _> = own.map(|(name, key)| (name.clone(), key.clone())).collect();
    if own.is_empty() {
        return Err(unopened(StatusCode::FORBIDDEN));
    }
    Ok(Caller::with_own_keys(Arc::new(own)))
}

fn unopened(status: StatusCode) -> Refusal {
    let message = "this server needs its own token or key in the request";
    Refusal::new(status, "invalid_token", message)
}

/// Whether a request presents one of the server's own keys, where it has any.
pub(super) fn presents_own(headers: &HeaderMap, settings: &KeySettings) -> bool {
    let (Access::OwnForAnyone(keys) | Access::OwnForToken { keys, .. }) = &settings.access else {
        return false;
    };
    matches!(brought(headers, settings), Ok(Some(key)) if is_one_of(&key, keys.values()))
}

/// Whether a request presents this very token as `Authorization: Bearer …`.
pub(super) fn presents_token(headers: &HeaderMap, token: &Key) -> bool {
    let values = headers.get_all(AUTHORIZATION).iter();
    let mut keys = values.filter_map(|value| Key::new(authorized(text(value).ok()?).ok()?).ok());
    keys.any(|key| is_one_of(&key, std::iter::once(token)))
}

/// Compares digests, and all of them: how long it takes says nothing about a key.
fn is_one_of<'a>(key: &Key, known: impl Iterator<Item = &'a Key>) -> bool {
    known.fold(false, |found, own| found | (own.digest() == key.digest()))
}

/// The key of a request; the same key in several headers is one.
fn brought(headers: &HeaderMap, settings: &KeySettings) -> Result<Option<Key>, Refusal> {
    let mut found: Option<Key> = None;
    let plain = settings.headers.iter().flat_map(|name| headers.get_all(name)).map(text);
    let authorization =
        headers.get_all(AUTHORIZATION).iter().map(|value| text(value).and_then(authorized));
    for candidate in plain.chain(authorization) {
        let candidate = candidate.map_err(|fault| match fault {
            Fault::Scheme => Refusal::new(
                StatusCode::UNAUTHORIZED,
                "unsupported_authorization",
                "the Authorization header takes an API key, with or without `Bearer` before it, and no other scheme",
            ),
            Fault::Unprintable => unprintable(&settings.noun),
        })?;
        let key = match Key::new(candidate) {
            Ok(key) => key,
            Err(KeyError::Empty) => continue,
            Err(KeyError::Unprintable) => return Err(unprintable(&settings.noun)),
        };
        match &found {
            Some(other) if *other != key => {
                let code = format!("conflicting_{}s", settings.noun);
                return Err(Refusal::new(
                    StatusCode::BAD_REQUEST,
                    code,
                    "the request carries two different API keys; send one, in one header",
                ));
            }
            _ => found = Some(key),
        }
    }
    Ok(found)
}

fn unprintable(noun: &str) -> Refusal {
    let message = "the API key holds characters that no key has; send it as it was made";
    Refusal::new(StatusCode::FORBIDDEN, format!("invalid_{noun}"), message)
}

#[derive(Debug, Clone, Copy)]
enum Fault {
    Scheme,
    Unprintable,
}

fn text(value: &HeaderValue) -> Result<&str, Fault> {
    value.to_str().map_err(|_| Fault::Unprintable)
}

/// `Bearer <key>` or the bare key; anything else with a blank in it is another scheme.
fn authorized(value: &str) -> Result<&str, Fault> {
    const BLANKS: [char; 2] = [' ', '\t'];
    let value = value.trim();
    match value.split_once(BLANKS) {
        None if value.eq_ignore_ascii_case("bearer") => Ok(""),
        None => Ok(value),
        Some((scheme, key))
            if scheme.eq_ignore_ascii_case("bearer") && !key.trim().contains(BLANKS) =>
        {
            Ok(key)
        }
        Some(_) => Err(Fault::Scheme),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "key-a-key-a-key-a-key-a-key-a-key-a";
    const B: &str = "key-b-key-b-key-b-key-b-key-b-key-b";

    const TOKEN: &str = "a-token-of-more-than-32-characters";

    fn settings(access: Access) -> KeySettings {
        let headers =
            vec![HeaderName::from_static("x-first-key"), HeaderName::from_static("x-api-key")];
        let token = Some(Key::new(TOKEN).unwrap());
        KeySettings { headers, noun: "api_key".to_owned(), min_length: 32, access, token }
    }

    fn own() -> Arc<BTreeMap<String, Key>> {
        Arc::new(BTreeMap::from([("c".to_owned(), Key::new(A).unwrap())]))
    }

    fn outcome(access: Access, headers: &[(&'static str, &str)]) -> Result<String, (u16, String)> {
        let headers = headers
            .iter()
            .map(|(name, value)| {
                (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())
            })
            .collect();
        let caller = identify(&headers, &settings(access)).map_err(|refusal| refusal.told())?;
        Ok(caller.key("c").unwrap().id())
    }

    fn id(key: &str) -> String {
        Key::new(key).unwrap().id()
    }

    fn refused(status: u16, error: &str) -> Result<String, (u16, String)> {
        Err((status, error.to_owned()))
    }

    #[test]
    fn a_key_is_taken_from_any_of_its_headers() {
        for header in [
            ("x-first-key", A.to_owned()),
            ("x-api-key", format!(" {A} ")),
            ("authorization", format!("bEARER {A}")),
            ("authorization", A.to_owned()),
        ] {
            assert_eq!(outcome(Access::Tenants, &[(header.0, &header.1)]), Ok(id(A)));
        }
        assert_eq!(
            outcome(
                Access::Tenants,
                &[("x-first-key", A), ("authorization", &format!("Bearer {A}"))]
            ),
            Ok(id(A))
        );
    }

    #[test]
    fn a_key_holds_no_tab() {
        for (header, value, outcome_of_it) in [
            ("authorization", format!("Bearer\t{A}"), Ok(id(A))),
            ("authorization", format!("{A}\t{A}"), refused(401, "unsupported_authorization")),
            ("x-api-key", format!("{A}\t{A}"), refused(403, "invalid_api_key")),
        ] {
            assert_eq!(outcome(Access::Tenants, &[(header, &value)]), outcome_of_it);
        }
    }

    #[test]
    fn a_request_without_a_usable_key_is_refused() {
        assert_eq!(outcome(Access::Tenants, &[]), refused(401, "missing_api_key"));
        assert_eq!(
            outcome(Access::Tenants, &[("x-api-key", "  ")]),
            refused(401, "missing_api_key")
        );
        assert_eq!(
            outcome(Access::Tenants, &[("x-api-key", "short")]),
            refused(403, "invalid_api_key")
        );
        assert_eq!(
            outcome(Access::Tenants, &[("x-api-key", A), ("x-first-key", B)]),
            refused(400, "conflicting_api_keys")
        );
        assert_eq!(
            outcome(Access::Tenants, &[("authorization", "Basic Zm9vOmJhcg==")]),
            refused(401, "unsupported_authorization")
        );
    }

    #[test]
    fn own_keys_serve_the_keyless_and_yield_to_a_brought_key() {
        assert_eq!(outcome(Access::OwnForAnyone(own()), &[]), Ok(id(A)));
        assert_eq!(outcome(Access::OwnForAnyone(own()), &[("x-api-key", B)]), Ok(id(B)));
    }

    #[test]
    fn the_servers_token_is_never_taken_for_a_key() {
        let token = [("authorization", &*format!("Bearer {TOKEN}"))];
        assert_eq!(outcome(Access::OwnForAnyone(own()), &token), Ok(id(A)));
        assert_eq!(outcome(Access::Tenants, &token), refused(403, "invalid_api_key"));
    }

    #[test]
    fn a_public_server_wants_its_token_or_its_own_key() {
        let openers = [TOKEN, A].map(|key| Key::new(key).unwrap());
        let access = || Access::OwnForToken { keys: own(), openers: openers.clone().into() };
        assert_eq!(outcome(access(), &[]), refused(401, "invalid_token"));
        assert_eq!(outcome(access(), &[("x-api-key", B)]), refused(403, "invalid_token"));
        assert_eq!(outcome(access(), &[("authorization", &format!("Bearer {TOKEN}"))]), Ok(id(A)));
        assert_eq!(outcome(access(), &[("x-api-key", A)]), Ok(id(A)));
    }
    #[test]
    fn an_own_key_that_does_not_stand_for_the_server_opens_no_other() {
        let own = [("c", A), ("partner", B)];
        let own = own.map(|(name, key)| (name.to_owned(), Key::new(key).unwrap()));
        let openers = Arc::new([Key::new(A).unwrap()]);
        let access = Access::OwnForToken { keys: Arc::new(own.into()), openers };
        let named = |key: &str| {
            let headers = HeaderMap::from_iter([(
                HeaderName::from_static("x-api-key"),
                HeaderValue::from_str(key).unwrap(),
            )]);
            let caller = identify(&headers, &settings(access.clone())).unwrap();
            ["c", "partner"].map(|name| caller.key(name).map(Key::id))
        };
        assert_eq!(named(A), [Some(id(A)), Some(id(B))]);
        assert_eq!(named(B), [None, Some(id(B))]);
    }
}
