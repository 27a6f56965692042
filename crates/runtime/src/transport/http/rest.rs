//! The REST face: one GET per resource, one POST per tool, and what there is.
//!
//! Every request becomes a caller and a call, and goes the way every call goes; this module only says it in plain JSON.

mod answer;
mod arguments;

use std::sync::Arc;

use axum::extract::{FromRequestParts, RawPathParams, RawQuery, Request, State};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Extension, Router};
use http::StatusCode;
use http::request::Parts;
use serde_json::{Value, json};

use self::answer::Error;
pub(super) use self::answer::{STATUSES, failed};
use super::refusal::respond;
use super::{Door, key, message};
use crate::caller::{Caller, Selection, Toolsets};
use crate::catalogue::{Catalogue, Tool};
use crate::dispatch::{Call, View, dispatch};
use crate::failure::Failure;
use crate::server::Server;
use crate::text::quoted;

/// Whether the address renounces everything that changes something.
#[derive(Debug, Clone, Copy)]
struct ReadOnly(bool);

/// The routes of this face; all of them also stand below `/x/{toolsets}`, where they are narrowed.
pub(super) fn routes(server: &Server) -> Router<Arc<Door>> {
    let mut routes = Router::new()
        .route("/tools", get(tools))
        .route("/tools/{name}", post(call))
        .route("/resources", get(resources))
        .route("/config", get(config));
    let service = server.service();
    for tool in service.catalogue.tools.iter().filter(|tool| service.offers(tool)) {
        if let Some(route) = &tool.entry.route {
            let position = tool.position;
            let reading = async move |State(door): State<Arc<Door>>,
                                      admitted: Admitted,
                                      RawQuery(query): RawQuery| {
                let tool = &door.server.service().catalogue.tools[position];
                read(&door, tool, admitted, query).await
            };
            routes = routes.route(route, get(reading));
        }
    }
    let narrowed = |read_only| routes.clone().layer(Extension(ReadOnly(read_only)));
    Router::new()
        .nest("/x/{toolsets}/readonly", narrowed(true))
        .nest("/x/{toolsets}", narrowed(false))
        .merge(narrowed(false))
}

/// A request that was let in: who calls, with what they chose, and the variables of the address.
struct Admitted {
    caller: Caller,
    variables: Vec<(String, String)>,
}

impl FromRequestParts<Arc<Door>> for Admitted {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, door: &Arc<Door>) -> Result<Self, Error> {
        let path = RawPathParams::from_request_parts(parts, door).await;
        let read_only = parts.extensions.get::<ReadOnly>().is_some_and(|only| only.0);
        let mut selection = Selection { read_only, ..Selection::default() };
        let mut variables = Vec::new();
        for (name, value) in path.iter().flatten() {
            match name {
                "toolsets" => selection.toolsets = Toolsets::parse(value),
                _ => variables.push((name.to_owned(), value.to_owned())),
            }
        }
        let caller = door.caller(parts, selection)?;
        match path {
            Ok(_) => Ok(Self { caller, variables }),
            Err(_) => Err(Failure::invalid_arguments("the address is not UTF-8").into()),
        }
    }
}

/// Reads what a resource reads, with the tool's other arguments as the query.
async fn read(
    door: &Door,
    tool: &Tool,
    admitted: Admitted,
    query: Option<String>,
) -> Result<Response, Error> {
    let Admitted { caller, variables } = admitted;
    let arguments = arguments::of_address(tool, variables, query.as_deref())?;
    let call = Call { tool, arguments, view: View::Resource };
    let answer = dispatch(door.server.service(), &caller, call).await?;
    Ok(answer::with_meta(answer.shaped.text, &answer.meta))
}

/// Calls a tool with the body as its arguments.
async fn call(
    State(door): State<Arc<Door>>,
    admitted: Admitted,
    request: Request,
) -> Result<Response, Error> {
    let Admitted { caller, variables } = admitted;
    let (parts, body) = request.into_parts();
    let body = message::read(body, door.settings.body_limit).await?;
    let name = variables.first().map_or("", |(_, name)| name);
    let service = door.server.service();
    let tool = service
        .catalogue
        .find(name)
        .ok_or_else(|| no_such_tool(&service.catalogue, &caller.redact(name)))?;
    let arguments = arguments::of_body(&parts.headers, &body)?;
    let call = Call { tool, arguments, view: View::Tool };
    let answer = dispatch(service, &caller, call).await?;
    Ok(answer::with_meta(answer.shaped.structured.to_string(), &answer.meta))
}

/// The tools of this caller, as MCP lists them.
async fn tools(State(door): State<Arc<Door>>, admitted: Admitted) -> Response {
    let shown = door.server.service().shown(&admitted.caller.selection);
    respond(StatusCode::OK, &json!({ "tools": shown }))
}

/// The resources, as MCP lists them, each with its route.
async fn resources(State(door): State<Arc<Door>>, admitted: Admitted) -> Response {
    let (plain, templates) = door.server.resources(&admitted.caller.selection);
    let routed = |mut listed: Value, uri: &str| {
        let mut entries = door.server.service().catalogue.tools.iter().map(|tool| &tool.entry);
        let entry = entries
            .find(|entry| entry.resource.as_ref().is_some_and(|resource| resource.uri == uri));
        if let Some(route) = entry.and_then(|entry| entry.route.as_ref()) {
            listed["route"] = Value::String(route.clone());
        }
        listed
    };
    let plain = plain.iter().map(|resource| routed(json!(resource), &resource.uri));
    let templates =
        templates.iter().map(|template| routed(json!(template), &template.uri_template));
    let listed = json!({ "resources": plain.collect::<Value>(), "resourceTemplates": templates.collect::<Value>() });
    respond(StatusCode::OK, &listed)
}

/// The operator's settings, for whoever holds the server's own key; for others there is no such route.
async fn config(State(door): State<Arc<Door>>, request: Request) -> Result<Response, Error> {
    let (parts, _) = request.into_parts();
    door.check_origin(&parts)?;
    if key::presents_own(&parts.headers, &door.settings.keys) {
        return Ok(respond(StatusCode::OK, &door.settings.shown));
    }
    Err(no_such_route(parts.uri.path()).into())
}

pub(super) async fn no_route(State(door): State<Arc<Door>>, request: Request) -> Error {
    let (parts, _) = request.into_parts();
    match door.check_origin(&parts) {
        Ok(()) => no_such_route(parts.uri.path()).into(),
        Err(refusal) => refusal.into(),
    }
}

pub(super) async fn wrong_method(State(door): State<Arc<Door>>, request: Request) -> Error {
    let (parts, _) = request.into_parts();
    if let Err(refusal) = door.check_origin(&parts) {
        return refusal.into();
    }
    let message = format!("{} does not take {}", quoted(parts.uri.path()), parts.method);
    let hint = "The header Allow names what it takes; /openapi.json describes every route.";
    Failure::new("method_not_allowed", message).with_hint(hint).into()
}

fn no_such_tool(catalogue: &Catalogue, name: &str) -> Failure {
    let near = catalogue.nearest(name).map(|near| format!("Did you mean `{near}`? "));
    let hint = format!("{}GET /tools lists the tools.", near.unwrap_or_default());
    Failure::new("unknown_tool", format!("no tool `{}`", quoted(name))).with_hint(hint)
}

fn no_such_route(path: &str) -> Failure {
    Failure::new("unknown_route", format!("nothing is at `{}`", quoted(path)))
        .with_hint("/openapi.json describes every route, /docs shows it; MCP is at /mcp.")
}
