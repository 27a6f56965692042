//! The format of a preset's file. The published schema is derived from these types; what a schema cannot say is in `check`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

/// A room preset: what is sent to the devices of a room, in which order. Its name is the file's, `[a-z0-9_-]+`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct Preset {
    /// What people call it.
    #[cfg_attr(test, schemars(length(min = 1, max = 80)))]
    pub(crate) title: Option<String>,
    /// When to use it.
    #[cfg_attr(test, schemars(length(min = 1, max = 500)))]
    pub(crate) description: Option<String>,
    /// What whoever runs it may choose, by name (`[a-z0-9_]+`).
    #[serde(default)]
    pub(crate) params: BTreeMap<String, Param>,
    /// What is done, in this order.
    #[cfg_attr(test, schemars(length(min = 1, max = 50)))]
    pub(crate) steps: Vec<Step>,
}

/// A value that whoever runs the preset may choose.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct Param {
    /// What kind of value it is.
    #[serde(rename = "type", default)]
    pub(crate) kind: Kind,
    /// What it decides.
    #[cfg_attr(test, schemars(length(min = 1, max = 500)))]
    pub(crate) description: Option<String>,
    /// The only values that are accepted.
    #[serde(rename = "enum")]
    #[cfg_attr(test, schemars(length(min = 1, max = 100)))]
    pub(crate) choices: Option<Vec<Value>>,
    /// Its value when none is given; without a default, one must be.
    pub(crate) default: Option<Value>,
}

/// The kind of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    #[default]
    String,
    Integer,
    Number,
    Boolean,
}

/// One command for one or more devices. It names a device by `device_id`, or those of the room by `select`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct Step {
    /// What the step does, for the report.
    #[cfg_attr(test, schemars(length(min = 1, max = 80)))]
    pub(crate) title: Option<String>,
    /// The one device, by its id; it may stand outside the room.
    #[cfg_attr(test, schemars(length(min = 1, max = 100)))]
    pub(crate) device_id: Option<String>,
    /// Which devices of the room.
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "Select"))]
    // What is wrong inside is told better without `null`.
    pub(crate) select: Option<Select>,
    /// Name of the command, as the device's model spells it.
    #[cfg_attr(test, schemars(length(min = 1, max = 100)))]
    pub(crate) command: String,
    /// Inputs of the command, by name. `{name}` in a text stands for a param.
    #[serde(default)]
    pub(crate) params: Map<String, Value>,
    /// What must have come true before the next step begins.
    #[serde(default)]
    pub(crate) wait_for: WaitFor,
    /// What becomes of the steps after it when it fails.
    #[serde(default)]
    pub(crate) on_failure: OnFailure,
}

/// Devices of the room for which all that is given holds. Patterns are matched with the whole name, whatever the case; `*` stands for any text, `?` for one character.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct Select {
    /// Pattern of the model's name.
    #[cfg_attr(test, schemars(length(min = 1, max = 100)))]
    pub(crate) model: Option<String>,
    /// Pattern of the device's name.
    #[cfg_attr(test, schemars(length(min = 1, max = 100)))]
    pub(crate) name: Option<String>,
    /// Words of which at least one begins a word in the device's or the model's name, such as `display`.
    #[serde(default)]
    #[cfg_attr(test, schemars(length(max = 20), inner(length(min = 1, max = 40))))]
    pub(crate) words: Vec<String>,
}

/// What must have come true before a step is done.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub(crate) struct WaitFor {
    /// How far the command must have come.
    pub(crate) command: CommandState,
    /// The `effective_status` that the device must report then, such as `ok`.
    #[cfg_attr(test, schemars(length(min = 1, max = 40)))]
    pub(crate) status: Option<String>,
    /// Members of the device's `state` and the values that they must have then. `{name}` in a text stands for a param.
    pub(crate) state: Map<String, Value>,
    /// Seconds for all of this. The call's own deadline may end sooner.
    #[cfg_attr(test, schemars(range(min = 1, max = 3600)))]
    pub(crate) within: u32,
}

impl Default for WaitFor {
    fn default() -> Self {
        let command = CommandState::default();
        Self { command, status: None, state: Map::new(), within: 120 }
    }
}

/// How far a command must have come: carried out by the device, or accepted by the platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub(crate) enum CommandState {
    // The device has carried it out.
    #[default]
    Done,
    // The platform has accepted it.
    Sent,
}

/// Whether the steps after one that failed are run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub(crate) enum OnFailure {
    // They are not run.
    #[default]
    Stop,
    // They are run all the same.
    Continue,
}

/// A preset's file: a preset, or only its steps, as in the minimal format of `device_id` and `command`.
#[cfg(test)]
#[derive(schemars::JsonSchema)]
#[schemars(untagged, title = "Room preset")]
#[expect(dead_code, reason = "only its schema is wanted")]
pub(crate) enum File {
    Preset(Preset),
    Steps(#[schemars(length(min = 1, max = 50))] Vec<Step>),
}
