//! Resources and routes: the other two faces of a read.

use serde_json::Value;
use xyte_mcp_catalogue::{Answer, Argument, Form, Location, Resource};

use super::{Context, answer, farewell, text};
use crate::diagnostic::Diagnostic;
use crate::overrides::{
    OperationOverride, Overrides, ResourceOverride, Word, Workflow, WorkflowArgument,
};
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
        check_uri(&overrides.uri, findings);
        let columns = overrides.columns.as_deref().unwrap_or_default();
        answer::check_columns(
            self.context,
            self.operation,
            (self.row, self.answer.form),
            columns,
            findings,
        );
        let own = |word: &Option<Word>, default: &str| {
            word.as_ref().map_or_else(|| default.to_owned(), |word| text::line(word.get_ref()))
        };
        // A whole fleet in whole rows would fill any window, so a list keeps the columns of its tool.
        let inherited = columns.is_empty() && self.answer.form == Form::List;
        let declared = || columns.iter().map(|column| column.get_ref().clone()).collect();
        Resource {
            alias: alias(self.context, uri),
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
        check_route(route, findings);
        Some(route.get_ref().clone())
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
        let in_url =
            |argument: &&Argument| matches!(argument.location, Location::Path | Location::Query);
        let usable: Vec<&str> =
            self.arguments.iter().filter(in_url).map(|argument| argument.name.as_str()).collect();
        check_variables(template, (what, id), (&usable, self.required), findings);
    }
}

/// Each variable must be an argument, and each required argument a variable.
fn check_variables(
    template: &Word,
    (what, id): (&str, &str),
    (usable, required): (&[&str], &[String]),
    findings: &mut Vec<Diagnostic>,
) {
    let variables = variables(template.get_ref());
    if let Some(twice) =
        variables.iter().enumerate().find(|(at, name)| variables[..*at].contains(name))
    {
        let message = format!("`{{{}}}` stands twice in the {what} of `{id}`", twice.1);
        findings.push(Diagnostic::overrides("variable-twice", template.span(), message));
    }
    let unknown: Vec<&str> =
        variables.iter().filter(|variable| !usable.contains(variable)).copied().collect();
    for variable in &unknown {
        let message = format!("`{{{variable}}}` is neither a path nor a query parameter of `{id}`");
        let fault = Diagnostic::overrides("unknown-variable", template.span(), message);
        findings.push(fault.nearest(variable, usable.iter().copied()));
    }
    if !unknown.is_empty() {
        return; // A misspelled variable would be reported twice.
    }
    for name in required.iter().filter(|name| !variables.contains(&name.as_str())) {
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

/// The resource of a computed tool: its whole answer.
pub(super) fn computed_resource(
    context: &Context<'_>,
    workflow: &Workflow,
    findings: &mut Vec<Diagnostic>,
) -> Option<Resource> {
    let overrides = workflow.resource.as_ref()?;
    check_uri(&overrides.uri, findings);
    check_computed(workflow, &overrides.uri, "resource", findings);
    let name = workflow.name.get_ref();
    let own = |word: &Option<Word>, default: &Option<Word>| {
        let word = word.as_ref().or(default.as_ref());
        word.map_or_else(|| name.clone(), |word| text::line(word.get_ref()))
    };
    Some(Resource {
        alias: alias(context, overrides.uri.get_ref()),
        uri: overrides.uri.get_ref().clone(),
        name: own(&overrides.name, &None),
        title: own(&overrides.title, &workflow.tool.title),
        description: own(&overrides.description, &workflow.description),
        columns: Vec::new(),
    })
}

/// The route of a computed tool.
pub(super) fn computed_route(
    workflow: &Workflow,
    findings: &mut Vec<Diagnostic>,
) -> Option<String> {
    let route = workflow.route.as_ref()?;
    check_route(route, findings);
    check_computed(workflow, route, "route", findings);
    Some(route.get_ref().clone())
}

fn check_computed(
    workflow: &Workflow,
    template: &Word,
    what: &str,
    findings: &mut Vec<Diagnostic>,
) {
    let name = |argument: &WorkflowArgument| argument.name.get_ref().clone();
    let usable: Vec<&str> =
        workflow.arguments.iter().map(|argument| argument.name.get_ref().as_str()).collect();
    let required: Vec<String> =
        workflow.arguments.iter().filter(|argument| argument.required).map(name).collect();
    let id = workflow.name.get_ref();
    check_variables(template, (what, id), (&usable, &required), findings);
}

/// The same under the server's own scheme.
fn alias(context: &Context<'_>, uri: &str) -> String {
    let scheme = context.overrides.scheme.as_ref();
    let scheme = scheme.map_or(DEFAULT_SCHEME, |scheme| scheme.get_ref().as_str());
    format!("{scheme}://{}", uri.replacen("://", "/", 1).trim_end_matches('/'))
}

fn check_uri(uri: &Word, findings: &mut Vec<Diagnostic>) {
    if !is_uri(uri.get_ref()) {
        let message = format!("`{}` is no resource URI", uri.get_ref());
        findings.push(
            Diagnostic::overrides("illegal-uri", uri.span(), message)
                .help("write `name://` or `name://{argument}/part`"),
        );
    }
}

fn check_route(route: &Word, findings: &mut Vec<Diagnostic>) {
    let path = route.get_ref();
    if !path.starts_with('/') || !path.bytes().all(|byte| byte.is_ascii_graphic()) {
        let message = format!("`{path}` is no route");
        findings.push(
            Diagnostic::overrides("illegal-route", route.span(), message)
                .help("write `/name` or `/name/{argument}`"),
        );
    }
    let first = path.trim_start_matches('/').split('/').next().unwrap_or_default();
    if OWN_ROUTES.contains(&first) {
        let message = format!("`{path}` belongs to the server itself");
        findings.push(
            Diagnostic::overrides("reserved-route", route.span(), message)
                .help("choose another first part"),
        );
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
