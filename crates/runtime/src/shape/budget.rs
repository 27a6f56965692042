//! How much one answer may cost a model, and what of a value fits. It fetches nothing, and knows neither lists nor tables.

use serde_json::{Value, json};

use super::Shaped;
use crate::text::{self, is_hidden, quoted};

/// Characters of a token, on average.
const CHARS_PER_TOKEN: usize = 4;

/// Characters that are kept free for words on what was left out.
const FOR_WORDS: usize = 800;

/// What surrounds the words in an answer: `,"warnings":[""]`, or less.
const AROUND_WORDS: usize = 20;

/// Characters of names that are told; the rest is counted.
const FOR_NAMES: usize = 200;

/// Characters below which it is no use to show a part.
const LEAST: usize = 100;

/// What a member costs besides its name and its value: quotes, colon, comma.
const AROUND_MEMBER: usize = 4;

/// The characters that so many tokens have.
pub fn chars(tokens: usize) -> usize {
    tokens.saturating_mul(CHARS_PER_TOKEN)
}

/// Counts the characters of a value as JSON, with whatever is hidden written visibly.
pub fn length(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(true) => 4,
        Value::Bool(false) => 5,
        Value::Number(number) => number.as_str().len(),
        Value::String(text) => string_length(text),
        Value::Array(items) => around(items.len()) + items.iter().map(length).sum::<usize>(),
        Value::Object(members) => {
            let member = |(name, value): (&String, &Value)| string_length(name) + 1 + length(value);
            around(members.len()) + members.iter().map(member).sum::<usize>()
        }
    }
}

/// The brackets of so many parts, and what stands between them.
fn around(parts: usize) -> usize {
    2 + parts.saturating_sub(1)
}

/// A string with its quotes; most are plain, and every answer is counted.
fn string_length(text: &str) -> usize {
    2 + if text::is_plain(text, [b'"', b'\\']) {
        text.len()
    } else {
        text.chars().map(cost_in_string).sum()
    }
}

/// Counts the characters of a text.
pub fn text_length(text: &str) -> usize {
    text.chars().count()
}

/// Characters that one takes in JSON text; what is hidden is written by its number there.
fn cost(char: char) -> usize {
    if is_hidden(char) { 6 * char.len_utf16() } else { 1 }
}

/// Characters that one takes within a string.
fn cost_in_string(char: char) -> usize {
    match char {
        '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
        other => cost(other),
    }
}

/// The start of a text, with a mark, that takes at most so many characters in JSON; nothing where all of it does.
fn shortened(text: &str, room: usize, mark: &str) -> Option<String> {
    if text.chars().map(cost_in_string).sum::<usize>() <= room {
        return None;
    }
    let mut left = room.saturating_sub(text_length(mark));
    let mut start: String =
        text.chars().take_while(|char| take(&mut left, cost_in_string(*char))).collect();
    start.push_str(mark);
    Some(start)
}

/// What of a value did not fit.
#[derive(Debug, Default)]
pub struct Cut {
    omitted: Vec<String>,
    shortened: Vec<String>,
}

impl Cut {
    /// Whether anything did not fit.
    pub fn is_empty(&self) -> bool {
        self.omitted.is_empty() && self.shortened.is_empty()
    }

    /// Says what did not fit, and how to see it.
    pub fn words(&self, what: &str, hint: &str) -> String {
        let mut words = format!("{what} is larger than one answer may be");
        for (done, names) in [("left out", &self.omitted), ("cut short", &self.shortened)] {
            if !names.is_empty() {
                words.extend(["; ", done, ": ", &enumerate(names)]);
            }
        }
        if !hint.is_empty() {
            words.extend(["; ", hint]);
        }
        shortened(&words, FOR_WORDS - AROUND_WORDS, "…").unwrap_or(words)
    }
}

/// Some names, and how many more there are.
pub(crate) fn enumerate(names: &[String]) -> String {
    let mut text = String::new();
    for (at, name) in names.iter().enumerate() {
        if at > 0 && text.len() + name.len() > FOR_NAMES {
            text.extend([" and ", &(names.len() - at).to_string(), " more"]);
            break;
        }
        text.push_str(if at == 0 { "" } else { ", " });
        text.push_str(name);
    }
    text
}

/// Cuts a value to so many characters: small members stay, large ones are left out, and what is large by itself is shortened and marked.
pub fn cut(value: &mut Value, room: usize) -> Cut {
    let mut cut = Cut::default();
    fit(value, room, "", &mut cut);
    cut
}

