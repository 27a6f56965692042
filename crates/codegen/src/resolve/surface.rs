//! Resources and routes: the other two faces of a read.

use xyte_mcp_catalogue::{Argument, Form, Location, Resource};

use super::{Context, answer, text};
use crate::diagnostic::Diagnostic;
use crate::overrides::{OperationOverride, ResourceOverride, Word};
use crate::spec::Operation;
use crate::spec::operation::variables;

/// Decides the resource of an operation.
pub(super) fn resource(
    context: &Context<'_>,
    operation: &Operation,
    overrides: &ResourceOverride,
    arguments: (&[Argument], &[String]),
    described: (&str, &str),
    findings: &mut Vec<Diagnostic>,
) -> Resource {
    let uri = overrides.uri.get_ref();
    check_template(operation, &overrides.uri, "resource", arguments, findings);
    let scheme_ends = uri.find("://");
    let legal_scheme = |scheme: &str| {
        scheme.starts_with(|first: char| first.is_ascii_lowercase())
            && scheme.bytes().all(|byte| {
                byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"+-.".contains(&byte)
            })
    };
    let printable = uri.bytes().all(|byte| byte.is_ascii_graphic());
    if !(printable && scheme_ends.is_some_and(|at| legal_scheme(&uri[..at]))) {
        findings.push(
            Diagnostic::overrides(
                "illegal-uri",
                overrides.uri.span(),
                format!("`{uri}` is no resource URI"),
            )
            .help("write `name://` or `name://{argument}/part`"),
        );
    }
    let columns = overrides.columns.as_deref().unwrap_or_default();
    answer::check_columns(
        context,
        operation,
        operation.answer.as_ref(),
        columns,
        Form::Object,
        findings,
    );
    let scheme =
        context.overrides.scheme.as_ref().map_or("api", |scheme| scheme.get_ref().as_str());
    let (title, description) = described;
    let own = |word: &Option<Word>, default: &str| {
        word.as_ref().map_or_else(|| default.to_owned(), |word| text::line(word.get_ref()))
    };
    Resource {
        alias: format!("{scheme}://{}", uri.replacen("://", "/", 1).trim_end_matches('/')),
        uri: uri.clone(),
        name: own(&overrides.name, &operation.id),
        title: own(&overrides.title, title),
        description: own(&overrides.description, description),
        columns: columns.iter().map(|column| column.get_ref().clone()).collect(),
    }
}

/// Checks the route of an operation.
pub(super) fn route(
    operation: &Operation,
    overrides: &OperationOverride,
    arguments: (&[Argument], &[String]),
    findings: &mut Vec<Diagnostic>,
) -> Option<String> {
    let route = overrides.route.as_ref()?;
    check_template(operation, route, "route", arguments, findings);
    let path = route.get_ref();
    if !path.starts_with('/') || !path.bytes().all(|byte| byte.is_ascii_graphic()) {
        findings.push(
            Diagnostic::overrides("illegal-route", route.span(), format!("`{path}` is no route"))
                .help("write `/name` or `/name/{argument}`"),
        );
    }
    Some(path.clone())
}

/// A template reads: only a GET can stand behind it, and its variables must name every required argument.
fn check_template(
    operation: &Operation,
    template: &Word,
    what: &str,
    (arguments, required): (&[Argument], &[String]),
    findings: &mut Vec<Diagnostic>,
) {
    let id = &operation.id;
    if operation.method != "GET" {
        let message = format!("`{id}` cannot be a {what}: it is a {}", operation.method);
        findings.push(
            Diagnostic::overrides("template-on-write", template.span(), message)
                .label("only a GET reads"),
        );
        return;
    }
    let variables = variables(template.get_ref());
    let usable = arguments
        .iter()
        .filter(|argument| matches!(argument.location, Location::Path | Location::Query));
    let usable: Vec<&str> = usable.map(|argument| argument.name.as_str()).collect();
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
