//! The document as progenitor gets it: the exposed operations only, self-contained, without words, answers as bytes.

use serde_json::{Map, Value, json};
use xyte_mcp_catalogue::Location;

use super::plain;
use super::signature::{Exposed, Slot, slots};
use crate::spec::Document;
use crate::spec::operation::rust_name;

/// Builds the document.
pub(super) fn narrow(document: &Document, exposed: &[Exposed<'_>]) -> Value {
    let mut paths = Map::new();
    for exposed in exposed {
        let item = paths.entry(exposed.operation.path.clone()).or_insert_with(|| json!({}));
        item[exposed.operation.method.to_lowercase()] = narrow_operation(&document.value, *exposed);
    }
    // The version goes out in a header, which is removed again: it must be one that a header can hold.
    json!({"openapi": "3.0.3", "info": {"title": "the API", "version": "1"}, "paths": paths})
}

fn narrow_operation(root: &Value, exposed: Exposed<'_>) -> Value {
    let bytes = json!({"description": "", "content": {"*/*": {}}});
    let mut parameters = Vec::new();
    let mut body = None;
    for slot in slots(exposed) {
        match slot {
            Slot::Parameter(parameter) => parameters.push(json!({
                "name": parameter.name,
                "in": match parameter.location {
                    Location::Path => "path",
                    Location::Header => "header",
                    Location::Query | Location::Body | Location::WholeBody => "query",
                },
                "required": parameter.required,
                "schema": plain::parameter(root, &parameter.schema),
            })),
            Slot::Body(source) if source.required => body = Some(plain::body(root, &source.schema)),
            Slot::Body(_) => body = Some(json!({})), // One that may be left out has no type that could be empty.
        }
    }
    let mut source = json!({
        "operationId": rust_name(&exposed.operation.id),
        "parameters": parameters,
        "responses": {"2XX": bytes, "4XX": bytes, "5XX": bytes},
    });
    if let Some(schema) = body {
        source["requestBody"] =
            json!({"required": true, "content": {"application/json": {"schema": schema}}});
    }
    source
}
