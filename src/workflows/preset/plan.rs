//! What a preset means for one room: the devices of each step and the commands for them. It reads, and sends nothing.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use chrono::{DateTime, Utc};
use futures::future::join_all;
use serde_json::{Map, Value, json};
use xyte_mcp_runtime::dispatch::bulk::Item;
use xyte_mcp_runtime::dispatch::consent::Scene;
use xyte_mcp_runtime::dispatch::desk::Desk;
use xyte_mcp_runtime::failure::Failure;
use xyte_mcp_runtime::text::quoted;

use crate::presets::{Preset, Select, Step, WaitFor, fill};
use crate::workflows::bulk::{Excluded, arguments, called, valued};
use crate::workflows::fleet::{self, Device};
use crate::workflows::offer::Offers;
use crate::workflows::pattern::like;
use crate::workflows::space::{Scope, Spaces};

/// One step for this room.
#[derive(Debug)]
pub(super) struct Planned<'p> {
    pub(super) step: &'p Step,
    /// What is waited for, with the values of this call.
    pub(super) wait_for: WaitFor,
    pub(super) items: Vec<Item>,
    pub(super) left_out: Vec<Excluded>,
}

/// Everything that would be done.
#[derive(Debug)]
pub(super) struct Plan<'p> {
    pub(super) scope: Scope,
    pub(super) preset: &'p str,
    pub(super) steps: Vec<Planned<'p>>,
    pub(super) warnings: Vec<String>,
    pub(super) as_of: DateTime<Utc>,
}

impl<'p> Plan<'p> {
    /// Finds the room and the devices of every step.
    pub(super) async fn make(
        desk: &Desk<'_>,
        room: &str,
        (name, preset): (&'p str, &'p Preset),
        given: &Map<String, Value>,
    ) -> Result<Self, Failure> {
        let params = settle(name, preset, given)?;
        let spaces = Spaces::read(desk).await?;
        let scope = spaces.scope(room)?;
        let below = scope.ids.len() - 1;
        if below > 0 && !spaces.is_room(scope.id) {
            let path = quoted(&scope.path);
            return Err(Failure::invalid_arguments(format!(
                "`{path}` is no room: {below} spaces lie below it"
            ))
            .with_hint("Nothing was sent. Name one room; `list_spaces` has them."));
        }
        let devices = fleet::devices(desk, (below == 0).then_some(scope.id)).await?;
        if !devices.complete || !scope.complete {
            return Err(Failure::new(
                "conflict",
                "not all devices or spaces could be read, so it cannot be told which are meant",
            )
            .with_hint("Nothing was sent. Try again."));
        }
        let inside: Vec<Device> = devices
            .rows
            .into_iter()
            .filter(|device| device.space_id().is_some_and(|id| scope.ids.contains(&id)))
            .collect();
        let named = elsewhere(desk, preset, &inside).await?;
        let offers = Offers::read(desk, inside.iter().chain(&named)).await?;
        let mut warnings = devices.warnings;
        for device in &named {
            warnings.push(format!(
                "{} is named by the preset and not in this room",
                quoted(&called(device))
            ));
        }
        let steps =
            preset.steps.iter().map(|step| planned(step, (&inside, &named), &offers, &params));
        let plan = Self {
            preset: name,
            steps: steps.collect(),
            warnings,
            as_of: devices.as_of.min(scope.as_of),
            scope,
        };
        let most = desk.bulk_max();
        if plan.commands() > most {
            let message =
                format!("{} commands are meant; one call sends at most {most}", plan.commands());
            return Err(Failure::invalid_arguments(message).with_hint("Nothing was sent."));
        }
        Ok(plan)
    }

    /// How many commands it has.
    pub(super) fn commands(&self) -> usize {
        self.steps.iter().map(|step| step.items.len()).sum()
    }

    /// The names of its commands.
    pub(super) fn names(&self) -> BTreeSet<&str> {
        self.steps.iter().map(|step| step.step.command.as_str()).collect()
    }

    /// The first step without which the room would be left half done, and why it cannot be run: then nothing is.
    pub(super) fn obstacle(&self) -> Option<usize> {
        self.steps.iter().position(|step| step.items.is_empty() && step.stops())
    }

    /// What a person agrees to, where the operator wants one asked.
    pub(super) fn scene(&self) -> Scene {
        let mut question = format!(
            "Run the preset `{}` in {}: {} commands",
            quoted(self.preset),
            quoted(&self.scope.path),
            self.commands()
        );
        let items =
            self.steps.iter().flat_map(|step| step.items.iter().map(|item| (step.step, item)));
        for (step, item) in items.clone() {
            let inputs = item.arguments.get("extra_params").and_then(Value::as_object);
            let _ = write!(
                question,
                "\n- {}{} to {} {}",
                quoted(&step.command),
                inputs.map(valued).unwrap_or_default(),
                quoted(&item.name),
                quoted(&item.id)
            );
        }
        let targets: Vec<Value> =
            items.map(|(_, item)| json!([item.id, item.name, item.arguments])).collect();
        Scene {
            question,
            state: json!({"preset": self.preset, "space": self.scope.id, "targets": targets}),
        }
    }
}

impl Planned<'_> {
    /// Whether nothing comes after it when it fails.
    pub(super) fn stops(&self) -> bool {
        self.step.on_failure == crate::presets::OnFailure::Stop
    }
}

