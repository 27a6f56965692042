//! Every default and every decision: document and overrides in, the catalogue out.
//!
//! Collects all faults instead of stopping at the first. Writes no text of its own but messages.

mod answer;
mod arguments;
mod consent;
mod credential;
mod entry;
pub(crate) mod farewell;
pub(crate) mod known;
mod naming;
mod prompt;
pub(crate) mod schema;
mod surface;
mod text;
mod unique;
mod workflow;

use std::collections::{BTreeMap, BTreeSet};

use xyte_mcp_catalogue::{Api, Catalogue, Entry, ErrorRule, Skipped, Toolset};

use crate::diagnostic::{Diagnostic, Severity};
use crate::overrides::{ErrorOverride, OperationOverride, Overrides};
use crate::spec::operation::snake;
use crate::spec::{Document, Operation};

/// The largest default set: beyond it, models choose worse.
pub(crate) const MOST_DEFAULT_TOOLS: usize = 30;

/// Decides everything that is served.
pub(crate) fn resolve(
    document: &Document,
    overrides: &Overrides,
    findings: &mut Vec<Diagnostic>,
) -> Catalogue {
    let toolsets = toolsets(document, overrides);
    check_toolsets(&toolsets, overrides, findings);
    check_names(document, overrides, findings);
    let context = Context { document, overrides, toolsets: &toolsets };
    let (exposed, skipped) = decide(&context, findings);
    unique::check(&exposed, &overrides.workflows, findings);
    consent::check_targets(&context, &exposed, findings);
    let names = naming::resolve(&context, &exposed, findings);
    let computed = overrides.workflows.iter().map(|it| workflow::resolve(&context, it, findings));
    let computed: Vec<Entry> = computed.collect();
    let mut entries: Vec<Entry> =
        exposed.into_iter().map(|exposed| exposed.entry).chain(computed).collect();
    let order: BTreeMap<&str, usize> =
        toolsets.iter().enumerate().map(|(at, set)| (set.name.as_str(), at)).collect();
    entries.sort_by_cached_key(|entry| {
        let set = order.get(entry.toolset.as_str()).copied().unwrap_or(usize::MAX);
        (set, entry.tool["name"].as_str().unwrap_or_default().to_owned())
    });
    naming::admit(&context, &names, &mut entries);
    let known = prompt::Known { entries: &entries, names: &names };
    let prompts = overrides.prompts.iter();
    let prompts = prompts.filter_map(|it| prompt::resolve(known, it, findings)).collect();
    let used: BTreeSet<&str> = entries.iter().map(|entry| entry.toolset.as_str()).collect();
    let errors =
        overrides.errors.iter().filter_map(|rule| error_rule(rule, None, findings)).collect();
    Catalogue {
        api: Api {
            title: text::line(&document.title),
            version: text::line(&document.version),
            server: document.server.clone(),
            credentials: credential::settings(document, overrides, findings),
            sending: credential::sending(document, overrides),
            scheme: surface::scheme(overrides, findings),
        },
        toolsets: toolsets.iter().filter(|set| used.contains(set.name.as_str())).cloned().collect(),
        errors,
        entries,
        prompts,
        names,
        skipped,
        version: String::new(),
    }
}

/// An operation that becomes a tool.
struct Exposed<'a> {
    operation: &'a Operation,
    overrides: &'a OperationOverride,
    entry: Entry,
}

/// Goes through the document: what is exposed, what is skipped, and what nobody decided on.
fn decide<'a>(
    context: &Context<'a>,
    findings: &mut Vec<Diagnostic>,
) -> (Vec<Exposed<'a>>, Vec<Skipped>) {
    let (mut exposed, mut skipped) = (Vec::new(), Vec::new());
    let named = context.document.operations.iter().filter(|operation| !operation.id.is_empty());
    for operation in named {
        let chosen = context
            .overrides
            .operations
            .iter()
            .find(|chosen| *chosen.operation.get_ref() == operation.id);
        let skip =
            context.overrides.skip.iter().find(|skip| *skip.operation.get_ref() == operation.id);
        match (chosen, skip) {
            (Some(overrides), None) => {
                findings.extend(operation.faults.iter().cloned());
                let entry = entry::resolve(context, operation, overrides, findings);
                exposed.push(Exposed { operation, overrides, entry });
            }
            (None, Some(skip)) => skipped.push(Skipped {
                operation: operation.id.clone(),
                method: operation.method.clone(),
                path: operation.path.clone(),
                reason: skip.reason.get_ref().clone(),
            }),
            (Some(_), Some(skip)) => {
                let message = format!("`{}` is both exposed and skipped", operation.id);
                findings.push(
                    Diagnostic::overrides("operation-twice", skip.operation.span(), message)
                        .help("remove it from `[skip]`, or remove its table under `[operations]`"),
                );
            }
            (None, None) => findings.push(undecided(operation)),
        }
    }
    (exposed, skipped)
}

/// What every part of the resolution may look at.
struct Context<'a> {
    document: &'a Document,
    overrides: &'a Overrides,
    toolsets: &'a [Toolset],
}

