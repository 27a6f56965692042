//! Names that must be unique over the whole surface.

use std::collections::BTreeMap;
use std::ops::Range;

use xyte_mcp_catalogue::Entry;

use super::MOST_DEFAULT_TOOLS;
use crate::diagnostic::Diagnostic;
use crate::overrides::OperationOverride;
use crate::spec::Operation;
use crate::spec::operation::variables;

/// Reports tools, aliases, resources and routes that share a name, and a default set that is too large.
pub(super) fn check(
    entries: &[(&Operation, &OperationOverride, Entry)],
    findings: &mut Vec<Diagnostic>,
) {
    let mut names: BTreeMap<String, &str> = BTreeMap::new();
    for (operation, overrides, entry) in entries {
        let name = entry.tool["name"].as_str().unwrap_or_default();
        let span = overrides
            .tool
            .name
            .as_ref()
            .map_or_else(|| overrides.operation.span(), toml::Spanned::span);
        claim(&mut names, name, &operation.id, ("duplicate-tool", "tools"), span, findings);
    }
    for (operation, overrides, _) in entries {
        for alias in &overrides.tool.aliases {
            claim(
                &mut names,
                alias.get_ref(),
                &operation.id,
                ("duplicate-alias", "tools"),
                alias.span(),
                findings,
            );
        }
    }
    let (mut uris, mut routes) = (BTreeMap::new(), BTreeMap::new());
    for (operation, overrides, _) in entries {
        if let Some(resource) = &overrides.resource {
            let shape = shape(resource.uri.get_ref());
            claim(
                &mut uris,
                &shape,
                &operation.id,
                ("duplicate-resource", "resources"),
                resource.uri.span(),
                findings,
            );
        }
        if let Some(route) = &overrides.route {
            let shape = shape(route.get_ref());
            claim(
                &mut routes,
                &shape,
                &operation.id,
                ("duplicate-route", "routes"),
                route.span(),
                findings,
            );
        }
    }
    let default: Vec<_> = entries.iter().filter(|(_, _, entry)| entry.default).collect();
    if let Some((_, overrides, _)) = default.get(MOST_DEFAULT_TOOLS) {
        let span = overrides
            .tool
            .default
            .as_ref()
            .map_or_else(|| overrides.operation.span(), toml::Spanned::span);
        let message = format!(
            "the default set has {} tools, and {MOST_DEFAULT_TOOLS} is the most",
            default.len()
        );
        findings.push(
            Diagnostic::overrides("default-set-too-large", span, message)
                .label("the first one too many")
                .help("models choose worse among more; remove `default = true` from some"),
        );
    }
}

fn claim<'a>(
    taken: &mut BTreeMap<String, &'a str>,
    name: &str,
    operation: &'a str,
    (rule, what): (&'static str, &str),
    span: Range<usize>,
    findings: &mut Vec<Diagnostic>,
) {
    if let Some(other) = taken.get(name) {
        let message = format!("two {what} are called `{name}`: `{other}` and `{operation}`");
        findings
            .push(Diagnostic::overrides(rule, span, message).help("give one of them another name"));
    }
    taken.insert(name.to_owned(), operation);
}

/// Two templates that differ only in the names of their variables match the same requests.
fn shape(template: &str) -> String {
    variables(template).iter().fold(template.to_owned(), |shape, variable| {
        shape.replace(&format!("{{{variable}}}"), "{}")
    })
}
