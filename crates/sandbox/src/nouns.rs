//! Which behavior belongs to which route; the behaviors themselves are one noun per file.
//!
//! Routes are named by method and path, never by operation id: another API that happens to
//! use the same operation ids gets answers from its document alone.

use axum::http::Method;
use serde_json::Value;

use crate::{answer::Reply, ask::Ask, tenant::Tenant, world::World};

pub(crate) mod device;
pub(crate) mod device_change;

pub(crate) mod command;
pub(crate) mod history;
pub(crate) mod incident;
pub(crate) mod model;
pub(crate) mod note;
pub(crate) mod ticket;

pub(crate) mod asset;
pub(crate) mod edge;
pub(crate) mod group;
pub(crate) mod license;
pub(crate) mod organization;
pub(crate) mod space;
pub(crate) mod user;

pub(crate) mod partner;

/// What an operation does.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Behavior {
    /// A read within the tenant of the key that always finds an answer.
    Read(fn(&Ask, &Tenant) -> Value),
    /// Within the tenant of the key.
    Tenant(fn(&Ask, &mut Tenant) -> Reply),
    /// For the tenant with this index, looking beyond it where the platform does.
    Across(fn(&Ask, &World, usize) -> Reply),
    /// A read of the vendor that always finds an answer.
    PartnerRead(fn(&Ask, &World) -> Value),
    /// For the vendor.
    Partner(fn(&Ask, &World) -> Reply),
}

/// A method and a path below `/core/v1`, with the behavior.
pub(crate) type Route = (&'static str, Behavior);

const ALL: &[&[Route]] = &[
    device::ROUTES,
    device_change::ROUTES,
    command::ROUTES,
    history::ROUTES,
    incident::ROUTES,
    model::ROUTES,
    note::ROUTES,
    ticket::ROUTES,
    asset::ROUTES,
    edge::ROUTES,
    group::ROUTES,
    license::ROUTES,
    organization::ROUTES,
    space::ROUTES,
    user::ROUTES,
    partner::ROUTES,
];

/// The behavior written for a path shape such as `/core/v1/organization/devices/{}`.
pub(crate) fn behavior(method: &Method, shape: &str) -> Option<Behavior> {
    let route = format!("{method} {}", shape.strip_prefix("/core/v1")?);
    let mut routes = ALL.iter().copied().flatten();
    routes.find(|(known, _)| *known == route).map(|(_, behavior)| *behavior)
}
