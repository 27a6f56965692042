//! What is answered where a name does not mean exactly one thing. It looks nothing up.

use xyte_mcp_runtime::failure::Failure;
use xyte_mcp_runtime::text::quoted;

/// Candidates that a refusal names.
const MOST_CANDIDATES: usize = 8;

/// What somebody called something.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'w> {
    /// What it should be: a device, a space.
    pub(super) kind: &'static str,
    pub(super) name: &'w str,
    /// Whether all of its kind could be read.
    pub(super) all: bool,
}

impl Wanted<'_> {
    /// Nothing is called so; these ids with their paths are near.
    pub(super) fn unknown(self, near: &[(String, String)]) -> Failure {
        let Self { kind, name, all } = self;
        let gap = if all { "" } else { " among those that could be read" };
        let message = format!("no {kind} is `{}`{gap}", quoted(name));
        let mut hint = Vec::new();
        if !all {
            hint.push(format!("Not every {kind} could be read: try again, or pass an id."));
        }
        match near {
            [] if all => hint.push("Look it up with `find`.".to_owned()),
            [] => {}
            near => hint.push(format!("Near: {}.", shown(near))),
        }
        Failure::new("not_found", message).with_hint(hint.join(" "))
    }

    /// These ids with their paths are called so: several, or one that may not be the only one.
    pub(super) fn ambiguous(self, candidates: &[(String, String)]) -> Failure {
        let Self { kind, name, all } = self;
        let are = if candidates.len() == 1 { " is" } else { "s are" };
        let others =
            if all { "" } else { ", and there may be others: the list could not be read whole" };
        let message = format!("{} {kind}{are} called `{}`{others}", candidates.len(), quoted(name));
        Failure::new("ambiguous_name", message)
            .with_hint(format!("Ask which one is meant, and pass its id: {}.", shown(candidates)))
    }
}

fn shown(candidates: &[(String, String)]) -> String {
    let named = candidates.iter().take(MOST_CANDIDATES);
    let named: Vec<String> =
        named.map(|(id, path)| format!("{} `{}`", quoted(id), quoted(path))).collect();
    let more = match candidates.len().saturating_sub(MOST_CANDIDATES) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    named.join(", ") + &more
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_refused_names_the_candidates_and_whether_others_may_be_missing() {
        let room = [("2".to_owned(), "HQ/Board room".to_owned())];
        let wanted = |all| Wanted { kind: "space", name: "Board\nroom", all };
        let refused = wanted(false).ambiguous(&room);
        assert!(refused.message.starts_with(r"1 space is called `Board\nroom`, and there may be"));
        assert_eq!(
            refused.hint.unwrap(),
            "Ask which one is meant, and pass its id: 2 `HQ/Board room`."
        );
        let refused = wanted(true).unknown(&room);
        assert_eq!(refused.message, r"no space is `Board\nroom`");
        assert_eq!(refused.hint.unwrap(), "Near: 2 `HQ/Board room`.");
        let refused = wanted(false).unknown(&[]);
        assert!(refused.message.ends_with("among those that could be read"));
        assert!(refused.hint.unwrap().contains("try again"));
        let many: Vec<_> = (0..20).map(|id| (id.to_string(), String::new())).collect();
        assert!(wanted(true).ambiguous(&many).hint.unwrap().ends_with("and 12 more."));
    }
}
