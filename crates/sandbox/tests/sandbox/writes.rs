//! Every documented write, seen in the matching get and list.

use serde_json::{Value, json};

use crate::client::{
    self, ASSET, COMMAND, Client, DEVICE, DEVICE_NOTE, EDGE, GROUP, INCIDENT, P, PRIMARY,
    SECOND_DEVICE, SHADOW, SPACE_NOTE, TICKET, USER, row,
};

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

#[tokio::test]
async fn an_updated_device_shows_its_change_and_hides_its_secrets() {
    let client = client::fresh("small");
    let path = format!("/devices/{DEVICE}");
    let change = json!({ "name": "Fjord wall", "custom_parameters": { "Port": "161" } });
    client.write("PATCH", &path, change).await;
    let device = client.read(&path).await;
    assert_eq!(device["name"], "Fjord wall");
    assert_eq!(device["custom_parameters"], json!({ "Port": "161" }));
    let listed = client.all("/devices").await;
    assert_eq!(row(&listed, DEVICE).unwrap()["name"], "Fjord wall");
    assert!(row(&listed, DEVICE).unwrap().get("state").is_none(), "rows carry no telemetry");

    let codec = listed.iter().find(|row| row["model"]["name"] == "Meet Codec Pro").unwrap();
    let path = format!("/devices/{}", text(&codec["id"]));
    let secret = json!({ "custom_parameters": { "Password": "hush", "Port": "1" } });
    let answer = client.write("PATCH", &path, secret).await;
    assert_eq!(answer["custom_parameters"]["Password"], "*****");
    assert_eq!(answer["custom_parameters"]["Username"], Value::Null);
    client.write("PATCH", &path, json!({ "custom_parameters": { "Port": "2" } })).await;
    let device = client.read(&path).await;
    assert_eq!(device["custom_parameters"]["Password"], "", "the whole set was replaced");
}

#[tokio::test]
async fn a_moved_device_is_in_its_new_space() {
    let client = client::fresh("small");
    let path = format!("/devices/{DEVICE}/move");
    assert_eq!(client.write("POST", &path, json!({ "space_id": 2199 })).await, Value::Null);
    assert_eq!(client.read(&format!("/devices/{DEVICE}")).await["space"]["id"], 2199);
    assert_eq!(client.all("/devices?space_id=2199").await.len(), 1);
    let nowhere = json!({ "space_id": 7000 });
    let path = format!("/organization/devices/{DEVICE}/move");
    let refused = client.send("POST", &path, Some(&nowhere)).await;
    assert_eq!(refused.fault("space_id"), "does not exist");
}

#[tokio::test]
async fn a_deleted_device_is_gone_and_can_be_claimed_again() {
    let client = client::fresh("small");
    let path = format!("/devices/{DEVICE}");
    assert_eq!(client.delete(&path).await.status, 204);
    assert_eq!(client.get(&format!("/organization{path}")).await.status, 404);
    assert!(row(&client.all("/devices").await, DEVICE).is_none());
    let offered = client.with(P).get("/partner/devices?sn=NW-88212").await.json();
    assert_eq!(offered["data"][0]["claimed"], Value::Null);
    let claim = json!({ "space_id": 2104, "sn": "NW-88212", "mac": "02:1A:4C:00:7E:30" });
    assert_eq!(client.write("POST", "/devices/claim", claim.clone()).await["id"], DEVICE);
    assert_eq!(client.read(&path).await["space"]["id"], 2104);
    let again = client.send("POST", "/organization/devices/claim", Some(&claim)).await;
    assert_eq!(again.fault("sn"), "is already claimed");
}

