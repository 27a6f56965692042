//! The next version number, by the rules of semantic versions as cargo reads them.

use serde::Serialize;

use super::{Change, Effect};

/// What the next version should be, and why.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Advice {
    /// The version in force.
    pub now: String,
    /// The next one; the same where nothing that is served changes.
    pub next: String,
    /// Why, as a sentence.
    pub reason: String,
}

/// Advises on the next version.
pub(super) fn advise(version: &str, changes: &[Change], proposals: usize) -> Advice {
    let count =
        |wanted: &[Effect]| changes.iter().filter(|change| wanted.contains(&change.effect)).count();
    let breaking = count(&[Effect::Breaking, Effect::BreakingTyped]);
    let additive = count(&[Effect::Additive, Effect::Deprecation]) + proposals;
    let Some([major, minor, patch]) = numbers(version) else {
        let reason = "the version is none that can be counted up".to_owned();
        return Advice { now: version.to_owned(), next: version.to_owned(), reason };
    };
    let below = major == 0;
    let (next, reason) = if breaking > 0 {
        let next = if below { [0, minor + 1, 0] } else { [major + 1, 0, 0] };
        let place = if below {
            "below 1.0 a break raises the second number"
        } else {
            "a break raises the first number"
        };
        (next, format!("{} callers; {place}", plural(breaking, "change breaks", "changes break")))
    } else if additive > 0 {
        let next = if below { [0, minor, patch + 1] } else { [major, minor + 1, 0] };
        let place = if below {
            "below 1.0 additions raise the third number"
        } else {
            "additions raise the second number"
        };
        (next, format!("{} and nothing breaks; {place}", plural(additive, "addition", "additions")))
    } else if changes.is_empty() {
        ([major, minor, patch], "nothing changes".to_owned())
    } else {
        (
            [major, minor, patch + 1],
            "only words and what the server alone sees; they raise the third number".to_owned(),
        )
    };
    Advice { now: version.to_owned(), next: format!("{}.{}.{}", next[0], next[1], next[2]), reason }
}

/// The three numbers of a version; nothing where it has something else.
pub(super) fn numbers(version: &str) -> Option<[u64; 3]> {
    let numbers: Vec<u64> = version.split('.').map_while(|part| part.parse().ok()).collect();
    numbers.try_into().ok()
}

fn plural(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}
