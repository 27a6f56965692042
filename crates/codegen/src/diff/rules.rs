//! Types, listed values and rules of one schema against another. Knows which way values travel, and nothing of members.

use std::collections::BTreeSet;

use serde_json::Value;

use super::schema::{At, Comparison, Way};
use super::{Effect, Kind};

/// Compares types; tells whether there is nothing more to compare.
pub(super) fn types(comparison: &mut Comparison, before: &Value, after: &Value, at: &At) -> bool {
    let (old, new) = (kinds(before), kinds(after));
    if old == new {
        return false;
    }
    let change = (stated(before), stated(after));
    let at = at.keyword("type");
    let (lost, won) = match (&old, &new) {
        (None, _) => (true, false),
        (_, None) => (false, true),
        (Some(old), Some(new)) => (!old.is_subset(new), !new.is_subset(old)),
    };
    let (kind, harmful) = match (lost, won) {
        (true, true) => (Kind::TypeChanged, true),
        (true, false) => (Kind::TypeNarrowed, comparison.way == Way::In),
        _ => (Kind::TypeWidened, comparison.way == Way::Out),
    };
    let effect = if harmful { comparison.worse() } else { Effect::Additive };
    comparison.tell(effect, kind, &at, change);
    let (Some(old), Some(new)) = (old, new) else { return true };
    old.intersection(&new).all(|kind| *kind == "null")
}

/// The types a schema allows; nothing where it allows any.
fn kinds(schema: &Value) -> Option<BTreeSet<&str>> {
    let stated = match schema.get("type") {
        Some(Value::String(kind)) => vec![kind.as_str()],
        Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).collect(),
        _ => return None,
    };
    let mut kinds: BTreeSet<&str> = stated.into_iter().collect();
    if kinds.contains("number") {
        kinds.insert("integer");
    }
    Some(kinds)
}

fn stated(schema: &Value) -> Value {
    schema.get("type").cloned().unwrap_or_else(|| "any".into())
}

/// Compares the values that are listed.
pub(super) fn values(comparison: &mut Comparison, before: &Value, after: &Value, at: &At) {
    let key = if comparison.way == Way::In { ["enum", "enum"] } else { ["enum", "x-known-values"] };
    let listed = |schema: &Value| -> Option<Vec<Value>> {
        let values = schema.get(key[0]).or_else(|| schema.get(key[1]))?.as_array()?;
        Some(values.iter().filter(|value| !value.is_null()).cloned().collect())
    };
    let at = at.keyword("enum");
    let way = comparison.way;
    match (listed(before), listed(after)) {
        (Some(old), Some(new)) => {
            let only = |these: &[Value], those: &[Value]| -> Vec<Value> {
                these.iter().filter(|value| !those.contains(value)).cloned().collect()
            };
            let (gone, come) = (only(&old, &new), only(&new, &old));
            if !gone.is_empty() {
                let effect = if way == Way::In { Effect::Breaking } else { Effect::Additive };
                comparison.tell(effect, Kind::ValuesRemoved, &at, (gone.into(), Value::Null));
            }
            if !come.is_empty() {
                let told = comparison.tell(
                    Effect::Additive,
                    Kind::ValuesAdded,
                    &at,
                    (Value::Null, come.into()),
                );
                if way == Way::Out {
                    "a program that knows only the old values may trip over it"
                        .clone_into(&mut told.remark);
                }
            }
        }
        (None, Some(new)) => {
            let effect = if way == Way::In { Effect::Breaking } else { Effect::Additive };
            comparison.tell(effect, Kind::ValuesClosed, &at, (Value::Null, new.into()));
        }
        (Some(old), None) => {
            comparison.tell(Effect::Additive, Kind::ValuesOpened, &at, (old.into(), Value::Null));
        }
        (None, None) => {}
    }
}

/// Rules that let less through as they grow, and those that let less through as they shrink.
const LOWER: [&str; 3] = ["minimum", "minLength", "minItems"];
const UPPER: [&str; 3] = ["maximum", "maxLength", "maxItems"];

