//! Things as people know them: a list whose rows have names, and which of them a person means.
//!
//! It is given rows and reads none.

pub mod rank;

use std::cmp::Reverse;
use std::collections::HashMap;

use serde_json::Value;
use xyte_mcp_catalogue::naming::Naming;

use self::rank::{Fit, best, folded};
use crate::failure::Failure;
use crate::shape::projection::follow;
use crate::text::quoted;

/// Candidates that a refusal names.
const MOST_CANDIDATES: usize = 8;

/// Longest name that is looked up, in characters: comparing takes the product of two lengths.
pub(crate) const LONGEST: usize = 200;

/// All things of a list.
#[derive(Debug)]
pub(crate) struct Roll {
    things: Vec<Thing>,
    /// Whether the list was read to its end.
    pub(crate) complete: bool,
}

#[derive(Debug)]
struct Thing {
    id: Value,
    /// The id as text.
    written: String,
    name: String,
    also: Vec<String>,
    /// What leads to it, its own name at the end.
    path: String,
}

/// Ids that fit what somebody began to write, the best first.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Fitting {
    pub(crate) ids: Vec<String>,
    /// How many fit; more than there are ids where these are many.
    pub(crate) total: usize,
}

impl Roll {
    /// Reads rows; one without an id is nothing that could be meant.
    pub(crate) fn new(naming: &Naming, rows: &[Value], complete: bool) -> Self {
        let text = |row: &Value, column: &str| follow(row, column).map(written).unwrap_or_default();
        let lines = Lines::new(naming, rows);
        let things = rows.iter().filter_map(|row| {
            let id = follow(row, &naming.id).filter(|id| !id.is_null())?.clone();
            let name = text(row, &naming.name);
            let above =
                if naming.parent.is_empty() { text(row, &naming.path) } else { lines.above(row) };
            let path = if above.is_empty() { name.clone() } else { format!("{above}/{name}") };
            let also = naming.also.iter().map(|column| text(row, column));
            let also = also.filter(|other| !other.is_empty()).collect();
            Some(Thing { written: written(&id), id, name, also, path })
        });
        Self { things: things.collect(), complete }
    }

    /// The id of the one thing that is called so, by its name, its path or another name that it has.
    pub(crate) fn find(&self, argument: &str, wanted: &str) -> Result<Value, Failure> {
        let query = folded(wanted.trim().trim_matches('/'));
        let end = format!("/{query}");
        let is = |text: &str| !text.is_empty() && folded(text) == query;
        let by_id = self.things.iter().find(|thing| is(&thing.written));
        let whole: Vec<&Thing> = self.things.iter().filter(|thing| is(&thing.path)).collect();
        let called = || {
            self.things.iter().filter(|thing| {
                let by_path = query.contains('/') && folded(&thing.path).ends_with(&end);
                by_path || is(&thing.name) || thing.also.iter().any(|other| is(other))
            })
        };
        let found = match (by_id, query.contains('/') && whole.len() == 1) {
            (Some(thing), _) => vec![thing],
            (None, true) => whole,
            (None, false) => called().collect(),
        };
        match found.as_slice() {
            [thing] if self.complete || by_id.is_some() => Ok(thing.id.clone()),
            [] => Err(self.unknown(argument, wanted)),
            [thing] => {
                let message = format!(
                    "one is called `{}`, and there may be others: the list could not be read to its end",
                    quoted(wanted)
                );
                let hint = format!("If {} is meant, pass its id as `{argument}`.", thing.shown());
                Err(Failure::new("ambiguous_name", message).with_hint(hint))
            }
            several => {
                let message = format!("{} are called `{}`", several.len(), quoted(wanted));
                let candidates = shown(several.iter().copied());
                let hint = format!(
                    "Ask which one is meant, and pass its id as `{argument}`: {candidates}."
                );
                Err(Failure::new("ambiguous_name", message).with_hint(hint))
            }
        }
    }

    fn unknown(&self, argument: &str, wanted: &str) -> Failure {
        let gap = if self.complete { "" } else { ", as far as the list could be read: try again" };
        let message =
            format!("nothing that `{argument}` could mean is called `{}`{gap}", quoted(wanted));
        let near = self.ranked(wanted);
        let hint = match near.as_slice() {
            [] => "Look it up in the list, or ask the person.".to_owned(),
            near => format!("Near: {}.", shown(near.iter().map(|(_, thing)| *thing))),
        };
        Failure::new("not_found", message).with_hint(hint)
    }

    /// The ids that fit, at most so many.
    pub(crate) fn fitting(&self, begun: &str, most: usize) -> Fitting {
        let ranked = self.ranked(begun);
        let ids = ranked.iter().take(most).map(|(_, thing)| thing.written.clone());
        Fitting { ids: ids.collect(), total: ranked.len() }
    }

