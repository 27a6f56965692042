//! Names that must be unique over the whole surface.

use std::collections::BTreeMap;
use std::ops::Range;

use super::{Exposed, MOST_DEFAULT_TOOLS};
use crate::diagnostic::Diagnostic;
use crate::overrides::Workflow;
use crate::spec::operation::variables;

/// Reports tools, aliases, resources and routes that share a name, and a default set that is too large.
pub(super) fn check(
    exposed: &[Exposed<'_>],
    workflows: &[Workflow],
    findings: &mut Vec<Diagnostic>,
) {
    tools(exposed, workflows, findings);
    faces(exposed, workflows, findings);
    findings.extend(default_set(exposed, workflows));
}

/// Names and aliases of tools.
fn tools(exposed: &[Exposed<'_>], workflows: &[Workflow], findings: &mut Vec<Diagnostic>) {
    let mut tools = Names::new("tools");
    for Workflow { name, tool, .. } in workflows {
        for word in std::iter::once(tool.name.as_ref().unwrap_or(name)).chain(&tool.aliases) {
            let claimed = word.get_ref().clone();
            findings.extend(tools.claim("duplicate-tool", claimed, name.get_ref(), word.span()));
        }
    }
    for Exposed { operation, overrides, entry } in exposed {
        let name = entry.tool["name"].as_str().unwrap_or_default();
        let word = overrides.tool.name.as_ref().unwrap_or(&overrides.operation);
        findings.extend(tools.claim("duplicate-tool", name.to_owned(), &operation.id, word.span()));
    }
    for Exposed { operation, overrides, .. } in exposed {
        for alias in &overrides.tool.aliases {
            let claimed = alias.get_ref().clone();
            findings.extend(tools.claim("duplicate-alias", claimed, &operation.id, alias.span()));
        }
    }
}

/// Resources and routes.
fn faces(exposed: &[Exposed<'_>], workflows: &[Workflow], findings: &mut Vec<Diagnostic>) {
    let (mut uris, mut routes) = (Names::new("resources"), Names::new("routes"));
    let computed = workflows.iter().map(|it| (it.name.get_ref(), &it.resource, &it.route));
    let operations =
        exposed.iter().map(|it| (&it.operation.id, &it.overrides.resource, &it.overrides.route));
    for (name, resource, route) in computed.chain(operations) {
        if let Some(uri) = resource.as_ref().map(|resource| &resource.uri) {
            let shape = shape(uri.get_ref());
            findings.extend(uris.claim("duplicate-resource", shape, name, uri.span()));
        }
        if let Some(route) = route {
            let shape = shape(route.get_ref());
            findings.extend(routes.claim("duplicate-route", shape, name, route.span()));
        }
    }
}

fn default_set(exposed: &[Exposed<'_>], workflows: &[Workflow]) -> Option<Diagnostic> {
    let operations = exposed.iter().map(|exposed| &exposed.overrides.tool);
    let chosen = operations.chain(workflows.iter().map(|workflow| &workflow.tool));
    let default: Vec<_> =
        chosen.filter_map(|tool| tool.default.as_ref().filter(|it| *it.get_ref())).collect();
    let span = default.get(MOST_DEFAULT_TOOLS).map(|word| word.span())?;
    let message = format!(
        "the default set has {} tools, and {MOST_DEFAULT_TOOLS} is the most",
        default.len()
    );
    Some(
        Diagnostic::overrides("default-set-too-large", span, message)
            .label("the first one too many")
            .help("models choose worse among more; remove `default = true` from some"),
    )
}

/// Names of one kind, with the operation that has each.
struct Names<'a> {
    what: &'static str,
    taken: BTreeMap<String, &'a str>,
}

impl<'a> Names<'a> {
    fn new(what: &'static str) -> Self {
        Self { what, taken: BTreeMap::new() }
    }

    /// Takes a name for an operation, unless another has it.
    fn claim(
        &mut self,
        rule: &'static str,
        name: String,
        operation: &'a str,
        span: Range<usize>,
    ) -> Option<Diagnostic> {
        if let Some(other) = self.taken.get(&name) {
            let message =
                format!("two {} are called `{name}`: `{other}` and `{operation}`", self.what);
            return Some(
                Diagnostic::overrides(rule, span, message).help("give one of them another name"),
            );
        }
        self.taken.insert(name, operation);
        None
    }
}

/// Two templates that differ only in the names of their variables match the same requests.
fn shape(template: &str) -> String {
    variables(template).iter().fold(template.to_owned(), |shape, variable| {
        shape.replace(&format!("{{{variable}}}"), "{}")
    })
}
