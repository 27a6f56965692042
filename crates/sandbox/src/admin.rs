//! What looks at a sandbox from behind, on a port of its own; knows no operation of the platform.

use std::sync::Arc;

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{Response, StatusCode},
    routing::{get, post},
};
use serde_json::{Value, json};

use crate::{
    Inner, Origin,
    answer::{self, Refusal},
    diff::diff,
    fault::Fault,
    happening::{self, Happening},
    moment,
    scenario::Scenario,
};

type Shared = State<Arc<Inner>>;
type Given = Result<Response<axum::body::Body>, Told>;

/// The routes, for whoever asks for `/`.
const ROUTES: &str = "\
GET    /stats     requests, most at once, by key, route and status
GET    /requests  the log, oldest first
DELETE /requests  log and counters begin anew
GET    /clock     virtual time and how it passes
POST   /clock     {\"advance\": SECONDS} and {\"pace\": \"fixed\" | \"running\" | \"step:SECONDS\"}
POST   /devices   {\"device\": ID, \"status\": \"offline\" | \"online\"}: it goes away or comes back
GET    /faults    the rules in force, each with the number of requests that fitted it
POST   /faults    adds rules, one a line: 500 method=GET query=page=7
DELETE /faults    no faults any more
GET    /state     what the tenants own
GET    /changes   what differs from the beginning
POST   /diff      {\"before\": STATE, \"after\": STATE}
POST   /reset     starts anew; {\"seed\": NUMBER, \"scenario\": NAME} choose another world
";

pub(crate) fn router(inner: Arc<Inner>) -> Router {
    Router::new()
        .route("/", get(async || ROUTES))
        .route("/stats", get(stats))
        .route("/requests", get(requests).delete(forget))
        .route("/clock", get(clock).post(set_clock))
        .route("/devices", post(happen))
        .route("/faults", get(faults).post(add_faults).delete(clear_faults))
        .route("/state", get(state))
        .route("/changes", get(changes))
        .route("/diff", post(compare))
        .route("/reset", post(reset))
        // An export is larger than what axum takes by default.
        .layer(axum::extract::DefaultBodyLimit::max(64 * 1024 * 1024))
        .with_state(inner)
}

/// What cannot be done, in a sentence.
struct Told(String);

impl axum::response::IntoResponse for Told {
    fn into_response(self) -> Response<axum::body::Body> {
        Refusal::bad_request(&self.0).response()
    }
}

impl<E: std::error::Error> From<E> for Told {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

fn shown(value: &Value) -> Response<axum::body::Body> {
    answer::response(StatusCode::OK, Some(value))
}

/// The JSON of a body; an empty one is an object without members.
fn read(body: &Bytes) -> Result<Value, Told> {
    if body.is_empty() {
        return Ok(json!({}));
    }
    let value: Value = serde_json::from_slice(body)?;
    if value.is_object() { Ok(value) } else { Err(Told("give a JSON object".to_owned())) }
}

async fn stats(State(inner): Shared) -> Response<axum::body::Body> {
    shown(&inner.log.stats())
}

async fn requests(State(inner): Shared) -> Response<axum::body::Body> {
    shown(&inner.log.view())
}

async fn forget(State(inner): Shared) -> StatusCode {
    inner.log.clear();
    StatusCode::NO_CONTENT
}

async fn clock(State(inner): Shared) -> Response<axum::body::Body> {
    time(&inner)
}

fn time(inner: &Inner) -> Response<axum::body::Body> {
    let now = moment::written(inner.clock.now());
    shown(&json!({ "now": now, "pace": inner.clock.pace().to_string() }))
}

async fn set_clock(State(inner): Shared, body: Bytes) -> Given {
    let wanted = read(&body)?;
    let pace = wanted.get("pace").map(|pace| pace.as_str().unwrap_or_default().parse());
    let advance = wanted.get("advance").map(|seconds| {
        seconds
            .as_u64()
            .ok_or_else(|| Told("`advance` takes seconds; time goes on only".to_owned()))
    });
    let (pace, advance) = (pace.transpose()?, advance.transpose()?);
    if pace.is_none() && advance.is_none() {
        return Err(Told("give `advance`, `pace` or both".to_owned()));
    }
    if let Some(pace) = pace {
        inner.clock.set_pace(pace);
    }
    inner.clock.advance(advance.unwrap_or_default());
    inner.world.settle(inner.clock.now());
    Ok(time(&inner))
}

async fn happen(State(inner): Shared, body: Bytes) -> Given {
    let wanted = read(&body)?;
    let happening = match wanted.get("status").and_then(Value::as_str) {
        Some("offline") => Happening::Away,
        Some("online") => Happening::Back,
        _ => return Err(Told("`status` takes offline or online".to_owned())),
    };
    let device = wanted.get("device").and_then(Value::as_str).unwrap_or_default();
    inner.world.settle(inner.clock.now());
    if !happening::happen(&inner.world, device, happening) {
        return Err(Told("`device` is the id of no device".to_owned()));
    }
    Ok(shown(&wanted))
}

async fn faults(State(inner): Shared) -> Response<axum::body::Body> {
    shown(&inner.faults.view())
}

async fn add_faults(State(inner): Shared, body: String) -> Given {
    let lines = body.lines().filter(|line| !line.trim().is_empty());
    let rules = lines.map(Fault::parse).collect::<Result<Vec<_>, _>>()?;
    inner.faults.add(&rules);
    Ok(shown(&inner.faults.view()))
}

async fn clear_faults(State(inner): Shared) -> StatusCode {
    inner.faults.clear();
    StatusCode::NO_CONTENT
}

async fn state(State(inner): Shared) -> Response<axum::body::Body> {
    shown(&inner.state())
}

async fn changes(State(inner): Shared) -> Response<axum::body::Body> {
    shown(&json!(inner.changes()))
}

async fn compare(body: Bytes) -> Given {
    let given = read(&body)?;
    let (Some(before), Some(after)) = (given.get("before"), given.get("after")) else {
        return Err(Told("give `before` and `after`".to_owned()));
    };
    Ok(shown(&json!(diff(before, after))))
}

async fn reset(State(inner): Shared, body: Bytes) -> Given {
    let wanted = read(&body)?;
    let mut origin = inner.origin().clone();
    if let Some(seed) = wanted.get("seed") {
        let seed = seed.as_u64();
        origin.seed = seed.ok_or_else(|| Told("`seed` takes a whole number".to_owned()))?;
    }
    if let Some(name) = wanted.get("scenario") {
        origin.scenario = Scenario::parse(name.as_str().unwrap_or_default())?;
    }
    let told = json!({ "seed": origin.seed, "scenario": origin.scenario.name });
    inner.reset(Origin { ..origin });
    Ok(shown(&told))
}
