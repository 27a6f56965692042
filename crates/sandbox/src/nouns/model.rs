//! Device models: the vendors' catalogue, which no request changes.

use serde_json::{Value, json};

use crate::{
    answer::{Answer, Refusal, Reply},
    ask::Ask,
    nouns::{Behavior, Route},
    tenant::Tenant,
};

pub(crate) const ROUTES: &[Route] = &[
    ("GET /organization/models", Behavior::Read(list)),
    ("GET /organization/models/{}", Behavior::Tenant(get)),
];

/// A kind of device.
#[derive(Debug, Clone)]
pub(crate) struct Model {
    pub(crate) id: String,
    pub(crate) vendor: String,
    pub(crate) name: String,
    pub(crate) aliases: Vec<String>,
    /// Settings of an edge claim; a model without any cannot be claimed by an edge.
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) commands: Vec<Offered>,
}

/// A setting by its label.
#[derive(Debug, Clone)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    pub(crate) kind: &'static str,
    pub(crate) required: bool,
}

/// A command that devices of a model run.
#[derive(Debug, Clone)]
pub(crate) struct Offered {
    pub(crate) name: String,
    pub(crate) friendly_name: String,
    pub(crate) inputs: Vec<Input>,
    pub(crate) with_file: bool,
}

/// An input of a command.
#[derive(Debug, Clone)]
pub(crate) struct Input {
    pub(crate) name: String,
    pub(crate) required: bool,
    /// Allowed values; none for free text.
    pub(crate) choices: Vec<&'static str>,
}

impl Input {
    fn view(&self) -> Value {
        let mut view = json!({ "name": self.name, "type": "text", "required": self.required });
        if !self.choices.is_empty() {
            let option = |choice: &&str| json!({ "label": choice, "value": choice });
            view["options"] = self.choices.iter().map(option).collect();
            view["type"] = json!("select");
        }
        view
    }
}

impl Model {
    fn row(&self) -> Value {
        let parameter = |parameter: &Parameter| {
            json!({
                "name": parameter.name,
                "type": parameter.kind,
                "required": parameter.required,
            })
        };
        json!({
            "id": self.id,
            "vendor": self.vendor,
            "model": self.name,
            "aliases": self.aliases,
            "parameters": self.parameters.iter().map(parameter).collect::<Vec<_>>(),
        })
    }

    fn view(&self) -> Value {
        let command = |command: &Offered| {
            json!({
                "name": command.name,
                "friendly_name": command.friendly_name,
                "custom_fields": command.inputs.iter().map(Input::view).collect::<Vec<_>>(),
                "with_file": command.with_file,
            })
        };
        let mut view = self.row();
        view["commands"] = self.commands.iter().map(command).collect();
        view
    }

    /// Whether every word occurs in the model's names.
    fn mentions(&self, words: &str) -> bool {
        let names = format!("{} {} {}", self.vendor, self.name, self.aliases.join(" "));
        let names = names.to_lowercase();
        words.to_lowercase().split_whitespace().all(|word| names.contains(word))
    }
}

fn list(ask: &Ask, tenant: &Tenant) -> Value {
    let edge_only = ask.flag("edge_only") == Some(true);
    let rows = tenant.models.iter().filter(|model| {
        (!edge_only || !model.parameters.is_empty())
            && ask.text("search").is_none_or(|words| model.mentions(words))
    });
    ask.page.of(rows, Model::row)
}

fn get(ask: &Ask, tenant: &mut Tenant) -> Reply {
    let model = tenant.model(ask.id(0)).ok_or_else(Refusal::not_found)?;
    Ok(Answer::Json(model.view()))
}
