//! Cases that change answers, tools, operations and paging.

use serde_json::json;

use super::{Case, O, alone, case, fields, operation, parameter, parameters};

pub(super) fn outputs() -> Vec<Case> {
    vec![
        case(
            "answer_field_removed",
            5,
            &[
                "breaking_typed get_ticket: answer field `user_email` is gone",
                "breaking_typed list_tickets: answer field `user_email` is gone",
                "breaking_typed update_ticket: answer field `user_email` is gone",
            ],
            |document| drop(fields(document, "Ticket").remove("user_email")),
        ),
        case(
            "shown_column_removed",
            5,
            &["breaking_typed list_devices: answer field `mac` is gone"],
            |document| drop(fields(document, "DeviceSummary").remove("mac")),
        ),
        case(
            "answer_field_retyped",
            5,
            &["breaking_typed list_licenses: answer field `id`: string → integer"],
            |document| {
                fields(document, "License")["id"]["type"] = json!("integer");
            },
        ),
        case(
            "answer_field_added",
            0,
            &["additive list_incidents: new answer field `muted_until`: string"],
            |document| {
                fields(document, "Incident")
                    .insert("muted_until".into(), json!({"type": "string"}));
            },
        ),
        case(
            "answer_value_added",
            0,
            &[
                "additive list_device_commands: answer field `status` may also hold `expired`",
                "additive send_command: answer field `status` may also hold `expired`",
            ],
            |document| {
                fields(document, "Command")["status"]["x-known-values"]
                    .as_array_mut()
                    .unwrap()
                    .push(json!("expired"));
            },
        ),
    ]
}

pub(super) fn tools() -> Vec<Case> {
    vec![
        case(
            "tool_deprecated",
            0,
            &["deprecation list_users: the tool is deprecated"],
            |document| {
                operation(document, "get", "/users")["deprecated"] = json!(true);
            },
        ),
        case(
            "words_behind_the_overrides",
            0,
            &[
                "cosmetic list_groups: description of the tool, which the overrides replace: “Lists the organization's user groups.” → “Groups.”",
            ],
            |document| operation(document, "get", "/groups")["description"] = json!("Groups."),
        ),
        case(
            "success_code",
            0,
            &["cosmetic create_group: succeeds with 202 (2XX before)"],
            |document| {
                let responses =
                    operation(document, "post", "/groups")["responses"].as_object_mut().unwrap();
                let success = responses.remove("2XX").unwrap();
                responses.insert("202".into(), success);
            },
        ),
        case("failure_added", 0, &["additive create_user: may fail with 409"], |document| {
            let responses =
                operation(document, "post", "/users")["responses"].as_object_mut().unwrap();
            let failure = responses["422"].clone();
            responses.insert("409".into(), failure);
        }),
        case(
            "credential",
            5,
            &[
                "breaking get_organization_info: needs a key of `partnerKey` (a key of `organizationKey` before)",
            ],
            |document| {
                operation(document, "get", "/info")["security"] = json!([{"partnerKey": []}]);
            },
        ),
        alone(
            "toolset_moved",
            5,
            &["breaking get_user: toolset `users` → `groups`"],
            |document| {
                operation(document, "get", "/users/{user_id}")["tags"] = json!(["groups"]);
            },
        ),
        alone(
            "method_changed",
            5,
            &[
                "additive update_ticket: new argument `idempotency_key`: string",
                "breaking update_ticket: `idempotentHint` true → false",
                "cosmetic update_ticket: is PATCH /core/v1/organization/tickets/{ticket_id} (PUT /core/v1/organization/tickets/{ticket_id} before)",
            ],
            |document| {
                let item = &mut document["paths"][format!("{O}/tickets/{{ticket_id}}")];
                let put = item.as_object_mut().unwrap().remove("put").unwrap();
                item["patch"] = put;
            },
        ),
    ]
}

