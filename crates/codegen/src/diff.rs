//! What another version of the document means for agents: facts as plain data.
//!
//! Three inputs: the document in force, the other one, the overrides. It renders nothing; sentences are written in `report`.

mod adapt;
pub mod advice;
mod argument;
mod change;
mod contract;
mod decision;
mod dependent;
mod dialect;
pub mod lock;
mod paging;
mod pair;
mod propose;
mod retag;
mod rules;
mod schema;
mod surface;
pub mod tokens;
mod tool;

use serde::Serialize;
use serde_json::Value;
use xyte_mcp_catalogue::Catalogue;

pub use change::{Change, Effect, Face, Kind, Spot};
pub(crate) use dialect::Moved;

use crate::diagnostic::{Diagnostic, Report, Severity, Source};
use crate::overrides::{self, Overrides};
use crate::resolve::resolve;
use crate::spec::{self, Document};
use decision::Places;

/// What is compared.
#[derive(Debug, Clone, Copy)]
pub struct Inputs<'a> {
    /// The document in force.
    pub before: Source<'a>,
    /// The document that may replace it, as JSON.
    pub after: Source<'a>,
    /// Whether lines of `after` are those of a file that a person can open.
    pub after_has_lines: bool,
    /// The overrides.
    pub overrides: Source<'a>,
    /// The version of the server, which the advice starts from.
    pub version: &'a str,
}

/// Everything that is different.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Changes {
    /// The document in force.
    pub before: Side,
    /// The other one.
    pub after: Side,
    /// What changes for agents, by tool.
    pub changes: Vec<Change>,
    /// New operations, with what the rules make of them.
    pub proposals: Vec<Proposal>,
    /// What a person has to decide or mend.
    pub decisions: Vec<Decision>,
    /// Tokens of `tools/list`.
    pub tokens: tokens::Tokens,
    /// The next version number.
    pub advice: advice::Advice,
    /// What the overrides need in any case.
    #[serde(skip)]
    pub(crate) edits: Edits,
}

/// Keys of the overrides that have to change.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Edits {
    /// Operations under another id: the table, the old id, the other one.
    pub(crate) renamed: Vec<(&'static str, String, String)>,
    /// Operations that are gone: the table, the id.
    pub(crate) orphans: Vec<(&'static str, String)>,
    /// Ways to page whose words are others.
    pub(crate) paging: Vec<Moved>,
    /// Toolsets that are named otherwise: the old name, the other one.
    pub(crate) toolsets: Vec<(String, String)>,
}

/// One document, for the head of the report.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Side {
    /// Where it was read.
    pub path: String,
    /// `info.version`.
    pub version: String,
    /// How many operations it has.
    pub operations: usize,
}

/// What somebody has to decide or mend before the document can be in force.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Decision {
    /// Name of the rule, in kebab case.
    pub rule: String,
    /// What is the matter.
    pub message: String,
    /// Where.
    pub place: Spot,
    /// What to do.
    pub help: String,
    /// What rests on an operation, where that is the matter.
    #[serde(skip)]
    pub(crate) dependent: Option<Dependent>,
}

/// Something that a person wrote around an operation.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Dependent {
    /// Name of the computed tool or prompt.
    pub(crate) name: String,
    /// The operation that it rests on.
    pub(crate) on: String,
    /// Whether that is gone, or only changes.
    pub(crate) gone: bool,
}

impl Dependent {
    /// What becomes of the operation, in words.
    pub(crate) fn fate(&self) -> &'static str {
        if self.gone { "is gone" } else { "changes" }
    }
}

/// A new operation, with what the rules make of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Proposal {
    /// Operation id.
    pub operation: String,
    /// Method, upper case.
    pub method: String,
    /// Path.
    pub path: String,
    /// Proposed name of the tool.
    pub name: String,
    /// Proposed class.
    pub class: xyte_mcp_catalogue::Class,
    /// Why the class is not the one of the method; empty where it is.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub class_reason: String,
    /// Proposed toolset.
    pub toolset: String,
    /// The description it would be served with.
    pub description: String,
    /// Tokens of the tool in `tools/list`.
    pub tokens: usize,
    /// Whether the default set has room for it.
    pub fits_default: bool,
    /// Why it cannot be exposed as it is; empty where it can.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<String>,
    /// The table for the overrides.
    pub stub: String,
}

/// Exit codes of `cargo spec check`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing that needs anybody.
    Fine = 0,
    /// Somebody has to decide.
    Decide = 4,
    /// Callers break.
    Breaks = 5,
}

impl Changes {
    /// Advises on the version again, after something was settled.
    #[cfg(feature = "cli")]
    pub(crate) fn advise(&mut self, version: &str) {
        self.advice = advice::advise(version, &self.changes, self.proposals.len());
    }

