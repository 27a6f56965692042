//! Incidents: listing and closing; no request raises one.

use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    answer::{Answer, Refusal, Reply},
    ask::Ask,
    moment,
    nouns::{Behavior, Route, history},
    tenant::Tenant,
};

pub(crate) const ROUTES: &[Route] = &[
    ("GET /organization/incidents", Behavior::Read(list)),
    ("DELETE /organization/incidents/{}", Behavior::Tenant(close)),
];

/// A problem raised on a device, or on none.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Incident {
    pub(crate) id: String,
    pub(crate) status: &'static str,
    pub(crate) priority: &'static str,
    pub(crate) title: String,
    pub(crate) description: Option<String>,
    pub(crate) issue: String,
    pub(crate) device_id: Option<String>,
    /// The device's name when it was raised: it outlives the device.
    pub(crate) device_name: Option<String>,
    pub(crate) created: i64,
    pub(crate) updated: i64,
}

impl Tenant {
    fn incident_view(&self, incident: &Incident) -> Value {
        let device = incident.device_id.as_ref().and_then(|id| self.devices.get(id));
        let name = device.map(|device| device.name.clone());
        let path = device.and_then(|device| device.space_id).map(|id| self.full_path(id));
        json!({
            "id": incident.id,
            "status": incident.status,
            "priority": incident.priority,
            "title": incident.title,
            "description": incident.description,
            "issue": incident.issue,
            "device_id": incident.device_id,
            "device_name": name.or_else(|| incident.device_name.clone()),
            "space_tree_path_name": path,
            "created_at": moment::written(incident.created),
            "updated_at": moment::written(incident.updated),
        })
    }

    /// Filters that look at the device; an incident without one passes none of them.
    fn incident_place(&self, incident: &Incident, ask: &Ask) -> bool {
        let device = incident.device_id.as_ref().and_then(|id| self.devices.get(id));
        let model = device.and_then(|device| self.model(&device.model_id));
        let custom = device.and_then(|device| device.custom_model.as_deref());
        let name = custom.or(model.map(|model| model.name.as_str()));
        let vendor = device.and_then(|device| device.custom_vendor.as_deref());
        let vendor = vendor.or(model.map(|model| model.vendor.as_str()));
        ask.wants("device_model", name)
            && ask.wants("partner_name", vendor)
            && ask.wants("sub_model", device.and_then(|device| device.sub_model.as_deref()))
            && ask.wants_number("space_id", device.and_then(|device| device.space_id))
    }
}

fn list(ask: &Ask, tenant: &Tenant) -> Value {
    let (from, to) = history::window(ask, tenant.now);
    let rows = tenant.incidents.iter().filter(|row| {
        (from..=to).contains(&row.created)
            && ask.wants("status", Some(row.status))
            && ask.wants("priority", Some(row.priority))
            && ask.wants("title", Some(&row.title))
            && ask.wants("description", row.description.as_deref())
            && ask.wants("issue", Some(&row.issue))
            && tenant.incident_place(row, ask)
    });
    ask.page.of(rows, |incident| tenant.incident_view(incident))
}

/// Closing twice is no error: the state is the one asked for.
fn close(ask: &Ask, tenant: &mut Tenant) -> Reply {
    let now = tenant.now;
    let incident = tenant.incidents.get_mut(ask.id(0)).ok_or_else(Refusal::not_found)?;
    if incident.status == "active" {
        incident.status = "closed";
        incident.updated = now;
    }
    Ok(Answer::Done)
}
