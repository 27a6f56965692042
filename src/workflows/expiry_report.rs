//! `expiry_report`: which licenses end soon or ended, and which devices run older firmware than others of their model.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use xyte_mcp_runtime::dispatch::desk::{Arguments, Computed, Desk};
use xyte_mcp_runtime::failure::Failure;
use xyte_mcp_runtime::shape::table::foot;

use super::answer;
use super::fleet::{secondary, short};
use crate::generated::workflows::ExpiryReport;

const USUAL_DAYS: i64 = 60;

#[derive(Debug, Deserialize)]
struct License {
    id: String,
    state: Option<String>,
    expires_at: Option<DateTime<Utc>>,
    device: Option<Ref>,
    product: Option<Ref>,
}

#[derive(Debug, Deserialize)]
struct Ref {
    id: Option<String>,
    #[serde(default, deserialize_with = "short")]
    name: Option<String>,
    #[serde(default, deserialize_with = "short")]
    sn: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Device {
    id: String,
    #[serde(default, deserialize_with = "short")]
    name: Option<String>,
    model: Option<Ref>,
    firmware: Option<Firmware>,
}

#[derive(Debug, Deserialize)]
struct Firmware {
    #[serde(default, deserialize_with = "short")]
    version: Option<String>,
}

#[derive(Debug, Serialize)]
struct Ending {
    license_id: String,
    product: Option<String>,
    state: Option<String>,
    expires_at: DateTime<Utc>,
    days_left: i64,
    device_id: Option<String>,
    device_sn: Option<String>,
}

pub(super) async fn compute(desk: &Desk<'_>, arguments: ExpiryReport) -> Result<Computed, Failure> {
    let days = arguments.days.unwrap_or(USUAL_DAYS);
    let none = Arguments::new();
    let (licenses, devices) = futures::join!(
        desk.list::<License>(
            "list_licenses",
            &none,
            &["id", "state", "expires_at", "device.id", "device.sn", "product.name"],
        ),
        desk.list::<Device>(
            "list_devices",
            &none,
            &["id", "name", "model.id", "model.name", "firmware.version"],
        ),
    );
    // Each is of use without the other.
    let (licenses, devices) = match (licenses, devices) {
        (Err(failure), Err(_)) => return Err(failure),
        read => read,
    };
    let mut warnings = Vec::new();
    let licenses = secondary(licenses, "licenses", &mut warnings);
    let devices = secondary(devices, "devices", &mut warnings);
    let as_of = licenses.as_of.min(devices.as_of);
    let ending = ending(&licenses.rows, as_of, days);
    let (behind, unknown) = behind(&devices.rows);
    if !devices.complete {
        let what = "devices are missing: of each model there are at least as many, and behind at least as many, as are counted";
        warnings.push(what.to_owned());
    }
    let complete = licenses.complete && devices.complete;
    let structured = json!({
        "days": days,
        "licenses": ending,
        "firmware": behind,
        "scanned": {
            "licenses": licenses.rows.len(),
            "devices": devices.rows.len(),
            "devices_without_firmware_version": unknown,
        },
        "not_available": ["end of life of models", "end of support of firmware"],
        "complete": complete,
        "warnings": warnings,
    });
    let (structured, text) =
        answer::fitted(desk.room(), structured, &["/licenses", "/firmware"], text);
    Ok(Computed { structured, text, as_of })
}

/// Licenses that end within the days or have ended, the most urgent first.
fn ending(licenses: &[License], now: DateTime<Utc>, days: i64) -> Vec<Ending> {
    let until = now + TimeDelta::days(days);
    let mut ending: Vec<Ending> = licenses
        .iter()
        .filter_map(|license| {
            let expires_at = license.expires_at.filter(|at| *at <= until)?;
            let device = license.device.as_ref();
            Some(Ending {
                license_id: license.id.clone(),
                product: license.product.as_ref().and_then(|product| product.name.clone()),
                state: license.state.clone(),
                expires_at,
                days_left: (expires_at - now).num_days(),
                device_id: device.and_then(|device| device.id.clone()),
                device_sn: device.and_then(|device| device.sn.clone()),
            })
        })
        .collect();
    ending.sort_by(|left, right| {
        left.expires_at.cmp(&right.expires_at).then_with(|| left.license_id.cmp(&right.license_id))
    });
    ending
}

/// Per model, the devices whose firmware is older than the newest one seen; and how many devices tell no version.
fn behind(devices: &[Device]) -> (Vec<Value>, usize) {
    let mut models: BTreeMap<&str, Vec<(&Device, &str)>> = BTreeMap::new();
    let mut unknown = 0;
    for device in devices {
        let model = device.model.as_ref().and_then(|model| model.name.as_deref());
        let version = device.firmware.as_ref().and_then(|firmware| firmware.version.as_deref());
        match (model, version) {
            (Some(model), Some(version)) => {
                models.entry(model).or_default().push((device, version));
            }
            _ => unknown += 1,
        }
    }
    let mut behind = Vec::new();
    for (model, devices) in models {
        let newest = devices.iter().map(|(_, version)| *version).max_by(|a, b| order(a, b));
        let Some(newest) = newest else { continue };
        let older: Vec<_> = devices
            .iter()
            .filter(|(_, version)| order(version, newest) == Ordering::Less)
            .collect();
        if older.is_empty() {
            continue;
        }
        let mut versions: BTreeMap<&str, usize> = BTreeMap::new();
        for (_, version) in &older {
            *versions.entry(version).or_default() += 1;
        }
        let first =
            older.iter().take(3).map(|(device, _)| json!({"id": device.id, "name": device.name}));
        behind.push(json!({
            "model": model,
            "newest_seen": newest,
            "devices": devices.len(),
            "behind": older.len(),
            "versions": versions,
            "first": first.collect::<Vec<_>>(),
        }));
    }
    (behind, unknown)
}

/// Compares versions number by number, and letter by letter where there are none.
fn order(left: &str, right: &str) -> Ordering {
    let parts = |text: &str| -> Vec<(u64, String)> {
        text.split(['.', '-', '_', '+'])
            .map(|part| (part.parse().unwrap_or(0), part.to_owned()))
            .collect()
    };
    let numbers = |parts: &[(u64, String)]| parts.iter().map(|(n, _)| *n).collect::<Vec<_>>();
    let (left, right) = (parts(left), parts(right));
    numbers(&left).cmp(&numbers(&right)).then_with(|| left.cmp(&right))
}

fn text(answer: &Value) -> String {
    let list = |name: &str| answer[name].as_array().map(Vec::as_slice).unwrap_or_default();
    let licenses = list("licenses");
    let mut text = String::new();
    let left_out = answer["left_out"]["licenses"].as_u64().unwrap_or_default();
    let all = u64::try_from(licenses.len()).unwrap_or_default() + left_out;
    let least = if answer["complete"] == true { "" } else { "at least " };
    let days = &answer["days"];
    foot(&mut text, &format!("{least}{all} licenses end within {days} days or have ended"));
    let columns =
        ["expires_at", "days_left", "state", "product", "license_id", "device_sn", "device_id"];
    answer::rows(&mut text, &columns, licenses);
    foot(&mut text, "firmware behind the newest seen, by model:");
    let columns = ["model", "newest_seen", "devices", "behind", "versions"];
    answer::rows(&mut text, &columns, list("firmware"));
    foot(&mut text, "not told by the platform: end of life of models, end of support of firmware");
    answer::end(&mut text, answer);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_number_and_not_by_letter() {
        for (older, newer) in [("2.9", "2.10"), ("1.0", "1.0.1"), ("1.0-rc1", "1.1"), ("a", "b")] {
            assert_eq!(order(older, newer), Ordering::Less, "{older} {newer}");
        }
        assert_eq!(order("1.2.3", "1.2.3"), Ordering::Equal);
    }
}
