//! All tools, toolsets and what stands above them, before and after.

use serde_json::{Value, json};
use xyte_mcp_catalogue::{Catalogue, Entry, Toolset};

use super::adapt::Adapted;
use super::decision::Places;
use super::tool::{self, Tool};
use super::{Change, Effect, Face, Kind};
use crate::overrides::{OperationOverride, Overrides};
use crate::spec::{Document, Operation};

/// Everything a comparison may look at.
pub(super) struct View<'a> {
    pub(super) before: (&'a Document, &'a Catalogue),
    pub(super) after: (&'a Document, &'a Catalogue),
    pub(super) adapted: &'a Adapted,
    /// As the maintainer wrote them.
    pub(super) overrides: &'a Overrides,
    pub(super) places: &'a Places<'a>,
}

impl<'a> View<'a> {
    /// The operations that are served before and after, with the table they are served by.
    pub(super) fn served<'v>(&'v self) -> impl Iterator<Item = Tool<'v, 'a>> {
        self.adapted.pairs.iter().filter_map(|pair| {
            let operations =
                (&self.before.0.operations[pair.before], &self.after.0.operations[pair.after]);
            Some(Tool {
                view: self,
                operations,
                entries: (entry(self.before.1, operations.0)?, entry(self.after.1, operations.1)?),
                table: self.table(&operations.0.id)?,
            })
        })
    }

    fn table(&self, id: &str) -> Option<&OperationOverride> {
        self.overrides.operations.iter().find(|table| *table.operation.get_ref() == id)
    }

    /// Whether an operation of the other document is new.
    pub(super) fn is_fresh(&self, id: &str) -> bool {
        self.adapted.fresh.iter().any(|at| self.after.0.operations[*at].id == id)
    }
}

pub(super) fn entry<'a>(catalogue: &'a Catalogue, operation: &Operation) -> Option<&'a Entry> {
    catalogue.entries.iter().find(|entry| entry.operation == operation.id)
}

/// Lists every change for agents.
pub(super) fn compare(view: &View<'_>) -> Vec<Change> {
    let mut changes: Vec<Change> = view.served().flat_map(|tool| tool::compare(&tool)).collect();
    changes.extend(removed(view));
    changes.extend(toolsets(view));
    changes.extend(super::dependent::prompts(view));
    let servers = (&view.before.1.api.server, &view.after.1.api.server);
    if servers.0 != servers.1 {
        changes.push(Change {
            remark: "a server without an address of its own setting calls the new one".to_owned(),
            ..change(
                Effect::Cosmetic,
                Kind::Server,
                Face::Tool,
                "",
                (json!(servers.0), json!(servers.1)),
            )
        });
    }
    changes
}

/// Tools whose operation is gone, with the other faces that go with them.
fn removed(view: &View<'_>) -> Vec<Change> {
    let gone = view
        .before
        .0
        .operations
        .iter()
        .enumerate()
        .filter(|(at, _)| !view.adapted.pairs.iter().any(|pair| pair.before == *at));
    gone.filter_map(|(_, operation)| {
        let entry = entry(view.before.1, operation)?;
        let mut faces: Vec<String> = Vec::new();
        faces.extend(
            entry.resource.as_ref().map(|resource| format!("the resource `{}`", resource.uri)),
        );
        faces.extend(entry.route.as_ref().map(|route| format!("the route `{route}`")));
        let name = entry.tool["name"].as_str().unwrap_or_default();
        let table = view.table(&operation.id)?;
        Some(Change {
            operation: entry.operation.clone(),
            what: entry.toolset.clone(),
            overrides: Some(view.places.overrides(table.operation.span().start)),
            ..change(Effect::Breaking, Kind::Removed, Face::Tool, name, (faces.into(), Value::Null))
        })
    })
    .collect()
}

fn toolsets(view: &View<'_>) -> Vec<Change> {
    let (before, after) = (&view.before.1.toolsets, &view.after.1.toolsets);
    let find = |sets: &[Toolset], name: &str| sets.iter().find(|set| set.name == name).cloned();
    let mut changes = Vec::new();
    for set in before {
        match find(after, &set.name) {
            None => changes.push(change(
                Effect::Breaking,
                Kind::Removed,
                Face::Toolset,
                &set.name,
                <_>::default(),
            )),
            Some(other) if other.description != set.description => {
                let values = (json!(set.description), json!(other.description));
                changes.push(change(
                    Effect::Cosmetic,
                    Kind::Words,
                    Face::Toolset,
                    &set.name,
                    values,
                ));
            }
            Some(_) => {}
        }
    }
    for set in after.iter().filter(|set| find(before, &set.name).is_none()) {
        changes.push(change(
            Effect::Additive,
            Kind::Added,
            Face::Toolset,
            &set.name,
            <_>::default(),
        ));
    }
    changes
}

/// A change without a place.
pub(super) fn change(
    effect: Effect,
    kind: Kind,
    face: Face,
    name: &str,
    values: (Value, Value),
) -> Change {
    Change {
        effect,
        kind,
        face,
        name: name.to_owned(),
        operation: String::new(),
        also: Vec::new(),
        path: String::new(),
        pointer: String::new(),
        what: String::new(),
        before: values.0,
        after: values.1,
        remark: String::new(),
        overrides: None,
    }
}
