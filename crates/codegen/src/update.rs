//! The overrides as another document needs them: text in, text out, the maintainer's comments and order kept.
//!
//! What is certain is done always: keys that follow their operation. What is a decision is done only when it was accepted.

mod edit;
mod mend;
mod order;
mod paging;
mod place;

use serde_json::{Map, Value};
use toml_edit::DocumentMut;

use crate::diagnostic::{Diagnostic, Place, Report, Severity, Source};
use crate::diff::{Changes, Inputs, compare};
use crate::overrides;
use crate::resolve::resolve;
use crate::spec;

/// What the maintainer asked for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// Expose what is new as proposed, and give up what no longer fits.
    pub accept_proposals: bool,
    /// Remove the tables of operations that are gone.
    pub remove_orphans: bool,
}

/// The overrides afterwards.
#[derive(Debug)]
pub struct Updated {
    /// What the document changes, under the overrides as they were.
    pub changes: Changes,
    /// What of it agents meet, now that the overrides are these.
    pub settled: Changes,
    /// The new text.
    pub overrides: String,
    /// What was done to it, in sentences.
    pub done: Vec<String>,
    /// What is left to a person, as the build would report it.
    pub left: Option<Report>,
}

const MOST_MENDS: usize = 2000; // Each mend removes something, so this ends long before.

/// Edits the overrides for another document.
///
/// # Errors
/// Gives the faults of an input that cannot be compared at all.
pub fn update(inputs: &Inputs<'_>, options: Options) -> Result<Updated, Report> {
    let changes = compare(inputs)?;
    let mut settled = changes.clone();
    let fault = |err: &toml_edit::TomlError| {
        let span = err.span().unwrap_or_default();
        let fault = Diagnostic::overrides("overrides-not-toml", span, err.message());
        Report::new(inputs.after, inputs.overrides, vec![fault])
    };
    let mut document: DocumentMut =
        inputs.overrides.text.parse().map_err(|err: toml_edit::TomlError| fault(&err))?;
    let mut done = Vec::new();
    for table in ["operations", "skip"] {
        let names = changes.edits.renamed.iter().filter(|(of, ..)| *of == table);
        let names: Vec<(&str, &str)> =
            names.map(|(_, old, new)| (old.as_str(), new.as_str())).collect();
        edit::rename(&mut document, table, &names);
        let told = names.iter().map(|(old, new)| format!("`{table}.{old}` is `{table}.{new}` now"));
        done.extend(told);
    }
    for change in changes.changes.iter().filter(|change| change.is_renamed_argument()) {
        let (from, to) = (change.path.as_str(), change.after.as_str().unwrap_or_default());
        if edit::keep_argument(&mut document, &change.operation, (from, to)) {
            settled.changes.retain(|other| other != change);
            done.push(format!(
                "`{}` keeps its argument `{from}`, which is sent as `{to}`",
                change.name
            ));
        }
    }
    if options.remove_orphans {
        for (table, id) in &changes.edits.orphans {
            if edit::remove(&mut document, table, id) {
                done.push(format!("removed `{table}.{id}`"));
            }
        }
    }
    if options.accept_proposals {
        let moved = changes.edits.paging.iter();
        done.extend(moved.filter_map(|moved| paging::follow(&mut document, moved)));
        let sets = changes.edits.toolsets.iter();
        let renamed = sets.filter(|(from, to)| edit::rename_toolset(&mut document, (from, to)));
        done.extend(renamed.map(|(from, to)| format!("the toolset `{from}` is `{to}` now")));
    }
    let mut text = document.to_string();
    add_stubs(&mut text, &changes, options, &mut done);
    mend_all(inputs, &mut text, options, &mut done);
    let text = order::restore(inputs.overrides.text, &text);
    let left = faults(inputs.after, &text).0;
    let left = (!left.is_empty())
        .then(|| Report::new(inputs.after, Source { text: &text, ..inputs.overrides }, left));
    settled.proposals.retain(|proposal| options.accept_proposals && proposal.faults.is_empty());
    settled.advise(inputs.version);
    Ok(Updated { changes, settled, overrides: text, done, left })
}

/// Appends a table for every new operation, as a comment where nobody decided yet.
fn add_stubs(text: &mut String, changes: &Changes, options: Options, done: &mut Vec<String>) {
    if changes.proposals.is_empty() {
        return;
    }
    let version = crate::diagnostic::visible(&changes.after.version).replace('\n', " ");
    text.extend(["\n# New in ", &version, " of the document.\n"]);
    for proposal in &changes.proposals {
        let words = crate::diagnostic::visible(&proposal.description).replace('\n', " ");
        text.extend(["\n# ", &proposal.method, " ", &proposal.path, ": ", &words, "\n"]);
        if !options.accept_proposals {
            text.push_str(
                "# To decide: expose it with this table, or give a reason under [skip].\n",
            );
            text.extend(proposal.stub.lines().flat_map(|line| ["# ", line, "\n"]));
            done.push(format!(
                "a table for `{}` stands at the end as a comment, to be decided",
                proposal.operation
            ));
        } else if let Some(line) = proposal.stub.strip_prefix("[skip]\n") {
            *text = edit::skip(text, line);
            done.push(format!("skipped `{}`, which cannot be exposed", proposal.operation));
        } else {
            text.push_str(&proposal.stub);
            done.push(format!("exposed `{}` as `{}`", proposal.operation, proposal.name));
        }
    }
}

/// Mends fault after fault where that was accepted.
fn mend_all(inputs: &Inputs<'_>, text: &mut String, options: Options, done: &mut Vec<String>) {
    if !options.accept_proposals {
        return;
    }
    for _ in 0..MOST_MENDS {
        let (faults, tools) = faults(inputs.after, text);
        let mended = faults.iter().find_map(|fault| {
            let Place::Overrides(span) = &fault.place else { return None };
            mend::mend(text, fault.rule, span, &tools)
        });
        let Some((mended, sentence)) = mended.or_else(|| mend::examples(text, &tools)) else {
            return;
        };
        *text = mended;
        done.push(sentence);
    }
}

/// Tools by operation id: the input schema and the example.
type Tools = Map<String, Value>;

/// What the build would refuse, and the tools as far as they can be told.
fn faults(document: Source<'_>, text: &str) -> (Vec<Diagnostic>, Tools) {
    let mut findings = Vec::new();
    let overrides = overrides::parse(text, &mut findings);
    let value = spec::parse(document.text, &mut findings);
    let mut tools = Map::new();
    if let (Some(overrides), Some(mut value)) = (overrides, value) {
        spec::patch::apply(&mut value, &overrides.patches, &mut findings);
        let document = spec::read(value, &mut findings);
        for entry in resolve(&document, &overrides, &mut findings).entries {
            let schema = entry.tool.get("inputSchema").cloned().unwrap_or_default();
            let tool = serde_json::json!({"schema": schema, "example": entry.example});
            tools.insert(entry.operation, tool);
        }
    }
    findings.retain(|finding| finding.severity == Severity::Error);
    (findings, tools)
}
