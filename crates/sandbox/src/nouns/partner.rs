//! The vendor's view: its devices, claimed or not, and the tickets on them, across customers.
//!
//! Answers that the document leaves open are shaped like their documented siblings:
//! `data` holds the rows, one thing is a list of one.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{
    answer::{Answer, Refusal, Reply},
    ask::Ask,
    nouns::{
        Behavior, Route,
        command::Command,
        device::Device,
        history,
        ticket::{Author, Ticket},
    },
    page::{Dialect, Page},
    table::Table,
    tenant::Tenant,
    world::World,
};

pub(crate) const ROUTES: &[Route] = &[
    ("GET /partner/devices", Behavior::PartnerRead(list)),
    ("GET /partner/devices/{}", Behavior::Partner(get)),
    ("DELETE /partner/devices/{}", Behavior::Partner(delete)),
    ("GET /partner/devices/{}/commands", Behavior::Partner(commands)),
    ("GET /partner/devices/{}/config", Behavior::Partner(config)),
    ("GET /partner/devices/{}/history", Behavior::Partner(device_history)),
    ("GET /partner/devices/histories", Behavior::Partner(histories)),
    ("GET /partner/devices/{}/telemetries", Behavior::Partner(telemetry)),
    ("POST /partner/organizations", Behavior::PartnerRead(create_organization)),
    ("GET /partner/tickets", Behavior::PartnerRead(tickets)),
    ("GET /partner/tickets/{}", Behavior::Partner(ticket)),
    ("PUT /partner/tickets/{}", Behavior::Partner(update_ticket)),
    ("POST /partner/tickets/{}/resolved", Behavior::Partner(resolve_ticket)),
    ("POST /partner/tickets/{}/message", Behavior::Partner(message)),
];

/// What only the vendor holds.
#[derive(Debug)]
pub(crate) struct Partner {
    /// The vendor's name, as its models carry it.
    pub(crate) name: &'static str,
    /// Devices that no organization holds, also those of other vendors.
    pub(crate) unclaimed: Table<String, Device>,
    /// Devices the vendor took out of its fleet; what customers see of them does not change.
    pub(crate) removed: BTreeSet<String>,
}

impl Partner {
    fn makes(&self, device: &Device, tenant: &Tenant) -> bool {
        let model = tenant.model(&device.model_id);
        model.is_some_and(|model| model.vendor == self.name) && !self.removed.contains(&device.id)
    }
}

fn view(tenant: &Tenant, device: &Device, claimed: Option<&str>) -> Value {
    let mut view = tenant.device_facts(device);
    view.insert("state".to_owned(), device.state.clone().into());
    view.insert("claimed".to_owned(), claimed.into());
    Value::Object(view)
}

/// Runs `read` on the vendor's device with this id, wherever it is.
fn with_device<T>(
    world: &World,
    id: &str,
    read: impl Fn(&Tenant, &Device, Option<&str>) -> T,
) -> Result<T, Refusal> {
    let tenants = world.tenants();
    let partner = world.partner();
    for tenant in &tenants {
        if let Some(device) = tenant.devices.get(id).filter(|row| partner.makes(row, tenant)) {
            return Ok(read(tenant, device, Some(tenant.organization.name)));
        }
    }
    let device = partner.unclaimed.get(id).filter(|row| partner.makes(row, &tenants[0]));
    device.map(|device| read(&tenants[0], device, None)).ok_or_else(Refusal::not_found)
}

fn list(ask: &Ask, world: &World) -> Value {
    let tenants = world.tenants();
    let partner = world.partner();
    let claimed = tenants.iter().flat_map(|tenant| {
        let name = Some(tenant.organization.name);
        tenant.devices.iter().map(move |device| (&**tenant, device, name))
    });
    let unclaimed = partner.unclaimed.iter().map(|device| (&*tenants[0], device, None));
    let rows = claimed.chain(unclaimed).filter(|(tenant, device, _)| {
        partner.makes(device, tenant)
            && ask.wants("model_id", Some(&device.model_id))
            && ask.wants("sn", device.sn.as_deref())
            && ask.wants("mac", device.mac.as_deref())
    });
    ask.page.of(rows, |(tenant, device, name)| view(tenant, device, name))
}

fn get(ask: &Ask, world: &World) -> Reply {
    let device = with_device(world, ask.id(0), view)?;
    Ok(Answer::Json(json!({ "data": [device] })))
}

fn delete(ask: &Ask, world: &World) -> Reply {
    with_device(world, ask.id(0), |_, _, _| ())?;
    let mut partner = world.partner();
    partner.unclaimed.remove(ask.id(0));
    partner.removed.insert(ask.id(0).to_owned());
    Ok(Answer::Done)
}

