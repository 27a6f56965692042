//! Resources: which there are, which one a URI means, and reading it.
//!
//! A resource is an entry seen as data; what it reads goes the same way as a tool call.

use std::borrow::Cow;

use rmcp::model::{
    CacheScope, MetaObject, ReadResourceResult, Resource, ResourceContents, ResourceTemplate,
};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer};
use serde_json::{Map, Value, json};
use xyte_mcp_catalogue as model;

use super::{LIST_TTL_MS, Server, unless_cancelled};
use crate::caller::{Caller, Selection};
use crate::catalogue::nearest;
use crate::dispatch::{Call, View, dispatch};
use crate::failure::Failure;
use crate::service::Service;
use crate::text::quoted;

const JSON: &str = "application/json";

/// A document served as it is.
#[derive(Debug, Clone, Default)]
pub struct Document {
    /// Its URI.
    pub uri: String,
    /// Machine name.
    pub name: String,
    /// Title for people.
    pub title: String,
    /// When to read it.
    pub description: String,
    /// Media type.
    pub mime: String,
    /// The text; that of a document in the program itself is not copied.
    pub text: Cow<'static, str>,
}

/// All resources, listed once and matched by pattern.
#[derive(Debug)]
pub(super) struct Resources {
    list: Vec<(Resource, Option<usize>)>,
    templates: Vec<(ResourceTemplate, usize)>,
    patterns: Vec<(Pattern, usize)>,
    documents: Vec<Document>,
}

impl Resources {
    pub(super) fn new(service: &Service, documents: Vec<Document>) -> Self {
        let (mut list, mut templates, mut patterns) = (Vec::new(), Vec::new(), Vec::new());
        for (index, tool) in service.catalogue.tools.iter().enumerate() {
            let Some(resource) = tool.entry.resource.as_ref().filter(|_| service.offers(tool))
            else {
                continue;
            };
            patterns.push((Pattern::new(&resource.uri), index));
            patterns.push((Pattern::new(&resource.alias), index));
            if resource.uri.contains('{') {
                templates.push((template(resource), index));
            } else {
                list.push((listed(resource), Some(index)));
            }
        }
        list.extend(documents.iter().map(|document| {
            let resource = Resource::new(&document.uri, &document.name)
                .with_title(&document.title)
                .with_description(&document.description)
                .with_mime_type(&document.mime)
                .with_size(document.text.len() as u64);
            (resource, None)
        }));
        Self { list, templates, patterns, documents }
    }

    /// The resources that a selection shows; documents are always among them.
    pub(super) fn shown(&self, service: &Service, selection: &Selection) -> Vec<Resource> {
        let tools = &service.catalogue.tools;
        let shown = |tool: &Option<usize>| {
            tool.is_none_or(|tool| service.shows_resource(&tools[tool], selection))
        };
        self.list
            .iter()
            .filter(|(_, tool)| shown(tool))
            .map(|(resource, _)| resource.clone())
            .collect()
    }

    /// The templates that a selection shows.
    pub(super) fn shown_templates(
        &self,
        service: &Service,
        selection: &Selection,
    ) -> Vec<ResourceTemplate> {
        let tools = &service.catalogue.tools;
        let shown = self
            .templates
            .iter()
            .filter(|(_, tool)| service.shows_resource(&tools[*tool], selection));
        shown.map(|(template, _)| template.clone()).collect()
    }

    /// The tool that reads a URI, and the arguments in it.
    fn find(&self, uri: &str) -> Option<(usize, Map<String, Value>)> {
        self.patterns.iter().find_map(|(pattern, tool)| Some((*tool, pattern.matches(uri)?)))
    }

    fn missing(&self, uri: &str) -> ErrorData {
        let known = self.list.iter().map(|(resource, _)| resource.uri.as_str());
        let known =
            known.chain(self.templates.iter().map(|(template, _)| template.uri_template.as_str()));
        let hint = nearest(uri, known)
            .map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
        ErrorData::resource_not_found(
            format!("no resource `{}`{hint}", quoted(uri)),
            Some(json!({ "uri": uri })),
        )
    }
}

fn listed(resource: &model::Resource) -> Resource {
    Resource::new(&resource.uri, &resource.name)
        .with_title(&resource.title)
        .with_description(&resource.description)
        .with_mime_type(JSON)
}

