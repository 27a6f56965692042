//! The typed client: a document that progenitor cannot trip over, and the signatures that it chose.
//!
//! Every answer is declared as `2XX`, `4XX` and `5XX` with content `*/*`, so that the client gives status, headers and bytes of whatever comes: a typed answer would drop nulls and lose a page over one odd field.
//! Words of the document are left out, so that none can end up in Rust.

mod document;
mod plain;
pub(crate) mod signature;

use std::panic::{AssertUnwindSafe, catch_unwind};

use progenitor_impl::{GenerationSettings, Generator, HooksMode, InterfaceStyle};
use quote::quote;
use xyte_mcp_catalogue::{Catalogue, Entry};

use crate::diagnostic::{Diagnostic, Place};
use crate::spec::{Document, Operation};
use signature::{Exposed, Signatures};

/// Generates the client of the exposed operations.
///
/// # Errors
/// Names the operations that progenitor gives up on.
pub(crate) fn emit(
    document: &Document,
    catalogue: &Catalogue,
) -> Result<(String, Signatures), Vec<Diagnostic>> {
    let of = |entry: &'_ Entry| {
        document.operations.iter().find(|operation| operation.id == entry.operation)
    };
    let exposed: Vec<Exposed<'_>> = catalogue
        .entries
        .iter()
        .filter_map(|entry| Some(Exposed { operation: of(entry)?, entry }))
        .collect();
    let file = match generate(document, &exposed) {
        Ok(file) => file,
        Err(cause) => return Err(blame(document, &exposed, &cause)),
    };
    let signatures = signature::signatures(document, &file, &exposed)
        .map_err(|cause| vec![Diagnostic::document("client-generator", "/paths", cause)])?;
    Ok((prettyplease::unparse(&file), signatures))
}

/// Runs progenitor, which panics where it meets what it does not know.
fn generate(document: &Document, exposed: &[Exposed<'_>]) -> Result<syn::File, String> {
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
fn blame(document: &Document, exposed: &[Exposed<'_>], cause: &str) -> Vec<Diagnostic> {
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
        .filter_map(|exposed| {
            generate(document, &[*exposed]).err().map(|cause| finding(exposed.operation, &cause))
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
