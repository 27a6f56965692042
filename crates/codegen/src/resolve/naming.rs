//! Names in place of ids: which list tells them, and which arguments take them.
//!
//! Only reads do: whoever changes something names it by its id.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use xyte_mcp_catalogue::naming::Naming;
use xyte_mcp_catalogue::{Class, Entry, Form};

use super::{Context, Exposed, answer, text};
use crate::diagnostic::Diagnostic;
use crate::overrides::{NamingOverride, Word};

/// Decides which lists tell names.
pub(super) fn resolve(
    context: &Context<'_>,
    exposed: &[Exposed<'_>],
    findings: &mut Vec<Diagnostic>,
) -> BTreeMap<String, Naming> {
    let namings = context.overrides.names.iter();
    namings.filter_map(|naming| one(context, exposed, naming, findings)).collect()
}

fn one(
    context: &Context<'_>,
    exposed: &[Exposed<'_>],
    naming: &NamingOverride,
    findings: &mut Vec<Diagnostic>,
) -> Option<(String, Naming)> {
    // What is missing was reported when the file was read.
    let NamingOverride { argument, operation, id, form, name, also, path, parent, .. } = naming;
    let (operation, id, name, form) = (operation.as_ref()?, id.as_ref()?, name.as_ref()?, (*form)?);
    let Some(list) = exposed.iter().find(|it| it.entry.operation == *operation.get_ref()) else {
        let message = format!("`{}` is not exposed", operation.get_ref());
        let fault = Diagnostic::overrides("unknown-operation", operation.span(), message);
        let known = exposed.iter().map(|it| it.entry.operation.as_str());
        findings.push(fault.nearest(operation.get_ref(), known));
        return None;
    };
    if list.entry.answer.form != Form::List || list.entry.class != Class::Read {
        let message = format!("`{}` lists nothing", operation.get_ref());
        findings.push(
            Diagnostic::overrides("naming-without-a-list", operation.span(), message)
                .help("names are looked up in a list"),
        );
        return None;
    }
    let columns = [Some(id), Some(name), path.as_ref(), parent.as_ref()];
    let columns: Vec<Word> = columns.into_iter().flatten().chain(also).cloned().collect();
    // Its own faults were reported with the operation.
    let resolved = answer::resolve(context, list.operation, list.overrides, &mut Vec::new());
    let row = (resolved.row.as_ref(), resolved.answer.form);
    answer::check_columns(context, list.operation, row, &columns, findings);
    let own =
        |word: &Option<Word>| word.as_ref().map(|word| word.get_ref().clone()).unwrap_or_default();
    let naming = Naming {
        operation: operation.get_ref().clone(),
        id: id.get_ref().clone(),
        form,
        name: name.get_ref().clone(),
        also: also.iter().map(|word| word.get_ref().clone()).collect(),
        path: own(path),
        parent: own(parent),
    };
    Some((argument.get_ref().clone(), naming))
}

/// Lets the reads take names, and says so in their schemas.
pub(super) fn admit(
    context: &Context<'_>,
    names: &BTreeMap<String, Naming>,
    entries: &mut [Entry],
) {
    let credential = |naming: &Naming| {
        let list = entries.iter().find(|entry| entry.operation == naming.operation);
        list.map(|list| list.credential.clone()).unwrap_or_default()
    };
    // The key that reads a thing must be the key that lists it.
    let keys: BTreeMap<&String, String> =
        names.iter().map(|(argument, naming)| (argument, credential(naming))).collect();
    // What is computed reads the lists itself and knows what is meant.
    let reads = entries.iter_mut().filter(|it| it.class == Class::Read && !it.is_computed());
    for entry in reads {
        for (argument, key) in &keys {
            let properties = entry.tool["inputSchema"]["properties"].as_object();
            let taken = properties.is_some_and(|it| it.contains_key(argument.as_str()));
            if !taken || *key != entry.credential {
                continue;
            }
            entry.names.push((*argument).clone());
            let words = words(context, &entry.operation, argument);
            if let Some(schema) = entry.tool["inputSchema"]["properties"].get_mut(argument.as_str())
            {
                loosen(schema, words);
            }
        }
    }
}

/// What is said of the argument, unless the operation's own table says something.
fn words(context: &Context<'_>, operation: &str, argument: &str) -> Option<String> {
    let own = context.overrides.operations.iter().filter(|it| *it.operation.get_ref() == operation);
    let mut own = own.flat_map(|it| &it.arguments);
    let said = |word: &Word| word.get_ref().rsplit('.').next() == Some(argument);
    if own.any(|it| it.description.is_some() && said(&it.argument)) {
        return None;
    }
    let naming = context.overrides.names.iter().find(|it| *it.argument.get_ref() == argument)?;
    Some(text::line(naming.description.as_ref()?.get_ref()))
}

/// A name is text of any form.
fn loosen(schema: &mut Value, words: Option<String>) {
    let Some(rules) = schema.as_object_mut() else { return };
    rules.remove("pattern");
    rules.remove("format");
    let kinds = match rules.get("type") {
        Some(Value::String(kind)) => vec![json!(kind)],
        Some(Value::Array(kinds)) => kinds.clone(),
        _ => Vec::new(),
    };
    if !kinds.is_empty() && !kinds.contains(&json!("string")) {
        rules.insert("type".into(), kinds.into_iter().chain([json!("string")]).collect());
    }
    if let Some(words) = words {
        rules.insert("description".into(), words.into());
    }
}
