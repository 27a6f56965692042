//! `start_meeting_room_preset` and `shutdown_meeting_room`: the steps of a preset in one room: shown, or run and read back. What a preset is, it is told.

mod apply;
mod plan;
mod report;

use std::collections::BTreeSet;

use futures::future::join_all;
use serde_json::{Map, Value};
use xyte_mcp_runtime::dispatch::desk::{Computed, Desk};
use xyte_mcp_runtime::failure::Failure;
use xyte_mcp_runtime::text::quoted;

use self::apply::{Ran, apply, read_back};
use self::plan::Plan;
use self::report::{Room, preview, report};
use super::{command::SEND, room_status};
use crate::generated::workflows::{RoomStatus, ShutdownMeetingRoom, StartMeetingRoomPreset};
use crate::presets::{Presets, SHUTDOWN};

pub(super) async fn start(
    desk: &Desk<'_>,
    presets: &Presets,
    call: StartMeetingRoomPreset,
) -> Result<Computed, Failure> {
    let params = call.params.unwrap_or_default();
    run(desk, presets, &call.room, call.preset.as_deref(), &params).await
}

pub(super) async fn shutdown(
    desk: &Desk<'_>,
    presets: &Presets,
    call: ShutdownMeetingRoom,
) -> Result<Computed, Failure> {
    run(desk, presets, &call.room, Some(SHUTDOWN), &Map::new()).await
}

async fn run(
    desk: &Desk<'_>,
    presets: &Presets,
    room: &str,
    preset: Option<&str>,
    params: &Map<String, Value>,
) -> Result<Computed, Failure> {
    let Some(preset) = presets.find(preset) else {
        let wanted = quoted(preset.unwrap_or_default());
        return Err(Failure::invalid_arguments(format!("there is no preset `{wanted}`"))
            .with_hint(format!(
                "Nothing was sent. Presets of this server: {}.",
                presets.names().join(", ")
            )));
    };
    // What is sent depends on how the devices are, not on how they were a minute ago.
    let desk = &desk.fresh();
    let plan = Box::pin(Plan::make(desk, room, preset, params)).await?;
    let scene = plan.scene();
    let asks = desk.asks_for(&plan.names());
    if desk.is_dry_run() {
        let requests = requests(desk, &plan).await?;
        let token = asks.then(|| desk.plan_token(&scene)).flatten();
        return Ok(preview(room, &plan, requests, token));
    }
    if asks && plan.obstacle().is_none() {
        desk.consent(&scene).await?;
    }
    let ran = Box::pin(apply(desk, &plan)).await?;
    desk.begin("the steps are over; reading the room");
    let after = Box::pin(after(desk, &plan, &ran)).await;
    Ok(report(room, &plan, &ran, after))
}

/// Every request as it would be sent.
async fn requests(desk: &Desk<'_>, plan: &Plan<'_>) -> Result<Vec<Vec<Value>>, Failure> {
    let mut requests = Vec::new();
    for step in &plan.steps {
        let described = step.items.iter().map(|item| desk.describe(SEND, &item.arguments));
        requests.push(join_all(described).await.into_iter().collect::<Result<_, _>>()?);
    }
    Ok(requests)
}

/// Reads the devices and the room when the steps are over. What was sent is told even where this fails.
async fn after(desk: &Desk<'_>, plan: &Plan<'_>, ran: &[Ran]) -> Room {
    let ids: BTreeSet<&str> =
        ran.iter().flat_map(|ran| &ran.devices).map(|told| told.id.as_str()).collect();
    let devices = join_all(
        ids.into_iter().map(|id| async move { (id.to_owned(), read_back(desk, id).await) }),
    )
    .await;
    let mut room = Room { devices: devices.into_iter().collect(), ..Room::default() };
    match room_status::compute(desk, RoomStatus { space: plan.scope.id.to_string() }).await {
        Ok(Computed { structured, as_of, .. }) => {
            room.as_of = Some(as_of);
            room.verdict = structured["verdict"].as_str().map(str::to_owned);
            let reasons = structured["reasons"].as_array().into_iter().flatten();
            room.reasons =
                reasons.filter_map(|reason| reason.as_str().map(str::to_owned)).collect();
            if room.verdict.is_none() {
                room.warnings
                    .push("no verdict on the room: not everything could be read".to_owned());
            }
        }
        Err(failure) => {
            room.warnings.push(format!("the room could not be read afterwards ({failure})"));
        }
    }
    if room.devices.values().any(Value::is_null) {
        room.warnings.push("not every device could be read back".to_owned());
    }
    room
}
