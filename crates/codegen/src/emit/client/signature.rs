//! The functions of the client: what goes into each place, which progenitor orders by kind and name.

use std::collections::BTreeMap;

use serde_json::Value;
use syn::{FnArg, GenericArgument, ImplItem, Item, Pat, PathArguments, Type};
use xyte_mcp_catalogue::{Entry, Location};

use crate::spec::flat::flatten;
use crate::spec::operation::{rust_name, variables};
use crate::spec::{Body, Document, Operation, Parameter};

/// Places by function of the client.
pub(crate) type Signatures = BTreeMap<String, Vec<Place>>;

/// An operation and what was decided about it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Exposed<'a> {
    pub(crate) operation: &'a Operation,
    pub(crate) entry: &'a Entry,
}

/// What goes into one place of a function.
pub(super) enum Slot<'a> {
    Parameter(&'a Parameter),
    Body(&'a Body),
}

/// One place of a function: whose value, and how it is passed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Place {
    /// Name on the wire; none for the body.
    pub(crate) wire: Option<(String, Location)>,
    pub(crate) passing: Passing,
}

/// How a value is passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Passing {
    Text,
    OptionalText,
    Spelled,
    OptionalSpelled,
    Reference,
    OptionalReference,
    Value,
}

/// The parameters in the order in which progenitor puts them: path by position, query by name, headers by name, the body.
///
/// What paging uses is left out: the runtime adds it to the URL.
pub(super) fn slots(exposed: Exposed<'_>) -> Vec<Slot<'_>> {
    let Exposed { operation, entry } = exposed;
    let of = |location: Location| {
        operation.parameters.iter().filter(move |known| known.location == location)
    };
    let paged = |name: &str| {
        entry.paging.as_ref().is_some_and(|paging| paging.page == name || paging.size == name)
    };
    let order = variables(&operation.path);
    let mut path: Vec<&Parameter> = of(Location::Path).collect();
    path.sort_by_key(|parameter| order.iter().position(|name| *name == parameter.name));
    let mut query: Vec<&Parameter> =
        of(Location::Query).filter(|parameter| !paged(&parameter.name)).collect();
    query.sort_by(|left, right| left.name.cmp(&right.name));
    let mut headers: Vec<&Parameter> = of(Location::Header).collect();
    headers.sort_by(|left, right| left.name.cmp(&right.name));
    let parameters = path.into_iter().chain(query).chain(headers).map(Slot::Parameter);
    parameters.chain(operation.body.iter().map(Slot::Body)).collect()
}

/// Reads the functions of `impl Client`, and pairs their places with what belongs there.
///
/// # Errors
/// Names an operation whose function does not have the places it should have.
pub(super) fn signatures(
    document: &Document,
    file: &syn::File,
    exposed: &[Exposed<'_>],
) -> Result<Signatures, String> {
    let functions = functions(file);
    let mut signatures = Signatures::new();
    for exposed in exposed {
        let id = &exposed.operation.id;
        let name = rust_name(id);
        let found =
            functions.get_key_value(&name).or_else(|| functions.get_key_value(&format!("{name}_")));
        let (function, types) =
            found.ok_or_else(|| format!("the client has no function for `{id}`"))?;
        let slots = slots(*exposed);
        let fits = |(slot, (name, _)): (&Slot<'_>, &(String, &Type))| {
            matches!(slot, Slot::Body(_)) == (name == "body")
        };
        if slots.len() != types.len() || !slots.iter().zip(types).all(fits) {
            return Err(format!("the client takes other values for `{id}` than it should"));
        }
        let places =
            slots.iter().zip(types).map(|(slot, (_, ty))| place(&document.value, slot, ty));
        signatures.insert(function.clone(), places.collect());
    }
    Ok(signatures)
}

fn functions(file: &syn::File) -> BTreeMap<String, Vec<(String, &Type)>> {
    let blocks = file.items.iter().filter_map(|item| match item {
        Item::Impl(block) if block.trait_.is_none() => Some(&block.items),
        _ => None,
    });
    let mut functions = BTreeMap::new();
    for item in blocks.flatten() {
        let ImplItem::Fn(function) = item else { continue };
        if function.sig.asyncness.is_none() {
            continue;
        }
        let types = function.sig.inputs.iter().filter_map(|input| match input {
            FnArg::Typed(input) => match &*input.pat {
                Pat::Ident(pattern) => Some((pattern.ident.to_string(), &*input.ty)),
                _ => None,
            },
            FnArg::Receiver(_) => None,
        });
        functions.insert(function.sig.ident.to_string(), types.collect());
    }
    functions
}

fn place(root: &Value, slot: &Slot<'_>, ty: &Type) -> Place {
    let passing = passing(ty);
    match slot {
        Slot::Body(_) => Place { wire: None, passing },
        Slot::Parameter(parameter) => {
            let number =
                flatten(root, &parameter.schema).get("type").is_some_and(|kind| kind == "number");
            let passing = match passing {
                Passing::Text if number => Passing::Spelled,
                Passing::OptionalText if number => Passing::OptionalSpelled,
                passing => passing,
            };
            Place { wire: Some((parameter.name.clone(), parameter.location)), passing }
        }
    }
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
