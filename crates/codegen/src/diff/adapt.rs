//! The overrides as they would have to be for the other document: tables under their new ids, orphans left out, proposals added.
//!
//! Spans stay those of the maintainer's file, so that findings point into it. It decides nothing that a person has to.

use std::collections::BTreeSet;

use toml::Spanned;
use xyte_mcp_catalogue::Catalogue;

use super::Change;
use super::dialect::{self, Moved};
use super::pair::{self, Pair};
use super::propose;
use super::retag::{self, Retagged};
use crate::diagnostic::Diagnostic;
use crate::overrides::{ArgumentOverride, Overrides, Word};
use crate::spec::operation::{check_ids, snake};
use crate::spec::{Document, Operation};

/// The other document with overrides that fit it.
pub(super) struct Adapted {
    /// Every operation has an id here, if need be the old one.
    pub(super) document: Document,
    pub(super) overrides: Overrides,
    pub(super) pairs: Vec<Pair>,
    pub(super) renamed: Vec<Renamed>,
    pub(super) orphans: Vec<Orphan>,
    /// Positions of the new operations.
    pub(super) fresh: Vec<usize>,
    /// Ways to page whose words are others.
    pub(super) moved: Vec<Moved>,
    /// Toolsets that have another name.
    pub(super) retagged: Vec<Retagged>,
}

/// An operation with another id than before.
pub(super) struct Renamed {
    pub(super) word: Word,
    pub(super) id: String,
    pub(super) what: What,
    /// Which operation has the old id, where one has.
    pub(super) taken_by: Option<String>,
}

/// A key of the overrides whose operation is gone.
pub(super) struct Orphan {
    pub(super) word: Word,
    pub(super) what: What,
}

/// The table that names an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    Exposed,
    Skipped,
}

impl What {
    /// Name of the table in the overrides.
    pub(super) fn table(self) -> &'static str {
        match self {
            What::Exposed => "operations",
            What::Skipped => "skip",
        }
    }
}

/// Fits the overrides to the other document.
pub(super) fn adapt(
    before: &Document,
    mut after: Document,
    overrides: &Overrides,
    served: &Catalogue,
    findings: &mut Vec<Diagnostic>,
) -> Adapted {
    let pairs = pair::pairs(&before.operations, &after.operations);
    check_ids(&mut after.operations, findings);
    name_all(before, &mut after, &pairs);
    let fresh: Vec<usize> = (0..after.operations.len())
        .filter(|at| !pairs.iter().any(|pair| pair.after == *at))
        .collect();
    let mut adapted = Adapted {
        document: after,
        overrides: overrides.clone(),
        pairs,
        renamed: Vec::new(),
        orphans: Vec::new(),
        fresh,
        moved: Vec::new(),
        retagged: Vec::new(),
    };
    adapted.rekey(before);
    dialect::follow(before, &mut adapted);
    retag::follow(before, &mut adapted);
    let kept: BTreeSet<&str> =
        adapted.pairs.iter().map(|pair| before.operations[pair.before].id.as_str()).collect();
    let names: BTreeSet<String> = served
        .entries
        .iter()
        .filter(|entry| entry.is_computed() || kept.contains(entry.operation.as_str()))
        .flat_map(|entry| {
            let name = entry.tool["name"].as_str().unwrap_or_default().to_owned();
            std::iter::once(name).chain(entry.aliases.iter().cloned())
        })
        .collect();
    propose::add(&mut adapted, served, names);
    adapted
}

/// Gives every operation an id: what has none, or one that is taken, was reported, and is compared all the same.
fn name_all(before: &Document, after: &mut Document, pairs: &[Pair]) {
    let mut taken: BTreeSet<String> =
        after.operations.iter().map(|operation| operation.id.clone()).collect();
    for (at, operation) in after.operations.iter_mut().enumerate() {
        if !operation.id.is_empty() {
            continue;
        }
        let old = pairs.iter().find(|pair| pair.after == at);
        let mut id = match old {
            Some(pair) => before.operations[pair.before].id.clone(),
            None => snake(&format!("{} {}", operation.method, operation.path)),
        };
        while !taken.insert(id.clone()) {
            id.push('_');
        }
        operation.id = id;
    }
}

