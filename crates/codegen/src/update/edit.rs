//! Edits of the overrides that keep every comment and the order. Knows TOML and the names of our tables, not the document.

use toml_edit::{DocumentMut, InlineTable, Item, Table, TableLike, Value};

use crate::spec::operation::snake;

/// Puts operations under other keys, all at once since two may change places, and keeps the names that agents know.
pub(super) fn rename(document: &mut DocumentMut, table: &str, names: &[(&str, &str)]) {
    if table == "operations" {
        rename_mentions(document, names);
    }
    let Some(tables) = document.get_mut(table).and_then(Item::as_table_like_mut) else { return };
    rename_keys(tables, names);
    if table != "operations" {
        return;
    }
    for (old, new) in names {
        let Some(operation) = tables.get_mut(new).and_then(Item::as_table_like_mut) else {
            continue;
        };
        set_default(operation, "tool", "name", &snake(old));
        match operation.get_mut("resource") {
            Some(Item::Value(Value::String(uri))) => {
                let mut resource = InlineTable::new();
                resource.insert("uri", uri.value().as_str().into());
                resource.insert("name", (*old).into());
                operation.insert("resource", Item::Value(resource.into()));
            }
            Some(Item::None) | None => {}
            Some(_) => set_default(operation, "resource", "name", old),
        }
    }
}

/// Operations are also named where one reads for another, where a computed tool calls them, and where names are looked up.
fn rename_mentions(document: &mut DocumentMut, names: &[(&str, &str)]) {
    for (table, list, place) in [
        ("workflows", "calls", &[][..]),
        ("operations", "reads", &["target", "operation"]),
        ("names", "", &["operation"]),
    ] {
        let tables = document.get_mut(table).and_then(Item::as_table_like_mut);
        for (_, item) in tables.into_iter().flat_map(TableLike::iter_mut) {
            let words = member(item, list).and_then(Item::as_array_mut);
            words.into_iter().flat_map(toml_edit::Array::iter_mut).for_each(|it| follow(it, names));
            let word = place.iter().try_fold(item, |item, key| member(item, key));
            word.filter(|_| !place.is_empty())
                .and_then(Item::as_value_mut)
                .into_iter()
                .for_each(|it| follow(it, names));
        }
    }
}

/// Puts another name of a toolset wherever the overrides say the old one; tells whether they do.
pub(super) fn rename_toolset(document: &mut DocumentMut, name: (&str, &str)) -> bool {
    let before = document.to_string();
    if let Some(sets) = document.get_mut("toolsets").and_then(Item::as_table_like_mut) {
        rename_keys(sets, &[name]);
    }
    for table in ["operations", "workflows"] {
        let tables = document.get_mut(table).and_then(Item::as_table_like_mut);
        for (_, item) in tables.into_iter().flat_map(TableLike::iter_mut) {
            let word = member(item, "tool").and_then(|tool| member(tool, "toolset"));
            word.and_then(Item::as_value_mut).into_iter().for_each(|word| follow(word, &[name]));
        }
    }
    document.to_string() != before
}

/// A member that is there: asking the item itself would make it.
fn member<'i>(item: &'i mut Item, key: &str) -> Option<&'i mut Item> {
    item.as_table_like_mut()?.get_mut(key)
}

/// Puts the other name of an operation in place of the one it had.
fn follow(word: &mut Value, names: &[(&str, &str)]) {
    let Some((_, new)) = names.iter().find(|(old, _)| word.as_str() == Some(*old)) else { return };
    let decor = word.decor().clone();
    *word = (*new).into();
    *word.decor_mut() = decor;
}

/// Puts another key with a text where one stands.
pub(super) fn replace(table: &mut dyn TableLike, key: &str, (name, text): (&str, &str)) {
    rename_keys(table, &[(key, name)]);
    if let Some(item) = table.get_mut(name) {
        *item = toml_edit::value(text);
    }
}

/// Renames keys in their places: all are taken out, then put back in order.
fn rename_keys(table: &mut dyn TableLike, names: &[(&str, &str)]) {
    let keys: Vec<String> = table.iter().map(|(key, _)| key.to_owned()).collect();
    let taken: Vec<_> = keys
        .into_iter()
        .filter_map(|key| {
            let words =
                table.key(&key).map(|key| (key.leaf_decor().clone(), key.dotted_decor().clone()));
            Some((words, table.remove(&key)?, key))
        })
        .collect();
    for (words, item, key) in taken {
        let name = names.iter().find(|(old, _)| *old == key).map_or(key.as_str(), |(_, new)| new);
        table.insert(name, item);
        if let (Some((leaf, dotted)), Some(mut key)) = (words, table.key_mut(name)) {
            *key.leaf_decor_mut() = leaf;
            *key.dotted_decor_mut() = dotted;
        }
    }
}