#[tokio::test]
async fn a_claimed_device_is_in_the_list() {
    let client = client::fresh("small");
    let claim = json!({ "space_id": 2104, "name": "New", "cloud_id": "cl-44711" });
    let claimed = client.write("POST", "/devices/claim", claim).await;
    let listed = client.all("/devices").await;
    assert_eq!(row(&listed, claimed["id"].as_str().unwrap()).unwrap()["name"], "New");
    let half = json!({ "space_id": 2104, "sn": "NW-1" });
    let refused = client.send("POST", "/organization/devices/claim", Some(&half)).await;
    assert!(refused.fault("mac").starts_with("is missing"));
}

#[tokio::test]
async fn merging_rolls_the_status_up_and_splitting_takes_it_back() {
    let client = client::fresh("small");
    let status = async |id: &str| client.read(&format!("/devices/{id}")).await;
    let group = json!({ "with_device_ids": [DEVICE] });
    assert_eq!(status(SECOND_DEVICE).await["merged_effective_status"], "ok");
    let path = format!("/devices/{SECOND_DEVICE}/merge");
    assert_eq!(client.write("POST", &path, group.clone()).await, json!({ "success": true }));
    assert_eq!(status(SECOND_DEVICE).await["merged_effective_status"], "warning");
    assert_eq!(status(SECOND_DEVICE).await["effective_status"], "ok");
    let twice = client.send("POST", &format!("/organization{path}"), Some(&group)).await;
    assert!(!twice.fault("with_device_ids").is_empty());

    let path = format!("/devices/{PRIMARY}/split");
    assert_eq!(status(PRIMARY).await["merged_effective_status"], "warning");
    client.write("POST", &path, json!({ "shadow_device_id": SHADOW })).await;
    assert_eq!(status(PRIMARY).await["merged_effective_status"], "ok");
    let body = json!({ "shadow_device_id": SHADOW });
    let twice = client.send("POST", &format!("/organization{path}"), Some(&body)).await;
    assert!(!twice.fault("shadow_device_id").is_empty());
}

#[tokio::test]
async fn incidents_of_a_device_are_suspended_and_resumed() {
    let client = client::fresh("small");
    for verb in ["suspend_incidents", "resume_incidents"] {
        let path = format!("/organization/devices/{DEVICE}/{verb}");
        let answer = client.send("POST", &path, None).await;
        assert_eq!(answer.json(), json!({ "success": true }));
    }
}

#[tokio::test]
async fn a_sent_command_is_listed_and_a_cancelled_one_is_aborted() {
    let client = client::fresh("small");
    let path = format!("/devices/{DEVICE}/commands");
    let body = json!({ "command": "set_input", "extra_params": { "input": "hdmi2" } });
    let sent = client.write("POST", &path, body).await;
    assert_eq!(sent["status"], "scheduled");
    let listed = client.all(&path).await;
    assert_eq!(listed[0], sent, "the newest comes first");
    assert_eq!(client.all(&format!("{path}?status=pending")).await.len(), 1);
    assert_eq!(client.delete(&format!("{path}/{COMMAND}")).await.status, 204);
    assert_eq!(row(&client.all(&path).await, COMMAND).unwrap()["status"], "aborted");
    assert_eq!(client.delete(&format!("{path}/{COMMAND}")).await.status, 422);
    assert_eq!(client.delete(&format!("{path}/none")).await.status, 404);
    let vendors = client.with(P).get(&format!("/partner/devices/{DEVICE}/commands")).await.json();
    assert!(row(vendors["data"].as_array().unwrap(), sent["id"].as_str().unwrap()).is_some());
}

