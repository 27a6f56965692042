//! What operators ask: is it alive, is it ready, what did it count. No key, and no check of the Host header.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::StatusCode;
use http::header::{CONTENT_TYPE, WWW_AUTHENTICATE};
use serde_json::json;

use super::refusal::{Refusal, respond};
use super::{Door, key};
use crate::caller::{Address, Selection, Toolsets};
use crate::metrics;

pub(super) fn routes() -> Router<Arc<Door>> {
    Router::new()
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
}

async fn healthz() -> &'static str {
    "ok"
}

/// The catalogue is loaded before anything listens, so what is left to ask is whether it holds a tool for anybody, and whether what replicas share is there.
async fn readyz(State(door): State<Arc<Door>>) -> Response {
    let service = door.server.service();
    if let Err(gone) = service.ping().await {
        return not_ready(&gone.to_string());
    }
    let everything = Selection { toolsets: Toolsets::All, ..Selection::default() };
    match service.shown(&everything).len() {
        0 => not_ready("no tool is served: the chosen toolsets and read-only leave none"),
        tools => respond(StatusCode::OK, &json!({ "status": "ready", "tools": tools })),
    }
}

fn not_ready(reason: &str) -> Response {
    let body = json!({ "status": "not_ready", "reason": reason });
    respond(StatusCode::SERVICE_UNAVAILABLE, &body)
}

async fn metrics(State(door): State<Arc<Door>>, request: Request) -> Response {
    let token = door.settings.metrics_token.as_ref();
    if token.is_some_and(|token| !key::presents_token(request.headers(), token)) {
        let message = "metrics ask for a token of their own, as a bearer";
        let refusal = Refusal::new(StatusCode::UNAUTHORIZED, "invalid_token", message);
        let address = request.extensions().get::<Address>().copied();
        let mut refused = door.refuse(address, refusal).into_response();
        // A collector sends exactly this scheme.
        refused.headers_mut().insert(WWW_AUTHENTICATE, http::HeaderValue::from_static("Bearer"));
        return refused;
    }
    let text = door.server.service().metrics.text();
    ([(CONTENT_TYPE, metrics::MEDIA_TYPE)], text).into_response()
}
