//! How well a name fits what a person wrote, typing errors forgiven. It knows texts and nothing else.

use serde::Serialize;

/// Below this, two names share little more than letters.
const SIMILAR: f64 = 0.85;

/// How well something fits, the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fit {
    /// A letter or two are others.
    Similar,
    /// All words stand somewhere in the path.
    Words,
    /// It is a part.
    Contains,
    /// It is the beginning.
    Starts,
    /// It is the same.
    Exact,
}

/// How well the best of the names fits a folded query, or the path that leads there.
pub fn best(query: &str, names: &[&str], path: &str) -> Option<Fit> {
    let names = names.iter().filter(|name| !name.is_empty());
    names.filter_map(|name| fit(query, &folded(name))).max().max(by_path(query, &folded(path)))
}

/// A text as it is compared.
pub fn folded(text: &str) -> String {
    text.trim().to_lowercase()
}

fn fit(query: &str, name: &str) -> Option<Fit> {
    if name == query {
        Some(Fit::Exact)
    } else if name.starts_with(query) {
        Some(Fit::Starts)
    } else if name.contains(query) {
        Some(Fit::Contains)
    } else {
        let near = strsim::normalized_damerau_levenshtein(query, name);
        (near >= SIMILAR).then_some(Fit::Similar)
    }
}

/// A path is met by its end, or by words that stand anywhere in it, one letter off at most.
fn by_path(query: &str, path: &str) -> Option<Fit> {
    let whole = path.trim_start_matches('/');
    let end = query.contains('/') && (whole == query || whole.ends_with(&format!("/{query}")));
    if end {
        return Some(Fit::Exact);
    }
    if query.contains('/') && whole.contains(query) {
        return Some(Fit::Contains);
    }
    let split = |text: &str| -> Vec<String> {
        let words = text.split(|char: char| !char.is_alphanumeric());
        words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
    };
    let (mut asked, there) = (split(query), split(whole));
    // `the camera in the board room`: what only joins words is no part of a name, unless it is all there is.
    if asked.iter().any(|word| !is_joint(word)) {
        asked.retain(|word| !is_joint(word) || there.contains(word));
    }
    let near = |asked: &String, word: &String| {
        // Short words and numbers differ by a letter where another thing is meant.
        let forgiving = asked.chars().count() >= 4 && !asked.chars().any(char::is_numeric);
        forgiving && strsim::osa_distance(asked, word) <= 1
    };
    if asked.is_empty() {
        None
    } else if asked.iter().all(|word| there.contains(word)) {
        Some(Fit::Words)
    } else {
        let met =
            asked.iter().all(|word| there.contains(word) || there.iter().any(|it| near(word, it)));
        met.then_some(Fit::Similar)
    }
}

/// Whether a word only joins others.
fn is_joint(word: &str) -> bool {
    matches!(word, "the" | "a" | "an" | "in" | "at" | "on" | "of" | "for" | "from")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_called_so_comes_before_what_only_sounds_so() {
        let path = "hq/b1/f9/board room";
        let fit = |query: &str| best(query, &["Board room"], path);
        assert_eq!(fit("board room"), Some(Fit::Exact));
        assert_eq!(fit("f9/board room"), Some(Fit::Exact));
        assert_eq!(fit("board"), Some(Fit::Starts));
        assert_eq!(fit("board b1"), Some(Fit::Words));
        assert_eq!(fit("baord room"), Some(Fit::Similar));
        assert_eq!(fit("b2 board"), None, "another building is not a typing error");
        assert_eq!(fit("the board room in b1"), Some(Fit::Words));
        assert_eq!((fit("the"), fit("in the b2")), (None, None));
        assert!(Fit::Exact > Fit::Starts && Fit::Words > Fit::Similar);
    }
}
