//! The devices of a fleet, all well for now; `condition` makes some of them ill.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::{
    fleet::{
        Size,
        catalogue::{
            CAMERA, CODEC, DISPLAY, DSP, FIRMWARE, PROJECTOR, SENSOR, SIGN, SMALL_PROJECTOR, TOUCH,
        },
        place::Room,
        planted,
    },
    moment::{MINUTE, START},
    nouns::device::Device,
    prng::Prng,
    tenant::Tenant,
};

/// A device with what the other parts of the plan need to know of it.
#[derive(Debug)]
pub(crate) struct Planned {
    pub(crate) device: Device,
    /// The path of its room; empty without a space.
    pub(crate) path: String,
    /// Its place in the catalogue.
    pub(crate) model: usize,
    /// Set once its condition is decided.
    pub(crate) settled: bool,
    /// When it went down, and when it came back.
    pub(crate) outages: Vec<(i64, Option<i64>)>,
    pub(crate) error_since: Option<i64>,
    /// Records every few minutes instead of once a day.
    pub(crate) noisy: bool,
}

/// Projectors in the one building that is asked about, and elsewhere.
const PROJECTORS_IN_B1: usize = 14;
const PROJECTORS_ELSEWHERE: usize = 82;
/// Those of the 14 that cannot be rebooted.
const SMALL_IN_B1: usize = 2;
const SECRETS: usize = 3;

/// One line of a plan: where, and what.
type Slot<'a> = (Option<&'a Room>, usize);

pub(crate) fn build(tenant: &Tenant, rooms: &[Room], size: Size, rng: &mut Prng) -> Vec<Planned> {
    let projectors = projectors(rooms, rng);
    let mut slots: Vec<Slot<'_>> = Vec::new();
    for place in 0..size.placed {
        let (room, slot) = (place % rooms.len(), place / rooms.len());
        slots.push((rooms.get(room), kind(slot, room, &projectors)));
    }
    for spare in 0..size.unplaced {
        slots.push((None, [TOUCH, SENSOR, SIGN, DISPLAY][spare % 4]));
    }
    let mut planned: Vec<Planned> = Vec::new();
    for (place, slot) in slots.into_iter().enumerate() {
        planned.push(one(tenant, slot, place, rng));
    }
    planted::identify(&mut planned);
    edges(tenant, &mut planned);
    planned
}

/// The rooms with a projector, each with the kind it has.
fn projectors(rooms: &[Room], rng: &mut Prng) -> Vec<Option<usize>> {
    let free =
        |room: &&(usize, &Room)| room.1.name != "Board room" && !room.1.path.contains("Oslo");
    let all: Vec<(usize, &Room)> = rooms.iter().enumerate().collect();
    let (mut inside, mut outside): (Vec<_>, Vec<_>) =
        all.iter().filter(free).partition(|room| room.1.path.starts_with("HQ/B1/"));
    rng.shuffle(&mut inside);
    rng.shuffle(&mut outside);
    let mut chosen = vec![None; rooms.len()];
    for (count, (room, _)) in inside.iter().take(PROJECTORS_IN_B1).enumerate() {
        chosen[*room] = Some(if count < SMALL_IN_B1 { SMALL_PROJECTOR } else { PROJECTOR });
    }
    for (count, (room, _)) in outside.iter().take(PROJECTORS_ELSEWHERE).enumerate() {
        chosen[*room] = Some(if count % 4 == 0 { SMALL_PROJECTOR } else { PROJECTOR });
    }
    chosen
}

/// What the n-th device of a room is.
fn kind(slot: usize, room: usize, projectors: &[Option<usize>]) -> usize {
    let other = if room.is_multiple_of(2) { SENSOR } else { SIGN };
    match slot {
        0 => DISPLAY,
        1 => CODEC,
        2 => DSP,
        3 => CAMERA,
        4 => projectors[room].unwrap_or(other),
        _ => TOUCH,
    }
}

