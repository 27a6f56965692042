//! One operation of the document: parameters, body, answer, and what the typed client could not carry.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use xyte_mcp_catalogue::Location;

use super::reference::follow;
use super::{METHODS, escape};
use crate::diagnostic::Diagnostic;

/// One operation, references of its own parts followed (those inside schemas are not).
#[derive(Debug, Clone)]
pub(crate) struct Operation {
    pub(crate) id: String,
    /// Upper case.
    pub(crate) method: String,
    pub(crate) path: String,
    /// Where it stands in the document.
    pub(crate) pointer: String,
    pub(crate) summary: String,
    pub(crate) description: String,
    pub(crate) tags: Vec<String>,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) body: Option<Body>,
    /// Schema of the JSON success answer, where the document gives one.
    pub(crate) answer: Option<Value>,
    /// Statuses of failures as the document writes them.
    pub(crate) failures: Vec<String>,
    /// Name of the first security scheme it asks for.
    pub(crate) credential: String,
    /// What keeps it from being exposed. A skipped operation may have any.
    pub(crate) faults: Vec<Diagnostic>,
}

/// A parameter in path, query or header.
#[derive(Debug, Clone)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    pub(crate) location: Location,
    pub(crate) required: bool,
    pub(crate) description: String,
    pub(crate) schema: Value,
    pub(crate) example: Option<Value>,
    pub(crate) pointer: String,
    /// The parameter as the document writes it, for the typed client.
    pub(crate) source: Value,
}

/// A JSON request body.
#[derive(Debug, Clone)]
pub(crate) struct Body {
    pub(crate) required: bool,
    pub(crate) schema: Value,
    pub(crate) example: Option<Value>,
    pub(crate) pointer: String,
}

/// Reads the operations of one path.
pub(crate) fn read_path(
    root: &Value,
    path: &str,
    item: &Value,
    findings: &mut Vec<Diagnostic>,
) -> Vec<Operation> {
    let pointer = format!("/paths/{}", escape(path));
    if item.get("$ref").is_some() {
        findings.push(
            Diagnostic::document(
                "path-reference",
                &pointer,
                format!("the path `{path}` is a reference to another file"),
            )
            .help("put the path item into the document itself"),
        );
        return Vec::new();
    }
    let Some(members) = item.as_object() else { return Vec::new() };
    METHODS
        .iter()
        .filter_map(|method| Some((*method, members.get(*method)?.as_object()?)))
        .map(|(method, source)| {
            Reader {
                root,
                method,
                path,
                pointer: format!("{pointer}/{method}"),
                faults: Vec::new(),
            }
            .read(source, item)
        })
        .collect()
}

/// Checks that every operation has an id of its own, also where two ids become one Rust name.
pub(crate) fn check_ids(operations: &mut [Operation], findings: &mut Vec<Diagnostic>) {
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    for operation in operations {
        let place = format!("{} {}", operation.method, operation.path);
        if operation.id.is_empty() {
            findings.push(
                Diagnostic::document(
                    "missing-operation-id",
                    &operation.pointer,
                    format!("{place} has no `operationId`"),
                )
                .label("the overrides and the typed client need a name for it")
                .help("add one with a `[[patch]]`"),
            );
            continue;
        }
        let rust_name = snake(&operation.id);
        if let Some(other) = seen.get(&rust_name) {
            let pointer = format!("{}/operationId", operation.pointer);
            findings.push(
                Diagnostic::document(
                    "duplicate-operation-id",
                    pointer,
                    format!("{place} and {other} share the operation id `{}`", operation.id),
                )
                .label("ids are compared as Rust names, in snake case")
                .help("rename one with a `[[patch]]`"),
            );
            operation.id.clear(); // The first one keeps the id, so that the rest can still be checked.
            continue;
        }
        seen.insert(rust_name, place);
    }
}

