//! What is to be mended, put together as a person does it: what has one cause, or one thing to be done about it, is one task.

use super::lines::place;
use crate::diagnostic::visible;
use crate::diff::{Changes, Decision};

const ORPHAN: &str = "orphaned-override";
const COLUMN: &str = "unknown-column";
const FEW: usize = 3; // Up to so many orphans are easier to read one by one.

/// Something to mend, perhaps in several places.
pub(super) struct Task {
    pub(super) rule: String,
    pub(super) message: String,
    pub(super) help: String,
    /// Where; several places of one file together.
    pub(super) place: String,
}

/// What is to be mended, in the order of the first places; orphans come last.
pub(super) fn tasks(changes: &Changes) -> Vec<Task> {
    let mut groups: Vec<Vec<&Decision>> = Vec::new();
    for decision in &changes.decisions {
        let known = groups.iter_mut().find(|group| goes_with(group[0], decision));
        match known {
            Some(group) => group.push(decision),
            None => groups.push(vec![decision]),
        }
    }
    let (orphans, rest): (Vec<_>, Vec<_>) =
        groups.into_iter().partition(|group| group[0].rule == ORPHAN);
    let mut tasks: Vec<Task> = rest.iter().map(|group| task(group)).collect();
    for group in orphans {
        if group.len() > FEW {
            tasks.push(task(&group));
        } else {
            tasks.extend(group.iter().map(|one| task(&[one])));
        }
    }
    tasks
}

/// Whether two things are one task.
fn goes_with(first: &Decision, other: &Decision) -> bool {
    if first.rule != other.rule {
        return false;
    }
    match (&first.dependent, &other.dependent) {
        (Some(first), Some(other)) => (&first.on, first.gone) == (&other.on, other.gone),
        _ if first.rule == COLUMN => column(first).0 == column(other).0,
        _ => first.rule == ORPHAN,
    }
}

/// What answers no such column, and the column.
fn column(decision: &Decision) -> (&str, &str) {
    decision.message.split_once(" answers no ").unwrap_or((&decision.message, ""))
}

fn task(group: &[&Decision]) -> Task {
    let first = group[0];
    let alone = || Task {
        rule: first.rule.clone(),
        message: one_line(&first.message),
        help: one_line(&first.help),
        place: place(&first.place),
    };
    if group.len() == 1 {
        return alone();
    }
    let file = first.place.file.clone();
    if first.rule == COLUMN {
        return Task { message: columns(group), help: String::new(), ..alone() };
    }
    let Some(dependent) = &first.dependent else {
        let id = |one: &Decision| one.message.split('`').nth(1).unwrap_or_default().to_owned();
        let list = by_line(group, id);
        let message = format!("{} operations are gone; by line: {list}", group.len());
        return Task { message, place: file, ..alone() };
    };
    let list =
        by_line(group, |one| one.dependent.as_ref().map(|it| it.name.clone()).unwrap_or_default());
    let (work, tables) = match first.rule.as_str() {
        "prompt" => ("text", "prompts"),
        _ => ("code", "workflows"),
    };
    let help = if dependent.gone {
        format!("write the {work} of each anew without it, or remove its table under `[{tables}]`")
    } else {
        format!("look whether the {work} of each still holds")
    };
    let message = format!("`{}` {}; by line: {list}", dependent.on, dependent.fate());
    Task { message, help, place: file, ..alone() }
}

/// Columns that one tool no longer answers, each once, with all lines that name them.
fn columns(group: &[&Decision]) -> String {
    let (tool, _) = column(group[0]);
    let mut names: Vec<&str> = Vec::new();
    let mut lines: Vec<usize> = Vec::new();
    for decision in group {
        let (_, name) = column(decision);
        if !names.contains(&name) {
            names.push(name);
        }
        lines.extend(decision.place.line);
    }
    lines.dedup();
    let also: Vec<String> = lines.iter().skip(1).map(usize::to_string).collect();
    let also = match also.len() {
        0 => String::new(),
        1 => format!(" (also in line {})", also[0]),
        _ => format!(" (also in lines {})", also.join(", ")),
    };
    one_line(&format!("{tool} answers no {}{also}", names.join(", ")))
}

fn by_line(group: &[&Decision], name: impl Fn(&Decision) -> String) -> String {
    let parts =
        group.iter().map(|one| format!("{} `{}`", one.place.line.unwrap_or_default(), name(one)));
    one_line(&parts.collect::<Vec<_>>().join(", "))
}

fn one_line(text: &str) -> String {
    visible(text).replace('\n', " ")
}
