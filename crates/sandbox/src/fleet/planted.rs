//! The well-known objects that documented examples name; their ids are the same for every seed.

use serde_json::json;

use crate::{
    fleet::{catalogue::DISPLAY, device::Planned},
    moment::{DAY, HOUR, MINUTE, START},
    nouns::{
        command::Command,
        device::Device,
        edge::{Claim, Ping},
        incident::Incident,
        model::Model,
        note::Note,
        ticket::{Author, Comment, Ticket},
    },
    prng::Prng,
    tenant::Tenant,
};

pub(crate) const FIRST: &str = "5b0c8c1e-6f0a-4a51-9d3c-0c5f2f1b7a10";
const SECOND: &str = "7c2e9d10-4b6f-4e63-b1a9-0d8e5f4a3c99";
const PRIMARY: &str = "1f0e6b52-7d3c-4c8e-9b1a-2e5d4c3b6a70";
const RETIRED: &str = "9a3e8f21-6d5c-4b7a-8e90-c1d2e3f4a5b6";
const SHADOW: &str = "2a1f7c63-8e4d-4d9f-8c2b-3f6e5d4c7b81";
pub(crate) const EDGE: &str = "8e7d6c5b-4a39-4281-9706-f5e4d3c2b1a0";
pub(crate) const GROUP: &str = "c1a4b9f0-7f0d-4f0f-8f5e-2f4a6b8c0d22";
pub(crate) const USER: &str = "3d7b5a52-2a9e-4a34-9a0c-9d5b0f7c6e11";
pub(crate) const ASSET: &str = "4e1d9a2b-5c3f-4e7a-8b6d-1a2b3c4d5e60";
pub(crate) const LABEL: &str = "b7c8d9e0-1f2a-4b3c-8d4e-5f6a7b8c9d0e";

/// Gives the well-known ids to devices of the well-known rooms.
pub(crate) fn identify(planned: &mut [Planned]) {
    let places = [
        ("Oslo/Floor 3/Fjord lounge", "display", FIRST),
        ("Oslo/Floor 3/Fjord lounge", "camera", SECOND),
        ("Oslo/Floor 3/Skog", "display", PRIMARY),
        ("Oslo/Floor 3/Skog", "touch panel", SHADOW),
        ("Oslo/Floor 3/Skog", "sign", RETIRED),
    ];
    for (room, label, id) in places {
        let known = planned
            .iter_mut()
            .find(|entry| entry.path.ends_with(room) && entry.device.name.ends_with(label));
        if let Some(entry) = known {
            id.clone_into(&mut entry.device.id);
            entry.settled = true;
        }
    }
}

/// Sets what the examples say of the well-known devices.
pub(crate) fn adjust(planned: &mut [Planned]) {
    for entry in planned.iter_mut() {
        let device = &mut entry.device;
        match device.id.as_str() {
            FIRST => {
                "Fjord display".clone_into(&mut device.name);
                device.sn = Some("NW-88212".to_owned());
                device.mac = Some("02:1a:4c:00:7e:30".to_owned());
                device.effective = "warning";
                device.firmware = Some("2.4.1".to_owned());
                device.reach = Some((EDGE.to_owned(), "10.20.30.41".to_owned()));
                let values = json!({ "Port": "4352" });
                device.custom_parameters = values.as_object().cloned();
            }
            PRIMARY => device.shadows = vec![SHADOW.to_owned()],
            SHADOW => {
                device.primary = Some(PRIMARY.to_owned());
                device.effective = "warning";
            }
            _ => {}
        }
    }
}

/// Devices that wait to be claimed; the first is the one of the claim example.
pub(crate) fn unclaimed(models: &[Model], rng: &mut Prng) -> Vec<Device> {
    let Some(model) = models.get(DISPLAY) else { return Vec::new() };
    let mut waiting = Vec::new();
    for number in 0..4 {
        let mut device = Device::unseen(rng.uuid(), model.name.clone(), model.id.clone());
        device.sn = Some(format!("NW-{}", 88_213 + number));
        device.mac = Some(format!("02:1a:4c:00:7e:{:02x}", 0x31 + number));
        device.cloud_id = Some(format!("cl-{}", 44_710 + number));
        waiting.push(device);
    }
    waiting
}

/// The well-known objects that are not devices or parts of the inventory.
pub(crate) fn objects(tenant: &mut Tenant) {
    let note = |id: &str, on: &str, content: &str| Note {
        id: id.to_owned(),
        content: content.to_owned(),
        on: on.to_owned(),
        author: Some("Kari Nordmann".to_owned()),
        created: START - 20 * DAY,
    };
    let device_note = note("d1e2f3a4-b5c6-4d7e-8f90-a1b2c3d4e5f6", FIRST, "Bracket was loose.");
    let space_note = note("e2f3a4b5-c6d7-4e8f-90a1-b2c3d4e5f607", "2104", "Key at reception.");
    tenant.device_notes.insert(device_note.id.clone(), device_note);
    tenant.space_notes.insert(space_note.id.clone(), space_note);
    let command = Command {
        id: "6d5c4b3a-2918-4f07-a6e5-d4c3b2a19080".to_owned(),
        device_id: FIRST.to_owned(),
        name: "reboot".to_owned(),
        friendly_name: "Restart".to_owned(),
        status: "pending",
        params: json!({}),
        created: START - 20,
        latency: 90,
    };
    tenant.queue(command);
    let known = |address: &str| (EDGE.to_owned(), address.to_owned());
    for address in ["10.20.30.40", "codec-3.northwind.example"] {
        tenant.pings.insert(known(address), Ping::Answered);
    }
    tenant.claims.insert(known("10.20.30.40"), Claim::Succeeded);
}

/// The incident of the examples.
pub(crate) fn incident() -> Incident {
    Incident {
        id: "a3f1c2d4-6b5e-4f70-8192-a3b4c5d6e7f8".to_owned(),
        status: "active",
        priority: "high",
        title: "Display runs hot".to_owned(),
        description: Some("Temperature is above 40 degrees.".to_owned()),
        issue: "temperature".to_owned(),
        device_id: Some(FIRST.to_owned()),
        device_name: Some("Fjord display".to_owned()),
        created: START - 6 * HOUR,
        updated: START - 6 * HOUR,
    }
}

/// The ticket of the examples.
pub(crate) fn ticket() -> Ticket {
    Ticket {
        id: "f3a4b5c6-d7e8-4f90-a1b2-c3d4e5f60718".to_owned(),
        title: "No picture in Fjord".to_owned(),
        description: "Black screen since this morning.".to_owned(),
        open: true,
        created: START - HOUR,
        device_id: Some(FIRST.to_owned()),
        user_name: "Kari Nordmann".to_owned(),
        user_email: "kari@northwind.example".to_owned(),
        comments: vec![Comment {
            id: 1,
            text: "Power cycled, no change.".to_owned(),
            created: START - 45 * MINUTE,
            author: Author {
                user: Some("Kari Nordmann".to_owned()),
                owner: "Northwind".to_owned(),
                owner_type: "organization",
            },
        }],
    }
}
