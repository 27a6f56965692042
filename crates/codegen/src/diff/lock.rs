//! The contract lock: what every tool took and answered when `capabilities.json` was written, against what it does now.
//!
//! It knows served tools only, no document. A contract is what a caller relies on without reading: name, class, hints, toolset, key, and both schemas without their words.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use xyte_mcp_catalogue::{Catalogue, Contract};

use super::schema::{At, Comparison, Way, bare};
use super::tool::hint_effect;
use super::{Change, Effect, Face, Kind, Verdict, advice};

const DIGEST_BYTES: usize = 16; // Enough that no two contracts share one.
const HINTS: [&str; 4] = ["readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"];

/// Contracts as an earlier version served them.
#[derive(Debug, Clone, PartialEq)]
pub struct Lock {
    /// The version of the program that served them.
    pub version: String,
    tools: Vec<Locked>,
}

#[derive(Debug, Clone, PartialEq)]
struct Locked {
    entry: Value,
    terms: Value,
}

impl Lock {
    /// Reads an earlier `capabilities.json`; nothing where it locks no contracts.
    pub fn read(text: &str) -> Option<Self> {
        let mut kept: Value = serde_json::from_str(text).ok()?;
        let version = kept.get("version")?.as_str()?.to_owned();
        let Value::Array(entries) = kept.get_mut("entries")?.take() else { return None };
        let tools = entries.into_iter().map(|entry| Locked { terms: terms(&entry), entry });
        Some(Self { version, tools: tools.collect() })
    }

    /// The version since when a tool has these terms.
    fn since(&self, terms: &Value) -> Option<&str> {
        let same = self.tools.iter().find(|tool| tool.terms == *terms)?;
        same.entry.pointer("/contract/since")?.as_str()
    }
}

/// Gives every tool the digest of its contract, and since when it is that one.
pub(crate) fn seal(catalogue: &mut Catalogue, version: &str, lock: Option<&Lock>) {
    version.clone_into(&mut catalogue.version);
    for entry in &mut catalogue.entries {
        let terms = terms(&json!(entry));
        let since = lock.and_then(|lock| lock.since(&terms)).unwrap_or(version).to_owned();
        entry.contract = Some(Contract { digest: digest(&terms), since });
    }
}

/// What became of the contracts, and whether the version says so.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// What changed since the lock was written, worst first.
    pub changes: Vec<Change>,
    /// The lowest version that may serve it, and why.
    pub advice: advice::Advice,
    /// Whether the version is at least that one.
    pub moved: bool,
}

impl Judgement {
    /// What is asked for: nothing where the version moved as it must.
    pub fn verdict(&self) -> Verdict {
        match self.changes.first() {
            Some(_) if self.moved => Verdict::Fine,
            Some(worst) if worst.effect <= Effect::BreakingTyped => Verdict::Breaks,
            Some(_) => Verdict::Decide,
            None => Verdict::Fine,
        }
    }
}

/// Compares what is served with the lock.
pub fn judge(lock: &Lock, catalogue: &Catalogue, version: &str) -> Judgement {
    let entries: Vec<Value> = catalogue.entries.iter().map(|entry| json!(entry)).collect();
    let mut changes = Vec::new();
    for old in &lock.tools {
        match entries.iter().find(|entry| answers_to(entry, name(&old.entry))) {
            Some(entry) => changes.extend(compare(old, entry)),
            None => changes.push(removed(&old.entry)),
        }
        let others = old.entry["aliases"].as_array().into_iter().flatten();
        let lost = others
            .map(alias)
            .filter(|alias| !entries.iter().any(|entry| answers_to(entry, alias)))
            .map(|alias| Change { name: alias.to_owned(), ..removed(&old.entry) });
        changes.extend(lost);
    }
    let known = |entry: &Value| {
        lock.tools
            .iter()
            .any(|old| answers_to(entry, name(&old.entry)) || answers_to(&old.entry, name(entry)))
    };
    let fresh = entries.iter().filter(|entry| !known(entry));
    changes.extend(fresh.map(|entry| change(entry, Effect::Additive, Kind::Added)));
    changes.sort_by(super::order);
    let advice = advice::advise(&lock.version, &changes, 0);
    let moved = match (advice::numbers(version), advice::numbers(&advice.next)) {
        (Some(version), Some(least)) => version >= least,
        _ => version != lock.version, // Not to be counted, but at least another one.
    };
    Judgement { changes, advice, moved }
}

