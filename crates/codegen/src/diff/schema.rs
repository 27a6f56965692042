//! Two schemas, member by member. Knows JSON Schema and which way a value travels; knows no tool.

use serde_json::{Map, Value};

use super::rules;
use super::{Effect, Kind};

/// Which way values travel: what is refused matters on the way in, what is unexpected on the way out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    In,
    Out,
}

/// A place in a schema, for people and for programs.
#[derive(Debug, Clone, Default)]
pub(super) struct At {
    pub(super) path: String,
    pub(super) pointer: String,
}

/// One difference of two schemas.
#[derive(Debug)]
pub(super) struct Difference {
    pub(super) effect: Effect,
    pub(super) kind: Kind,
    pub(super) at: At,
    pub(super) what: String,
    pub(super) before: Value,
    pub(super) after: Value,
    pub(super) remark: String,
}

impl At {
    pub(super) fn field(&self, name: &str) -> Self {
        let dot = if self.path.is_empty() { "" } else { "." };
        Self {
            path: format!("{}{dot}{name}", self.path),
            pointer: format!("{}/properties/{}", self.pointer, crate::spec::escape(name)),
        }
    }

    fn step(&self, path: &str, pointer: &str) -> Self {
        Self {
            path: format!("{}{path}", self.path),
            pointer: format!("{}/{pointer}", self.pointer),
        }
    }

    /// A keyword of the schema that stands here.
    pub(super) fn keyword(&self, key: &str) -> Self {
        Self { path: self.path.clone(), pointer: format!("{}/{key}", self.pointer) }
    }
}

/// Collects the differences of one comparison.
pub(super) struct Comparison {
    pub(super) way: Way,
    pub(super) found: Vec<Difference>,
}

impl Comparison {
    pub(super) fn tell(
        &mut self,
        effect: Effect,
        kind: Kind,
        at: &At,
        change: (Value, Value),
    ) -> &mut Difference {
        self.found.push(Difference {
            effect,
            kind,
            at: at.clone(),
            what: String::new(),
            before: change.0,
            after: change.1,
            remark: String::new(),
        });
        let last = self.found.len() - 1;
        &mut self.found[last]
    }

    /// Tells what has no values.
    fn note(&mut self, effect: Effect, kind: Kind, at: &At) {
        self.tell(effect, kind, at, <_>::default());
    }

    /// Breaking on the way in, a surprise to typed consumers on the way out.
    pub(super) fn worse(&self) -> Effect {
        match self.way {
            Way::In => Effect::Breaking,
            Way::Out => Effect::BreakingTyped,
        }
    }

    /// Compares two schemas.
    pub(super) fn schemas(&mut self, before: &Value, after: &Value, at: &At) {
        if before == after {
            return;
        }
        self.marks(before, after, at);
        if before.get("anyOf").is_some() || after.get("anyOf").is_some() {
            self.alternatives(before, after, at);
            return;
        }
        if rules::types(self, before, after, at) {
            return; // Rules of different types have nothing to do with each other.
        }
        rules::values(self, before, after, at);
        rules::rules(self, before, after, at);
        self.properties(before, after, at);
        self.items(before, after, at);
        self.others(before, after, at);
    }

    /// Deprecation and words.
    fn marks(&mut self, before: &Value, after: &Value, at: &At) {
        let deprecated = |schema: &Value| schema.get("deprecated") == Some(&Value::Bool(true));
        match (deprecated(before), deprecated(after)) {
            (false, true) => self.note(Effect::Deprecation, Kind::Deprecated, at),
            (true, false) => self.note(Effect::Cosmetic, Kind::Undeprecated, at),
            _ => {}
        }
        let words = |schema: &Value| schema.get("description").cloned().unwrap_or_default();
        let change = (words(before), words(after));
        if change.0 != change.1 {
            let kind = if self.way == Way::In { Kind::Words } else { Kind::HiddenWords };
            self.tell(Effect::Cosmetic, kind, &at.keyword("description"), change);
        }
    }

    fn alternatives(&mut self, before: &Value, after: &Value, at: &At) {
        let parts = |schema: &Value| match schema.get("anyOf").and_then(Value::as_array) {
            Some(parts) => parts.clone(),
            None => vec![schema.clone()],
        };
        let (mut gone, mut come) = (parts(before), parts(after));
        gone.retain(|part| {
            let same = come.iter().position(|other| bare(other) == bare(part));
            same.map(|at| come.remove(at)).is_none()
        });
        if let ([old], [new]) = (gone.as_slice(), come.as_slice()) {
            self.schemas(old, new, at);
            return;
        }
        let any = at.keyword("anyOf");
        let lost = match self.way {
            Way::In => Effect::Breaking,
            Way::Out => Effect::Additive,
        };
        let won = match self.way {
            Way::In => Effect::Additive,
            Way::Out => Effect::BreakingTyped,
        };
        for part in gone {
            self.tell(lost, Kind::AlternativeRemoved, &any, (part, Value::Null));
        }
        for part in come {
            self.tell(won, Kind::AlternativeAdded, &any, (Value::Null, part));
        }
    }