fn template(resource: &model::Resource) -> ResourceTemplate {
    ResourceTemplate::new(&resource.uri, &resource.name)
        .with_title(&resource.title)
        .with_description(&resource.description)
        .with_mime_type(JSON)
}

impl Server {
    /// Reads a resource in the name of a caller.
    pub(super) async fn read(
        &self,
        context: &RequestContext<RoleServer>,
        caller: &Caller,
        uri: String,
    ) -> Result<ReadResourceResult, ErrorData> {
        let resources = &self.shared.resources;
        if let Some(document) = resources.documents.iter().find(|document| document.uri == uri) {
            let contents =
                ResourceContents::text(&*document.text, uri).with_mime_type(&document.mime);
            return Ok(ReadResourceResult::new(vec![contents])
                .with_ttl_ms(LIST_TTL_MS)
                .with_cache_scope(CacheScope::Public));
        }
        let (index, arguments) =
            resources.find(&uri).ok_or_else(|| resources.missing(&caller.redact(&uri)))?;
        let service = &self.shared.service;
        let tool = &service.catalogue.tools[index];
        let call = Call { tool, arguments, view: View::Resource };
        let answer = unless_cancelled(context, dispatch(service, caller, call))
            .await
            .map_err(|failure| refusal(&failure))?;
        let contents = ResourceContents::text(answer.shaped.text, uri).with_mime_type(JSON);
        let mut result = ReadResourceResult::new(vec![contents])
            .with_ttl_ms(0)
            .with_cache_scope(CacheScope::Private);
        let mut meta = answer.meta;
        if let Some(words) = tool.deprecation(tool.name()) {
            meta.insert("deprecated".to_owned(), words.into());
        }
        result.meta = Some(MetaObject(meta));
        Ok(result)
    }
}

/// Reading has no result for failures, so they are errors of the protocol, with the same facts as data.
fn refusal(failure: &Failure) -> ErrorData {
    let hint = failure.hint.as_deref().unwrap_or_default();
    let message = format!("{failure}. {hint}").trim_end().to_owned();
    let data = Some(json!({ "error": failure }));
    match (failure.code.as_ref(), failure.status) {
        (_, Some(404)) => ErrorData::resource_not_found(message, data),
        ("invalid_arguments", _) => ErrorData::invalid_params(message, data),
        _ => ErrorData::internal_error(message, data),
    }
}

/// A URI template whose variables each fill one segment.
#[derive(Debug)]
struct Pattern(Vec<Piece>);

#[derive(Debug)]
enum Piece {
    Literal(String),
    Variable(String),
}

impl Pattern {
    fn new(template: &str) -> Self {
        let mut pieces = Vec::new();
        let mut rest = template;
        while let Some((literal, (name, after))) =
            rest.split_once('{').and_then(|(l, r)| Some((l, r.split_once('}')?)))
        {
            pieces.push(Piece::Literal(literal.to_owned()));
            pieces.push(Piece::Variable(name.to_owned()));
            rest = after;
        }
        pieces.push(Piece::Literal(rest.to_owned()));
        Self(pieces)
    }

    fn matches(&self, uri: &str) -> Option<Map<String, Value>> {
        let mut arguments = Map::new();
        let mut rest = uri;
        for piece in &self.0 {
            match piece {
                Piece::Literal(literal) => rest = rest.strip_prefix(literal.as_str())?,
                Piece::Variable(name) => {
                    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
                    let (value, after) = rest.split_at(end);
                    arguments.insert(
                        name.clone(),
                        Value::String(decoded(value).filter(|value| !value.is_empty())?),
                    );
                    rest = after;
                }
            }
        }
        rest.is_empty().then_some(arguments)
    }
}

/// Undoes percent-encoding; a malformed escape is no match.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let mut digit = || char::from(rest.next()?).to_digit(16);
                u8::try_from(digit()? * 16 + digit()?).ok()?
            }
            plain => plain,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uri_matches_its_template_segment_by_segment() {
        let pattern = Pattern::new("device://{device_id}/status");
        assert_eq!(pattern.matches("device://a%2Fb/status").unwrap()["device_id"], json!("a/b"));
        for other in [
            "device:///status",
            "device://a/b/status",
            "device://a/status/x",
            "device://a",
            "device://%zz/status",
        ] {
            assert!(pattern.matches(other).is_none(), "{other}");
        }
        assert!(Pattern::new("devices://").matches("devices://").unwrap().is_empty());
    }
}
