//! Cases that reach what people wrote around operations: targets, names, prompts, computed tools.

use serde_json::{Value, json};

use super::{Case, O, alone, fields, operation};

const ASSET: &str = "/assets/{asset_id}";

fn take(document: &mut Value, path: &str) -> Value {
    document["paths"].as_object_mut().unwrap().remove(&format!("{O}{path}")).unwrap()
}

fn operations_of(document: &mut Value) -> impl Iterator<Item = &mut Value> {
    let paths = document["paths"].as_object_mut().unwrap().values_mut();
    paths.flat_map(|item| item.as_object_mut().unwrap().values_mut())
}

pub(super) fn dependents() -> Vec<Case> {
    [operations(), parts()].concat()
}

fn operations() -> Vec<Case> {
    vec![
        alone(
            "ids_renamed_where_others_name_them",
            4,
            &[
                "mend renamed-operation: the operation `get_asset` has the id `fetchAsset` now",
                "mend renamed-operation: the operation `list_assets` has the id `listAssets` now",
            ],
            |document| {
                operation(document, "get", ASSET)["operationId"] = json!("fetchAsset");
                operation(document, "get", "/assets")["operationId"] = json!("listAssets");
            },
        ),
        alone(
            "read_that_others_name_removed",
            5,
            &[
                "breaking get_asset: gone from the toolset `assets`",
                "breaking look_at_assets: the prompt is not shown any more: it tells to call `get_asset`",
                "mend orphaned-override: the operation `get_asset` (GET /core/v1/organization/assets/{asset_id}) is gone",
                "mend prompt: `look_at_assets` tells to call `get_asset`, which is gone",
                "mend unknown-operation: the target is read by `get_asset`, which is not exposed",
            ],
            |document| {
                let path = format!("{O}{ASSET}");
                document["paths"][path].as_object_mut().unwrap().remove("get");
            },
        ),
        alone(
            "list_that_others_name_removed",
            5,
            &[
                "breaking get_asset: argument `asset_id` takes ids only, no names",
                "breaking list_assets: gone from the toolset `assets`",
                "breaking look_at_assets: the prompt is not shown any more: it tells to call `list_assets`",
                "mend computed-tool: `count_assets` computes from `list_assets`, which is gone",
                "mend orphaned-override: the operation `list_assets` (GET /core/v1/organization/assets) is gone",
                "mend prompt: `look_at_assets` tells to call `list_assets`, which is gone",
                "mend unknown-operation: `list_assets` is not exposed",
            ],
            |document| {
                let path = format!("{O}/assets");
                document["paths"][path].as_object_mut().unwrap().remove("get");
            },
        ),
    ]
}

fn parts() -> Vec<Case> {
    vec![
        alone(
            "path_variable_of_a_target_renamed",
            5,
            &[
                "breaking delete_asset: argument `asset_id` is now `id`",
                "breaking get_asset: argument `asset_id` is now `id`",
                "breaking update_asset: argument `asset_id` is now `id`",
            ],
            |document| {
                let mut item = take(document, ASSET);
                for operation in item.as_object_mut().unwrap().values_mut() {
                    operation["parameters"][0]["name"] = json!("id");
                }
                document["paths"][format!("{O}/assets/{{id}}")] = item;
            },
        ),
        alone(
            "tag_renamed",
            5,
            &[
                "additive inventory: new toolset",
                "breaking assets: the toolset is gone",
                "breaking create_asset: toolset `assets` → `inventory`",
                "breaking delete_asset: toolset `assets` → `inventory`",
                "breaking get_asset: toolset `assets` → `inventory`",
                "breaking list_asset_labels: toolset `assets` → `inventory`",
                "breaking list_assets: toolset `assets` → `inventory`",
                "breaking update_asset: toolset `assets` → `inventory`",
                "mend renamed-toolset: the toolset `assets` is `inventory` now, since its tag is",
            ],
            |document| {
                for operation in operations_of(document) {
                    if operation["tags"][0] == "assets" {
                        operation["tags"][0] = json!("Inventory");
                    }
                }
                let tags = document["tags"].as_array_mut().unwrap();
                tags.iter_mut().find(|tag| tag["name"] == "assets").unwrap()["name"] =
                    json!("Inventory");
            },
        ),
        alone(
            "column_that_others_name_removed",
            5,
            &[
                "breaking_typed create_asset: answer field `serial_number` is gone",
                "breaking_typed get_asset: answer field `serial_number` is gone",
                "breaking_typed list_assets: answer field `serial_number` is gone",
                "breaking_typed update_asset: answer field `serial_number` is gone",
                "mend computed-tool: `count_assets` computes from `list_assets`, which changes",
                "mend prompt: `look_at_assets` tells to call `get_asset`, which changes",
                "mend prompt: `look_at_assets` tells to call `list_assets`, which changes",
                "mend unknown-column: `get_asset` answers no `serial_number`",
                "mend unknown-column: `list_assets` answers no `serial_number`",
            ],
            |document| drop(fields(document, "Asset").remove("serial_number")),
        ),
    ]
}
