//! Builds the worlds of the scenarios from a seed; knows no request.
//!
//! Each part draws from a stream of its own, so that a change in one leaves the others as they are.

mod catalogue;
mod condition;
mod device;
mod inventory;
mod people;
mod place;
mod planted;
mod problem;
mod record;
mod ticket;

pub(crate) use problem::offline;

use std::collections::BTreeSet;

use crate::{
    nouns::{organization::Organization, partner::Partner},
    prng::Prng,
    scenario::Kind,
    table::Table,
    tenant::Tenant,
};

/// The vendor who holds the partner key.
pub(crate) const VENDOR: &str = "Contoso";

const NORTHWIND: Organization = Organization {
    id: "1f2e3d4c-5b6a-4798-8897-a6b5c4d3e2f1",
    name: "Northwind",
    host: "northwind.example",
    partner_id: "0a1b2c3d-4e5f-4061-8273-8495a6b7c8d9",
    partner: VENDOR,
    admin: ("Kari Nordmann", "kari@northwind.example"),
    finance: ("Finn Berg", "finn@northwind.example"),
    first_space: 3000,
};

const FABRIKAM: Organization = Organization {
    id: "2e3d4c5b-6a79-4807-9786-b5c4d3e2f1a0",
    name: "Fabrikam",
    host: "fabrikam.example",
    partner_id: "0a1b2c3d-4e5f-4061-8273-8495a6b7c8d9",
    partner: VENDOR,
    admin: ("Maya Cohen", "maya@fabrikam.example"),
    finance: ("Dana Levi", "dana@fabrikam.example"),
    first_space: 8000,
};

/// How much of everything a tenant owns.
#[derive(Debug, Clone, Copy)]
struct Size {
    /// Devices in rooms and devices without a space.
    placed: usize,
    unplaced: usize,
    closed_incidents: usize,
    /// Tickets that are open, of these the ones without activity for a month, and resolved ones.
    open_tickets: usize,
    stale_tickets: usize,
    resolved_tickets: usize,
    users: usize,
    groups: usize,
    licenses: usize,
    assets: usize,
    notes: usize,
    past_commands: usize,
}

const LARGE: Size = Size {
    placed: 1_183,
    unplaced: 17,
    closed_incidents: 1_929,
    open_tickets: 84,
    stale_tickets: 31,
    resolved_tickets: 216,
    users: 14,
    groups: 3,
    licenses: 41,
    assets: 60,
    notes: 40,
    past_commands: 120,
};

const MODEST: Size = Size {
    placed: 38,
    unplaced: 2,
    closed_incidents: 30,
    open_tickets: 5,
    stale_tickets: 1,
    resolved_tickets: 10,
    users: 5,
    groups: 2,
    licenses: 6,
    assets: 6,
    notes: 4,
    past_commands: 8,
};

const LITTLE: Size = Size {
    placed: 24,
    unplaced: 0,
    closed_incidents: 20,
    open_tickets: 4,
    stale_tickets: 1,
    resolved_tickets: 6,
    users: 4,
    groups: 2,
    licenses: 5,
    assets: 4,
    notes: 3,
    past_commands: 6,
};

/// Which plan of places and problems a tenant follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Plan {
    /// Tenant A of `baseline`.
    Campus,
    /// Tenant B of `baseline`, and of `small`.
    Branch,
    /// Tenant A of `small`.
    Building,
}

/// Tenant A, tenant B and the vendor.
pub(crate) fn build(seed: u64, scenario: Kind) -> (Tenant, Tenant, Partner) {
    let mut partner =
        Partner { name: VENDOR, unclaimed: Table::default(), removed: BTreeSet::new() };
    let (first, second) = match scenario {
        Kind::Empty => {
            let bare = |organization| Tenant::new(organization, Vec::new(), seed);
            return (bare(NORTHWIND), bare(FABRIKAM), partner);
        }
        Kind::Baseline => ((Plan::Campus, LARGE), (Plan::Branch, MODEST)),
        Kind::Small => ((Plan::Building, LITTLE), (Plan::Branch, MODEST)),
    };
    let first = tenant(&NORTHWIND, seed, first);
    let second = tenant(&FABRIKAM, seed, second);
    let mut rng = Prng::new(seed, "unclaimed");
    for device in planted::unclaimed(&first.models, &mut rng) {
        partner.unclaimed.insert(device.id.clone(), device);
    }
    (first, second, partner)
}

fn tenant(organization: &Organization, seed: u64, (plan, size): (Plan, Size)) -> Tenant {
    let stream = |purpose: &str| Prng::new(seed, &format!("{} {purpose}", organization.name));
    let models = catalogue::models(&mut Prng::new(seed, "models"));
    let mut tenant = Tenant::new(organization.clone(), models, seed);
    let rooms = place::build(&mut tenant, plan);
    people::build(&mut tenant, size, &mut stream("people"));
    let mut planned = device::build(&tenant, &rooms, size, &mut stream("devices"));
    condition::apply(&mut planned, plan, &mut stream("conditions"));
    if plan != Plan::Branch {
        planted::adjust(&mut planned);
    }
    record::build(&mut tenant, &planned);
    for entry in &planned {
        tenant.devices.insert(entry.device.id.clone(), entry.device.clone());
    }
    problem::build(&mut tenant, &planned, (plan, size), &mut stream("incidents"));
    ticket::build(&mut tenant, (plan, size), &mut stream("tickets"));
    inventory::build(&mut tenant, size, &mut stream("inventory"));
    if plan != Plan::Branch {
        planted::objects(&mut tenant);
    }
    tenant
}