/// The value of every param: the caller's, else its default; all that is wrong at once.
fn settle(
    name: &str,
    preset: &Preset,
    given: &Map<String, Value>,
) -> Result<Map<String, Value>, Failure> {
    let known: Vec<&str> = preset.params.keys().map(String::as_str).collect();
    let strange = given.keys().filter(|name| !preset.params.contains_key(*name));
    let mut wrong: Vec<String> =
        strange.map(|name| format!("`{}` is none", quoted(name))).collect();
    let mut settled = Map::new();
    for (name, param) in &preset.params {
        let Some(value) = given.get(name).or(param.default.as_ref()) else {
            wrong.push(format!("`{name}` is needed"));
            continue;
        };
        if !param.kind.takes(value) {
            wrong.push(format!("`{name}` takes a value of type {}", param.kind.word()));
        } else if let Some(choices) =
            param.choices.as_ref().filter(|choices| !choices.contains(value))
        {
            let choices: Vec<String> = choices.iter().map(ToString::to_string).collect();
            wrong.push(format!("`{name}` takes {}", choices.join(" or ")));
        }
        settled.insert(name.clone(), value.clone());
    }
    if wrong.is_empty() {
        return Ok(settled);
    }
    let message = format!("params of the preset `{name}`: {}", wrong.join("; "));
    let hint = if known.is_empty() {
        "Nothing was sent. It takes no params.".to_owned()
    } else {
        format!("Nothing was sent. Its params: {}.", known.join(", "))
    };
    Err(Failure::invalid_arguments(message).with_hint(hint))
}

/// Devices that steps name by id and that are not in the room; one that does not exist is missing.
async fn elsewhere(
    desk: &Desk<'_>,
    preset: &Preset,
    inside: &[Device],
) -> Result<Vec<Device>, Failure> {
    let ids: BTreeSet<&str> =
        preset.steps.iter().filter_map(|step| step.device_id.as_deref()).collect();
    let ids = ids.into_iter().filter(|id| !inside.iter().any(|device| device.id == *id));
    let read = join_all(ids.map(|id| async move {
        let which = arguments(json!({"device_id": id}));
        match desk.object::<Device>("get_device", &which, &fleet::COLUMNS).await {
            Ok((device, _)) => Ok(Some(device)),
            Err(failure)
                if matches!(
                    failure.code.as_ref(),
                    "not_found" | "invalid_params" | "invalid_arguments"
                ) =>
            {
                Ok(None)
            }
            Err(failure) => Err(failure),
        }
    }));
    Ok(read.await.into_iter().collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
}

fn planned<'p>(
    step: &'p Step,
    (inside, named): (&[Device], &[Device]),
    offers: &Offers,
    params: &Map<String, Value>,
) -> Planned<'p> {
    let filled = |members: &Map<String, Value>| {
        members
            .iter()
            .map(|(name, value)| (name.clone(), fill(value, params)))
            .collect::<Map<_, _>>()
    };
    let inputs = filled(&step.params);
    let wait_for = WaitFor { state: filled(&step.wait_for.state), ..step.wait_for.clone() };
    let mut planned = Planned { step, wait_for, items: Vec::new(), left_out: Vec::new() };
    let meant: Vec<&Device> = match (&step.device_id, &step.select) {
        (Some(id), _) => inside.iter().chain(named).filter(|device| device.id == *id).collect(),
        (None, Some(select)) => inside.iter().filter(|device| select.fits(device)).collect(),
        (None, None) => Vec::new(),
    };
    if let Some(id) = step.device_id.as_ref().filter(|_| meant.is_empty()) {
        let why = "no such device in the tenant of this key".to_owned();
        planned.left_out.push(Excluded { id: id.clone(), name: String::new(), why });
    }
    for device in meant {
        let (id, name) = (device.id.clone(), called(device));
        if let Some(why) = offers.objection(device, &step.command, &inputs) {
            planned.left_out.push(Excluded { id, name, why });
            continue;
        }
        let mut body = json!({"device_id": id, "command": step.command});
        if !inputs.is_empty() {
            body["extra_params"] = inputs.clone().into();
        }
        planned.items.push(Item { id, name, arguments: arguments(body) });
    }
    planned
}

impl Select {
    fn fits(&self, device: &Device) -> bool {
        let model = device.model.as_ref().and_then(|model| model.name.as_deref());
        let name = device.name.as_deref();
        like(self.model.as_deref(), model)
            && like(self.name.as_deref(), name)
            && (self.words.is_empty()
                || [name, model].into_iter().flatten().any(|text| begins(text, &self.words)))
    }
}

/// Whether one of the words begins a word of the text.
fn begins(text: &str, words: &[String]) -> bool {
    let text = text.to_lowercase();
    let words: Vec<String> = words.iter().map(|word| word.to_lowercase()).collect();
    let mut starts = text.char_indices().scan(' ', |before, (at, char)| {
        let start = !before.is_alphanumeric() && char.is_alphanumeric();
        *before = char;
        Some((at, start))
    });
    starts
        .any(|(at, start)| start && words.iter().any(|word| text[at..].starts_with(word.as_str())))
}

#[cfg(test)]
mod tests {
    use super::begins;

    #[test]
    fn a_word_of_a_selector_begins_a_word_of_the_name() {
        let words = ["Display".to_owned(), "tv".to_owned()];
        assert!(begins("Board room displays", &words));
        assert!(begins("Wall-TV 2", &words));
        assert!(!begins("ATV box, nondisplay", &words));
    }
}
