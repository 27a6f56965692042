//! Commands of one device: what its model offers, and what the platform shows of those that were sent.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Value, json};
use xyte_mcp_runtime::dispatch::desk::{Arguments, Desk};
use xyte_mcp_runtime::failure::Failure;
use xyte_mcp_runtime::text::quoted;

use super::bulk::arguments;

/// The operation that sends one.
pub(crate) const SEND: &str = "send_device_command";

/// How much older than the call a command may look that it sent: the clocks of both differ.
const SKEW: Duration = Duration::from_secs(5);

/// Commands that a refusal names.
const NAMED: usize = 20;

#[derive(Debug, Deserialize)]
struct Model {
    commands: Option<Vec<Offered>>,
}

/// A command that a model knows.
#[derive(Debug, Deserialize)]
pub(super) struct Offered {
    pub(super) name: Option<String>,
    pub(super) friendly_name: Option<String>,
    pub(super) with_file: Option<bool>,
}

/// A command that was sent.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Command {
    pub(super) id: String,
    name: Option<String>,
    pub(super) status: Option<String>,
    created_at: Option<DateTime<Utc>>,
}

#[derive(Debug, Deserialize)]
struct Device {
    model: Option<OfModel>,
}

#[derive(Debug, Deserialize)]
struct OfModel {
    id: Option<String>,
}

/// What a model offers.
pub(super) async fn offered(desk: &Desk<'_>, model: &str) -> Result<Vec<Offered>, Failure> {
    let which = arguments(json!({"model_id": model}));
    let columns = ["commands.name", "commands.friendly_name", "commands.with_file"];
    let (model, _) = desk.object::<Model>("get_device_model", &which, &columns).await?;
    Ok(model.commands.unwrap_or_default())
}

/// The commands of a device; nothing where they cannot be read.
pub(super) async fn commands(desk: &Desk<'_>, device: &str) -> Option<Vec<Command>> {
    let which = arguments(json!({"device_id": device}));
    let columns = ["id", "name", "status", "created_at"];
    desk.list::<Command>("list_device_commands", &which, &columns).await.ok().map(|rows| rows.rows)
}

/// Whether the device's model knows the command; what cannot be read speaks against nothing.
pub(crate) async fn check(desk: &Desk<'_>, call: &Arguments) -> Result<(), Failure> {
    let text = |name: &str| call.get(name).and_then(Value::as_str);
    let which = arguments(json!({"device_id": text("device_id")}));
    let read = desk.object::<Device>("get_device", &which, &["model.id"]).await;
    let Some(model) = read.ok().and_then(|(device, _)| device.model?.id) else { return Ok(()) };
    let Ok(offered) = offered(desk, &model).await else { return Ok(()) };
    let (exact, friendly) = (text("command").or(text("name")), text("friendly_name"));
    let fits = |it: &Offered| match exact {
        Some(name) => it.name.as_deref() == Some(name),
        None => friendly.is_some() && it.friendly_name.as_deref() == friendly,
    };
    if offered.iter().any(fits) {
        return Ok(());
    }
    let wanted = exact.or(friendly).unwrap_or_default();
    let names = offered.iter().filter_map(|it| it.name.as_deref()).take(NAMED).map(quoted);
    let names: Vec<String> = names.collect();
    let message = format!("the device's model has no command `{}`", quoted(wanted));
    Err(Failure::invalid_arguments(message)
        .with_hint(format!("Nothing was sent. It has: {}.", names.join(", "))))
}

/// What there is to see of a command that may have been sent.
pub(crate) async fn look(
    desk: &Desk<'_>,
    call: &Arguments,
    since: DateTime<Utc>,
) -> Option<String> {
    let text = |name: &str| call.get(name).and_then(Value::as_str);
    latest(desk, text("device_id")?, text("command").or(text("name")), since).await
}

/// The latest command of this name that the platform shows of a device. That it has one does not say who sent it.
pub(super) async fn latest(
    desk: &Desk<'_>,
    device: &str,
    name: Option<&str>,
    since: DateTime<Utc>,
) -> Option<String> {
    let commands = commands(desk, device).await?;
    let same = |it: &Command| name.is_none() || it.name.as_deref() == name;
    let newest = commands.into_iter().filter(same).max_by_key(|it| it.created_at);
    Some(match newest {
        Some(it) => {
            let status = quoted(it.status.as_deref().unwrap_or("unknown"));
            let at =
                it.created_at.map_or_else(String::new, |at| format!(" of {}", at.to_rfc3339()));
            let new = it.created_at.is_some_and(|at| at >= since - SKEW);
            let which = if new { "" } else { ", which may be an older one" };
            format!(
                "the platform's latest such command is {} ({status}{at}{which})",
                quoted(&it.id)
            )
        }
        None => "the platform shows no such command of this device".to_owned(),
    })
}
