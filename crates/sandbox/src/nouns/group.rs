//! Groups of users and their members.

use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    answer::{Answer, Refusal, Reply},
    ask::Ask,
    moment,
    nouns::{Behavior, Route, user::User},
    tenant::Tenant,
    world::World,
};

pub(crate) const ROUTES: &[Route] = &[
    ("GET /organization/groups", Behavior::Read(list)),
    ("POST /organization/groups", Behavior::Tenant(create)),
    ("GET /organization/groups/{}", Behavior::Tenant(get)),
    ("PUT /organization/groups/{}", Behavior::Tenant(update)),
    ("DELETE /organization/groups/{}", Behavior::Tenant(delete)),
    ("POST /organization/groups/{}/add_users", Behavior::Tenant(add_users)),
    ("POST /organization/groups/{}/remove_users", Behavior::Tenant(remove_users)),
    ("POST /organization/groups/{}/add_external_user", Behavior::Across(add_external_user)),
];

/// A group of users.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Group {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) created: i64,
    pub(crate) members: Vec<Member>,
}

/// A user inside a group, who may be of another tenant.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Member {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) email: String,
}

impl Group {
    fn view(&self) -> Value {
        let member = |member: &Member| json!({ "id": member.id, "name": member.name, "email": member.email });
        json!({
            "id": self.id,
            "name": self.name,
            "created_at": moment::written(self.created),
            "users": self.members.iter().map(member).collect::<Vec<_>>(),
        })
    }

    /// Adds a member once.
    pub(crate) fn join(&mut self, member: Member) {
        if self.members.iter().all(|known| known.id != member.id) {
            self.members.push(member);
        }
    }
}

impl Tenant {
    fn group_mut(&mut self, id: &str) -> Result<&mut Group, Refusal> {
        self.groups.get_mut(id).ok_or_else(Refusal::not_found)
    }

    /// The tenant's active users among `ids`; the platform skips the others silently.
    fn members(&self, ids: &[&str]) -> Vec<Member> {
        let users = ids.iter().filter_map(|id| self.users.get(*id));
        users.filter(|user| user.deactivated.is_none()).map(User::member).collect()
    }

    /// The name a request gives, which no other group may have.
    fn free_name(&self, ask: &Ask, own: &str) -> Result<String, Refusal> {
        let name = ask.body_text("name").unwrap_or_default();
        if self.groups.iter().any(|group| group.name == name && group.id != own) {
            return Err(Refusal::field("name", "has already been taken"));
        }
        Ok(name.to_owned())
    }
}

fn list(ask: &Ask, tenant: &Tenant) -> Value {
    ask.page.of(tenant.groups.iter(), Group::view)
}

fn create(ask: &Ask, tenant: &mut Tenant) -> Reply {
    let name = tenant.free_name(ask, "")?;
    let mut group =
        Group { id: tenant.mint.uuid(), name, created: tenant.now, members: Vec::new() };
    for member in tenant.members(&ask.body_texts("user_ids")) {
        group.join(member);
    }
    let view = group.view();
    tenant.groups.insert(group.id.clone(), group);
    Ok(Answer::Json(view))
}

fn get(ask: &Ask, tenant: &mut Tenant) -> Reply {
    Ok(Answer::Json(tenant.group_mut(ask.id(0))?.view()))
}

fn update(ask: &Ask, tenant: &mut Tenant) -> Reply {
    tenant.group_mut(ask.id(0))?;
    let name = tenant.free_name(ask, ask.id(0))?;
    let group = tenant.group_mut(ask.id(0))?;
    group.name = name;
    Ok(Answer::Json(group.view()))
}

fn delete(ask: &Ask, tenant: &mut Tenant) -> Reply {
    tenant.groups.remove(ask.id(0)).ok_or_else(Refusal::not_found)?;
    Ok(Answer::Done)
}

fn add_users(ask: &Ask, tenant: &mut Tenant) -> Reply {
    let members = tenant.members(&ask.body_texts("user_ids"));
    let group = tenant.group_mut(ask.id(0))?;
    for member in members {
        group.join(member);
    }
    Ok(Answer::Json(group.view()))
}

fn remove_users(ask: &Ask, tenant: &mut Tenant) -> Reply {
    let leaving = ask.body_texts("user_ids");
    let group = tenant.group_mut(ask.id(0))?;
    group.members.retain(|member| !leaving.contains(&member.id.as_str()));
    Ok(Answer::Json(group.view()))
}

/// Looks the address up in every organization of the partner.
fn add_external_user(ask: &Ask, world: &World, tenant: usize) -> Reply {
    world.tenant(tenant).group_mut(ask.id(0))?;
    let email = ask.body_text("email").unwrap_or_default();
    let mut found = Vec::new();
    for organization in world.tenants() {
        let users = organization.users.iter().filter(|user| user.deactivated.is_none());
        let same = users.filter(|user| user.email.eq_ignore_ascii_case(email));
        found.extend(same.map(User::member));
    }
    if found.len() > 1 {
        return Err(Refusal::bad_request("Several users have this address"));
    }
    let member = found.pop().ok_or_else(Refusal::not_found)?;
    let mut tenant = world.tenant(tenant);
    let group = tenant.group_mut(ask.id(0))?;
    group.join(member);
    Ok(Answer::Json(group.view()))
}
