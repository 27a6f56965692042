//! Prompts: their blanks, and that every tool they name is there.

use std::collections::{BTreeMap, BTreeSet};

use xyte_mcp_catalogue::Entry;
use xyte_mcp_catalogue::naming::Naming;
use xyte_mcp_catalogue::prompt::{Blank, Prompt};

use super::{entry, text};
use crate::diagnostic::Diagnostic;
use crate::overrides::{BlankOverride, PromptOverride, ToolOverride, Word};
use crate::spec::operation::variables;

/// What a prompt may name.
#[derive(Clone, Copy)]
pub(super) struct Known<'a> {
    pub(super) entries: &'a [Entry],
    pub(super) names: &'a BTreeMap<String, Naming>,
}

/// Decides one prompt.
pub(super) fn resolve(
    known: Known<'_>,
    overrides: &PromptOverride,
    findings: &mut Vec<Diagnostic>,
) -> Option<Prompt> {
    let name = entry::name(&overrides.name, &ToolOverride::default(), findings);
    // What is missing was reported when the file was read.
    let (description, word) = (overrides.description.as_ref()?, overrides.text.as_ref()?);
    let mut resolved = folded(word.get_ref());
    let tools = known.entries.iter().filter_map(|it| it.tool["name"].as_str());
    let tools: BTreeSet<&str> = tools.collect();
    let blanks: Vec<&str> =
        overrides.arguments.iter().map(|blank| blank.name.get_ref().as_str()).collect();
    let mut called = Vec::new();
    for variable in variables(word.get_ref()) {
        if blanks.contains(&variable) {
            continue;
        }
        if tools.contains(variable) {
            resolved = resolved.replace(&format!("{{{variable}}}"), &format!("`{variable}`"));
            called.push(variable.to_owned());
            continue;
        }
        let message =
            format!("the prompt `{name}` has no argument `{variable}`, and no tool has that name");
        let fault = Diagnostic::overrides("unknown-name", word.span(), message);
        findings.push(fault.nearest(variable, blanks.iter().chain(&tools).copied()));
    }
    findings.extend(bare(&name, &resolved, word));
    let arguments = overrides.arguments.iter();
    let arguments = arguments.map(|it| blank(known, &name, word, it, findings)).collect();
    called.sort_unstable();
    called.dedup();
    let title = overrides.title.as_ref().map(|title| text::line(title.get_ref()));
    Some(Prompt {
        title: title.unwrap_or_else(|| name.replace('_', " ")),
        name,
        description: text::line(description.get_ref()),
        arguments,
        text: resolved,
        tools: called,
    })
}

fn blank(
    known: Known<'_>,
    prompt: &str,
    text: &Word,
    overrides: &BlankOverride,
    findings: &mut Vec<Diagnostic>,
) -> Blank {
    let name = overrides.name.get_ref();
    if !variables(text.get_ref()).contains(&name.as_str()) {
        let message = format!("the text of the prompt `{prompt}` does not use `{name}`");
        findings.push(
            Diagnostic::overrides("unused-argument", overrides.name.span(), message)
                .help(format!("write `{{{name}}}` into the text, or remove the argument")),
        );
    }
    if let Some(word) = &overrides.completes
        && !known.names.contains_key(word.get_ref())
    {
        let message = format!("no `[names.{}]` says how it is completed", word.get_ref());
        let fault = Diagnostic::overrides("unknown-naming", word.span(), message);
        findings.push(fault.nearest(word.get_ref(), known.names.keys().map(String::as_str)));
    }
    let own = || if known.names.contains_key(name) { name.clone() } else { String::new() };
    let words = |word: &Option<Word>| word.as_ref().map(|word| text::line(word.get_ref()));
    Blank {
        name: name.clone(),
        description: words(&overrides.description).unwrap_or_default(),
        default: words(&overrides.default),
        completes: overrides.completes.as_ref().map_or_else(own, |word| word.get_ref().clone()),
    }
}

/// Lines stay, what hides does not.
fn folded(words: &str) -> String {
    words.trim().lines().map(text::line).collect::<Vec<_>>().join("\n")
}

/// A tool that is named without braces would not be missed when it is gone.
fn bare(prompt: &str, text: &str, word: &Word) -> Option<Diagnostic> {
    let is_word = |char: char| char.is_ascii_alphanumeric() || "_`{}".contains(char);
    let found = text.split(|char| !is_word(char)).find(|part| {
        part.contains('_') && !part.starts_with(['`', '{']) && !part.ends_with(['`', '}'])
    })?;
    let message =
        format!("the prompt `{prompt}` names `{found}`, and nobody checks that it exists");
    let fault = Diagnostic::overrides("bare-name", word.span(), message);
    Some(fault.help(format!("write `{{{found}}}` for a tool, and `` `{found}` `` for a value")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_without_braces_is_found_and_a_value_in_backticks_is_none() {
        let word = Word::new(0..0, String::new());
        let fault = |text: &str| bare("p", text, &word).is_some();
        assert!(fault("call list_devices now"));
        assert!(!fault("call `list_devices` for {device_id}; `not_ready` is a value"));
    }
}
