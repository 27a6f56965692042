//! What somebody has to decide: keys of the overrides that lost their operation, and whatever the generator would refuse.

use std::cell::OnceCell;

use super::adapt::What;
use super::paging;
use super::surface::View;
use super::{Decision, Inputs, Spot};
use crate::diagnostic::position::{Lines, Tree};
use crate::diagnostic::{Diagnostic, Place, Severity};
use crate::overrides::Word;

/// Finds lines and columns in the overrides and the other document.
pub(super) struct Places<'a> {
    overrides: (&'a str, Lines<'a>),
    after: (&'a str, Lines<'a>),
    tree: OnceCell<Tree<'a>>, // Parsing for places takes longer than all the rest, and is needed for faults only.
    after_has_lines: bool,
}

impl<'a> Places<'a> {
    pub(super) fn new(inputs: &Inputs<'a>) -> Self {
        Self {
            overrides: (inputs.overrides.path, Lines::new(inputs.overrides.text)),
            after: (inputs.after.path, Lines::new(inputs.after.text)),
            tree: OnceCell::new(),
            after_has_lines: inputs.after_has_lines,
        }
    }

    /// A byte of the overrides.
    pub(super) fn overrides(&self, byte: usize) -> Spot {
        let (line, column) = self.overrides.1.at(byte);
        Spot {
            file: self.overrides.0.to_owned(),
            line: Some(line),
            column: Some(column),
            pointer: String::new(),
        }
    }

    /// A part of the other document.
    fn document(&self, pointer: &str) -> Spot {
        let tree = self.tree.get_or_init(|| Tree::parse(self.after.1.text()));
        self.after(tree.find(pointer).start, pointer)
    }

    fn after(&self, byte: usize, pointer: &str) -> Spot {
        let at = self.after_has_lines.then(|| self.after.1.at(byte));
        Spot {
            file: self.after.0.to_owned(),
            line: at.map(|(line, _)| line),
            column: at.map(|(_, column)| column),
            pointer: pointer.to_owned(),
        }
    }

    fn of(&self, place: &Place) -> Spot {
        match place {
            Place::Overrides(span) => self.overrides(span.start),
            Place::Document(pointer) => self.document(pointer),
            Place::DocumentBytes(span) => self.after(span.start, ""),
        }
    }
}

/// Lists what has to be decided, apart from new operations and paging.
pub(super) fn decide(view: &View<'_>, findings: Vec<Diagnostic>) -> Vec<Decision> {
    let mut decisions: Vec<Decision> = renamed(view).chain(orphans(view)).collect();
    let errors = findings.into_iter().filter(|finding| finding.severity == Severity::Error);
    decisions.extend(errors.filter(|finding| !told_elsewhere(view, finding)).map(|finding| {
        let label = match finding.label.as_str() {
            "" => String::new(),
            label => format!(": {label}"),
        };
        Decision {
            rule: finding.rule.to_owned(),
            message: format!("{}{label}", finding.message),
            place: view.places.of(&finding.place),
            help: if names_orphan(view, &finding) {
                "it is gone from the document: name another one, or remove this".to_owned()
            } else {
                finding.help
            },
            dependent: None,
        }
    }));
    decisions
}

/// What is like an operation that is gone does hardly what that did.
fn names_orphan(view: &View<'_>, finding: &Diagnostic) -> bool {
    let is_named = |id: &str| finding.message.contains(&format!("`{id}`"));
    finding.rule == "unknown-operation"
        && view.adapted.orphans.iter().any(|orphan| is_named(orphan.word.get_ref()))
}

fn renamed<'v>(view: &'v View<'_>) -> impl Iterator<Item = Decision> + 'v {
    view.adapted.renamed.iter().map(|renamed| {
        let (old, new) = (renamed.word.get_ref(), &renamed.id);
        let taken = renamed.taken_by.as_ref().map_or_else(String::new, |other| {
            format!("; the id `{old}` now belongs to {other}, which this would apply to")
        });
        let help = match renamed.what {
            What::Exposed => format!("write `[operations.{new}]`, and keep the tool's name by `tool = {{ name = \"…\" }}` where the table has none"),
            What::Skipped => format!("write `{new}` under `[skip]`"),
        };
        Decision {
            rule: "renamed-operation".to_owned(),
            message: format!("the operation `{old}` has the id `{new}` now{taken}"),
            place: view.places.overrides(renamed.word.span().start),
            help,
            dependent: None,
        }
    })
}

fn orphans<'v>(view: &'v View<'_>) -> impl Iterator<Item = Decision> + 'v {
    view.adapted.orphans.iter().map(|orphan| {
        let id = orphan.word.get_ref();
        let operations = view.before.0.operations.iter();
        let address = { operations }
            .find(|operation| operation.id == *id)
            .map(|operation| format!(" ({} {})", operation.method, operation.path));
        let what = match orphan.what {
            What::Exposed => "table",
            What::Skipped => "line under `[skip]`",
        };
        Decision {
            rule: "orphaned-override".to_owned(),
            message: format!("the operation `{id}`{} is gone", address.unwrap_or_default()),
            place: view.places.overrides(orphan.word.span().start),
            help: format!("remove its {what}, or let `cargo spec update --remove-orphans` do it"),
            dependent: None,
        }
    })
}

fn is_word(words: &[Word], span: &std::ops::Range<usize>) -> bool {
    words.iter().any(|word| word.span() == *span)
}

/// Findings about proposals stand with them, those about paging are told by dialect, those about calls with the computed tool or prompt.
fn told_elsewhere(view: &View<'_>, finding: &Diagnostic) -> bool {
    if is_of_proposal(view, finding) {
        return finding.rule != "missing-operation-id" && finding.rule != "duplicate-operation-id";
    }
    let Place::Overrides(span) = &finding.place else {
        return paging::is_of_pages(view, finding);
    };
    let tables = &view.overrides.operations;
    let is_paging = || {
        { tables.iter() }.any(|table| table.paging.as_ref().is_some_and(|it| it.span() == *span))
    };
    let is_call = || view.overrides.workflows.iter().any(|it| is_word(&it.calls, span));
    match finding.rule {
        "paging-mismatch" => is_paging(),
        "unknown-operation" => is_call(),
        "unknown-name" => view
            .overrides
            .prompts
            .iter()
            .any(|it| it.text.as_ref().is_some_and(|text| text.span() == *span)),
        _ => false,
    }
}

/// Tells findings about new operations, whose tables nobody wrote.
pub(super) fn is_of_proposal(view: &View<'_>, finding: &Diagnostic) -> bool {
    match &finding.place {
        Place::Overrides(span) => *span == (0..0),
        Place::Document(pointer) => view
            .adapted
            .fresh
            .iter()
            .any(|at| is_within(pointer, &view.after.0.operations[*at].pointer)),
        Place::DocumentBytes(_) => false,
    }
}

/// Tells whether a pointer is another one or leads into it.
pub(super) fn is_within(pointer: &str, outer: &str) -> bool {
    pointer.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
