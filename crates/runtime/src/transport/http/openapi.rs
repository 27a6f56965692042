//! The service's own OpenAPI 3.1 document, written from the catalogue.
//!
//! It describes what this server serves within the operator's bounds, the same for every caller; MCP, which describes itself, is left out, and so is what is only there to say that it is not.

mod operation;
mod part;

use http::HeaderName;
use serde_json::{Map, Value, json};
use xyte_mcp_catalogue::Builtin;

use self::operation::{called, read};
use self::part::{fixed_paths, parameters, responses, schemas};
use super::key::{Access, KeySettings};
use crate::caller::Selection;
use crate::catalogue::Tool;
use crate::server::Server;

/// Tags of what belongs to no toolset.
const RESOURCES: &str = "resources";
const SERVICE: &str = "service";

/// Writes the document.
pub(super) fn document(server: &Server, keys: &KeySettings) -> Value {
    let service = server.service();
    let catalogue = &service.catalogue;
    let anybody = Selection::default();
    let tools: Vec<&Tool> = catalogue
        .tools
        .iter()
        .filter(|tool| service.offers(tool) && service.permits(tool, &anybody))
        // They have one answer, that there is none; who calls them all the same gets it.
        .filter(|tool| tool.entry.builtin != Some(Builtin::AsyncDisabled))
        .collect();
    let mut paths = fixed_paths(keys);
    for tool in &tools {
        if let (Some(route), Some(resource)) = (&tool.entry.route, &tool.entry.resource) {
            paths.insert(route.clone(), json!({ "get": read(tool, resource) }));
        }
        paths.insert(format!("/tools/{}", tool.name()), json!({ "post": called(service, tool) }));
    }
    let mut tags = vec![
        json!({ "name": RESOURCES, "description": "What is read most, one address each." }),
        json!({ "name": SERVICE, "description": "Lists, probes, and this document." }),
    ];
    tags.extend(
        catalogue
            .toolsets
            .iter()
            .filter(|toolset| tools.iter().any(|tool| tool.entry.toolset == toolset.name))
            .map(|toolset| json!({ "name": toolset.name, "description": toolset.description })),
    );
    let about = server.about();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": format!("{} over REST", about.title.as_deref().unwrap_or(&about.name)),
            "version": about.version,
            "description": "Every tool as a POST and every resource as a GET. They go the same way as calls over MCP, which is at `/mcp`: the same keys, limits and answers.",
        },
        "servers": [{ "url": "/" }, { "url": "/v1" }],
        "tags": tags,
        "security": security(keys),
        "paths": paths,
        "components": {
            "schemas": schemas(&tools),
            "parameters": parameters(catalogue),
            "responses": responses(),
            "headers": {
                "as_of": { "description": "When the answer was true.", "schema": { "type": "string", "format": "date-time" } },
            },
            "securitySchemes": security_schemes(keys),
        },
    })
}

/// Any one of the headers will do, and none where the server's own key serves whoever brings none.
fn security(keys: &KeySettings) -> Value {
    let named = keys.headers.iter().map(HeaderName::as_str).chain(["bearer"]);
    let mut choices: Vec<Value> = named.map(|name| json!({ name: [] })).collect();
    if matches!(keys.access, Access::OwnForAnyone(_)) {
        choices.push(json!({}));
    }
    Value::Array(choices)
}

fn security_schemes(keys: &KeySettings) -> Value {
    let mut schemes: Map<String, Value> = keys
        .headers
        .iter()
        .map(|header| {
            // Case means nothing to HTTP; to readers, and to tools that compare, this is how it is written.
            let name = header.as_str().to_ascii_uppercase();
            let scheme = json!({ "type": "apiKey", "in": "header", "name": name });
            (header.as_str().to_owned(), scheme)
        })
        .collect();
    schemes.insert("bearer".to_owned(), json!({ "type": "http", "scheme": "bearer" }));
    Value::Object(schemes)
}
