//! New operations: the table that the rules would give each. A person decides; nothing here is in force.

use std::collections::BTreeSet;

use serde_json::Value;
use toml::Spanned;
use xyte_mcp_catalogue::{Catalogue, Class, Entry, Location};

use super::adapt::Adapted;
use super::decision::{is_of_proposal, is_within};
use super::surface::{View, entry};
use super::{Proposal, tokens};
use crate::diagnostic::{Diagnostic, Place, Severity};
use crate::overrides::{
    Dialect, OperationOverride, Overrides, ToolOverride, ToolsetOverride, Word,
};
use crate::resolve::schema;
use crate::spec::flat::flatten;
use crate::spec::operation::snake;
use crate::spec::{Document, Operation};

mod stub;

const LONGEST_NAME: usize = 40; // As the overrides allow.
const MOST_COLUMNS: usize = 8; // A wider table is read by nobody.

/// Words in an address or id that say what a POST does.
const READS: [&str; 7] = ["search", "query", "find", "filter", "lookup", "count", "list"];
const WRITES: [&str; 4] = ["create", "add", "send", "set"];
const DESTROYS: [&str; 14] = [
    "delete",
    "remove",
    "destroy",
    "purge",
    "wipe",
    "reset",
    "revoke",
    "deactivate",
    "archive",
    "merge",
    "split",
    "terminate",
    "clear",
    "erase",
];

/// Adds a table for every new operation to the adapted overrides.
pub(super) fn add(adapted: &mut Adapted, served: &Catalogue, mut taken: BTreeSet<String>) {
    for at in &adapted.fresh {
        let operation = &adapted.document.operations[*at];
        let name = free_name(&short_name(operation), &mut taken);
        let toolset = toolset(operation, served);
        let known = adapted.overrides.toolsets.iter().any(|set| *set.name.get_ref() == toolset);
        if !known
            && !operation.tags.iter().any(|tag| snake(tag) == toolset)
            && !served.toolsets.iter().any(|set| set.name == toolset)
        {
            adapted
                .overrides
                .toolsets
                .push(ToolsetOverride { name: word(toolset.clone()), description: None });
        }
        let table = table(&adapted.document, operation, &adapted.overrides, (name, toolset));
        adapted.overrides.operations.push(table);
    }
}

/// A word that stands nowhere in the maintainer's file.
fn word(text: String) -> Word {
    Spanned::new(0..0, text)
}

/// The operation id as the name of a tool, short enough: an id says what it is about first, a path last.
fn short_name(operation: &Operation) -> String {
    let whole = snake(&operation.id);
    if whole.len() <= LONGEST_NAME {
        return whole;
    }
    let method = format!("{}_", operation.method.to_lowercase());
    let Some(path) = whole.strip_prefix(&method) else { return cut(&whole).to_owned() };
    let mut tail = path;
    while method.len() + tail.len() > LONGEST_NAME {
        let Some((_, shorter)) = tail.split_once('_') else { return cut(&whole).to_owned() };
        tail = shorter;
    }
    format!("{method}{tail}")
}

/// As many words from the beginning as fit.
fn cut(mut name: &str) -> &str {
    while name.len() > LONGEST_NAME {
        name = name.rsplit_once('_').map_or(&name[..LONGEST_NAME], |(shorter, _)| shorter);
    }
    name
}

/// A name that is nobody else's.
fn free_name(name: &str, taken: &mut BTreeSet<String>) -> String {
    let name = if name.is_empty() { "operation" } else { name };
    let mut free = name.to_owned();
    for number in 2.. {
        if taken.insert(free.clone()) {
            break;
        }
        let suffix = format!("_{number}");
        free = format!("{}{suffix}", &name[..name.len().min(LONGEST_NAME - suffix.len())]);
    }
    free
}

/// The first tag; without one, the toolset of the operation whose path is most alike.
fn toolset(operation: &Operation, served: &Catalogue) -> String {
    let tag = operation
        .tags
        .first()
        .map(|tag| snake(tag))
        .filter(|name| !name.is_empty() && name != "all");
    let common = |entry: &&Entry| {
        let parts = operation.path.split('/').zip(entry.path.split('/'));
        parts.take_while(|(left, right)| left == right).count()
    };
    let nearest = || served.entries.iter().max_by_key(common).map(|entry| entry.toolset.clone());
    tag.or_else(nearest).unwrap_or_else(|| "general".to_owned())
}

