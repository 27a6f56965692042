//! Ways to page that moved with the document: the parameter or the rows have another name, and the rest is as it was. Guesses nothing where two names could be meant.

use std::collections::BTreeMap;

use serde_json::Value;
use toml::Spanned;
use xyte_mcp_catalogue::{Location, Step};

use super::adapt::Adapted;
use super::paging::{has, part_of};
use crate::overrides::Dialect;
use crate::resolve::schema;
use crate::spec::flat::flatten;
use crate::spec::operation::snake;
use crate::spec::{Document, Operation};

/// A dialect of the overrides whose words are others in the other document.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Moved {
    /// Its name in the overrides.
    pub(crate) dialect: String,
    /// The words that change.
    pub(crate) words: Vec<Word>,
    /// A dialect beside it, where other operations still speak the old one.
    pub(crate) apart: Option<Apart>,
}

/// One word of a dialect.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Word {
    /// `page`, `size`, `rows`, `more` or `next`.
    pub(crate) part: &'static str,
    pub(crate) from: String,
    /// Nothing where pages are walked without it.
    pub(crate) to: Option<String>,
}

/// A dialect of its own for some operations.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Apart {
    pub(crate) name: String,
    /// Their ids in the other document.
    pub(crate) operations: Vec<String>,
}

/// Finds the dialects that moved, and lets the adapted overrides speak them.
pub(super) fn follow(before: &Document, adapted: &mut Adapted) {
    let mut moved = Vec::new();
    for dialect in &adapted.overrides.paging {
        moved.extend(of_dialect(before, adapted, dialect));
    }
    for moved in &moved {
        apply(adapted, moved);
    }
    adapted.moved = moved;
}

/// Groups the operations of a dialect by what changed for them.
fn of_dialect(before: &Document, adapted: &Adapted, dialect: &Dialect) -> Vec<Moved> {
    let name = dialect.name.get_ref();
    let (mut groups, mut stays) = (BTreeMap::<Vec<Word>, Vec<String>>::new(), false);
    let tables = adapted.overrides.operations.iter();
    for table in tables.filter(|table| table.paging.as_ref().map(Spanned::get_ref) == Some(name)) {
        let Some(pair) = adapted
            .pairs
            .iter()
            .find(|pair| adapted.document.operations[pair.after].id == *table.operation.get_ref())
        else {
            continue;
        };
        let after = &adapted.document.operations[pair.after];
        let sides = [(before, &before.operations[pair.before]), (&adapted.document, after)];
        match words(sides, dialect) {
            Some(words) if words.is_empty() => stays = true,
            Some(words) => groups.entry(words).or_default().push(after.id.clone()),
            None => {} // Nobody but a person can tell what became of it.
        }
    }
    let alone = !stays && groups.len() == 1;
    let moved = groups.into_iter().map(|(words, operations)| {
        let apart = (!alone).then(|| {
            let ends: Vec<String> = words.iter().map(end).collect();
            let mut own = format!("{name}_{}", ends.join("_"));
            while adapted.overrides.paging.iter().any(|known| *known.name.get_ref() == own) {
                own.push('_');
            }
            Apart { name: own, operations }
        });
        Moved { dialect: name.clone(), words, apart }
    });
    moved.collect()
}

