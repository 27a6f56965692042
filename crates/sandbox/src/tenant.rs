//! Everything one organization owns; knows no other tenant and no HTTP.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{
    answer::Refusal,
    moment,
    nouns::{
        asset::{Asset, Label},
        command::Command,
        device::Device,
        edge::{Claim, Edge, Ping},
        group::Group,
        history::{Record, Recorder},
        incident::Incident,
        license::License,
        model::Model,
        note::Note,
        organization::Organization,
        space::Space,
        ticket::Ticket,
        user::User,
    },
    prng::Prng,
    table::Table,
};

/// An edge and an address behind it.
pub(crate) type Reach = (String, String);

/// The state of one organization.
#[derive(Debug)]
pub(crate) struct Tenant {
    pub(crate) organization: Organization,
    pub(crate) models: Vec<Model>,
    pub(crate) devices: Table<String, Device>,
    pub(crate) spaces: Table<i64, Space>,
    pub(crate) commands: Table<String, Command>,
    pub(crate) incidents: Table<String, Incident>,
    pub(crate) tickets: Table<String, Ticket>,
    pub(crate) device_notes: Table<String, Note>,
    pub(crate) space_notes: Table<String, Note>,
    pub(crate) assets: Table<String, Asset>,
    pub(crate) labels: Table<String, Label>,
    pub(crate) groups: Table<String, Group>,
    pub(crate) users: Table<String, User>,
    pub(crate) licenses: Table<String, License>,
    pub(crate) edges: Table<String, Edge>,
    pub(crate) pings: BTreeMap<Reach, Ping>,
    pub(crate) claims: BTreeMap<Reach, Claim>,
    /// Commands that have not ended.
    pub(crate) under_way: Vec<String>,
    /// The time up to which everything has happened.
    pub(crate) now: i64,
    /// What the devices record while the clock moves on.
    pub(crate) recorders: Vec<Recorder>,
    /// Newest first.
    pub(crate) records: Vec<Record>,
    /// The next number of a space.
    pub(crate) next_space: i64,
    /// The next number of a ticket's comment.
    pub(crate) next_comment: i64,
    /// Ids of what requests create; a stream apart from the one that made the fleet.
    pub(crate) mint: Prng,
}

impl Tenant {
    /// An organization that owns nothing.
    pub(crate) fn new(organization: Organization, models: Vec<Model>, seed: u64) -> Self {
        let mint = Prng::new(seed, &format!("mint {}", organization.name));
        Self {
            next_space: organization.first_space,
            organization,
            models,
            devices: Table::default(),
            spaces: Table::default(),
            commands: Table::default(),
            incidents: Table::default(),
            tickets: Table::default(),
            device_notes: Table::default(),
            space_notes: Table::default(),
            assets: Table::default(),
            labels: Table::default(),
            groups: Table::default(),
            users: Table::default(),
            licenses: Table::default(),
            edges: Table::default(),
            pings: BTreeMap::new(),
            claims: BTreeMap::new(),
            under_way: Vec::new(),
            now: moment::START,
            recorders: Vec::new(),
            records: Vec::new(),
            next_comment: 1,
            mint,
        }
    }

    /// Lets happen what happens until `now`.
    pub(crate) fn settle(&mut self, now: i64) {
        if now <= self.now && self.under_way.is_empty() {
            return;
        }
        let before = self.now;
        self.now = before.max(now);
        self.run_commands();
        self.record(before);
    }

    pub(crate) fn device(&self, id: &str) -> Result<&Device, Refusal> {
        self.devices.get(id).ok_or_else(Refusal::not_found)
    }

    pub(crate) fn device_mut(&mut self, id: &str) -> Result<&mut Device, Refusal> {
        self.devices.get_mut(id).ok_or_else(Refusal::not_found)
    }

    pub(crate) fn model(&self, id: &str) -> Option<&Model> {
        self.models.iter().find(|model| model.id == id)
    }

    /// Names from the root down, joined with `/`.
    pub(crate) fn full_path(&self, space: i64) -> String {
        let mut names = Vec::new();
        let mut next = Some(space);
        while let Some(space) = next.and_then(|id| self.spaces.get(&id)) {
            names.push(space.name.as_str());
            next = space.parent_id;
        }
        names.reverse();
        names.join("/")
    }

    /// The space a request wants something put into, which must be the tenant's own.
    pub(crate) fn target_space(&self, id: Option<i64>) -> Result<i64, Refusal> {
        let known = id.filter(|id| self.spaces.get(id).is_some());
        known.ok_or_else(|| Refusal::field("space_id", "does not exist"))
    }

    /// A space as devices refer to it.
    pub(crate) fn space_ref(&self, id: Option<i64>) -> Value {
        let Some(id) = id.filter(|id| self.spaces.get(id).is_some()) else { return Value::Null };
        serde_json::json!({ "id": id, "full_path": self.full_path(id) })
    }
}