#[tokio::test]
async fn spaces_are_created_found_changed_and_deleted() {
    let client = client::fresh("small");
    let body = json!({ "name": "Fjord", "parent_id": 2100, "config": { "inherit_img": true } });
    let made = client.write("POST", "/spaces", body.clone()).await;
    let path = format!("/spaces/{}", made["id"]);
    assert_eq!(client.read(&path).await, made);
    assert!(client.all("/spaces?parent_id=2100").await.contains(&made));
    let twice = client.send("POST", "/organization/spaces", Some(&body)).await;
    assert_eq!(twice.fault("name"), "has already been taken");

    let walk = json!({ "name": "Oslo/Floor 3/Fjord", "parent_id": 2000 });
    assert_eq!(client.write("POST", "/spaces/find_or_create", walk).await["id"], made["id"]);
    let new = json!({ "name": "Building/Floor/Room" });
    let room = client.write("POST", "/spaces/find_or_create", new.clone()).await;
    assert_eq!(client.write("POST", "/spaces/find_or_create", new).await, room);
    assert_eq!(client.all("/spaces?path_includes=Building/Floor").await.len(), 2);

    client.write("PUT", &path, json!({ "name": "Fjord (large)", "parent_id": 2010 })).await;
    assert_eq!(client.read(&path).await["parent_id"], 2010);
    assert_eq!(client.all("/spaces?name=Fjord%20(large)").await.len(), 1);
    let loop_ = json!({ "parent_id": 2104 });
    let refused = client.send("PUT", "/organization/spaces/2100", Some(&loop_)).await;
    assert!(!refused.fault("parent_id").is_empty());

    assert_eq!(client.delete("/spaces/2100").await.fault("space_id"), "has spaces below it");
    assert_eq!(client.delete("/spaces/2104").await.fault("space_id"), "has devices in it");
    assert_eq!(client.delete(&path).await.status, 204);
    assert_eq!(client.get(&format!("/organization{path}")).await.status, 404);
    assert_eq!(client.delete("/spaces/2199").await.status, 204);
}

#[tokio::test]
async fn a_renamed_space_renames_the_paths_of_its_devices() {
    let client = client::fresh("small");
    client.write("PUT", "/spaces/2010", json!({ "name": "Bergen" })).await;
    let device = client.read(&format!("/devices/{DEVICE}")).await;
    assert_eq!(device["space"]["full_path"], "Northwind/Bergen/Floor 3/Fjord lounge");
}

#[tokio::test]
async fn a_closed_incident_is_listed_as_closed() {
    let client = client::fresh("small");
    let active = client.all("/incidents?status=active&from=0").await;
    assert!(row(&active, INCIDENT).is_some());
    assert_eq!(client.delete(&format!("/incidents/{INCIDENT}")).await.status, 204);
    assert!(row(&client.all("/incidents?status=active&from=0").await, INCIDENT).is_none());
    let closed = client.all("/incidents?status=closed").await;
    assert_eq!(row(&closed, INCIDENT).unwrap()["updated_at"], "2026-09-07T08:30:00Z");
}

#[tokio::test]
async fn a_ticket_is_changed_answered_and_resolved() {
    let client = client::fresh("small");
    let path = format!("/tickets/{TICKET}");
    client.write("PUT", &path, json!({ "title": "Still no picture" })).await;
    client.write("POST", &format!("{path}/message"), json!({ "message": "On my way." })).await;
    let ticket = client.read(&path).await;
    assert_eq!(ticket["title"], "Still no picture");
    let comments = ticket["comments"].as_array().unwrap();
    assert_eq!(comments.last().unwrap()["text"], "On my way.");
    let open = client.read("/tickets").await;
    let listed = row(open.as_array().unwrap(), TICKET).unwrap();
    assert_eq!(listed["title"], "Still no picture");
    assert!(listed.get("comments").is_none(), "lists leave the conversation out");
    client.write("POST", &format!("{path}/resolved"), json!({})).await;
    let open = client.read("/tickets").await;
    assert!(row(open.as_array().unwrap(), TICKET).is_none());
    assert_eq!(client.read(&path).await["status"], "resolved");
}