    /// What the changes ask for.
    pub fn verdict(&self) -> Verdict {
        let breaks = |change: &Change| change.effect <= Effect::BreakingTyped;
        if self.changes.iter().any(breaks) {
            Verdict::Breaks
        } else if self.decisions.is_empty() && self.proposals.is_empty() {
            Verdict::Fine
        } else {
            Verdict::Decide
        }
    }
}

/// Compares two documents under one overrides file.
///
/// # Errors
/// Gives the faults of an input that cannot be compared at all.
pub fn compare(inputs: &Inputs<'_>) -> Result<Changes, Report> {
    let mut findings = Vec::new();
    let before_report = |findings| Report::new(inputs.before, inputs.overrides, findings);
    let Some(overrides) = overrides::parse(inputs.overrides.text, &mut findings) else {
        return Err(before_report(findings));
    };
    let Some(mut before) = load(inputs.before, &overrides, &mut findings) else {
        return Err(before_report(findings));
    };
    spec::operation::check_ids(&mut before.operations, &mut findings);
    let served_before = resolve(&before, &overrides, &mut findings);
    if findings.iter().any(|finding| finding.severity == Severity::Error) {
        return Err(before_report(findings));
    }
    findings.clear();
    let Some(after) = load(inputs.after, &overrides, &mut findings) else {
        return Err(Report::new(inputs.after, inputs.overrides, findings));
    };
    let places = Places::new(inputs);
    let adapted = adapt::adapt(&before, after, &overrides, &served_before, &mut findings);
    let (loaded, mut found) = (findings, Vec::new());
    let served_after = resolve(&adapted.document, &adapted.overrides, &mut found);
    let view = surface::View {
        before: (&before, &served_before),
        after: (&adapted.document, &served_after),
        adapted: &adapted,
        overrides: &overrides,
        places: &places,
    };
    let mut changes = surface::compare(&view);
    let mut decisions = paging::stale(&view);
    let proposals = propose::describe(&view, &[loaded.as_slice(), &found].concat());
    decisions.extend(dependent::decisions(&view, &changes));
    decisions.extend(retag::decisions(&view));
    let kept = kept(&view, &changes);
    let (served, found) = match &kept {
        Some((served, found)) => (served, found),
        None => (&served_after, &found),
    };
    decisions.extend(decision::decide(&view, [loaded.as_slice(), found].concat()));
    changes.sort_by(order);
    decisions.sort_by(|left, right| (&left.place, &left.rule).cmp(&(&right.place, &right.rule)));
    decisions.dedup();
    Ok(Changes {
        before: side(inputs.before, &before),
        after: side(inputs.after, &adapted.document),
        tokens: tokens::count(&view, served, &proposals),
        advice: advice::advise(inputs.version, &changes, proposals.len()),
        changes,
        proposals,
        decisions,
        edits: edits(&adapted),
    })
}

/// What is served, and what is found, when arguments keep their names, as `update` lets them; nothing where none has another.
fn kept(view: &surface::View<'_>, changes: &[Change]) -> Option<(Catalogue, Vec<Diagnostic>)> {
    if !changes.iter().any(Change::is_renamed_argument) {
        return None;
    }
    let mut found = Vec::new();
    let served = resolve(view.after.0, &view.adapted.with_kept_names(changes), &mut found);
    Some((served, found))
}

fn edits(adapted: &adapt::Adapted) -> Edits {
    let renamed = adapted
        .renamed
        .iter()
        .map(|renamed| (renamed.what.table(), renamed.word.get_ref().clone(), renamed.id.clone()));
    let orphans = adapted.orphans.iter();
    let orphans = orphans.map(|orphan| (orphan.what.table(), orphan.word.get_ref().clone()));
    let paging = adapted.moved.clone();
    let toolsets = adapted.retagged.iter().map(|set| (set.from.clone(), set.to.clone())).collect();
    Edits { renamed: renamed.collect(), orphans: orphans.collect(), paging, toolsets }
}

/// Parses a document and applies the patches; a patch that no longer fits is a finding like others.
fn load(
    source: Source<'_>,
    overrides: &Overrides,
    findings: &mut Vec<Diagnostic>,
) -> Option<Document> {
    let mut value = spec::parse(source.text, findings)?;
    spec::patch::apply(&mut value, &overrides.patches, findings);
    if !spec::check_version(&value, findings) {
        return None;
    }
    let readable = value.get("paths").is_some_and(Value::is_object);
    let document = spec::read_operations(value, findings);
    readable.then_some(document)
}

fn side(source: Source<'_>, document: &Document) -> Side {
    Side {
        path: source.path.to_owned(),
        version: document.version.clone(),
        operations: document.operations.len(),
    }
}

/// Worst first, then as a person would look things up.
fn order(left: &Change, right: &Change) -> std::cmp::Ordering {
    let key = |change: &Change| {
        (change.effect, change.face, change.name.clone(), change.path.clone(), change.kind)
    };
    key(left).cmp(&key(right)).then_with(|| left.what.cmp(&right.what))
}
