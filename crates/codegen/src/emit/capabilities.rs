//! `capabilities.json`: the catalogue, as the server loads it.

use xyte_mcp_catalogue::Catalogue;

use super::filters;

/// Writes the catalogue as indented JSON with a line break at its end.
pub(crate) fn emit(catalogue: &Catalogue) -> String {
    let mut text = filters::json(catalogue);
    text.push('\n');
    text
}
