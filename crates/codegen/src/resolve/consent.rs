//! What a person is asked before a change, and about what. When it is asked is for the service to say.

use serde_json::Value;
use xyte_mcp_catalogue::{Argument, Consent, Entry, Location, Target};

use super::{Context, Exposed, answer};
use crate::diagnostic::Diagnostic;
use crate::overrides::OperationOverride;

/// Decides what the question before a call names.
pub(super) fn resolve(
    overrides: &OperationOverride,
    arguments: &[Argument],
    findings: &mut Vec<Diagnostic>,
) -> Consent {
    let has = |name: &str| arguments.iter().any(|argument| argument.name == name);
    for word in overrides.named_by.iter().filter(|word| !has(word.get_ref())) {
        let message =
            format!("`{}` has no argument `{}`", overrides.operation.get_ref(), word.get_ref());
        let fault = Diagnostic::overrides("unknown-argument", word.span(), message);
        let known = arguments.iter().map(|argument| argument.name.as_str());
        findings.push(fault.nearest(word.get_ref(), known));
    }
    let target = overrides.target.as_ref();
    Consent {
        always: false,
        named_by: overrides.named_by.iter().map(|word| word.get_ref().clone()).collect(),
        target: target.map(|target| Target {
            operation: target.operation.get_ref().clone(),
            columns: target.columns.iter().map(|word| word.get_ref().clone()).collect(),
        }),
    }
}

/// The operations by which a change is checked and looked for.
pub(super) fn reads(
    context: &Context<'_>,
    overrides: &OperationOverride,
    findings: &mut Vec<Diagnostic>,
) -> Vec<String> {
    let exposed = || context.overrides.operations.iter().map(|it| it.operation.get_ref().as_str());
    for word in overrides.reads.iter().filter(|word| !exposed().any(|id| id == word.get_ref())) {
        let message = format!("`{}` is not exposed", word.get_ref());
        let fault = Diagnostic::overrides("unknown-operation", word.span(), message);
        findings.push(fault.nearest(word.get_ref(), exposed()));
    }
    overrides.reads.iter().map(|word| word.get_ref().clone()).collect()
}

/// Checks the operations that tell what is changed: each only reads, by arguments that the change has too, and answers what is told.
pub(super) fn check_targets(
    context: &Context<'_>,
    exposed: &[Exposed<'_>],
    findings: &mut Vec<Diagnostic>,
) {
    for change in exposed {
        let Some(target) = &change.overrides.target else { continue };
        let (name, span) = (target.operation.get_ref(), target.operation.span());
        let Some(reading) = exposed.iter().find(|it| it.entry.operation == *name) else {
            let message = format!("the target is read by `{name}`, which is not exposed");
            let fault = Diagnostic::overrides("unknown-operation", span, message);
            let known = exposed.iter().map(|it| it.entry.operation.as_str());
            findings.push(fault.nearest(name, known));
            continue;
        };
        if !reads_by(&reading.entry, &change.entry.arguments) {
            let message = format!("`{name}` cannot tell what is changed");
            let fault = Diagnostic::overrides("unfit-target", span, message);
            findings.push(fault.help("name an operation that reads by arguments of the change"));
        }
        // Its own faults were reported with the operation.
        let answer =
            answer::resolve(context, reading.operation, reading.overrides, &mut Vec::new());
        // What is not documented may have any.
        if let Some(row) = answer.row.as_ref() {
            let row = (Some(row), answer.answer.form);
            answer::check_columns(context, reading.operation, row, &target.columns, findings);
        }
    }
}

/// Whether an operation reads with nothing but arguments of a change, under the names that both have for agents.
fn reads_by(reading: &Entry, arguments: &[Argument]) -> bool {
    let needed = reading.tool["inputSchema"]["required"].as_array().into_iter().flatten();
    let given = |name: &str| {
        let mut told = arguments.iter().filter(|it| it.location != Location::Header);
        told.any(|it| it.name == name)
    };
    reading.method == "GET" && { needed }.filter_map(Value::as_str).all(given)
}
