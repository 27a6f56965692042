//! The answer of `fleet_health`, as structure and as a table, and how it is made to fit. It reads nothing.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Value, json};
use xyte_mcp_runtime::shape::budget;
use xyte_mcp_runtime::shape::table::{foot, table};
use xyte_mcp_runtime::text::quoted;

use super::super::answer::MOST_CHARS;
use super::super::fleet::Device;

/// Devices of a group where not all fit.
const FEW: usize = 3;

#[derive(Debug, Serialize)]
pub(super) struct Answer<'f> {
    pub(super) group_by: &'static str,
    /// Only of a fleet that was read to its end.
    pub(super) totals: Option<Totals>,
    pub(super) groups: Vec<Group<'f>>,
    pub(super) no_space: Option<Group<'f>>,
    pub(super) scanned: Value,
    pub(super) complete: bool,
    pub(super) warnings: Vec<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct Totals {
    rows: usize,
    matched: usize,
    statuses: BTreeMap<String, usize>,
}

#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Group<'f> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) space_id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) rows: Option<usize>,
    pub(super) matched: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cause: Option<&'static str>,
    /// The latest sign of life among the devices; theirs where another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) last_seen: Option<DateTime<Utc>>,
    /// The one active incident of each of the devices.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) incident: Option<&'f str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) devices: Vec<Item<'f>>,
}

#[derive(Debug, Clone, Serialize)]
pub(super) struct Item<'f> {
    pub(super) id: &'f str,
    pub(super) name: Option<&'f str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) status: Option<&'f str>,
    /// Where it is another than the group's; null for a device that was never seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[allow(clippy::option_option, reason = "left out and null say different things")]
    pub(super) last_seen: Option<Option<DateTime<Utc>>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) incidents: Vec<&'f str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) tickets: Vec<Named<'f>>,
}

#[derive(Debug, Clone, Serialize)]
pub(super) struct Named<'f> {
    pub(super) id: &'f str,
    pub(super) title: Option<&'f str>,
}

impl Totals {
    pub(super) fn of(rows: &[&Device], matched: usize) -> Self {
        let mut statuses = BTreeMap::new();
        for row in rows {
            *statuses.entry(row.status().to_owned()).or_default() += 1;
        }
        Self { rows: rows.len(), matched, statuses }
    }
}

impl Answer<'_> {
    /// Both forms, with fewer devices and then fewer groups until they fit; what is left out is told.
    pub(super) fn fitted(mut self, room: usize) -> (Value, String) {
        self.groups.sort_by(|left, right| {
            let rank = |group: &Group<'_>| group.cause != Some("whole_room_down");
            let key = |group: &Group<'_>| (rank(group), std::cmp::Reverse(group.matched));
            key(left).cmp(&key(right)).then_with(|| left.name.cmp(&right.name))
        });
        if let Some(fits) = self.forms(room) {
            return fits;
        }
        for most in [FEW, 0] {
            for group in self.groups.iter_mut().chain(&mut self.no_space) {
                group.devices.truncate(most);
            }
            if most == FEW {
                let what = "not all matching devices fit: `matched` counts them; narrow with `space` or `status`";
                self.warnings.push(what.to_owned());
            }
            if let Some(fits) = self.forms(room) {
                return fits;
            }
        }
        let (count, at) = (self.groups.len(), self.warnings.len());
        self.warnings.push(String::new());
        loop {
            self.groups.truncate(self.groups.len() * 9 / 10);
            let left_out = count - self.groups.len();
            self.warnings[at] =
                format!("{left_out} of {count} groups do not fit; narrow with `space` or `status`");
            match self.forms(room) {
                Some(fits) => return fits,
                None if self.groups.is_empty() => return (json!(self), self.text()),
                None => {}
            }
        }
    }

    fn forms(&self, room: usize) -> Option<(Value, String)> {
        let (structured, text) = (json!(self), self.text());
        let longest = budget::length(&structured).max(budget::text_length(&text));
        (longest <= room.min(MOST_CHARS)).then_some((structured, text))
    }

    fn text(&self) -> String {
        let by_room = self.group_by == "room";
        let mut lines: Vec<Value> =
            self.groups.iter().chain(&self.no_space).flat_map(|group| self.lines(group)).collect();
        let shared = shared_incident(&mut lines);
        // A room is known by its path, unless another has the same.
        let names: BTreeSet<_> = self.groups.iter().map(|group| &group.name).collect();
        let mut columns = vec![self.group_by];
        if by_room && names.len() < self.groups.len() {
            columns.push("space_id");
        }
        columns.push(if by_room { "cause" } else { "matched" });
        for column in ["device", "id", "status", "last_seen", "incident", "tickets"] {
            if lines.iter().any(|line| !line[column].is_null()) {
                columns.push(column);
            }
        }
        let columns: Vec<String> = columns.into_iter().map(str::to_owned).collect();
        let mut text = String::new();
        if let Some(Totals { rows, matched, statuses }) = &self.totals {
            let statuses: Vec<String> =
                statuses.iter().map(|(status, count)| format!("{status} {count}")).collect();
            foot(&mut text, &format!("{matched} of {rows} rows match ({})", statuses.join(", ")));
            text.push('\n');
        }
        text.push_str(&table(&columns, &lines));
        if let Some(title) = shared {
            foot(&mut text, &format!("active incident of each device above: {title}"));
        }
        for warning in &self.warnings {
            foot(&mut text, &format!("warning: {warning}"));
        }
        foot(&mut text, if self.complete { "complete" } else { "incomplete: see warnings" });
        text
    }

    /// A line a device; the group stands in its first.
    fn lines(&self, group: &Group<'_>) -> Vec<Value> {
        let mut head =
            json!({"space_id": group.space_id, "cause": group.cause, "matched": group.matched});
        head[self.group_by] = group.name.as_deref().unwrap_or("no space").into();
        let mut lines = Vec::new();
        for item in &group.devices {
            let mut line = std::mem::replace(&mut head, json!({}));
            let incidents = match group.incident {
                Some(incident) => vec![incident],
                None => item.incidents.clone(),
            };
            line["device"] = json!(item.name);
            line["id"] = json!(item.id);
            if item.status.is_some() {
                line["status"] = json!(item.status);
            }
            line["last_seen"] = json!(item.last_seen.unwrap_or(group.last_seen));
            if !incidents.is_empty() {
                line["incident"] = json!(incidents);
            }
            if !item.tickets.is_empty() {
                let tickets = item.tickets.iter();
                line["tickets"] = tickets
                    .map(|ticket| json!(format!("{} {}", ticket.id, ticket.title.unwrap_or(""))))
                    .collect();
            }
            lines.push(line);
        }
        if lines.is_empty() {
            head["last_seen"] = json!(group.last_seen);
            head["incident"] = json!(group.incident);
            lines.push(head);
        }
        lines
    }
}

/// The one active incident that all lines have, which is taken out of them; a few lines are better read with theirs.
fn shared_incident(lines: &mut [Value]) -> Option<String> {
    const FEW_LINES: usize = 4;
    let title = match lines.first()?.get("incident")? {
        Value::Array(titles) => match titles.as_slice() {
            [Value::String(title)] => title.clone(),
            _ => return None,
        },
        _ => return None,
    };
    let only = json!([title]);
    if lines.len() < FEW_LINES || lines.iter().any(|line| line["incident"] != only) {
        return None;
    }
    for line in lines {
        line["incident"] = Value::Null;
    }
    Some(quoted(&title))
}
