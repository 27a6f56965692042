//! `bulk_update_devices`: custom parameters of many devices. The platform replaces the whole set, so what is asked for is merged into a fresh read, and a set with a masked secret is left alone.

use futures::StreamExt as _;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use xyte_mcp_runtime::dispatch::bulk::{Item, Outcome};
use xyte_mcp_runtime::dispatch::desk::{Computed, Desk};
use xyte_mcp_runtime::failure::Failure;

use super::bulk::{Excluded, Next, Plan, Selected, arguments, called, selection, valued};
use crate::generated::workflows::BulkUpdateDevices;

/// What the platform shows in place of a secret.
const MASK: &str = "*****";

/// Sets that are read at a time.
const AT_ONCE: usize = 8;

#[derive(Debug, Deserialize)]
struct Parameters {
    custom_parameters: Option<Map<String, Value>>,
}

pub(super) async fn compute(desk: &Desk<'_>, call: BulkUpdateDevices) -> Result<Computed, Failure> {
    if call.custom_parameters.is_empty() {
        return Err(Failure::invalid_arguments("`custom_parameters` names none"));
    }
    let selection = selection!(call);
    let Selected { devices, mut excluded, warnings, as_of } = selection.read(desk).await?;
    // So many at most are changed, and a few more are left out: whoever means more has to narrow the choice before each is read.
    let most = desk.bulk_max() * 4;
    if devices.len() > most {
        let message = format!("{} devices are meant; at most {most} are looked at", devices.len());
        return Err(Failure::invalid_arguments(message)
            .with_hint("Nothing was sent. Narrow the selection."));
    }
    let asked = &call.custom_parameters;
    let read = futures::stream::iter(devices.into_iter().map(|device| async move {
        let merged = merged(desk, &device.id, asked).await;
        (device, merged)
    }));
    let read: Vec<_> = read.buffered(AT_ONCE).collect().await;
    let mut items = Vec::new();
    for (device, merged) in read {
        match merged {
            Ok(parameters) => {
                let body = json!({"device_id": device.id, "custom_parameters": parameters});
                items.push(Item {
                    name: called(&device),
                    arguments: arguments(body),
                    id: device.id,
                });
            }
            Err(why) => excluded.push(Excluded { name: called(&device), id: device.id, why }),
        }
    }
    let what = format!("Set custom parameters{}", valued(asked));
    let plan = Plan {
        operation: "update_device",
        what,
        kind: "devices",
        items,
        excluded,
        warnings,
        as_of,
    };
    let plan = match plan.settle(desk).await? {
        Next::Answer(answer) => return Ok(answer),
        Next::Apply(plan) => plan,
    };
    let run = desk.apply(plan.operation, plan.items.clone(), Outcome::Executed).await?;
    Ok(plan.report(&run, Value::Null))
}

/// The whole set of a device with what is asked for in it, or why it is left alone.
async fn merged(
    desk: &Desk<'_>,
    device: &str,
    asked: &Map<String, Value>,
) -> Result<Map<String, Value>, String> {
    let which = arguments(json!({"device_id": device}));
    let read = desk.fresh_object::<Parameters>("get_device", &which, &["custom_parameters"]).await;
    let (read, _) = read.map_err(|failure| format!("it could not be read: {failure}"))?;
    let Some(mut parameters) = read.custom_parameters else {
        return Err("it has no custom parameters".to_owned());
    };
    // One that is set anew loses nothing; any other masked value would go out as stars.
    let masked = parameters.iter().find(|(name, value)| {
        value.as_str().is_some_and(|text| text.contains(MASK)) && !asked.contains_key(*name)
    });
    if let Some((name, _)) = masked {
        let name = xyte_mcp_runtime::text::quoted(name);
        return Err(format!(
            "its set holds the masked secret `{name}`, which would be overwritten"
        ));
    }
    if asked.iter().all(|(name, value)| parameters.get(name) == Some(value)) {
        return Err("it has these values already".to_owned());
    }
    parameters.extend(asked.clone());
    Ok(parameters)
}
