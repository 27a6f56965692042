//! Foreign text in our sentences: shortened, on one line, with nothing hidden in it.

use std::fmt::Write as _;

/// Longest quotation of a name or value: enough to recognize one's own.
const LONGEST: usize = 80;

/// Shows a name or value that somebody else wrote.
pub fn quoted(text: &str) -> String {
    let mut shown = String::new();
    for (count, char) in text.chars().enumerate() {
        match char {
            _ if count == LONGEST => {
                shown.push('…');
                break;
            }
            '\n' => shown.push_str("\\n"),
            hidden if is_hidden(hidden) => escape(&mut shown, hidden),
            plain => shown.push(plain),
        }
    }
    shown
}

/// Where something is in a JSON value, given as a pointer, as a person would write it: `steps[0].command`; the top has a name of its own.
pub fn place(pointer: &str, top: &str) -> String {
    if pointer.is_empty() {
        return top.to_owned();
    }
    let mut text = String::new();
    for segment in pointer.split('/').skip(1) {
        let _ = match segment.parse::<usize>() {
            Ok(index) => write!(text, "[{index}]"),
            Err(_) if text.is_empty() => write!(text, "{segment}"),
            Err(_) => write!(text, ".{segment}"),
        };
    }
    format!("`{}`", quoted(&text))
}

/// Bytes as digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Whether every character is a visible one of ASCII, and none of those that mean something where the text is written.
#[allow(
    clippy::needless_bitwise_bool,
    reason = "without a way out, many bytes are looked at at once"
)]
pub(crate) fn is_plain(text: &str, special: [u8; 2]) -> bool {
    let is_odd =
        |byte: u8| !matches!(byte, b' '..=b'~') | (byte == special[0]) | (byte == special[1]);
    !text.bytes().fold(false, |odd, byte| odd | is_odd(byte))
}

/// Writes a character by its number.
pub(crate) fn escape(text: &mut String, char: char) {
    // A string's buffer never refuses to grow.
    let _ = write!(text, "\\u{{{:x}}}", u32::from(char));
}

/// Shows a text on one line, with nothing hidden in it.
pub(crate) fn on_one_line(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '\n' => shown.push_str("\\n"),
            hidden if is_hidden(hidden) => escape(&mut shown, hidden),
            plain => shown.push(plain),
        }
    }
    shown
}

/// Writes what is hidden in a JSON text by its number, which says the same to whoever parses it.
pub(crate) fn visible_json(json: String) -> String {
    // Below 128, a JSON text has one hidden character at most: the others are escaped already.
    if json.bytes().all(|byte| byte < 0x7f) || !json.chars().any(is_hidden) {
        return json;
    }
    let mut shown = String::with_capacity(json.len() + 16);
    for char in json.chars() {
        if is_hidden(char) {
            for unit in char.encode_utf16(&mut [0; 2]) {
                // A string's buffer never refuses to grow.
                let _ = write!(shown, "\\u{unit:04x}");
            }
        } else {
            shown.push(char);
        }
    }
    shown
}

/// Control characters, other line ends, marks of direction, tags, and whatever takes no room on a screen.
pub(crate) fn is_hidden(char: char) -> bool {
    char.is_control()
        || matches!(
            char,
            '\u{ad}'
                | '\u{34f}'
                | '\u{61c}'
                | '\u{115f}'..='\u{1160}'
                | '\u{17b4}'..='\u{17b5}'
                | '\u{180b}'..='\u{180f}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{3164}'
                | '\u{fe00}'..='\u{fe0f}'
                | '\u{feff}'
                | '\u{ffa0}'
                | '\u{fff0}'..='\u{fffb}'
                | '\u{1bca0}'..='\u{1bca3}'
                | '\u{1d173}'..='\u{1d17a}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_visible_json_text_says_the_same() {
        let value = serde_json::json!({"a\u{200b}": "x\u{202e}y\u{7f}\u{85}\u{e0041}é|"});
        let shown = visible_json(value.to_string());
        assert!(!shown.chars().any(is_hidden), "{shown}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap(), value);
        assert!(shown.contains(r"\u202ey\u007f\u0085\udb40\udc41é|"), "{shown}");
    }

    #[test]
    fn a_quotation_is_short_and_hides_nothing() {
        assert_eq!(quoted("a\nb\u{202e}c"), r"a\nb\u{202e}c");
        assert_eq!(quoted(&"x".repeat(5000)).chars().count(), LONGEST + 1);
    }
}
