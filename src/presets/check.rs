//! A preset's text against its schema and against sense: every fault with its place, or the preset. It reads no file.

use std::fmt::Write as _;

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind as Broken;
use serde_json::{Value, json};
use xyte_mcp_runtime::catalogue::nearest;
use xyte_mcp_runtime::text::{place, quoted};

use super::fault::Fault;
use super::file::{Kind, Param, Preset, Step};
use super::template::{is_of_name, names};
use super::yaml::{self, Located};

/// What is published, and what every preset is checked against.
const SCHEMA: &str = include_str!("../../docs/preset.schema.json");

/// What is wrong at a place, by JSON pointer.
type Wrong = (String, String);

/// Reads and checks the text of a preset.
///
/// # Errors
/// With every fault that can be told; a text that is no YAML has one.
pub(crate) fn read(file: &str, text: &str) -> Result<Preset, Vec<Fault>> {
    let fault = |place, message| Fault { file: file.to_owned(), place: Some(place), message };
    let located = yaml::read(text).map_err(|(place, words)| vec![fault(place, words)])?;
    // The minimal format is the list of steps alone.
    let located = if located.value.is_array() { located.named("steps") } else { located };
    let wrong = broken_rules(&located);
    let faults = |wrong: Vec<Wrong>| {
        let mut faults: Vec<Fault> =
            wrong.into_iter().map(|(at, message)| fault(located.place(&at), message)).collect();
        faults.sort_by_key(|fault| fault.place);
        faults
    };
    if !wrong.is_empty() {
        return Err(faults(wrong));
    }
    let preset: Preset = match serde_json::from_value(located.value.clone()) {
        Ok(preset) => preset,
        Err(err) => return Err(faults(vec![(String::new(), err.to_string())])),
    };
    let wrong = nonsense(&preset);
    if wrong.is_empty() { Ok(preset) } else { Err(faults(wrong)) }
}

/// What the schema says of it.
fn broken_rules(located: &Located) -> Vec<Wrong> {
    let published: Value = serde_json::from_str(SCHEMA).unwrap_or_default();
    let schema = json!({"$ref": "#/$defs/Preset", "$defs": published["$defs"]});
    match jsonschema::validator_for(&schema) {
        Ok(validator) => {
            let errors = validator.iter_errors(&located.value);
            errors.flat_map(|error| broken_rule(&error, &located.value)).collect()
        }
        Err(err) => vec![(String::new(), format!("the schema of presets cannot be used: {err}"))],
    }
}

fn broken_rule(error: &ValidationError<'_>, document: &Value) -> Vec<Wrong> {
    let at = error.instance_path().to_string();
    let what = place(&at, "the preset");
    let value = document.pointer(&at).unwrap_or(&Value::Null);
    let message = match error.kind() {
        Broken::Required { property } => {
            format!("{what} has no `{}`", property.as_str().unwrap_or_default())
        }
        Broken::AdditionalProperties { unexpected } => {
            let known = members_of(&at);
            let each = unexpected.iter().map(|name| {
                let mut message = format!("`{}` is no key of {what}", quoted(name));
                let _ = match nearest(name, known.iter().map(String::as_str)) {
                    Some(near) => write!(message, "; did you mean `{near}`?"),
                    None => write!(message, "; it takes `{}`", known.join("`, `")),
                };
                (format!("{at}/{name}"), message)
            });
            return each.collect();
        }
        Broken::Enum { options } => {
            let options = options.as_array().into_iter().flatten().map(Value::to_string);
            let options: Vec<String> = options.map(|option| option.replace('"', "`")).collect();
            format!("{what} is {}; it takes {}", quoted(&value.to_string()), options.join(" or "))
        }
        Broken::MinItems { .. } => format!("{what} is empty"),
        _ => format!("{what}: {}", quoted(&error.to_string())),
    };
    vec![(at, message)]
}

/// The keys that the object at a pointer takes, from the schema.
fn members_of(at: &str) -> Vec<String> {
    let published: Value = serde_json::from_str(SCHEMA).unwrap_or_default();
    let definitions = &published["$defs"];
    let mut schema = &definitions["Preset"];
    for segment in at.split('/').skip(1) {
        let member = &schema["properties"][segment];
        schema = match segment.parse::<usize>() {
            Ok(_) => &schema["items"],
            Err(_) if member.is_null() => &schema["additionalProperties"],
            Err(_) => member,
        };
        if let Some(name) = schema["$ref"].as_str().and_then(|it| it.strip_prefix("#/$defs/")) {
            schema = &definitions[name];
        }
    }
    schema["properties"].as_object().map(|it| it.keys().cloned().collect()).unwrap_or_default()
}

/// What no schema says.
fn nonsense(preset: &Preset) -> Vec<Wrong> {
    let mut wrong = Vec::new();
    for (name, param) in &preset.params {
        let at = format!("/params/{name}");
        wrong.extend(of_param(name, param).map(|message| (at.clone(), message)));
        let used = preset.steps.iter().flat_map(spoken_of).any(|(_, used)| used == name);
        if !used {
            wrong.push((at, format!("the param `{name}` is used by no step")));
        }
    }
    for (index, step) in preset.steps.iter().enumerate() {
        let at = format!("/steps/{index}");
        wrong.extend(of_step(step).map(|message| (at.clone(), message.to_owned())));
        for (member, name) in spoken_of(step) {
            if !preset.params.contains_key(name) {
                let near = nearest(name, preset.params.keys().map(String::as_str));
                let near = near.map(|near| format!("; did you mean `{{{near}}}`?"));
                let message =
                    format!("`{{{name}}}` is no param of this preset{}", near.unwrap_or_default());
                wrong.push((format!("{at}/{member}"), message));
            }
        }
    }
    wrong
}

