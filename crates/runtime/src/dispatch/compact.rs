//! Five tools in place of all: operations are found, described, and called by name.
//!
//! What is called goes the way of every call, as itself. These tools reach what operator and request chose, and nothing more.

use serde_json::{Map, Value, json};
use xyte_mcp_catalogue::{Builtin, Class};

use super::Call;
use crate::caller::Caller;
use crate::catalogue::{Tool, nearest};
use crate::failure::Failure;
use crate::names::rank::folded;
use crate::service::Service;
use crate::shape::Shaped;
use crate::shape::table::{foot, table};
use crate::text::quoted;

/// Operations that a search shows when nobody says how many.
const USUAL_HITS: usize = 10;

/// Keeps parts of a weight apart, which is a whole number.
const WEIGHT: usize = 100;

/// The caller and the call that a call by name stands for; none where it stands for nothing that could be called.
pub(super) fn aim<'s>(
    service: &'s Service,
    caller: &Caller,
    call: &Call<'_>,
) -> Option<(Caller, Call<'s>)> {
    let by = call.tool;
    let is_call = by.entry.builtin == Some(Builtin::Call);
    if !is_call || !service.selects(by, &caller.selection) {
        return None; // It is refused like any tool.
    }
    let name = call.arguments.get("operation")?.as_str()?;
    let tool = operation(service, caller, name)?;
    if tool.entry.class != by.entry.class {
        return None;
    }
    let mut arguments = match call.arguments.get("arguments") {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(arguments)) => arguments.clone(),
        // Some models write an object as its text.
        Some(Value::String(text)) => serde_json::from_str(text).ok()?,
        Some(_) => return None,
    };
    // What is said beside the operation is said of the call: a dry run, a token, a key.
    let beside = call
        .arguments
        .iter()
        .filter(|(name, _)| !["operation", "arguments"].contains(&name.as_str()));
    for (name, value) in beside {
        arguments.entry(name.clone()).or_insert_with(|| value.clone());
    }
    let mut caller = caller.clone();
    caller.by_name = true;
    Some((caller, Call { tool, arguments, view: call.view }))
}

/// An operation that this caller reaches by name.
fn operation<'s>(service: &'s Service, caller: &Caller, name: &str) -> Option<&'s Tool> {
    let tool = service.catalogue.find(name).or_else(|| service.catalogue.find_operation(name))?;
    let reached = tool.entry.builtin.is_none() && service.reaches(tool, &caller.selection);
    reached.then_some(tool)
}

/// Why a call by name could not be made.
pub(super) fn missed(
    service: &Service,
    caller: &Caller,
    by: &Tool,
    arguments: &Map<String, Value>,
) -> Failure {
    let name = arguments.get("operation").and_then(Value::as_str).unwrap_or_default();
    let Some(tool) = operation(service, caller, name) else {
        return unknown(service, caller, name);
    };
    if tool.entry.class == by.entry.class {
        return Failure::invalid_arguments("`arguments` is no object");
    }
    let other = calls(service, tool.entry.class);
    let class = class(tool.entry.class);
    let message =
        format!("`{}` is of the class {class}, which `{}` does not call", tool.name(), by.name());
    let hint = other.map(|other| format!("Nothing was sent. Call it with `{other}`."));
    Failure::new("invalid_arguments", message).with_hint(hint.unwrap_or_default())
}

fn unknown(service: &Service, caller: &Caller, name: &str) -> Failure {
    let known = reached(service, caller).map(Tool::name);
    let near = nearest(name, known).map(|near| format!("Did you mean `{near}`? "));
    let name = caller.redact(name);
    let hint = format!("{}Find operations by what they do first.", near.unwrap_or_default());
    Failure::new("invalid_arguments", format!("no operation `{}` is served here", quoted(&name)))
        .with_hint(hint)
}

/// Everything that a caller reaches by name.
fn reached<'s>(service: &'s Service, caller: &'s Caller) -> impl Iterator<Item = &'s Tool> {
    service.catalogue.tools.iter().filter(|tool| {
        tool.entry.builtin.is_none()
            && service.reaches(tool, &caller.selection)
            && service.permits(tool, &caller.selection)
    })
}

