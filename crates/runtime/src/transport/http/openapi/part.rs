//! What the operations share: schemas, parameters, failures, and the routes that no catalogue names.

use serde_json::{Map, Value, json};

use super::SERVICE;
use super::operation::{answer_name, arguments_name};
use crate::catalogue::{Catalogue, Tool};
use crate::transport::http::key::{Access, KeySettings};
use crate::transport::http::rest::STATUSES;

/// What a status means, whatever the operation.
const FAILURES: [(u16, &str); 15] = [
    (400, "The arguments are wrong, or the request contradicts itself; nothing was sent."),
    (401, "No key, or one that the platform does not know."),
    (403, "The key may not do this, or the server is told not to."),
    (404, "No such object, tool or route."),
    (405, "The route takes another method."),
    (408, "The body did not arrive in time."),
    (409, "The object's state is in the way."),
    (413, "The body is too long."),
    (415, "The body is not JSON."),
    (422, "The platform does not accept the arguments."),
    (
        429,
        "Too many calls, or too many refused requests; `Retry-After` says when the next one passes.",
    ),
    (500, "The server is at fault."),
    (502, "The platform failed, or could not be reached."),
    (503, "Not available for now."),
    (504, "The platform did not answer in time."),
];

pub(super) fn reference(kind: &str, name: &str) -> Value {
    json!({ "$ref": format!("#/components/{kind}/{name}") })
}

/// These failures, by status.
pub(super) fn failures(statuses: &[u16]) -> Map<String, Value> {
    let named = statuses.iter().map(u16::to_string);
    named.map(|status| (status.clone(), reference("responses", &status))).collect()
}

/// Every failure once.
pub(super) fn responses() -> Map<String, Value> {
    let described = FAILURES.iter().map(|(status, description)| {
        let codes: Vec<&str> =
            STATUSES.iter().filter(|(_, known)| known == status).map(|(code, _)| *code).collect();
        let codes = match codes.as_slice() {
            [] => String::new(),
            codes => format!(" Codes of a call: `{}`.", codes.join("`, `")),
        };
        let mut response = json!({
            "description": format!("{description}{codes}"),
            "content": { "application/json": { "schema": reference("schemas", "failure") } },
        });
        if matches!(status, 429 | 503) {
            let header = json!({ "description": "Seconds to wait.", "schema": { "type": "integer", "minimum": 0 } });
            response["headers"] = json!({ "Retry-After": header });
        }
        (status.to_string(), response)
    });
    described.collect()
}

/// Schemas of arguments and answers, and of failures.
pub(super) fn schemas(served: &[&Tool]) -> Map<String, Value> {
    let mut schemas = Map::new();
    for tool in served {
        schemas.insert(arguments_name(tool), Value::Object(tool.schema().as_ref().clone()));
        let answer = tool.served.output_schema.as_deref().cloned().unwrap_or_default();
        schemas.insert(answer_name(tool), Value::Object(answer));
    }
    schemas.insert("failure".to_owned(), failure());
    schemas
}

/// A call that failed says what and why; a request that was not let in gets a code.
fn failure() -> Value {
    json!({
        "type": "object",
        "required": ["error"],
        "properties": {
            "error": {
                "anyOf": [
                    { "type": "string", "description": "Why the request was not let in." },
                    {
                        "type": "object",
                        "required": ["code", "message"],
                        "properties": {
                            "code": { "type": "string" },
                            "message": { "type": "string" },
                            "hint": { "type": "string", "description": "The next step." },
                            "status": { "type": "integer", "description": "The platform's status, where it answered." },
                            "retry_after_ms": { "type": "integer" },
                            "request_id": { "type": "string", "description": "Identifies the call in the server's log." },
                        },
                    },
                ],
            },
            "retry_after_seconds": { "type": "integer", "description": "With `rate_limit` and `too_many_refusals`: when the next call passes." },
        },
    })
}

/// How a request chooses among tools.
pub(super) fn parameters(catalogue: &Catalogue) -> Value {
    let names: Vec<&str> =
        catalogue.toolsets.iter().map(|toolset| toolset.name.as_str()).chain(["all"]).collect();
    json!({
        "toolsets": {
            "name": "X-MCP-Toolsets",
            "in": "header",
            "description": "Toolsets to choose from. A tool outside of them is not called; unset, only the default tools are.",
            "schema": { "type": "array", "items": { "type": "string", "enum": names } },
        },
        "tools": {
            "name": "X-MCP-Tools",
            "in": "header",
            "description": "Single tools, instead of the default ones; with toolsets, only those in both.",
            "schema": { "type": "array", "items": { "type": "string" } },
        },
        "exclude_tools": {
            "name": "X-MCP-Exclude-Tools",
            "in": "header",
            "description": "Single tools to leave out.",
            "schema": { "type": "array", "items": { "type": "string" } },
        },
        "readonly": {
            "name": "X-MCP-Readonly",
            "in": "header",
            "description": "Refuses everything that changes something.",
            "schema": { "type": "string", "enum": ["true", "false", "1", "0", "yes", "no", "on", "off", ""] },
        },
    })
}

