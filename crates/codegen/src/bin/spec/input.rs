//! Reads a document that somebody hands in: JSON or YAML, of a bounded size. Knows nothing of OpenAPI.

use std::fs;
use std::path::Path;

use serde_json::Value;

const MOST_BYTES: u64 = 16 * 1024 * 1024; // Sixty times the present document; larger ones are something else.

/// A document as JSON.
pub(super) struct Input {
    pub(super) json: String,
    /// Whether its lines are those of the file.
    pub(super) has_lines: bool,
}

/// Reads a file as JSON text.
///
/// # Errors
/// Says in a sentence why it is no document.
pub(super) fn read(path: &Path) -> Result<Input, String> {
    let name = path.display();
    let size = fs::metadata(path).map_err(|err| format!("cannot read {name}: {err}"))?.len();
    if size > MOST_BYTES {
        return Err(format!(
            "{name} has {} MiB, and at most {} MiB are read: it is no OpenAPI document of one API",
            size >> 20,
            MOST_BYTES >> 20
        ));
    }
    let bytes = fs::read(path).map_err(|err| format!("cannot read {name}: {err}"))?;
    let text = String::from_utf8(bytes).map_err(|err| {
        format!("{name} is not UTF-8: byte {} is no text", err.utf8_error().valid_up_to())
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let is_json = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
    if is_json || text.trim_start().starts_with(['{', '[']) {
        return Ok(Input { json: text.to_owned(), has_lines: true });
    }
    let value: Value = serde_saphyr::from_str(text).map_err(|err| {
        let cause = err.to_string();
        format!("{name} is neither JSON nor YAML: {}", cause.lines().next().unwrap_or_default())
    })?;
    if !value.is_object() {
        return Err(format!("{name} is no document: an OpenAPI document is an object"));
    }
    Ok(Input { json: value.to_string(), has_lines: false })
}