/// One tool as it was and as it is, perhaps under another name.
fn compare(old: &Locked, entry: &Value) -> Vec<Change> {
    let new = terms(entry);
    if old.terms == new {
        return Vec::new();
    }
    let was = &old.terms;
    let mut changes = Vec::new();
    let mut tell = |effect, kind, key: &str| {
        let values = (was[key].clone(), new[key].clone());
        if values.0 != values.1 {
            let (before, after) = values;
            changes.push(Change { before, after, ..change(&old.entry, effect, kind) });
        }
    };
    tell(Effect::Additive, Kind::Renamed, "name"); // It answers to the old name too.
    tell(Effect::Breaking, Kind::Class, "class");
    tell(Effect::Breaking, Kind::Toolset, "toolset");
    let freed = new["credential"] == "";
    let effect = if freed { Effect::Additive } else { Effect::Breaking };
    tell(effect, Kind::Credential, "credential");
    for hint in HINTS {
        let of = |terms: &Value| terms["hints"][hint].clone();
        let (before, after) = (of(was), of(&new));
        let derived = was["class"] != new["class"] && hint != "idempotentHint";
        if before != after && !derived {
            let effect = hint_effect(hint, &after);
            let what = hint.to_owned();
            changes.push(Change { what, before, after, ..change(&old.entry, effect, Kind::Hint) });
        }
    }
    changes.extend(schemas(old, &new, ("input", "/inputSchema"), (Face::Input, Way::In)));
    changes.extend(schemas(old, &new, ("output", "/outputSchema"), (Face::Output, Way::Out)));
    changes
}

fn schemas(
    old: &Locked,
    new: &Value,
    (key, pointer): (&str, &str),
    (face, way): (Face, Way),
) -> Vec<Change> {
    let (before, after) = (&old.terms[key], &new[key]);
    if before == after {
        return Vec::new();
    }
    let mut comparison = Comparison { way, found: Vec::new() };
    comparison.schemas(before, after, &At { path: String::new(), pointer: pointer.to_owned() });
    let worse = comparison.worse();
    if comparison.found.is_empty() {
        // Nobody knows what it does to callers, so the worst is taken for granted.
        let other = change(&old.entry, worse, Kind::Other);
        return vec![Change { face, pointer: pointer.to_owned(), ..other }];
    }
    let told = comparison.found.into_iter().map(|found| Change {
        face,
        path: found.at.path,
        pointer: found.at.pointer,
        what: found.what,
        before: found.before,
        after: found.after,
        remark: found.remark,
        ..change(&old.entry, found.effect, found.kind)
    });
    told.collect()
}

fn removed(entry: &Value) -> Change {
    let what = entry["toolset"].as_str().unwrap_or_default().to_owned();
    Change { what, ..change(entry, Effect::Breaking, Kind::Removed) }
}

fn change(entry: &Value, effect: Effect, kind: Kind) -> Change {
    Change {
        effect,
        kind,
        face: Face::Tool,
        name: name(entry).to_owned(),
        operation: entry["operation"].as_str().unwrap_or_default().to_owned(),
        also: Vec::new(),
        path: String::new(),
        pointer: String::new(),
        what: String::new(),
        before: Value::Null,
        after: Value::Null,
        remark: String::new(),
        overrides: None,
    }
}

fn name(entry: &Value) -> &str {
    entry.pointer("/tool/name").and_then(Value::as_str).unwrap_or_default()
}

fn alias(alias: &Value) -> &str {
    alias.as_str().unwrap_or_default()
}

fn answers_to(entry: &Value, wanted: &str) -> bool {
    let mut aliases = entry["aliases"].as_array().into_iter().flatten();
    name(entry) == wanted || aliases.any(|other| alias(other) == wanted)
}

/// What of an entry is its contract.
fn terms(entry: &Value) -> Value {
    let tool = &entry["tool"];
    let hints: Map<String, Value> =
        HINTS.iter().map(|hint| ((*hint).to_owned(), tool["annotations"][hint].clone())).collect();
    json!({
        "name": tool["name"],
        "class": entry["class"],
        "toolset": entry["toolset"],
        "credential": entry.get("credential").cloned().unwrap_or_else(|| "".into()),
        "hints": hints,
        "input": settled(&bare(&tool["inputSchema"])),
        "output": settled(&bare(&tool["outputSchema"])),
    })
}

/// A schema whose lists without an order stand in one.
fn settled(schema: &Value) -> Value {
    match schema {
        Value::Object(members) => {
            let members = members.iter().map(|(key, value)| {
                let mut value = settled(value);
                if let (true, Some(list)) =
                    (matches!(key.as_str(), "required" | "enum"), value.as_array_mut())
                {
                    list.sort_by_cached_key(Value::to_string);
                }
                (key.clone(), value)
            });
            Value::Object(members.collect())
        }
        Value::Array(elements) => elements.iter().map(settled).collect(),
        other => other.clone(),
    }
}

fn digest(terms: &Value) -> String {
    let digest = Sha256::digest(terms.to_string().as_bytes());
    digest.iter().take(DIGEST_BYTES).fold(String::new(), |mut out, byte| {
        let _infallible = write!(out, "{byte:02x}");
        out
    })
}
