//! `workflows.rs`: a struct of arguments and a method per computed tool, so that one that is declared and not written, or the reverse, does not compile.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use serde_json::{Map, Value};
use xyte_mcp_catalogue::{Catalogue, Entry};

use crate::spec::operation::{pascal, rust_name, snake};

/// Writes the trait, its structs, and the way to a method by the tool's name.
pub(crate) fn emit(catalogue: &Catalogue) -> String {
    let computed: Vec<&Entry> =
        catalogue.entries.iter().filter(|entry| entry.is_computed()).collect();
    let mut types = Types::default();
    let mut methods = TokenStream::new();
    let mut arms = TokenStream::new();
    for entry in computed {
        let name = entry.operation.as_str();
        let method = ident(&rust_name(name));
        let empty = Map::new();
        let schema = entry.tool.get("inputSchema").and_then(Value::as_object).unwrap_or(&empty);
        let arguments = types.object(&pascal(name), schema, &["dry_run", "plan_token"]);
        let what = format!(" What `{name}` computes.");
        methods.extend(quote! {
            #[doc = #what]
            fn #method(&self, desk: &Desk<'_>, arguments: #arguments)
                -> impl Future<Output = Result<Computed, Failure>> + Send;
        });
        arms.extend(quote! {
            #name => workflows.#method(desk, read(arguments)?).await,
        });
    }
    let types = types.written;
    let tokens = quote! {
        #types

        /// One method per computed tool.
        pub(crate) trait Workflows: Sync {
            #methods
        }

        /// Computes a tool by its name in the overrides.
        pub(crate) async fn compute(
            workflows: &impl Workflows,
            name: &str,
            desk: &Desk<'_>,
            arguments: Arguments,
        ) -> Result<Computed, Failure> {
            match name {
                #arms
                _ => Err(Failure::unknown_operation(name)),
            }
        }
    };
    let file = syn::parse2(tokens).expect("made of whole items");
    prettyplease::unparse(&file)
}

/// The types of arguments, each written once.
#[derive(Default)]
struct Types {
    written: TokenStream,
}

impl Types {
    /// A struct of an object's members; gives its name.
    fn object(&mut self, name: &str, schema: &Map<String, Value>, left_out: &[&str]) -> Ident {
        let struct_name = ident(name);
        let empty = Map::new();
        let members = schema.get("properties").and_then(Value::as_object).unwrap_or(&empty);
        let required = schema.get("required").and_then(Value::as_array);
        let mut fields = TokenStream::new();
        for (wire, member) in members.iter().filter(|(wire, _)| !left_out.contains(&wire.as_str()))
        {
            let field = ident(&rust_name(wire));
            let kind = self.kind(&format!("{name}{}", pascal(wire)), member);
            let needed = required.is_some_and(|names| names.iter().any(|it| it == wire));
            let kind = if needed { kind } else { quote!(Option<#kind>) };
            let words = member.get("description").and_then(Value::as_str).unwrap_or(wire);
            let words = format!(" {words}");
            fields.extend(quote! {
                #[doc = #words]
                #[serde(rename = #wire)]
                pub(crate) #field: #kind,
            });
        }
        let what = format!(" Checked arguments: `{}`.", snake(name));
        self.written.extend(quote! {
            #[doc = #what]
            #[derive(Debug, Clone, PartialEq, serde::Deserialize)]
            pub(crate) struct #struct_name { #fields }
        });
        struct_name
    }

    fn kind(&mut self, name: &str, schema: &Value) -> TokenStream {
        if let Some(values) = schema.get("enum").and_then(Value::as_array) {
            let values: Vec<&str> = values.iter().filter_map(Value::as_str).collect();
            let choice = self.choice(name, &values);
            return quote!(#choice);
        }
        let kind = match schema.get("type") {
            Some(Value::Array(kinds)) => kinds.first().and_then(Value::as_str),
            kind => kind.and_then(Value::as_str),
        };
        match (kind, schema.get("items"), schema.as_object()) {
            (Some("string"), ..) => quote!(String),
            (Some("integer"), ..) => quote!(i64),
            (Some("number"), ..) => quote!(f64),
            (Some("boolean"), ..) => quote!(bool),
            (Some("array"), Some(items), _) => {
                let item = self.kind(&format!("{name}Item"), items);
                quote!(Vec<#item>)
            }
            (Some("object"), _, Some(members)) if members.contains_key("properties") => {
                let inner = self.object(name, members, &[]);
                quote!(#inner)
            }
            (Some("object"), ..) => quote!(serde_json::Map<String, serde_json::Value>),
            _ => quote!(serde_json::Value),
        }
    }

    /// An enum of words.
    fn choice(&mut self, name: &str, values: &[&str]) -> Ident {
        let enum_name = ident(name);
        let variants = values.iter().map(|value| {
            let variant = ident(&pascal(value));
            let words = format!(" `{value}`");
            quote! {
                #[doc = #words]
                #[serde(rename = #value)]
                #variant,
            }
        });
        let variants: TokenStream = variants.collect();
        let what = format!(" Accepted words: `{}`.", snake(name));
        self.written.extend(quote! {
            #[doc = #what]
            #[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
            pub(crate) enum #enum_name { #variants }
        });
        enum_name
    }
}

fn ident(name: &str) -> Ident {
    syn::parse_str(name).unwrap_or_else(|_| Ident::new_raw(name, Span::call_site()))
}
