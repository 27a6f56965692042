//! Why the devices of a room are down, as far as their last signs of life tell.

use chrono::{DateTime, TimeDelta, Utc};

use super::super::fleet::Device;

/// Devices that went down within this time of each other went down together.
const TOGETHER: TimeDelta = TimeDelta::minutes(5);

/// The class of a room's trouble; none where nothing is down.
pub(super) fn cause(
    matched: &[&Device],
    room: &[&Device],
    all_devices: bool,
) -> Option<&'static str> {
    if matched.iter().all(|device| device.status() == "never_seen") {
        return Some("never_seen");
    }
    if !matched.iter().any(|device| device.is_down()) {
        return None;
    }
    let down: Vec<&&Device> = room.iter().filter(|device| device.is_down()).collect();
    let times: Option<Vec<DateTime<Utc>>> = down.iter().map(|device| device.last_seen_at).collect();
    let Some(mut times) = times else { return Some("unknown") };
    times.sort_unstable();
    let others_are_up = down.len() < room.len();
    let together = |pair: &[DateTime<Utc>]| pair[1] - pair[0] <= TOGETHER;
    let all_together =
        times.last().zip(times.first()).is_some_and(|(last, first)| *last - *first <= TOGETHER);
    Some(match (others_are_up, down.len()) {
        // Devices on pages that could not be read may be up, or have gone down with these.
        _ if !all_devices => "unknown",
        (false, 2..) if all_together => "whole_room_down",
        (true, _) if !times.windows(2).any(together) => "single_device",
        (false, 1) => "single_device",
        _ => "unknown",
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// Devices by status and the minute of their last sign of life.
    fn room(devices: &[(&str, i64)]) -> Vec<Device> {
        let device = |(status, minute): &(&str, i64)| -> Value {
            json!({"id": "x", "effective_status": status, "last_seen_at": format!("2026-09-07T08:{minute:02}:00Z")})
        };
        devices.iter().map(|it| serde_json::from_value(device(it)).unwrap()).collect()
    }

    #[test]
    fn a_room_is_down_only_when_every_device_was_read_and_all_went_within_five_minutes() {
        let class = |devices: &[(&str, i64)], all| {
            let room = room(devices);
            let room: Vec<&Device> = room.iter().collect();
            let ill: Vec<&Device> =
                room.iter().copied().filter(|device| device.status() != "ok").collect();
            cause(&ill, &room, all)
        };
        let (up, off) = ("ok", "offline");
        assert_eq!(class(&[(off, 1), (off, 6)], true), Some("whole_room_down"));
        assert_eq!(class(&[(off, 1), (off, 6)], false), Some("unknown"));
        assert_eq!(class(&[(off, 1), (off, 7)], true), Some("unknown"));
        assert_eq!(class(&[(off, 1), (up, 1)], true), Some("single_device"));
        assert_eq!(class(&[(off, 1), (up, 1)], false), Some("unknown"));
        assert_eq!(class(&[(off, 1), (off, 9), (up, 1)], true), Some("single_device"));
        assert_eq!(class(&[(off, 1), (off, 2), (up, 1)], true), Some("unknown"));
        assert_eq!(class(&[("never_seen", 1), (up, 1)], true), Some("never_seen"));
        assert_eq!(class(&[("error", 1), (up, 1)], true), None);
    }
}
