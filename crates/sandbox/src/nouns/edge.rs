//! Edges: pings and claims through a gateway, each begun and then polled.
//!
//! Time stands still, so a poll is what moves things on: the first one finds the work pending,
//! the next one finds it done.

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::{
    answer::{Answer, Refusal, Reply},
    ask::Ask,
    moment,
    nouns::{Behavior, Route, device::Device, device_change::acknowledged},
    tenant::{Reach, Tenant},
};

pub(crate) const ROUTES: &[Route] = &[
    ("GET /organization/edges", Behavior::Read(list)),
    ("POST /organization/edges/devices/start_claim", Behavior::Tenant(start_claim)),
    ("GET /organization/edges/devices/get_claim_status", Behavior::Tenant(claim_status)),
    ("POST /organization/edges/devices/start_ping", Behavior::Tenant(start_ping)),
    ("GET /organization/edges/devices/get_ping_status", Behavior::Tenant(ping_status)),
    ("POST /organization/edges/devices/{}/update_hostname", Behavior::Tenant(update_hostname)),
];

/// Addresses kept for documentation: nothing answers there, in the sandbox as elsewhere.
const UNREACHABLE: &str = "192.0.2.";

/// A gateway; only its id is documented.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Edge {
    pub(crate) id: String,
}

/// How far a connectivity check is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) enum Ping {
    Begun,
    Polled,
    Answered,
    Silent,
}

/// How far a claim is; the device appears when it succeeds.
#[derive(Debug, Clone, Serialize)]
pub(crate) enum Claim {
    Begun(Box<Device>),
    Polled(Box<Device>),
    Succeeded,
    Failed,
}

fn reach(
    ask: &Ask,
    tenant: &Tenant,
    text: impl Fn(&str) -> Option<String>,
) -> Result<Reach, Refusal> {
    let proxy = text("proxy_id").ok_or_else(|| Refusal::bad_request("Must provide proxy id"))?;
    let address = text("device_ip").unwrap_or_else(|| ask.id(0).to_owned());
    if tenant.edges.get(&proxy).is_none() {
        return Err(Refusal::bad_request("Proxy not found"));
    }
    Ok((proxy, address))
}

fn in_body(ask: &Ask, tenant: &Tenant) -> Result<Reach, Refusal> {
    reach(ask, tenant, |member| ask.body_text(member).map(str::to_owned))
}

fn in_query(ask: &Ask, tenant: &Tenant) -> Result<Reach, Refusal> {
    reach(ask, tenant, |parameter| ask.text(parameter).map(str::to_owned))
}

/// Refuses an address that has not passed a ping, unless the request says to skip the check.
fn reachable(ask: &Ask, tenant: &Tenant, reach: &Reach) -> Result<(), Refusal> {
    if ask.body_flag("skip_connectivity_check") || tenant.pings.get(reach) == Some(&Ping::Answered)
    {
        return Ok(());
    }
    Err(Refusal::bad_request("The address has not passed a connectivity check"))
}

fn list(ask: &Ask, tenant: &Tenant) -> Value {
    ask.page.of(tenant.edges.iter(), |edge| json!({ "id": edge.id }))
}

fn start_ping(ask: &Ask, tenant: &mut Tenant) -> Reply {
    let reach = in_body(ask, tenant)?;
    tenant.pings.insert(reach, Ping::Begun);
    Ok(Answer::Done)
}

fn ping_status(ask: &Ask, tenant: &mut Tenant) -> Reply {
    let reach = in_query(ask, tenant)?;
    let Some(ping) = tenant.pings.get_mut(&reach) else {
        return Err(Refusal::bad_request("No ping was started for this address"));
    };
    *ping = match *ping {
        Ping::Begun => Ping::Polled,
        Ping::Polled if reach.1.starts_with(UNREACHABLE) => Ping::Silent,
        Ping::Polled => Ping::Answered,
        ended => ended,
    };
    let status = match ping {
        Ping::Begun | Ping::Polled => "pending",
        Ping::Answered => "success",
        Ping::Silent => "failed",
    };
    Ok(Answer::Json(json!({ "status": status })))
}

fn start_claim(ask: &Ask, tenant: &mut Tenant) -> Reply {
    let reach = in_body(ask, tenant)?;
    let space_id = tenant.target_space(ask.body_integer("space_id"))?;
    let model = ask.body_text("device_model_id").and_then(|id| tenant.model(id));
    let Some(model) = model.filter(|model| !model.parameters.is_empty()) else {
        return Err(Refusal::field("device_model_id", "is not a model an edge can claim"));
    };
    reachable(ask, tenant, &reach)?;
    let (model_id, model_name) = (model.id.clone(), model.name.clone());
    let text = |member| ask.body_text(member).map(str::to_owned);
    let name = text("display_name").unwrap_or(model_name);
    let mut device = Device::unseen(tenant.mint.uuid(), name, model_id);
    device.sn = text("sn");
    device.mac = text("mac");
    device.space_id = Some(space_id);
    device.custom_model = text("custom_model_name");
    device.custom_vendor = text("custom_partner_name");
    let values = ask.body.get("custom_parameters").and_then(Value::as_object);
    device.custom_parameters = Some(values.map_or_else(Map::new, Clone::clone));
    device.status = Some("online");
    device.effective = "ok";
    device.last_seen = Some(moment::START); // Now, whenever that is: see `Device::last_seen`.
    device.reach = Some(reach.clone());
    tenant.claims.insert(reach, Claim::Begun(Box::new(device)));
    Ok(Answer::Done)
}

fn claim_status(ask: &Ask, tenant: &mut Tenant) -> Reply {
    let reach = in_query(ask, tenant)?;
    let Some(claim) = tenant.claims.remove(&reach) else {
        return Err(Refusal::bad_request("No claim was started for this address"));
    };
    let claim = match claim {
        Claim::Begun(device) => Claim::Polled(device),
        Claim::Polled(_) if reach.1.starts_with(UNREACHABLE) => Claim::Failed,
        Claim::Polled(device) => {
            tenant.devices.insert(device.id.clone(), *device);
            Claim::Succeeded
        }
        ended => ended,
    };
    let result = match claim {
        Claim::Begun(_) | Claim::Polled(_) => "pending",
        Claim::Succeeded => "success",
        Claim::Failed => "failed",
    };
    tenant.claims.insert(reach, claim);
    Ok(Answer::Json(json!({ "result": result })))
}

/// The new address takes effect at once; the parameter values are kept.
fn update_hostname(ask: &Ask, tenant: &mut Tenant) -> Reply {
    let device = tenant.device(ask.id(0))?;
    let Some((proxy, _)) = device.reach.clone() else {
        return Err(Refusal::bad_request("The device is not behind an edge"));
    };
    let reach = (proxy, ask.body_text("device_ip").unwrap_or_default().to_owned());
    reachable(ask, tenant, &reach)?;
    tenant.device_mut(ask.id(0))?.reach = Some(reach);
    Ok(acknowledged())
}
