//! The state of a sandbox as JSON, with what no answer of the platform tells; knows no request.
//!
//! Records of devices are left out: only the clock makes them. Times are Unix seconds.

use std::hash::Hash;

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::{table::Table, tenant::Tenant, world::World};

/// Rows by their id.
fn rows<K: Eq + Hash + ToString, V: Serialize>(
    table: &Table<K, V>,
    id: impl Fn(&V) -> String,
) -> Value {
    let row = |row: &V| (id(row), json!(row));
    Value::Object(table.iter().map(row).collect())
}

fn tenant(tenant: &Tenant) -> Value {
    let reaches = |reach: &(String, String)| format!("{} {}", reach.0, reach.1);
    let pings = tenant.pings.iter().map(|(reach, ping)| (reaches(reach), json!(ping)));
    let claims = tenant.claims.iter().map(|(reach, claim)| (reaches(reach), json!(claim)));
    json!({
        "organization": tenant.organization.name,
        "devices": rows(&tenant.devices, |row| row.id.clone()),
        "spaces": rows(&tenant.spaces, |row| row.id.to_string()),
        "commands": rows(&tenant.commands, |row| row.id.clone()),
        "incidents": rows(&tenant.incidents, |row| row.id.clone()),
        "tickets": rows(&tenant.tickets, |row| row.id.clone()),
        "device_notes": rows(&tenant.device_notes, |row| row.id.clone()),
        "space_notes": rows(&tenant.space_notes, |row| row.id.clone()),
        "assets": rows(&tenant.assets, |row| row.id.clone()),
        "labels": rows(&tenant.labels, |row| row.id.clone()),
        "groups": rows(&tenant.groups, |row| row.id.clone()),
        "users": rows(&tenant.users, |row| row.id.clone()),
        "licenses": rows(&tenant.licenses, |row| row.id.clone()),
        "edges": rows(&tenant.edges, |row| row.id.clone()),
        "pings": pings.collect::<Map<_, _>>(),
        "claims": claims.collect::<Map<_, _>>(),
    })
}

/// Everything that requests can change.
pub(crate) fn of(world: &World) -> Value {
    let [first, second] = world.tenants();
    let partner = world.partner();
    json!({
        "A": tenant(&first),
        "B": tenant(&second),
        "partner": {
            "unclaimed": rows(&partner.unclaimed, |row| row.id.clone()),
            "removed": partner.removed,
        },
    })
}