    /// What fits, the best first; to nothing at all, everything does.
    fn ranked(&self, wanted: &str) -> Vec<(Fit, &Thing)> {
        let query: String = folded(wanted).chars().take(LONGEST).collect();
        let fits = |thing: &Thing| {
            if query.is_empty() {
                return Some(Fit::Similar);
            }
            let mut names = vec![thing.name.as_str(), thing.written.as_str()];
            names.extend(thing.also.iter().map(String::as_str));
            best(&query, &names, &thing.path)
        };
        let mut ranked: Vec<(Fit, &Thing)> =
            self.things.iter().filter_map(|thing| Some((fits(thing)?, thing))).collect();
        ranked.sort_by_key(|(fit, thing)| {
            (Reverse(*fit), thing.path.as_str(), thing.written.as_str())
        });
        ranked
    }
}

impl Thing {
    fn shown(&self) -> String {
        format!("{} `{}`", quoted(&self.written), quoted(&self.path))
    }
}

fn shown<'t>(things: impl Iterator<Item = &'t Thing>) -> String {
    things.take(MOST_CANDIDATES).map(Thing::shown).collect::<Vec<_>>().join(", ")
}

fn written(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// Who is above whom.
struct Lines {
    /// Name and parent by id.
    above: HashMap<String, (String, String)>,
    parent: String,
}

impl Lines {
    fn new(naming: &Naming, rows: &[Value]) -> Self {
        let text = |row: &Value, column: &str| follow(row, column).map(written).unwrap_or_default();
        let parent = naming.parent.clone();
        let known = rows
            .iter()
            .filter(|_| !parent.is_empty())
            .map(|row| (text(row, &naming.id), (text(row, &naming.name), text(row, &parent))));
        let above = known.filter(|(id, _)| !id.is_empty());
        Self { above: above.collect(), parent }
    }

    /// The names above a row, from the top; a circle ends where it closes.
    fn above(&self, row: &Value) -> String {
        let mut at = follow(row, &self.parent).map(written).unwrap_or_default();
        let (mut names, mut seen) = (Vec::new(), Vec::new());
        while let Some((name, parent)) = self.above.get(&at).filter(|_| !seen.contains(&at)) {
            names.push(name.as_str());
            seen.push(std::mem::replace(&mut at, parent.clone()));
        }
        names.reverse();
        names.join("/")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use xyte_mcp_catalogue::naming::IdForm;

    use super::*;

    fn spaces(complete: bool) -> Roll {
        let naming = Naming {
            operation: "list_spaces".to_owned(),
            id: "id".to_owned(),
            form: IdForm::Integer,
            name: "name".to_owned(),
            also: vec!["code".to_owned()],
            path: String::new(),
            parent: "parent_id".to_owned(),
        };
        let rows = json!([
            {"id": 1, "name": "HQ", "parent_id": 9}, {"id": 2, "name": "Board", "parent_id": 1},
            {"id": 3, "name": "TLV", "parent_id": null}, {"id": 4, "name": "Board", "parent_id": 3},
            {"id": 5, "name": "Fjord", "parent_id": 3, "code": "F-1"}, {"name": "no id"},
            {"id": 6, "name": "Ring", "parent_id": 7}, {"id": 7, "name": "Round", "parent_id": 6},
        ]);
        Roll::new(&naming, rows.as_array().unwrap(), complete)
    }

    #[test]
    fn a_name_means_one_thing_or_is_asked_back() {
        let roll = spaces(true);
        for (wanted, id) in [("fjord", 5), (" TLV/Board ", 4), ("f-1", 5), ("hq", 1), ("ring", 6)] {
            assert_eq!(roll.find("space_id", wanted).unwrap(), json!(id), "{wanted}");
        }
        let refused = roll.find("space_id", "Board").unwrap_err();
        assert_eq!(refused.code, "ambiguous_name");
        let hint = refused.hint.unwrap();
        assert!(hint.ends_with("`space_id`: 2 `HQ/Board`, 4 `TLV/Board`."), "{hint}");
        let refused = roll.find("space_id", "Fjrod").unwrap_err();
        assert_eq!(
            (refused.code.as_ref(), refused.hint.as_deref()),
            ("not_found", Some("Near: 5 `TLV/Fjord`."))
        );
    }

    #[test]
    fn a_name_in_a_list_with_gaps_is_not_taken_for_the_only_one() {
        let find = |wanted| spaces(false).find("space_id", wanted).unwrap_err();
        assert_eq!(find("Fjord").code, "ambiguous_name");
        assert!(find("Skog").message.ends_with("as far as the list could be read: try again"));
    }

    #[test]
    fn ids_are_completed_by_name_or_by_their_beginning_the_best_first() {
        let roll = spaces(true);
        let ids = |begun: &str| roll.fitting(begun, 100).ids;
        assert_eq!(ids("board"), ["2", "4"]);
        assert_eq!(ids("tlv bo"), [] as [&str; 0], "words are whole, or a beginning of the name");
        assert_eq!(ids("5"), ["5"]);
        assert_eq!(
            roll.fitting("", 2),
            Fitting { ids: vec!["1".to_owned(), "2".to_owned()], total: 7 }
        );
    }
}