/// The words that are others for one operation; nothing where one is lost without a clear heir.
fn words(sides: [(&Document, &Operation); 2], dialect: &Dialect) -> Option<Vec<Word>> {
    let [before, after] = sides;
    let mut words = Vec::new();
    for part in ["page", "size", "rows"] {
        let Some(from) = part_of(dialect, part).map(Spanned::get_ref) else { continue };
        if !has(before, part, from) || has(after, part, from) {
            continue;
        }
        let mut heirs = if part == "rows" {
            arrays_beside(after, from).into_iter().filter(|name| !has(before, part, name)).collect()
        } else {
            parameters(before.1, after.1, |name| goes_by(name, part, dialect.step))
        };
        match (heirs.pop(), heirs.is_empty()) {
            (Some(to), true) => words.push(Word { part, from: from.clone(), to: Some(to) }),
            (None, _) if part == "size" => {} // Pages are walked without it too.
            _ => return None,
        }
    }
    // A cursor comes from the answer; numbered pages go on until one is empty.
    let needed = if dialect.step == Step::Cursor { "next" } else { "" };
    for part in ["more", "next"] {
        let Some(from) = part_of(dialect, part).map(Spanned::get_ref) else { continue };
        if !has(before, part, from) || has(after, part, from) {
            continue;
        }
        if part == needed {
            return None;
        }
        words.push(Word { part, from: from.clone(), to: None });
    }
    Some(words)
}

/// What a dialect of its own is called by, for one of its words.
fn end(word: &Word) -> String {
    word.to.as_deref().map_or_else(|| format!("without_{}", word.part), snake)
}

/// New query parameters with a fitting name.
fn parameters(before: &Operation, after: &Operation, fits: impl Fn(&str) -> bool) -> Vec<String> {
    let known = |name: &str| before.parameters.iter().any(|known| known.name == name);
    let query = after.parameters.iter().filter(|found| found.location == Location::Query);
    let names = query.map(|found| found.name.clone());
    names.filter(|name| !known(name) && fits(&snake(name))).collect()
}

/// Whether a parameter of this name usually does what a part of a dialect does.
fn goes_by(name: &str, part: &str, step: Step) -> bool {
    let says = |words: &[&str]| name.split('_').any(|word| words.contains(&word));
    let size = says(&["size", "per", "limit", "count"]);
    match (part, step) {
        ("size", _) => size,
        (_, Step::Page) => says(&["page"]) && !size && !says(&["token", "cursor", "offset"]),
        (_, Step::Offset) => says(&["offset", "skip", "start"]) && !size,
        (_, Step::Cursor) => says(&["cursor", "token", "after", "marker"]) && !size,
    }
}

/// Arrays that stand in an answer where the rows stood.
fn arrays_beside((document, operation): (&Document, &Operation), rows: &str) -> Vec<String> {
    let root = &document.value;
    let parent = rows.rsplit_once('.').map_or("", |(parent, _)| parent);
    let inside = operation.answer.as_ref().and_then(|answer| schema::member(root, answer, parent));
    let Some(inside) = inside.map(|inside| flatten(root, &inside)) else { return Vec::new() };
    let members = inside.get("properties").and_then(Value::as_object).into_iter().flatten();
    let names = members.map(|(name, _)| match parent {
        "" => name.clone(),
        parent => format!("{parent}.{name}"),
    });
    names.filter(|name| has((document, operation), "rows", name)).collect()
}

/// Puts the words in force, in the dialect or in one beside it.
fn apply(adapted: &mut Adapted, moved: &Moved) {
    let paging = &mut adapted.overrides.paging;
    let Some(at) = paging.iter().position(|known| *known.name.get_ref() == moved.dialect) else {
        return;
    };
    let mut dialect = paging[at].clone();
    for word in &moved.words {
        let slot = match word.part {
            "page" => &mut dialect.page,
            "size" => &mut dialect.size,
            "rows" => &mut dialect.rows,
            "more" => &mut dialect.more,
            _ => &mut dialect.next,
        };
        *slot = slot.take().and_then(|known| Some(Spanned::new(known.span(), word.to.clone()?)));
    }
    let Some(apart) = &moved.apart else {
        paging[at] = dialect;
        return;
    };
    dialect.name = Spanned::new(dialect.name.span(), apart.name.clone());
    paging.push(dialect);
    for table in &mut adapted.overrides.operations {
        if let Some(paging) =
            table.paging.as_mut().filter(|_| apart.operations.contains(table.operation.get_ref()))
        {
            *paging = Spanned::new(paging.span(), apart.name.clone());
        }
    }
}