/// Compares bounds, patterns, formats and defaults.
pub(super) fn rules(comparison: &mut Comparison, before: &Value, after: &Value, at: &At) {
    for (names, sign) in [(LOWER, 1.0), (UPPER, -1.0)] {
        for name in names {
            let (old, new) = (bound(before, name), bound(after, name));
            if old == new {
                continue;
            }
            let tighter = match (&old, &new) {
                (Some(old), Some(new)) => {
                    let (old, new) = ((old.0 * sign, old.1), (new.0 * sign, new.1));
                    new.0 > old.0 || (new.0 - old.0).abs() < f64::EPSILON && new.1 && !old.1
                }
                (None, Some(_)) => true,
                _ => false,
            };
            tell(comparison, name, tighter, (before, after), at);
        }
    }
    for name in ["pattern", "format", "multipleOf", "uniqueItems", "default"] {
        let (old, new) = (before.get(name), after.get(name));
        let (old, new) = (old.cloned().unwrap_or_default(), new.cloned().unwrap_or_default());
        if old != new && !(name == "uniqueItems" && old != true && new != true) {
            one(comparison, name, (old, new), at);
        }
    }
}

type Bound = Option<(f64, bool)>;

/// A bound and whether it is itself excluded. Bounds that everything keeps are none.
fn bound(schema: &Value, name: &str) -> Bound {
    let number = |key: &str| schema.get(key).and_then(Value::as_f64);
    let exclusive = exclusive(name).and_then(number);
    let whole = schema.get("type").is_some_and(|kind| kind == "integer");
    let bound = match exclusive {
        Some(bound) if whole && bound.fract() == 0.0 => {
            Some((if name == "minimum" { bound + 1.0 } else { bound - 1.0 }, false))
        }
        Some(bound) => Some((bound, true)),
        None => number(name).map(|bound| (bound, false)),
    };
    bound.filter(|(bound, _)| !(matches!(name, "minLength" | "minItems") && *bound <= 0.0))
}

/// The bound as the schema writes it.
fn shown(schema: &Value, name: &str) -> Value {
    schema.get(name).or_else(|| schema.get(exclusive(name)?)).cloned().unwrap_or_default()
}

fn exclusive(name: &str) -> Option<&'static str> {
    match name {
        "minimum" => Some("exclusiveMinimum"),
        "maximum" => Some("exclusiveMaximum"),
        _ => None,
    }
}

fn tell(
    comparison: &mut Comparison,
    name: &str,
    tighter: bool,
    schemas: (&Value, &Value),
    at: &At,
) {
    let change = (shown(schemas.0, name), shown(schemas.1, name));
    let (effect, kind) = match (comparison.way, tighter) {
        (Way::Out, _) => (Effect::Cosmetic, Kind::RuleChanged),
        (Way::In, true) => (Effect::Breaking, Kind::RuleTightened),
        (Way::In, false) => (Effect::Additive, Kind::RuleLoosened),
    };
    let key = exclusive(name).filter(|key| schemas.1.get(*key).is_some()).unwrap_or(name);
    name.clone_into(&mut comparison.tell(effect, kind, &at.keyword(key), change).what);
}

/// Rules that are there, are not, or are others.
fn one(comparison: &mut Comparison, name: &str, (old, new): (Value, Value), at: &At) {
    let (effect, kind) = match (comparison.way, name) {
        (Way::Out, "format") if !old.is_null() && !new.is_null() => {
            (Effect::BreakingTyped, Kind::RuleChanged)
        }
        (Way::Out, _) => (Effect::Cosmetic, Kind::RuleChanged),
        (Way::In, "default") if old.is_null() || new.is_null() => {
            (Effect::Additive, Kind::DefaultChanged) // Told or not, it may be the same as before.
        }
        (Way::In, "default") => (Effect::Breaking, Kind::DefaultChanged),
        (Way::In, _) if new.is_null() || new == false || is_wider(name, &old, &new) => {
            (Effect::Additive, Kind::RuleLoosened)
        }
        (Way::In, _) if old.is_null() || old == false => (Effect::Breaking, Kind::RuleTightened),
        (Way::In, _) => (Effect::Breaking, Kind::RuleChanged),
    };
    let unchecked = name == "format" && old != "date-time" && new != "date-time";
    let told = comparison.tell(effect, kind, &at.keyword(name), (old, new));
    name.clone_into(&mut told.what);
    if effect == Effect::Breaking && unchecked {
        "the server does not check it, the platform may".clone_into(&mut told.remark);
    }
    if kind == Kind::DefaultChanged {
        "a call that leaves it out means something else".clone_into(&mut told.remark);
    }
}

/// Tells rules that let more through although both are there.
fn is_wider(name: &str, old: &Value, new: &Value) -> bool {
    match name {
        "format" => matches!(
            (old.as_str(), new.as_str()),
            (Some("int32"), Some("int64")) | (Some("float"), Some("double"))
        ),
        "multipleOf" => match (old.as_f64(), new.as_f64()) {
            (Some(old), Some(new)) => new > 0.0 && (old / new).fract() == 0.0,
            _ => false,
        },
        _ => false,
    }
}
