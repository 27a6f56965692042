//! What happens to a device without a request: it goes away or comes back; knows no route.

use std::sync::Arc;

use crate::{
    fleet,
    moment::{DAY, START},
    nouns::{history::Recorder, incident::Incident},
    tenant::Tenant,
    world::World,
};

/// What can happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Happening {
    Away,
    Back,
}

/// Lets it happen to the device with this id, whoever holds it; false when nobody does.
pub(crate) fn happen(world: &World, device: &str, happening: Happening) -> bool {
    let mut tenants = world.tenants();
    let holder = tenants.iter_mut().find(|tenant| tenant.devices.get(device).is_some());
    let Some(tenant) = holder else { return false };
    match happening {
        Happening::Away => tenant.goes_away(device),
        Happening::Back => tenant.comes_back(device),
    }
    true
}

impl Tenant {
    /// It is seen no more, and an incident is raised; nothing when it is away already.
    fn goes_away(&mut self, id: &str) {
        let now = self.now;
        let Some(device) = self.devices.get_mut(id).filter(|device| device.is_there()) else {
            return;
        };
        device.status = Some("offline");
        device.effective = "offline";
        device.last_seen = device.last_seen.map(|at| at + now - START);
        let incident: Incident = fleet::offline(self.mint.uuid(), device, now);
        self.incidents.prepend(incident.id.clone(), incident);
        self.note_down(id, "offline");
    }

    /// It is well, and its incidents about being away are closed; nothing when it is there.
    fn comes_back(&mut self, id: &str) {
        let now = self.now;
        let Some(device) = self.devices.get_mut(id).filter(|device| !device.is_there()) else {
            return;
        };
        device.status = Some("online");
        device.effective = "ok";
        device.last_seen = Some(START); // Now, whenever that is: see `Tenant::last_seen`.
        let open = self.incidents.iter_mut().filter(|incident| {
            incident.status == "active"
                && incident.issue == "offline"
                && incident.device_id.as_deref() == Some(id)
        });
        for incident in open {
            incident.status = "closed";
            incident.updated = now;
        }
        if !self.recorders.iter().any(|recorder| &*recorder.device == id) {
            let place = i64::try_from(self.recorders.len()).unwrap_or(0) + 1;
            self.recorders.push(Recorder { device: Arc::from(id), place, interval: DAY });
        }
        self.note_down(id, "online");
    }

    /// A device records when its status changes.
    fn note_down(&mut self, id: &str, status: &'static str) {
        let own = self.recorders.iter().find(|recorder| &*recorder.device == id);
        let record = own.map(|recorder| recorder.record(self.now, status));
        self.records.splice(0..0, record);
    }
}