fn one(tenant: &Tenant, (room, kind): Slot<'_>, place: usize, rng: &mut Prng) -> Planned {
    let model = &tenant.models[kind];
    let label = label(kind);
    let name = match room {
        Some(room) => format!("{} {label}", room.name.replace('\n', " ")),
        None => format!("Spare {label} {place}"),
    };
    let mut device = Device::unseen(rng.uuid(), name, model.id.clone());
    let prefix = tenant.organization.name.get(..2).unwrap_or_default().to_uppercase();
    device.sn = Some(format!("{prefix}-{:05}", 10_000 + place));
    let tail = rng.next().to_be_bytes();
    device.mac = Some(format!(
        "02:{:02x}:{:02x}:{:02x}:{:02x}:{:02x}",
        tail[0],
        tail[1],
        tail[2],
        place / 256,
        place % 256
    ));
    device.cloud_id = (kind == SENSOR).then(|| format!("cl-{:04x}", rng.below(0x1_0000)));
    device.status = Some("online");
    device.effective = "ok";
    device.last_seen = Some(START - rng.seconds(5, 5 * MINUTE));
    device.sub_model = (kind == DISPLAY && place.is_multiple_of(3)).then(|| "B".to_owned());
    device.firmware = Some((*rng.pick(&FIRMWARE)).to_owned());
    device.space_id = room.map(|room| room.id);
    device.details = members(json!({ "colour": *rng.pick(&["black", "white", "gray"]) }));
    device.state = state(kind, rng);
    device.configuration = members(json!({ "report_interval": 60 }));
    Planned {
        device,
        path: room.map(|room| room.path.clone()).unwrap_or_default(),
        model: kind,
        settled: false,
        outages: Vec::new(),
        error_since: None,
        noisy: false,
    }
}

fn label(kind: usize) -> &'static str {
    match kind {
        DISPLAY => "display",
        PROJECTOR | SMALL_PROJECTOR => "projector",
        CAMERA => "camera",
        DSP => "DSP",
        CODEC => "codec",
        TOUCH => "touch panel",
        SENSOR => "sensor",
        _ => "sign",
    }
}

fn state(kind: usize, rng: &mut Prng) -> Map<String, Value> {
    let temperature = 30 + rng.below(15);
    members(match kind {
        DISPLAY | PROJECTOR | SMALL_PROJECTOR => {
            json!({ "temperature": temperature, "power": "on", "input": "hdmi1" })
        }
        CODEC => json!({ "temperature": temperature, "call": "idle" }),
        CAMERA | DSP => json!({ "temperature": temperature, "preset": "meeting" }),
        SENSOR => json!({ "temperature": temperature - 10, "humidity": 40 + rng.below(20) }),
        _ => json!({ "temperature": temperature }),
    })
}

pub(crate) fn members(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

/// Puts some displays and codecs behind the tenant's edges; three of them hold a secret.
fn edges(tenant: &Tenant, planned: &mut [Planned]) {
    let edges: Vec<String> = tenant.edges.iter().map(|edge| edge.id.clone()).collect();
    let behind = BTreeSet::from([DISPLAY, CODEC]);
    let mut secrets = 0;
    let able = planned.iter_mut().filter(|entry| behind.contains(&entry.model));
    for (count, entry) in able.enumerate().filter(|(count, _)| count % 10 == 0) {
        let Some(edge) = edges.get(count % edges.len().max(1)) else { return };
        let address = format!("10.20.{}.{}", 31 + count / 250, 1 + count % 250);
        entry.device.reach = Some((edge.clone(), address));
        let mut values = json!({ "Port": "4352" });
        if entry.model == CODEC {
            values["Username"] = json!("admin");
            if secrets < SECRETS {
                values["Password"] = json!("sandbox-secret");
                secrets += 1;
            }
        }
        entry.device.custom_parameters = Some(members(values));
    }
}
