//! What a person is asked before a change, and about what. When it is asked is for the service to say.

use xyte_mcp_catalogue::{Argument, Consent, Location, Target};

use super::Context;
use crate::diagnostic::Diagnostic;
use crate::overrides::{OperationOverride, TargetOverride};

/// Decides what the question before a call names.
pub(super) fn resolve(
    context: &Context<'_>,
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
        target: target.map(|target| self::target(context, target, arguments, findings)),
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

/// The operation that tells what is changed; it must be one that only reads, by arguments the change has too.
fn target(
    context: &Context<'_>,
    target: &TargetOverride,
    arguments: &[Argument],
    findings: &mut Vec<Diagnostic>,
) -> Target {
    let name = target.operation.get_ref();
    let exposed = || context.overrides.operations.iter().map(|it| it.operation.get_ref().as_str());
    let operation = context.document.operations.iter().find(|it| it.id == *name);
    match operation.filter(|_| exposed().any(|id| id == name)) {
        None => {
            let message = format!("the target is read by `{name}`, which is not exposed");
            let fault =
                Diagnostic::overrides("unknown-operation", target.operation.span(), message);
            findings.push(fault.nearest(name, exposed()));
        }
        Some(operation) => {
            let variables = operation.path.split('{').skip(1).filter_map(|it| it.split('}').next());
            let has = |variable: &str| {
                let in_path = |it: &&Argument| it.location != Location::Header;
                arguments.iter().filter(in_path).any(|it| it.name == variable)
            };
            let missing: Vec<&str> = variables.filter(|variable| !has(variable)).collect();
            if operation.method != "GET" || !missing.is_empty() {
                let message = format!("`{name}` cannot tell what is changed");
                let fault = Diagnostic::overrides("unfit-target", target.operation.span(), message);
                findings
                    .push(fault.help("name an operation that reads by arguments of the change"));
            }
        }
    }
    let columns = target.columns.iter().map(|word| word.get_ref().clone()).collect();
    Target { operation: name.clone(), columns }
}
