//! Which device a person means by an id, a serial number, a path or a name. It guesses nothing.

use chrono::{DateTime, Utc};
use serde_json::json;
use xyte_mcp_runtime::dispatch::desk::Desk;
use xyte_mcp_runtime::failure::Failure;

use super::fleet::{self, COLUMNS, Device};
use super::meant::Wanted;

/// Finds one device: an id is read, anything else is looked up in the whole list.
pub(super) async fn one(desk: &Desk<'_>, wanted: &str) -> Result<(Device, DateTime<Utc>), Failure> {
    let wanted = wanted.trim();
    if is_id(wanted) {
        let arguments = json!({"device_id": wanted});
        let arguments = arguments.as_object().cloned().unwrap_or_default();
        return desk.object("get_device", &arguments, &COLUMNS).await;
    }
    let devices = fleet::devices(desk, None).await?;
    let found = among(&devices.rows, wanted);
    let named = Wanted { kind: "device", name: wanted, all: devices.complete };
    match found.as_slice() {
        [one] if devices.complete => Ok(((*one).clone(), devices.as_of)),
        [] => Err(named.unknown(&candidates(&near(&devices.rows, wanted)))),
        several => Err(named.ambiguous(&candidates(several))),
    }
}

/// Whether a text has the form of the platform's ids of devices.
fn is_id(text: &str) -> bool {
    let parts: Vec<usize> = text.split('-').map(str::len).collect();
    parts == [8, 4, 4, 4, 12] && text.chars().all(|char| char.is_ascii_hexdigit() || char == '-')
}

fn among<'d>(devices: &'d [Device], wanted: &str) -> Vec<&'d Device> {
    let folded = wanted.trim_matches('/').to_lowercase();
    let exact = devices.iter().filter(|device| {
        let is = |name: &Option<String>| {
            name.as_deref().is_some_and(|name| name.to_lowercase() == folded)
        };
        device.id == wanted || is(&device.sn) || is(&device.name)
    });
    let exact: Vec<&Device> = exact.collect();
    if !exact.is_empty() || !folded.contains('/') {
        return exact;
    }
    let by_path = devices.iter().filter(|device| {
        let path = format!("/{}", place(device).to_lowercase());
        path.ends_with(&format!("/{folded}"))
    });
    by_path.collect()
}

/// A device with the path of its space.
fn place(device: &Device) -> String {
    let name = device.name.as_deref().unwrap_or_default();
    device.path().map_or_else(|| name.to_owned(), |path| format!("{path}/{name}"))
}

/// The devices whose name is like this, the likest first.
fn near<'d>(devices: &'d [Device], wanted: &str) -> Vec<&'d Device> {
    let folded = wanted.to_lowercase();
    let near = |device: &Device| {
        let name = device.name.as_deref().unwrap_or_default().to_lowercase();
        strsim::jaro_winkler(&name, &folded)
    };
    let mut close: Vec<&Device> = devices.iter().filter(|device| near(device) > 0.85).collect();
    close.sort_by(|left, right| near(right).total_cmp(&near(left)));
    close
}

fn candidates(devices: &[&Device]) -> Vec<(String, String)> {
    devices.iter().map(|device| (device.id.clone(), place(device))).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_name_is_enough_where_one_device_has_it_and_its_path_where_two_have() {
        let device = |id: &str, name: &str, path: Option<&str>| -> Device {
            let space = path.map(|path| json!({"id": 1, "full_path": path}));
            let row: Value =
                json!({"id": id, "name": name, "sn": format!("SN-{id}"), "space": space});
            serde_json::from_value(row).unwrap()
        };
        let devices = [
            device("a", "Camera", Some("HQ/Board room")),
            device("b", "Camera", Some("TLV/Board room")),
            device("c", "Wall display", None),
        ];
        let found = |wanted: &str| -> Vec<&str> {
            among(&devices, wanted).into_iter().map(|device| device.id.as_str()).collect()
        };
        assert_eq!(found("wall DISPLAY"), ["c"]);
        assert_eq!(found("camera"), ["a", "b"]);
        assert_eq!(found("tlv/board room/camera"), ["b"]);
        assert_eq!(found("sn-b"), ["b"]);
        assert_eq!(found("V/Board room/Camera"), [""; 0], "no part of a name is a name");
        let like = |wanted: &str| candidates(&near(&devices, wanted));
        assert_eq!(like("wall displai"), [("c".to_owned(), "Wall display".to_owned())]);
        assert!(is_id("5b0c8c1e-6f0a-4a51-9d3c-0c5f2f1b7a10") && !is_id("Camera-1234-5678-9abc-x"));
    }
}