#[tokio::test]
async fn notes_are_added_and_removed_on_both_sides() {
    let client = client::fresh("small");
    for (on, all, known) in [
        (format!("/devices/{DEVICE}/notes"), "/devices/notes", DEVICE_NOTE),
        ("/spaces/2104/notes".to_owned(), "/spaces/notes", SPACE_NOTE),
    ] {
        let note = client.write("POST", &on, json!({ "content": "Hello" })).await;
        assert_eq!(note["created_by"], Value::Null);
        assert!(client.all(&on).await.contains(&note));
        assert!(client.all(all).await.contains(&note));
        assert_eq!(client.delete(&format!("{on}/{known}")).await.status, 204);
        assert!(row(&client.all(&on).await, known).is_none());
        assert_eq!(client.delete(&format!("{on}/{known}")).await.status, 404);
        let blank = json!({ "content": "  " });
        let refused = client.send("POST", &format!("/organization{on}"), Some(&blank)).await;
        assert_eq!(refused.fault("content"), "must not be blank");
    }
}

#[tokio::test]
async fn assets_are_created_changed_and_deleted_with_their_labels() {
    let client = client::fresh("small");
    let body = json!({ "name": "Cart", "manufacturer": "Acme", "status": { "id": client::LABEL } });
    let made = client.write("POST", "/assets", body).await;
    assert_eq!(made["status"]["name"], "In use");
    let labels = client.read("/assets/labels/manufacturer").await;
    assert!(labels["items"].as_array().unwrap().contains(&made["manufacturer"]));
    let path = format!("/assets/{}", text(&made["id"]));
    let change = json!({ "comments": "Moved", "space_id": 2110 });
    client.write("PUT", &path, change).await;
    let asset = client.read(&path).await;
    assert_eq!((&asset["comments"], &asset["name"]), (&json!("Moved"), &json!("Cart")));
    assert!(client.all("/assets?space_id=2110").await.contains(&asset));
    assert_eq!(client.delete(&format!("/assets/{ASSET}")).await.status, 204);
    assert!(row(&client.all("/assets").await, ASSET).is_none());
    assert_eq!(client.get(&format!("/organization/assets/{ASSET}")).await.status, 404);
}

#[tokio::test]
async fn groups_take_members_in_and_out() {
    let client = client::fresh("small");
    let body = json!({ "name": "Night shift", "user_ids": [USER] });
    let group = client.write("POST", "/groups", body.clone()).await;
    let path = format!("/groups/{}", text(&group["id"]));
    assert_eq!(client.read(&path).await, group);
    assert!(client.all("/groups").await.contains(&group));
    let twice = client.send("POST", "/organization/groups", Some(&body)).await;
    assert_eq!(twice.fault("name"), "has already been taken");
    let names = async || client.read(&format!("/users/{USER}")).await["group_names"].clone();
    assert!(names().await.as_array().unwrap().contains(&json!("Night shift")));
    client.write("PUT", &path, json!({ "name": "Late shift" })).await;
    assert!(names().await.as_array().unwrap().contains(&json!("Late shift")));
    let users = json!({ "user_ids": [USER] });
    client.write("POST", &format!("{path}/remove_users"), users.clone()).await;
    assert_eq!(client.read(&path).await["users"], json!([]));
    client.write("POST", &format!("{path}/add_users"), users).await;
    let outsider = json!({ "email": "support@fabrikam.example" });
    client.write("POST", &format!("{path}/add_external_user"), outsider).await;
    assert_eq!(client.read(&path).await["users"].as_array().unwrap().len(), 2);
    let nobody = json!({ "email": "nobody@nowhere.example" });
    let add = format!("/organization{path}/add_external_user");
    assert_eq!(client.send("POST", &add, Some(&nobody)).await.status, 404);
    assert_eq!(client.delete(&path).await.status, 204);
    assert!(row(&client.all("/groups").await, group["id"].as_str().unwrap()).is_none());
}