/// Sets a member of an inner table unless it is there.
fn set_default(operation: &mut dyn TableLike, inner: &str, key: &str, value: &str) {
    if operation.get(inner).is_none_or(Item::is_none) {
        let mut table = InlineTable::new();
        table.insert(key, value.into());
        operation.insert(inner, Item::Value(table.into()));
        return;
    }
    let Some(table) = operation.get_mut(inner).and_then(Item::as_table_like_mut) else { return };
    if !table.contains_key(key) {
        add(table, key, value);
    }
}

/// Adds a member; in an inline table the white space before the brace stays before the brace.
fn add(table: &mut dyn TableLike, key: &str, value: &str) {
    tidy(table);
    table.insert(key, toml_edit::value(value));
}

/// Lets no white space stand between the last value and a comma that is about to follow it.
pub(super) fn tidy(table: &mut dyn TableLike) {
    let last = table.iter().last().map(|(key, _)| key.to_owned());
    let last = last.and_then(|last| table.get_mut(&last)).and_then(Item::as_value_mut);
    if let Some(last) = last.filter(|last| last.decor().suffix().is_some()) {
        last.decor_mut().set_suffix("");
    }
}

/// Lets a tool keep the name of an argument that the document renamed.
pub(super) fn keep_argument(
    document: &mut DocumentMut,
    operation: &str,
    (from, to): (&str, &str),
) -> bool {
    let operations = document.get_mut("operations").and_then(Item::as_table_like_mut);
    let Some(operation) = operations
        .and_then(|operations| operations.get_mut(operation))
        .and_then(Item::as_table_like_mut)
    else {
        return false;
    };
    if operation.get("arguments").is_none_or(Item::is_none) {
        let mut arguments = Table::new();
        arguments.set_dotted(true);
        operation.insert("arguments", Item::Table(arguments));
    }
    let Some(arguments) = operation.get_mut("arguments").and_then(Item::as_table_like_mut) else {
        return false;
    };
    if arguments.contains_key(from) && !arguments.contains_key(to) {
        rename_keys(arguments, &[(from, to)]);
    }
    if arguments.contains_key(to) {
        let Some(argument) = arguments.get_mut(to).and_then(Item::as_table_like_mut) else {
            return false;
        };
        if !argument.contains_key("name") {
            add(argument, "name", from);
        }
        return true;
    }
    let mut argument = InlineTable::new();
    argument.insert("name", from.into());
    arguments.insert(to, Item::Value(argument.into()));
    true
}

/// Removes the table or line of an operation or of names, if it is there; headings above it stay.
pub(super) fn remove(document: &mut DocumentMut, table: &str, id: &str) -> bool {
    let tables = document.get_mut(table).and_then(Item::as_table_like_mut);
    let Some(removed) = tables.and_then(|tables| tables.remove(id)) else { return false };
    let Item::Table(removed) = removed else { return true };
    let prefix = removed.decor().prefix().and_then(|prefix| prefix.as_str()).unwrap_or_default();
    let heading = prefix.rsplit_once("\n\n").map(|(heading, _)| heading);
    if let Some(heading) = heading.filter(|heading| heading.contains('#')) {
        let heading = format!("{heading}\n");
        keep_heading(document.as_table_mut(), removed.position(), &heading);
    }
    true
}

/// Puts a heading above the table that follows a position, or at the end.
fn keep_heading(root: &mut Table, position: Option<isize>, heading: &str) {
    let mut next: Option<isize> = None;
    positions(root, &mut |table| {
        let at = table.position();
        if at > position && next.is_none_or(|known| at < Some(known)) {
            next = at;
        }
    });
    let mut kept = false;
    positions(root, &mut |table| {
        if next.is_some() && table.position() == next && !kept {
            let own = table
                .decor()
                .prefix()
                .and_then(|prefix| prefix.as_str())
                .unwrap_or("\n")
                .to_owned();
            table.decor_mut().set_prefix(format!("{heading}{own}"));
            kept = true;
        }
    });
}

/// Goes through all tables that have a header.
fn positions(table: &mut Table, visit: &mut dyn FnMut(&mut Table)) {
    for (_, item) in table.iter_mut() {
        match item {
            Item::Table(inner) => {
                if !inner.is_implicit() && !inner.is_dotted() {
                    visit(inner);
                }
                positions(inner, visit);
            }
            Item::ArrayOfTables(tables) => {
                for inner in tables.iter_mut() {
                    visit(inner);
                    positions(inner, visit);
                }
            }
            _ => {}
        }
    }
}

/// Adds a line under `[skip]`.
pub(super) fn skip(text: &str, line: &str) -> String {
    let Ok(mut document) = text.parse::<DocumentMut>() else { return text.to_owned() };
    let Ok(addition) = line.parse::<DocumentMut>() else { return text.to_owned() };
    if document.get("skip").is_none() {
        document.insert("skip", Item::Table(Table::new()));
    }
    if let Some(skips) = document.get_mut("skip").and_then(Item::as_table_like_mut) {
        for (key, item) in addition.iter() {
            skips.insert(key, item.clone());
        }
    }
    document.to_string()
}
