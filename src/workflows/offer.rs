//! Whether a device takes a command: what its model offers, and whether the device is there. It sends nothing.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use xyte_mcp_runtime::dispatch::desk::Desk;
use xyte_mcp_runtime::failure::Failure;
use xyte_mcp_runtime::text::quoted;

use super::bulk::arguments;
use super::fleet::Device;

#[derive(Debug, Deserialize)]
struct Model {
    commands: Option<Vec<Command>>,
}

/// A command that a model offers.
#[derive(Debug, Deserialize)]
struct Command {
    name: Option<String>,
    with_file: Option<bool>,
    custom_fields: Option<Vec<Input>>,
}

/// What such a command wants to be told.
#[derive(Debug, Deserialize)]
struct Input {
    name: Option<String>,
    required: Option<bool>,
    options: Option<Vec<Choice>>,
}

#[derive(Debug, Deserialize)]
struct Choice {
    value: Option<Value>,
}

/// The commands of models, by the model's id.
#[derive(Debug)]
pub(super) struct Offers(BTreeMap<String, Vec<Command>>);

impl Offers {
    /// Reads the models of these devices.
    pub(super) async fn read<'d>(
        desk: &Desk<'_>,
        devices: impl Iterator<Item = &'d Device>,
    ) -> Result<Self, Failure> {
        let columns = [
            "commands.name",
            "commands.with_file",
            "commands.custom_fields.name",
            "commands.custom_fields.required",
            "commands.custom_fields.options.value",
        ];
        let ids: BTreeSet<String> =
            devices.filter_map(|device| device.model.as_ref()?.id.clone()).collect();
        let read = ids.into_iter().map(|id| async move {
            let which = arguments(json!({"model_id": id}));
            let (model, _) = desk.object::<Model>("get_device_model", &which, &columns).await?;
            Ok::<_, Failure>((id, model.commands.unwrap_or_default()))
        });
        Ok(Self(join_all(read).await.into_iter().collect::<Result<_, _>>()?))
    }

    /// Why a device would not carry the command out, as far as can be told before it is sent.
    pub(super) fn objection(
        &self,
        device: &Device,
        command: &str,
        inputs: &Map<String, Value>,
    ) -> Option<String> {
        let model = device.model.as_ref();
        let name = model.and_then(|model| model.name.as_deref()).unwrap_or("unknown");
        let offered = model.and_then(|model| self.0.get(model.id.as_deref()?));
        let offered = offered.into_iter().flatten().find(|it| it.name.as_deref() == Some(command));
        let Some(offered) = offered else {
            let (name, command) = (quoted(name), quoted(command));
            return Some(format!("its model `{name}` has no command `{command}`"));
        };
        if offered.with_file == Some(true) {
            return Some("the command needs a file: use send_command".to_owned());
        }
        if matches!(device.status(), "offline" | "disconnected" | "never_seen") {
            let status = quoted(device.status());
            return Some(format!("it is {status}: it would get the command when it comes back"));
        }
        offered.custom_fields.iter().flatten().find_map(|input| input.objection(inputs))
    }
}

impl Input {
    fn objection(&self, inputs: &Map<String, Value>) -> Option<String> {
        let name = self.name.as_deref()?;
        let shown = quoted(name);
        let Some(given) = inputs.get(name) else {
            return (self.required == Some(true))
                .then(|| format!("the command needs the input `{shown}`"));
        };
        let choices: Vec<&Value> =
            self.options.iter().flatten().filter_map(|choice| choice.value.as_ref()).collect();
        if choices.is_empty() || choices.iter().any(|choice| same(choice, given)) {
            return None;
        }
        let choices: Vec<String> =
            choices.into_iter().map(|choice| quoted(&plain(choice))).collect();
        let given = quoted(&plain(given));
        Some(format!("its model takes {} as `{shown}`, not {given}", choices.join(", ")))
    }
}

/// Whether two values are the same to a person: `1` and `"1"` are.
pub(super) fn same(left: &Value, right: &Value) -> bool {
    plain(left).eq_ignore_ascii_case(&plain(right))
}

/// A value without the quotes of JSON.
pub(super) fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
