//! Devices: what one is, how it is shown, reading and deleting; changes are in `device_change`.

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::{
    answer::{Answer, Refusal, Reply},
    ask::Ask,
    moment,
    nouns::{Behavior, Route},
    tenant::{Reach, Tenant},
    world::World,
};

pub(crate) const ROUTES: &[Route] = &[
    ("GET /organization/devices", Behavior::Read(list)),
    ("GET /organization/devices/{}", Behavior::Tenant(get)),
    ("DELETE /organization/devices/{}", Behavior::Across(delete)),
];

/// How a secret is shown when it is set.
pub(crate) const MASK: &str = "*****";

/// A connected device.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Device {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) sn: Option<String>,
    pub(crate) mac: Option<String>,
    pub(crate) cloud_id: Option<String>,
    pub(crate) status: Option<&'static str>,
    pub(crate) effective: &'static str,
    /// For one that is connected, as it was at the start of the clock.
    pub(crate) last_seen: Option<i64>,
    pub(crate) model_id: String,
    /// Names a person put over the catalogue's.
    pub(crate) custom_model: Option<String>,
    pub(crate) custom_vendor: Option<String>,
    pub(crate) sub_model: Option<String>,
    pub(crate) firmware: Option<String>,
    pub(crate) space_id: Option<i64>,
    pub(crate) details: Map<String, Value>,
    pub(crate) state: Map<String, Value>,
    pub(crate) configuration: Map<String, Value>,
    /// Values by label, secrets in the clear; only of devices behind an edge.
    pub(crate) custom_parameters: Option<Map<String, Value>>,
    pub(crate) reach: Option<Reach>,
    /// The primary this one is a shadow of.
    pub(crate) primary: Option<String>,
    pub(crate) shadows: Vec<String>,
    /// Commands it takes end as failed; no answer says so beforehand.
    pub(crate) stubborn: bool,
}

impl Device {
    /// A device that has registered and reported nothing yet.
    pub(crate) fn unseen(id: String, name: String, model_id: String) -> Self {
        Self {
            id,
            name,
            sn: None,
            mac: None,
            cloud_id: None,
            status: None,
            effective: "never_seen",
            last_seen: None,
            model_id,
            custom_model: None,
            custom_vendor: None,
            sub_model: None,
            firmware: None,
            space_id: None,
            details: Map::new(),
            state: Map::new(),
            configuration: Map::new(),
            custom_parameters: None,
            reach: None,
            primary: None,
            shadows: Vec::new(),
            stubborn: false,
        }
    }

    /// Whether it is connected: one that is not reports nothing and fetches no command.
    pub(crate) fn is_there(&self) -> bool {
        matches!(self.status, Some("online" | "error"))
    }

    /// Whether a vendor's records and this device speak of the same unit.
    pub(crate) fn is(&self, sn: Option<&str>, mac: Option<&str>, cloud_id: Option<&str>) -> bool {
        let same = |own: &Option<String>, given: Option<&str>| match (own, given) {
            (Some(own), Some(given)) => own.eq_ignore_ascii_case(given),
            _ => false,
        };
        same(&self.cloud_id, cloud_id) || (same(&self.sn, sn) && same(&self.mac, mac))
    }
}

