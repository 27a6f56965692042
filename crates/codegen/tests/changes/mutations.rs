//! One case per kind of change: what is done to the document, and every line that must be told of it.

#[path = "dependent_mutations.rs"]
mod dependent;
#[path = "surface_mutations.rs"]
mod surface;

use dependent::dependents;
use serde_json::{Value, json};
use surface::{operations, outputs, paging, tools};

/// One way to change the document.
#[derive(Clone, Copy)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) mutate: fn(&mut Value),
    /// Everything that is told, and nothing else.
    pub(crate) lines: &'static [&'static str],
    pub(crate) exit: u8,
    /// Whether it can be applied along with the others without changing what they say.
    pub(crate) combines: bool,
}

const O: &str = "/core/v1/organization";

fn operation<'d>(document: &'d mut Value, method: &str, path: &str) -> &'d mut Value {
    &mut document["paths"][format!("{O}{path}")][method]
}

fn parameters<'d>(document: &'d mut Value, path: &str) -> &'d mut Vec<Value> {
    operation(document, "get", path)["parameters"].as_array_mut().unwrap()
}

fn parameter<'d>(document: &'d mut Value, path: &str, name: &str) -> &'d mut Value {
    parameters(document, path).iter_mut().find(|parameter| parameter["name"] == name).unwrap()
}

fn incident_filter<'d>(document: &'d mut Value, name: &str) -> &'d mut Value {
    &mut parameter(document, "/incidents", name)["schema"]
}

fn schema<'d>(document: &'d mut Value, name: &str) -> &'d mut Value {
    &mut document["components"]["schemas"][name]
}

fn fields<'d>(document: &'d mut Value, name: &str) -> &'d mut serde_json::Map<String, Value> {
    schema(document, name)["properties"].as_object_mut().unwrap()
}

fn case(
    name: &'static str,
    exit: u8,
    lines: &'static [&'static str],
    mutate: fn(&mut Value),
) -> Case {
    Case { name, mutate, lines, exit, combines: true }
}

/// A case that gets in the way of others.
fn alone(
    name: &'static str,
    exit: u8,
    lines: &'static [&'static str],
    mutate: fn(&mut Value),
) -> Case {
    Case { combines: false, ..case(name, exit, lines, mutate) }
}

/// Every case.
pub(crate) fn cases() -> Vec<Case> {
    [inputs(), words(), rules(), outputs(), tools(), operations(), paging(), dependents()]
        .into_iter()
        .flatten()
        .collect()
}

fn inputs() -> Vec<Case> {
    vec![
        case(
            "argument_removed",
            5,
            &[
                "breaking list_incidents: argument `sub_model` is gone",
                "mend unknown-argument: `list_incidents` has no argument `sub_model`",
            ],
            |document| {
                parameters(document, "/incidents")
                    .retain(|parameter| parameter["name"] != "sub_model");
            },
        ),
        case(
            "argument_renamed",
            5,
            &["breaking create_space: argument `parent_id` is now `parent_space_id`"],
            |document| {
                let parent = fields(document, "CreateSpaceRequest").remove("parent_id").unwrap();
                fields(document, "CreateSpaceRequest").insert("parent_space_id".into(), parent);
            },
        ),
        case(
            "argument_added",
            0,
            &["additive list_spaces: new argument `archived`: boolean"],
            |document| {
                parameters(document, "/spaces").push(
                    json!({"name": "archived", "in": "query", "schema": {"type": "boolean"}}),
                );
            },
        ),
        case(
            "required_argument_added",
            5,
            &["breaking list_licenses: new required argument `region`: string, one of `eu`, `us`"],
            |document| {
                parameters(document, "/licenses").push(json!({"name": "region", "in": "query", "required": true, "schema": {"type": "string", "enum": ["eu", "us"]}}));
            },
        ),
        case(
            "argument_became_required",
            5,
            &[
                "breaking list_incidents: argument `from` must be given",
                "mend missing-variable: `list_incidents` needs `from`, which the resource `incidents://` does not give",
                "mend missing-variable: `list_incidents` needs `from`, which the route `/incidents` does not give",
            ],
            |document| {
                parameter(document, "/incidents", "from")["required"] = json!(true);
            },
        ),
        case(
            "argument_became_optional",
            0,
            &["additive claim_device: argument `space_id` need not be given"],
            |document| {
                schema(document, "ClaimDeviceRequest").as_object_mut().unwrap().remove("required");
            },
        ),
        case(
            "field_of_the_body_removed",
            5,
            &[
                "breaking send_command: argument `file_id` is gone",
                "mend unknown-argument: `send_device_command` has no argument `file_id`",
            ],
            |document| {
                fields(document, "SendCommandRequest").remove("file_id");
            },
        ),
        case(
            "field_of_the_body_became_required",
            5,
            &[
                "breaking partner_update_ticket: argument `title` must be given",
                "breaking update_ticket: argument `title` must be given",
            ],
            |document| {
                schema(document, "UpdateTicketRequest")["required"] = json!(["title"]);
            },
        ),
    ]
}

