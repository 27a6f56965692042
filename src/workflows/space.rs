//! Which space a person means by an id, a path or a name, and what lies below it. It reads the list of spaces and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, FixedOffset, SecondsFormat, Utc};
use serde::Deserialize;
use serde_json::Value;
use xyte_mcp_runtime::dispatch::desk::{Arguments, Desk};
use xyte_mcp_runtime::failure::Failure;

use super::meant::Wanted;

#[derive(Debug, Deserialize)]
struct Row {
    id: i64,
    #[serde(default, deserialize_with = "super::fleet::short")]
    name: Option<String>,
    parent_id: Option<i64>,
    space_type: Option<String>,
    /// Of any form: a space is of use without.
    #[serde(default)]
    config: Value,
}

/// Where a space is, as far as time goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Zone {
    /// Its IANA name.
    pub(super) name: String,
    pub(super) minutes_from_utc: i64,
}

impl Zone {
    /// What clocks show there.
    pub(super) fn local(&self, at: DateTime<Utc>) -> Option<DateTime<FixedOffset>> {
        let seconds = i32::try_from(self.minutes_from_utc.checked_mul(60)?).ok()?;
        Some(at.with_timezone(&FixedOffset::east_opt(seconds)?))
    }

    /// Adds what clocks show there: who asks for a time of day means that one.
    pub(super) fn tell(&self, answer: &mut Value, at: DateTime<Utc>) {
        answer["time_zone"] = self.name.as_str().into();
        if let Some(local) = self.local(at) {
            answer["local_time"] = local.to_rfc3339_opts(SecondsFormat::Secs, true).into();
        }
    }
}

/// All spaces with their paths.
#[derive(Debug)]
pub(super) struct Spaces {
    paths: BTreeMap<i64, String>,
    names: BTreeMap<i64, String>,
    parents: BTreeMap<i64, i64>,
    zones: BTreeMap<i64, Zone>,
    /// Those that are rooms by their type.
    rooms: BTreeSet<i64>,
    pub(super) complete: bool,
    pub(super) warnings: Vec<String>,
    pub(super) as_of: DateTime<Utc>,
}

/// One space and everything below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Scope {
    pub(super) id: i64,
    pub(super) path: String,
    pub(super) ids: BTreeSet<i64>,
    /// Its own time zone, or that of the nearest space above it that has one.
    pub(super) zone: Option<Zone>,
    /// Whether all spaces could be read.
    pub(super) complete: bool,
    pub(super) warnings: Vec<String>,
    pub(super) as_of: DateTime<Utc>,
}

impl Spaces {
    pub(super) async fn read(desk: &Desk<'_>) -> Result<Self, Failure> {
        let columns = [
            "id",
            "name",
            "parent_id",
            "space_type",
            "config.location.region_name",
            "config.location.utc_offset",
        ];
        let rows = desk.list::<Row>("list_spaces", &Arguments::new(), &columns).await?;
        Ok(Self {
            as_of: rows.as_of,
            complete: rows.complete,
            warnings: rows.warnings,
            ..Self::of(rows.rows)
        })
    }

    fn of(rows: Vec<Row>) -> Self {
        let is_room = |row: &&Row| row.space_type.as_deref() == Some("room");
        let rooms = rows.iter().filter(is_room).map(|row| row.id).collect();
        let parents = rows.iter().filter_map(|row| Some((row.id, row.parent_id?))).collect();
        let zones = rows.iter().filter_map(|row| Some((row.id, zone(&row.config)?))).collect();
        let names: BTreeMap<i64, String> =
            rows.into_iter().map(|row| (row.id, row.name.unwrap_or_default())).collect();
        let mut spaces = Self {
            paths: BTreeMap::new(),
            names,
            parents,
            zones,
            rooms,
            complete: true,
            warnings: Vec::new(),
            as_of: DateTime::<Utc>::MAX_UTC,
        };
        spaces.paths = spaces.names.keys().map(|id| (*id, spaces.path_of(*id))).collect();
        spaces
    }

    /// The space that is meant, with all below it.
    pub(super) fn scope(&self, wanted: &str) -> Result<Scope, Failure> {
        let id = self.find(wanted)?;
        let ids = self.names.keys().copied().filter(|below| self.line(*below).contains(&id));
        Ok(Scope {
            id,
            as_of: self.as_of,
            zone: self.line(id).iter().find_map(|id| self.zones.get(id)).cloned(),
            path: self.paths.get(&id).cloned().unwrap_or_default(),
            ids: ids.collect(),
            complete: self.complete,
            warnings: self.warnings.clone(),
        })
    }

    /// Id, name and path of each.
    pub(super) fn all(&self) -> impl Iterator<Item = (i64, &str, &str)> {
        let called = |id| self.names.get(id).map_or("", String::as_str);
        self.paths.iter().map(move |(id, path)| (*id, called(id), path.as_str()))
    }

    /// Whether its type says that it is a room.
    pub(super) fn is_room(&self, id: i64) -> bool {
        self.rooms.contains(&id)
    }

    fn find(&self, wanted: &str) -> Result<i64, Failure> {
        let wanted = wanted.trim().trim_matches('/');
        if let Some(id) = wanted.parse().ok().filter(|id| self.names.contains_key(id)) {
            return Ok(id);
        }
        let folded = wanted.to_lowercase();
        let end = format!("/{folded}");
        let called = |fits: &dyn Fn(&str) -> bool| -> Vec<i64> {
            let paths = self.paths.iter();
            paths.filter(|(_, path)| fits(&path.to_lowercase())).map(|(id, _)| *id).collect()
        };
        let whole = called(&|path| path == folded);
        let by_path = !whole.is_empty();
        let found = if by_path { whole } else { called(&|path| path.ends_with(&end)) };
        let named = Wanted { kind: "space", name: wanted, all: self.complete };
        match found.as_slice() {
            // A whole path is enough where others may be missing, a name is not.
            [id] if self.complete || (by_path && self.is_rooted(*id)) => Ok(*id),
            [] => Err(named.unknown(&self.candidates(&self.near(wanted)))),
            several => Err(named.ambiguous(&self.candidates(several))),
        }
    }

