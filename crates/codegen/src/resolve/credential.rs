//! Which key an operation needs, how it goes out, and which setting of the server holds it.

use std::collections::BTreeMap;

use serde_json::Value;
use xyte_mcp_catalogue::Sending;

use super::Context;
use crate::diagnostic::{Diagnostic, quoted};
use crate::overrides::Overrides;
use crate::spec::operation::is_header;
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

/// How the keys go out that are not as they are in the header `Authorization`.
pub(super) fn sending(document: &Document, overrides: &Overrides) -> BTreeMap<String, Sending> {
    let schemes = overrides.credentials.iter().map(|(scheme, _)| scheme.get_ref());
    schemes
        .filter_map(|name| Some((name.clone(), way(scheme_of(document, name)?).ok()??)))
        .collect()
}

/// Decides which key an operation is called with, and reports one that cannot be sent or is held by no setting.
///
/// Of several schemes that would do, it is the first that the overrides have a setting for; no key, where one of them is none.
pub(super) fn choose(
    context: &Context<'_>,
    operation: &Operation,
    findings: &mut Vec<Diagnostic>,
) -> String {
    let known = |name: &String| {
        context.overrides.credentials.iter().any(|(known, _)| known.get_ref() == name)
    };
    let held = operation.security.iter().find(|names| matches!(&names[..], [name] if known(name)));
    let open = operation.security.iter().find(|names| names.is_empty());
    let Some(names) = held.or(open).or(operation.security.first()) else { return String::new() };
    let [name] = &names[..] else {
        if !names.is_empty() {
            findings.push(together(operation, names));
        }
        return String::new();
    };
    check(context, operation, name, known(name), findings);
    name.clone()
}

fn together(operation: &Operation, names: &[String]) -> Diagnostic {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let message = format!("`{}` asks for the keys of {} at once", operation.id, quoted(&names));
    Diagnostic::document("unsupported-security", format!("{}/security", operation.pointer), message)
        .label("a call carries one key")
        .help("skip the operation, or patch all but one away if one is enough")
}

fn check(
    context: &Context<'_>,
    operation: &Operation,
    name: &str,
    known: bool,
    findings: &mut Vec<Diagnostic>,
) {
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
    if let Err(cause) = way(scheme) {
        let pointer = format!("/components/securitySchemes/{}", escape(name));
        let message = format!("keys of the scheme `{name}` cannot be sent: {cause}");
        let told = |finding: &Diagnostic| finding.message == message;
        if !findings.iter().any(told) {
            let fault = Diagnostic::document("unsupported-security", pointer, message);
            findings.push(fault.label(format!("asked for by `{id}`")).help(
                "a key goes out in a header: type apiKey in header, http bearer or basic, oauth2 or openIdConnect as a bearer",
            ));
        }
    }
    if !known {
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

/// How the keys of a scheme go out; nothing where they are sent as they are in `Authorization`.
///
/// # Errors
/// Says why they cannot be sent.
fn way(scheme: &Value) -> Result<Option<Sending>, String> {
    let text = |key: &str| scheme.get(key).and_then(Value::as_str).unwrap_or_default();
    let (kind, name) = (text("type"), text("name"));
    match (kind, text("in")) {
        ("apiKey", "header") if name.eq_ignore_ascii_case("authorization") => Ok(None),
        ("apiKey", "header") if is_header(name) => Ok(Some(Sending::Header(name.to_owned()))),
        ("apiKey", "header") => Err(format!("`{name}` is no header that can be set")),
        ("apiKey", "query") => Err("a key in an address ends up in logs".to_owned()),
        ("apiKey", "cookie") => Err("cookies are not sent".to_owned()),
        ("http", _) => match text("scheme").to_ascii_lowercase().as_str() {
            "bearer" => Ok(Some(Sending::Bearer)),
            "basic" => Ok(Some(Sending::Basic)),
            other => Err(format!("the HTTP scheme `{other}` needs more than a key")),
        },
        // Where the token comes from is not for this server to say.
        ("oauth2" | "openIdConnect", _) => Ok(Some(Sending::Bearer)),
        _ => Err(format!("`{kind}` is no type of key that is known")),
    }
}

fn scheme_of<'a>(document: &'a Document, name: &str) -> Option<&'a Value> {
    document.value.pointer("/components/securitySchemes")?.get(name)
}

fn schemes(document: &Document) -> impl Iterator<Item = &str> {
    let schemes = document.value.pointer("/components/securitySchemes").and_then(Value::as_object);
    schemes.into_iter().flatten().map(|(name, _)| name.as_str())
}
