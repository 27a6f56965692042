//! Patterns of names. It knows nothing but text.

/// Whether a text fits a pattern: the same letters, whatever their case, any text for a `*` and any character for a `?`. What no pattern is given for fits.
pub(super) fn like(pattern: Option<&str>, text: Option<&str>) -> bool {
    let Some(pattern) = pattern else { return true };
    let Some(text) = text else { return false };
    let pattern: Vec<char> = pattern.to_lowercase().chars().collect();
    let text: Vec<char> = text.to_lowercase().chars().collect();
    let (mut at, mut in_text) = (0, 0);
    // Where the last `*` is, and how far in the text it reaches.
    let mut star: Option<(usize, usize)> = None;
    while in_text < text.len() {
        match (pattern.get(at), star) {
            (Some('*'), _) => {
                star = Some((at, in_text));
                at += 1;
            }
            (Some(char), _) if *char == '?' || *char == text[in_text] => {
                at += 1;
                in_text += 1;
            }
            (_, Some((place, reach))) => {
                star = Some((place, reach + 1));
                at = place + 1;
                in_text = reach + 1;
            }
            (_, None) => return false,
        }
    }
    pattern[at..].iter().all(|char| *char == '*')
}

#[cfg(test)]
mod tests {
    use super::like;

    #[test]
    fn a_pattern_fits_whole_names_and_a_star_any_text() {
        let fits = |pattern, text| like(Some(pattern), Some(text));
        assert!(fits("*PROJECTOR*", "Laser projector 4K"));
        assert!(fits("laser*4k", "Laser projector 4K"));
        assert!(fits("*a*b*", "xaxbx") && fits("pro?ector", "Projector"));
        assert!(!fits("projector", "Laser projector"), "no star, no parts");
        assert!(!fits("a*a", "a"), "each letter counts once");
        assert!(!fits("*b*a*", "ab"));
        assert!(like(None, None) && !like(Some("*"), None));
    }
}