fn table(
    document: &Document,
    operation: &Operation,
    overrides: &Overrides,
    (name, toolset): (String, String),
) -> OperationOverride {
    let class = class(operation);
    let paging = overrides.paging.iter().find(|dialect| speaks(document, operation, dialect));
    let rows = if paging.is_none() { rows(document, operation) } else { None };
    let path = paging
        .and_then(|dialect| dialect.rows.as_ref())
        .map(|rows| rows.get_ref().clone())
        .or_else(|| rows.clone());
    let columns =
        path.map(|path| columns(document, operation, &path)).filter(|columns| !columns.is_empty());
    OperationOverride {
        operation: word(operation.id.clone()),
        tool: ToolOverride {
            name: Some(word(name)),
            toolset: Some(word(toolset)),
            class: class.map(|(class, _)| Spanned::new(0..0, class)),
            ..ToolOverride::default()
        },
        description: description(operation).map(word),
        resource: None,
        route: None,
        paging: paging.map(|dialect| word(dialect.name.get_ref().clone())),
        rows: rows.map(word),
        columns: columns.map(|columns| columns.into_iter().map(word).collect()),
        errors: Vec::new(),
        cache: None,
        target: None,
        reads: Vec::new(),
        named_by: Vec::new(),
        arguments: Vec::new(),
        example: None,
        reason: class.map(|(_, reason)| word(reason.to_owned())),
    }
}

/// Words of our own where the document's are too few to choose by, or more than a model should pay for.
fn description(operation: &Operation) -> Option<String> {
    const FEWEST: usize = 4;
    const MOST: usize = 60;
    let documented = [&operation.description, &operation.summary];
    let text = documented.into_iter().find(|text| !text.is_empty()).map_or("", String::as_str);
    let count = |text: &str| text.split_whitespace().count();
    if count(text) < FEWEST {
        let what =
            if text.is_empty() { snake(&operation.id).replace('_', " ") } else { text.to_owned() };
        let what = what.trim_end_matches('.');
        return Some(format!("{what}: sends {} {}.", operation.method, operation.path));
    }
    if count(text) <= MOST {
        return None;
    }
    let mut kept = String::new();
    for sentence in text.split_inclusive(". ") {
        if count(&kept) + count(sentence) > MOST {
            break;
        }
        kept.push_str(sentence);
    }
    if kept.trim().is_empty() {
        let words: Vec<&str> = text.split_whitespace().take(MOST).collect();
        return Some(format!("{}…", words.join(" ")));
    }
    Some(kept.trim_end().to_owned())
}

/// The class where it is not the one of the method, with the reason.
fn class(operation: &Operation) -> Option<(Class, &'static str)> {
    if matches!(operation.method.as_str(), "GET" | "DELETE") {
        return None;
    }
    let last = operation.path.rsplit('/').find(|part| !part.is_empty() && !part.starts_with('{'));
    let named: Vec<String> = [operation.id.as_str(), last.unwrap_or_default()]
        .iter()
        .flat_map(|text| snake(text).split('_').map(str::to_owned).collect::<Vec<_>>())
        .collect();
    let says = |words: &[&str]| named.iter().any(|word| words.contains(&word.as_str()));
    if says(&DESTROYS) {
        Some((Class::Destructive, "Its name says that something is lost."))
    } else if operation.method == "POST" && says(&READS) && !says(&WRITES) {
        Some((Class::Read, "A POST whose name says that it only searches."))
    } else {
        None
    }
}

/// Whether an operation is cut into pages as a dialect says.
fn speaks(document: &Document, operation: &Operation, dialect: &Dialect) -> bool {
    let query = |name: &Word| {
        operation
            .parameters
            .iter()
            .any(|known| known.location == Location::Query && known.name == *name.get_ref())
    };
    let root = &document.value;
    let answers = |path: Option<&Word>| {
        path.is_none_or(|path| {
            operation
                .answer
                .as_ref()
                .is_some_and(|answer| schema::descend(root, answer, path.get_ref()).is_some())
        })
    };
    operation.method == "GET"
        && dialect.page.as_ref().is_some_and(query)
        && dialect.size.as_ref().is_none_or(query)
        && answers(dialect.more.as_ref())
        && answers(dialect.next.as_ref())
        && dialect.rows.as_ref().is_some_and(|rows| is_list(document, operation, rows.get_ref()))
}

