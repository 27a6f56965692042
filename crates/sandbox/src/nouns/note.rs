//! Notes on devices and on spaces: two tables of one kind of row.

use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    answer::{Answer, Refusal, Reply},
    ask::Ask,
    moment,
    nouns::{Behavior, Route},
    table::Table,
    tenant::Tenant,
};

pub(crate) const ROUTES: &[Route] = &[
    ("GET /organization/devices/notes", Behavior::Read(list_all_devices)),
    ("GET /organization/devices/{}/notes", Behavior::Tenant(list_device)),
    ("POST /organization/devices/{}/notes", Behavior::Tenant(create_device)),
    ("DELETE /organization/devices/{}/notes/{}", Behavior::Tenant(delete_device)),
    ("GET /organization/spaces/notes", Behavior::Read(list_all_spaces)),
    ("GET /organization/spaces/{}/notes", Behavior::Tenant(list_space)),
    ("POST /organization/spaces/{}/notes", Behavior::Tenant(create_space)),
    ("DELETE /organization/spaces/{}/notes/{}", Behavior::Tenant(delete_space)),
];

/// A note; `on` is the id of its device or, as text, of its space.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Note {
    pub(crate) id: String,
    pub(crate) content: String,
    pub(crate) on: String,
    /// None when it was made through the API.
    pub(crate) author: Option<String>,
    pub(crate) created: i64,
}

impl Note {
    fn device_view(&self) -> Value {
        self.view("Device", &json!(self.on))
    }

    fn space_view(&self) -> Value {
        self.view("Space", &json!(self.on.parse::<i64>().ok()))
    }

    fn view(&self, kind: &str, on: &Value) -> Value {
        json!({
            "id": self.id,
            "content": self.content,
            "notable_type": kind,
            "notable_id": on,
            "created_by": self.author,
            "created_at": moment::written(self.created),
            "updated_at": moment::written(self.created),
        })
    }
}

fn on<'a>(notes: &'a Table<String, Note>, ask: &'a Ask) -> impl Iterator<Item = &'a Note> {
    notes.iter().rev().filter(|note| note.on == ask.id(0))
}

fn written(ask: &Ask, id: String, created: i64) -> Result<Note, Refusal> {
    let content = ask.body_text("content").unwrap_or_default();
    if content.trim().is_empty() {
        return Err(Refusal::field("content", "must not be blank"));
    }
    let (content, on) = (content.to_owned(), ask.id(0).to_owned());
    Ok(Note { id, content, on, author: None, created })
}

fn removed(notes: &mut Table<String, Note>, ask: &Ask) -> Reply {
    match notes.get(ask.id(1)) {
        Some(note) if note.on == ask.id(0) => {
            notes.remove(ask.id(1));
            Ok(Answer::Done)
        }
        _ => Err(Refusal::not_found()),
    }
}

fn list_all_devices(ask: &Ask, tenant: &Tenant) -> Value {
    ask.page.of(tenant.device_notes.iter().rev(), Note::device_view)
}

fn list_device(ask: &Ask, tenant: &mut Tenant) -> Reply {
    tenant.device(ask.id(0))?;
    Ok(Answer::Json(ask.page.of(on(&tenant.device_notes, ask), Note::device_view)))
}

fn create_device(ask: &Ask, tenant: &mut Tenant) -> Reply {
    tenant.device(ask.id(0))?;
    let note = written(ask, tenant.mint.uuid(), tenant.now)?;
    let view = note.device_view();
    tenant.device_notes.insert(note.id.clone(), note);
    Ok(Answer::Json(view))
}

fn delete_device(ask: &Ask, tenant: &mut Tenant) -> Reply {
    removed(&mut tenant.device_notes, ask)
}

fn list_all_spaces(ask: &Ask, tenant: &Tenant) -> Value {
    ask.page.of(tenant.space_notes.iter().rev(), Note::space_view)
}

fn list_space(ask: &Ask, tenant: &mut Tenant) -> Reply {
    tenant.space(ask.number(0))?;
    Ok(Answer::Json(ask.page.of(on(&tenant.space_notes, ask), Note::space_view)))
}

fn create_space(ask: &Ask, tenant: &mut Tenant) -> Reply {
    tenant.space(ask.number(0))?;
    let note = written(ask, tenant.mint.uuid(), tenant.now)?;
    let view = note.space_view();
    tenant.space_notes.insert(note.id.clone(), note);
    Ok(Answer::Json(view))
}

fn delete_space(ask: &Ask, tenant: &mut Tenant) -> Reply {
    removed(&mut tenant.space_notes, ask)
}