    fn properties(&mut self, before: &Value, after: &Value, at: &At) {
        let empty = Map::new();
        let (old, new) = (members(before, &empty), members(after, &empty));
        let mut gone: Vec<&String> = old.keys().filter(|name| !new.contains_key(*name)).collect();
        let mut come: Vec<&String> = new.keys().filter(|name| !old.contains_key(*name)).collect();
        if self.way == Way::In {
            for (from, to) in renames(&gone, &come, old, new) {
                gone.retain(|name| **name != from);
                come.retain(|name| **name != to);
                self.renamed(&from, &to, at);
                self.requirement((before, &from), (after, &to), &at.field(&to));
                self.schemas(&old[&from], &new[&to], &at.field(&to));
            }
        }
        for name in gone {
            let change = (summary(&old[name]), Value::Null);
            self.tell(self.worse(), Kind::Removed, &at.field(name), change);
        }
        for name in come {
            let change = (Value::Null, summary(&new[name]));
            let (effect, kind) = if self.way == Way::In && is_required(after, name) {
                (Effect::Breaking, Kind::AddedRequired)
            } else {
                (Effect::Additive, Kind::Added)
            };
            self.tell(effect, kind, &at.field(name), change);
        }
        for (name, schema) in old {
            if let Some(other) = new.get(name) {
                self.requirement((before, name), (after, name), &at.field(name));
                self.schemas(schema, other, &at.field(name));
            }
        }
    }

    /// Tells that something has another name.
    pub(super) fn renamed(&mut self, from: &str, to: &str, at: &At) -> &mut Difference {
        self.tell(self.worse(), Kind::Renamed, &at.field(from), (from.into(), to.into()))
    }

    fn requirement(&mut self, before: (&Value, &str), after: (&Value, &str), at: &At) {
        self.required(is_required(before.0, before.1), is_required(after.0, after.1), at);
    }

    /// Tells that something must be given, or need not.
    pub(super) fn required(&mut self, before: bool, after: bool, at: &At) {
        let effect = match self.way {
            Way::In if after => Effect::Breaking,
            Way::In => Effect::Additive,
            Way::Out => Effect::Cosmetic, // The served schema promises nothing.
        };
        match (before, after) {
            (false, true) => self.note(effect, Kind::BecameRequired, at),
            (true, false) => self.note(effect, Kind::BecameOptional, at),
            _ => {}
        }
    }

    fn items(&mut self, before: &Value, after: &Value, at: &At) {
        let items = |schema: &Value| schema.get("items").cloned();
        if let (Some(old), Some(new)) = (items(before), items(after)) {
            self.schemas(&old, &new, &at.step("[]", "items"));
        }
    }

    /// Members that the schema does not name.
    fn others(&mut self, before: &Value, after: &Value, at: &At) {
        let open = Value::Bool(true);
        let others = |schema: &Value| schema.get("additionalProperties").unwrap_or(&open).clone();
        let (old, new) = (others(before), others(after));
        let at = at.step(".*", "additionalProperties");
        let closed = Value::Bool(false);
        match (old == closed, new == closed) {
            (false, true) if self.way == Way::In => self.note(Effect::Breaking, Kind::Closed, &at),
            (true, false) if self.way == Way::In => self.note(Effect::Additive, Kind::Opened, &at),
            (false, false) => {
                let schema = |value: Value| {
                    if value.is_object() { value } else { Value::Object(Map::new()) }
                };
                self.schemas(&schema(old), &schema(new), &at);
            }
            _ => {}
        }
    }
}

fn members<'a>(schema: &'a Value, empty: &'a Map<String, Value>) -> &'a Map<String, Value> {
    schema.get("properties").and_then(Value::as_object).unwrap_or(empty)
}

fn is_required(schema: &Value, name: &str) -> bool {
    let names = schema.get("required").and_then(Value::as_array);
    names.into_iter().flatten().any(|known| known == name)
}

/// A schema without its words, to tell whether two mean the same.
pub(super) fn bare(schema: &Value) -> Value {
    match schema {
        Value::Object(members) => members
            .iter()
            .filter(|(key, value)| {
                !(key.as_str() == "description" && value.is_string() || *key == "deprecated")
            })
            .map(|(key, value)| (key.clone(), bare(value)))
            .collect::<Map<_, _>>()
            .into(),
        Value::Array(elements) => elements.iter().map(bare).collect(),
        other => other.clone(),
    }
}

/// What of a schema fits a line: its type and rules, not its members.
pub(super) fn summary(schema: &Value) -> Value {
    let mut short = bare(schema);
    if let Some(members) = short.as_object_mut() {
        members.retain(|key, _| {
            !matches!(key.as_str(), "properties" | "required" | "additionalProperties")
        });
        if let Some(items) = members.get_mut("items") {
            *items = summary(items);
        }
    }
    short
}

/// Finds members that only changed their names: the same schema, and names or words that have something in common.
pub(super) fn renames(
    gone: &[&String],
    come: &[&String],
    old: &Map<String, Value>,
    new: &Map<String, Value>,
) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    for from in gone {
        let mut fits = come.iter().filter(|to| {
            bare(&old[*from]) == bare(&new[**to])
                && resemble((from, &old[*from]), (to, &new[**to]))
                && !found.iter().any(|(_, taken)| taken == **to)
        });
        if let (Some(to), None) = (fits.next(), fits.next()) {
            found.push(((*from).clone(), (*to).clone()));
        }
    }
    found
}

/// Two plain strings are the same schema and need not be the same thing, so names, words or rules must be alike too.
fn resemble(from: (&str, &Value), to: (&str, &Value)) -> bool {
    const LEAST_LIKENESS: f64 = 0.8;
    let words = |name: &str| -> Vec<String> {
        crate::spec::operation::snake(name).split('_').map(str::to_owned).collect()
    };
    let common = words(from.0).iter().any(|word| words(to.0).contains(word));
    let description = |schema: &Value| schema.get("description").cloned();
    let said = description(from.1).is_some() && description(from.1) == description(to.1);
    let distinct = from.1.as_object().is_some_and(|rules| {
        rules
            .keys()
            .any(|key| !matches!(key.as_str(), "type" | "description" | "default" | "deprecated"))
    });
    common || said || distinct || strsim::jaro_winkler(from.0, to.0) >= LEAST_LIKENESS
}
