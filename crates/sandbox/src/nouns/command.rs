//! Commands queued on devices; knows no device's hardware, so a queued command stays queued.

use serde_json::{Value, json};

use crate::{
    answer::{Answer, Refusal, Reply},
    ask::Ask,
    moment,
    nouns::{Behavior, Route},
    tenant::Tenant,
};

pub(crate) const ROUTES: &[Route] = &[
    ("GET /organization/devices/{}/commands", Behavior::Tenant(list)),
    ("POST /organization/devices/{}/commands", Behavior::Tenant(send)),
    ("DELETE /organization/devices/{}/commands/{}", Behavior::Tenant(cancel)),
];

/// A command on its way to a device.
#[derive(Debug, Clone)]
pub(crate) struct Command {
    pub(crate) id: String,
    pub(crate) device_id: String,
    pub(crate) name: String,
    pub(crate) friendly_name: String,
    pub(crate) status: &'static str,
    pub(crate) params: Value,
    pub(crate) created: i64,
}

impl Command {
    pub(crate) fn view(&self) -> Value {
        json!({
            "id": self.id,
            "name": self.name,
            "friendly_name": self.friendly_name,
            "status": self.status,
            "params": self.params,
            "created_at": moment::written(self.created),
        })
    }
}

impl Tenant {
    /// The commands of a device that pass the request's filter, newest first.
    pub(crate) fn commands_of<'a>(
        &'a self,
        device: &'a str,
        ask: &'a Ask,
    ) -> impl Iterator<Item = &'a Command> {
        let own = self.commands.iter().rev().filter(move |command| command.device_id == device);
        own.filter(|command| ask.wants("status", Some(command.status)))
    }
}

fn list(ask: &Ask, tenant: &mut Tenant) -> Reply {
    let device = tenant.device(ask.id(0))?;
    Ok(Answer::Json(ask.page.of(tenant.commands_of(&device.id, ask), Command::view)))
}

fn send(ask: &Ask, tenant: &mut Tenant) -> Reply {
    let device = tenant.device(ask.id(0))?;
    let [name, friendly] = ["command", "friendly_name"].map(|member| ask.body_text(member));
    let offered = tenant.model(&device.model_id).map(|model| model.commands.as_slice());
    let chosen = offered.unwrap_or_default().iter().find(|offered| match (name, friendly) {
        (Some(name), _) => offered.name == name,
        (None, Some(friendly)) => offered.friendly_name == friendly,
        (None, None) => false,
    });
    let Some(chosen) = chosen else {
        let field = if name.is_none() && friendly.is_some() { "friendly_name" } else { "command" };
        let message = "must be a valid command or friendly_name of the device's model";
        return Err(Refusal::field(field, message));
    };
    if chosen.with_file && ask.body_text("file_id").is_none() {
        return Err(Refusal::field("file_id", "is missing: the command needs a file"));
    }
    let params = ask.body.get("extra_params").cloned().unwrap_or_else(|| json!({}));
    for input in &chosen.inputs {
        if input.required && params.get(&input.name).is_none() {
            return Err(Refusal::field(&format!("extra_params.{}", input.name), "is missing"));
        }
    }
    let mut command = Command {
        id: String::new(),
        device_id: device.id.clone(),
        name: chosen.name.clone(),
        friendly_name: chosen.friendly_name.clone(),
        status: "pending",
        params,
        created: moment::NOW,
    };
    command.id = tenant.mint.uuid();
    let view = command.view();
    tenant.commands.insert(command.id.clone(), command);
    Ok(Answer::Json(view))
}

fn cancel(ask: &Ask, tenant: &mut Tenant) -> Reply {
    tenant.device(ask.id(0))?;
    let command = tenant.commands.get_mut(ask.id(1));
    let command = command.filter(|command| command.device_id == ask.id(0));
    let command = command.ok_or_else(Refusal::not_found)?;
    match command.status {
        "scheduled" | "pending" => command.status = "aborted",
        // One that runs may go on: the platform accepts the call all the same.
        "in_progress" => {}
        _ => return Err(Refusal::field("command_id", "has ended already")),
    }
    Ok(Answer::Done)
}
