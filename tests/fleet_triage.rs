//! What needs a hand: incidents and tickets, against what the sandbox itself knows; and honesty where some could not be read.

#![allow(clippy::unwrap_used, reason = "a test that finds nothing has failed")]

mod support;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use support::fleet::{DAY, NOW, ask, paths, rig, state};

/// The active incidents, as the sandbox knows them.
fn active(state: &Value) -> BTreeMap<String, &Value> {
    let incidents = state["incidents"].as_object().unwrap().iter();
    incidents
        .filter(|(_, row)| row["status"] == "active")
        .map(|(id, row)| (id.clone(), row))
        .collect()
}

/// Ids of the devices with an active incident.
fn ill(state: &Value) -> BTreeSet<String> {
    let active = active(state);
    active.values().filter_map(|row| row["device_id"].as_str().map(str::to_owned)).collect()
}

/// The open tickets with the moment of their newest comment.
fn open(state: &Value) -> BTreeMap<String, (&Value, i64)> {
    let tickets = state["tickets"].as_object().unwrap().iter();
    let newest = |ticket: &Value| {
        let comments = ticket["comments"].as_array().unwrap().iter();
        comments.chain([ticket]).map(|it| it["created"].as_i64().unwrap()).max().unwrap()
    };
    let open = tickets.filter(|(_, ticket)| ticket["open"] == true);
    open.map(|(id, ticket)| (id.clone(), (ticket, newest(ticket)))).collect()
}

