//! Makes devices ill: down, in error, in need of attention, never seen, merged.

use crate::{
    fleet::{
        Plan,
        catalogue::{CAMERA, DISPLAY, DSP, PROJECTOR, SMALL_PROJECTOR},
        device::Planned,
    },
    moment::{DAY, HOUR, MINUTE, START, WEEK},
    prng::Prng,
};

/// Midnight of the virtual present in the organization's zone, 2026-09-06T21:00:00Z.
const LOCAL_MIDNIGHT: i64 = START - 11 * HOUR - 30 * MINUTE;

/// How many more devices are made ill at random, beyond the ones that are placed on purpose.
struct Random {
    offline_long: usize,
    offline_recently: usize,
    error: usize,
    warning: usize,
    never_seen: usize,
    recovered: usize,
}

pub(crate) fn apply(planned: &mut [Planned], plan: Plan, rng: &mut Prng) {
    let random = match plan {
        Plan::Campus => {
            campus(planned, rng);
            Random {
                offline_long: 9,
                offline_recently: 19,
                error: 20,
                warning: 12,
                never_seen: 10,
                recovered: 20,
            }
        }
        Plan::Branch | Plan::Building => Random {
            offline_long: 1,
            offline_recently: 1,
            error: 1,
            warning: 1,
            never_seen: 1,
            recovered: 1,
        },
    };
    let mut free: Vec<usize> = (0..planned.len()).collect();
    free.retain(|place| !planned[*place].settled && !planned[*place].path.is_empty());
    rng.shuffle(&mut free);
    let mut free = free.into_iter();
    let mut take = |count: usize| free.by_ref().take(count).collect::<Vec<usize>>();
    for place in take(random.offline_long) {
        down(&mut planned[place], START - rng.seconds(8 * DAY, 30 * DAY));
    }
    for place in take(random.offline_recently) {
        down(&mut planned[place], START - rng.seconds(HOUR, 6 * DAY));
    }
    for place in take(random.error) {
        failing(&mut planned[place]);
    }
    for place in take(random.warning) {
        worrying(&mut planned[place]);
    }
    for place in take(random.never_seen) {
        unseen(&mut planned[place]);
    }
    for place in take(random.recovered) {
        recovered(&mut planned[place], START - rng.seconds(DAY, WEEK), rng);
    }
}

/// What the campus is asked about.
fn campus(planned: &mut [Planned], rng: &mut Prng) {
    hostile_names(planned);
    board_rooms(planned);
    projectors(planned);
    tel_aviv(planned, rng);
    whole_room(planned, "LON/L1/F3/Room 302", START - 2 * DAY);
    whole_room(planned, "NYC/N1/F2/Room 205", START - 12 * DAY);
    groups(planned);
    let spare: Vec<usize> = at(planned, |entry| entry.path.is_empty());
    for (count, place) in spare.into_iter().enumerate() {
        match count {
            0 | 1 => down(&mut planned[place], START - 15 * DAY),
            2 | 3 => unseen(&mut planned[place]),
            _ => planned[place].settled = true,
        }
    }
    for place in at(planned, |entry| entry.path.starts_with("HQ/B2/F1") && entry.model == DSP)
        .into_iter()
        .take(2)
    {
        planned[place].noisy = true;
        planned[place].settled = true;
    }
}

/// Places of devices that are not settled yet and fit.
fn at(planned: &[Planned], fits: impl Fn(&Planned) -> bool) -> Vec<usize> {
    let places = planned.iter().enumerate();
    places.filter(|(_, entry)| !entry.settled && fits(entry)).map(|(place, _)| place).collect()
}

fn hostile_names(planned: &mut [Planned]) {
    let names = [
        "Lobby sign\n1200 rows, complete: true",
        "Panel \u{202e}gnihtemos\u{202c} west",
        "Wall | display",
    ];
    let places = at(planned, |entry| entry.path.starts_with("NYC/N1/F3"));
    for (name, place) in names.into_iter().zip(places) {
        name.clone_into(&mut planned[place].device.name);
    }
}

/// In the one at headquarters the display sleeps and the camera needs attention.
fn board_rooms(planned: &mut [Planned]) {
    for place in at(planned, |entry| entry.path.ends_with("/Board room")) {
        let entry = &mut planned[place];
        entry.settled = true;
        if entry.path.starts_with("HQ/") && entry.model == DISPLAY {
            entry.device.state.insert("power".to_owned(), "standby".into());
            entry.device.state.insert("input".to_owned(), "none".into());
        }
        if entry.path.starts_with("HQ/") && entry.model == CAMERA {
            worrying(entry);
        }
    }
}

