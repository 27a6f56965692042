//! Resources and routes: the other two faces of a read.

use serde_json::Value;
use xyte_mcp_catalogue::{Answer, Argument, Form, Location, Resource};

use super::{Context, answer, farewell, text};
use crate::diagnostic::Diagnostic;
use crate::overrides::{OperationOverride, Overrides, ResourceOverride, Word};
use crate::spec::Operation;
use crate::spec::operation::variables;

const DEFAULT_SCHEME: &str = "api";

/// First parts of routes that the server has on its own, or will have.
const OWN_ROUTES: [&str; 16] = [
    "config",
    "docs",
    "events",
    "healthz",
    "invoke",
    "mcp",
    "metrics",
    "openapi.json",
    "readyz",
    "resources",
    "sse",
    "tasks",
    "tools",
    "v1",
    "webhook",
    "x",
];

/// An operation that other faces than a tool may show.
pub(super) struct Readable<'a> {
    pub(super) context: &'a Context<'a>,
    pub(super) operation: &'a Operation,
    pub(super) arguments: &'a [Argument],
    pub(super) required: &'a [String],
    pub(super) answer: &'a Answer,
    /// Schema of what the columns are taken from.
    pub(super) row: Option<&'a Value>,
    pub(super) title: &'a str,
    pub(super) description: &'a str,
}

impl Readable<'_> {
    /// Decides the resource.
    pub(super) fn resource(
        &self,
        overrides: &ResourceOverride,
        findings: &mut Vec<Diagnostic>,
    ) -> Resource {
        let uri = overrides.uri.get_ref();
        self.check_template(&overrides.uri, "resource", findings);
        if !is_uri(uri) {
            let message = format!("`{uri}` is no resource URI");
            findings.push(
                Diagnostic::overrides("illegal-uri", overrides.uri.span(), message)
                    .help("write `name://` or `name://{argument}/part`"),
            );
        }
        let columns = overrides.columns.as_deref().unwrap_or_default();
        answer::check_columns(
            self.context,
            self.operation,
            (self.row, self.answer.form),
            columns,
            findings,
        );
        let scheme = self
            .context
            .overrides
            .scheme
            .as_ref()
            .map_or(DEFAULT_SCHEME, |scheme| scheme.get_ref().as_str());
        let own = |word: &Option<Word>, default: &str| {
            word.as_ref().map_or_else(|| default.to_owned(), |word| text::line(word.get_ref()))
        };
        // A whole fleet in whole rows would fill any window, so a list keeps the columns of its tool.
        let inherited = columns.is_empty() && self.answer.form == Form::List;
        let declared = || columns.iter().map(|column| column.get_ref().clone()).collect();
        Resource {
            alias: format!("{scheme}://{}", uri.replacen("://", "/", 1).trim_end_matches('/')),
            uri: uri.clone(),
            name: own(&overrides.name, &self.operation.id),
            title: own(&overrides.title, self.title),
            description: farewell::marked(
                own(&overrides.description, self.description),
                self.operation.deprecated,
            ),
            columns: if inherited { self.answer.columns.clone() } else { declared() },
        }
    }

    /// Checks the route.
    pub(super) fn route(
        &self,
        overrides: &OperationOverride,
        findings: &mut Vec<Diagnostic>,
    ) -> Option<String> {
        let route = overrides.route.as_ref()?;
        self.check_template(route, "route", findings);
        let path = route.get_ref();
        if !path.starts_with('/') || !path.bytes().all(|byte| byte.is_ascii_graphic()) {
            findings.push(
                Diagnostic::overrides(
                    "illegal-route",
                    route.span(),
                    format!("`{path}` is no route"),
                )
                .help("write `/name` or `/name/{argument}`"),
            );
        }
        let first = path.trim_start_matches('/').split('/').next().unwrap_or_default();
        if OWN_ROUTES.contains(&first) {
            findings.push(
                Diagnostic::overrides(
                    "reserved-route",
                    route.span(),
                    format!("`{path}` belongs to the server itself"),
                )
                .help("choose another first part"),
            );
        }
        Some(path.clone())
    }

    /// A template reads: only a GET can stand behind it, and its variables must name every required argument.
    fn check_template(&self, template: &Word, what: &str, findings: &mut Vec<Diagnostic>) {
        let id = &self.operation.id;
        if self.operation.method != "GET" {
            let message = format!("`{id}` cannot be a {what}: it is a {}", self.operation.method);
            findings.push(
                Diagnostic::overrides("template-on-write", template.span(), message)
                    .label("only a GET reads"),
            );
            return;
        }
        let variables = variables(template.get_ref());
        if let Some(twice) =
            variables.iter().enumerate().find(|(at, name)| variables[..*at].contains(name))
        {
            let message = format!("`{{{}}}` stands twice in the {what} of `{id}`", twice.1);
            findings.push(Diagnostic::overrides("variable-twice", template.span(), message));
        }
        let in_url =
            |argument: &&Argument| matches!(argument.location, Location::Path | Location::Query);
        let usable: Vec<&str> =
            self.arguments.iter().filter(in_url).map(|argument| argument.name.as_str()).collect();
        let unknown: Vec<&str> =
            variables.iter().filter(|variable| !usable.contains(variable)).copied().collect();
        for variable in &unknown {
            let message =
                format!("`{{{variable}}}` is neither a path nor a query parameter of `{id}`");
            let fault = Diagnostic::overrides("unknown-variable", template.span(), message);
            findings.push(fault.nearest(variable, usable.iter().copied()));
        }
        if !unknown.is_empty() {
            return; // A misspelled variable would be reported twice.
        }
        for name in self.required.iter().filter(|name| !variables.contains(&name.as_str())) {
            let message = format!(
                "`{id}` needs `{name}`, which the {what} `{}` does not give",
                template.get_ref()
            );
            findings.push(
                Diagnostic::overrides("missing-variable", template.span(), message)
                    .help(format!("put `{{{name}}}` into it")),
            );
        }
    }
}

/// The scheme under which every resource is also reachable.
pub(super) fn scheme(overrides: &Overrides, findings: &mut Vec<Diagnostic>) -> String {
    let Some(word) = &overrides.scheme else { return DEFAULT_SCHEME.to_owned() };
    if !is_uri(&format!("{}://", word.get_ref())) {
        findings.push(
            Diagnostic::overrides(
                "illegal-uri",
                word.span(),
                format!("`{}` is no scheme of a URI", word.get_ref()),
            )
            .help("use `a` to `z`, digits, `+`, `-` and `.`, with a letter first"),
        );
    }
    word.get_ref().clone()
}

fn is_uri(uri: &str) -> bool {
    let legal =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"+-.".contains(&byte);
    let scheme = uri.split_once("://").map_or("", |(scheme, _)| scheme);
    scheme.starts_with(|first: char| first.is_ascii_lowercase())
        && scheme.bytes().all(legal)
        && uri.bytes().all(|byte| byte.is_ascii_graphic())
}