    /// Whether all that is above a space is known.
    fn is_rooted(&self, id: i64) -> bool {
        self.line(id).iter().all(|above| self.names.contains_key(above))
    }

    /// The spaces whose name or path is like this, the likest first.
    fn near(&self, wanted: &str) -> Vec<i64> {
        let folded = wanted.to_lowercase();
        let near = |id: &i64| {
            let name = self.names.get(id).map(|name| name.to_lowercase()).unwrap_or_default();
            let path = self.paths.get(id).map(|path| path.to_lowercase()).unwrap_or_default();
            strsim::jaro_winkler(&name, &folded).max(strsim::jaro_winkler(&path, &folded))
        };
        let mut ids: Vec<i64> = self.names.keys().copied().filter(|id| near(id) > 0.8).collect();
        ids.sort_by(|left, right| near(right).total_cmp(&near(left)));
        ids
    }

    fn candidates(&self, ids: &[i64]) -> Vec<(String, String)> {
        let path = |id| self.paths.get(id).cloned().unwrap_or_default();
        ids.iter().map(|id| (id.to_string(), path(id))).collect()
    }

    /// The space and those above it, from below; a circle ends where it closes.
    fn line(&self, id: i64) -> Vec<i64> {
        let mut line = vec![id];
        let mut at = id;
        while let Some(parent) = self.parents.get(&at).filter(|parent| !line.contains(parent)) {
            line.push(*parent);
            at = *parent;
        }
        line
    }

    fn path_of(&self, id: i64) -> String {
        let mut names: Vec<&str> =
            self.line(id).iter().filter_map(|id| self.names.get(id)).map(String::as_str).collect();
        names.reverse();
        names.join("/")
    }
}

/// The zone that a space's own settings name.
fn zone(config: &Value) -> Option<Zone> {
    let location = config.get("location")?;
    let name = location.get("region_name")?.as_str()?.to_owned();
    // Whole minutes, however they are written.
    let minutes_from_utc = location.get("utc_offset")?.to_string().parse::<f64>().ok()?;
    #[allow(
        clippy::cast_possible_truncation,
        reason = "no zone is further than some hundred minutes"
    )]
    Some(Zone { name, minutes_from_utc: minutes_from_utc as i64 })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn spaces() -> Spaces {
        Spaces::of(rows())
    }

    fn rows() -> Vec<Row> {
        let row = |id, name: &str, parent_id| Row {
            id,
            name: Some(name.to_owned()),
            parent_id,
            space_type: None,
            config: match id {
                1 => json!({"location": {"region_name": "Atlantic/Azores", "utc_offset": -90}}),
                _ => Value::Null,
            },
        };
        vec![
            row(1, "HQ", None),
            row(2, "Board room", Some(1)),
            row(3, "TLV", None),
            row(4, "Board room", Some(3)),
        ]
    }

    #[test]
    fn a_name_that_two_spaces_have_is_not_guessed_and_its_path_is_enough() {
        let spaces = spaces();
        let refused = spaces.scope("board room").unwrap_err();
        assert_eq!(refused.code, "ambiguous_name");
        assert_eq!(
            refused.hint.unwrap(),
            "Ask which one is meant, and pass its id: 2 `HQ/Board room`, 4 `TLV/Board room`."
        );
        assert_eq!(spaces.scope("tlv/board room").unwrap().ids, BTreeSet::from([4]));
        assert_eq!(spaces.scope("1").unwrap().ids, BTreeSet::from([1, 2]));
        let hint = spaces.scope("HQ/Bord room").unwrap_err().hint.unwrap();
        assert!(hint.starts_with("Near: 2 `HQ/Board room`"), "{hint}");
    }

    #[test]
    fn in_a_list_with_gaps_a_name_is_not_taken_for_the_only_one_and_a_whole_path_is() {
        let mut rows = rows();
        rows.retain(|row| ![3, 4].contains(&row.id));
        let spaces = Spaces { complete: false, ..Spaces::of(rows) };
        let refused = spaces.scope("Board room").unwrap_err();
        assert_eq!(refused.code, "ambiguous_name");
        assert!(refused.hint.unwrap().ends_with("2 `HQ/Board room`."));
        for sure in ["2", "HQ/Board room", "HQ"] {
            assert!(spaces.scope(sure).is_ok(), "{sure}");
        }
        let refused = spaces.scope("TLV").unwrap_err();
        assert_eq!(refused.code, "not_found");
        assert!(refused.message.ends_with("among those that could be read"), "{}", refused.message);
        // Without what is above it, a room looks like a site.
        let mut orphan = self::rows();
        orphan.retain(|row| row.id == 4);
        let spaces = Spaces { complete: false, ..Spaces::of(orphan) };
        assert_eq!(spaces.scope("Board room").unwrap_err().code, "ambiguous_name");
    }

    #[test]
    fn a_room_has_the_time_of_the_space_above_it() {
        let spaces = spaces();
        let noon = "2026-09-07T12:00:00Z".parse().unwrap();
        let zone = |id: &str| spaces.scope(id).unwrap().zone;
        let local = zone("2").unwrap().local(noon).unwrap();
        assert_eq!(local.to_rfc3339(), "2026-09-07T10:30:00-01:30");
        assert!(zone("4").is_none());
    }
}
