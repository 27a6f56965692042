//! The trees of places, and the rooms that devices go into.

use serde_json::{Map, Value, json};

use crate::{
    fleet::Plan,
    moment::{DAY, START},
    nouns::space::Space,
    tenant::Tenant,
};

/// A room that devices go into.
#[derive(Debug, Clone)]
pub(crate) struct Room {
    pub(crate) id: i64,
    pub(crate) name: String,
    /// Names from the root down.
    pub(crate) path: String,
}

/// A site: its name, its time zone with minutes from UTC, its buildings with their floors.
type Site = (&'static str, (&'static str, i64), &'static [(&'static str, i64)]);

const CAMPUS: &[Site] = &[
    ("HQ", ("Asia/Jerusalem", 180), &[("B1", 9), ("B2", 4)]),
    ("TLV", ("Asia/Jerusalem", 180), &[("T1", 4), ("T2", 4)]),
    ("LON", ("Europe/London", 60), &[("L1", 4)]),
    ("NYC", ("America/New_York", -240), &[("N1", 3)]),
];
const BRANCH: &[Site] = &[("HQ", ("Asia/Jerusalem", 180), &[("B1", 1)])];
const ROOMS_ON_A_FLOOR: i64 = 7;

/// Rooms whose names make trouble, or are asked for by name.
const NAMED: &[(&str, &str)] = &[
    ("HQ/B1/F9/Room 901", "Board room"),
    ("TLV/T2/F3/Room 301", "Board room"),
    ("HQ/B1/F1/Room 101", "Board room"), // Of the branch only: the campus keeps its two.
    ("TLV/T1/F1/Room 102", "חדר ישיבות"),
    ("LON/L1/F2/Room 203", "Focus 🚀"),
    ("NYC/N1/F1/Room 104", "Lab | East\nWing"),
];

/// Makes the tenant's spaces; gives the rooms that take devices.
pub(crate) fn build(tenant: &mut Tenant, plan: Plan) -> Vec<Room> {
    let mut rooms = Vec::new();
    if plan != Plan::Branch {
        rooms.extend(northwind(tenant, plan));
    }
    let (sites, first) = match plan {
        Plan::Campus => (CAMPUS, 2200),
        Plan::Branch => (BRANCH, 7000),
        Plan::Building => return rooms,
    };
    let mut next = first;
    for (site, zone, buildings) in sites {
        let at = put(tenant, &mut next, None, ("site", site, located(*zone)));
        for (building, floors) in *buildings {
            let above = put(tenant, &mut next, Some(at), ("building", building, inherited()));
            for floor in 1..=*floors {
                let name = format!("F{floor}");
                let above = put(tenant, &mut next, Some(above), ("floor", &name, inherited()));
                for number in 1..=ROOMS_ON_A_FLOOR {
                    let number = format!("Room {}", floor * 100 + number);
                    let path = format!("{site}/{building}/F{floor}/{number}");
                    let name = name_of(&path, number, plan);
                    let id = put(tenant, &mut next, Some(above), ("room", &name, inherited()));
                    rooms.push(Room { id, path: tenant.full_path(id), name });
                }
            }
        }
    }
    rooms
}

fn name_of(path: &str, number: String, plan: Plan) -> String {
    let branch_only = path.starts_with("HQ/B1/F1/");
    let named = NAMED.iter().find(|(known, _)| *known == path);
    match named {
        Some((_, name)) if branch_only == (plan == Plan::Branch) => (*name).to_owned(),
        _ => number,
    }
}

/// The site of the documented examples, with its well-known numbers.
fn northwind(tenant: &mut Tenant, plan: Plan) -> Vec<Room> {
    let mut fixed = |mut id: i64, parent: Option<i64>, kind, name: &str| {
        let config = if parent.is_none() { located(("Europe/Oslo", 120)) } else { inherited() };
        put(tenant, &mut id, parent, (kind, name, config))
    };
    fixed(2000, None, "site", "Northwind");
    fixed(2010, Some(2000), "building", "Oslo");
    fixed(2100, Some(2010), "floor", "Floor 3");
    let mut rooms = vec![
        fixed(2104, Some(2100), "room", "Fjord lounge"),
        fixed(2110, Some(2100), "room", "Skog"),
    ];
    fixed(2199, Some(2100), "room", "Spare room");
    if plan == Plan::Building {
        rooms.push(fixed(2120, Some(2100), "room", "Board"));
        rooms.push(fixed(2121, Some(2100), "room", "Huddle"));
    }
    if let Some(fjord) = tenant.spaces.get_mut(&2104) {
        fjord.config.insert("temperature_units".to_owned(), json!("celsius"));
    }
    let name = |id: &i64| tenant.spaces.get(id).map(|space| space.name.clone()).unwrap_or_default();
    let room = |id: i64| Room { id, name: name(&id), path: tenant.full_path(id) };
    rooms.into_iter().map(room).collect()
}

fn put(
    tenant: &mut Tenant,
    next: &mut i64,
    parent_id: Option<i64>,
    (kind, name, config): (&'static str, &str, Map<String, Value>),
) -> i64 {
    let id = *next;
    *next += 1;
    let created = START - 370 * DAY;
    let space = Space { id, name: name.to_owned(), parent_id, kind: Some(kind), config, created };
    tenant.spaces.insert(id, space);
    id
}

fn located((zone, offset): (&str, i64)) -> Map<String, Value> {
    let location = json!({ "region_name": zone, "utc_offset": offset });
    Map::from_iter([("location".to_owned(), location)])
}

fn inherited() -> Map<String, Value> {
    Map::from_iter([("inherit_location".to_owned(), json!(true))])
}
