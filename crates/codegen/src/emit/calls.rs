//! `calls.rs`: one arm per operation, which hands the arguments to the typed client.

use minijinja::Environment;
use minijinja::value::Serde;
use serde::Serialize;
use xyte_mcp_catalogue::{Argument, Catalogue, Entry};

use super::client::signature::{Passing, Signatures};
use super::{filters, template_fault};
use crate::diagnostic::Diagnostic;
use crate::spec::escape;
use crate::spec::operation::rust_name;

#[derive(Serialize)]
struct Page {
    calls: Vec<Call>,
}

#[derive(Serialize)]
struct Call {
    operation: String,
    request: String,
    function: String,
    /// What the closure calls its input; an underscore where it needs none.
    input: &'static str,
    arguments: Vec<String>,
}

/// Renders the template.
pub(crate) fn emit(
    template: &str,
    catalogue: &Catalogue,
    signatures: &Signatures,
) -> Result<String, Diagnostic> {
    let mut calls = Vec::new();
    for entry in catalogue.entries.iter().filter(|entry| !entry.is_computed()) {
        calls.push(call(entry, signatures)?);
    }
    calls.sort_by(|left, right| left.operation.cmp(&right.operation));
    let mut environment = Environment::new();
    environment.add_filter("literal", |text: &str| filters::literal(text));
    environment
        .render_named_str("calls.rs.j2", template, Serde(Page { calls }))
        .map(|text| format!("{}\n", text.trim_end()))
        .map_err(|err| template_fault("calls.rs.j2", &err))
}

fn call(entry: &Entry, signatures: &Signatures) -> Result<Call, Diagnostic> {
    let name = rust_name(&entry.operation);
    let found = [name.clone(), format!("{name}_")]
        .into_iter()
        .find_map(|name| signatures.get_key_value(&name));
    let Some((function, parameters)) = found else {
        let message = format!(
            "the typed client has no function for `{}` ({} {})",
            entry.operation, entry.method, entry.path
        );
        let pointer = format!("/paths/{}/{}", escape(&entry.path), entry.method.to_lowercase());
        return Err(Diagnostic::document("client-generator", pointer, message));
    };
    let arguments = parameters.iter().map(|place| {
        let Some((wire, location)) = &place.wire else { return body(place.passing) };
        let same = |argument: &&Argument| argument.wire == *wire && argument.location == *location;
        let name = entry
            .arguments
            .iter()
            .find(same)
            .map_or(wire.as_str(), |argument| argument.name.as_str());
        expression(place.passing, &filters::literal(name))
    });
    Ok(Call {
        operation: entry.operation.clone(),
        request: format!("{} {}", entry.method, printable(&entry.path)),
        function: function.clone(),
        input: if parameters.is_empty() { "_" } else { "input" },
        arguments: arguments.collect(),
    })
}

/// How an argument reaches the parameter that progenitor chose for it.
fn expression(passing: Passing, name: &str) -> String {
    match passing {
        Passing::Text => format!("input.text({name})?"),
        Passing::OptionalText => format!("input.optional_text({name})?"),
        Passing::Reference => format!("&input.get({name})?"),
        Passing::OptionalReference => format!("input.get::<Option<_>>({name})?.as_ref()"),
        Passing::Value => format!("input.get({name})?"),
        Passing::Spelled => format!("&input.spelled({name})?"),
        Passing::OptionalSpelled => format!("input.optional_spelled({name})?.as_deref()"),
    }
}

/// How the body reaches its place.
fn body(passing: Passing) -> String {
    match passing {
        Passing::Text => "&input.body::<String>()?".to_owned(),
        Passing::Value => "input.body()?".to_owned(),
        _ => "&input.body()?".to_owned(),
    }
}

/// Keeps what may stand in a comment.
fn printable(path: &str) -> String {
    path.chars().filter(|character| (' '..='~').contains(character)).collect()
}