/// How a request says what it chose.
pub(super) fn narrowing() -> Vec<Value> {
    ["toolsets", "tools", "exclude_tools", "readonly"]
        .map(|name| reference("parameters", name))
        .into()
}

/// The routes of the service itself.
pub(super) fn fixed_paths(keys: &KeySettings) -> Map<String, Value> {
    let list = |id: &str, summary: &str, member: &str| {
        let objects = json!({ "type": "array", "items": { "type": "object" } });
        let schema =
            json!({ "type": "object", "required": [member], "properties": { member: objects } });
        let mut responses = failures(&[400, 401, 403, 429]);
        responses.insert("200".to_owned(), answer("As MCP lists them.", &schema));
        json!({ "get": {
            "operationId": id,
            "summary": summary,
            "tags": [SERVICE],
            "parameters": narrowing(),
            "responses": responses,
        } })
    };
    let mut paths = Map::from_iter([
        ("/tools".to_owned(), list("list_tools", "The tools this caller may use", "tools")),
        (
            "/resources".to_owned(),
            list("list_resources", "The resources, with their routes", "resources"),
        ),
        ("/healthz".to_owned(), healthz()),
        ("/readyz".to_owned(), readyz()),
        ("/metrics".to_owned(), metrics()),
        (
            "/openapi.json".to_owned(),
            open("openapi", "This document", "application/json", &json!({ "type": "object" })),
        ),
        (
            "/docs".to_owned(),
            open("docs", "This document as a page", "text/html", &json!({ "type": "string" })),
        ),
    ]);
    if !matches!(keys.access, Access::Tenants) {
        let mut responses = failures(&[403, 404]);
        responses
            .insert("200".to_owned(), answer("Secrets are masked.", &json!({ "type": "object" })));
        let config = json!({ "get": {
            "operationId": "config",
            "summary": "The settings, for whoever presents the server's own key",
            "tags": [SERVICE],
            "responses": responses,
        } });
        paths.insert("/config".to_owned(), config);
    }
    paths
}

fn answer(description: &str, schema: &Value) -> Value {
    json!({ "description": description, "content": { "application/json": { "schema": schema } } })
}

fn open(id: &str, summary: &str, kind: &str, schema: &Value) -> Value {
    let mut responses = failures(&[403]);
    let content = json!({ kind: { "schema": schema } });
    responses.insert("200".to_owned(), json!({ "description": summary, "content": content }));
    json!({ "get": {
        "operationId": id, "summary": summary, "tags": [SERVICE], "security": [], "responses": responses,
    } })
}

fn healthz() -> Value {
    let text = json!({ "text/plain": { "schema": { "type": "string" } } });
    json!({ "get": {
        "operationId": "healthz", "summary": "Is it alive", "tags": [SERVICE], "security": [],
        "responses": { "200": { "description": "`ok`, without asking the platform.", "content": text } },
    } })
}

fn readyz() -> Value {
    let schema = json!({
        "type": "object",
        "required": ["status"],
        "properties": {
            "status": { "type": "string", "enum": ["ready", "not_ready"] },
            "tools": { "type": "integer" },
            "reason": { "type": "string" },
        },
    });
    json!({ "get": {
        "operationId": "readyz", "summary": "Can it serve", "tags": [SERVICE], "security": [],
        "responses": { "200": answer("It can.", &schema), "503": answer("It cannot, for a reason.", &schema) },
    } })
}

fn metrics() -> Value {
    let mut responses = failures(&[401, 429]);
    let text = json!({ "text/plain": { "schema": { "type": "string" } } });
    responses
        .insert("200".to_owned(), json!({ "description": "Prometheus text.", "content": text }));
    json!({ "get": {
        "operationId": "metrics", "summary": "What was counted", "tags": [SERVICE],
        "description": "Takes a token of its own as a bearer where the operator set one.",
        "security": [{}, { "bearer": [] }],
        "responses": responses,
    } })
}
