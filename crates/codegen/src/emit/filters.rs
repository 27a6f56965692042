//! How text enters Rust and Markdown without being able to leave its place.

use std::fmt::Write;

use serde::Serialize;

use crate::diagnostic::is_invisible;

/// Writes a Rust string literal in ASCII.
pub(super) fn literal(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            ' '..='~' => out.push(character),
            _ => out.extend(character.escape_unicode()),
        }
    }
    out.push('"');
    out
}

/// Writes text for a line of Markdown: nothing in it is markup, and nothing ends the line.
pub(super) fn markdown(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let ordinal = text.trim_start_matches(|digit: char| digit.is_ascii_digit());
    let is_list = text.len() > ordinal.len() && ordinal.starts_with(['.', ')']);
    if is_list || text.starts_with(['+', '-', '=']) {
        out.push_str("&#8203;"); // An empty space, so that the line is text and no list.
    }
    for character in text.chars() {
        match character {
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '#' | '!' | '~' | '&' => {
                out.extend(['\\', character]);
            }
            '\n' | '\r' | '\t' => out.push(' '),
            character if is_invisible(character) => out.extend(character.escape_unicode()),
            character => out.push(character),
        }
    }
    out
}

/// Writes text for a code span, which cannot hold a backtick or a line break.
pub(super) fn code(text: &str) -> String {
    let shown: String = text
        .chars()
        .map(|character| match character {
            '`' => '\'',
            character if is_invisible(character) => ' ',
            character => character,
        })
        .collect();
    format!("`{}`", shown.replace('|', "\\|"))
}

/// Writes JSON with escapes for what cannot be seen, which means the same to a parser.
pub(super) fn json(value: &impl Serialize) -> String {
    let text =
        serde_json::to_string_pretty(value).expect("plain data with string keys is always JSON");
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if character == '\n' || !is_invisible(character) {
            out.push(character);
            continue;
        }
        for unit in character.encode_utf16(&mut [0; 2]) {
            let _infallible = write!(out, "\\u{unit:04x}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{code, literal, markdown};

    #[test]
    fn hostile_text_stays_inside_a_rust_literal() {
        let hostile = "\"#; panic!() //\n*/ {{ x }} \u{202e}é";
        let written: syn::LitStr = syn::parse_str(&literal(hostile)).unwrap();
        assert_eq!(written.value(), hostile);
        assert!(literal(hostile).is_ascii());
    }

    #[test]
    fn hostile_text_stays_inside_its_line_of_markdown() {
        let written = markdown("# Title\n```\n[x](javascript:y) <script> \u{202e}");
        assert_eq!(written.lines().count(), 1);
        assert!(written.starts_with("\\#"));
        assert!(written.contains("\\[x\\](javascript:y) \\<script\\>"));
        assert!(!written.contains('\u{202e}'));
        assert_eq!(code("a`b\n|"), "`a'b \\|`");
    }
}
