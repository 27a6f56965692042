//! What another version of the document means for agents: facts as plain data.
//!
//! Three inputs: the document in force, the other one, the overrides. It renders nothing; sentences are written in `report`.

mod adapt;
pub mod advice;
mod argument;
mod contract;
mod decision;
mod paging;
mod pair;
mod propose;
mod rules;
mod schema;
mod surface;
pub mod tokens;
mod tool;

use serde::Serialize;
use serde_json::Value;

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

/// What a change does to callers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// A call that worked is refused, or does something else.
    Breaking,
    /// Calls work; a program that relies on names and types of answers may not.
    BreakingTyped,
    /// Calls work; what they use is going to be removed.
    Deprecation,
    /// Nothing that worked stops working.
    Additive,
    /// Words, and what only the server sees.
    Cosmetic,
}

/// The part of a tool that changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Face {
    /// The tool as such.
    Tool,
    /// What it takes.
    Input,
    /// What it answers.
    Output,
    /// A toolset.
    Toolset,
}

/// What kind of change it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// It is there no more.
    Removed,
    /// It has another name.
    Renamed,
    /// It is there and must be given.
    AddedRequired,
    /// It is there, and need not be given.
    Added,
    /// It must be given.
    BecameRequired,
    /// It need not be given.
    BecameOptional,
    /// Fewer types than before.
    TypeNarrowed,
    /// Other types than before.
    TypeChanged,
    /// More types than before.
    TypeWidened,
    /// Values are listed no more.
    ValuesRemoved,
    /// More values are listed.
    ValuesAdded,
    /// Values are listed where any was possible.
    ValuesClosed,
    /// Any value is possible where some were listed.
    ValuesOpened,
    /// A rule lets less through.
    RuleTightened,
    /// A rule lets more through.
    RuleLoosened,
    /// A rule is another.
    RuleChanged,
    /// What is taken when nothing is given.
    DefaultChanged,
    /// An alternative is gone.
    AlternativeRemoved,
    /// There is one more alternative.
    AlternativeAdded,
    /// Unknown members are refused.
    Closed,
    /// Unknown members are taken.
    Opened,
    /// It is sent in another part of the request.
    Moved,
    /// It is marked as deprecated.
    Deprecated,
    /// It is no longer marked as deprecated.
    Undeprecated,
    /// Words that are served.
    Words,
    /// Words of the document that the overrides replace.
    HiddenWords,
    /// What a call does to the platform.
    Class,
    /// Another hint of the annotations.
    Hint,
    /// Method or path of the operation.
    Address,
    /// The toolset it belongs to.
    Toolset,
    /// The key it needs.
    Credential,
    /// List, object, or unknown.
    Form,
    /// Status of success.
    Success,
    /// A failure is documented.
    FailureAdded,
    /// A failure is no longer documented.
    FailureRemoved,
    /// Most rows per page.
    PageSize,
    /// The address all calls go to.
    Server,
    /// The served schema differs in a way that has no name here.
    Other,
}

/// One change of one tool.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    /// What it does to callers.
    pub effect: Effect,
    /// What kind it is.
    pub kind: Kind,
    /// The part of the tool.
    pub face: Face,
    /// Name of the tool, or of the toolset.
    pub name: String,
    /// The resource and the route that answer with the same field.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<String>,
    /// Dotted path of the argument or field; empty where it is the whole.
    pub path: String,
    /// JSON pointer into the served tool; empty where it is not served.
    pub pointer: String,
    /// The rule, hint or word that changes, where the kind does not say it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub what: String,
    /// What stood there.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub before: Value,
    /// What stands there.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub after: Value,
    /// What else there is to know.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub remark: String,
    /// The override or patch that concerns the changed part, else the table of the operation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overrides: Option<Spot>,
}

/// A place in a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Spot {
    /// Path as it was given.
    pub file: String,
    /// Line, counted from 1; nothing where the file has no lines of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// Column, counted from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<usize>,
    /// JSON pointer, for a place in a document.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub pointer: String,
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
    let served_after = resolve(&adapted.document, &adapted.overrides, &mut findings);
    let view = surface::View {
        before: (&before, &served_before),
        after: (&adapted.document, &served_after),
        adapted: &adapted,
        overrides: &overrides,
        places: &places,
    };
    let mut changes = surface::compare(&view);
    let mut decisions = paging::stale(&view);
    let proposals = propose::describe(&view, &findings);
    decisions.extend(decision::decide(&view, findings));
    changes.sort_by(order);
    decisions.sort_by(|left, right| (&left.place, &left.rule).cmp(&(&right.place, &right.rule)));
    decisions.dedup();
    Ok(Changes {
        before: side(inputs.before, &before),
        after: side(inputs.after, &adapted.document),
        tokens: tokens::count(&view, &proposals),
        advice: advice::advise(inputs.version, &changes, proposals.len()),
        changes,
        proposals,
        decisions,
    })
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
