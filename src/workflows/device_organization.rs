//! `get_device_organization`: the tenant and one device's name and place, side by side. It judges nothing.

use serde_json::{Value, json};
use xyte_mcp_runtime::dispatch::desk::{Arguments, Computed, Desk};
use xyte_mcp_runtime::failure::Failure;

use super::device;
use crate::generated::workflows::GetDeviceOrganization;

pub(super) async fn compute(
    desk: &Desk<'_>,
    arguments: GetDeviceOrganization,
) -> Result<Computed, Failure> {
    let nothing = Arguments::new();
    let (organization, device) = futures::try_join!(
        desk.object::<Value>("get_organization_info", &nothing, &[]),
        device::one(desk, &arguments.device_id),
    )?;
    let ((organization, told), (device, seen)) = (organization, device);
    let device = json!({ "id": device.id, "name": device.name, "space": device.path() });
    let structured = json!({ "organization": organization, "device": device });
    Ok(Computed { text: structured.to_string(), structured, as_of: told.min(seen) })
}
