//! Changes of devices: claim, update, move, merge, split, suspend and resume.

use serde_json::{Value, json};

use crate::{
    answer::{Answer, Refusal, Reply},
    ask::Ask,
    nouns::{Behavior, Route, device::Device},
    tenant::Tenant,
    world::World,
};

pub(crate) const ROUTES: &[Route] = &[
    ("POST /organization/devices/claim", Behavior::Across(claim)),
    ("PATCH /organization/devices/{}", Behavior::Tenant(update)),
    ("POST /organization/devices/{}/move", Behavior::Tenant(relocate)),
    ("POST /organization/devices/{}/merge", Behavior::Tenant(merge)),
    ("POST /organization/devices/{}/split", Behavior::Tenant(split)),
    ("POST /organization/devices/{}/suspend_incidents", Behavior::Tenant(acknowledge)),
    ("POST /organization/devices/{}/resume_incidents", Behavior::Tenant(acknowledge)),
];

/// The platform's limit: one primary and up to three shadows.
const MOST_SHADOWS: usize = 3;

/// The answer of calls that only confirm.
pub(crate) fn acknowledged() -> Answer {
    Answer::Json(json!({ "success": true }))
}

/// Takes a device that no organization holds.
///
/// Devices register through another API, so an identity nobody knows counts as one that has
/// just registered.
fn claim(ask: &Ask, world: &World, tenant: usize) -> Reply {
    let [sn, mac, cloud_id] = ["sn", "mac", "cloud_id"].map(|member| ask.body_text(member));
    if cloud_id.is_none() {
        for (member, value) in [("sn", sn), ("mac", mac)] {
            if value.is_none() {
                return Err(Refusal::field(member, "is missing: give mac and sn, or cloud_id"));
            }
        }
    }
    let space_id = world.tenant(tenant).target_space(ask.body_integer("space_id"))?;
    for held in world.tenants() {
        if held.devices.iter().any(|device| device.is(sn, mac, cloud_id)) {
            let field = if cloud_id.is_some() { "cloud_id" } else { "sn" };
            return Err(Refusal::field(field, "is already claimed"));
        }
    }
    let waiting = {
        let mut partner = world.partner();
        let found = partner.unclaimed.iter().find(|device| device.is(sn, mac, cloud_id));
        let found = found.map(|device| device.id.clone());
        found.and_then(|id| partner.unclaimed.remove(&id))
    };
    let mut tenant = world.tenant(tenant);
    let mut device = match waiting {
        Some(device) => device,
        None => registered(ask, &mut tenant),
    };
    device.space_id = Some(space_id);
    if let Some(name) = ask.body_text("name") {
        name.clone_into(&mut device.name);
    }
    let view = tenant.device_view(&device);
    tenant.devices.insert(device.id.clone(), device);
    Ok(Answer::Json(view))
}

fn registered(ask: &Ask, tenant: &mut Tenant) -> Device {
    let model = tenant.models.first();
    let model = model.map(|model| (model.id.clone(), model.name.clone())).unwrap_or_default();
    let mut device = Device::unseen(tenant.mint.uuid(), model.1, model.0);
    device.sn = ask.body_text("sn").map(str::to_owned);
    device.mac = ask.body_text("mac").map(str::to_owned);
    device.cloud_id = ask.body_text("cloud_id").map(str::to_owned);
    device
}

fn update(ask: &Ask, tenant: &mut Tenant) -> Reply {
    let device = tenant.device_mut(ask.id(0))?;
    if let Some(name) = ask.body_text("name") {
        name.clone_into(&mut device.name);
    }
    let given = |member| ask.body_text(member).map(str::to_owned);
    let targets = [
        (&mut device.sub_model, "sub_model"),
        (&mut device.sn, "sn"),
        (&mut device.mac, "mac"),
        (&mut device.custom_model, "custom_model_name"),
        (&mut device.custom_vendor, "custom_vendor_name"),
    ];
    for (target, member) in targets {
        if let Some(value) = given(member) {
            *target = Some(value);
        }
    }
    if let (Some(reach), Some(address)) = (&mut device.reach, given("device_host_address")) {
        reach.1 = address;
    }
    if let Some(Value::Object(values)) = ask.body.get("configuration") {
        device.configuration.extend(values.clone());
    }
    // The whole set is replaced, and a mask that is sent back becomes the secret.
    if let Some(Value::Object(values)) = ask.body.get("custom_parameters") {
        device.custom_parameters = Some(values.clone());
    }
    let device = tenant.device(ask.id(0))?;
    Ok(Answer::Json(tenant.device_view(device)))
}

fn relocate(ask: &Ask, tenant: &mut Tenant) -> Reply {
    tenant.device(ask.id(0))?;
    let space_id = tenant.target_space(ask.body_integer("space_id"))?;
    tenant.device_mut(ask.id(0))?.space_id = Some(space_id);
    Ok(Answer::Done)
}

fn merge(ask: &Ask, tenant: &mut Tenant) -> Reply {
    let refused = |message: &str| Err(Refusal::field("with_device_ids", message));
    let primary = tenant.device(ask.id(0))?;
    let wanted = ask.body_texts("with_device_ids");
    if primary.primary.is_some() {
        return refused("the primary is itself a shadow");
    }
    if primary.shadows.len() + wanted.len() > MOST_SHADOWS {
        return refused("a group holds one primary and up to three shadows");
    }
    for (place, id) in wanted.iter().enumerate() {
        let Some(device) = tenant.devices.get(*id) else {
            return refused("all devices must be in the organization");
        };
        if device.id == primary.id || wanted[..place].contains(id) {
            return refused("a device is named twice");
        }
        if device.primary.is_some() || !device.shadows.is_empty() {
            return refused("a device is in a group already");
        }
    }
    for id in &wanted {
        tenant.device_mut(id)?.primary = Some(ask.id(0).to_owned());
    }
    tenant.device_mut(ask.id(0))?.shadows.extend(wanted.iter().map(|id| (*id).to_owned()));
    Ok(acknowledged())
}

fn split(ask: &Ask, tenant: &mut Tenant) -> Reply {
    let wanted = ask.body_text("shadow_device_id").unwrap_or_default();
    let primary = tenant.device_mut(ask.id(0))?;
    let Some(place) = primary.shadows.iter().position(|shadow| shadow == wanted) else {
        return Err(Refusal::field("shadow_device_id", "is not a shadow of this device"));
    };
    primary.shadows.remove(place);
    if let Some(shadow) = tenant.devices.get_mut(wanted) {
        shadow.primary = None;
    }
    Ok(acknowledged())
}

/// Suspending and resuming leave no trace that the document lets anybody read.
fn acknowledge(ask: &Ask, tenant: &mut Tenant) -> Reply {
    tenant.device(ask.id(0))?;
    Ok(acknowledged())
}
