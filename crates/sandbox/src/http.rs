//! The way of a request: route, key, document, behavior, answer; knows no noun.

use std::sync::{Arc, atomic::Ordering};

use axum::{
    Router,
    body::Body,
    extract::{Query, Request, State},
    http::{HeaderMap, Method, Response, StatusCode},
    routing::get,
};
use serde_json::json;

use crate::{
    Inner, Served,
    answer::{self, Answer, Refusal, Reply},
    ask::Ask,
    check,
    keys::{self, Holder, Key},
    nouns::Behavior,
    operation::Access,
    page,
    path::{self, Variables},
};

/// No request of the platform is larger; files go elsewhere.
const MAX_BODY_BYTES: usize = 4 * 1024 * 1024;

/// The kinds of key the platform's document knows, by security scheme.
const ORGANIZATION: &str = "organizationKey";
const PARTNER: &str = "partnerKey";

pub(crate) fn router(inner: Arc<Inner>) -> Router {
    Router::new().route("/__sandbox/stats", get(stats)).fallback(answer).with_state(inner)
}

async fn stats(State(inner): State<Arc<Inner>>) -> Response<Body> {
    let stats = json!({ "requests": inner.requests.load(Ordering::Relaxed) });
    answer::response(StatusCode::OK, Some(&stats))
}

async fn answer(State(inner): State<Arc<Inner>>, request: Request) -> Response<Body> {
    inner.requests.fetch_add(1, Ordering::Relaxed);
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, MAX_BODY_BYTES).await else {
        return Refusal::bad_request("The body is too large or broke off").response();
    };
    let query = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri);
    let query = query.map(|Query(query)| query).unwrap_or_default();
    let asked = Asked {
        method: &parts.method,
        path: parts.uri.path(),
        query: &query,
        headers: &parts.headers,
        body: &body,
    };
    match asked.answer(&inner) {
        Ok(response) => response,
        Err(refusal) => refusal.response(),
    }
}

/// A request as received.
struct Asked<'a> {
    method: &'a Method,
    path: &'a str,
    query: &'a [(String, String)],
    headers: &'a HeaderMap,
    body: &'a [u8],
}

impl Asked<'_> {
    fn answer(&self, inner: &Inner) -> Result<Response<Body>, Refusal> {
        let (served, variables) = self.route(inner)?;
        let operation = &served.operation;
        let key = self.key(&operation.access)?;
        let read_only =
            key.is_some_and(|key| matches!(key.holder, Holder::Organization { writes: false, .. }));
        if read_only && !self.method.is_safe() {
            return Err(Refusal::forbidden());
        }
        let checked = check::check(operation, &variables, self.query, self.body)?;
        let ask = Ask {
            path: variables.into_iter().map(|(_, value)| value).collect(),
            page: page::asked(&checked.query, operation.dialect),
            query: checked.query,
            body: checked.body,
        };
        let answer = match &served.behavior {
            Some(behavior) => behave(inner, behavior, key, &ask)?,
            None => Answer::Done,
        };
        let success = &operation.success;
        Ok(match answer {
            Answer::Json(given) => {
                let content = success.content(&inner.document, given);
                answer::response(success.status, content.as_ref())
            }
            Answer::Done => answer::response(success.status, success.sample(&inner.document)),
        })
    }

    /// The first operation that fits; the most literal ones come first.
    fn route<'a>(&self, inner: &'a Inner) -> Result<(&'a Served, Variables), Refusal> {
        let path = path::segments(self.path);
        let mut known = false;
        for served in &inner.operations {
            if let Some(variables) = served.operation.template.matches(&path) {
                if served.operation.method == *self.method {
                    return Ok((served, variables));
                }
                known = true;
            }
        }
        Err(if known { Refusal::method() } else { Refusal::not_found() })
    }

    /// The key of the request, which must be of a kind that the operation takes.
    fn key(&self, access: &Access) -> Result<Option<Key>, Refusal> {
        let Access::Key { header, bearer, kinds } = access else { return Ok(None) };
        let sent = self.headers.get(header).and_then(|value| value.to_str().ok());
        let mut sent = sent.ok_or_else(Refusal::unauthorized)?;
        if *bearer {
            sent = sent.strip_prefix("Bearer ").unwrap_or(sent);
        }
        let key = keys::find(sent.trim()).ok_or_else(Refusal::unauthorized)?;
        let kind = match key.holder {
            Holder::Organization { .. } => ORGANIZATION,
            Holder::Partner => PARTNER,
        };
        // A document with kinds of its own says nothing of ours.
        let foreign = !kinds.iter().any(|kind| kind == ORGANIZATION || kind == PARTNER);
        let fits = foreign || kinds.iter().any(|wanted| wanted == kind);
        if fits { Ok(Some(key)) } else { Err(Refusal::unauthorized()) }
    }
}

fn behave(inner: &Inner, behavior: &Behavior, key: Option<Key>, ask: &Ask) -> Reply {
    let world = &inner.world;
    match (behavior, key.map(|key| key.holder)) {
        (Behavior::Read(run), Some(Holder::Organization { tenant, .. })) => {
            Ok(Answer::Json(run(ask, &world.tenant(tenant))))
        }
        (Behavior::PartnerRead(run), Some(Holder::Partner)) => Ok(Answer::Json(run(ask, world))),
        (Behavior::Tenant(run), Some(Holder::Organization { tenant, .. })) => {
            run(ask, &mut world.tenant(tenant))
        }
        (Behavior::Across(run), Some(Holder::Organization { tenant, .. })) => {
            run(ask, world, tenant)
        }
        (Behavior::Partner(run), Some(Holder::Partner)) => run(ask, world),
        _ => Err(Refusal::unauthorized()),
    }
}
