//! One tool as a POST, and one resource as a GET.

use serde_json::{Map, Value, json};
use xyte_mcp_catalogue as model;

use super::RESOURCES;
use super::part::{failures, narrowing, reference};
use crate::caller::Selection;
use crate::catalogue::Tool;
use crate::service::Service;

/// The name of the schema of a tool's answer.
pub(super) fn answer_name(tool: &Tool) -> String {
    format!("{}.answer", tool.name())
}

/// The name of the schema of a tool's arguments.
pub(super) fn arguments_name(tool: &Tool) -> String {
    format!("{}.arguments", tool.name())
}

/// A tool.
pub(super) fn called(service: &Service, tool: &Tool) -> Value {
    let schema = reference("schemas", &arguments_name(tool));
    let required = tool.schema().get("required").and_then(Value::as_array);
    let mut description = tool.served.description.as_deref().unwrap_or_default().to_owned();
    if !service.selects(tool, &Selection::default()) {
        let hint = format!(
            " Not among the tools that are shown: send `X-MCP-Toolsets: {}`.",
            tool.entry.toolset
        );
        description.push_str(&hint);
    }
    let called = json!({
        "operationId": tool.name(),
        "summary": tool.served.title,
        "description": description,
        "tags": [tool.entry.toolset],
        "parameters": narrowing(),
        "requestBody": {
            "required": required.is_some_and(|names| !names.is_empty()),
            "content": { "application/json": { "schema": schema, "example": tool.entry.example } },
        },
        "responses": answered(tool, &[400, 401, 403, 404, 408, 409, 413, 415, 422, 429, 500, 502, 503, 504]),
    });
    marked(called, tool)
}

/// Says of an operation that it is on its way out, where it is.
fn marked(mut operation: Value, tool: &Tool) -> Value {
    if !tool.entry.deprecated.is_empty() {
        operation["deprecated"] = true.into();
    }
    operation
}

/// A resource, with the tool's other arguments as the query.
pub(super) fn read(tool: &Tool, resource: &model::Resource) -> Value {
    let route = tool.entry.route.as_deref().unwrap_or_default();
    let shown = tool.schema().get("properties").and_then(Value::as_object);
    let mut properties = shown.cloned().unwrap_or_default();
    if tool.entry.answer.form == model::Form::Object {
        for (name, schema) in unshown() {
            properties.entry(name).or_insert(schema);
        }
    }
    let mut parameters: Vec<Value> = properties
        .iter()
        .map(|(name, schema)| parameter(tool, name, schema, route.contains(&format!("{{{name}}}"))))
        .collect();
    parameters.extend(narrowing());
    let read = json!({
        "operationId": format!("read_{}", resource.name),
        "summary": resource.title,
        "description": format!("{} The resource `{}`.", resource.description, resource.uri),
        "tags": [RESOURCES],
        "parameters": parameters,
        "responses": answered(tool, &[400, 401, 403, 404, 409, 422, 429, 500, 502, 503, 504]),
    });
    marked(read, tool)
}

/// What every object takes, whether or not the schema shows it.
fn unshown() -> [(&'static str, Value); 2] {
    [
        (
            "fields",
            json!({ "type": "array", "items": { "type": "string" }, "description": "Dotted names to show." }),
        ),
        (
            "format",
            json!({ "type": "string", "enum": ["table", "json"], "description": "`json` shows everything." }),
        ),
    ]
}

fn parameter(tool: &Tool, name: &str, schema: &Value, in_path: bool) -> Value {
    let mut schema = schema.clone();
    let members = schema.as_object_mut();
    let description = members.and_then(|members| {
        members.remove("default"); // A resource shows what it holds, not the tool's first rows.
        members.remove("description")
    });
    let mut parameter = json!({
        "name": name,
        "in": if in_path { "path" } else { "query" },
        "required": in_path,
        "schema": schema,
    });
    if schema["type"] == "array" {
        parameter["style"] = json!("form");
        parameter["explode"] = json!(false);
    }
    if let Some(description) = description {
        parameter["description"] = description;
    }
    if let Some(example) = tool.entry.example.get(name).filter(|_| in_path) {
        parameter["example"] = example.clone();
    }
    parameter
}

fn answered(tool: &Tool, statuses: &[u16]) -> Map<String, Value> {
    let schema = reference("schemas", &answer_name(tool));
    let mut responses = failures(statuses);
    responses.insert(
        "200".to_owned(),
        json!({
            "description": "The answer; in a dry run, the request that would have been sent.",
            "headers": { "X-MCP-As-Of": reference("headers", "as_of") },
            "content": { "application/json": { "schema": schema } },
        }),
    );
    responses
}
