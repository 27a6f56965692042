//! The arguments of one tool before and after. Knows how they reach the platform; of schemas it knows how to compare them.

use serde_json::{Map, Value, json};
use xyte_mcp_catalogue::Location;

use super::contract::{Argument, Contract};
use super::paging::is_usual;
use super::schema::{At, Comparison, Difference, Way, renames, summary};
use super::tool::Tool;
use super::{Effect, Kind};

/// Lists what changes of the arguments.
pub(super) fn compare(tool: &Tool<'_, '_>, before: &Contract, after: &Contract) -> Vec<Difference> {
    let mut comparison = Comparison { way: Way::In, found: Vec::new() };
    let root = At { path: String::new(), pointer: "/inputSchema".to_owned() };
    let taken_over = super::paging::taken_over(tool.view, tool.operations);
    let (mut gone, mut come) = (Vec::new(), Vec::new());
    gone.extend(before.arguments.keys().filter(|name| !after.arguments.contains_key(*name)));
    come.extend(after.arguments.keys().filter(|name| {
        !before.arguments.contains_key(*name) && !taken_over.contains(&after.arguments[*name].wire)
    }));
    let mut same: Vec<(&String, &String)> = before
        .arguments
        .keys()
        .filter(|name| after.arguments.contains_key(*name))
        .map(|name| (name, name))
        .collect();
    for (from, to) in argument_renames(&gone, &come, before, after) {
        let wire = &after.arguments[to].wire;
        comparison.renamed(from, to, &root).remark = format!(
            "`cargo spec update` keeps the old name, by `arguments.{wire} = {{ name = \"{from}\" }}`"
        );
        gone.retain(|name| *name != from);
        come.retain(|name| *name != to);
        same.push((from, to));
    }
    for name in gone {
        let values = (summary(&before.arguments[name].schema), Value::Null);
        comparison.tell(Effect::Breaking, Kind::Removed, &root.field(name), values);
    }
    for name in come {
        let argument = &after.arguments[name];
        let (effect, kind) = if argument.required {
            (Effect::Breaking, Kind::AddedRequired)
        } else {
            (Effect::Additive, Kind::Added)
        };
        let values = (Value::Null, summary(&argument.schema));
        let told = comparison.tell(effect, kind, &root.field(name), values);
        if argument.location == Some(Location::Query) && is_usual(name) {
            "looks like paging, which a dialect would take over".clone_into(&mut told.remark);
        }
    }
    for (from, to) in same {
        let worded = tool.table.arguments.iter().any(|table| {
            let name = table.argument.get_ref();
            from != to && name.split_once('.').map_or(name.as_str(), |(_, name)| name) == from
        });
        let worded = worded || from != to && tool.entries.0.names.contains(from);
        if worded {
            // The overrides' words are under the old name, so they cannot be compared yet.
            let (old, mut new) = (&before.arguments[from], after.arguments[to].clone());
            new.schema["description"] = old.schema["description"].clone();
            new.words.clone_from(&old.words);
            argument(&mut comparison, old, &new, &root.field(to));
            continue;
        }
        argument(&mut comparison, &before.arguments[from], &after.arguments[to], &root.field(to));
    }
    comparison.found
}

fn argument(comparison: &mut Comparison, before: &Argument, after: &Argument, at: &At) {
    comparison.required(before.required, after.required, at);
    if let (Some(old), Some(new)) = (before.location, after.location)
        && old != new
    {
        comparison.tell(Effect::Cosmetic, Kind::Moved, at, (json!(old), json!(new)));
    }
    let from = comparison.found.len();
    comparison.schemas(&before.schema, &after.schema, at);
    let told = |found: &Difference| matches!(found.kind, Kind::Words) && found.at.path == at.path;
    if before.words != after.words && !comparison.found[from..].iter().any(told) {
        let values = (before.words.clone().into(), after.words.clone().into());
        comparison.tell(Effect::Cosmetic, Kind::HiddenWords, &at.keyword("description"), values);
    }
}

/// Finds arguments that only changed their names: the same variable of the path, or the same schema in the same place.
fn argument_renames<'c>(
    gone: &[&'c String],
    come: &[&'c String],
    before: &'c Contract,
    after: &'c Contract,
) -> Vec<(&'c String, &'c String)> {
    let mut found: Vec<(&String, &String)> = Vec::new();
    for from in gone {
        let variable = before.arguments[*from].variable;
        let fits = |to: &&&String| variable.is_some() && after.arguments[**to].variable == variable;
        if let Some(to) = come.iter().find(fits) {
            found.push((from, to));
        }
    }
    let place = |contract: &Contract, name: &String| match contract.arguments[name].location {
        Some(Location::Body | Location::WholeBody) => Some(Location::Body),
        Some(Location::Path) | None => None,
        other => other,
    };
    for wanted in [Location::Query, Location::Header, Location::Body] {
        let (mut old, mut new) = (Map::new(), Map::new());
        for name in gone.iter().filter(|name| place(before, name) == Some(wanted)) {
            old.insert((*name).clone(), before.arguments[*name].schema.clone());
        }
        for name in come.iter().filter(|name| place(after, name) == Some(wanted)) {
            new.insert((*name).clone(), after.arguments[*name].schema.clone());
        }
        let names: (Vec<&String>, Vec<&String>) = (old.keys().collect(), new.keys().collect());
        for (from, to) in renames(&names.0, &names.1, &old, &new) {
            let original = |names: &[&'c String], name: &str| {
                names.iter().find(|known| **known == name).copied()
            };
            found.extend(original(gone, &from).zip(original(come, &to)));
        }
    }
    found
}
