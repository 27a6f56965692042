//! Recorded states of devices over a period, read in windows that the platform accepts, as one line of states per device. It draws no conclusions.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use futures::{StreamExt as _, stream};
use serde::Deserialize;
use serde_json::json;
use xyte_mcp_runtime::dispatch::desk::{Arguments, Desk, Rows};
use xyte_mcp_runtime::failure::Failure;

use super::period::Period;

/// What was before the period is needed to tell a device that went away from one that was gone; most record a state a day.
pub(super) const LOOK_BACK: TimeDelta = TimeDelta::hours(26);

/// Spaces that are asked for one by one; of more, the whole fleet takes fewer requests.
const MOST_SPACES: usize = 8;
/// Walks under way at once.
const AT_ONCE: usize = 4;

/// Whose states are read.
#[derive(Debug, Clone, Copy)]
pub(super) enum Of<'a> {
    All,
    Device(&'a str),
    Spaces(&'a BTreeSet<i64>),
}

#[derive(Debug, Deserialize)]
struct Row {
    uuid: Option<String>,
    #[serde(default, deserialize_with = "super::fleet::short")]
    name: Option<String>,
    space_id: Option<i64>,
    state: Option<State>,
    created_at: Option<DateTime<Utc>>,
}

#[derive(Debug, Deserialize)]
struct State {
    status: Option<String>,
}

/// What a device was at a moment.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Point {
    pub(super) at: DateTime<Utc>,
    pub(super) status: String,
}

/// The states of one device, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Past {
    pub(super) name: Option<String>,
    pub(super) space_id: Option<i64>,
    pub(super) rows: usize,
    /// Of these rows, the ones that tell a status.
    pub(super) points: Vec<Point>,
}

/// The states of many devices, by their ids.
#[derive(Debug)]
pub(super) struct History {
    pub(super) devices: BTreeMap<String, Past>,
    pub(super) rows: usize,
    pub(super) complete: bool,
    pub(super) warnings: Vec<String>,
    pub(super) as_of: DateTime<Utc>,
}

impl History {
    /// Reads the states of a period; what lies in no space of the given ones is left to the caller to sort out.
    pub(super) async fn read(desk: &Desk<'_>, of: Of<'_>, period: Period) -> Result<Self, Failure> {
        let pieces = period.pieces();
        let walks: Vec<Arguments> = pieces.iter().flat_map(|piece| requests(of, *piece)).collect();
        let columns = ["uuid", "name", "space_id", "state.status", "created_at"];
        let mut read = stream::iter(walks)
            .map(|arguments| async move {
                desk.list::<Row>("list_device_histories", &arguments, &columns).await
            })
            .buffered(AT_ONCE);
        let mut history = Self::empty();
        let (mut whole, mut first_failure) = (0, None);
        while let Some(rows) = read.next().await {
            match rows {
                Ok(rows) => {
                    whole += 1;
                    history.take(rows);
                }
                Err(failure) => {
                    history.complete = false;
                    history
                        .warnings
                        .push(format!("a part of the histories could not be read ({failure})"));
                    first_failure.get_or_insert(failure);
                }
            }
        }
        if let (0, Some(failure)) = (whole, first_failure) {
            return Err(failure);
        }
        history.settle();
        Ok(history)
    }

    fn empty() -> Self {
        Self {
            devices: BTreeMap::new(),
            rows: 0,
            complete: true,
            warnings: Vec::new(),
            as_of: DateTime::<Utc>::MAX_UTC,
        }
    }

    fn take(&mut self, read: Rows<Row>) {
        self.rows += read.rows.len();
        self.complete &= read.complete;
        self.as_of = self.as_of.min(read.as_of);
        self.warnings.extend(read.warnings);
        for row in read.rows {
            let Some((device, at)) = row.uuid.zip(row.created_at) else { continue };
            let past = self.devices.entry(device).or_default();
            past.rows += 1;
            past.name = row.name.or_else(|| past.name.take());
            past.space_id = row.space_id.or(past.space_id);
            // A row without a status says nothing about being there.
            if let Some(status) = row.state.and_then(|state| state.status) {
                past.points.push(Point { at, status });
            }
        }
    }

    fn settle(&mut self) {
        for past in self.devices.values_mut() {
            past.points.sort();
            past.points.dedup();
        }
    }
}

/// The walks that a window takes.
pub(super) fn requests(of: Of<'_>, (from, to): (i64, i64)) -> Vec<Arguments> {
    let window = json!({"from": from, "to": to});
    let window = window.as_object().cloned().unwrap_or_default();
    let with = |name: &str, value: serde_json::Value| {
        let mut arguments = window.clone();
        arguments.insert(name.to_owned(), value);
        arguments
    };
    match of {
        Of::Device(id) => vec![with("device_id", id.into())],
        Of::Spaces(ids) if ids.len() <= MOST_SPACES => {
            ids.iter().map(|id| with("space_id", (*id).into())).collect()
        }
        Of::Spaces(_) | Of::All => vec![window],
    }
}