impl Tenant {
    /// The status of a merged group, on its primary; every other row repeats its own.
    pub(crate) fn merged_status(&self, device: &Device) -> &'static str {
        let shadows = device.shadows.iter().filter_map(|id| self.devices.get(id));
        let all = shadows.map(|shadow| shadow.effective).chain([device.effective]);
        all.max_by_key(|status| severity(status)).unwrap_or(device.effective)
    }

    /// A device that is there reports on, so the moment moves with the clock.
    fn last_seen(&self, device: &Device) -> Option<i64> {
        let passed = if device.is_there() { self.now - moment::START } else { 0 };
        device.last_seen.map(|at| at + passed)
    }

    /// What organizations and the vendor both see of a device.
    pub(crate) fn device_facts(&self, device: &Device) -> Map<String, Value> {
        let model = self.model(&device.model_id);
        let catalogue = model.map(|model| model.name.clone());
        let facts = json!({
            "id": device.id,
            "sn": device.sn,
            "mac": device.mac,
            "cloud_id": device.cloud_id,
            "status": device.status,
            "effective_status": device.effective,
            "merged_effective_status": self.merged_status(device),
            "last_seen_at": self.last_seen(device).map(moment::written),
            "details": device.details,
            "model": {
                "id": device.model_id,
                "name": device.custom_model.clone().or(catalogue),
                "sub_model": device.sub_model,
            },
            "firmware": { "version": device.firmware },
        });
        match facts {
            Value::Object(facts) => facts,
            _ => Map::new(),
        }
    }

    /// A device as a row of a list.
    fn device_row(&self, device: &Device) -> Map<String, Value> {
        let mut row = self.device_facts(device);
        row.insert("name".to_owned(), device.name.clone().into());
        row.insert("space".to_owned(), self.space_ref(device.space_id));
        row
    }

    /// A device in full.
    pub(crate) fn device_view(&self, device: &Device) -> Value {
        let mut view = self.device_row(device);
        view.insert("state".to_owned(), device.state.clone().into());
        if let Some(values) = &device.custom_parameters {
            view.insert("custom_parameters".to_owned(), self.masked(device, values));
        }
        Value::Object(view)
    }

    /// Every label of the model with its value: secrets hidden, unset ones empty.
    fn masked(&self, device: &Device, values: &Map<String, Value>) -> Value {
        let mut shown = values.clone();
        let parameters = self.model(&device.model_id).map(|model| model.parameters.as_slice());
        for parameter in parameters.unwrap_or_default() {
            let value = values.get(&parameter.name).filter(|value| !value.is_null());
            let secret = parameter.kind == "password";
            let visible = match value {
                Some(value) if secret && *value != json!("") => json!(MASK),
                Some(value) => value.clone(),
                None if secret => json!(""),
                None => Value::Null,
            };
            shown.insert(parameter.name.clone(), visible);
        }
        Value::Object(shown)
    }

    /// Takes a device out, with what hangs on it; incidents and tickets stay as history.
    pub(crate) fn take_device(&mut self, id: &str) -> Result<Device, Refusal> {
        let mut device = self.devices.remove(id).ok_or_else(Refusal::not_found)?;
        for shadow in device.shadows.drain(..) {
            if let Some(shadow) = self.devices.get_mut(&shadow) {
                shadow.primary = None;
            }
        }
        if let Some(primary) = device.primary.take().and_then(|id| self.devices.get_mut(&id)) {
            primary.shadows.retain(|shadow| shadow != id);
        }
        let notes = self.device_notes.iter().filter(|note| note.on == id);
        for note in notes.map(|note| note.id.clone()).collect::<Vec<_>>() {
            self.device_notes.remove(&note);
        }
        let commands = self.commands.iter().filter(|command| command.device_id == id);
        for command in commands.map(|command| command.id.clone()).collect::<Vec<_>>() {
            self.commands.remove(&command);
        }
        Ok(device)
    }
}

/// How bad a status is: a group is as bad as its worst member.
fn severity(status: &str) -> u8 {
    match status {
        "ok" => 0,
        "never_seen" => 1,
        "warning" => 2,
        "disconnected" => 3,
        "error" => 4,
        _ => 5,
    }
}

fn list(ask: &Ask, tenant: &Tenant) -> Value {
    let rows = tenant.devices.iter().filter(|row| ask.wants_number("space_id", row.space_id));
    ask.page.of(rows, |device| Value::Object(tenant.device_row(device)))
}

fn get(ask: &Ask, tenant: &mut Tenant) -> Reply {
    let device = tenant.device(ask.id(0))?;
    Ok(Answer::Json(tenant.device_view(device)))
}

/// The device goes back to the vendor's unclaimed ones: it can be claimed again.
fn delete(ask: &Ask, world: &World, tenant: usize) -> Reply {
    let mut device = world.tenant(tenant).take_device(ask.id(0))?;
    device.space_id = None;
    world.partner().unclaimed.insert(device.id.clone(), device);
    Ok(Answer::Done)
}
