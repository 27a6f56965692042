//! Sentences of single changes. Knows what a change is; does not know how a report is laid out.

use serde_json::Value;

use crate::diagnostic::visible;
use crate::diff::{Change, Face, Kind};

const LONGEST: usize = 100; // Characters of a value; longer ones are in the JSON.

/// Text of a document as it may stand in a report: on one line, nothing invisible, no end of a quotation.
pub(super) fn clean(text: &str) -> String {
    visible(text).replace(['\n', '\r'], " ").replace('`', "'")
}

/// The version that a document states.
pub(super) fn version(stated: &str) -> String {
    if stated.trim().is_empty() { "no version".to_owned() } else { clean(stated) }
}

/// Says what changes, without the name of the tool.
pub(super) fn sentence(change: &Change) -> String {
    let subject = subject(change);
    let (before, after) = (&change.before, &change.after);
    match change.kind {
        Kind::Removed => removed(change, &subject),
        Kind::Renamed if change.face == Face::Tool => {
            format!("is called {} now, and answers to the old name too", value(after))
        }
        Kind::Renamed => format!("{subject} is now `{}`", plain(after)),
        Kind::AddedRequired => format!("new required {subject}: {}", schema(after)),
        Kind::Added if change.face == Face::Toolset => "new toolset".to_owned(),
        Kind::Added if change.face == Face::Tool => "new tool".to_owned(),
        Kind::Added => format!("new {subject}: {}", schema(after)),
        Kind::NamesRefused => format!("{subject} takes ids only, no names"),
        Kind::NamesTaken => format!("{subject} takes names too"),
        Kind::BecameRequired if change.face == Face::Output => format!("{subject} is always there"),
        Kind::BecameRequired => format!("{subject} must be given"),
        Kind::BecameOptional if change.face == Face::Output => format!("{subject} may be missing"),
        Kind::BecameOptional => format!("{subject} need not be given"),
        Kind::TypeNarrowed | Kind::TypeChanged | Kind::TypeWidened => {
            format!("{subject}: {} → {}", types(before), types(after))
        }
        Kind::ValuesRemoved | Kind::ValuesAdded | Kind::ValuesClosed | Kind::ValuesOpened => {
            values(change, &subject)
        }
        Kind::RuleTightened | Kind::RuleLoosened | Kind::RuleChanged | Kind::DefaultChanged => {
            rule(change, &subject)
        }
        Kind::AlternativeRemoved => format!("{subject} is no longer {}", schema(before)),
        Kind::AlternativeAdded => format!("{subject} may also be {}", schema(after)),
        Kind::Closed => format!("{subject}: unknown members are refused"),
        Kind::Opened => format!("{subject}: unknown members are taken"),
        Kind::Moved => {
            format!("{subject} is sent in the {} ({} before)", plain(after), plain(before))
        }
        Kind::Deprecated => format!("{subject} is deprecated"),
        Kind::Undeprecated => format!("{subject} is no longer deprecated"),
        Kind::Words | Kind::HiddenWords => words(change, &subject),
        _ => whole(change),
    }
}

/// Changes of the tool as such.
fn whole(change: &Change) -> String {
    let (before, after) = (plain(&change.before), plain(&change.after));
    match change.kind {
        Kind::Class => format!("is of class {after} ({before} before)"),
        Kind::Hint => format!("`{}` {before} → {after}", change.what),
        Kind::Address => format!("is {after} ({before} before)"),
        Kind::Toolset => format!("toolset `{before}` → `{after}`"),
        Kind::Credential => format!("needs {} ({} before)", key(&after), key(&before)),
        Kind::Form => format!("answers {} ({} before)", form(&after), form(&before)),
        Kind::Success => format!("succeeds with {after} ({before} before)"),
        Kind::FailureAdded => format!("may fail with {after}"),
        Kind::FailureRemoved => format!("no longer documents the failure {before}"),
        Kind::PageSize => {
            format!("rows per page at most {after} ({before} before); paging follows by itself")
        }
        Kind::Server => format!("the document's address is {after} ({before} before)"),
        _ if change.face == Face::Input => "the input schema is another".to_owned(),
        _ => "the output schema is another".to_owned(),
    }
}

fn subject(change: &Change) -> String {
    let noun = match change.face {
        Face::Input => "argument",
        Face::Output => "answer field",
        Face::Tool => return "the tool".to_owned(),
        Face::Toolset => return "the toolset".to_owned(),
        Face::Prompt => return "the prompt".to_owned(),
    };
    match (change.path.as_str(), change.face) {
        ("", Face::Input) => "the input".to_owned(),
        ("", _) => "the answer".to_owned(),
        (path, _) => format!("{noun} `{}`", clean(path)),
    }
}

