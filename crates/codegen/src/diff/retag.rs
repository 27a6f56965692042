//! Toolsets that have another name since their tag has one. Guesses nothing where a tag was split, or a name meant something before.

use std::collections::{BTreeMap, BTreeSet};

use toml::Spanned;

use super::Decision;
use super::adapt::Adapted;
use super::surface::View;
use crate::overrides::{Overrides, Word};
use crate::spec::operation::snake;
use crate::spec::{Document, Operation};

/// A toolset under another name, and where the overrides say the old one.
pub(super) struct Retagged {
    pub(super) from: String,
    pub(super) to: String,
    words: Vec<Word>,
}

/// Finds toolsets whose operations all have one other tag now, and lets the adapted overrides say its name.
pub(super) fn follow(before: &Document, adapted: &mut Adapted) {
    let mut heirs: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for pair in &adapted.pairs {
        let set = |operation: &Operation| operation.tags.first().map(|tag| snake(tag));
        let (old, new) =
            (&before.operations[pair.before], &adapted.document.operations[pair.after]);
        if let (Some(old), Some(new)) = (set(old), set(new)) {
            heirs.entry(old).or_default().insert(new);
        }
    }
    let (old, new) = (tags(before), tags(&adapted.document));
    for (from, mut heirs) in heirs {
        let (Some(to), true) = (heirs.pop_first(), heirs.is_empty()) else { continue };
        if to == from || old.contains(&to) || new.contains(&from) {
            continue;
        }
        let mut words = Vec::new();
        for word in mentions(&mut adapted.overrides).filter(|word| *word.get_ref() == from) {
            words.push(word.clone());
            *word = Spanned::new(word.span(), to.clone());
        }
        adapted.retagged.push(Retagged { from, to, words });
    }
}

fn tags(document: &Document) -> BTreeSet<String> {
    let used = document.operations.iter().flat_map(|operation| &operation.tags);
    document.tags.iter().map(|(name, _)| name).chain(used).map(|tag| snake(tag)).collect()
}

/// Every place where the overrides name a toolset.
fn mentions(overrides: &mut Overrides) -> impl Iterator<Item = &mut Word> {
    let sets = overrides.toolsets.iter_mut().map(|set| &mut set.name);
    let operations = overrides.operations.iter_mut().map(|table| &mut table.tool);
    let tools = operations.chain(overrides.workflows.iter_mut().map(|table| &mut table.tool));
    sets.chain(tools.filter_map(|tool| tool.toolset.as_mut()))
}

/// Words of the overrides that the build would not know any more.
pub(super) fn decisions<'v>(view: &'v View<'_>) -> impl Iterator<Item = Decision> + 'v {
    view.adapted.retagged.iter().flat_map(move |Retagged { from, to, words }| {
        words.iter().map(move |word| Decision {
            rule: "renamed-toolset".to_owned(),
            message: format!("the toolset `{from}` is `{to}` now, since its tag is"),
            place: view.places.overrides(word.span().start),
            help: format!("write `{to}`, or let `cargo spec update --accept-proposals` do it"),
            dependent: None,
        })
    })
}
