//! What people wrote around operations that change: computed tools, prompts, and names in place of ids. Whether it still holds, only they can tell.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::surface::{View, change, entry};
use super::tool::Tool;
use super::{Change, Decision, Dependent, Effect, Face, Kind};
use crate::overrides::{PromptOverride, Word};
use crate::spec::Operation;

/// Prompts that are shown no longer, since they tell to call what is gone.
pub(super) fn prompts(view: &View<'_>) -> Vec<Change> {
    let served = |name: &String| view.after.1.entries.iter().any(|it| it.tool["name"] == **name);
    let lost = view.before.1.prompts.iter().filter_map(|prompt| {
        let gone: Vec<&String> = prompt.tools.iter().filter(|tool| !served(tool)).collect();
        (!gone.is_empty()).then_some((prompt, gone))
    });
    lost.map(|(prompt, gone)| Change {
        overrides: override_of(view, &prompt.name)
            .map(|known| view.places.overrides(known.name.span().start)),
        ..change(
            Effect::Breaking,
            Kind::Removed,
            Face::Prompt,
            &prompt.name,
            (json!(gone), Value::Null),
        )
    })
    .collect()
}

/// Arguments of a tool that take names as well as ids before or after, and not the other time.
pub(super) fn names(tool: &Tool<'_, '_>) -> Vec<Change> {
    let (before, after) = (&tool.entries.0.names, &tool.entries.1.names);
    let arguments = &tool.entries.1.arguments;
    let is_there = |name: &&String| arguments.iter().any(|argument| argument.name == **name);
    let lost = before.iter().filter(|name| !after.contains(name)).filter(is_there);
    let won = after.iter().filter(|name| !before.contains(name));
    let lost = lost.map(|name| (name, Effect::Breaking, Kind::NamesRefused));
    let told = lost.chain(won.map(|name| (name, Effect::Additive, Kind::NamesTaken)));
    told.map(|(name, effect, kind)| Change {
        face: Face::Input,
        path: name.clone(),
        pointer: format!("/inputSchema/properties/{name}"),
        ..tool.change(effect, kind, <_>::default())
    })
    .collect()
}

/// Computed tools and prompts that rest on what is gone or breaks.
pub(super) fn decisions(view: &View<'_>, changes: &[Change]) -> Vec<Decision> {
    let broken: BTreeSet<&str> = changes
        .iter()
        .filter(|change| change.effect <= Effect::BreakingTyped && concerns(change))
        .map(|change| change.operation.as_str())
        .collect();
    let gone = |operation: &str| {
        changes.iter().any(|change| {
            change.operation == operation
                && (change.face, change.kind) == (Face::Tool, Kind::Removed)
        })
    };
    let rest = computed(view).chain(called(view));
    rest.filter(|(_, _, (operation, _))| broken.contains(operation.as_str()))
        .map(|(kind, (name, word), (operation, known_as))| {
            let gone = gone(&operation);
            let dependent = Dependent { name: name.to_owned(), on: known_as, gone };
            Decision {
                rule: kind.rule.to_owned(),
                message: format!(
                    "`{name}` {} `{}`, which {}",
                    kind.verb,
                    dependent.on,
                    dependent.fate()
                ),
                place: view.places.overrides(word.span().start),
                help: if dependent.gone {
                    format!(
                        "write its {0} anew without it, or remove `[{1}.{name}]`",
                        kind.work, kind.table
                    )
                } else {
                    format!("look whether its {} still holds", kind.work)
                },
                dependent: Some(dependent),
            }
        })
        .collect()
}

/// Whether a change of an operation reaches what was written around it: code and texts name tools whatever toolset they are in, and arguments by names that are kept.
fn concerns(change: &Change) -> bool {
    !change.operation.is_empty()
        && !matches!(change.kind, Kind::Toolset | Kind::Class | Kind::Hint | Kind::NamesRefused)
        && !change.is_renamed_argument()
}

/// A kind of thing that rests on operations.
#[derive(Clone, Copy)]
struct Resting {
    rule: &'static str,
    table: &'static str,
    verb: &'static str,
    work: &'static str,
}

const COMPUTED: Resting =
    Resting { rule: "computed-tool", table: "workflows", verb: "computes from", work: "code" };

const PROMPT: Resting =
    Resting { rule: "prompt", table: "prompts", verb: "tells to call", work: "text" };

/// What rests, its name and place, and the operation with the name it is known by there.
type Rests<'v> = (Resting, (&'v str, &'v Word), (String, String));

fn computed<'v>(view: &'v View<'_>) -> impl Iterator<Item = Rests<'v>> {
    view.adapted.overrides.workflows.iter().flat_map(|workflow| {
        let name = workflow.name.get_ref().as_str();
        workflow.calls.iter().map(move |call| {
            let id = call.get_ref();
            (COMPUTED, (name, call), (id.clone(), id.clone()))
        })
    })
}

/// Tools that prompts tell to call, by the id that their operation has, or had.
fn called<'v>(view: &'v View<'_>) -> impl Iterator<Item = Rests<'v>> {
    view.before.1.prompts.iter().flat_map(move |prompt| {
        let text = override_of(view, &prompt.name).and_then(|known| known.text.as_ref());
        prompt.tools.iter().filter_map(move |tool| {
            let known = (operation(view, tool)?, tool.clone());
            Some((PROMPT, (prompt.name.as_str(), text?), known))
        })
    })
}

/// The operation behind a tool: its id in the other document, or where it is gone in the one in force.
fn operation(view: &View<'_>, tool: &str) -> Option<String> {
    let (before, after) = (view.before, view.after);
    let is_it = |operation: &&Operation| {
        entry(before.1, operation).is_some_and(|entry| entry.tool["name"] == *tool)
    };
    let at = before.0.operations.iter().position(|operation| is_it(&operation))?;
    let pair = view.adapted.pairs.iter().find(|pair| pair.before == at);
    let known = pair.map_or(&before.0.operations[at], |pair| &after.0.operations[pair.after]);
    Some(known.id.clone())
}

fn override_of<'v>(view: &'v View<'_>, prompt: &str) -> Option<&'v PromptOverride> {
    view.overrides.prompts.iter().find(|known| known.name.get_ref() == prompt)
}
