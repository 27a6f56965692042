//! One tool before and after: every face an agent or caller sees of it.

use serde_json::{Value, json};
use xyte_mcp_catalogue::{Entry, Form};

use super::argument;
use super::contract::{Contract, contract};
use super::schema::{At, Comparison, Difference, Way, bare};
use super::surface::View;
use super::{Change, Effect, Face, Kind, Spot, dependent};
use crate::overrides::OperationOverride;
use crate::resolve::farewell::DEPRECATED;
use crate::spec::Operation;

/// A tool on both sides, with its table in the overrides.
pub(super) struct Tool<'v, 'a> {
    pub(super) view: &'v View<'a>,
    pub(super) operations: (&'v Operation, &'v Operation),
    pub(super) entries: (&'v Entry, &'v Entry),
    pub(super) table: &'v OperationOverride,
}

/// Lists what changes.
pub(super) fn compare(tool: &Tool<'_, '_>) -> Vec<Change> {
    let mut changes = tool.as_such();
    changes.extend(tool.statuses());
    changes.extend(tool.words());
    let contracts = (
        contract(tool.view.before.0, tool.operations.0, tool.entries.0),
        contract(tool.view.after.0, tool.operations.1, tool.entries.1),
    );
    let found = argument::compare(tool, &contracts.0, &contracts.1);
    let names = dependent::names(tool);
    let mut told: Vec<Change> =
        found.into_iter().map(|found| tool.told(Face::Input, found)).collect();
    // Whoever tells that an argument takes names tells its words too.
    told.retain(|change| {
        change.kind != Kind::Words || !names.iter().any(|named| named.path == change.path)
    });
    changes.extend(told);
    changes.extend(names);
    changes.extend(tool.output(&contracts.0, &contracts.1));
    changes.extend(tool.nameless(&changes, contracts.1.rows_are_lost));
    changes
}

impl Tool<'_, '_> {
    /// A change of this tool.
    pub(super) fn change(&self, effect: Effect, kind: Kind, values: (Value, Value)) -> Change {
        Change {
            effect,
            kind,
            face: Face::Tool,
            name: self.name().to_owned(),
            operation: self.operations.1.id.clone(),
            also: Vec::new(),
            path: String::new(),
            pointer: String::new(),
            what: String::new(),
            before: values.0,
            after: values.1,
            remark: String::new(),
            overrides: Some(self.spot(self.table.operation.span())),
        }
    }

    fn name(&self) -> &str {
        self.entries.0.tool["name"].as_str().unwrap_or_default()
    }

    fn spot(&self, span: std::ops::Range<usize>) -> Spot {
        self.view.places.overrides(span.start)
    }

    /// Class, hints, toolset, key, form, address, deprecation.
    fn as_such(&self) -> Vec<Change> {
        let (before, after) = self.entries;
        let mut changes = Vec::new();
        if before.class != after.class {
            let values = (json!(before.class), json!(after.class));
            let pinned = self.table.tool.class.as_ref().map(|class| self.spot(class.span()));
            changes.push(Change {
                overrides: pinned.or_else(|| Some(self.spot(self.table.operation.span()))),
                ..self.change(Effect::Breaking, Kind::Class, values)
            });
        }
        changes.extend(self.hints());
        if before.toolset != after.toolset {
            let values = (json!(before.toolset), json!(after.toolset));
            changes.push(Change {
                remark: "who selects toolsets may not get it any more".to_owned(),
                ..self.change(Effect::Breaking, Kind::Toolset, values)
            });
        }
        if before.credential != after.credential {
            let effect =
                if after.credential.is_empty() { Effect::Additive } else { Effect::Breaking };
            let values = (json!(before.credential), json!(after.credential));
            changes.push(self.change(effect, Kind::Credential, values));
        }
        if before.answer.form != after.answer.form {
            let effect = if before.answer.form == Form::Unknown {
                Effect::Additive
            } else {
                Effect::BreakingTyped
            };
            let values = (json!(before.answer.form), json!(after.answer.form));
            changes.push(Change {
                face: Face::Output,
                pointer: "/outputSchema".to_owned(),
                ..self.change(effect, Kind::Form, values)
            });
        }
        changes.extend(self.address());
        match (self.operations.0.deprecated, self.operations.1.deprecated) {
            (false, true) => {
                changes.push(self.change(Effect::Deprecation, Kind::Deprecated, <_>::default()));
            }
            (true, false) => {
                changes.push(self.change(Effect::Cosmetic, Kind::Undeprecated, <_>::default()));
            }
            _ => {}
        }
        changes
    }

