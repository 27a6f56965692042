//! The grammar of what is served beside operations: prompts, names in place of ids, and what the server does itself.

use xyte_mcp_catalogue::Builtin;
use xyte_mcp_catalogue::naming::IdForm;

use super::grammar::finish;
use super::reader::Reader;
use super::{BlankOverride, NamingOverride, PromptOverride, Word};
use crate::diagnostic::Diagnostic;

pub(super) fn prompt((name, reader): (Word, Reader<'_>)) -> PromptOverride {
    finish(reader, |reader| PromptOverride {
        name,
        title: reader.string("title"),
        description: reader.required_string("description"),
        arguments: reader.tables("arguments").into_iter().map(blank).collect(),
        text: reader.required_string("text"),
    })
}

fn blank((name, reader): (Word, Reader<'_>)) -> BlankOverride {
    finish(reader, |reader| BlankOverride {
        name,
        description: reader.required_string("description"),
        default: reader.string("default"),
        completes: reader.string("completes"),
    })
}

pub(super) fn naming((argument, reader): (Word, Reader<'_>)) -> NamingOverride {
    let forms = [("integer", IdForm::Integer), ("uuid", IdForm::Uuid)];
    finish(reader, |reader| NamingOverride {
        argument,
        operation: reader.required_string("operation"),
        id: reader.required_string("id"),
        form: reader
            .required_string("form")
            .and_then(|word| choice(reader, "unknown-form", "form of ids", &word, &forms)),
        name: reader.required_string("name"),
        also: reader.strings("also").unwrap_or_default(),
        path: reader.string("path"),
        parent: reader.string("parent"),
        description: reader.string("description"),
    })
}

/// What the server itself does under a tool's name.
pub(super) fn builtin(reader: &Reader<'_>) -> Option<Builtin> {
    let known = [
        ("context", Builtin::Context),
        ("search", Builtin::Search),
        ("describe", Builtin::Describe),
        ("call", Builtin::Call),
        ("async_disabled", Builtin::AsyncDisabled),
    ];
    let word = reader.string("builtin")?;
    choice(reader, "unknown-builtin", "builtin", &word, &known)
}

/// One of several words, or a finding that names the nearest.
pub(super) fn choice<T: Copy>(
    reader: &Reader<'_>,
    rule: &'static str,
    what: &str,
    word: &Word,
    known: &[(&'static str, T)],
) -> Option<T> {
    let found = known.iter().find(|(name, _)| name == word.get_ref());
    if found.is_none() {
        let message = format!("unknown {what} `{}`", word.get_ref());
        let fault = Diagnostic::overrides(rule, word.span(), message);
        reader.report(fault.nearest(word.get_ref(), known.iter().map(|(name, _)| *name)));
    }
    found.map(|(_, value)| *value)
}
