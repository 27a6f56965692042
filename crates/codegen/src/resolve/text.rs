//! Text from the document as agents and people may see it: trimmed, folded, with nothing invisible left in it.

use crate::diagnostic::is_invisible;

/// Folds white space, and shows what could hide or reorder text.
pub(super) fn line(text: &str) -> String {
    let folded = text.split_whitespace().collect::<Vec<_>>().join(" ");
    folded.chars().fold(String::with_capacity(folded.len()), |mut out, character| {
        if is_invisible(character) {
            out.extend(character.escape_unicode());
        } else {
            out.push(character);
        }
        out
    })
}

/// Writes a name as a key of TOML, in quotes where it needs them.
pub(super) fn key(name: &str) -> String {
    let bare = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
    if !name.is_empty() && name.bytes().all(bare) { name.to_owned() } else { format!("{name:?}") }
}