fn removed(change: &Change, subject: &str) -> String {
    let faces: Vec<&str> =
        change.before.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    match change.face {
        Face::Prompt => {
            let tools = list(&change.before);
            format!("the prompt is not shown any more: it tells to call {tools}")
        }
        Face::Tool if faces.is_empty() => format!("gone from the toolset `{}`", change.what),
        Face::Tool => {
            format!("gone from the toolset `{}`, and {} with it", change.what, faces.join(" and "))
        }
        _ => format!("{subject} is gone"),
    }
}

fn values(change: &Change, subject: &str) -> String {
    let out = change.face == Face::Output;
    let (before, after) = (list(&change.before), list(&change.after));
    match (change.kind, out) {
        (Kind::ValuesRemoved, false) => format!("{subject} no longer takes {before}"),
        (Kind::ValuesRemoved, true) => format!("{subject} no longer holds {before}"),
        (Kind::ValuesAdded, false) => format!("{subject} also takes {after}"),
        (Kind::ValuesAdded, true) => format!("{subject} may also hold {after}"),
        (Kind::ValuesClosed, false) => format!("{subject} takes only {after} (anything before)"),
        (Kind::ValuesClosed, true) => format!("{subject} holds one of {after}"),
        (_, false) => format!("{subject} takes anything (only {before} before)"),
        (_, true) => format!("{subject} may hold anything (one of {before} before)"),
    }
}

fn rule(change: &Change, subject: &str) -> String {
    let what = &change.what;
    match (&change.before, &change.after) {
        (Value::Null, after) => format!("{subject}: {what} {} (none before)", value(after)),
        (before, Value::Null) => format!("{subject}: {what} {} is gone", value(before)),
        (before, after) => format!("{subject}: {what} {} → {}", value(before), value(after)),
    }
}

fn words(change: &Change, subject: &str) -> String {
    let what = if change.what.is_empty() { "description" } else { &change.what };
    let behind = match (change.kind, change.face) {
        (Kind::HiddenWords, Face::Output) => ", which is not served",
        (Kind::HiddenWords, _) => ", which the overrides replace",
        _ => "",
    };
    format!("{what} of {subject}{behind}: {} → {}", quote(&change.before), quote(&change.after))
}

fn quote(words: &Value) -> String {
    match words.as_str() {
        None | Some("") => "nothing".to_owned(),
        Some(words) => format!("“{}”", shortened(&clean(words))),
    }
}

fn key(scheme: &str) -> String {
    if scheme.is_empty() { "no key".to_owned() } else { format!("a key of `{scheme}`") }
}

fn form(form: &str) -> &str {
    match form {
        "list" => "a list",
        "object" => "an object",
        _ => "status and body, whatever it is",
    }
}

/// A value as it would be written.
fn value(value: &Value) -> String {
    format!("`{}`", shortened(&plain(value)))
}

/// As much of a description as says what it is about.
pub(super) fn first_sentence(text: &str) -> &str {
    text.find(". ").map_or(text, |end| &text[..=end])
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => clean(text),
        Value::Null => "none".to_owned(),
        other => clean(&other.to_string()),
    }
}

fn list(values: &Value) -> String {
    let values: Vec<String> = values.as_array().into_iter().flatten().map(value).collect();
    values.join(", ")
}

fn types(kind: &Value) -> String {
    match kind {
        Value::Array(kinds) => kinds.iter().map(plain).collect::<Vec<_>>().join(" or "),
        Value::String(kind) if kind == "any" => "anything".to_owned(),
        other => plain(other),
    }
}

/// A schema in a few words.
fn schema(schema: &Value) -> String {
    let mut text = match (
        schema.get("type"),
        schema.get("items"),
        schema.get("anyOf").and_then(Value::as_array),
    ) {
        (_, Some(items), _) => format!("array of {}", self::schema(items)),
        (Some(kind), _, _) => types(kind),
        (_, _, Some(parts)) => parts.iter().map(self::schema).collect::<Vec<_>>().join(" or "),
        _ => "anything".to_owned(),
    };
    if let Some(values) = schema.get("enum").or_else(|| schema.get("x-known-values")) {
        text = format!("{text}, one of {}", list(values));
    }
    shortened(&text)
}

pub(super) fn shortened(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", text[..at].trim_end()),
        None => text.to_owned(),
    }
}
