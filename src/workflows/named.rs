//! What people call the things that a change names by their ids: incidents, notes, other devices, what a space lies in. It reads, and decides nothing.

use serde::Deserialize;
use serde_json::{Value, json};
use xyte_mcp_runtime::dispatch::desk::{Arguments, Desk};
use xyte_mcp_runtime::failure::{Failure, Reach};

use super::bulk::arguments;
use super::fleet::{self, COLUMNS, Device, Incident};
use super::space::Spaces;

#[derive(Debug, Deserialize)]
struct Note {
    id: String,
    content: Option<String>,
    created_by: Option<String>,
    created_at: Option<String>,
}

/// What a person reads besides the target of a change.
pub(crate) async fn named(
    operation: &str,
    desk: &Desk<'_>,
    call: &Arguments,
) -> Result<Arguments, Failure> {
    let desk = &desk.fresh();
    let text = |name: &str| call.get(name).and_then(Value::as_str).unwrap_or_default();
    let told = match operation {
        "close_incident" => json!({"incident": incident(desk, text("incident_id")).await?}),
        "delete_device_note" => {
            let on = json!({"device_id": call.get("device_id")});
            json!({"note": note(desk, ("list_device_notes", on), text("note_id")).await?})
        }
        "delete_space_note" => {
            let on = json!({"space_id": call.get("space_id")});
            let note = note(desk, ("list_space_notes", on), text("note_id")).await?;
            json!({"note": note, "space": space(desk, call).await?})
        }
        "delete_space" => json!({"space": space(desk, call).await?}),
        "merge_devices" => {
            let ids = call.get("with_device_ids").and_then(Value::as_array);
            let mut others = Vec::new();
            for id in ids.into_iter().flatten().filter_map(Value::as_str) {
                others.push(device(desk, id).await?);
            }
            json!({"with": others})
        }
        "split_device" => json!({"shadow": device(desk, text("shadow_device_id")).await?}),
        _ => Value::Null,
    };
    Ok(arguments(told))
}

/// Most incidents that are closed are active ones; of the others there are many.
async fn incident(desk: &Desk<'_>, id: &str) -> Result<Value, Failure> {
    let mut complete = true;
    for all in [false, true] {
        let read = if all { fleet::ever(desk).await? } else { fleet::incidents(desk).await? };
        complete &= read.complete;
        if let Some(found) = read.rows.iter().find(|row| row.id == id) {
            return Ok(shown(found));
        }
    }
    Err(missing("incident", complete))
}

fn shown(incident: &Incident) -> Value {
    json!({
        "title": incident.title,
        "priority": incident.priority,
        "status": incident.status,
        "device": incident.device_name,
        "place": incident.path,
        "since": incident.created_at.map(|at| at.to_rfc3339()),
    })
}

async fn note(desk: &Desk<'_>, (list, on): (&str, Value), id: &str) -> Result<Value, Failure> {
    let columns = ["id", "content", "created_by", "created_at"];
    let read = desk.list::<Note>(list, &arguments(on), &columns).await?;
    let found = read.rows.into_iter().find(|note| note.id == id);
    let note = found.ok_or_else(|| missing("note", read.complete))?;
    Ok(json!({"content": note.content, "by": note.created_by, "of": note.created_at}))
}

async fn device(desk: &Desk<'_>, id: &str) -> Result<Value, Failure> {
    let which = arguments(json!({"device_id": id}));
    let (device, _) = desk.object::<Device>("get_device", &which, &COLUMNS).await?;
    let model = device.model.as_ref().and_then(|model| model.name.as_deref());
    Ok(json!({"id": device.id, "name": device.name, "model": model, "place": device.path()}))
}

/// Where a space lies, and how much lies in it.
async fn space(desk: &Desk<'_>, call: &Arguments) -> Result<Value, Failure> {
    let id = call.get("space_id").map(ToString::to_string).unwrap_or_default();
    let scope = Spaces::read(desk).await?.scope(id.trim_matches('"'))?;
    let below = scope.complete.then(|| scope.ids.len() - 1);
    Ok(json!({"path": scope.path, "spaces_below": below}))
}

/// What is not in a whole list is not there.
fn missing(what: &str, complete: bool) -> Failure {
    if complete {
        let message = format!("there is no such {what} in the tenant of this key");
        let failure = Failure::new("not_found", message).with_hint("Nothing was sent.");
        return Failure { reach: Reach::Refused, ..failure };
    }
    let message = format!("not every {what} could be read, so it cannot be told which is meant");
    Failure::new("conflict", message).with_hint("Nothing was sent. Try again.")
}
