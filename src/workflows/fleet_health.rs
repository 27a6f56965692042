//! `fleet_health`: which devices are down or ill, in which groups, and why. Rows are the platform's; nothing is merged.

mod answer;
mod cause;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::json;
use xyte_mcp_runtime::dispatch::desk::{Computed, Desk};
use xyte_mcp_runtime::failure::Failure;

use self::answer::{Answer, Group, Item, Named, Totals};
use super::fleet::{Device, Fleet};
use super::period::moment;
use super::space::{Scope, Spaces};
use crate::generated::workflows::{FleetHealth, FleetHealthGroupBy, FleetHealthStatusItem};

/// Incidents and tickets by device.
struct Troubles<'f> {
    incidents: BTreeMap<&'f str, Vec<&'f str>>,
    newest: BTreeMap<&'f str, DateTime<Utc>>,
    tickets: BTreeMap<&'f str, Vec<Named<'f>>>,
}

/// Name of a group, and its space where it is one.
type Key = (Option<String>, Option<i64>);

/// The devices of a group, and those of them that are asked about.
#[derive(Default)]
struct Members<'f> {
    all: Vec<&'f Device>,
    ill: Vec<&'f Device>,
}

pub(super) async fn compute(desk: &Desk<'_>, arguments: FleetHealth) -> Result<Computed, Failure> {
    let since = arguments.since.as_deref().map(|text| moment("since", text)).transpose()?;
    let (fleet, scope) =
        futures::try_join!(Fleet::read(desk, None), scope(desk, arguments.space.as_deref()))?;
    let rows = inside(&fleet, scope.as_ref());
    let troubles = Troubles::of(&fleet);
    let statuses = arguments.status.unwrap_or_default();
    let statuses: Vec<&str> = statuses.into_iter().map(word).collect();
    let is_asked = |device: &&Device| {
        let asked = match statuses.as_slice() {
            [] => device.status() != "ok",
            some => some.contains(&device.status()),
        };
        asked && since.is_none_or(|since| troubles.changed(device, since))
    };
    let matched: Vec<&Device> = rows.iter().copied().filter(is_asked).collect();
    let group_by = arguments.group_by.unwrap_or(FleetHealthGroupBy::Space);
    let depth = scope.as_ref().map_or(1, |scope| scope.path.split('/').count() + 1);
    let mut groups: BTreeMap<Key, Members<'_>> = BTreeMap::new();
    for device in &rows {
        let members = groups.entry(key(device, group_by, depth)).or_default();
        members.all.push(device);
        if is_asked(device) {
            members.ill.push(device);
        }
    }
    // Of a space whose spaces below are not all known, there may be more devices.
    let all = fleet.all_devices && scope.as_ref().is_none_or(|scope| scope.complete);
    let mut answer = Answer {
        group_by: name(group_by),
        totals: all.then(|| Totals::of(&rows, matched.len())),
        groups: Vec::new(),
        no_space: None,
        scanned: json!({"devices": fleet.devices.len(), "incidents": fleet.incidents.len(), "tickets": fleet.tickets.len()}),
        complete: fleet.complete && scope.as_ref().is_none_or(|scope| scope.complete),
        warnings: Vec::new(),
    };
    let several = statuses.len() != 1 && group_by != FleetHealthGroupBy::Status;
    for (key, members) in &groups {
        if let Some(group) = troubles.grouped((group_by, key), members, (several, all)) {
            if group.name.is_none() {
                answer.no_space = Some(group);
            } else {
                answer.groups.push(group);
            }
        }
    }
    let as_of = scope.as_ref().map_or(fleet.as_of, |scope| scope.as_of.min(fleet.as_of));
    answer.warnings = scope.map(|scope| scope.warnings).unwrap_or_default();
    answer.warnings.extend(warnings(&fleet, &rows, &matched));
    if let Some(since) = since {
        answer.warnings.push(about_since(&troubles, &rows, &matched, since));
    }
    let (structured, text) = answer.fitted(desk.room());
    Ok(Computed { structured, text, as_of })
}

/// The devices in a space or below it; without one, all.
fn inside<'f>(fleet: &'f Fleet, scope: Option<&Scope>) -> Vec<&'f Device> {
    let is_inside = |device: &&Device| {
        let within = |scope: &Scope| device.space_id().is_some_and(|id| scope.ids.contains(&id));
        scope.is_none_or(within)
    };
    fleet.devices.iter().filter(is_inside).collect()
}

async fn scope(desk: &Desk<'_>, space: Option<&str>) -> Result<Option<Scope>, Failure> {
    match space {
        Some(space) => Spaces::read(desk).await?.scope(space).map(Some),
        None => Ok(None),
    }
}

/// What a device is grouped by; nothing for one without a space.
fn key(device: &Device, by: FleetHealthGroupBy, depth: usize) -> Key {
    let path = device.path();
    match by {
        FleetHealthGroupBy::Room => (path.map(str::to_owned), device.space_id()),
        FleetHealthGroupBy::Space => {
            let upper = |path: &str| path.split('/').take(depth).collect::<Vec<_>>().join("/");
            (path.map(upper), None)
        }
        FleetHealthGroupBy::Model => {
            let model = device.model.as_ref().and_then(|model| model.name.as_deref());
            (Some(model.unwrap_or("no model").to_owned()), None)
        }
        FleetHealthGroupBy::Status => (Some(device.status().to_owned()), None),
    }
}