#[tokio::test]
async fn users_are_created_and_deactivated() {
    let client = client::fresh("small");
    let body = json!({ "email": "ola@northwind.example", "name": "Ola", "group_ids": [GROUP] });
    let user = client.write("POST", "/users", body.clone()).await;
    let path = format!("/users/{}", text(&user["id"]));
    assert_eq!(client.read(&path).await, user);
    assert_eq!(user["group_names"], json!(["First line"]));
    assert!(client.all("/users").await.contains(&user));
    let refused = client.with(client::B).send("POST", "/organization/users", Some(&body)).await;
    assert_eq!(refused.fault("email"), "has already been taken");
    client.write("POST", &format!("{path}/resend_welcome"), json!({})).await;
    client.write("POST", &format!("{path}/deactivate"), json!({})).await;
    assert_eq!(client.read(&path).await["deactivated_at"], "2026-09-07T08:30:00Z");
    assert!(row(&client.all("/users").await, user["id"].as_str().unwrap()).is_none());
}

/// The polls of a ping or a claim: the first finds it pending, the next one ended.
async fn polls(client: &Client, verb: &str, member: &str, address: &str) -> [Value; 2] {
    let path = format!("/edges/devices/get_{verb}_status?proxy_id={EDGE}&device_ip={address}");
    let first = client.read(&path).await[member].clone();
    [first, client.read(&path).await[member].clone()]
}

#[tokio::test]
async fn a_device_behind_an_edge_is_pinged_then_claimed() {
    let client = client::fresh("small");
    let ping = |address: &str| json!({ "proxy_id": EDGE, "device_ip": address });
    let mut claim = ping("10.1.1.1");
    claim["device_model_id"] = json!(client::MODEL);
    claim["space_id"] = json!(2104);
    claim["display_name"] = json!("Behind the edge");
    let early = client.send("POST", "/organization/edges/devices/start_claim", Some(&claim)).await;
    assert_eq!(early.status, 400, "a ping comes first");
    client.write("POST", "/edges/devices/start_ping", ping("10.1.1.1")).await;
    assert_eq!(polls(&client, "ping", "status", "10.1.1.1").await, ["pending", "success"]);
    client.write("POST", "/edges/devices/start_claim", claim).await;
    assert_eq!(polls(&client, "claim", "result", "10.1.1.1").await, ["pending", "success"]);
    let listed = client.all("/devices?space_id=2104").await;
    assert!(listed.iter().any(|row| row["name"] == "Behind the edge"));
    client.write("POST", "/edges/devices/start_ping", ping("192.0.2.9")).await;
    assert_eq!(polls(&client, "ping", "status", "192.0.2.9").await, ["pending", "failed"]);
    let stranger = json!({ "proxy_id": "none", "device_ip": "10.1.1.1" });
    let answer = client.send("POST", "/organization/edges/devices/start_ping", Some(&stranger));
    assert_eq!(answer.await.json()["error"], "Proxy not found");
}

#[tokio::test]
async fn what_the_vendor_writes_is_what_its_customer_reads() {
    let client = client::fresh("small");
    let vendor = client.with(P);
    let path = format!("/partner/tickets/{TICKET}");
    let change = json!({ "title": "Panel 55 shows no picture" });
    assert_eq!(vendor.send("PUT", &path, Some(&change)).await.status, 204);
    let message = json!({ "message": "Please try input two." });
    assert_eq!(vendor.send("POST", &format!("{path}/message"), Some(&message)).await.status, 204);
    let ticket = client.read(&format!("/tickets/{TICKET}")).await;
    assert_eq!(ticket["title"], "Panel 55 shows no picture");
    assert_eq!(ticket["comments"].as_array().unwrap().last().unwrap()["owner"], "Contoso");
    assert_eq!(vendor.get(&path).await.json()["data"][0], ticket);
    assert_eq!(vendor.send("POST", &format!("{path}/resolved"), None).await.status, 204);
    assert_eq!(client.read(&format!("/tickets/{TICKET}")).await["status"], "resolved");

    let path = format!("/partner/devices/{DEVICE}");
    assert_eq!(vendor.send("DELETE", &path, None).await.status, 204);
    assert_eq!(vendor.get(&path).await.status, 404);
    assert_eq!(client.read(&format!("/devices/{DEVICE}")).await["id"], DEVICE);
}
