//! How long old names are kept, and what is said of tools that are on their way out. Knows versions and words, no document.

use crate::diagnostic::Diagnostic;
use crate::overrides::{Overrides, ToolOverride, Word};

/// What ends the description of a tool whose operation the document deprecates.
pub(crate) const DEPRECATED: &str = " Deprecated by the platform.";

/// What a caller of such a tool is told.
pub(super) const REMARK: &str = "the platform is going to remove this operation";

/// Reports a time of old names that is none, that concerns no name, or that is over.
pub(crate) fn check(overrides: &Overrides, version: Option<&str>, findings: &mut Vec<Diagnostic>) {
    let operations = overrides.operations.iter().map(|operation| &operation.tool);
    for tool in operations.chain(overrides.workflows.iter().map(|workflow| &workflow.tool)) {
        if let Some(until) = &tool.until {
            findings.extend(fault(tool, until, version));
        }
    }
}

fn fault(tool: &ToolOverride, until: &Word, version: Option<&str>) -> Option<Diagnostic> {
    let text = until.get_ref();
    let Some(last) = numbers(text).filter(|last| (1..=3).contains(&last.len())) else {
        let message = format!("`until = \"{text}\"` is no version");
        let fault = Diagnostic::overrides("unknown-version", until.span(), message);
        return Some(fault.help("write the last version with the old names, as in `0.2`"));
    };
    if tool.aliases.is_empty() {
        let message = "`until` says how long aliases are kept, and there are none";
        let fault = Diagnostic::overrides("until-without-alias", until.span(), message);
        return Some(fault.help("name them under `aliases`, or remove `until`"));
    }
    let version = version?;
    let now: Vec<u64> = numbers(version)?.into_iter().take(last.len()).collect();
    (now > last).then(|| {
        let message = format!("old names were kept until {text}, and the version is {version}");
        let fault = Diagnostic::overrides("alias-over", until.span(), message);
        fault.help("remove `aliases` and `until`, or keep them for another while")
    })
}

/// The numbers of a version, however many; nothing where it has something else.
fn numbers(version: &str) -> Option<Vec<u64>> {
    version.split('.').map(|part| part.parse().ok()).collect()
}

/// Adds to a description that the tool was called otherwise, or that the platform gives it up.
pub(super) fn told(description: String, tool: &ToolOverride, deprecated: bool) -> String {
    let mut told = description;
    if let Some(until) = &tool.until {
        let names: Vec<&str> = tool.aliases.iter().map(|alias| alias.get_ref().as_str()).collect();
        told = format!("{told} Called {} up to version {}.", names.join(", "), until.get_ref());
    }
    marked(told, deprecated)
}

/// Adds to a description that the platform gives the operation up, unless it says so.
pub(super) fn marked(mut description: String, deprecated: bool) -> String {
    if deprecated && !description.ends_with(DEPRECATED) {
        description.push_str(DEPRECATED);
    }
    description
}
