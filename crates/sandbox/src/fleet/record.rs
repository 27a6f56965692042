//! Forty days of recorded states, once a day for most devices.

use std::sync::Arc;

use crate::{
    fleet::device::Planned,
    moment::{DAY, MINUTE, START},
    nouns::history::Recorder,
    tenant::Tenant,
};

const DAYS: i64 = 40;
/// Often enough for more than a thousand rows a week.
const NOISY_INTERVAL: i64 = 8 * MINUTE;

pub(crate) fn build(tenant: &mut Tenant, planned: &[Planned]) {
    let mut records = Vec::new();
    let seen = planned.iter().filter(|entry| entry.device.effective != "never_seen");
    for (place, entry) in (1..).zip(seen) {
        let device: Arc<str> = entry.device.id.as_str().into();
        let interval = if entry.noisy { NOISY_INTERVAL } else { DAY };
        let recorder = Recorder { device, place, interval };
        let mut add = |at: i64| records.push(recorder.record(at, status(entry, at)));
        for at in recorder.moments(START - DAYS * DAY, START) {
            add(at);
        }
        for (from, to) in &entry.outages {
            add(*from);
            if let Some(to) = to {
                add(*to);
            }
        }
        tenant.recorders.push(recorder);
    }
    records.sort_by_key(|record| std::cmp::Reverse(record.at));
    tenant.records = records;
}

fn status(entry: &Planned, at: i64) -> &'static str {
    let down = |(from, to): &(i64, Option<i64>)| *from <= at && to.is_none_or(|to| at < to);
    if entry.outages.iter().any(down) {
        "offline"
    } else if entry.error_since.is_some_and(|since| since <= at) {
        "error"
    } else {
        "online"
    }
}
