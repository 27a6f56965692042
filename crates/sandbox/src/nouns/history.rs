//! Recorded states of devices; the fleet makes the records, requests only read them.

use serde_json::{Value, json};

use crate::{
    answer::{Answer, Refusal, Reply},
    ask::Ask,
    moment,
    nouns::{Behavior, Route, device::Device},
    tenant::Tenant,
};

pub(crate) const ROUTES: &[Route] =
    &[("GET /organization/devices/histories", Behavior::Tenant(list))];

/// The platform's longest window.
const LONGEST: i64 = 31 * moment::DAY;

/// One recorded state; small, for there are tens of thousands.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    /// The device's id.
    pub(crate) device: std::sync::Arc<str>,
    pub(crate) at: i64,
    pub(crate) status: &'static str,
    pub(crate) temperature: u8,
}

/// The window a request asks for: the last week where it leaves a bound out.
pub(crate) fn window(ask: &Ask) -> (i64, i64) {
    let to = ask.integer("to").unwrap_or(moment::NOW);
    (ask.integer("from").unwrap_or_else(|| to.saturating_sub(moment::WEEK)), to)
}

impl Tenant {
    /// The records between two moments, newest first, with their devices.
    pub(crate) fn recorded(&self, from: i64, to: i64) -> impl Iterator<Item = (&Record, &Device)> {
        let first = self.records.partition_point(|record| record.at > to);
        let inside = self.records[first..].iter().take_while(move |record| record.at >= from);
        inside.filter_map(|record| Some((record, self.devices.get(&*record.device)?)))
    }

    pub(crate) fn record_view(&self, record: &Record, device: &Device) -> Value {
        let model = self.model(&device.model_id);
        let vendor = model.map(|model| model.vendor.clone());
        json!({
            "uuid": device.id,
            "name": device.name,
            "model": device.custom_model.clone().or(model.map(|model| model.name.clone())),
            "partner": device.custom_vendor.clone().or(vendor),
            "space_id": device.space_id,
            "state": { "status": record.status, "temperature": record.temperature },
            "created_at": moment::written(record.at),
        })
    }
}

/// Refuses a window that the platform refuses.
pub(crate) fn limited(ask: &Ask) -> Result<(i64, i64), Refusal> {
    let (from, to) = window(ask);
    if to < from {
        return Err(Refusal::field("to", "must not be before from"));
    }
    if to.saturating_sub(from) > LONGEST {
        return Err(Refusal::field("from", "the window may not exceed 31 days"));
    }
    Ok((from, to))
}

fn list(ask: &Ask, tenant: &mut Tenant) -> Reply {
    let (from, to) = limited(ask)?;
    let tenant = &*tenant;
    let rows = tenant.recorded(from, to).filter(|(_, device)| {
        ask.wants("device_id", Some(&device.id))
            && ask.wants("status", device.status)
            && ask.wants("name", Some(&device.name))
            && ask.wants_number("space_id", device.space_id)
    });
    let view = |(record, device): (&Record, &Device)| tenant.record_view(record, device);
    Ok(Answer::Json(ask.page.of(rows, view)))
}
