//! Commands: queued, fetched by devices that are there, run, and ended some time later.
//!
//! What a device does with a command is a function of the command and the clock alone, so the same
//! requests at the same times give the same answers.

use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    answer::{Answer, Refusal, Reply},
    ask::Ask,
    moment,
    nouns::{Behavior, Route, model::Offered},
    prng::Prng,
    tenant::Tenant,
};

pub(crate) const ROUTES: &[Route] = &[
    ("GET /organization/devices/{}/commands", Behavior::Tenant(list)),
    ("POST /organization/devices/{}/commands", Behavior::Tenant(send)),
    ("DELETE /organization/devices/{}/commands/{}", Behavior::Tenant(cancel)),
];

/// A command on its way to a device.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Command {
    pub(crate) id: String,
    pub(crate) device_id: String,
    pub(crate) name: String,
    pub(crate) friendly_name: String,
    pub(crate) status: &'static str,
    pub(crate) params: Value,
    pub(crate) created: i64,
    /// Seconds from its creation to its end, when the device is there.
    pub(crate) latency: i64,
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

    /// Where it is when nobody cancels it: it waits for its turn, then for the device.
    fn stage(&self, now: i64, fetched: bool, stubborn: bool) -> &'static str {
        let age = now - self.created;
        if age < self.latency / 5 {
            "scheduled"
        } else if age < self.latency / 2 || !fetched {
            "pending"
        } else if age < self.latency {
            "in_progress"
        } else if stubborn {
            "failed"
        } else {
            "done"
        }
    }

    /// What the device reports after it ran the command: a member of its state.
    fn effect(&self) -> Option<(&'static str, Value)> {
        let param = |name: &str| self.params.get(name).cloned();
        match self.name.as_str() {
            "power_on" => Some(("power", json!("on"))),
            "power_off" => Some(("power", json!("standby"))),
            "set_input" => Some(("input", param("input")?)),
            "recall_preset" => Some(("preset", param("preset")?)),
            _ => None,
        }
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

    /// Queues a command.
    pub(crate) fn queue(&mut self, command: Command) {
        self.under_way.push(command.id.clone());
        self.commands.insert(command.id.clone(), command);
    }

    /// Moves the commands under way to where they are now.
    pub(crate) fn run_commands(&mut self) {
        let mut ended = Vec::new();
        let Self { commands, devices, under_way, now, .. } = self;
        under_way.retain(|id| {
            let Some(command) = commands.get_mut(id) else { return false };
            let Some(device) = devices.get(&command.device_id) else { return false };
            if command.status == "aborted" {
                return false;
            }
            let stubborn = device.stubborn || device.status == Some("error");
            command.status = command.stage(*now, device.is_there(), stubborn);
            if command.status == "done" {
                ended.push(command.clone());
            }
            !matches!(command.status, "done" | "failed")
        });
        // Several may have ended since the last look: the last one decides what is seen.
        ended.sort_by_key(|command| command.created + command.latency);
        for command in ended {
            if let (Some(device), Some((member, value))) =
                (self.devices.get_mut(&command.device_id), command.effect())
            {
                device.state.insert(member.to_owned(), value);
            }
        }
    }
}

fn list(ask: &Ask, tenant: &mut Tenant) -> Reply {
    let device = tenant.device(ask.id(0))?;
    Ok(Answer::Json(ask.page.of(tenant.commands_of(&device.id, ask), Command::view)))
}

/// The command of the device's model that a request names.
fn chosen<'a>(ask: &Ask, offered: &'a [Offered]) -> Result<&'a Offered, Refusal> {
    let [name, friendly] = ["command", "friendly_name"].map(|member| ask.body_text(member));
    let chosen = offered.iter().find(|offered| match (name, friendly) {
        (Some(name), _) => offered.name == name,
        (None, Some(friendly)) => offered.friendly_name == friendly,
        (None, None) => false,
    });
    chosen.ok_or_else(|| {
        let field = if name.is_none() && friendly.is_some() { "friendly_name" } else { "command" };
        Refusal::field(field, "must be a valid command or friendly_name of the device's model")
    })
}

fn send(ask: &Ask, tenant: &mut Tenant) -> Reply {
    let device = tenant.device(ask.id(0))?;
    let offered = tenant.model(&device.model_id).map(|model| model.commands.as_slice());
    let chosen = chosen(ask, offered.unwrap_or_default())?;
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
        status: "scheduled",
        params,
        created: tenant.now,
        latency: 0,
    };
    command.id = tenant.mint.uuid();
    command.latency = Prng::new(0, &command.id).seconds(5, 91);
    let view = command.view();
    tenant.queue(command);
    Ok(Answer::Json(view))
}

fn cancel(ask: &Ask, tenant: &mut Tenant) -> Reply {
    tenant.device(ask.id(0))?;
    let command = tenant.commands.get_mut(ask.id(1));
    let command = command.filter(|command| command.device_id == ask.id(0));
    let command = command.ok_or_else(Refusal::not_found)?;
    match command.status {
        "scheduled" | "pending" => command.status = "aborted",
        // One that runs goes on: the platform accepts the call all the same.
        "in_progress" => {}
        _ => return Err(Refusal::field("command_id", "has ended already")),
    }
    Ok(Answer::Done)
}
