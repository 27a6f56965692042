//! One operation as one entry of the catalogue.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use xyte_mcp_catalogue::{Class, Entry, ErrorRule, Resource};

use super::{
    Context, answer, arguments, consent, credential, error_rule, farewell, need_reason, surface,
    text,
};
use crate::diagnostic::Diagnostic;
use crate::overrides::{OperationOverride, ToolOverride, Word};
use crate::spec::Operation;
use crate::spec::operation::snake;

const LONGEST_NAME: usize = 40; // Clients put the server's name in front, and refuse 64 characters.

/// Decides everything about one exposed operation.
pub(super) fn resolve(
    context: &Context<'_>,
    operation: &Operation,
    overrides: &OperationOverride,
    findings: &mut Vec<Diagnostic>,
) -> Entry {
    let credential = credential::choose(context, operation, findings);
    let class = class(operation, overrides, findings);
    let resolved = answer::resolve(context, operation, overrides, findings);
    let mut arguments =
        arguments::resolve(context, operation, overrides, &resolved.consumed, findings);
    check_words(overrides, findings);
    let Face { title, description, resource, route } =
        face(context, operation, overrides, (&arguments, &resolved), findings);
    let annotations = annotations(operation, overrides, class, findings);
    let repeats = annotations["idempotentHint"] == false;
    let tool = json!({
        "name": name(&overrides.operation, &overrides.tool, findings),
        "title": title,
        "description": description,
        "inputSchema": arguments.schema(&resolved.answer, class, repeats),
        "outputSchema": resolved.schema,
        "annotations": annotations,
    });
    Entry {
        operation: operation.id.clone(),
        class,
        toolset: toolset(context, operation, overrides, findings),
        default: overrides.tool.default.as_ref().is_some_and(|default| *default.get_ref()),
        tool: tool.as_object().cloned().unwrap_or_default(),
        contract: None,
        until: overrides.tool.until.as_ref().map(|it| it.get_ref().clone()).unwrap_or_default(),
        deprecated: if operation.deprecated { farewell::REMARK.to_owned() } else { String::new() },
        aliases: overrides.tool.aliases.iter().map(|alias| alias.get_ref().clone()).collect(),
        method: operation.method.clone(),
        path: operation.path.clone(),
        experimental: is_experimental(&overrides.tool),
        builtin: None,
        names: Vec::new(),
        calls: consent::reads(context, overrides, findings),
        credential,
        consent: consent::resolve(overrides, &arguments.list, findings),
        arguments: arguments.list,
        optional_body: operation.body.as_ref().is_some_and(|body| !body.required),
        accept: operation.accept.clone(),
        media: operation.body.as_ref().map(|body| body.media.clone()).unwrap_or_default(),
        answer: resolved.answer,
        paging: resolved.paging,
        errors: errors(operation, overrides, findings),
        failures: operation.failures.clone(),
        resource,
        route,
        cache: overrides.cache.as_ref().map_or(class == Class::Read, |cache| *cache.get_ref()),
        example: arguments.example,
    }
}

/// What people see of a tool beside its schemas, and the other ways to what it answers.
struct Face {
    title: String,
    description: String,
    resource: Option<Resource>,
    route: Option<String>,
}

fn face(
    context: &Context<'_>,
    operation: &Operation,
    overrides: &OperationOverride,
    (arguments, resolved): (&arguments::Arguments, &answer::Resolved),
    findings: &mut Vec<Diagnostic>,
) -> Face {
    let title = title(operation, overrides);
    let description =
        farewell::told(description(operation, overrides), &overrides.tool, operation.deprecated);
    let readable = surface::Readable {
        context,
        operation,
        arguments: &arguments.list,
        required: &arguments.required,
        answer: &resolved.answer,
        row: resolved.row.as_ref(),
        title: &title,
        description: &description,
    };
    let resource =
        overrides.resource.as_ref().map(|resource| readable.resource(resource, findings));
    let route = readable.route(overrides, findings);
    Face { title, description, resource, route }
}

/// Whether the operator has to want the tool.
pub(super) fn is_experimental(tool: &ToolOverride) -> bool {
    tool.experimental.as_ref().is_some_and(|it| *it.get_ref())
}

/// Words that are there and say nothing are worse than the document's.
fn check_words(overrides: &OperationOverride, findings: &mut Vec<Diagnostic>) {
    let resource = overrides.resource.as_ref();
    let words = [
        ("tool.title", overrides.tool.title.as_ref()),
        ("description", overrides.description.as_ref()),
        ("resource.name", resource.and_then(|resource| resource.name.as_ref())),
        ("resource.title", resource.and_then(|resource| resource.title.as_ref())),
        ("resource.description", resource.and_then(|resource| resource.description.as_ref())),
    ];
    for (key, word) in words {
        if let Some(word) = word.filter(|word| word.get_ref().trim().is_empty()) {
            let message = format!("`{key}` of `{}` is empty", overrides.operation.get_ref());
            let fault = Diagnostic::overrides("empty-text", word.span(), message);
            findings.push(fault.help("leave the key out to keep the words of the document"));
        }
    }
}

fn is_read_method(method: &str) -> bool {
    matches!(method, "GET" | "HEAD" | "OPTIONS" | "TRACE")
}

