//! Users: people with access to the organization.

use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    answer::{Answer, Refusal, Reply},
    ask::Ask,
    moment,
    nouns::{Behavior, Route, group::Member},
    tenant::Tenant,
    world::World,
};

pub(crate) const ROUTES: &[Route] = &[
    ("GET /organization/users", Behavior::Read(list)),
    ("POST /organization/users", Behavior::Across(create)),
    ("GET /organization/users/{}", Behavior::Tenant(get)),
    ("POST /organization/users/{}/deactivate", Behavior::Tenant(deactivate)),
    ("POST /organization/users/{}/resend_welcome", Behavior::Tenant(resend_welcome)),
];

/// A person.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct User {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) email: String,
    pub(crate) created: i64,
    pub(crate) deactivated: Option<i64>,
}

impl User {
    /// The user as groups hold it.
    pub(crate) fn member(&self) -> Member {
        Member { id: self.id.clone(), name: self.name.clone(), email: self.email.clone() }
    }
}

impl Tenant {
    fn user_view(&self, user: &User) -> Value {
        let groups = self.groups.iter();
        let groups = groups.filter(|group| group.members.iter().any(|member| member.id == user.id));
        let names: Vec<&str> = groups.map(|group| group.name.as_str()).collect();
        json!({
            "id": user.id,
            "name": user.name,
            "email": user.email,
            "group_names": names,
            "deactivated_at": user.deactivated.map(moment::written),
            "created_at": moment::written(user.created),
        })
    }
}

fn list(ask: &Ask, tenant: &Tenant) -> Value {
    let active = tenant.users.iter().filter(|user| user.deactivated.is_none());
    ask.page.of(active, |user| tenant.user_view(user))
}

fn get(ask: &Ask, tenant: &mut Tenant) -> Reply {
    let user = tenant.users.get(ask.id(0)).ok_or_else(Refusal::not_found)?;
    Ok(Answer::Json(tenant.user_view(user)))
}

/// An address is used once among all organizations of the partner.
fn create(ask: &Ask, world: &World, tenant: usize) -> Reply {
    let email = ask.body_text("email").unwrap_or_default();
    let well_formed = email.split_once('@').is_some_and(|(name, host)| {
        !name.is_empty() && !host.is_empty() && !email.contains(char::is_whitespace)
    });
    if !well_formed {
        return Err(Refusal::field("email", "is not an address"));
    }
    for organization in world.tenants() {
        if organization.users.iter().any(|user| user.email.eq_ignore_ascii_case(email)) {
            return Err(Refusal::field("email", "has already been taken"));
        }
    }
    let mut tenant = world.tenant(tenant);
    let groups = ask.body_texts("group_ids");
    if groups.iter().any(|id| tenant.groups.get(*id).is_none()) {
        return Err(Refusal::field("group_ids", "names a group that does not exist"));
    }
    let user = User {
        id: tenant.mint.uuid(),
        name: ask.body_text("name").unwrap_or_default().to_owned(),
        email: email.to_owned(),
        created: tenant.now,
        deactivated: None,
    };
    for id in groups {
        if let Some(group) = tenant.groups.get_mut(id) {
            group.join(user.member());
        }
    }
    let view = tenant.user_view(&user);
    tenant.users.insert(user.id.clone(), user);
    Ok(Answer::Json(view))
}

fn deactivate(ask: &Ask, tenant: &mut Tenant) -> Reply {
    let now = tenant.now;
    let user = tenant.users.get_mut(ask.id(0)).ok_or_else(Refusal::not_found)?;
    user.deactivated.get_or_insert(now);
    Ok(Answer::Done)
}

/// The sandbox sends no mail.
fn resend_welcome(ask: &Ask, tenant: &mut Tenant) -> Reply {
    let user = tenant.users.get(ask.id(0)).ok_or_else(Refusal::not_found)?;
    if user.deactivated.is_some() {
        return Err(Refusal::field("user_id", "is deactivated"));
    }
    Ok(Answer::Done)
}
