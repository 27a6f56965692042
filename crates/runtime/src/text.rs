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

/// Writes a character by its number.
pub(crate) fn escape(text: &mut String, char: char) {
    // A string's buffer never refuses to grow.
    let _ = write!(text, "\\u{{{:x}}}", u32::from(char));
}

/// Control characters, other line ends, zero-width characters, marks of direction, and tags.
pub(crate) fn is_hidden(char: char) -> bool {
    char.is_control()
        || matches!(
            char,
            '\u{ad}'
                | '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quotation_is_short_and_hides_nothing() {
        assert_eq!(quoted("a\nb\u{202e}c"), r"a\nb\u{202e}c");
        assert_eq!(quoted(&"x".repeat(5000)).chars().count(), LONGEST + 1);
    }
}