fn fit(value: &mut Value, room: usize, path: &str, cut: &mut Cut) {
    let size = length(value);
    if size <= room {
        return;
    }
    match value {
        Value::String(text) => {
            let all = text.chars().count();
            let mark = format!("… [cut: {all} characters in all]");
            if let Some(shorter) = shortened(text, room.saturating_sub(2), &mark) {
                *text = shorter;
            }
            cut.shortened.push(format!("`{}` ({all} characters)", quoted(name(path))));
        }
        Value::Array(items) => {
            let all = items.len();
            let mut left = room.saturating_sub(2);
            let fits = items.iter().take_while(|item| take(&mut left, length(item) + 1)).count();
            let within = fits == 0 && room >= LEAST;
            items.truncate(if within { 1 } else { fits });
            if let (true, Some(first)) = (within, items.first_mut()) {
                fit(first, room - 3, path, cut);
            }
            if items.len() < all {
                let (shown, name) = (items.len(), quoted(name(path)));
                cut.shortened.push(format!("`{name}` ({shown} of {all} elements)"));
            }
        }
        Value::Object(members) => {
            let mut sizes: Vec<(usize, String)> = members
                .iter()
                .map(|(name, member)| {
                    let name_length = length(&Value::String(name.clone()));
                    (name_length + length(member) + AROUND_MEMBER - 2, name.clone())
                })
                .collect();
            sizes.sort();
            let mut left = room.saturating_sub(2);
            let fits = sizes.iter().take_while(|(size, _)| take(&mut left, *size)).count();
            let mut large = sizes.split_off(fits);
            if let (0, Some((_, first))) = (fits, large.first().cloned()) {
                let name_length = length(&Value::String(first.clone()));
                let rest = left.saturating_sub(name_length + AROUND_MEMBER);
                if let (true, Some(member)) = (rest >= LEAST, members.get_mut(&first)) {
                    fit(member, rest, &join(path, &first), cut);
                    large.remove(0);
                }
            }
            for (_, name) in large {
                members.remove(&name);
                cut.omitted.push(format!("`{}`", quoted(&join(path, &name))));
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {
            cut.shortened.push(format!("`{}` ({size} digits)", quoted(name(path))));
            *value = Value::Null;
        }
    }
}

/// Takes so much of what is left, if it is there.
fn take(left: &mut usize, size: usize) -> bool {
    let fits = size <= *left;
    if fits {
        *left -= size;
    }
    fits
}

fn name(path: &str) -> &str {
    if path.is_empty() { "answer" } else { path }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// Adds a warning to an answer.
fn warn(answer: &mut Value, warning: String) {
    let Value::Object(members) = answer else { return };
    let warnings = members.entry("warnings").or_insert_with(|| json!([]));
    match warnings {
        Value::Array(warnings) => warnings.push(warning.into()),
        _ => *warnings = json!([warning]),
    }
}

/// An object that fits into so many characters, and says what of it does not, and what to do about that.
pub fn object(mut answer: Value, room: usize, hint: &str) -> Shaped {
    if length(&answer) > room {
        let cut = cut(&mut answer, room.saturating_sub(FOR_WORDS));
        warn(&mut answer, cut.words("the answer", hint));
    }
    Shaped::of(answer)
}

/// Makes an answer fit of which nothing is known: its lists are cut between items, the longest first, then members are left out. The text becomes JSON; `warnings` tells what is missing.
pub fn clamp(shaped: Shaped, room: usize) -> Shaped {
    let Shaped { structured, text } = shaped;
    if length(&structured) > room {
        let lists = longest_lists(&structured);
        let lists: Vec<&str> = lists.iter().map(String::as_str).collect();
        let shorter = shorten(structured, &lists, |answer| length(answer) <= room);
        return object(shorter, room, "");
    }
    if text_length(&text) > room { Shaped::of(structured) } else { Shaped { structured, text } }
}

/// Cuts lists from their ends, one after the other, until the answer fits.
fn shorten(mut answer: Value, lists: &[&str], fits: impl Fn(&Value) -> bool) -> Value {
    for list in lists {
        if fits(&answer) {
            break;
        }
        let pointer = format!("/{}", list.replace('.', "/"));
        let Some(Value::Array(items)) = answer.pointer_mut(&pointer).map(Value::take) else {
            continue;
        };
        let with = |count: usize| {
            let mut shorter = answer.clone();
            if let Some(list) = shorter.pointer_mut(&pointer) {
                *list = items[..count].into();
            }
            let all = items.len();
            let warning = format!(
                "`{}` has {count} of {all}: the rest does not fit into one answer; narrow the question",
                quoted(list)
            );
            warn(&mut shorter, warning);
            shorter
        };
        // The most items that fit lie between a number that does and one that does not.
        let (mut fitting, mut beyond) = (0, items.len());
        while beyond - fitting > 1 {
            let middle = fitting.midpoint(beyond);
            if fits(&with(middle)) { fitting = middle } else { beyond = middle }
        }
        answer = with(fitting);
    }
    answer
}

/// Dotted names of the lists in an answer that are not within another list, the longest first.
fn longest_lists(answer: &Value) -> Vec<String> {
    fn collect(value: &Value, path: &str, found: &mut Vec<(usize, String)>) {
        match value {
            Value::Object(members) => {
                // A name with these characters cannot be part of a dotted one.
                let plain = |name: &&String| !name.contains(['.', '/', '~']) && *name != "warnings";
                for name in members.keys().filter(plain) {
                    collect(&members[name], &join(path, name), found);
                }
            }
            Value::Array(items) if !items.is_empty() => {
                found.push((length(value), path.to_owned()));
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    collect(answer, "", &mut found);
    found.sort_by(|left, right| right.cmp(left));
    found.into_iter().map(|(_, name)| name).collect()
}

#[cfg(test)]
mod tests;
