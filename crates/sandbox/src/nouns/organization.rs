//! The organization itself: who it is and how much it owns.

use serde_json::{Value, json};

use crate::{
    ask::Ask,
    moment,
    nouns::{Behavior, Route},
    tenant::Tenant,
};

pub(crate) const ROUTES: &[Route] = &[("GET /organization/info", Behavior::Read(info))];

/// Facts of an organization that no request changes.
#[derive(Debug, Clone)]
pub(crate) struct Organization {
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    /// Host of its addresses, `northwind.example`.
    pub(crate) host: &'static str,
    pub(crate) partner_id: &'static str,
    pub(crate) partner: &'static str,
    pub(crate) admin: (&'static str, &'static str),
    pub(crate) finance: (&'static str, &'static str),
    /// The number its first new space gets; ranges of tenants do not meet.
    pub(crate) first_space: i64,
}

fn info(_: &Ask, tenant: &Tenant) -> Value {
    let organization = &tenant.organization;
    let host = organization.host;
    let active = tenant.users.iter().filter(|user| user.deactivated.is_none()).count();
    let open = tenant.tickets.iter().filter(|ticket| ticket.open).count();
    let incidents = tenant.incidents.iter().filter(|row| row.status == "active").count();
    json!({
        "id": organization.id,
        "name": organization.name,
        "created_at": moment::written(moment::START - 371 * moment::DAY),
        "lab": false,
        "partner": organization.partner,
        "domain": format!("https://{host}"),
        "mobile_domain": format!("https://m.{host}"),
        "pricing_plan": "standard",
        "contacts": {
            "admin_name": organization.admin.0,
            "admin_email": organization.admin.1,
            "finance_name": organization.finance.0,
            "finance_email": organization.finance.1,
        },
        "statistics": {
            "devices": tenant.devices.len(),
            "users": active,
            "groups": tenant.groups.len(),
            "spaces": tenant.spaces.len(),
            "open_tickets": open,
            "open_incidents": incidents,
            "pending_invoices": 0,
        },
    })
}
