//! Parameters and members that paging uses: losing one concerns the dialect in the overrides, no agent.

use std::collections::BTreeMap;

use xyte_mcp_catalogue::Location;

use super::Decision;
use super::decision::is_within;
use super::dialect::{Moved, Word as Moving};
use super::surface::View;
use crate::diagnostic::{Diagnostic, Place};
use crate::overrides::{Dialect, OperationOverride, Word};
use crate::resolve::schema;
use crate::spec::flat::flatten;
use crate::spec::{Document, Operation};

/// Names under which APIs take the number of a page, its size, or where it starts.
const USUAL: [&str; 14] = [
    "page",
    "page_number",
    "page_num",
    "page_index",
    "page_no",
    "per_page",
    "page_size",
    "page_limit",
    "limit",
    "size",
    "count",
    "offset",
    "cursor",
    "page_token",
];

/// Dialects that an operation no longer speaks, one decision for each part of a dialect.
pub(super) fn stale(view: &View<'_>) -> Vec<Decision> {
    let mut lost: BTreeMap<(usize, &'static str, String), Vec<String>> = BTreeMap::new();
    let mut replaced: BTreeMap<(usize, &'static str), Vec<String>> = BTreeMap::new();
    for tool in view.served() {
        let Some((at, dialect)) = dialect_of(view, tool.table) else { continue };
        for (part, name) in missing(view, dialect, tool.operations) {
            let told = replacement(tool.operations);
            replaced.entry((at, part)).or_default().extend(told);
            lost.entry((at, part, name)).or_default().push(tool.operations.1.id.clone());
        }
    }
    let decisions = lost.into_iter().map(|((at, part, name), mut operations)| {
        let dialect = &view.overrides.paging[at];
        operations.sort();
        let mut hints = replaced.remove(&(at, part)).unwrap_or_default();
        hints.sort();
        hints.dedup();
        let word = part_of(dialect, part).unwrap_or(&dialect.name);
        let kind =
            if matches!(part, "page" | "size") { "the query parameter" } else { "the answer's" };
        Decision {
            rule: "stale-paging".to_owned(),
            message: format!(
                "`{part}` of the paging dialect `{}` is stale: {kind} `{name}` is gone from {}",
                dialect.name.get_ref(),
                crate::diagnostic::quoted(
                    &operations.iter().map(String::as_str).collect::<Vec<_>>()
                ),
            ),
            place: view.places.overrides(word.span().start),
            help: help(view, dialect, (part, &operations), &hints),
            dependent: None,
        }
    });
    decisions.collect()
}

/// What to do about a part that is stale: as certain as the names allow.
fn help(
    view: &View<'_>,
    dialect: &Dialect,
    (part, operations): (&str, &[String]),
    hints: &[String],
) -> String {
    let of_this = |moved: &&Moved| moved.dialect == *dialect.name.get_ref();
    let heirs = view.adapted.moved.iter().filter(of_this).filter_map(|moved| {
        let word = moved.words.iter().find(|word| word.part == part)?;
        let mine = |id| moved.apart.as_ref().is_none_or(|apart| apart.operations.contains(id));
        operations.iter().any(mine).then_some((moved, word))
    });
    let sentences: Vec<String> = heirs
        .map(|(moved, word)| match &moved.apart {
            None => mended(word, part),
            Some(apart) => format!(
                "{}, but not everywhere: give {} a dialect of their own, such as `[paging.{}]`",
                heir(word),
                crate::diagnostic::quoted(
                    &apart.operations.iter().map(String::as_str).collect::<Vec<_>>()
                ),
                apart.name
            ),
        })
        .collect();
    match (sentences.is_empty(), hints) {
        (false, _) => {
            format!("{}, or let `cargo spec update --accept-proposals` do it", sentences.join("; "))
        }
        (true, []) => "give these operations another dialect, or none".to_owned(),
        (true, hints) => format!(
            "`{}` looks like what took its place: bring the dialect up to date",
            hints.join("`, `")
        ),
    }
}

fn mended(word: &Moving, part: &str) -> String {
    match &word.to {
        Some(to) => format!("{}: write `{part} = \"{to}\"`", heir(word)),
        None => format!("{}: remove it", heir(word)),
    }
}

fn heir(word: &Moving) -> String {
    match &word.to {
        Some(to) => format!("`{to}` took its place"),
        None => "pages are walked without it too".to_owned(),
    }
}

/// Query parameters that took the place of one that paging used: these are no agent's arguments either.
pub(super) fn taken_over(view: &View<'_>, operations: (&Operation, &Operation)) -> Vec<String> {
    let table = view
        .overrides
        .operations
        .iter()
        .find(|table| *table.operation.get_ref() == operations.0.id);
    let lost = table.and_then(|table| dialect_of(view, table)).is_some_and(|(_, dialect)| {
        missing(view, dialect, operations).iter().any(|(part, _)| matches!(*part, "page" | "size"))
    });
    if lost { replacement(operations) } else { Vec::new() }
}

/// Whether a parameter collides with one of ours that only took the place of what paging used: the dialect is told as stale.
pub(super) fn is_of_pages(view: &View<'_>, finding: &Diagnostic) -> bool {
    let Place::Document(pointer) = &finding.place else { return false };
    finding.rule == "argument-collision"
        && view.served().any(|tool| {
            is_within(pointer, &tool.operations.1.pointer)
                && taken_over(view, tool.operations)
                    .iter()
                    .any(|name| finding.message.contains(&format!("the argument `{name}`")))
        })
}

fn dialect_of<'v>(view: &'v View<'_>, table: &OperationOverride) -> Option<(usize, &'v Dialect)> {
    let name = table.paging.as_ref()?.get_ref();
    view.overrides.paging.iter().enumerate().find(|(_, dialect)| dialect.name.get_ref() == name)
}

/// The word of a dialect for one of its parts.
pub(super) fn part_of<'d>(dialect: &'d Dialect, part: &str) -> Option<&'d Word> {
    match part {
        "page" => dialect.page.as_ref(),
        "size" => dialect.size.as_ref(),
        "rows" => dialect.rows.as_ref(),
        "more" => dialect.more.as_ref(),
        _ => dialect.next.as_ref(),
    }
}

