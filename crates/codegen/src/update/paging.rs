//! Writes the words of a way to page that moved with the document. Knows TOML and the names of our tables, not the document.

use toml_edit::{DocumentMut, Item, TableLike, Value};

use crate::diff::Moved;

/// Puts other words in a dialect, or a dialect beside it for the operations that need them; gives a sentence.
pub(super) fn follow(document: &mut DocumentMut, moved: &Moved) -> Option<String> {
    let dialects = document.get_mut("paging")?.as_table_like_mut()?;
    let words = moved.words.iter().map(|word| match &word.to {
        Some(to) => format!("{} is `{to}`", word.part),
        None => format!("there is no {}", word.part),
    });
    let words = words.collect::<Vec<_>>().join(" and ");
    let Some(apart) = &moved.apart else {
        write(dialects.get_mut(&moved.dialect)?, moved);
        return Some(format!("in the paging dialect `{}`, {words} now", moved.dialect));
    };
    let mut own = dialects.get(&moved.dialect)?.clone();
    if let Item::Table(table) = &mut own {
        table.decor_mut().set_prefix("\n"); // Comments stay with the dialect they were written for.
    }
    write(&mut own, moved);
    dialects.insert(&apart.name, own);
    for id in &apart.operations {
        let paging = document.get_mut("operations")?.get_mut(id)?.get_mut("paging")?;
        set(paging, &apart.name);
    }
    let operations: Vec<&str> = apart.operations.iter().map(String::as_str).collect();
    Some(format!(
        "{} have the paging dialect `{}`, in which {words}",
        crate::diagnostic::quoted(&operations),
        apart.name
    ))
}

fn write(dialect: &mut Item, moved: &Moved) {
    let Some(dialect) = dialect.as_table_like_mut() else { return };
    for word in &moved.words {
        let keys: &[&str] = match word.part {
            "page" => &["page", "offset", "cursor"], // One of them, as the dialect counts.
            part => &[part],
        };
        let key = keys.iter().find(|key| dialect.contains_key(key));
        let Some(key) = key else { continue };
        match (&word.to, TableLike::get_mut(dialect, key)) {
            (Some(to), Some(value)) => set(value, to),
            _ => drop(dialect.remove(key)),
        }
    }
}

/// Replaces a text, with the white space and comments around it as they were.
fn set(item: &mut Item, text: &str) {
    let Some(known) = item.as_value_mut() else { return };
    let decor = known.decor().clone();
    *known = Value::from(text);
    *known.decor_mut() = decor;
}
