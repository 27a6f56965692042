//! `search_device_histories`: recorded states of devices over any period, or who went away and came back in it. What the present status is plays no part.

mod rows;
mod turns;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use xyte_mcp_runtime::dispatch::desk::{Computed, Desk, Rows};
use xyte_mcp_runtime::failure::Failure;

use super::device;
use super::fleet::{self, Device};
use super::history::Of;
use super::period::{Period, weeks};
use super::space::{Scope, Spaces};
use crate::generated::workflows::SearchDeviceHistories;

/// The period of callers who name none.
const USUAL: TimeDelta = TimeDelta::days(7);

/// What is asked, with names turned into ids.
struct Asked {
    device: Option<Device>,
    scope: Option<Scope>,
    /// All devices, or the one that is asked about.
    devices: Rows<Device>,
    period: Period,
    now: DateTime<Utc>,
}

pub(super) async fn compute(
    desk: &Desk<'_>,
    arguments: SearchDeviceHistories,
) -> Result<Computed, Failure> {
    let asked = Asked::read(desk, &arguments).await?;
    if arguments.event.is_none() && arguments.group_by.is_none() {
        return rows::compute(desk, &asked, &arguments).await;
    }
    if arguments.status.is_some() {
        let message = "`status` picks rows, and `event` and `group_by` answer with no rows";
        return Err(Failure::invalid_arguments(message));
    }
    turns::compute(desk, &asked, &arguments).await
}

impl Asked {
    async fn read(desk: &Desk<'_>, arguments: &SearchDeviceHistories) -> Result<Self, Failure> {
        let space = arguments.space.clone();
        let space = space.or_else(|| arguments.space_id.map(|id| id.to_string()));
        let scope = async {
            match &space {
                Some(space) => Spaces::read(desk).await?.scope(space).map(Some),
                None => Ok(None),
            }
        };
        let one = async {
            match &arguments.device_id {
                Some(wanted) => device::one(desk, wanted).await.map(Some),
                None => Ok(None),
            }
        };
        let (scope, one) = futures::try_join!(scope, one)?;
        let (device, devices) = match one {
            Some((device, as_of)) => (Some(device.clone()), alone(device, as_of)),
            None => (None, fleet::devices(desk, None).await?),
        };
        // The platform's clock, as far as it was told: it may differ from ours.
        let now = devices.as_of;
        let bounds = (arguments.from.as_deref(), arguments.to.as_deref());
        let period = Period::of(bounds, USUAL, now)?;
        Ok(Self { device, scope, devices, period, now })
    }

    fn of(&self) -> Of<'_> {
        match (&self.device, &self.scope) {
            (Some(device), _) => Of::Device(&device.id),
            (None, Some(scope)) => Of::Spaces(&scope.ids),
            (None, None) => Of::All,
        }
    }

    fn find(&self, id: &str) -> Option<&Device> {
        self.devices.rows.iter().find(|device| device.id == id)
    }

    /// Whether the period ends at the present.
    fn is_up_to_now(&self) -> bool {
        self.period.to == self.now
    }

    /// Whether a device is where it is asked for: where it is listed, or else where its rows say.
    fn is_inside(&self, id: &str, row_space: Option<i64>) -> bool {
        let Some(scope) = &self.scope else { return true };
        let space = self.find(id).map_or(row_space, Device::space_id);
        space.is_some_and(|space| scope.ids.contains(&space))
    }

    fn complete(&self) -> bool {
        self.devices.complete && self.scope.as_ref().is_none_or(|scope| scope.complete)
    }

    fn as_of(&self) -> DateTime<Utc> {
        self.scope.as_ref().map_or(self.now, |scope| scope.as_of.min(self.now))
    }

    /// What was searched where, and which week it was.
    fn window(&self) -> Value {
        let mut window = self.period.told();
        window["requests"] = self.period.pieces().len().into();
        window
    }

    fn place(&self) -> Value {
        let scope = self.scope.as_ref();
        json!(
            scope.map(
                |scope| json!({"id": scope.id, "path": scope.path, "spaces": scope.ids.len()})
            )
        )
    }

    fn warnings(&self) -> Vec<String> {
        let mut warnings = self.devices.warnings.clone();
        let zone = self.scope.as_ref().and_then(|scope| scope.zone.as_ref());
        if let Some(scope) = &self.scope {
            warnings.extend(scope.warnings.clone());
        }
        if self.period.usual {
            warnings.push("window: the last 7 days up to now, not a calendar week".to_owned());
        }
        let weeks = zone.and_then(|zone| Some((zone, weeks(self.now, zone.minutes_from_utc)?)));
        if let (true, Some((zone, (sunday, monday)))) = (self.period.usual, weeks) {
            let name = xyte_mcp_runtime::text::quoted(&zone.name);
            warnings.push(format!("for the calendar week in {name} pass from={sunday} if it begins on Sunday, or from={monday} if on Monday"));
        }
        warnings
    }
}

/// One device as if it were a list.
fn alone(device: Device, as_of: DateTime<Utc>) -> Rows<Device> {
    Rows { rows: vec![device], as_of, ..Rows::default() }
}
