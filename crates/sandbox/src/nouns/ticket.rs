//! Support tickets: open until resolved, with a conversation; no call makes or reopens one.

use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    answer::{Answer, Refusal, Reply},
    ask::Ask,
    moment,
    nouns::{Behavior, Route, device_change::acknowledged},
    tenant::Tenant,
};

pub(crate) const ROUTES: &[Route] = &[
    ("GET /organization/tickets", Behavior::Read(list)),
    ("GET /organization/tickets/{}", Behavior::Tenant(get)),
    ("PUT /organization/tickets/{}", Behavior::Tenant(update)),
    ("POST /organization/tickets/{}/resolved", Behavior::Tenant(resolve)),
    ("POST /organization/tickets/{}/message", Behavior::Tenant(message)),
];

/// A support ticket.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Ticket {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) open: bool,
    pub(crate) created: i64,
    pub(crate) device_id: Option<String>,
    pub(crate) user_name: String,
    pub(crate) user_email: String,
    pub(crate) comments: Vec<Comment>,
}

/// An entry of a ticket's conversation.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Comment {
    pub(crate) id: i64,
    pub(crate) text: String,
    pub(crate) created: i64,
    pub(crate) author: Author,
}

/// Who wrote an entry.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Author {
    pub(crate) user: Option<String>,
    pub(crate) owner: String,
    pub(crate) owner_type: &'static str,
}

impl Ticket {
    fn row(&self) -> Value {
        json!({
            "id": self.id,
            "title": self.title,
            "description": self.description,
            "status": if self.open { "open" } else { "resolved" },
            "created_at": moment::written(self.created),
            "device_id": self.device_id,
            "user_name": self.user_name,
            "user_email": self.user_email,
        })
    }

    /// With the conversation, which lists leave out.
    pub(crate) fn view(&self) -> Value {
        let comment = |comment: &Comment| {
            json!({
                "id": comment.id,
                "text": comment.text,
                "created_at": moment::written(comment.created),
                "system": false,
                "user": comment.author.user,
                "owner": comment.author.owner,
                "owner_type": comment.author.owner_type,
            })
        };
        let mut view = self.row();
        view["comments"] = self.comments.iter().map(comment).collect();
        view
    }

    /// Changes the subject and the description, where given.
    pub(crate) fn apply(&mut self, ask: &Ask) {
        if let Some(title) = ask.body_text("title") {
            title.clone_into(&mut self.title);
        }
        if let Some(description) = ask.body_text("description") {
            description.clone_into(&mut self.description);
        }
    }

    /// Adds the request's message to the conversation.
    pub(crate) fn say(&mut self, ask: &Ask, id: i64, created: i64, author: Author) {
        let text = ask.body_text("message").unwrap_or_default().to_owned();
        self.comments.push(Comment { id, text, created, author });
    }
}

impl Tenant {
    pub(crate) fn ticket_mut(&mut self, id: &str) -> Result<&mut Ticket, Refusal> {
        self.tickets.get_mut(id).ok_or_else(Refusal::not_found)
    }
}

/// Open ones only, all at once, as a bare array.
fn list(_: &Ask, tenant: &Tenant) -> Value {
    let open = tenant.tickets.iter().filter(|ticket| ticket.open);
    open.map(Ticket::row).collect()
}

fn get(ask: &Ask, tenant: &mut Tenant) -> Reply {
    Ok(Answer::Json(tenant.ticket_mut(ask.id(0))?.view()))
}

fn update(ask: &Ask, tenant: &mut Tenant) -> Reply {
    let ticket = tenant.ticket_mut(ask.id(0))?;
    ticket.apply(ask);
    Ok(Answer::Json(ticket.view()))
}

/// Resolving twice is no error: the state is the one asked for.
fn resolve(ask: &Ask, tenant: &mut Tenant) -> Reply {
    tenant.ticket_mut(ask.id(0))?.open = false;
    Ok(acknowledged())
}

/// A message made with a key has no person behind it, only the organization.
fn message(ask: &Ask, tenant: &mut Tenant) -> Reply {
    let owner = tenant.organization.name.to_owned();
    let (id, now) = (tenant.next_comment, tenant.now);
    let ticket = tenant.ticket_mut(ask.id(0))?;
    ticket.say(ask, id, now, Author { user: None, owner, owner_type: "organization" });
    tenant.next_comment += 1;
    Ok(acknowledged())
}