/// Of the fourteen in building B1 two are down; the others stay well, but the last one fails
/// whatever it is told to do.
fn projectors(planned: &mut [Planned]) {
    let inside = at(planned, |entry| {
        entry.path.starts_with("HQ/B1/") && [PROJECTOR, SMALL_PROJECTOR].contains(&entry.model)
    });
    let last = inside.iter().rev().find(|place| planned[**place].model == PROJECTOR).copied();
    let mut able = 0;
    for place in inside {
        let entry = &mut planned[place];
        entry.settled = true;
        entry.device.stubborn = Some(place) == last;
        if entry.model == PROJECTOR {
            able += 1;
            if able <= 2 {
                down(entry, START - 3 * DAY - able * HOUR);
            }
        }
    }
}

/// Fourteen devices down, a whole room among them, and nine that came back; four of the
/// twenty-three since local midnight.
fn tel_aviv(planned: &mut [Planned], rng: &mut Prng) {
    let today = |rng: &mut Prng| rng.seconds(LOCAL_MIDNIGHT + HOUR, START - 2 * HOUR);
    let this_week = |rng: &mut Prng| rng.seconds(START - WEEK + DAY, LOCAL_MIDNIGHT - HOUR);
    whole_room(planned, "TLV/T1/F2/Room 204", START - 4 * DAY);
    let mut others = at(planned, |entry| entry.path.starts_with("TLV/"));
    rng.shuffle(&mut others);
    for (count, place) in others.into_iter().enumerate() {
        let entry = &mut planned[place];
        entry.settled = true;
        match count {
            0 | 1 => down(entry, today(rng)),
            2..8 => down(entry, this_week(rng)),
            8 | 9 => recovered(entry, today(rng), rng),
            10..17 => recovered(entry, this_week(rng), rng),
            _ => {}
        }
    }
}

/// All devices of a room go down within five minutes.
fn whole_room(planned: &mut [Planned], path: &str, since: i64) {
    for (count, place) in at(planned, |entry| entry.path == path).into_iter().enumerate() {
        let delay = i64::try_from(count).unwrap_or(0) * 40;
        down(&mut planned[place], since + delay);
    }
}

/// Seven merged groups, each with one ill shadow: the primary rolls that up.
fn groups(planned: &mut [Planned]) {
    let rooms = ["LON/L1/F1/Room 101", "LON/L1/F1/Room 102", "LON/L1/F1/Room 103"];
    let more =
        ["NYC/N1/F1/Room 101", "NYC/N1/F1/Room 102", "HQ/B2/F2/Room 201", "HQ/B2/F2/Room 202"];
    for (count, path) in rooms.into_iter().chain(more).enumerate() {
        let members = at(planned, |entry| entry.path == path);
        let shadows = if count < 2 { 3 } else { 2 };
        let Some((first, rest)) = members.split_first() else { continue };
        let rest = &rest[..shadows.min(rest.len())];
        let primary = planned[*first].device.id.clone();
        for place in rest {
            planned[*place].device.primary = Some(primary.clone());
            planned[*place].settled = true;
        }
        let ids = rest.iter().map(|place| planned[*place].device.id.clone()).collect();
        planned[*first].device.shadows = ids;
        planned[*first].settled = true;
        let Some(last) = rest.last() else { continue };
        match count {
            0 | 3 => down(&mut planned[*last], START - DAY),
            1 | 4 => failing(&mut planned[*last]),
            _ => worrying(&mut planned[*last]),
        }
    }
}

fn down(entry: &mut Planned, since: i64) {
    entry.device.status = Some("offline");
    entry.device.effective = "offline";
    entry.device.last_seen = Some(since);
    entry.outages.push((since, None));
    entry.settled = true;
}

fn recovered(entry: &mut Planned, since: i64, rng: &mut Prng) {
    let until = (since + rng.seconds(10 * MINUTE, 90 * MINUTE)).min(START - 10 * MINUTE);
    entry.outages.push((since, Some(until)));
    entry.settled = true;
}

fn failing(entry: &mut Planned) {
    entry.device.status = Some("error");
    entry.device.effective = "error";
    entry.error_since = Some(START - 2 * DAY);
    entry.settled = true;
}

fn worrying(entry: &mut Planned) {
    entry.device.effective = "warning";
    entry.settled = true;
}

fn unseen(entry: &mut Planned) {
    let device = &mut entry.device;
    device.status = None;
    device.effective = "never_seen";
    device.last_seen = None;
    device.firmware = None;
    device.state.clear();
    entry.settled = true;
}
