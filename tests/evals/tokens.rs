//! How much text costs: characters by four, which needs nothing, and one fixed vocabulary, which shows how far that is off.

use std::sync::LazyLock;

use tiktoken::CoreBpe;

/// The vocabulary of current models of one vendor, as a yardstick; others cut text alike.
static VOCABULARY: LazyLock<&'static CoreBpe> =
    LazyLock::new(|| tiktoken::get_encoding("o200k_base").unwrap());

/// Characters by four, rounded up: what the budgets count.
pub(crate) fn quarter(text: &str) -> usize {
    text.chars().count().div_ceil(4)
}

/// Tokens of the vocabulary.
pub(crate) fn real(text: &str) -> usize {
    VOCABULARY.encode(text).len()
}
