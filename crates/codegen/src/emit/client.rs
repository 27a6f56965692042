//! The typed client: a document that progenitor cannot trip over, and the signatures that it chose.
//!
//! Every answer is declared as `2XX`, `4XX` and `5XX` with content `*/*`, so that the client gives status, headers and bytes of whatever comes: a typed answer would drop nulls and lose a page over one odd field.
//! Words of the document are left out, so that none can end up in Rust.

mod document;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use progenitor_impl::{GenerationSettings, Generator, HooksMode, InterfaceStyle};
use quote::quote;
use syn::{FnArg, GenericArgument, ImplItem, Item, Pat, PathArguments, Type};
use xyte_mcp_catalogue::Catalogue;

use crate::diagnostic::{Diagnostic, Place};
use crate::spec::operation::{rust_name, snake};
use crate::spec::{Document, Operation};

/// Parameters by function of the client.
pub(crate) type Signatures = BTreeMap<String, Vec<ClientParameter>>;

/// One parameter of a function of the client.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ClientParameter {
    pub(crate) name: String,
    pub(crate) wire: String,
    pub(crate) passing: Passing,
}

/// How a parameter is passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Passing {
    Text,
    OptionalText,
    Reference,
    OptionalReference,
    Value,
    Body,
    TextBody,
    ValueBody,
}

/// Generates the client of the exposed operations.
///
/// # Errors
/// Names the operations that progenitor gives up on.
pub(crate) fn emit(
    document: &Document,
    catalogue: &Catalogue,
) -> Result<(String, Signatures), Vec<Diagnostic>> {
    let exposed: Vec<&Operation> = document
        .operations
        .iter()
        .filter(|operation| catalogue.entries.iter().any(|entry| entry.operation == operation.id))
        .collect();
    let file = match generate(document, &exposed) {
        Ok(file) => file,
        Err(cause) => return Err(blame(document, &exposed, &cause)),
    };
    let signatures = signatures(&file, &exposed);
    Ok((prettyplease::unparse(&file), signatures))
}

/// Runs progenitor, which panics where it meets what it does not know.
fn generate(document: &Document, exposed: &[&Operation]) -> Result<syn::File, String> {
    let narrowed = document::narrow(document, exposed);
    let parsed: openapiv3::OpenAPI =
        serde_json::from_value(narrowed).map_err(|err| err.to_string())?;
    let mut settings = GenerationSettings::new();
    settings
        .with_interface(InterfaceStyle::Positional)
        .with_hooks(HooksMode::Expected)
        .with_inner_type(quote!(xyte_mcp_runtime::upstream::Exchange));
    let silent = std::panic::take_hook(); // The finding says more than the panic's own message.
    std::panic::set_hook(Box::new(|_| {}));
    let generated =
        catch_unwind(AssertUnwindSafe(|| Generator::new(&settings).generate_tokens(&parsed)));
    std::panic::set_hook(silent);
    let tokens = match generated {
        Ok(tokens) => tokens.map_err(|err| err.to_string())?,
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            return Err(text.unwrap_or_else(|| "it stopped without a word".to_owned()));
        }
    };
    syn::parse2(tokens).map_err(|err| err.to_string())
}

/// Finds which operations the generator gives up on, by giving it each alone.
fn blame(document: &Document, exposed: &[&Operation], cause: &str) -> Vec<Diagnostic> {
    let finding = |operation: &Operation, cause: &str| {
        let message = format!(
            "{} {}: no typed client can be generated: {}",
            operation.method,
            operation.path,
            first_line(cause)
        );
        Diagnostic::document("client-generator", &operation.pointer, message)
            .label("this operation alone is enough")
            .help("correct the parameter or body with a `[[patch]]`, or skip the operation")
    };
    let findings: Vec<Diagnostic> = exposed
        .iter()
        .filter_map(|operation| {
            generate(document, &[*operation]).err().map(|cause| finding(operation, &cause))
        })
        .collect();
    if !findings.is_empty() {
        return findings;
    }
    let message = format!("no typed client can be generated: {}", first_line(cause));
    vec![
        Diagnostic::new("client-generator", Place::Document("/paths".to_owned()), message)
            .label("each operation alone is fine; two of them need types of one name"),
    ]
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().chars().take(200).collect()
}

/// Reads the functions of `impl Client`.
fn signatures(file: &syn::File, exposed: &[&Operation]) -> Signatures {
    let functions = file.items.iter().filter_map(|item| match item {
        Item::Impl(block) if block.trait_.is_none() => Some(&block.items),
        _ => None,
    });
    let mut signatures = Signatures::new();
    for item in functions.flatten() {
        let ImplItem::Fn(function) = item else { continue };
        let name = function.sig.ident.to_string();
        let of = |operation: &&&Operation| same(&name, &rust_name(&operation.id));
        let operation = exposed.iter().find(of);
        let Some(operation) = operation.filter(|_| function.sig.asyncness.is_some()) else {
            continue;
        };
        let parameters = function.sig.inputs.iter().filter_map(|input| match input {
            FnArg::Typed(input) => match &*input.pat {
                Pat::Ident(pattern) => {
                    Some(parameter(&pattern.ident.to_string(), &input.ty, operation))
                }
                _ => None,
            },
            FnArg::Receiver(_) => None,
        });
        signatures.insert(name, parameters.collect());
    }
    signatures
}

/// Progenitor adds an underscore where a name is a keyword of Rust.
fn same(ident: &str, name: &str) -> bool {
    ident == name || ident.strip_suffix('_') == Some(name)
}

fn parameter(name: &str, ty: &Type, operation: &Operation) -> ClientParameter {
    let found = operation.parameters.iter().find(|parameter| same(name, &snake(&parameter.name)));
    let passing = passing(ty);
    if let Some(parameter) = found {
        return ClientParameter { name: name.to_owned(), wire: parameter.name.clone(), passing };
    }
    let passing = match passing {
        Passing::Text | Passing::OptionalText => Passing::TextBody,
        Passing::Value => Passing::ValueBody,
        _ => Passing::Body,
    };
    ClientParameter { name: name.to_owned(), wire: "body".to_owned(), passing }
}

fn passing(ty: &Type) -> Passing {
    let inner = option(ty);
    match (inner.unwrap_or(ty), inner.is_some()) {
        (Type::Reference(reference), optional) => match (is_str(&reference.elem), optional) {
            (true, false) => Passing::Text,
            (true, true) => Passing::OptionalText,
            (false, false) => Passing::Reference,
            (false, true) => Passing::OptionalReference,
        },
        _ => Passing::Value,
    }
}

fn is_str(ty: &Type) -> bool {
    matches!(ty, Type::Path(path) if path.path.is_ident("str"))
}

/// Takes the `T` of `Option<T>`.
fn option(ty: &Type) -> Option<&Type> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last().filter(|segment| segment.ident == "Option")?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    })
}