    /// Hints that do not follow from another class.
    fn hints(&self) -> Vec<Change> {
        let (before, after) = self.entries;
        let hints = ["readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"];
        let changed = hints.into_iter().filter_map(|hint| {
            let of = |entry: &Entry| entry.tool["annotations"][hint].clone();
            let derived = before.class != after.class && hint != "idempotentHint";
            let values = (of(before), of(after));
            (values.0 != values.1 && !derived).then(|| Change {
                what: hint.to_owned(),
                pointer: format!("/annotations/{hint}"),
                ..self.change(hint_effect(hint, &values.1), Kind::Hint, values)
            })
        });
        changed.collect()
    }

    /// Names in the path are no part of the address.
    fn address(&self) -> Option<Change> {
        let address = |operation: &Operation| format!("{} {}", operation.method, operation.path);
        let (before, after) = (address(self.operations.0), address(self.operations.1));
        let moved = self.operations.0.method != self.operations.1.method
            || parts(&self.operations.0.path) != parts(&self.operations.1.path);
        moved.then(|| self.change(Effect::Cosmetic, Kind::Address, (before.into(), after.into())))
    }

    /// What the platform says it answers with.
    fn statuses(&self) -> Vec<Change> {
        let (before, after) = self.operations;
        let mut changes = Vec::new();
        if before.successes != after.successes {
            let values = (before.successes.join(", ").into(), after.successes.join(", ").into());
            changes.push(Change {
                face: Face::Output,
                ..self.change(Effect::Cosmetic, Kind::Success, values)
            });
        }
        let only = |these: &[String], those: &[String]| -> Vec<String> {
            these.iter().filter(|status| !those.contains(status)).cloned().collect()
        };
        let (gone, come) =
            (only(&before.failures, &after.failures), only(&after.failures, &before.failures));
        if !gone.is_empty() {
            changes.push(Change {
                face: Face::Output,
                ..self.change(
                    Effect::Cosmetic,
                    Kind::FailureRemoved,
                    (gone.join(", ").into(), Value::Null),
                )
            });
        }
        if !come.is_empty() {
            changes.push(Change {
                face: Face::Output,
                ..self.change(
                    Effect::Additive,
                    Kind::FailureAdded,
                    (Value::Null, come.join(", ").into()),
                )
            });
        }
        let most = |entry: &Entry| {
            entry.paging.as_ref().map(|paging| json!(paging.max)).unwrap_or_default()
        };
        let values = (most(self.entries.0), most(self.entries.1));
        let sized =
            |entry: &Entry| entry.paging.as_ref().is_some_and(|paging| !paging.size.is_empty());
        if values.0 != values.1 && sized(self.entries.0) && sized(self.entries.1) {
            changes.push(Change {
                face: Face::Output,
                ..self.change(Effect::Cosmetic, Kind::PageSize, values)
            });
        }
        changes
    }

    /// Title and description as served, and what of the document stands behind words of the overrides.
    fn words(&self) -> Vec<Change> {
        let (before, after) = self.entries;
        let mut changes = Vec::new();
        for key in ["title", "description"] {
            let values = (before.tool[key].clone(), after.tool[key].clone());
            if worded(&values.0) != worded(&values.1) {
                changes.push(Change {
                    what: key.to_owned(),
                    pointer: format!("/{key}"),
                    ..self.change(Effect::Cosmetic, Kind::Words, values)
                });
            }
        }
        let documented =
            |operation: &Operation| [operation.summary.clone(), operation.description.clone()];
        let chosen = [self.table.tool.title.as_ref(), self.table.description.as_ref()];
        let old = documented(self.operations.0).into_iter().zip(documented(self.operations.1));
        for ((what, word), (old, new)) in
            [("summary", chosen[0]), ("description", chosen[1])].into_iter().zip(old)
        {
            if let Some(word) = word.filter(|_| old != new) {
                changes.push(Change {
                    what: what.to_owned(),
                    overrides: Some(self.spot(word.span())),
                    ..self.change(Effect::Cosmetic, Kind::HiddenWords, (old.into(), new.into()))
                });
            }
        }
        changes
    }

    fn output(&self, before: &Contract, after: &Contract) -> Vec<Change> {
        if self.entries.0.answer.form != self.entries.1.answer.form || after.rows_are_lost {
            return Vec::new(); // Told as such; there is nothing of one form to compare.
        }
        let mut comparison = Comparison { way: Way::Out, found: Vec::new() };
        let pointer = match self.entries.0.answer.form {
            Form::List => "/outputSchema/properties/items/items",
            _ => "/outputSchema",
        };
        let root = At { path: String::new(), pointer: pointer.to_owned() };
        comparison.schemas(&before.answer, &after.answer, &root);
        comparison.found.into_iter().map(|found| self.told(Face::Output, found)).collect()
    }

