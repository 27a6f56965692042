//! `get_user_preferences` and `list_user_devices`: what a session remembers under the name of a filter, and the devices that it leaves.
//!
//! What is remembered comes as arguments; the name of the filter is no credential and is never repeated.

use chrono::Utc;
use serde_json::{Map, Value, json};
use xyte_mcp_runtime::dispatch::desk::{Computed, Desk};
use xyte_mcp_runtime::failure::Failure;
use xyte_mcp_runtime::shape::table::foot;

use super::answer;
use super::fleet::{self, Device};
use super::space::Spaces;
use crate::generated::workflows::{GetUserPreferences, ListUserDevices};

const NOTHING: &str = "nothing is remembered here: set_context does, in a session";

pub(super) fn preferences(arguments: GetUserPreferences) -> Computed {
    let GetUserPreferences { device_id, space_id, .. } = arguments;
    let known = known(device_id.as_deref(), space_id.as_deref());
    let warnings: Vec<&str> = Some(NOTHING).filter(|_| known.is_empty()).into_iter().collect();
    let structured = json!({ "preferences": known, "warnings": warnings });
    Computed { text: structured.to_string(), structured, as_of: Utc::now() }
}

pub(super) async fn devices(
    desk: &Desk<'_>,
    arguments: ListUserDevices,
) -> Result<Computed, Failure> {
    let ListUserDevices { device_id, space_id, .. } = arguments;
    let known = known(device_id.as_deref(), space_id.as_deref());
    let scope = async {
        match &space_id {
            Some(space) => Spaces::read(desk).await?.scope(space).map(Some),
            None => Ok(None),
        }
    };
    let (rows, scope) = futures::try_join!(fleet::devices(desk, None), scope)?;
    let within = |device: &&Device| {
        let here = scope
            .as_ref()
            .is_none_or(|scope| device.space_id().is_some_and(|space| scope.ids.contains(&space)));
        here && device_id.as_ref().is_none_or(|id| *id == device.id)
    };
    let found: Vec<&Device> = rows.rows.iter().filter(within).collect();
    let mut warnings = rows.warnings;
    warnings.extend(scope.iter().flat_map(|scope| scope.warnings.clone()));
    if known.is_empty() {
        warnings.push(NOTHING.to_owned());
    }
    let whole = rows.complete && scope.as_ref().is_none_or(|scope| scope.complete);
    let (structured, text) = answer::shortened(desk.room(), found.len(), |kept| {
        let mut warnings = warnings.clone();
        if kept < found.len() {
            warnings.push(format!("the first {kept} of {} fit", found.len()));
        }
        let complete = whole && kept == found.len();
        let devices: Vec<Value> = found.iter().take(kept).map(|device| row(device)).collect();
        let answer = json!({"preferences": known, "devices": devices, "total": found.len(), "complete": complete, "warnings": warnings});
        let mut text = String::new();
        foot(&mut text, &format!("{} devices", found.len()));
        answer::rows(&mut text, &["id", "name", "status", "space"], &devices);
        answer::end(&mut text, &answer);
        (answer, text)
    });
    let as_of = scope.as_ref().map_or(rows.as_of, |scope| scope.as_of.min(rows.as_of));
    Ok(Computed { structured, text, as_of })
}

fn row(device: &Device) -> Value {
    json!({"id": device.id, "name": device.name, "status": device.status(), "space": device.path()})
}

fn known(device: Option<&str>, space: Option<&str>) -> Map<String, Value> {
    let known = [("device_id", device), ("space_id", space)].into_iter();
    known.filter_map(|(name, id)| Some((name.to_owned(), id?.into()))).collect()
}
