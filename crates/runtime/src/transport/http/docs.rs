//! The service's own document, and a page on which a person reads it and tries it out.
//!
//! Everything the page loads comes from this program; its policy lets it load nothing else.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use http::HeaderValue;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, X_CONTENT_TYPE_OPTIONS,
};

use super::refusal::Refusal;
use super::{Door, openapi};

const PAGE: &[u8] = include_bytes!("docs/page.html");
const START: &[u8] = include_bytes!("docs/start.js");
const SCRIPT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/swagger-ui-bundle.js"));
const STYLE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/swagger-ui.css"));

/// Its own files only; the library draws with inline styles and data images.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The files change with a release of the server only.
const FOR_AN_HOUR: HeaderValue = HeaderValue::from_static("public, max-age=3600");

pub(super) fn routes() -> Router<Arc<Door>> {
    let file = |kind: &'static str, content: &'static [u8]| {
        get(async move |State(door): State<Arc<Door>>, request: Request| {
            door.check_origin(&request.into_parts().0)?;
            Ok::<Response, Refusal>(shown(kind, Bytes::from_static(content)))
        })
    };
    Router::new()
        .route("/openapi.json", get(document))
        .route("/docs", file("text/html; charset=utf-8", PAGE))
        .route("/docs/", get(async || Redirect::permanent("../docs")))
        .route("/docs/start.js", file("text/javascript; charset=utf-8", START))
        .route("/docs/swagger-ui.js", file("text/javascript; charset=utf-8", SCRIPT))
        .route("/docs/swagger-ui.css", file("text/css; charset=utf-8", STYLE))
}

async fn document(State(door): State<Arc<Door>>, request: Request) -> Result<Response, Refusal> {
    door.check_origin(&request.into_parts().0)?;
    let written = door
        .openapi
        .get_or_init(|| openapi::document(&door.server, &door.settings.keys).to_string().into());
    Ok(shown("application/json", written.clone()))
}

fn shown(kind: &'static str, content: Bytes) -> Response {
    let headers: [(HeaderName, HeaderValue); 4] = [
        (CONTENT_TYPE, HeaderValue::from_static(kind)),
        (CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (CACHE_CONTROL, FOR_AN_HOUR),
    ];
    (headers, content).into_response()
}