fn name(by: FleetHealthGroupBy) -> &'static str {
    match by {
        FleetHealthGroupBy::Space => "space",
        FleetHealthGroupBy::Room => "room",
        FleetHealthGroupBy::Model => "model",
        FleetHealthGroupBy::Status => "status",
    }
}

fn word(status: FleetHealthStatusItem) -> &'static str {
    match status {
        FleetHealthStatusItem::Ok => "ok",
        FleetHealthStatusItem::Warning => "warning",
        FleetHealthStatusItem::Error => "error",
        FleetHealthStatusItem::Offline => "offline",
        FleetHealthStatusItem::Disconnected => "disconnected",
        FleetHealthStatusItem::NeverSeen => "never_seen",
    }
}

fn warnings(fleet: &Fleet, rows: &[&Device], matched: &[&Device]) -> Vec<String> {
    let mut warnings = fleet.warnings.clone();
    if !fleet.all_devices {
        warnings.push(format!(
            "{} devices were scanned, of unknown how many: no totals",
            fleet.devices.len()
        ));
    }
    let merged = rows.iter().filter(|row| row.merged_effective_status != row.effective_status);
    let merged = merged.count();
    warnings.push(format!(
        "merged groups: members are rows of their own, which ones is not told, so rows may double-count; {merged} rows have a merged status other than their own, and the own one is counted"
    ));
    let nowhere = |rows: &[&Device]| rows.iter().filter(|row| row.space_id().is_none()).count();
    if nowhere(rows) > 0 {
        let (all, ill) = (nowhere(rows), nowhere(matched));
        warnings.push(format!("{all} of the rows read have no space, of which {ill} match; by space or room they are listed apart"));
    }
    warnings
}

/// What a look back at lists of the present leaves out.
fn about_since(
    troubles: &Troubles<'_>,
    rows: &[&Device],
    matched: &[&Device],
    since: DateTime<Utc>,
) -> String {
    let changed = rows.iter().filter(|row| troubles.changed(row, since)).count();
    let others = match changed - matched.len() {
        0 => String::new(),
        others => format!(
            "; {others} more changed and have a status that is not asked for, such as ok with an incident: name it in `status`"
        ),
    };
    format!(
        "since: by last sign of life of what is down now, and by active incidents{others}; what went down and came back is not in these lists, search_device_histories has it"
    )
}

impl<'f> Troubles<'f> {
    fn of(fleet: &'f Fleet) -> Self {
        let mut troubles =
            Self { incidents: BTreeMap::new(), newest: BTreeMap::new(), tickets: BTreeMap::new() };
        for incident in &fleet.incidents {
            let Some(device) = incident.device_id.as_deref() else { continue };
            let title = incident.title.as_deref().unwrap_or("untitled");
            troubles.incidents.entry(device).or_default().push(title);
            if let Some(at) = incident.created_at {
                let newest = troubles.newest.entry(device).or_insert(at);
                *newest = at.max(*newest);
            }
        }
        for ticket in &fleet.tickets {
            let Some(device) = ticket.device_id.as_deref() else { continue };
            let named = Named { id: &ticket.id, title: ticket.title.as_deref() };
            troubles.tickets.entry(device).or_default().push(named);
        }
        troubles
    }

    fn changed(&self, device: &Device, since: DateTime<Utc>) -> bool {
        let went = device.is_down() && device.last_seen_at.is_some_and(|at| at >= since);
        went || self.newest.get(device.id.as_str()).is_some_and(|at| *at >= since)
    }

    /// A group with what is known of the cause; none where nothing in it is asked about.
    fn grouped(
        &self,
        (by, (name, space_id)): (FleetHealthGroupBy, &Key),
        members: &Members<'f>,
        (several, all_devices): (bool, bool),
    ) -> Option<Group<'f>> {
        if members.ill.is_empty() {
            return None;
        }
        let mut group = self.group(&members.ill, several);
        group.rows = all_devices.then_some(members.all.len());
        (group.name, group.space_id) = (name.clone(), *space_id);
        if by == FleetHealthGroupBy::Room && name.is_some() {
            group.cause = cause::cause(&members.ill, &members.all, all_devices);
        }
        Some(group)
    }

    /// The devices of a group; what all of them share is said once.
    fn group(&self, devices: &[&'f Device], several: bool) -> Group<'f> {
        let of =
            |device: &Device| self.incidents.get(device.id.as_str()).cloned().unwrap_or_default();
        let first = devices.first().map(|device| of(device)).unwrap_or_default();
        let shared = first.len() == 1 && devices.iter().all(|device| of(device) == first);
        let last_seen = devices.iter().filter_map(|device| device.last_seen_at).max();
        let item = |device: &&'f Device| Item {
            id: &device.id,
            name: device.name.as_deref(),
            status: several.then(|| device.status()),
            last_seen: (device.last_seen_at != last_seen).then_some(device.last_seen_at),
            incidents: if shared { Vec::new() } else { of(device) },
            tickets: self.tickets.get(device.id.as_str()).cloned().unwrap_or_default(),
        };
        Group {
            matched: devices.len(),
            last_seen,
            incident: first.first().copied().filter(|_| shared),
            devices: devices.iter().map(item).collect(),
            ..Group::default()
        }
    }
}
