//! Users, groups and edges: what devices and tickets refer to.

use crate::{
    fleet::{Size, planted},
    moment::{DAY, START},
    nouns::{edge::Edge, group::Group, user::User},
    prng::Prng,
    tenant::Tenant,
};

const NAMES: &[&str] = &[
    "Amir Katz",
    "Noa Peretz",
    "Lars Holm",
    "Ida Lund",
    "John Carter",
    "Ruth Adler",
    "Omar Haddad",
    "Elif Demir",
    "Sven Dahl",
    "Grace Hall",
    "Yael Shaked",
    "Tom Reed",
    "Mia Novak",
    "Ben Stone",
];
const GROUPS: &[&str] = &["First line", "Operations", "Contractors"];

pub(crate) fn build(tenant: &mut Tenant, size: Size, rng: &mut Prng) {
    let organization = tenant.organization.clone();
    let northwind = organization.name == "Northwind";
    let mut user = |tenant: &mut Tenant, name: &str, email: String| {
        let id = rng.uuid();
        let id = if email == "kari@northwind.example" { planted::USER.to_owned() } else { id };
        let created = START - rng.seconds(30 * DAY, 300 * DAY);
        let name = name.to_owned();
        let user = User { id: id.clone(), name, email, created, deactivated: None };
        tenant.users.insert(id, user);
    };
    user(tenant, organization.admin.0, organization.admin.1.to_owned());
    if !northwind {
        user(tenant, "Support desk", "support@fabrikam.example".to_owned());
    }
    for name in NAMES.iter().take(size.users - tenant.users.len()) {
        let first = name.split(' ').next().unwrap_or_default().to_lowercase();
        user(tenant, name, format!("{first}@{}", organization.host));
    }
    for (count, name) in GROUPS.iter().take(size.groups).enumerate() {
        let id = rng.uuid();
        let known = northwind && count == 0;
        let mut group = Group {
            id: if known { planted::GROUP.to_owned() } else { id },
            name: (*name).to_owned(),
            created: START - 209 * DAY,
            members: Vec::new(),
        };
        for (place, user) in tenant.users.iter().enumerate() {
            if place % size.groups == count {
                group.join(user.member());
            }
        }
        tenant.groups.insert(group.id.clone(), group);
    }
    for count in 0..2 {
        let id = rng.uuid();
        let known = northwind && count == 0;
        let id = if known { planted::EDGE.to_owned() } else { id };
        tenant.edges.insert(id.clone(), Edge { id });
    }
}
