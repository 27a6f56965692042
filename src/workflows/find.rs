//! `find`: devices, spaces and tickets by what a person remembers of them, the nearest first. It says how well each fits, and guesses nothing.

use std::cmp::Reverse;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Value, json};
use xyte_mcp_runtime::dispatch::desk::{Computed, Desk};
use xyte_mcp_runtime::failure::Failure;
use xyte_mcp_runtime::names::rank::{Fit, best, folded};
use xyte_mcp_runtime::shape::table::foot;

use super::answer;
use super::fleet::{self, Device, Ticket};
use super::space::Spaces;
use crate::generated::workflows::{Find, FindKindsItem};

const USUAL_LIMIT: i64 = 10;

#[derive(Debug, Serialize)]
struct Hit {
    kind: &'static str,
    id: String,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    serial: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<String>,
    fit: Fit,
}

/// What was searched, and what fits.
struct Found {
    hits: Vec<Hit>,
    scanned: Value,
    complete: bool,
    warnings: Vec<String>,
    as_of: DateTime<Utc>,
}

pub(super) async fn compute(desk: &Desk<'_>, arguments: Find) -> Result<Computed, Failure> {
    let kinds = arguments.kinds.unwrap_or_default();
    let query = folded(&arguments.query);
    if query.is_empty() {
        return Err(Failure::invalid_arguments("`query` is empty"));
    }
    let most = usize::try_from(arguments.limit.unwrap_or(USUAL_LIMIT)).unwrap_or(1);
    let Found { mut hits, scanned, complete, mut warnings, as_of } =
        read(desk, &query, &kinds).await?;
    hits.sort_by(|left, right| {
        let key = |hit: &Hit| (Reverse(hit.fit), order(hit.kind));
        key(left).cmp(&key(right)).then_with(|| {
            (&left.path, &left.name, &left.id).cmp(&(&right.path, &right.name, &right.id))
        })
    });
    let found = hits.len();
    let ambiguous = is_ambiguous(&hits);
    if ambiguous {
        warnings.push("several fit equally well: ask which one is meant".to_owned());
    }
    hits.truncate(most);
    if hits.len() < found {
        warnings.push(format!("the best {} of {found} are shown", hits.len()));
    }
    let structured = json!({"hits": hits, "ambiguous": ambiguous, "scanned": scanned, "complete": complete, "warnings": warnings});
    let (structured, text) = answer::fitted(desk.room(), structured, &["/hits"], text);
    Ok(Computed { structured, text, as_of })
}

/// Reads the lists of the wanted kinds, and picks from them.
async fn read(desk: &Desk<'_>, query: &str, kinds: &[FindKindsItem]) -> Result<Found, Failure> {
    let wants = |kind| kinds.is_empty() || kinds.contains(&kind);
    let devices = async {
        if wants(FindKindsItem::Device) { Some(fleet::devices(desk, None).await) } else { None }
    };
    let spaces =
        async { if wants(FindKindsItem::Space) { Some(Spaces::read(desk).await) } else { None } };
    let tickets = async {
        if wants(FindKindsItem::Ticket) { Some(fleet::tickets(desk).await) } else { None }
    };
    let (devices, spaces, tickets) = futures::join!(devices, spaces, tickets);
    let mut found = Found {
        hits: Vec::new(),
        scanned: json!({}),
        complete: true,
        warnings: Vec::new(),
        as_of: DateTime::<Utc>::MAX_UTC,
    };
    let mut failure = None;
    if let Some(spaces) = found.there("spaces", spaces, &mut failure) {
        let hits = spaces.all().filter_map(|(id, name, path)| space(query, id, name, path));
        found.hits.extend(hits);
        found.scanned["spaces"] = spaces.all().count().into();
        found.note(spaces.complete, spaces.warnings, spaces.as_of);
    }
    if let Some(devices) = found.there("devices", devices, &mut failure) {
        found.hits.extend(devices.rows.iter().filter_map(|row| device(query, row)));
        found.scanned["devices"] = devices.rows.len().into();
        found.note(devices.complete, devices.warnings, devices.as_of);
    }
    if let Some(tickets) = found.there("tickets", tickets, &mut failure) {
        found.hits.extend(tickets.rows.iter().filter_map(|row| ticket(query, row)));
        found.scanned["open_tickets"] = tickets.rows.len().into();
        found.note(tickets.complete, tickets.warnings, tickets.as_of);
    }
    match failure {
        Some(failure) if found.as_of == DateTime::<Utc>::MAX_UTC => Err(failure),
        _ => Ok(found),
    }
}

impl Found {
    /// A list that was read; one that could not be leaves the others to be searched.
    fn there<T>(
        &mut self,
        what: &str,
        read: Option<Result<T, Failure>>,
        first: &mut Option<Failure>,
    ) -> Option<T> {
        match read? {
            Ok(list) => Some(list),
            Err(failure) => {
                self.complete = false;
                self.warnings
                    .push(format!("{what} could not be read ({failure}) and were not searched"));
                first.get_or_insert(failure);
                None
            }
        }
    }

    fn note(&mut self, complete: bool, warnings: Vec<String>, as_of: DateTime<Utc>) {
        self.complete &= complete;
        self.warnings.extend(warnings);
        self.as_of = self.as_of.min(as_of);
    }
}

fn order(kind: &str) -> usize {
    ["space", "device", "ticket"].iter().position(|it| *it == kind).unwrap_or_default()
}

/// Whether more than one of a kind fits as well as the best.
fn is_ambiguous(hits: &[Hit]) -> bool {
    let Some(best) = hits.first() else { return false };
    hits.iter().filter(|hit| (hit.fit, hit.kind) == (best.fit, best.kind)).count() > 1
}

fn device(query: &str, device: &Device) -> Option<Hit> {
    let name = device.name.clone().unwrap_or_default();
    let (path, serial) = (device.path(), device.sn.as_deref());
    let whole = format!("{}/{name}", path.unwrap_or_default());
    let fit = best(query, &[&name, serial.unwrap_or_default(), &device.id], &whole)?;
    let (path, serial) = (path.map(str::to_owned), serial.map(str::to_owned));
    let status = Some(device.status().to_owned());
    Some(Hit { kind: "device", id: device.id.clone(), name, path, serial, status, fit })
}

fn space(query: &str, id: i64, name: &str, path: &str) -> Option<Hit> {
    let fit = best(query, &[name, &id.to_string()], path)?;
    let (id, name, path) = (id.to_string(), name.to_owned(), Some(path.to_owned()));
    Some(Hit { kind: "space", id, name, path, serial: None, status: None, fit })
}

fn ticket(query: &str, ticket: &Ticket) -> Option<Hit> {
    let name = ticket.title.clone().unwrap_or_default();
    let fit = best(query, &[&name, &ticket.id], &name)?;
    let id = ticket.id.clone();
    Some(Hit {
        kind: "ticket",
        id,
        name,
        path: None,
        serial: None,
        status: Some("open".to_owned()),
        fit,
    })
}

fn text(answer: &Value) -> String {
    let hits = answer["hits"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut text = String::new();
    foot(&mut text, &format!("{} hits", hits.len()));
    let columns = ["kind", "id", "name", "path", "serial", "status", "fit"];
    answer::rows(&mut text, &columns, hits);
    answer::end(&mut text, answer);
    text
}