fn of_step(step: &Step) -> Option<&'static str> {
    match (&step.device_id, &step.select) {
        (Some(_), Some(_)) => Some("a step has `device_id` or `select`, not both"),
        (None, None) => Some("the step names no device: give `device_id` or `select`"),
        (None, Some(select))
            if select.model.is_none() && select.name.is_none() && select.words.is_empty() =>
        {
            Some(
                "`select` is empty and would mean every device of the room; give `model`, `name` or `words` (`name: \"*\"` means all)",
            )
        }
        _ => None,
    }
}

fn of_param(name: &str, param: &Param) -> Option<String> {
    let fits = |value: &&Value| !param.kind.takes(value);
    let choices = param.choices.as_deref().unwrap_or_default();
    if name.is_empty() || !name.chars().all(is_of_name) {
        return Some(format!(
            "`{}` is no name of lower-case letters, digits and `_`",
            quoted(name)
        ));
    }
    if let Some(odd) = choices.iter().chain(&param.default).find(fits) {
        return Some(format!("{odd} is no value of type {}", param.kind.word()));
    }
    let default = param.default.as_ref()?;
    let known = choices.is_empty() || choices.contains(default);
    (!known).then(|| format!("the default {default} is not in `enum`"))
}

/// The params that a step speaks of, each with the member that does.
fn spoken_of(step: &Step) -> impl Iterator<Item = (&'static str, &str)> {
    let inputs = step.params.values().flat_map(names).map(|name| ("params", name));
    let states = step.wait_for.state.values().flat_map(names).map(|name| ("wait_for", name));
    inputs.chain(states)
}

impl Kind {
    /// Whether a value is of this kind.
    pub(crate) fn takes(self, value: &Value) -> bool {
        match self {
            Self::String => value.is_string(),
            Self::Integer => value.is_i64() || value.is_u64(),
            Self::Number => value.is_number(),
            Self::Boolean => value.is_boolean(),
        }
    }

    /// What it is called.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::file::File;
    use super::*;

    #[test]
    fn the_published_schema_is_the_one_of_the_types() {
        let derived = serde_json::to_value(schemars::schema_for!(File)).unwrap();
        let derived = format!("{derived:#}\n");
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/preset.schema.json");
        if std::env::var_os("INSTA_UPDATE").is_some_and(|update| update == "always") {
            std::fs::write(&path, &derived).unwrap();
        }
        assert!(
            std::fs::read_to_string(&path).unwrap() == derived,
            "docs/preset.schema.json is stale; run `INSTA_UPDATE=always cargo test -p xyte-mcp --bin xyte-mcp preset`"
        );
    }

    #[test]
    fn the_minimal_format_is_a_list_of_steps() {
        let text = "- device_id: a\n  command: power_on\n- device_id: b\n  command: unmute\n";
        let preset = read("old.yaml", text).unwrap();
        assert_eq!(preset.steps.len(), 2);
        assert_eq!(preset.steps[1].device_id.as_deref(), Some("b"));
        assert_eq!(preset, read("new.yaml", &format!("steps:\n{text}")).unwrap());
    }

    #[test]
    fn every_fault_is_told_at_once_with_its_line() {
        let text = "\
title: Meeting
params:
  input: {type: string, default: 3}
  Level: {type: integer, default: 1}
steps:
  - select: {words: [display]}
    command: set_input
    params: {input: \"{imput}\"}
  - command: power_on
  - select: {}
    command: x
";
        let faults = read("p.yaml", text).unwrap_err();
        let told: Vec<String> = faults.iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "p.yaml:3:3: 3 is no value of type string",
                "p.yaml:3:3: the param `input` is used by no step",
                "p.yaml:4:3: `Level` is no name of lower-case letters, digits and `_`",
                "p.yaml:4:3: the param `Level` is used by no step",
                "p.yaml:8:5: `{imput}` is no param of this preset; did you mean `{input}`?",
                "p.yaml:9:5: the step names no device: give `device_id` or `select`",
                "p.yaml:10:5: `select` is empty and would mean every device of the room; give `model`, `name` or `words` (`name: \"*\"` means all)"
            ]
        );
        let text = "\
titel: Meeting
steps:
  - select: {words: display}
    comand: power_on
    on_failure: resume
    wait_for: {within: 0}
";
        let faults = read("p.yaml", text).unwrap_err();
        let told: Vec<String> = faults.iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "p.yaml:1:1: `titel` is no key of the preset; did you mean `title`?",
                "p.yaml:3:5: `steps[0]` has no `command`",
                "p.yaml:3:14: `steps[0].select.words`: \"display\" is not of type \"array\"",
                "p.yaml:4:5: `comand` is no key of `steps[0]`; did you mean `command`?",
                "p.yaml:5:5: `steps[0].on_failure` is \"resume\"; it takes `stop` or `continue`",
                "p.yaml:6:16: `steps[0].wait_for.within`: 0 is less than the minimum of 1"
            ]
        );
    }
}