impl Adapted {
    /// The overrides once more, with renamed arguments under the names that agents know, as `update` writes them.
    pub(super) fn with_kept_names(&self, changes: &[Change]) -> Overrides {
        let mut overrides = self.overrides.clone();
        for change in changes.iter().filter(|change| change.is_renamed_argument()) {
            let Some(table) = overrides
                .operations
                .iter_mut()
                .find(|table| *table.operation.get_ref() == change.operation)
            else {
                continue;
            };
            let (from, to) = (&change.path, change.after.as_str().unwrap_or_default());
            let names =
                |known: &str| table.arguments.iter().position(|it| it.argument.get_ref() == known);
            let at = names(to).or_else(|| names(from)).unwrap_or_else(|| {
                let argument = Spanned::new(table.operation.span(), to.to_owned());
                table.arguments.push(ArgumentOverride { argument, name: None, description: None });
                table.arguments.len() - 1
            });
            let known = &mut table.arguments[at];
            let span = known.argument.span();
            known.argument = Spanned::new(span.clone(), to.to_owned());
            known.name.get_or_insert_with(|| Spanned::new(span, from.clone()));
        }
        overrides
    }

    /// Puts every table under the id that its operation has in the other document.
    fn rekey(&mut self, before: &Document) {
        let (document, pairs) = (&self.document, &self.pairs);
        let partner = |id: &str| -> Option<&Operation> {
            let at = before.operations.iter().position(|operation| operation.id == id)?;
            let pair = pairs.iter().find(|pair| pair.before == at)?;
            Some(&document.operations[pair.after])
        };
        let (mut renamed, mut orphans) = (Vec::new(), Vec::new());
        let mut key = |word: &mut Word, what: What| {
            let Some(operation) = partner(word.get_ref()) else {
                orphans.push(Orphan { word: word.clone(), what });
                return false;
            };
            if operation.id != *word.get_ref() {
                let taken = document.operations.iter().find(|other| other.id == *word.get_ref());
                renamed.push(Renamed {
                    word: word.clone(),
                    id: operation.id.clone(),
                    what,
                    taken_by: taken.map(|other| format!("{} {}", other.method, other.path)),
                });
                *word = Spanned::new(word.span(), operation.id.clone());
            }
            true
        };
        self.overrides.operations.retain_mut(|table| {
            let old = table.operation.clone();
            let kept = key(&mut table.operation, What::Exposed);
            if kept && table.operation != old {
                // Agents know the tool by a name that came from the old id.
                let name = || Spanned::new(old.span(), snake(old.get_ref()));
                table.tool.name.get_or_insert_with(name);
                if let Some(resource) = &mut table.resource {
                    resource.name.get_or_insert_with(|| old.clone());
                }
            }
            kept
        });
        for word in mentions(&mut self.overrides) {
            if let Some(operation) = partner(word.get_ref()) {
                *word = Spanned::new(word.span(), operation.id.clone());
            }
        }
        self.overrides.skip.retain_mut(|skip| key(&mut skip.operation, What::Skipped));
        (self.renamed, self.orphans) = (renamed, orphans);
    }
}

/// Every place where the overrides name an operation that is not the key of its table.
fn mentions(overrides: &mut Overrides) -> impl Iterator<Item = &mut Word> {
    let operations = overrides.operations.iter_mut().flat_map(|table| {
        let target = table.target.as_mut().map(|target| &mut target.operation);
        table.reads.iter_mut().chain(target)
    });
    let calls = overrides.workflows.iter_mut().flat_map(|it| &mut it.calls);
    let names = overrides.names.iter_mut().filter_map(|it| it.operation.as_mut());
    operations.chain(calls).chain(names)
}
