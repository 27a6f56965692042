//! `get_device_organization`: the tenant and one device's name and place, side by side. It judges nothing.

use serde::Deserialize;
use serde_json::{Value, json};
use xyte_mcp_runtime::dispatch::desk::{Arguments, Computed, Desk};
use xyte_mcp_runtime::failure::Failure;

use super::fleet::Place;
use crate::generated::workflows::GetDeviceOrganization;

#[derive(Debug, Deserialize)]
struct Device {
    id: String,
    name: Option<String>,
    space: Option<Place>,
}

pub(super) async fn compute(
    desk: &Desk<'_>,
    arguments: GetDeviceOrganization,
) -> Result<Computed, Failure> {
    let nothing = Arguments::new();
    let one = Arguments::from_iter([("device_id".to_owned(), arguments.device_id.into())]);
    let columns = ["id", "name", "space.id", "space.full_path"];
    let (organization, device) = futures::try_join!(
        desk.object::<Value>("get_organization_info", &nothing, &[]),
        desk.object::<Device>("get_device", &one, &columns),
    )?;
    let ((organization, told), (device, seen)) = (organization, device);
    let space = device.space.and_then(|space| space.full_path);
    let device = json!({ "id": device.id, "name": device.name, "space": space });
    let structured = json!({ "organization": organization, "device": device });
    Ok(Computed { text: structured.to_string(), structured, as_of: told.min(seen) })
}