/// Writes a name in snake case, with nothing but `a-z`, `0-9` and `_`.
pub(crate) fn snake(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 4);
    let mut previous_lower = false;
    for character in name.chars() {
        if character.is_ascii_alphanumeric() {
            if character.is_ascii_uppercase() && previous_lower {
                out.push('_');
            }
            previous_lower = !character.is_ascii_uppercase();
            out.push(character.to_ascii_lowercase());
        } else {
            previous_lower = false;
            if !out.is_empty() && !out.ends_with('_') {
                out.push('_');
            }
        }
    }
    let out = out.trim_end_matches('_');
    if out.starts_with(|first: char| first.is_ascii_digit()) {
        format!("_{out}")
    } else {
        out.to_owned()
    }
}

struct Reader<'a> {
    root: &'a Value,
    method: &'a str,
    path: &'a str,
    pointer: String,
    faults: Vec<Diagnostic>,
}

impl Reader<'_> {
    fn read(mut self, source: &Map<String, Value>, item: &Value) -> Operation {
        let text = |key: &str| {
            source.get(key).and_then(Value::as_str).unwrap_or_default().trim().to_owned()
        };
        let tags = source.get("tags").and_then(Value::as_array);
        let parameters = self.parameters(source, item);
        self.check_path(&parameters);
        let body = self.body(source);
        let answer = self.answer(source);
        let failures = self.failures(source);
        Operation {
            id: text("operationId"),
            method: self.method.to_uppercase(),
            path: self.path.to_owned(),
            summary: text("summary"),
            description: text("description"),
            tags: tags
                .into_iter()
                .flatten()
                .filter_map(|tag| Some(tag.as_str()?.to_owned()))
                .collect(),
            parameters,
            body,
            answer,
            failures,
            credential: self.credential(source),
            pointer: self.pointer,
            faults: self.faults,
        }
    }

    fn fault(
        &mut self,
        rule: &'static str,
        pointer: String,
        message: impl Into<String>,
    ) -> &mut Diagnostic {
        let message = format!("{} {}: {}", self.method.to_uppercase(), self.path, message.into());
        self.faults.push(Diagnostic::document(rule, pointer, message));
        self.faults.last_mut().expect("one was pushed in the line before")
    }

    fn follow(&mut self, value: &Value, pointer: &str) -> Option<Value> {
        match follow(self.root, value) {
            Ok(found) => Some(found.clone()),
            Err(reference) => {
                self.fault(
                    "broken-reference",
                    pointer.to_owned(),
                    format!("`{reference}` leads nowhere"),
                )
                .help = "a reference must lead to a part of this document, and not to itself"
                    .to_owned();
                None
            }
        }
    }

    /// Parameters of the path item, replaced by those of the operation that have the same name and place.
    fn parameters(&mut self, source: &Map<String, Value>, item: &Value) -> Vec<Parameter> {
        let path_pointer =
            self.pointer.rsplit_once('/').map(|(parent, _)| parent.to_owned()).unwrap_or_default();
        let places = [
            (item.get("parameters"), path_pointer),
            (source.get("parameters"), self.pointer.clone()),
        ];
        let mut parameters: Vec<Parameter> = Vec::new();
        for (list, pointer) in places {
            let own_start = parameters.len();
            for (at, value) in list.and_then(Value::as_array).into_iter().flatten().enumerate() {
                let Some(parameter) = self.parameter(value, format!("{pointer}/parameters/{at}"))
                else {
                    continue;
                };
                let same = |known: &Parameter| {
                    known.name == parameter.name && known.location == parameter.location
                };
                match parameters.iter().position(same) {
                    Some(known) if known < own_start => parameters[known] = parameter,
                    Some(_) => {
                        let message = format!("the parameter `{}` stands twice", parameter.name);
                        self.fault("duplicate-parameter", parameter.pointer, message);
                    }
                    None => parameters.push(parameter),
                }
            }
        }
        parameters
    }

    fn parameter(&mut self, value: &Value, pointer: String) -> Option<Parameter> {
        let source = self.follow(value, &pointer)?;
        let text = |key: &str| source.get(key).and_then(Value::as_str).unwrap_or_default();
        let name = text("name").to_owned();
        let location = match text("in") {
            "path" => Location::Path,
            "query" => Location::Query,
            "header" if is_reserved_header(&name) => return None, // OpenAPI says that these are ignored.
            "header" => Location::Header,
            other => {
                let message = format!("the parameter `{name}` is in `{other}`");
                self.fault("unsupported-parameter", pointer, message).help =
                    "path, query and header are carried; skip the operation, or patch the parameter".to_owned();
                return None;
            }
        };
        let Some(schema) = source.get("schema").cloned() else {
            let message = format!("the parameter `{name}` has no `schema`");
            self.fault("unsupported-parameter", pointer, message).help =
                "`content` in a parameter is not carried; patch in a `schema`".to_owned();
            return None;
        };
        let styles = if location == Location::Query { ["form", ""] } else { ["simple", ""] };
        let style = text("style");
        if !styles.contains(&style) {
            let message = format!("the parameter `{name}` has the style `{style}`");
            self.fault("unsupported-parameter", pointer, message).help =
                format!("`{}` is carried", styles[0]);
            return None;
        }
        let required = location == Location::Path
            || source.get("required").and_then(Value::as_bool) == Some(true);
        let example = source.get("example").or_else(|| schema.get("example")).cloned();
        let description = text("description").trim().to_owned();
        Some(Parameter { name, location, required, description, schema, example, pointer, source })
    }

    /// Every variable of the path must be a parameter, and every path parameter a variable.
    fn check_path(&mut self, parameters: &[Parameter]) {
        let variables = variables(self.path);
        let path: Vec<&Parameter> =
            parameters.iter().filter(|known| known.location == Location::Path).collect();
        for variable in &variables {
            if !path.iter().any(|parameter| parameter.name == *variable) {
                let message = format!("`{{{variable}}}` is in the path, but is no parameter");
                self.fault("path-variable", self.pointer.clone(), message).help =
                    "declare it under `parameters` with `in: path`".to_owned();
            }
        }
        for parameter in
            path.iter().filter(|parameter| !variables.contains(&parameter.name.as_str()))
        {
            let message = format!("the path parameter `{}` is not in the path", parameter.name);
            self.fault("path-variable", parameter.pointer.clone(), message);
        }
    }

    fn body(&mut self, source: &Map<String, Value>) -> Option<Body> {
        let pointer = format!("{}/requestBody", self.pointer);
        let body = self.follow(source.get("requestBody")?, &pointer)?;
        let content = body.get("content").and_then(Value::as_object)?;
        if content.is_empty() {
            return None;
        }
        let Some((_, media)) = content.iter().find(|(kind, _)| is_json(kind)) else {
            let kinds: Vec<&str> = content.keys().map(String::as_str).collect();
            self.fault(
                "unsupported-body",
                pointer,
                format!("the body is {}, not JSON", kinds.join(", ")),
            )
            .help = "only JSON bodies are carried; skip the operation".to_owned();
            return None;
        };
        let Some(schema) = media.get("schema").cloned() else {
            self.fault("unsupported-body", pointer, "the JSON body has no schema").help =
                "patch a schema in, or skip the operation".to_owned();
            return None;
        };
        let required = body.get("required").and_then(Value::as_bool) == Some(true);
        Some(Body { required, schema, example: example_of(media), pointer })
    }

    /// Takes the schema of the success answer, which must be one.
    fn answer(&mut self, source: &Map<String, Value>) -> Option<Value> {
        let mut schemas: Vec<(String, Value)> = Vec::new();
        let responses = source.get("responses").and_then(Value::as_object);
        let mut empty = Vec::new();
        for (status, response) in
            responses.into_iter().flatten().filter(|(status, _)| status.starts_with('2'))
        {
            let pointer = format!("{}/responses/{status}", self.pointer);
            let Some(response) = self.follow(response, &pointer) else { continue };
            let content = response.get("content").and_then(Value::as_object);
            let media = content.into_iter().flatten().find(|(kind, _)| is_json(kind));
            match media.and_then(|(_, media)| media.get("schema")) {
                Some(schema) if schemas.iter().any(|(_, known)| known == schema) => {}
                Some(schema) => schemas.push((status.clone(), schema.clone())),
                None => empty.push(status.clone()),
            }
        }
        if schemas.len() > 1 {
            let statuses: Vec<&str> = schemas.iter().map(|(status, _)| status.as_str()).collect();
            let pointer = format!("{}/responses/{}", self.pointer, statuses[1]);
            let message =
                format!("the successes {} have different answers", statuses.join(" and "));
            let fault = self.fault("two-success-types", pointer, message);
            "a tool has one output schema".clone_into(&mut fault.label);
            "patch one of them away, or skip the operation".clone_into(&mut fault.help);
        }
        if empty.is_empty() { schemas.into_iter().next().map(|(_, schema)| schema) } else { None }
    }

    /// Lists the documented failures, and tells where the generator of the client alone would give up.
    fn failures(&mut self, source: &Map<String, Value>) -> Vec<String> {
        let responses = source.get("responses").and_then(Value::as_object);
        let mut statuses = Vec::new();
        let mut schemas: Vec<(String, Value)> = Vec::new();
        for (status, response) in responses
            .into_iter()
            .flatten()
            .filter(|(status, _)| !status.starts_with(['1', '2', '3']))
        {
            let pointer = format!("{}/responses/{status}", self.pointer);
            let Some(response) = self.follow(response, &pointer) else { continue };
            statuses.push(status.clone());
            let content = response.get("content").and_then(Value::as_object);
            match content
                .into_iter()
                .flatten()
                .find(|(kind, _)| is_json(kind))
                .and_then(|(_, media)| media.get("schema"))
            {
                Some(schema) => schemas.push((status.clone(), schema.clone())),
                None => {
                    let fault = self.fault(
                        "error-without-content",
                        pointer,
                        format!("the failure {status} has no JSON content"),
                    );
                    fault.severity = crate::diagnostic::Severity::Warning;
                    "its text is passed on as it comes".clone_into(&mut fault.label);
                }
            }
        }
        if let Some((status, _)) = schemas.iter().find(|(_, schema)| *schema != schemas[0].1) {
            let pointer = format!("{}/responses/{status}", self.pointer);
            let message =
                format!("the failures {} and {status} have different forms", schemas[0].0);
            let fault = self.fault("mixed-error-types", pointer, message);
            fault.severity = crate::diagnostic::Severity::Warning;
            "failures are read as they come, whatever their form".clone_into(&mut fault.label);
        }
        statuses
    }

    fn credential(&self, source: &Map<String, Value>) -> String {
        let security = source.get("security").or_else(|| self.root.get("security"));
        let first = security
            .and_then(Value::as_array)
            .and_then(|list| list.first())
            .and_then(Value::as_object);
        first.and_then(|schemes| schemes.keys().next()).cloned().unwrap_or_default()
    }
}

/// Lists the `{variables}` of a template.
pub(crate) fn variables(template: &str) -> Vec<&str> {
    template
        .split('{')
        .skip(1)
        .filter_map(|rest| rest.split_once('}'))
        .map(|(name, _)| name)
        .collect()
}

fn is_json(kind: &str) -> bool {
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind == "application/json" || kind.ends_with("+json") || kind == "*/*"
}

fn is_reserved_header(name: &str) -> bool {
    ["accept", "content-type", "authorization"]
        .iter()
        .any(|reserved| name.eq_ignore_ascii_case(reserved))
}

fn example_of(media: &Value) -> Option<Value> {
    let named = media
        .get("examples")
        .and_then(Value::as_object)
        .and_then(|examples| examples.values().next());
    media.get("example").or_else(|| named.and_then(|example| example.get("value"))).cloned()
}