    /// Makes a change of a difference: where it is served, and which override concerns it.
    fn told(&self, face: Face, found: Difference) -> Change {
        let served = |entry: &Entry| {
            let tool = Value::Object(entry.tool.clone());
            let place = owner(&found.at.pointer);
            tool.pointer(place).is_some()
        };
        let hidden = !(served(self.entries.0) || served(self.entries.1));
        let mut change = Change {
            face,
            path: found.at.path,
            what: found.what,
            remark: found.remark,
            ..self.change(found.effect, found.kind, (found.before, found.after))
        };
        if hidden && face == Face::Output && change.remark.is_empty() {
            "no declared column: seen with `fields` and `format: json`"
                .clone_into(&mut change.remark);
        }
        if face == Face::Output {
            change.also = self.other_faces(&change.path);
        }
        if let Some(spot) = self.touched(face, &change.path) {
            change.overrides = Some(spot);
        }
        change.pointer = if hidden { String::new() } else { found.at.pointer };
        change
    }

    /// The resource and the route that show a field of the answer.
    fn other_faces(&self, path: &str) -> Vec<String> {
        let entry = self.entries.0;
        let Some(resource) = &entry.resource else { return Vec::new() };
        let columns = &resource.columns;
        if !columns.is_empty() && !columns.iter().any(|column| is_part(column, path)) {
            return Vec::new();
        }
        std::iter::once(resource.uri.clone())
            .chain(entry.route.as_ref().map(|route| format!("GET {route}")))
            .collect()
    }

    /// The override that names this argument or field.
    fn touched(&self, face: Face, path: &str) -> Option<Spot> {
        let first = path.split(['.', '[']).next().unwrap_or_default();
        if face == Face::Input {
            let known = self.entries.1.arguments.iter().chain(&self.entries.0.arguments);
            let wire = known
                .clone()
                .find(|argument| argument.name == first)
                .map(|argument| argument.wire.as_str());
            let table = self.table.arguments.iter().find(|table| {
                let name = table.argument.get_ref();
                let name = name.split_once('.').map_or(name.as_str(), |(_, name)| name);
                name == first || Some(name) == wire
            });
            return table.map(|table| self.spot(table.argument.span()));
        }
        let column = self.table.columns.iter().flatten();
        let column = { column }.find(|column| is_part(column.get_ref(), path));
        column.filter(|_| !path.is_empty()).map(|column| self.spot(column.span()))
    }

    /// Whatever of the served schemas differs and was not told in another way.
    fn nameless(&self, told: &[Change], rows_are_lost: bool) -> Vec<Change> {
        let stale =
            [!super::paging::taken_over(self.view, self.operations).is_empty(), rows_are_lost];
        let faces = [
            (Face::Input, "inputSchema", Effect::Breaking),
            (Face::Output, "outputSchema", Effect::BreakingTyped),
        ];
        let rest = faces.into_iter().zip(stale).filter(|((face, key, _), stale)| {
            let of = |entry: &Entry| bare(&entry.tool[*key]);
            !stale
                && of(self.entries.0) != of(self.entries.1)
                && !told.iter().any(|change| change.face == *face)
        });
        rest.map(|((face, key, effect), _)| Change {
            face,
            pointer: format!("/{key}"),
            ..self.change(effect, Kind::Other, <_>::default())
        })
        .collect()
    }
}

/// Served words without what is told as a deprecation.
fn worded(words: &Value) -> &str {
    let words = words.as_str().unwrap_or_default();
    words.strip_suffix(DEPRECATED).unwrap_or(words)
}

/// Whether a column shows a field, or something inside it, or is inside it.
fn is_part(column: &str, path: &str) -> bool {
    let plain = path.replace("[]", "");
    let within = |inner: &str, outer: &str| {
        inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    within(column, &plain) || within(&plain, column)
}

/// A hint that gets milder promises more, one that gets stricter asks clients to take more care.
pub(super) fn hint_effect(hint: &str, after: &Value) -> Effect {
    let milder = matches!(
        (hint, after == true),
        ("idempotentHint" | "readOnlyHint", true) | ("destructiveHint" | "openWorldHint", false)
    );
    if milder { Effect::Additive } else { Effect::Breaking }
}

/// The parts of a path, without the names of its variables.
fn parts(path: &str) -> Vec<&str> {
    path.trim_end_matches('/')
        .split('/')
        .map(|part| if part.starts_with('{') { "{}" } else { part })
        .collect()
}

/// The schema in which a keyword stands, or the member itself.
fn owner(pointer: &str) -> &str {
    const KEYWORDS: [&str; 19] = [
        "type",
        "enum",
        "anyOf",
        "description",
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "minLength",
        "maxLength",
        "minItems",
        "maxItems",
        "pattern",
        "format",
        "multipleOf",
        "uniqueItems",
        "default",
        "additionalProperties",
        "items",
    ];
    match pointer.rsplit_once('/') {
        Some((outer, last)) if KEYWORDS.contains(&last) && !outer.ends_with("/properties") => outer,
        _ => pointer,
    }
}
