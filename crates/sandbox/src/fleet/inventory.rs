//! Assets, licenses, notes and past commands: rows that fill lists.

use serde_json::json;

use crate::{
    fleet::{Size, planted},
    moment::{self, DAY, HOUR, START},
    nouns::{
        asset::{Asset, CATEGORIES, Label},
        command::Command,
        license::License,
        note::Note,
    },
    prng::Prng,
    tenant::Tenant,
};

const LABELS: [&[&str]; 4] = [
    &["Fabrikam", "Contoso"],
    &["Lectern L2", "Cable box C4"],
    &["Furniture", "Cabling"],
    &["In use", "In storage"],
];
const PRODUCTS: [&str; 2] = ["Monitoring", "Extended warranty"];
/// Licenses that end within sixty days.
const ENDING: usize = 6;

pub(crate) fn build(tenant: &mut Tenant, size: Size, rng: &mut Prng) {
    labels(tenant, rng);
    assets(tenant, size.assets, rng);
    licenses(tenant, size.licenses, rng);
    notes(tenant, size.notes, rng);
    commands(tenant, size.past_commands, rng);
}

fn is_northwind(tenant: &Tenant) -> bool {
    tenant.organization.name == "Northwind"
}

fn labels(tenant: &mut Tenant, rng: &mut Prng) {
    for (category, names) in CATEGORIES.into_iter().zip(LABELS) {
        for name in names {
            let id = rng.uuid();
            let known = *name == "In use" && is_northwind(tenant);
            let id = if known { planted::LABEL.to_owned() } else { id };
            let label = Label { id: id.clone(), category, name: (*name).to_owned() };
            tenant.labels.insert(id, label);
        }
    }
}

fn assets(tenant: &mut Tenant, count: usize, rng: &mut Prng) {
    let spaces: Vec<i64> = rooms(tenant);
    let own: Vec<(usize, String)> = tenant
        .labels
        .iter()
        .filter_map(|label| {
            let place = CATEGORIES.iter().position(|category| *category == label.category)?;
            Some((place, label.id.clone()))
        })
        .collect();
    for number in 0..count {
        let id = rng.uuid();
        let known = number == 0 && is_northwind(tenant);
        let mut asset = Asset {
            id: if known { planted::ASSET.to_owned() } else { id },
            name: format!("Lectern {}", number + 1),
            serial_number: Some(format!("L-{}", 4_000 + number)),
            space_id: Some(*rng.pick(&spaces)),
            purchased_at: Some(moment::written(START - rng.seconds(100 * DAY, 900 * DAY))),
            comments: None,
            icon_name: Some("lectern".to_owned()),
            labels: [None, None, None, None],
        };
        for (place, label) in asset.labels.iter_mut().enumerate() {
            let choices: Vec<_> = own.iter().filter(|(category, _)| *category == place).collect();
            *label = Some(rng.pick(&choices).1.clone());
        }
        tenant.assets.insert(asset.id.clone(), asset);
    }
}

/// Rooms that hold something; the spare room stays empty.
fn rooms(tenant: &Tenant) -> Vec<i64> {
    let rooms = tenant.spaces.iter().filter(|space| space.kind == Some("room"));
    rooms.filter(|room| room.name != "Spare room").map(|room| room.id).collect()
}

fn licenses(tenant: &mut Tenant, count: usize, rng: &mut Prng) {
    let devices: Vec<_> = tenant.devices.iter().cloned().collect();
    let products: Vec<(String, &str)> =
        PRODUCTS.into_iter().map(|name| (rng.uuid(), name)).collect();
    let mut licenses = Vec::new();
    for number in 0..count {
        let device = rng.pick(&devices);
        let used = number % 5 != 4;
        let created = START - rng.seconds(20 * DAY, 340 * DAY);
        let ends = match number {
            number if number < ENDING => Some(START + rng.seconds(3 * DAY, 58 * DAY)),
            number if number % 8 == 7 => None,
            _ => Some(START + rng.seconds(70 * DAY, 800 * DAY)),
        };
        licenses.push(License {
            id: rng.uuid(),
            state: if used { "inuse" } else { "available" },
            expires: ends,
            activated: used.then_some(created + HOUR),
            warranty: number % 3 == 0,
            transferable: number % 2 == 0,
            bound_device_sn: device.sn.clone().filter(|_| number % 10 == 9),
            created,
            order: (number % 4 != 3).then(|| format!("ORD-{:06X}", rng.below(0x100_0000))),
            device_id: used.then(|| device.id.clone()),
            product: products[usize::from(number % 3 == 0)].clone(),
            model_id: Some(device.model_id.clone()),
        });
    }
    licenses.sort_by_key(|license| std::cmp::Reverse(license.created));
    for license in licenses {
        tenant.licenses.insert(license.id.clone(), license);
    }
}

fn notes(tenant: &mut Tenant, count: usize, rng: &mut Prng) {
    let texts = ["Bracket replaced.", "Filter cleaned.", "Cable is short.", "Ask before moving."];
    let devices: Vec<String> = tenant.devices.iter().map(|device| device.id.clone()).collect();
    let rooms = rooms(tenant);
    for number in 0..count {
        let mut note = Note {
            id: rng.uuid(),
            content: (*rng.pick(&texts)).to_owned(),
            on: rng.pick(&devices).clone(),
            author: Some(tenant.organization.admin.0.to_owned()),
            created: START - 30 * DAY + i64::try_from(number).unwrap_or(0) * HOUR,
        };
        tenant.device_notes.insert(note.id.clone(), note.clone());
        if number % 2 == 0 {
            note.id = rng.uuid();
            note.on = rng.pick(&rooms).to_string();
            tenant.space_notes.insert(note.id.clone(), note);
        }
    }
}

/// Commands that ended, oldest first.
fn commands(tenant: &mut Tenant, count: usize, rng: &mut Prng) {
    let able: Vec<(String, String, String)> = tenant
        .devices
        .iter()
        .filter_map(|device| {
            let offered = tenant.model(&device.model_id)?.commands.first()?;
            Some((device.id.clone(), offered.name.clone(), offered.friendly_name.clone()))
        })
        .collect();
    for number in 0..count {
        let (device_id, name, friendly_name) = rng.pick(&able).clone();
        let age = 20 * DAY * i64::try_from(count - number).unwrap_or(1);
        let command = Command {
            id: rng.uuid(),
            device_id,
            name,
            friendly_name,
            status: rng.pick::<&str>(&["done", "done", "done", "failed", "aborted"]),
            params: json!({}),
            created: START - age / i64::try_from(count).unwrap_or(1) - HOUR,
            latency: 30,
        };
        tenant.commands.insert(command.id.clone(), command);
    }
}