/// The document's tags in its order and in snake case, then the sets that only the overrides name.
fn toolsets(document: &Document, overrides: &Overrides) -> Vec<Toolset> {
    let mut sets: Vec<Toolset> = Vec::new();
    let used = document.operations.iter().flat_map(|operation| &operation.tags);
    let tags = document.tags.iter().map(|(name, description)| (name, description.as_str()));
    for (tag, description) in tags.chain(used.map(|tag| (tag, ""))) {
        let name = snake(tag);
        if !name.is_empty() && !sets.iter().any(|set| set.name == name) {
            sets.push(Toolset { name, description: text::line(description) });
        }
    }
    for change in &overrides.toolsets {
        let description = change.description.as_ref().map(|text| text.get_ref().clone());
        match sets.iter_mut().find(|set| set.name == *change.name.get_ref()) {
            Some(set) => set.description = description.unwrap_or_else(|| set.description.clone()),
            None => sets.push(Toolset {
                name: change.name.get_ref().clone(),
                description: description.unwrap_or_default(),
            }),
        }
    }
    sets
}

/// Callers select toolsets by name, separated by commas, and `all` means all.
fn check_toolsets(toolsets: &[Toolset], overrides: &Overrides, findings: &mut Vec<Diagnostic>) {
    for set in toolsets.iter().filter(|set| set.name == "all" || set.name != snake(&set.name)) {
        let message = format!("`{}` is no name for a toolset", set.name);
        let word = overrides.toolsets.iter().find(|change| *change.name.get_ref() == set.name);
        let fault = match word {
            Some(word) => Diagnostic::overrides("illegal-name", word.name.span(), message),
            None => Diagnostic::document("illegal-name", "/tags", message),
        };
        findings
            .push(fault.help("use `a` to `z`, `0` to `9` and `_`, and another name than `all`"));
    }
}

/// Reports operations in the overrides that the document does not have.
fn check_names(document: &Document, overrides: &Overrides, findings: &mut Vec<Diagnostic>) {
    let exposed = overrides.operations.iter().map(|entry| &entry.operation);
    for word in exposed.chain(overrides.skip.iter().map(|skip| &skip.operation)) {
        if !document.operations.iter().any(|operation| operation.id == *word.get_ref()) {
            let fault = Diagnostic::overrides(
                "unknown-operation",
                word.span(),
                format!("unknown operation `{}`", word.get_ref()),
            )
            .label("the document has no operation of this id");
            findings.push(fault.nearest(
                word.get_ref(),
                document.operations.iter().map(|operation| operation.id.as_str()),
            ));
        }
    }
}

fn undecided(operation: &Operation) -> Diagnostic {
    let (id, key) = (&operation.id, text::key(&operation.id));
    Diagnostic::document(
        "undecided-operation",
        format!("{}/operationId", operation.pointer),
        format!("nobody decided on `{id}` ({} {})", operation.method, operation.path),
    )
    .label("neither exposed nor skipped")
    .help(format!(
        "expose it with `[operations.{key}]`, or add `{key} = \"reason\"` under `[skip]`"
    ))
}

/// Checks one error rule; an operation's own must fit the statuses it documents.
fn error_rule(
    rule: &ErrorOverride,
    operation: Option<&Operation>,
    findings: &mut Vec<Diagnostic>,
) -> Option<(String, ErrorRule)> {
    let status = rule.status.get_ref();
    let legal = status.len() == 3
        && status.starts_with(['3', '4', '5'])
        && (status.ends_with("XX") || status.bytes().all(|byte| byte.is_ascii_digit()));
    if !legal {
        findings.push(
            Diagnostic::overrides(
                "illegal-status",
                rule.status.span(),
                format!("`{status}` is no failure status"),
            )
            .help("write a status such as `404`, or a class: `3XX`, `4XX`, `5XX`"),
        );
        return None;
    }
    if let Some(operation) = operation {
        let class = format!("{}XX", &status[..1]);
        let known = |documented: &String| {
            documented == status || *documented == class || documented == "default"
        };
        if !operation.failures.iter().any(known) {
            let message = format!("`{}` does not document the status {status}", operation.id);
            let fault = Diagnostic::overrides("undocumented-status", rule.status.span(), message)
                .label(format!("{} {}", operation.method, operation.path));
            findings.push(fault.nearest(status, operation.failures.iter().map(String::as_str)));
        }
    }
    let Some(code) = rule.code.as_ref().filter(|code| !code.get_ref().trim().is_empty()) else {
        findings.push(Diagnostic::overrides(
            "missing-key",
            rule.status.span(),
            format!("`errors.{status}` has no `code`"),
        ));
        return None;
    };
    let hint = rule.hint.as_ref().map(|hint| text::line(hint.get_ref())).unwrap_or_default();
    Some((status.clone(), ErrorRule { code: code.get_ref().clone(), hint }))
}

/// Tells whether a reason was given, and reports where one is needed and missing.
fn need_reason(
    overrides: &OperationOverride,
    span: std::ops::Range<usize>,
    message: String,
    findings: &mut Vec<Diagnostic>,
) {
    if overrides.reason.as_ref().is_none_or(|reason| reason.get_ref().trim().is_empty()) {
        findings.push(Diagnostic {
            severity: Severity::Error,
            ..Diagnostic::overrides("hint-without-reason", span, message)
                .label("this contradicts the method")
                .help("add `reason = \"…\"` to the operation if it is meant")
        });
    }
}
