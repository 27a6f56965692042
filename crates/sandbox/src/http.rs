//! The way of a request: route, key, fault, document, behavior, answer; knows no noun.

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::{Query, Request, State},
    http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header},
};

use crate::{
    Inner, Served,
    answer::{self, Answer, Refusal, Reply},
    ask::Ask,
    check,
    fault::{Effect, Met},
    keys::{self, Holder, Key},
    log::Entry,
    moment,
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

/// Marks a response that must not be sent: the connection ends instead.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dropped;

pub(crate) fn router(inner: Arc<Inner>) -> Router {
    Router::new().fallback(answer).with_state(inner)
}

/// Counts a request, lets time pass, and answers it, unless a fault says otherwise.
async fn answer(State(inner): State<Arc<Inner>>, request: Request) -> Response<Body> {
    let now = inner.clock.tick();
    inner.world.settle(now);
    let (parts, body) = request.into_parts();
    let query = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri);
    let query = query.map(|Query(query)| query).unwrap_or_default();
    let asked = Asked {
        method: &parts.method,
        path: parts.uri.path(),
        query: &query,
        headers: &parts.headers,
    };
    let routed = asked.route(&inner);
    let access = routed.as_ref().ok().map(|(served, _)| &served.operation.access);
    let key = asked.bearer(access).map(|key| key.name);
    let met = Met { method: asked.method, path: asked.path, query: asked.query, key };
    let fault = inner.faults.meet(met, asked.headers);
    let open = inner.log.begin(Entry {
        at: now,
        method: parts.method.to_string(),
        path: asked.path.to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        route: routed.as_ref().ok().map(|(served, _)| served.operation.template.text().to_owned()),
        key,
        fault: fault.as_ref().ok().and_then(Option::as_ref).map(|(_, text)| text.clone()),
    });
    let done = async {
        let Ok(body) = axum::body::to_bytes(body, MAX_BODY_BYTES).await else {
            return Refusal::bad_request("The body is too large or broke off").response();
        };
        let done = routed.and_then(|routed| asked.answer(&inner, routed, &body));
        done.unwrap_or_else(|refusal| refusal.response())
    };
    let mut response = match fault {
        Ok(fault) => spoiled(fault.map(|(effect, _)| effect), done).await,
        Err(err) => Refusal::bad_request(&err.to_string()).response(),
    };
    if response.extensions().get::<Dropped>().is_none() {
        open.answered(response.status().as_u16());
    }
    if let Ok(date) = HeaderValue::from_str(&moment::http_date(now)) {
        response.headers_mut().insert(header::DATE, date);
    }
    response
}

/// The answer that `done` gives, with what goes wrong before it, instead of it or after it.
async fn spoiled(
    fault: Option<Effect>,
    done: impl Future<Output = Response<Body>>,
) -> Response<Body> {
    match fault {
        None => done.await,
        Some(Effect::Status { status, retry_after }) => {
            let mut response = Refusal::made_up(status).response();
            if let Some(seconds) = retry_after {
                response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
            }
            response
        }
        Some(Effect::Html) => {
            let page = "<html><body><h1>502 Bad Gateway</h1></body></html>\n";
            let mut response = Response::new(Body::from(page));
            *response.status_mut() = StatusCode::BAD_GATEWAY;
            let html = HeaderValue::from_static("text/html");
            response.headers_mut().insert(header::CONTENT_TYPE, html);
            response
        }
        Some(Effect::Hang) => std::future::pending().await,
        Some(Effect::DropBefore) => dropped(),
        Some(Effect::DropAfter) => {
            drop(done.await);
            dropped()
        }
        Some(Effect::Truncate) => halved(done.await).await,
        Some(Effect::Slow(delay)) => {
            let response = done.await;
            tokio::time::sleep(delay).await;
            response
        }
    }
}

fn dropped() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::BAD_GATEWAY;
    response.extensions_mut().insert(Dropped);
    response
}

async fn halved(response: Response<Body>) -> Response<Body> {
    let (parts, body) = response.into_parts();
    // The body is whole and in memory, so reading it cannot fail.
    let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
    Response::from_parts(parts, Body::from(bytes.slice(..bytes.len() / 2)))
}

/// A request as received.
struct Asked<'a> {
    method: &'a Method,
    path: &'a str,
    query: &'a [(String, String)],
    headers: &'a HeaderMap,
}

/// An operation with the values of its path.
type Routed<'a> = (&'a Served, Variables);

impl Asked<'_> {
    fn answer(
        &self,
        inner: &Inner,
        (served, variables): Routed<'_>,
        body: &[u8],
    ) -> Result<Response<Body>, Refusal> {
        let operation = &served.operation;
        let key = self.key(&operation.access)?;
        let read_only =
            key.is_some_and(|key| matches!(key.holder, Holder::Organization { writes: false, .. }));
        if read_only && !self.method.is_safe() {
            return Err(Refusal::forbidden());
        }
        let checked = check::check(operation, &variables, self.query, body)?;
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
    fn route<'a>(&self, inner: &'a Inner) -> Result<Routed<'a>, Refusal> {
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

    /// The key that the request carries, if it is one of ours.
    fn bearer(&self, access: Option<&Access>) -> Option<Key> {
        let (header, bearer) = match access {
            Some(Access::Key { header, bearer, .. }) => (header.as_str(), *bearer),
            _ => ("authorization", false),
        };
        let mut sent = self.headers.get(header)?.to_str().ok()?;
        if bearer {
            sent = sent.strip_prefix("Bearer ").unwrap_or(sent);
        }
        keys::find(sent.trim())
    }

    /// The key of the request, which must be of a kind that the operation takes.
    fn key(&self, access: &Access) -> Result<Option<Key>, Refusal> {
        let Access::Key { kinds, .. } = access else { return Ok(None) };
        let key = self.bearer(Some(access)).ok_or_else(Refusal::unauthorized)?;
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