fn rows(ask: &Ask) -> Page {
    Page { dialect: Dialect::PageInfo, ..ask.page }
}

fn commands(ask: &Ask, world: &World) -> Reply {
    let read = |tenant: &Tenant, device: &Device, _: Option<&str>| {
        rows(ask).of(tenant.commands_of(&device.id, ask), Command::view)
    };
    Ok(Answer::Json(with_device(world, ask.id(0), read)?))
}

fn config(ask: &Ask, world: &World) -> Reply {
    let config = with_device(world, ask.id(0), |_, device, _| device.configuration.clone())?;
    Ok(Answer::Json(Value::Object(config)))
}

fn telemetry(ask: &Ask, world: &World) -> Reply {
    let state = with_device(world, ask.id(0), |_, device, _| device.state.clone())?;
    Ok(Answer::Json(Value::Object(state)))
}

fn device_history(ask: &Ask, world: &World) -> Reply {
    let (from, to) = history::limited(ask, world.tenant(0).now)?;
    let read = |tenant: &Tenant, device: &Device, _: Option<&str>| {
        let own = tenant.recorded(from, to).filter(|(_, row)| row.id == device.id);
        let own = own.filter(|(record, _)| ask.wants("status", Some(record.status)));
        rows(ask).of(own, |(record, row)| tenant.record_view(record, row))
    };
    Ok(Answer::Json(with_device(world, ask.id(0), read)?))
}

fn histories(ask: &Ask, world: &World) -> Reply {
    let tenants = world.tenants();
    let (from, to) = history::limited(ask, tenants[0].now)?;
    let partner = world.partner();
    let all = tenants.iter().flat_map(|tenant| {
        tenant.recorded(from, to).map(move |(record, device)| (&**tenant, record, device))
    });
    let own = all.filter(|(tenant, record, device)| {
        partner.makes(device, tenant) && ask.wants("status", Some(record.status))
    });
    let view = |(tenant, record, device): (&Tenant, &history::Record, &Device)| {
        tenant.record_view(record, device)
    };
    Ok(Answer::Json(rows(ask).of(own, view)))
}

/// The document describes the answer but no field of it, so it has none.
fn create_organization(_: &Ask, _: &World) -> Value {
    json!({})
}

fn concerns(partner: &Partner, tenant: &Tenant, ticket: &Ticket) -> bool {
    let device = ticket.device_id.as_ref().and_then(|id| tenant.devices.get(id));
    device.is_some_and(|device| partner.makes(device, tenant))
}

/// Open and resolved ones: only the organization's list says that it leaves the latter out.
fn tickets(_: &Ask, world: &World) -> Value {
    let tenants = world.tenants();
    let partner = world.partner();
    let all = tenants.iter().flat_map(|tenant| {
        tenant.tickets.iter().filter(|ticket| concerns(&partner, tenant, ticket))
    });
    json!({ "data": all.map(Ticket::view).collect::<Vec<_>>() })
}

/// Runs `change` on the vendor's ticket with this id; it gets the next comment's number
/// and the time.
fn with_ticket<T>(
    world: &World,
    id: &str,
    change: impl Fn(&mut Ticket, (i64, i64)) -> T,
) -> Result<T, Refusal> {
    let mut tenants = world.tenants();
    let partner = world.partner();
    for tenant in &mut tenants {
        let known = tenant.tickets.get(id);
        if known.is_some_and(|ticket| concerns(&partner, tenant, ticket)) {
            let (number, now) = (tenant.next_comment, tenant.now);
            let before = known.map_or(0, |ticket| ticket.comments.len());
            let ticket = tenant.ticket_mut(id)?;
            let result = change(ticket, (number, now));
            let said = ticket.comments.len() > before;
            tenant.next_comment += i64::from(said);
            return Ok(result);
        }
    }
    Err(Refusal::not_found())
}

fn ticket(ask: &Ask, world: &World) -> Reply {
    let ticket = with_ticket(world, ask.id(0), |ticket, _| ticket.view())?;
    Ok(Answer::Json(json!({ "data": [ticket] })))
}

fn update_ticket(ask: &Ask, world: &World) -> Reply {
    with_ticket(world, ask.id(0), |ticket, _| ticket.apply(ask))?;
    Ok(Answer::Done)
}

fn resolve_ticket(ask: &Ask, world: &World) -> Reply {
    with_ticket(world, ask.id(0), |ticket, _| ticket.open = false)?;
    Ok(Answer::Done)
}

fn message(ask: &Ask, world: &World) -> Reply {
    let owner = world.partner().name;
    with_ticket(world, ask.id(0), |ticket, (number, now)| {
        let author = Author { user: None, owner: owner.to_owned(), owner_type: "partner" };
        ticket.say(ask, number, now, author);
    })?;
    Ok(Answer::Done)
}
