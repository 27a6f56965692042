//! What several computed tools read: all devices, the active incidents and the open tickets. It draws no conclusions.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};
use xyte_mcp_runtime::dispatch::desk::{Arguments, Desk, Rows};
use xyte_mcp_runtime::failure::Failure;

/// Said wherever active incidents are shown.
pub(super) const WINDOW: &str =
    "incident window: all active incidents since 1970-01-01, not the platform's default week";

/// Characters of a name: a longer one would leave no room for what others are called.
const LONGEST: usize = 300;

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Device {
    pub(super) id: String,
    #[serde(default, deserialize_with = "short")]
    pub(super) name: Option<String>,
    #[serde(default, deserialize_with = "short")]
    pub(super) sn: Option<String>,
    pub(super) effective_status: Option<String>,
    pub(super) merged_effective_status: Option<String>,
    pub(super) last_seen_at: Option<DateTime<Utc>>,
    pub(super) model: Option<Model>,
    pub(super) space: Option<Place>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Model {
    pub(super) id: Option<String>,
    #[serde(default, deserialize_with = "short")]
    pub(super) name: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Place {
    pub(super) id: Option<i64>,
    #[serde(default, deserialize_with = "short")]
    pub(super) full_path: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Incident {
    pub(super) id: String,
    pub(super) priority: Option<String>,
    #[serde(default, deserialize_with = "short")]
    pub(super) title: Option<String>,
    pub(super) device_id: Option<String>,
    pub(super) created_at: Option<DateTime<Utc>>,
    pub(super) updated_at: Option<DateTime<Utc>>,
    pub(super) status: Option<String>,
    #[serde(default, deserialize_with = "short")]
    pub(super) device_name: Option<String>,
    #[serde(default, rename = "space_tree_path_name", deserialize_with = "short")]
    pub(super) path: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Ticket {
    pub(super) id: String,
    #[serde(default, deserialize_with = "short")]
    pub(super) title: Option<String>,
    pub(super) device_id: Option<String>,
    pub(super) created_at: Option<DateTime<Utc>>,
}

/// The lists, read at about the same time.
#[derive(Debug)]
pub(super) struct Fleet {
    pub(super) devices: Vec<Device>,
    pub(super) incidents: Vec<Incident>,
    pub(super) tickets: Vec<Ticket>,
    /// Whether these are all devices there are.
    pub(super) all_devices: bool,
    /// Whether all three lists are whole.
    pub(super) complete: bool,
    pub(super) warnings: Vec<String>,
    pub(super) as_of: DateTime<Utc>,
}

impl Device {
    /// Its own status; a device that was only just claimed has none.
    pub(super) fn status(&self) -> &str {
        self.effective_status.as_deref().unwrap_or("unknown")
    }

    pub(super) fn is_down(&self) -> bool {
        matches!(self.status(), "offline" | "disconnected")
    }

    pub(super) fn space_id(&self) -> Option<i64> {
        self.space.as_ref().and_then(|space| space.id)
    }

    pub(super) fn path(&self) -> Option<&str> {
        self.space.as_ref().and_then(|space| space.full_path.as_deref())
    }
}

impl Fleet {
    /// Reads the lists, all devices or those of one space; without incidents or tickets the rest is still of use.
    pub(super) async fn read(desk: &Desk<'_>, space: Option<i64>) -> Result<Self, Failure> {
        let (devices, incidents, tickets) =
            futures::join!(devices(desk, space), incidents(desk), tickets(desk));
        let devices = devices?;
        let mut warnings = Vec::new();
        let incidents = secondary(incidents, "incidents", &mut warnings);
        let tickets = secondary(tickets, "tickets", &mut warnings);
        warnings.splice(0..0, devices.warnings);
        warnings.push(WINDOW.to_owned());
        Ok(Self {
            all_devices: devices.complete,
            complete: devices.complete && incidents.complete && tickets.complete,
            as_of: devices.as_of.min(incidents.as_of).min(tickets.as_of),
            devices: devices.rows,
            incidents: incidents.rows,
            tickets: tickets.rows,
            warnings,
        })
    }

    pub(super) fn incidents_of<'f>(
        &'f self,
        device: &'f str,
    ) -> impl Iterator<Item = &'f Incident> {
        self.incidents.iter().filter(move |row| row.device_id.as_deref() == Some(device))
    }

    pub(super) fn tickets_of<'f>(&'f self, device: &'f str) -> impl Iterator<Item = &'f Ticket> {
        self.tickets.iter().filter(move |row| row.device_id.as_deref() == Some(device))
    }
}

/// Reads a name, of one that is too long its beginning.
pub(super) fn short<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    let shorten = |name: String| match name.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &name[..end]),
        None => name,
    };
    Ok(Option::<String>::deserialize(from)?.map(shorten))
}

/// What is read of a device.
pub(super) const COLUMNS: [&str; 10] = [
    "id",
    "name",
    "sn",
    "effective_status",
    "merged_effective_status",
    "last_seen_at",
    "model.id",
    "model.name",
    "space.id",
    "space.full_path",
];

/// All devices, or those that the platform lists for a space.
pub(super) async fn devices(desk: &Desk<'_>, space: Option<i64>) -> Result<Rows<Device>, Failure> {
    let arguments = space.map(|id| ("space_id".to_owned(), id.into())).into_iter().collect();
    desk.list("list_devices", &arguments, &COLUMNS).await
}

/// Active incidents of any age.
pub(super) async fn incidents(desk: &Desk<'_>) -> Result<Rows<Incident>, Failure> {
    incidents_of(desk, &json!({"from": 0, "status": "active"})).await
}

/// Incidents of any age, active and closed.
pub(super) async fn ever(desk: &Desk<'_>) -> Result<Rows<Incident>, Failure> {
    incidents_of(desk, &json!({"from": 0})).await
}

/// Incidents that were raised in a time, active and closed.
pub(super) async fn raised(
    desk: &Desk<'_>,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
) -> Result<Rows<Incident>, Failure> {
    incidents_of(desk, &json!({"from": from.timestamp(), "to": to.timestamp()})).await
}

async fn incidents_of(desk: &Desk<'_>, asked: &Value) -> Result<Rows<Incident>, Failure> {
    let columns = [
        "id",
        "title",
        "priority",
        "device_id",
        "created_at",
        "updated_at",
        "status",
        "device_name",
        "space_tree_path_name",
    ];
    let asked = asked.as_object().cloned().unwrap_or_default();
    desk.list("list_incidents", &asked, &columns).await
}

/// Open tickets; the platform lists no others.
pub(super) async fn tickets(desk: &Desk<'_>) -> Result<Rows<Ticket>, Failure> {
    desk.list("list_tickets", &Arguments::new(), &["id", "title", "device_id", "created_at"]).await
}

/// The rows of a list that an answer can do without, and what its reader should know.
pub(super) fn secondary<T>(
    read: Result<Rows<T>, Failure>,
    what: &str,
    warnings: &mut Vec<String>,
) -> Rows<T> {
    match read {
        Ok(mut rows) => {
            warnings.append(&mut rows.warnings);
            rows
        }
        Err(failure) => {
            warnings.push(format!("{what} could not be read ({failure}); none are shown"));
            Rows { complete: false, ..Rows::default() }
        }
    }
}