/// The tool that calls operations of a class.
fn calls(service: &Service, class: Class) -> Option<&str> {
    let mut tools = service.catalogue.tools.iter();
    let call =
        |tool: &&Tool| tool.entry.builtin == Some(Builtin::Call) && tool.entry.class == class;
    tools.find(call).map(Tool::name)
}

fn class(class: Class) -> &'static str {
    match class {
        Class::Read => "read",
        Class::Write => "write",
        Class::Destructive => "destructive",
    }
}

/// Finds operations by words, the best first.
pub(super) fn search(service: &Service, caller: &Caller, arguments: &Map<String, Value>) -> Shaped {
    let query = arguments.get("query").and_then(Value::as_str).unwrap_or_default();
    let words: Vec<String> = split(query).filter(|word| word.len() > 1).collect();
    let most =
        arguments.get("limit").and_then(Value::as_u64).and_then(|most| usize::try_from(most).ok());
    let tools: Vec<&Tool> = reached(service, caller).collect();
    let fits: Vec<Vec<usize>> =
        tools.iter().map(|tool| words.iter().map(|word| fit(tool, word)).collect()).collect();
    // A word that few tools have says more than one that all have.
    let weights = (0..words.len()).map(|at| {
        let having = fits.iter().filter(|fits| fits[at] > 0).count();
        WEIGHT * tools.len() / having.max(1)
    });
    let weights: Vec<usize> = weights.collect();
    let score =
        |fits: &Vec<usize>| fits.iter().zip(&weights).map(|(fit, weight)| fit * weight).sum();
    let mut found: Vec<(usize, &Tool)> = fits.iter().map(score).zip(tools).collect();
    found.retain(|(score, _)| *score > 0 || words.is_empty());
    // Of two that fit as well, the one with the shorter name is the plainer one.
    let words = |tool: &Tool| tool.name().split('_').count();
    found.sort_by_key(|(fit, tool)| (std::cmp::Reverse(*fit), words(tool), tool.position));
    let total = found.len();
    let hits = found.iter().take(most.unwrap_or(USUAL_HITS)).map(|(_, tool)| {
        json!({
            "operation": tool.name(),
            "class": class(tool.entry.class),
            "summary": summary(tool),
        })
    });
    let hits: Vec<Value> = hits.collect();
    let columns = ["operation", "class", "summary"].map(str::to_owned);
    let mut text = table(&columns, &hits);
    foot(&mut text, &format!("{} of {total} operations", hits.len()));
    Shaped { structured: json!({ "operations": hits, "total": total }), text }
}

/// How well a tool fits a word: in its name it counts for more than in its description.
fn fit(tool: &Tool, word: &str) -> usize {
    let title = tool.served.title.as_deref().unwrap_or_default();
    let description = tool.served.description.as_deref().unwrap_or_default();
    // What ends so may be a plural, or have one: `histories`, `history`, `devices`.
    let ends = ["ies", "s", "y"];
    let stem = ends.iter().find_map(|end| word.strip_suffix(end)).filter(|stem| stem.len() > 2);
    let stem = stem.unwrap_or(word);
    let has = |text: &str| split(text).any(|it| it.starts_with(stem));
    if has(tool.name()) {
        4
    } else if has(title) {
        3
    } else {
        usize::from(has(description))
    }
}

fn split(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split(|char: char| !char.is_alphanumeric()).filter(|word| !word.is_empty()).map(folded)
}

/// The first sentence of a description.
fn summary(tool: &Tool) -> &str {
    let text = tool.served.description.as_deref().unwrap_or_default();
    text.split_once(". ").map_or(text, |(first, _)| first)
}

/// Shows one operation with its arguments.
pub(super) fn describe(
    service: &Service,
    caller: &Caller,
    arguments: &Map<String, Value>,
) -> Result<Shaped, Failure> {
    let name = arguments.get("operation").and_then(Value::as_str).unwrap_or_default();
    let tool = operation(service, caller, name)
        .filter(|tool| service.permits(tool, &caller.selection))
        .ok_or_else(|| unknown(service, caller, name))?;
    Ok(Shaped::of(json!({
        "operation": tool.name(),
        "class": class(tool.entry.class),
        "call_with": calls(service, tool.entry.class),
        "description": tool.served.description,
        "arguments": tool.schema().as_ref(),
        "example": tool.entry.example,
    })))
}