fn ids(list: &Value) -> BTreeSet<String> {
    list.as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn every_active_incident_is_listed_the_old_and_those_without_a_device_as_well() {
    let rig = rig("baseline seed 5");
    let result = ask(&rig, "incident_triage", json!({})).await;
    let answer = &result["structuredContent"];
    let state = state(&rig.0).await;
    let active = active(&state);
    let rows: Vec<&Value> = answer["groups"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|group| group["incidents"].as_array().unwrap())
        .collect();
    let listed: BTreeSet<&str> = rows.iter().map(|row| row["id"].as_str().unwrap()).collect();
    assert_eq!(listed, active.keys().map(String::as_str).collect::<BTreeSet<_>>());
    let old =
        active.values().filter(|row| row["created"].as_i64().unwrap() < NOW - 7 * DAY).count();
    let without = active.values().filter(|row| row["device_id"].is_null()).count();
    assert_eq!((active.len(), old, without), (71, 19, 4), "as planted");
    let totals = &answer["totals"];
    assert_eq!(
        (&totals["active"], &totals["older_than_7_days"], &totals["without_device"]),
        (&json!(71), &json!(19), &json!(4))
    );
    for row in rows {
        check(row, &state);
    }
    let order: Vec<&str> = answer["groups"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["priority"].as_str().unwrap())
        .collect();
    let place = |it: &&str| {
        ["critical", "high", "moderate", "low", "planning"].iter().position(|p| p == it)
    };
    assert!(order.is_sorted_by_key(place), "{order:?}");
    assert_eq!((&answer["complete"], answer.get("left_out")), (&json!(true), None));
    assert!(answer["warnings"].to_string().contains("incident window"), "{answer}");
}

/// Holds a row to what the sandbox knows: how often it came, what else is wrong in its room, the tickets.
fn check(row: &Value, state: &Value) {
    let (active, paths, tickets) = (active(state), paths(state), open(state));
    let own = active[row["id"].as_str().unwrap()];
    // Nothing tells whether two without a device are about the same.
    let is_same = |other: &&Value| {
        other["id"] == own["id"]
            || (own["device_id"].is_string()
                && (&other["device_id"], &other["title"]) == (&own["device_id"], &own["title"])
                && other["created"].as_i64().unwrap() >= NOW - 30 * DAY)
    };
    let same = state["incidents"].as_object().unwrap().values().filter(is_same).count();
    assert_eq!(row.get("seen_30d").map_or(1, |it| it.as_u64().unwrap()), same as u64, "{row}");
    let Some(device) = own["device_id"].as_str() else { return };
    assert_eq!(row["room"].as_str().unwrap_or_default(), paths[device]);
    let in_room = active.values().filter(|other| {
        let path = other["device_id"].as_str().map(|id| &paths[id]);
        !paths[device].is_empty() && path == Some(&paths[device])
    });
    let neighbors = in_room.count().saturating_sub(1);
    let told = row.get("same_room").map_or(0, |it| it.as_u64().unwrap());
    assert_eq!(told, neighbors as u64, "{row}");
    let about = tickets.iter().filter(|(_, (ticket, _))| ticket["device_id"] == device);
    let known: BTreeSet<&str> = about.map(|(id, _)| id.as_str()).collect();
    let told = row.get("tickets").and_then(Value::as_array).into_iter().flatten();
    assert_eq!(told.map(|id| id.as_str().unwrap()).collect::<BTreeSet<_>>(), known, "{row}");
}

#[tokio::test]
async fn one_incident_is_told_with_its_neighbors_and_its_past() {
    let rig = rig("baseline seed 5");
    let state = state(&rig.0).await;
    let paths = paths(&state);
    let active = active(&state);
    let room = "TLV/T1/F2/Room 204";
    let in_room: BTreeSet<&String> = active
        .iter()
        .filter(|(_, row)| row["device_id"].as_str().is_some_and(|id| paths[id] == room))
        .map(|(id, _)| id)
        .collect();
    let id = *in_room.first().unwrap();
    let result = ask(&rig, "incident_triage", json!({"incident_id": id})).await;
    let incident = &result["structuredContent"]["incident"];
    let told = ids(&incident["same_room"]);
    let others: BTreeSet<&String> = in_room.into_iter().filter(|other| *other != id).collect();
    assert_eq!((told.iter().collect::<BTreeSet<_>>(), others.len()), (others, 5));
    assert!(told.is_subset(&ids(&incident["same_time"])), "they went down together");
    assert_eq!(
        (&incident["age_hours"], &incident["device_status_now"]),
        (&json!(95), &json!("offline"))
    );
    let closed = state["incidents"].as_object().unwrap().iter().find(|(_, row)| {
        row["status"] == "closed" && row["created"].as_i64().unwrap() > NOW - 20 * DAY
    });
    for (id, hint) in [(closed.unwrap().0.as_str(), "closed"), ("no-such-id", "lists all active")] {
        let refused = ask(&rig, "incident_triage", json!({"incident_id": id})).await;
        let error = &refused["structuredContent"]["error"];
        assert_eq!(error["code"], "not_found");
        assert!(error["hint"].as_str().unwrap().contains(hint), "{error}");
    }
}

#[tokio::test]
async fn without_the_past_or_the_tickets_the_incidents_are_still_told_and_nothing_is_counted() {
    // The second and later requests for incidents are the ones for the past.
    for fault in ["500 path=*/tickets", "500 path=*/incidents from=2"] {
        let rig = rig(&format!("baseline+{fault}"));
        let result = ask(&rig, "incident_triage", json!({})).await;
        let answer = &result["structuredContent"];
        assert_eq!(
            (&answer["complete"], &answer["totals"]),
            (&json!(false), &Value::Null),
            "{fault}"
        );
        assert!(answer["warnings"].to_string().contains("could not be read"), "{answer}");
        assert!(answer["groups"].as_array().unwrap().len() > 3);
    }
}

#[tokio::test]
async fn stale_tickets_are_found_by_their_newest_comment_and_orphans_by_their_device() {
    let rig = rig("baseline seed 5");
    let result = ask(&rig, "ticket_triage", json!({})).await;
    let answer = &result["structuredContent"];
    let known = state(&rig.0).await;
    let (open, ill) = (open(&known), ill(&known));
    let chosen = |fits: &dyn Fn(&Value, i64) -> bool| -> BTreeSet<String> {
        open.iter().filter(|(_, (row, at))| fits(row, *at)).map(|(id, _)| id.clone()).collect()
    };
    let is_ill = |row: &Value| row["device_id"].as_str().is_some_and(|id| ill.contains(id));
    let is_gone = |row: &Value| {
        row["device_id"].as_str().is_some_and(|id| known["devices"].get(id).is_none())
    };
    let stale = chosen(&|_, at| at <= NOW - 30 * DAY);
    let stale_ill = chosen(&|row, at| at <= NOW - 30 * DAY && is_ill(row));
    let orphans = chosen(&|row, _| is_gone(row));
    assert_eq!(
        (open.len(), stale.len(), stale_ill.len(), orphans.len()),
        (84, 31, 6, 3),
        "as planted"
    );
    assert_eq!(ids(&answer["stale_with_active_incident"]), stale_ill);
    assert_eq!(ids(&answer["orphaned"]), orphans);
    let rest: BTreeSet<String> = stale
        .iter()
        .filter(|id| !stale_ill.contains(*id) && !orphans.contains(*id))
        .cloned()
        .collect();
    assert_eq!(ids(&answer["stale"]), rest);
    assert_eq!(
        ids(&answer["active_incident"]),
        chosen(&|row, at| at > NOW - 30 * DAY && is_ill(row))
    );
    assert_eq!(
        answer["totals"],
        json!({"open": 84, "stale": 31, "stale_with_active_incident": 6, "orphaned": 3,
            "with_active_incident": chosen(&|row, _| is_ill(row)).len()})
    );
    assert_eq!((&answer["complete"], &answer["unread"]), (&json!(true), &json!([])));
    // A word today, and it is stale no more.
    let (ticket, message) = (stale_ill.first().unwrap(), "We are on it.");
    let server = &rig.1;
    let said = json!({"ticket_id": ticket, "message": message});
    let headers = [("x-xyte-api-key", support::KEY_A), ("x-mcp-toolsets", "all")];
    assert_ne!(server.call("send_ticket_message", said, &headers).await["isError"], true);
    let result = ask(&rig, "ticket_triage", json!({"fresh": true})).await;
    assert_eq!(result["structuredContent"]["totals"]["stale"], 30);
}

#[tokio::test]
async fn a_ticket_that_cannot_be_read_is_named_and_not_called_fresh_or_stale() {
    let rig = rig("baseline seed 5");
    let state = state(&rig.0).await;
    let broken = open(&state).into_keys().next().unwrap();
    support::fleet::admin(&rig.0, "/faults", format!("500 path=*/tickets/{broken}")).await;
    let result = ask(&rig, "ticket_triage", json!({})).await;
    let answer = &result["structuredContent"];
    assert_eq!(answer["complete"], false);
    assert!(answer["unread"].as_array().unwrap().contains(&json!(broken)), "{}", answer["unread"]);
    assert_eq!(
        (&answer["totals"]["open"], &answer["totals"]["stale"]),
        (&Value::Null, &Value::Null)
    );

    let rig = support::fleet::rig("baseline+page-7-fails");
    let result = ask(&rig, "ticket_triage", json!({})).await;
    let answer = &result["structuredContent"];
    assert_eq!((&answer["complete"], &answer["totals"]["orphaned"]), (&json!(false), &Value::Null));
    assert_eq!((&answer["totals"]["stale"], &answer["orphaned"]), (&json!(31), &json!([])));
    assert!(
        answer["warnings"].to_string().contains("no ticket is said to be orphaned"),
        "{answer}"
    );
}