fn words() -> Vec<Case> {
    vec![
        case(
            "argument_deprecated",
            0,
            &["deprecation list_incidents: argument `issue` is deprecated"],
            |document| parameter(document, "/incidents", "issue")["deprecated"] = json!(true),
        ),
        case(
            "words_of_an_argument",
            0,
            &[
                "cosmetic claim_device: description of argument `cloud_id`: “Cloud id; the alternative to mac and sn.” → “Its cloud id.”",
            ],
            |document| {
                fields(document, "ClaimDeviceRequest")["cloud_id"]["description"] =
                    json!("Its cloud id.");
            },
        ),
        case(
            "words_of_an_argument_behind_the_overrides",
            0,
            &[
                "cosmetic list_incidents: description of argument `partner_name`, which the overrides replace: “Only devices of this vendor.” → “Who made it.”",
            ],
            |document| {
                parameter(document, "/incidents", "partner_name")["description"] =
                    json!("Who made it.");
            },
        ),
    ]
}

fn rules() -> Vec<Case> {
    vec![
        case(
            "type_changed",
            5,
            &["breaking list_incidents: argument `device_model`: string → integer"],
            |document| {
                incident_filter(document, "device_model")["type"] = json!("integer");
            },
        ),
        case(
            "type_narrowed",
            5,
            &["breaking claim_device: argument `mac`: string or null → string"],
            |document| {
                fields(document, "ClaimDeviceRequest")["mac"]
                    .as_object_mut()
                    .unwrap()
                    .remove("nullable");
            },
        ),
        case(
            "type_widened",
            0,
            &[
                "additive partner_update_ticket: argument `description`: string → string or null",
                "additive update_ticket: argument `description`: string → string or null",
            ],
            |document| {
                fields(document, "UpdateTicketRequest")["description"]["nullable"] = json!(true);
            },
        ),
        case(
            "enum_value_removed",
            5,
            &["breaking list_incidents: argument `priority` no longer takes `planning`"],
            |document| {
                incident_filter(document, "priority")["enum"].as_array_mut().unwrap().pop();
            },
        ),
        case(
            "enum_value_added",
            0,
            &["additive list_incidents: argument `status` also takes `muted`"],
            |document| {
                incident_filter(document, "status")["enum"]
                    .as_array_mut()
                    .unwrap()
                    .push(json!("muted"));
            },
        ),
        case(
            "bound_tightened",
            5,
            &["breaking list_incidents: argument `title`: maxLength `40` (none before)"],
            |document| {
                incident_filter(document, "title")["maxLength"] = json!(40);
            },
        ),
        case(
            "bound_loosened",
            0,
            &["additive merge_devices: argument `with_device_ids`: maxItems `3` → `5`"],
            |document| {
                fields(document, "MergeDevicesRequest")["with_device_ids"]["maxItems"] = json!(5);
            },
        ),
        case(
            "lower_bound_raised",
            5,
            &["breaking list_incidents: argument `space_id`: minimum `1` → `100`"],
            |document| {
                incident_filter(document, "space_id")["minimum"] = json!(100);
            },
        ),
        case(
            "pattern_added",
            5,
            &["breaking list_incidents: argument `description`: pattern `^[a-z]+$` (none before)"],
            |document| {
                incident_filter(document, "description")["pattern"] = json!("^[a-z]+$");
            },
        ),
        case(
            "format_of_items",
            0,
            &["additive merge_devices: argument `with_device_ids[]`: format `uuid` is gone"],
            |document| {
                fields(document, "MergeDevicesRequest")["with_device_ids"]["items"]
                    .as_object_mut()
                    .unwrap()
                    .remove("format");
            },
        ),
    ]
}