/// Whether an operation has what a part of a dialect names.
pub(super) fn has((document, operation): (&Document, &Operation), part: &str, name: &str) -> bool {
    match part {
        "page" | "size" => operation
            .parameters
            .iter()
            .any(|known| known.location == Location::Query && known.name == *name),
        _ => answers(document, operation, name, part == "rows"),
    }
}

/// Parts of a dialect that the operation had and has no more.
fn missing(
    view: &View<'_>,
    dialect: &Dialect,
    operations: (&Operation, &Operation),
) -> Vec<(&'static str, String)> {
    let (before, after) = ((view.before.0, operations.0), (view.after.0, operations.1));
    let parts = ["page", "size", "rows", "more", "next"].into_iter();
    parts
        .filter_map(|part| Some((part, part_of(dialect, part)?.get_ref().clone())))
        .filter(|(part, name)| has(before, part, name) && !has(after, part, name))
        .collect()
}

/// Whether the answer has a member, which for rows must be an array; one that is not documented may have any.
fn answers(document: &Document, operation: &Operation, path: &str, is_array: bool) -> bool {
    let root = &document.value;
    let Some(answer) = &operation.answer else { return true };
    if schema::is_bare(root, answer) {
        return true;
    }
    if !is_array {
        return schema::descend(root, answer, path).is_some();
    }
    schema::member(root, answer, path)
        .is_some_and(|rows| flatten(root, &rows).get("type").is_some_and(|kind| kind == "array"))
}

/// New query parameters with a name that pages usually go by.
fn replacement(operations: (&Operation, &Operation)) -> Vec<String> {
    let query = |operation: &Operation| -> Vec<String> {
        let parameters = operation.parameters.iter();
        parameters
            .filter(|known| known.location == Location::Query)
            .map(|known| known.name.clone())
            .collect()
    };
    let before = query(operations.0);
    let new = query(operations.1).into_iter().filter(|name| !before.contains(name));
    new.filter(|name| is_usual(name)).collect()
}

/// Tells names that pages usually go by.
pub(super) fn is_usual(name: &str) -> bool {
    USUAL.contains(&crate::spec::operation::snake(name).as_str())
}