fn is_list(document: &Document, operation: &Operation, path: &str) -> bool {
    let root = &document.value;
    let list = operation.answer.as_ref().and_then(|answer| schema::member(root, answer, path));
    list.is_some_and(|list| flatten(root, &list).get("type").is_some_and(|kind| kind == "array"))
}

/// The one array of an answer that is made of little else.
fn rows(document: &Document, operation: &Operation) -> Option<String> {
    let flat = flatten(&document.value, operation.answer.as_ref()?);
    let known = ["items", "data", "results", "rows"];
    let members = flat.get("properties").and_then(Value::as_object)?;
    let found = known
        .iter()
        .find(|name| members.contains_key(**name) && is_list(document, operation, name));
    found.map(|name| (*name).to_owned())
}

/// Plain fields of a row, names first.
fn columns(document: &Document, operation: &Operation, rows: &str) -> Vec<String> {
    let root = &document.value;
    let list = operation.answer.as_ref().and_then(|answer| schema::member(root, answer, rows));
    let items = list.and_then(|list| flatten(root, &list).get("items").cloned());
    let Some(row) = items.map(|items| flatten(root, &items)) else { return Vec::new() };
    let fields = row.get("properties").and_then(Value::as_object);
    let plain = fields.into_iter().flatten().filter(|(_, field)| {
        let kind = flatten(root, field).get("type").and_then(Value::as_str).map(str::to_owned);
        matches!(kind.as_deref(), Some("string" | "integer" | "number" | "boolean"))
    });
    let mut names: Vec<String> = plain.map(|(name, _)| name.clone()).collect();
    names.sort_by_key(|name| match name.as_str() {
        "id" => 0,
        "name" | "title" => 1,
        "status" | "state" => 2,
        _ => 3,
    });
    names.truncate(MOST_COLUMNS);
    names
}

/// Describes what became of the proposals.
pub(super) fn describe(view: &View<'_>, findings: &[Diagnostic]) -> Vec<Proposal> {
    let room = tokens::default_set(view).room();
    let fresh = view.adapted.fresh.iter().map(|at| &view.after.0.operations[*at]);
    let mut proposals: Vec<Proposal> = fresh
        .filter_map(|operation| {
            let entry = entry(view.after.1, operation)?;
            let table = view
                .adapted
                .overrides
                .operations
                .iter()
                .find(|table| *table.operation.get_ref() == operation.id)?;
            let tokens = tokens::of(entry);
            let faults = faults(view, operation, findings);
            Some(Proposal {
                operation: operation.id.clone(),
                method: operation.method.clone(),
                path: operation.path.clone(),
                name: entry.tool["name"].as_str().unwrap_or_default().to_owned(),
                class: entry.class,
                class_reason: table
                    .reason
                    .as_ref()
                    .map(|reason| reason.get_ref().clone())
                    .unwrap_or_default(),
                toolset: entry.toolset.clone(),
                description: entry.tool["description"].as_str().unwrap_or_default().to_owned(),
                tokens,
                fits_default: room.0 >= 1 && room.1 >= tokens,
                stub: stub::write(operation, table, &faults),
                faults,
            })
        })
        .collect();
    proposals
        .sort_by(|left, right| (&left.toolset, &left.name).cmp(&(&right.toolset, &right.name)));
    proposals
}

/// What keeps a new operation from being exposed.
fn faults(view: &View<'_>, operation: &Operation, findings: &[Diagnostic]) -> Vec<String> {
    let of_this = |finding: &&Diagnostic| match &finding.place {
        Place::Document(pointer) => is_within(pointer, &operation.pointer),
        Place::Overrides(_) => finding.message.contains(&format!("`{}`", operation.id)),
        Place::DocumentBytes(_) => false,
    };
    let errors = findings.iter().filter(|finding| finding.severity == Severity::Error);
    let mine = errors.filter(|finding| is_of_proposal(view, finding)).filter(of_this);
    let address = format!("{} {}: ", operation.method, operation.path);
    mine.map(|finding| finding.message.trim_start_matches(&address).to_owned()).collect()
}
