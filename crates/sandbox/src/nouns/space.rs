//! Spaces: the tree of places.

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::{
    answer::{Answer, Refusal, Reply},
    ask::Ask,
    moment,
    nouns::{Behavior, Route},
    tenant::Tenant,
};

pub(crate) const ROUTES: &[Route] = &[
    ("GET /organization/spaces", Behavior::Tenant(list)),
    ("POST /organization/spaces", Behavior::Tenant(create)),
    ("POST /organization/spaces/find_or_create", Behavior::Tenant(find_or_create)),
    ("GET /organization/spaces/{}", Behavior::Tenant(get)),
    ("PUT /organization/spaces/{}", Behavior::Tenant(update)),
    ("DELETE /organization/spaces/{}", Behavior::Tenant(delete)),
];

/// A node of the tree.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Space {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) parent_id: Option<i64>,
    pub(crate) kind: Option<&'static str>,
    /// Only settings that were set.
    pub(crate) config: Map<String, Value>,
    pub(crate) created: i64,
}

impl Space {
    fn view(&self) -> Value {
        json!({
            "id": self.id,
            "name": self.name,
            "parent_id": self.parent_id,
            "space_type": self.kind,
            "config": self.config,
        })
    }
}

impl Tenant {
    pub(crate) fn space(&self, id: i64) -> Result<&Space, Refusal> {
        self.spaces.get(&id).ok_or_else(Refusal::not_found)
    }

    fn child(&self, parent: Option<i64>, name: &str) -> Option<&Space> {
        self.spaces.iter().find(|space| space.parent_id == parent && space.name == name)
    }

    /// Adds a space and gives its number.
    pub(crate) fn add_space(&mut self, parent_id: Option<i64>, name: &str, ask: &Ask) -> i64 {
        let config = ask.body.get("config").and_then(Value::as_object).cloned();
        let id = self.next_space;
        self.next_space += 1;
        let space = Space {
            id,
            name: name.to_owned(),
            parent_id,
            kind: None,
            config: config.unwrap_or_default(),
            created: self.now,
        };
        self.spaces.insert(id, space);
        id
    }

    /// The parent a request names, which must exist; the root when it names none.
    fn parent(&self, ask: &Ask) -> Result<Option<i64>, Refusal> {
        match ask.body_integer("parent_id") {
            Some(id) if self.spaces.get(&id).is_none() => {
                Err(Refusal::field("parent_id", "does not exist"))
            }
            parent => Ok(parent),
        }
    }

    fn is_below(&self, space: i64, ancestor: i64) -> bool {
        let mut next = Some(space);
        while let Some(id) = next {
            if id == ancestor {
                return true;
            }
            next = self.spaces.get(&id).and_then(|space| space.parent_id);
        }
        false
    }
}

fn list(ask: &Ask, tenant: &mut Tenant) -> Reply {
    let tenant = &*tenant;
    let made = |bound: &str| ask.text(bound).and_then(moment::read);
    for bound in ["created_before", "created_after"] {
        if ask.text(bound).is_some() && made(bound).is_none() {
            return Err(Refusal::field(bound, "is not a moment in ISO 8601"));
        }
    }
    let (before, after) = (made("created_before"), made("created_after"));
    let rows = tenant.spaces.iter().filter(|row| {
        ask.wants_number("id", Some(row.id))
            && ask.wants_number("parent_id", row.parent_id)
            && ask.wants("name", Some(&row.name))
            && ask.wants("space_type", row.kind)
            && before.is_none_or(|bound| row.created < bound)
            && after.is_none_or(|bound| row.created > bound)
            && ask.text("path_includes").is_none_or(|part| tenant.full_path(row.id).contains(part))
    });
    Ok(Answer::Json(ask.page.of(rows, Space::view)))
}

fn get(ask: &Ask, tenant: &mut Tenant) -> Reply {
    Ok(Answer::Json(tenant.space(ask.number(0))?.view()))
}

fn create(ask: &Ask, tenant: &mut Tenant) -> Reply {
    let parent = tenant.parent(ask)?;
    let name = ask.body_text("name").unwrap_or_default();
    if tenant.child(parent, name).is_some() {
        return Err(Refusal::field("name", "has already been taken"));
    }
    let id = tenant.add_space(parent, name, ask);
    Ok(Answer::Json(tenant.space(id)?.view()))
}

/// Walks the path; the settings go to the last space, and only when it is new.
fn find_or_create(ask: &Ask, tenant: &mut Tenant) -> Reply {
    let mut place = tenant.parent(ask)?;
    let path = ask.body_text("name").unwrap_or_default();
    let names: Vec<&str> = path.split('/').map(str::trim).collect();
    if names.iter().any(|name| name.is_empty()) {
        return Err(Refusal::field("name", "has an empty part"));
    }
    let bare = Ask { path: Vec::new(), query: Map::new(), body: Map::new(), page: ask.page };
    let last = names.len() - 1;
    for (depth, name) in names.iter().enumerate() {
        let known = tenant.child(place, name).map(|space| space.id);
        let source = if depth == last { ask } else { &bare };
        place = Some(known.unwrap_or_else(|| tenant.add_space(place, name, source)));
    }
    Ok(Answer::Json(tenant.space(place.unwrap_or_default())?.view()))
}

/// Settings that are given are set; the others stay.
fn update(ask: &Ask, tenant: &mut Tenant) -> Reply {
    let id = ask.number(0);
    let known = tenant.space(id)?;
    let name = ask.body_text("name").unwrap_or(&known.name).to_owned();
    let parent =
        if ask.body.contains_key("parent_id") { tenant.parent(ask)? } else { known.parent_id };
    if parent.is_some_and(|parent| tenant.is_below(parent, id)) {
        return Err(Refusal::field("parent_id", "is the space itself or below it"));
    }
    if tenant.child(parent, &name).is_some_and(|sibling| sibling.id != id) {
        return Err(Refusal::field("name", "has already been taken"));
    }
    let space = tenant.spaces.get_mut(&id).ok_or_else(Refusal::not_found)?;
    space.name = name;
    space.parent_id = parent;
    if let Some(Value::Object(config)) = ask.body.get("config") {
        space.config.extend(config.clone());
    }
    Ok(Answer::Json(space.view()))
}

/// A space that is in use is not removed: what became of its content is not documented.
fn delete(ask: &Ask, tenant: &mut Tenant) -> Reply {
    let id = ask.number(0);
    tenant.space(id)?;
    if tenant.spaces.iter().any(|space| space.parent_id == Some(id)) {
        return Err(Refusal::field("space_id", "has spaces below it"));
    }
    if tenant.devices.iter().any(|device| device.space_id == Some(id)) {
        return Err(Refusal::field("space_id", "has devices in it"));
    }
    tenant.spaces.remove(&id);
    for asset in tenant.assets.iter_mut().filter(|asset| asset.space_id == Some(id)) {
        asset.space_id = None;
    }
    let notes = tenant.space_notes.iter().filter(|note| note.on == ask.id(0));
    for note in notes.map(|note| note.id.clone()).collect::<Vec<_>>() {
        tenant.space_notes.remove(&note);
    }
    Ok(Answer::Done)
}
