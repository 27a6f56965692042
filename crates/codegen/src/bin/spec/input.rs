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
    let is_json = || path.extension().is_some_and(|it| it.eq_ignore_ascii_case("json"));
    let as_it_is = || Ok(Input { json: text.to_owned(), has_lines: true });
    if text.trim_start().starts_with(['{', '[']) {
        return as_it_is();
    }
    // What was fetched may be YAML under any name; what is neither is told as what its name says.
    match serde_saphyr::from_str::<Value>(text) {
        Ok(value) if value.is_object() => Ok(Input { json: value.to_string(), has_lines: false }),
        _ if is_json() => as_it_is(),
        Ok(_) => Err(format!("{name} is no document: an OpenAPI document is an object")),
        Err(err) => {
            let cause = err.to_string();
            let cause = cause.lines().next().unwrap_or_default();
            Err(format!("{name} is neither JSON nor YAML: {cause}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yaml_is_read_under_any_name_and_what_is_neither_is_left_to_be_told_as_json() {
        let folder = std::env::temp_dir().join(format!("spec-input-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("document.json");
        let given = |text: &str| {
            fs::write(&path, text).unwrap();
            read(&path).unwrap()
        };
        let yaml = given("openapi: 3.0.3\npaths: {}\n");
        assert_eq!(yaml.json, r#"{"openapi":"3.0.3","paths":{}}"#);
        assert!(!yaml.has_lines);
        assert_eq!(given("<html>").json, "<html>");
        assert!(given("{\"a\": 1}").has_lines);
        fs::remove_dir_all(folder).unwrap();
    }
}
