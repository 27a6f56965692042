//! Forty days of recorded states, once a day for most devices.

use std::sync::Arc;

use crate::{
    fleet::device::Planned,
    moment::{DAY, MINUTE, NOW},
    nouns::history::Record,
    tenant::Tenant,
};

const DAYS: i64 = 40;
/// Often enough for more than a thousand rows a week.
const NOISY_INTERVAL: i64 = 8 * MINUTE;

pub(crate) fn build(tenant: &mut Tenant, planned: &[Planned]) {
    let mut records = Vec::new();
    let mut place = 0;
    for entry in planned.iter().filter(|entry| entry.device.effective != "never_seen") {
        place += 1;
        let device: Arc<str> = entry.device.id.as_str().into();
        let mut add = |at: i64| {
            let warmth = u8::try_from((at / MINUTE + place * 7).rem_euclid(15)).unwrap_or(0);
            let status = status(entry, at);
            records.push(Record {
                device: Arc::clone(&device),
                at,
                status,
                temperature: 30 + warmth,
            });
        };
        let interval = if entry.noisy { NOISY_INTERVAL } else { DAY };
        // Spread over the interval, so that not all devices record in the same second.
        let mut at = NOW - (place * 37 * MINUTE).rem_euclid(interval);
        while at > NOW - DAYS * DAY {
            add(at);
            at -= interval;
        }
        for (from, to) in &entry.outages {
            add(*from);
            if let Some(to) = to {
                add(*to);
            }
        }
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
