//! Worlds: which exist, that they repeat, and that tenants and documents stay apart.

use serde_json::{Value, json};
use xyte_mcp_sandbox::{KEYS, SCENARIOS, Sandbox};

use crate::client::{self, A, B, Client, DEVICE, P};

#[test]
fn an_unknown_scenario_is_refused_with_the_names_that_exist() {
    let error = Sandbox::new(client::DOCUMENT, 1, "moon").unwrap_err().to_string();
    assert_eq!(error, "unknown scenario `moon`: choose one of baseline, small, empty");
    assert_eq!(SCENARIOS, ["baseline", "small", "empty"]);
}

#[test]
fn a_text_that_is_no_document_is_refused() {
    assert!(Sandbox::new("{", 1, "small").unwrap_err().to_string().contains("not JSON"));
    assert!(Sandbox::new("{}", 1, "small").unwrap_err().to_string().contains("no `paths`"));
}

#[test]
fn the_keys_are_long_and_say_what_they_may_do() {
    let names: Vec<&str> = KEYS.iter().map(|key| key.name).collect();
    assert_eq!(names, ["A", "B", "R", "P"]);
    assert!(KEYS.iter().all(|key| key.key.len() >= 32 && !key.may.is_empty()));
}

/// Reads and writes whose answers hold everything a seed decides.
async fn transcript(seed: u64, scenario: &str) -> Vec<String> {
    let client = Client::of(&Sandbox::new(client::DOCUMENT, seed, scenario).unwrap());
    let mut answers = Vec::new();
    for path in ["devices?page=2", "incidents?per_page=500", "tickets", "spaces", "licenses"] {
        answers.push(client.get(&format!("/organization/{path}")).await.text);
    }
    for path in ["users", "groups", "assets", "edges", "models", "devices/histories", "info"] {
        answers.push(client.get(&format!("/organization/{path}")).await.text);
    }
    answers.push(client.with(P).get("/partner/devices").await.text);
    answers.push(client.with(B).get("/organization/devices").await.text);
    let note = json!({ "content": "Same" });
    let path = format!("/organization/devices/{DEVICE}/notes");
    answers.push(client.send("POST", &path, Some(&note)).await.text);
    let space = json!({ "name": "Site/Building" });
    answers
        .push(client.send("POST", "/organization/spaces/find_or_create", Some(&space)).await.text);
    answers
}

#[tokio::test]
async fn two_runs_with_one_seed_give_the_same_bytes() {
    for scenario in SCENARIOS {
        let first = transcript(7, scenario).await;
        assert_eq!(first, transcript(7, scenario).await, "{scenario}");
    }
    assert_ne!(transcript(7, "baseline").await, transcript(8, "baseline").await);
}

#[tokio::test]
async fn another_seed_makes_other_objects_but_keeps_the_well_known_ones() {
    let mut names = Vec::new();
    for client in client::planted() {
        let rows = client.all("/devices").await;
        assert_eq!(client::row(&rows, DEVICE).unwrap()["name"], "Fjord display");
        names.push(rows[700]["id"].clone());
    }
    assert!(names[0] != names[1] && names[1] != names[2]);
}

#[tokio::test]
async fn the_small_world_is_one_building_with_24_devices_and_a_room_named_board() {
    let client = client::fresh("small");
    assert_eq!(client.all("/devices").await.len(), 24);
    assert_eq!(client.all("/spaces?space_type=building").await.len(), 1);
    assert_eq!(client.all("/spaces?name=Board").await.len(), 1);
    assert_eq!(client.all("/devices?space_id=2120").await.len(), 6);
}

#[tokio::test]
async fn the_empty_world_knows_its_keys_and_owns_nothing() {
    let client = client::fresh("empty");
    for path in ["devices", "spaces", "incidents?from=0", "users", "groups", "assets", "edges"] {
        assert_eq!(client.all(&format!("/{path}")).await, Vec::<Value>::new(), "{path}");
    }
    assert_eq!(client.read("/tickets").await, json!([]));
    assert_eq!(client.read("/info").await["statistics"]["devices"], 0);
    let vendor = client.with(P).get("/partner/devices").await.json();
    assert_eq!(vendor["page_info"], json!({ "has_next": false, "total_count": 0 }));
    let room = client.write("POST", "/spaces", json!({ "name": "First" })).await;
    let claim = json!({ "space_id": room["id"], "cloud_id": "cl-1" });
    client.write("POST", "/devices/claim", claim).await;
    assert_eq!(client.all("/devices").await.len(), 1);
}

#[tokio::test]
async fn a_write_of_one_tenant_leaves_the_other_as_it_was() {
    let sandbox = client::sandbox("small");
    let (first, second) = (Client::of(&sandbox).with(A), Client::of(&sandbox).with(B));
    let before = second.all("/devices").await;
    for device in first.all("/devices").await {
        let path = format!("/devices/{}", device["id"].as_str().unwrap());
        assert_eq!(first.delete(&path).await.status, 204);
    }
    assert!(first.all("/devices").await.is_empty());
    assert_eq!(second.all("/devices").await, before);
}

#[tokio::test]
async fn a_document_of_another_api_is_answered_from_its_schemas() {
    let document = json!({
        "openapi": "3.1.0",
        "security": [{ "token": [] }],
        "components": {
            "securitySchemes": { "token": { "type": "http", "scheme": "bearer" } },
            "schemas": { "Pet": {
                "type": "object",
                "required": ["id", "owner"],
                "properties": {
                    "id": { "type": ["integer", "null"], "minimum": 3 },
                    "kind": { "enum": ["cat", "dog"] },
                    "owner": { "$ref": "#/components/schemas/Pet" },
                    "lost": { "$ref": "#/components/schemas/Nothing" }
                }
            } }
        },
        "paths": {
            "/pets/{id}.json": {
                "parameters": [{ "name": "id", "in": "path", "schema": { "type": "integer" } }],
                "get": { "operationId": "get_device", "responses": { "200": { "content": {
                    "application/json": { "schema": { "$ref": "#/components/schemas/Pet" } }
                } } } },
                "delete": { "operationId": "delete_device", "responses": { "202": {} } }
            },
            "/pets": {
                "get": { "security": [], "responses": { "default": { "content": {
                    "application/json": { "schema": { "type": "array", "items": {
                        "$ref": "#/components/schemas/Pet"
                    } } }
                } } } },
                "post": { "requestBody": { "content": { "multipart/form-data": {} } } }
            }
        }
    });
    let sandbox = Sandbox::new(&document.to_string(), 1, "baseline").unwrap();
    let client = Client::of(&sandbox).with(&format!("Bearer {A}"));
    let pet = client.get("//pets/4.json").await;
    assert_eq!(pet.status, 200);
    assert_eq!((&pet.json()["id"], &pet.json()["kind"]), (&json!(3), &json!("cat")));
    assert_eq!(client.get("//pets/four.json").await.fault("id"), "must be an integer");
    assert_eq!(client.send("DELETE", "//pets/4.json", None).await.status, 202);
    assert_eq!(client.without_key().get("//pets").await.status, 200);
    assert_eq!(client.without_key().get("//pets/4.json").await.status, 401);
    assert_eq!(client.send("POST", "//pets", None).await.status, 204);
}
