//! Reading one operation: what of it the typed client can carry, and what it cannot.

mod failures;

use serde_json::{Map, Value};
use xyte_mcp_catalogue::Location;

use super::carried::{asked_for, body_kind, example_of, is_header, is_json, kind, uncarried};
use super::derived::{id, tags};
use super::security::{is_for_the_service, security};
use super::{Body, Operation, Parameter, snake, variables};
use crate::diagnostic::Diagnostic;
use crate::spec::reference::{broken_references, follow};

/// Names of variables inside the functions that progenitor writes.
const RESERVED: [&str; 4] = ["header_map", "body", "encode_path", "self"];

/// Reads one operation, and keeps what it finds on the way.
pub(super) struct Reader<'a> {
    pub(super) root: &'a Value,
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) pointer: String,
    /// Security schemes of the operation, by alternative.
    pub(super) security: Vec<Vec<String>>,
    pub(super) faults: Vec<Diagnostic>,
}

impl Reader<'_> {
    pub(super) fn read(mut self, source: &Map<String, Value>, item: &Value) -> Operation {
        let text = |key: &str| {
            source.get(key).and_then(Value::as_str).unwrap_or_default().trim().to_owned()
        };
        self.check_whole(source, item);
        self.security = security(self.root, source);
        let parameters = self.parameters(source, item);
        self.check_path(&parameters);
        let body = self.body(source);
        let answer = self.answer(source);
        let failures = self.failures(source);
        self.check_references(&parameters, body.as_ref(), answer.as_ref());
        Operation {
            id: id(text("operationId"), self.method, self.path),
            method: self.method.to_uppercase(),
            path: self.path.to_owned(),
            summary: text("summary"),
            description: text("description"),
            tags: tags(source, self.path),
            parameters,
            body,
            accept: asked_for(self.root, source.get("responses")),
            answer,
            successes: super::successes(source),
            deprecated: source.get("deprecated") == Some(&Value::Bool(true)),
            failures,
            security: self.security,
            pointer: self.pointer,
            faults: self.faults,
        }
    }

    /// What keeps the whole operation from being called.
    fn check_whole(&mut self, source: &Map<String, Value>, item: &Value) {
        if matches!(self.method, "options" | "trace" | "head") {
            let fault =
                self.found("unsupported-method", &self.pointer, "the method is not carried");
            self.faults.push(fault.help("skip the operation"));
        }
        if source.contains_key("servers") || item.get("servers").is_some() {
            let fault =
                self.found("unsupported-servers", &self.pointer, "it has servers of its own");
            self.faults.push(
                fault.help(
                    "all calls go to one address; skip the operation, or patch `servers` away",
                ),
            );
        }
        if let Some(security) = source.get("security").filter(|security| !security.is_array()) {
            let message = format!("`security` is {}, not an array", kind(security));
            self.faults.push(self.found(
                "wrong-type",
                &format!("{}/security", self.pointer),
                message,
            ));
        }
        if self.path.chars().any(|character| character.is_control() || character == '\\')
            || !self.path.starts_with('/')
        {
            self.faults.push(self.found("illegal-path", &self.pointer, "the path is none"));
        }
    }

    /// Starts a finding that names the operation.
    fn found(
        &self,
        rule: &'static str,
        pointer: &str,
        message: impl std::fmt::Display,
    ) -> Diagnostic {
        let message = format!("{} {}: {message}", self.method.to_uppercase(), self.path);
        Diagnostic::document(rule, pointer, message)
    }

    fn follow(&mut self, value: &Value, pointer: &str) -> Option<Value> {
        match follow(self.root, value) {
            Ok(found) => Some(found.clone()),
            Err(reference) => {
                let fault =
                    self.found("broken-reference", pointer, format!("`{reference}` leads nowhere"));
                self.faults.push(
                    fault.help(
                        "a reference must lead to a part of this document, and not to itself",
                    ),
                );
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
            if let Some(list) = list.filter(|list| !list.is_array()) {
                let message = format!("`parameters` is {}, not an array", kind(list));
                self.faults.push(self.found(
                    "wrong-type",
                    &format!("{pointer}/parameters"),
                    message,
                ));
            }
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
                        self.faults.push(self.found(
                            "duplicate-parameter",
                            &parameter.pointer,
                            message,
                        ));
                    }
                    None => parameters.push(parameter),
                }
            }
        }
        self.check_names(&parameters);
        parameters
    }

    /// The typed client tells parameters apart by their names in snake case, wherever they are.
    fn check_names(&mut self, parameters: &[Parameter]) {
        let mut seen: Vec<(String, &str)> = Vec::new();
        for parameter in parameters {
            let name = snake(&parameter.name);
            if name.is_empty() || !parameter.name.is_ascii() || RESERVED.contains(&name.as_str()) {
                let message = format!(
                    "the parameter `{}` has a name that the typed client cannot have",
                    parameter.name
                );
                let fault = self.found("reserved-parameter", &parameter.pointer, message);
                self.faults.push(fault.help("skip the operation, or patch the parameter away"));
            }
            match seen.iter().find(|(known, _)| *known == name) {
                Some((_, other)) => {
                    let message = format!(
                        "the parameters `{other}` and `{}` have one name in Rust",
                        parameter.name
                    );
                    let fault = self.found("duplicate-parameter", &parameter.pointer, message);
                    self.faults.push(fault.help("skip the operation, or patch one of them away"));
                }
                None => seen.push((name, &parameter.name)),
            }
        }
    }

    fn parameter(&mut self, value: &Value, pointer: String) -> Option<Parameter> {
        let source = self.follow(value, &pointer)?;
        let text = |key: &str| source.get(key).and_then(Value::as_str).unwrap_or_default();
        let name = text("name").to_owned();
        let location = self.location(text("in"), (&source, &name), &pointer)?;
        let Some(schema) = source.get("schema").cloned() else {
            let message = format!("the parameter `{name}` has no `schema`");
            let fault = self.found("unsupported-parameter", &pointer, message);
            self.faults
                .push(fault.help("`content` in a parameter is not carried; patch in a `schema`"));
            return None;
        };
        let styles = if location == Location::Query { ["form", ""] } else { ["simple", ""] };
        let style = text("style");
        if !styles.contains(&style) {
            let message = format!("the parameter `{name}` has the style `{style}`");
            let fault = self.found("unsupported-parameter", &pointer, message);
            self.faults.push(fault.help(format!(
                "`{}` is carried; skip the operation, or patch the parameter away",
                styles[0]
            )));
            return None;
        }
        if let Some(cause) = uncarried(self.root, &source, &schema, location) {
            let message = format!("the parameter `{name}` {cause}");
            let fault = self.found("unsupported-parameter", &pointer, message);
            self.faults.push(fault.help("text, numbers and booleans are carried, in a query also arrays of them; skip the operation, or patch the parameter"));
            return None;
        }
        if location == Location::Header && !is_header(&name) {
            let message = format!("the header `{name}` cannot be sent by a caller");
            self.faults.push(self.found("unsupported-parameter", &pointer, message));
            return None;
        }
        let required = location == Location::Path
            || source.get("required").and_then(Value::as_bool) == Some(true);
        let example = source.get("example").or_else(|| schema.get("example")).cloned();
        let deprecated = source.get("deprecated") == Some(&Value::Bool(true));
        Some(Parameter {
            name,
            location,
            required,
            deprecated,
            description: text("description").trim().to_owned(),
            schema,
            example,
            pointer,
        })
    }

    /// Where a parameter is sent; nothing where no caller can send it.
    fn location(
        &mut self,
        place: &str,
        (source, name): (&Value, &str),
        pointer: &str,
    ) -> Option<Location> {
        match place {
            "path" => Some(Location::Path),
            "query" => Some(Location::Query),
            // The service writes these itself, and a key is nothing for a caller to fill in.
            "header" if is_for_the_service(self.root, source, &self.security) => None,
            "header" => Some(Location::Header),
            other => {
                let message = format!("the parameter `{name}` is in `{other}`");
                let fault = self.found("unsupported-parameter", pointer, message);
                let help = "path, query and header are carried; skip the operation, or patch the parameter";
                self.faults.push(fault.help(help));
                None
            }
        }
    }

    /// Every variable of the path must be a parameter, and every path parameter a variable.
    fn check_path(&mut self, parameters: &[Parameter]) {
        let variables = variables(self.path);
        let path: Vec<&Parameter> =
            parameters.iter().filter(|known| known.location == Location::Path).collect();
        for variable in &variables {
            if !path.iter().any(|parameter| parameter.name == *variable) {
                let message = format!("`{{{variable}}}` is in the path, but is no parameter");
                let fault = self.found("path-variable", &self.pointer, message);
                self.faults.push(fault.help("declare it under `parameters` with `in: path`"));
            }
        }
        for parameter in
            path.iter().filter(|parameter| !variables.contains(&parameter.name.as_str()))
        {
            let message = format!("the path parameter `{}` is not in the path", parameter.name);
            self.faults.push(self.found("path-variable", &parameter.pointer, message));
        }
    }

    fn body(&mut self, source: &Map<String, Value>) -> Option<Body> {
        let pointer = format!("{}/requestBody", self.pointer);
        let body = self.follow(source.get("requestBody")?, &pointer)?;
        let Some(content) =
            body.get("content").and_then(Value::as_object).filter(|content| !content.is_empty())
        else {
            self.faults.push(self.found("wrong-type", &pointer, "the body has no `content`"));
            return None;
        };
        let Some((media_type, media)) = body_kind(self.root, content) else {
            let kinds: Vec<&str> = content.keys().map(String::as_str).collect();
            let message = format!("a body of {} is not carried", kinds.join(", "));
            let fault = self.found("unsupported-body", &pointer, message);
            self.faults.push(fault.help(
                "JSON is carried, and application/x-www-form-urlencoded whose fields are text, numbers, booleans or arrays of them; skip the operation",
            ));
            return None;
        };
        let Some(schema) = media.get("schema").cloned() else {
            let fault = self.found("unsupported-body", &pointer, "the body has no schema");
            self.faults.push(fault.help("patch a schema in, or skip the operation"));
            return None;
        };
        let required = body.get("required").and_then(Value::as_bool) == Some(true);
        Some(Body { media: media_type, required, schema, example: example_of(media), pointer })
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
                None => {
                    let kinds: Vec<&str> =
                        content.into_iter().flatten().map(|(kind, _)| kind.as_str()).collect();
                    if !kinds.is_empty() && media.is_none() {
                        let message =
                            format!("the answer {status} is {}, not JSON", kinds.join(", "));
                        let fault = self.found("unsupported-answer", &pointer, message);
                        self.faults
                            .push(fault.help("only JSON answers are carried; skip the operation"));
                    }
                    empty.push(status.clone());
                }
            }
        }
        if schemas.len() > 1 {
            let statuses: Vec<&str> = schemas.iter().map(|(status, _)| status.as_str()).collect();
            let pointer = format!("{}/responses/{}", self.pointer, statuses[1]);
            let message =
                format!("the successes {} have different answers", statuses.join(" and "));
            let fault = self.found("two-success-types", &pointer, message);
            self.faults.push(
                fault
                    .label("a tool has one output schema")
                    .help("patch one of them away, or skip the operation"),
            );
        }
        if empty.is_empty() { schemas.into_iter().next().map(|(_, schema)| schema) } else { None }
    }

    /// A reference inside a schema that leads nowhere would leave the schema open without a word.
    fn check_references(
        &mut self,
        parameters: &[Parameter],
        body: Option<&Body>,
        answer: Option<&Value>,
    ) {
        let responses = format!("{}/responses", self.pointer);
        let schemas = parameters
            .iter()
            .map(|parameter| (&parameter.schema, parameter.pointer.clone()))
            .chain(body.map(|body| (&body.schema, body.pointer.clone())))
            .chain(answer.map(|answer| (answer, responses)));
        let mut broken = Vec::new();
        for (schema, pointer) in schemas {
            for reference in broken_references(self.root, schema) {
                broken.push(self.found(
                    "broken-reference",
                    &pointer,
                    format!("`{reference}` leads nowhere"),
                ));
            }
        }
        let help = "a reference must lead to a part of this document, and not to itself";
        self.faults.extend(broken.into_iter().map(|fault| fault.help(help)));
    }
}
