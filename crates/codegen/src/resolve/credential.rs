//! Which key an operation needs, and which setting of the server holds it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Context;
use crate::diagnostic::Diagnostic;
use crate::overrides::Overrides;
use crate::spec::{Document, Operation, escape};

/// Gives the settings by security scheme, and reports schemes that the document does not have.
pub(super) fn settings(
    document: &Document,
    overrides: &Overrides,
    findings: &mut Vec<Diagnostic>,
) -> BTreeMap<String, String> {
    let mut settings = BTreeMap::new();
    for (scheme, setting) in &overrides.credentials {
        let name = scheme.get_ref();
        if scheme_of(document, name).is_none() {
            let fault = Diagnostic::overrides(
                "unknown-security-scheme",
                scheme.span(),
                format!("unknown security scheme `{name}`"),
            );
            findings.push(fault.nearest(name, schemes(document)));
        }
        settings.insert(name.clone(), setting.get_ref().clone());
    }
    settings
}

/// Reports an operation whose key cannot be sent, or is held by no setting.
pub(super) fn check(context: &Context<'_>, operation: &Operation, findings: &mut Vec<Diagnostic>) {
    let name = operation.credential.as_str();
    if name.is_empty() {
        return; // It needs no key.
    }
    let id = &operation.id;
    let security = format!("{}/security", operation.pointer);
    let Some(scheme) = scheme_of(context.document, name) else {
        let message = format!(
            "`{id}` asks for the security scheme `{name}`, which the document does not declare"
        );
        let fault = Diagnostic::document("unknown-security-scheme", security, message);
        findings.push(fault.nearest(name, schemes(context.document)));
        return;
    };
    let text = |key: &str| scheme.get(key).and_then(Value::as_str).unwrap_or_default();
    let header = text("name").eq_ignore_ascii_case("authorization");
    if !(text("type") == "apiKey" && text("in") == "header" && header) {
        let pointer = format!("/components/securitySchemes/{}", escape(name));
        findings.push(
            Diagnostic::document(
                "unsupported-security",
                pointer,
                format!("keys of the scheme `{name}` cannot be sent"),
            )
            .label(format!("asked for by `{id}`"))
            .help("a key goes out as it is in the header `Authorization`: type apiKey, in header"),
        );
    }
    if !context.overrides.credentials.iter().any(|(known, _)| known.get_ref() == name) {
        findings.push(
            Diagnostic::document(
                "undeclared-credential",
                security,
                format!("no setting holds the key of `{name}`"),
            )
            .label(format!("`{id}` needs it"))
            .help(format!(
                "add it to the overrides: `[credentials]` with `{name} = \"NAME_OF_THE_VARIABLE\"`"
            )),
        );
    }
}

fn scheme_of<'a>(document: &'a Document, name: &str) -> Option<&'a Value> {
    document.value.pointer("/components/securitySchemes")?.get(name)
}

fn schemes(document: &Document) -> impl Iterator<Item = &str> {
    let schemes = document.value.pointer("/components/securitySchemes").and_then(Value::as_object);
    schemes.into_iter().flatten().map(|(name, _)| name.as_str())
}