/// The class by method, unless the overrides say otherwise and why.
fn class(
    operation: &Operation,
    overrides: &OperationOverride,
    findings: &mut Vec<Diagnostic>,
) -> Class {
    let default = match operation.method.as_str() {
        "DELETE" => Class::Destructive,
        method if is_read_method(method) => Class::Read,
        _ => Class::Write,
    };
    let Some(chosen) = &overrides.tool.class else { return default };
    let class = *chosen.get_ref();
    let milder = matches!(
        (default, class),
        (Class::Write | Class::Destructive, Class::Read) | (Class::Destructive, Class::Write)
    );
    if milder || (default == Class::Read && class != Class::Read) {
        let word = match class {
            Class::Read => "read-only",
            Class::Write => "a plain write",
            Class::Destructive => "destructive",
        };
        let message = format!(
            "`{}` is a {} and is called {word} without a reason",
            operation.id, operation.method
        );
        need_reason(overrides, chosen.span(), message, findings);
    }
    class
}

fn annotations(
    operation: &Operation,
    overrides: &OperationOverride,
    class: Class,
    findings: &mut Vec<Diagnostic>,
) -> Value {
    let by_method =
        is_read_method(&operation.method) || matches!(operation.method.as_str(), "PUT" | "DELETE");
    let idempotent = match &overrides.tool.idempotent {
        Some(chosen) if *chosen.get_ref() != by_method => {
            let message = format!(
                "the idempotence of `{}` contradicts its method {} without a reason",
                operation.id, operation.method
            );
            need_reason(overrides, chosen.span(), message, findings);
            *chosen.get_ref()
        }
        _ => by_method,
    };
    json!({
        "readOnlyHint": class == Class::Read,
        "destructiveHint": class == Class::Destructive,
        "idempotentHint": idempotent,
        "openWorldHint": true,
    })
}

/// The name of a tool that is called `default` unless the overrides say otherwise.
pub(super) fn name(default: &Word, tool: &ToolOverride, findings: &mut Vec<Diagnostic>) -> String {
    let word = tool.name.as_ref();
    let name = word.map_or_else(|| snake(default.get_ref()), |word| word.get_ref().clone());
    let aliases = tool.aliases.iter().map(|alias| (alias.get_ref().as_str(), alias.span()));
    let own = (name.as_str(), word.unwrap_or(default).span());
    for (name, span) in std::iter::once(own).chain(aliases) {
        let legal = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        if name.is_empty() || name.len() > LONGEST_NAME || !name.bytes().all(legal) {
            let legal: String = snake(name).chars().take(LONGEST_NAME).collect();
            findings.push(
                Diagnostic::overrides(
                    "illegal-name",
                    span,
                    format!("`{name}` is no name for a tool"),
                )
                .label(format!("`a` to `z`, `0` to `9` and `_`, at most {LONGEST_NAME} characters"))
                .help(format!("for example `{legal}`")),
            );
        }
    }
    name
}

fn title(operation: &Operation, overrides: &OperationOverride) -> String {
    let chosen = overrides.tool.title.as_ref().map(|title| title.get_ref().as_str());
    let summary = Some(operation.summary.as_str()).filter(|summary| !summary.is_empty());
    match chosen.or(summary) {
        Some(title) => text::line(title),
        None => snake(&operation.id).replace('_', " "),
    }
}

fn description(operation: &Operation, overrides: &OperationOverride) -> String {
    match &overrides.description {
        Some(description) => text::line(description.get_ref()),
        None if !operation.description.is_empty() => text::line(&operation.description),
        None if !operation.summary.is_empty() => text::line(&operation.summary),
        None => format!("Sends {} {}.", operation.method, text::line(&operation.path)),
    }
}

fn toolset(
    context: &Context<'_>,
    operation: &Operation,
    overrides: &OperationOverride,
    findings: &mut Vec<Diagnostic>,
) -> String {
    let Some(word) = &overrides.tool.toolset else {
        let tag = operation.tags.first().map(|tag| snake(tag)).filter(|name| !name.is_empty());
        if tag.is_none() {
            findings.push(
                Diagnostic::overrides(
                    "no-toolset",
                    overrides.operation.span(),
                    format!(
                        "`{}` has neither a tag nor a path that names a thing, so no toolset",
                        operation.id
                    ),
                )
                .help("name one: `tool = { toolset = \"…\" }`"),
            );
        }
        return tag.unwrap_or_default();
    };
    check_toolset(context, word, findings);
    word.get_ref().clone()
}

/// Reports a toolset that is not there.
pub(super) fn check_toolset(context: &Context<'_>, word: &Word, findings: &mut Vec<Diagnostic>) {
    if !context.toolsets.iter().any(|set| set.name == *word.get_ref()) {
        let fault = Diagnostic::overrides(
            "unknown-toolset",
            word.span(),
            format!("unknown toolset `{}`", word.get_ref()),
        )
        .label("neither a tag of the document nor under `[toolsets]`");
        findings.push(
            fault.nearest(word.get_ref(), context.toolsets.iter().map(|set| set.name.as_str())),
        );
    }
}

fn errors(
    operation: &Operation,
    overrides: &OperationOverride,
    findings: &mut Vec<Diagnostic>,
) -> BTreeMap<String, ErrorRule> {
    overrides.errors.iter().filter_map(|rule| error_rule(rule, Some(operation), findings)).collect()
}
