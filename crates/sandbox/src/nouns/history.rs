//! Recorded states of devices; the fleet makes the records, requests only read them.

use std::sync::Arc;

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
    pub(crate) device: Arc<str>,
    pub(crate) at: i64,
    pub(crate) status: &'static str,
    pub(crate) temperature: u8,
}

/// A device that records its state at regular moments.
#[derive(Debug, Clone)]
pub(crate) struct Recorder {
    pub(crate) device: Arc<str>,
    /// Its number among the devices that record, which keeps their moments apart.
    pub(crate) place: i64,
    /// Seconds from one record to the next.
    pub(crate) interval: i64,
}

impl Recorder {
    /// Its moments after `from`, up to `to`.
    pub(crate) fn moments(&self, from: i64, to: i64) -> impl Iterator<Item = i64> {
        let phase = moment::START - self.place * 37 * moment::MINUTE;
        let first = from + self.interval - (from - phase).rem_euclid(self.interval);
        let step = usize::try_from(self.interval).unwrap_or(1);
        (first..=to).step_by(step)
    }

    pub(crate) fn record(&self, at: i64, status: &'static str) -> Record {
        let warmth = (at / moment::MINUTE + self.place * 7).rem_euclid(15);
        let temperature = 30 + u8::try_from(warmth).unwrap_or(0);
        Record { device: Arc::clone(&self.device), at, status, temperature }
    }
}

/// The window a request asks for: the last week where it leaves a bound out.
pub(crate) fn window(ask: &Ask, now: i64) -> (i64, i64) {
    let to = ask.integer("to").unwrap_or(now);
    (ask.integer("from").unwrap_or_else(|| to.saturating_sub(moment::WEEK)), to)
}

impl Tenant {
    /// Adds what the devices recorded since `before`.
    pub(crate) fn record(&mut self, before: i64) {
        let mut fresh = Vec::new();
        for recorder in &self.recorders {
            let status = self.devices.get(&*recorder.device).and_then(|device| device.status);
            let Some(status) = status else { continue };
            let moments = recorder.moments(before, self.now);
            fresh.extend(moments.map(|at| recorder.record(at, status)));
        }
        if !fresh.is_empty() {
            fresh.sort_by_key(|record| std::cmp::Reverse(record.at));
            self.records.splice(0..0, fresh);
        }
    }

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
pub(crate) fn limited(ask: &Ask, now: i64) -> Result<(i64, i64), Refusal> {
    let (from, to) = window(ask, now);
    if to < from {
        return Err(Refusal::field("to", "must not be before from"));
    }
    if to.saturating_sub(from) > LONGEST {
        return Err(Refusal::field("from", "the window may not exceed 31 days"));
    }
    Ok((from, to))
}

fn list(ask: &Ask, tenant: &mut Tenant) -> Reply {
    let (from, to) = limited(ask, tenant.now)?;
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
