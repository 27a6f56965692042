//! The document's operations, ready to be matched and checked; knows nothing of what they mean.

use std::sync::OnceLock;

use axum::http::{Method, StatusCode};
use serde_json::{Map, Value};

use crate::page::{self, Dialect};
use crate::{path::Template, sample, schema};

/// One method on one path of the document.
#[derive(Debug)]
pub(crate) struct Operation {
    pub(crate) method: Method,
    pub(crate) template: Template,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) body: Option<Body>,
    pub(crate) success: Success,
    pub(crate) access: Access,
    pub(crate) dialect: Dialect,
}

/// A value in the path or the query.
#[derive(Debug)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    pub(crate) place: Place,
    pub(crate) required: bool,
    pub(crate) kind: Kind,
    pub(crate) default: Option<Value>,
    pub(crate) validator: Option<jsonschema::Validator>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Path,
    Query,
}

/// How the text of a parameter is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Integer,
    Number,
    Boolean,
    List,
    Text,
}

/// A request body.
#[derive(Debug)]
pub(crate) struct Body {
    pub(crate) required: bool,
    /// None when the body is not JSON.
    pub(crate) validator: Option<jsonschema::Validator>,
}

/// The answer of a request that goes well.
#[derive(Debug)]
pub(crate) struct Success {
    pub(crate) status: StatusCode,
    /// The media type object; none when the document promises no content.
    pub(crate) media: Option<Value>,
    sample: OnceLock<Value>,
}

impl Success {
    /// The answer the document alone gives, made at its first use.
    pub(crate) fn sample(&self, document: &Value) -> Option<&Value> {
        let media = self.media.as_ref()?;
        Some(self.sample.get_or_init(|| {
            let mut made = sample::of_media(document, media);
            page::end(&mut made);
            made
        }))
    }

    /// What a behavior gave, in the form that the document describes; none without content.
    pub(crate) fn content(&self, document: &Value, mut given: Value) -> Option<Value> {
        let media = self.media.as_ref()?;
        if let Some(described) = media.get("schema") {
            sample::fit(document, described, &mut given);
        }
        Some(given)
    }
}

/// Which key an operation asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Access {
    /// The document asks for none.
    Open,
    /// A key in `header`, of one of these kinds; a document with other kinds takes any.
    Key { header: String, bearer: bool, kinds: Vec<String> },
}

/// All operations of the document, most literal path first.
pub(crate) fn all(document: &Value) -> Vec<Operation> {
    const METHODS: &[&str] = &["get", "put", "post", "delete", "patch", "options", "head"];
    let mut operations = Vec::new();
    for (path, item) in document.get("paths").and_then(Value::as_object).into_iter().flatten() {
        let item = schema::resolve(document, item);
        for method in METHODS {
            let Some(stated) = item.get(*method).filter(|stated| stated.is_object()) else {
                continue;
            };
            let Ok(method) = Method::from_bytes(method.to_uppercase().as_bytes()) else { continue };
            let template = Template::parse(path);
            operations.push(operation(document, method, template, (item, stated)));
        }
    }
    operations.sort_by_key(|operation| operation.template.rank());
    operations
}

fn operation(
    document: &Value,
    method: Method,
    template: Template,
    (item, stated): (&Value, &Value),
) -> Operation {
    let success = success(document, stated);
    Operation {
        method,
        template,
        parameters: parameters(document, item, stated),
        body: body(document, stated),
        dialect: Dialect::read(success.media.as_ref()),
        success,
        access: access(document, stated),
    }
}

/// Parameters of the path item, replaced by those of the operation with the same name and place.
fn parameters(document: &Value, item: &Value, stated: &Value) -> Vec<Parameter> {
    let mut parameters: Vec<Parameter> = Vec::new();
    for level in [item, stated] {
        for parameter in level.get("parameters").and_then(Value::as_array).into_iter().flatten() {
            let Some(parameter) = self::parameter(document, schema::resolve(document, parameter))
            else {
                continue;
            };
            parameters
                .retain(|known| (&known.name, known.place) != (&parameter.name, parameter.place));
            parameters.push(parameter);
        }
    }
    parameters
}

fn parameter(document: &Value, stated: &Value) -> Option<Parameter> {
    let place = match stated.get("in")?.as_str()? {
        "path" => Place::Path,
        "query" => Place::Query,
        _ => return None,
    };
    let described = stated.get("schema").unwrap_or(&Value::Null);
    let resolved = schema::resolve(document, described);
    let kind = match schema::kind(resolved) {
        "integer" => Kind::Integer,
        "number" => Kind::Number,
        "boolean" => Kind::Boolean,
        "array" => Kind::List,
        _ => Kind::Text,
    };
    Some(Parameter {
        name: stated.get("name")?.as_str()?.to_owned(),
        place,
        required: place == Place::Path || stated.get("required") == Some(&Value::Bool(true)),
        kind,
        default: resolved.get("default").cloned(),
        validator: schema::validator(document, described),
    })
}

fn body(document: &Value, stated: &Value) -> Option<Body> {
    let body = schema::resolve(document, stated.get("requestBody")?);
    let json = body.get("content").and_then(Value::as_object).and_then(json_media);
    let described = json.and_then(|media| media.get("schema"));
    Some(Body {
        required: body.get("required") == Some(&Value::Bool(true)),
        validator: described.and_then(|described| schema::validator(document, described)),
    })
}

fn json_media(content: &Map<String, Value>) -> Option<&Value> {
    let json = |name: &str| name.starts_with("application/json") || name.contains("+json");
    content.iter().find(|(name, _)| json(name)).map(|(_, media)| media)
}

/// The lowest documented 2xx, then a range, then the default.
fn success(document: &Value, stated: &Value) -> Success {
    let responses = stated.get("responses").and_then(Value::as_object);
    let mut codes: Vec<&String> = responses.into_iter().flatten().map(|(code, _)| code).collect();
    codes.retain(|code| code.starts_with('2') || code.as_str() == "default");
    codes.sort();
    let code = codes.first().map_or("204", |code| code.as_str());
    let response = responses.and_then(|responses| responses.get(code));
    let content = response.map(|response| schema::resolve(document, response));
    let content = content.and_then(|response| response.get("content")).and_then(Value::as_object);
    let media = content.and_then(json_media).cloned();
    let silent = if media.is_some() { StatusCode::OK } else { StatusCode::NO_CONTENT };
    let status = code.parse().ok().and_then(|code| StatusCode::from_u16(code).ok());
    Success { status: status.unwrap_or(silent), media, sample: OnceLock::new() }
}

fn access(document: &Value, stated: &Value) -> Access {
    let security = stated.get("security").or_else(|| document.get("security"));
    let mut kinds = Vec::new();
    for alternative in security.and_then(Value::as_array).into_iter().flatten() {
        let names = alternative.as_object().map(|names| names.keys().cloned().collect::<Vec<_>>());
        match names {
            Some(names) if !names.is_empty() => kinds.extend(names),
            _ => return Access::Open,
        }
    }
    let Some(first) = kinds.first() else { return Access::Open };
    let scheme = document.pointer("/components/securitySchemes").and_then(|all| all.get(first));
    let scheme = scheme.map_or(&Value::Null, |scheme| schema::resolve(document, scheme));
    let text = |member| scheme.get(member).and_then(Value::as_str);
    let in_header = text("type") == Some("apiKey") && text("in") == Some("header");
    let header = text("name").filter(|_| in_header).unwrap_or("Authorization");
    Access::Key { header: header.to_owned(), bearer: text("type") != Some("apiKey"), kinds }
}