pub(super) fn operations() -> Vec<Case> {
    vec![
        case(
            "tool_removed",
            5,
            &[
                "breaking delete_group: gone from the toolset `groups`",
                "mend orphaned-override: the operation `delete_group` (DELETE /core/v1/organization/groups/{group_id}) is gone",
            ],
            |document| {
                document["paths"][format!("{O}/groups/{{group_id}}")]
                    .as_object_mut()
                    .unwrap()
                    .remove("delete");
            },
        ),
        case(
            "operation_renamed",
            4,
            &["mend renamed-operation: the operation `list_edges` has the id `listEdges` now"],
            |document| operation(document, "get", "/edges")["operationId"] = json!("listEdges"),
        ),
        case(
            "skipped_operation_gone",
            4,
            &[
                "mend orphaned-override: the operation `partner_create_organization` (POST /core/v1/partner/organizations) is gone",
            ],
            |document| {
                drop(
                    document["paths"]
                        .as_object_mut()
                        .unwrap()
                        .remove("/core/v1/partner/organizations"),
                );
            },
        ),
        case("operation_added", 4, &["new search_licenses: Read in licenses"], |document| {
            let mut search = operation(document, "get", "/edges").clone();
            search["operationId"] = json!("search_licenses");
            search["tags"] = json!(["licenses"]);
            search.as_object_mut().unwrap().remove("parameters");
            document["paths"][format!("{O}/licenses/search")] = json!({"post": search});
        }),
        case(
            "path_variable_renamed",
            5,
            &["breaking update_edge_device_hostname: argument `device_id` is now `id`"],
            |document| {
                let paths = document["paths"].as_object_mut().unwrap();
                let mut item = paths
                    .remove(&format!("{O}/edges/devices/{{device_id}}/update_hostname"))
                    .unwrap();
                item["post"]["parameters"][0]["name"] = json!("id");
                paths.insert(format!("{O}/edges/devices/{{id}}/update_hostname"), item);
            },
        ),
        alone(
            "two_ids_changed_places",
            4,
            &[
                "mend renamed-operation: the operation `list_users` has the id `list_groups` now; the id `list_users` now belongs to GET /core/v1/organization/groups, which this would apply to",
                "mend renamed-operation: the operation `list_groups` has the id `list_users` now; the id `list_groups` now belongs to GET /core/v1/organization/users, which this would apply to",
            ],
            |document| {
                operation(document, "get", "/users")["operationId"] = json!("list_groups");
                operation(document, "get", "/groups")["operationId"] = json!("list_users");
            },
        ),
    ]
}

pub(super) fn paging() -> Vec<Case> {
    vec![
        alone(
            "flag_of_more_pages_removed",
            4,
            &[
                "mend stale-paging: `more` of the paging dialect `pages` is stale: the answer's `has_next_page` is gone from `list_all_device_notes`, `list_all_space_notes`, `list_assets`, `list_device_commands`, `list_device_histories`, `list_device_models`, `list_device_notes`, `list_devices`, `list_edges`, `list_groups`, `list_incidents`, `list_licenses`, `list_space_notes`, `list_spaces`, `list_users`",
            ],
            |document| {
                for schema in
                    document["components"]["schemas"].as_object_mut().unwrap().values_mut()
                {
                    if let Some(fields) = schema.get_mut("properties") {
                        fields.as_object_mut().unwrap().remove("has_next_page");
                    }
                }
            },
        ),
        alone(
            "page_becomes_a_cursor",
            4,
            &[
                "mend stale-paging: `page` of the paging dialect `partner` is stale: the query parameter `page` is gone from `partner_list_devices`",
            ],
            |document| {
                let list = &mut document["paths"]["/core/v1/partner/devices"]["get"];
                let parameters = list["parameters"].as_array_mut().unwrap();
                let page = parameters.iter_mut().find(|known| known["name"] == "page").unwrap();
                page["name"] = json!("cursor");
                page["schema"] = json!({"type": "string"});
            },
        ),
        alone(
            "page_parameter_removed",
            4,
            &[
                "mend stale-paging: `page` of the paging dialect `pages` is stale: the query parameter `page` is gone from `list_assets`",
            ],
            |document| {
                parameters(document, "/assets").retain(|parameter| parameter["name"] != "page");
            },
        ),
        alone(
            "page_size_renamed",
            4,
            &[
                "mend stale-paging: `size` of the paging dialect `pages` is stale: the query parameter `per_page` is gone from `list_assets`",
            ],
            |document| parameter(document, "/assets", "per_page")["name"] = json!("page_size"),
        ),
        alone(
            "page_size_renamed_everywhere",
            4,
            &[
                "mend stale-paging: `size` of the paging dialect `pages` is stale: the query parameter `per_page` is gone from `list_all_device_notes`, `list_all_space_notes`, `list_assets`, `list_device_commands`, `list_device_histories`, `list_device_models`, `list_device_notes`, `list_devices`, `list_edges`, `list_groups`, `list_incidents`, `list_licenses`, `list_space_notes`, `list_spaces`, `list_users`",
            ],
            |document| {
                for item in document["paths"].as_object_mut().unwrap().values_mut() {
                    let parameters = item.get_mut("get").and_then(|get| get.get_mut("parameters"));
                    for parameter in
                        parameters.and_then(|it| it.as_array_mut()).into_iter().flatten()
                    {
                        if parameter["name"] == "per_page" {
                            parameter["name"] = json!("page_size");
                        }
                    }
                }
            },
        ),
        alone(
            "rows_moved",
            4,
            &[
                "mend stale-paging: `rows` of the paging dialect `pages` is stale: the answer's `items` is gone from `list_assets`",
            ],
            |document| {
                let items = fields(document, "AssetList").remove("items").unwrap();
                fields(document, "AssetList").insert("assets".into(), items);
            },
        ),
        alone(
            "page_size_lowered",
            0,
            &[
                "cosmetic list_assets: rows per page at most 50 (100 before); paging follows by itself",
            ],
            |document| parameter(document, "/assets", "per_page")["schema"]["maximum"] = json!(50),
        ),
    ]
}
