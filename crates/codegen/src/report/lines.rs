//! Changes put together as a person reads them: the same change of several tools is one line, and so are many additions to one.

use std::collections::{BTreeMap, BTreeSet};

use super::words::sentence;
use crate::diff::{Change, Changes, Effect, Face, Kind, Spot};

/// One line of a report.
pub(super) struct Line {
    /// Tools or toolsets that it concerns.
    pub(super) names: Vec<String>,
    pub(super) text: String,
    pub(super) remark: String,
    /// Where the overrides speak of it; nothing where they do so in several places.
    pub(super) spot: Option<Spot>,
}

/// Everything of one effect.
pub(super) fn lines(changes: &Changes, effect: Effect) -> Vec<Line> {
    let mut order: Vec<(Face, String, String)> = Vec::new();
    let mut same: BTreeMap<(Face, String, String), Vec<&Change>> = BTreeMap::new();
    for change in changes.changes.iter().filter(|change| change.effect == effect) {
        let key = (change.face, sentence(change), change.remark.clone());
        if !same.contains_key(&key) {
            order.push(key.clone());
        }
        same.entry(key).or_default().push(change);
    }
    let mut lines: Vec<(Kind, Face, Line)> = Vec::new();
    for key in order {
        let told = &same[&key];
        let names: Vec<String> = told
            .iter()
            .flat_map(|change| std::iter::once(&change.name).chain(&change.also).cloned())
            .collect();
        let (kind, face) = (told[0].kind, told[0].face);
        let joins = (effect == Effect::Additive && kind == Kind::Added && face != Face::Toolset)
            || (kind == Kind::Removed && matches!(face, Face::Input | Face::Output));
        let partner = lines.iter_mut().find(|(known, part, line)| {
            joins && *known == kind && *part == face && line.names == names && line.remark == key.2
        });
        if let Some((_, _, line)) = partner {
            line.text = joined(&line.text, &key.1, kind);
            line.spot = line.spot.take().filter(|_| kind == Kind::Added);
            continue;
        }
        lines.push((kind, face, Line { names, text: key.1, remark: key.2, spot: spot(told) }));
    }
    lines.into_iter().map(|(_, _, line)| line).collect()
}

/// Puts the same change of another argument or field behind the first.
fn joined(text: &str, more: &str, kind: Kind) -> String {
    const GONE: [&str; 2] = [" is gone", " are gone"];
    if kind == Kind::Added {
        return format!("{text}; {}", more.strip_prefix("new ").unwrap_or(more));
    }
    let known = GONE.iter().find_map(|end| text.strip_suffix(end)).unwrap_or(text);
    let names = |text: &str| text.find('`').map(|at| text[at..].to_owned()).unwrap_or_default();
    let noun = if known.starts_with("answer") { "answer fields" } else { "arguments" };
    let more = more.strip_suffix(GONE[0]).unwrap_or(more);
    format!("{noun} {}, {}{}", names(known), names(more), GONE[1])
}

/// The one place that all of them name.
fn spot(told: &[&Change]) -> Option<Spot> {
    let spots: BTreeSet<&Spot> =
        told.iter().filter_map(|change| change.overrides.as_ref()).collect();
    let mut spots = spots.into_iter();
    spots.next().filter(|_| spots.next().is_none()).cloned()
}

/// Counts cosmetic changes by what they are.
pub(super) fn cosmetic(changes: &Changes) -> Vec<(usize, &'static str)> {
    let mut counts: BTreeMap<&'static str, usize> = BTreeMap::new();
    for change in changes.changes.iter().filter(|change| change.effect == Effect::Cosmetic) {
        *counts.entry(what(change)).or_default() += 1;
    }
    let mut counts: Vec<(usize, &'static str)> =
        counts.into_iter().map(|(what, count)| (count, what)).collect();
    counts.sort_by(|left, right| right.0.cmp(&left.0).then(left.1.cmp(right.1)));
    counts
}

fn what(change: &Change) -> &'static str {
    match (change.kind, change.face) {
        (Kind::Words, Face::Tool) => "titles and descriptions of tools",
        (Kind::Words, Face::Toolset) => "descriptions of toolsets",
        (Kind::Words, _) => "descriptions of arguments",
        (Kind::HiddenWords, Face::Output) => "descriptions of answer fields, which are not served",
        (Kind::HiddenWords, _) => "words of the document that the overrides replace",
        (Kind::Success | Kind::FailureRemoved, _) => "documented statuses",
        (Kind::PageSize, _) => "rows per page",
        (Kind::Address | Kind::Moved | Kind::Server, _) => "where requests go",
        (Kind::Undeprecated, _) => "deprecations taken back",
        _ => "rules of answers, which are not checked",
    }
}

/// How many changes of an effect there are, counting each tool.
pub(super) fn count(changes: &Changes, effect: Effect) -> usize {
    changes.changes.iter().filter(|change| change.effect == effect).count()
}

/// A place as `file:line:column`, or with a pointer where there are no lines.
pub(super) fn place(spot: &Spot) -> String {
    match (spot.line, spot.column) {
        (Some(line), Some(column)) => format!("{}:{line}:{column}", spot.file),
        _ if spot.pointer.is_empty() => spot.file.clone(),
        _ => format!("{} at {}", spot.file, spot.pointer),
    }
}

/// What no generator can follow up.
pub(super) const BY_HAND: &str = "By hand: what reads or imitates these answers (computed tools, the sandbox) has to follow; the tests name what departs.";

/// Headings of the effects that are listed, in order.
pub(super) const LISTED: [(Effect, &str); 4] = [
    (Effect::Breaking, "Breaking"),
    (Effect::BreakingTyped, "Breaking for typed consumers of answers"),
    (Effect::Deprecation, "Deprecated"),
    (Effect::Additive, "Additive"),
];

/// Writes what there is of everything, for the head.
pub(super) fn summary(changes: &Changes) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut part = |count: usize, one: &str, many: &str| {
        if count > 0 {
            parts.push(format!("{count} {}", if count == 1 { one } else { many }));
        }
    };
    part(count(changes, Effect::Breaking), "breaking", "breaking");
    part(
        count(changes, Effect::BreakingTyped),
        "breaking for typed consumers",
        "breaking for typed consumers",
    );
    part(count(changes, Effect::Deprecation), "deprecated", "deprecated");
    part(count(changes, Effect::Additive), "additive", "additive");
    part(count(changes, Effect::Cosmetic), "cosmetic", "cosmetic");
    part(changes.proposals.len(), "new operation", "new operations");
    part(changes.decisions.len(), "place to mend", "places to mend");
    parts.join(", ")
}
