//! The report on another version of the document, for a terminal, a pull request or a program.
//!
//! Text from facts: what a change means was decided in `diff`.

mod changelog;
mod contracts;
mod lines;
mod markdown;
mod tasks;
mod terminal;
mod words;

use serde_json::{Value, json};

use xyte_mcp_catalogue::Class;

use crate::diff::{Changes, Proposal, Verdict};

pub use changelog::changelog;
pub use contracts::contracts;
pub use markdown::markdown;
pub use terminal::{Look, terminal};

/// The report for programs.
pub fn json(changes: &Changes) -> String {
    let mut report = json!(changes);
    if let Some(list) = report.get_mut("changes").and_then(Value::as_array_mut) {
        for (told, change) in list.iter_mut().zip(&changes.changes) {
            told["message"] = words::sentence(change).into();
        }
    }
    report["exit"] = (changes.verdict() as u8).into();
    format!("{report:#}\n")
}

/// What is to be done, in a sentence.
fn outcome(changes: &Changes) -> &'static str {
    match changes.verdict() {
        Verdict::Fine if changes.changes.is_empty() => "Nothing changes for agents.",
        Verdict::Fine => "Nothing that needs anybody.",
        Verdict::Decide => "Nothing breaks; something has to be decided.",
        Verdict::Breaks => "Callers break.",
    }
}

/// The word for a class.
fn class(class: Class) -> &'static str {
    match class {
        Class::Read => "read",
        Class::Write => "write",
        Class::Destructive => "destructive",
    }
}

/// What else there is to say about a proposal.
fn notes(proposal: &Proposal) -> Vec<String> {
    let mut notes: Vec<String> =
        proposal.faults.iter().map(|fault| format!("It cannot be exposed: {fault}.")).collect();
    if !proposal.class_reason.is_empty() {
        let class = class(proposal.class);
        notes.push(format!("Proposed as {class}: {}", proposal.class_reason));
    }
    if !proposal.fits_default {
        notes.push("The default set has no room for it.".to_owned());
    }
    notes
}

/// A difference with its sign.
fn signed(before: usize, after: usize) -> String {
    match after.cmp(&before) {
        std::cmp::Ordering::Less => format!("-{}", before - after),
        std::cmp::Ordering::Equal => "0".to_owned(),
        std::cmp::Ordering::Greater => format!("+{}", after - before),
    }
}
