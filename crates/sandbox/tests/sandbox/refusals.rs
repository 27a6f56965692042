//! What is refused, with which status, and for which field.

use serde_json::{Value, json};

use crate::client::{self, B, DEVICE, P, R};

#[tokio::test]
async fn a_missing_or_unknown_key_is_not_authorized() {
    let client = client::fresh("small");
    for nobody in [client.without_key(), client.with("sandbox-key-Z"), client.with("")] {
        let answer = nobody.get("/organization/devices").await;
        assert_eq!(answer.status, 401);
        assert_eq!(answer.json(), json!({ "error": "Not authorized" }));
    }
    let bearer = client.with(&format!("Bearer {}", client::A));
    assert_eq!(bearer.get("/organization/devices").await.status, 401, "the key is sent as is");
}

#[tokio::test]
async fn a_key_of_the_wrong_kind_is_not_authorized() {
    let client = client::fresh("small");
    assert_eq!(client.get("/partner/devices").await.status, 401);
    assert_eq!(client.with(P).get("/organization/devices").await.status, 401);
    assert_eq!(client.with(P).get("/partner/devices").await.status, 200);
}

#[tokio::test]
async fn a_read_only_key_reads_and_is_forbidden_to_write() {
    let client = client::fresh("small").with(R);
    assert_eq!(client.get("/organization/devices").await.status, 200);
    let path = format!("/organization/devices/{DEVICE}");
    assert_eq!(client.send("DELETE", &path, None).await.status, 403);
    assert_eq!(client.get(&path).await.status, 200);
}

#[tokio::test]
async fn unknown_objects_paths_and_methods_are_not_found() {
    let client = client::fresh("small");
    let nowhere = "11111111-2222-4333-8444-555555555555";
    for path in [
        format!("/organization/devices/{nowhere}"),
        format!("/organization/devices/{nowhere}/notes"),
        format!("/organization/groups/{nowhere}"),
        "/organization/spaces/1".to_owned(),
        "/organization/tickets/none".to_owned(),
        "/organization/nothing".to_owned(),
    ] {
        let answer = client.get(&path).await;
        assert_eq!(answer.status, 404, "{path}");
        assert_eq!(answer.json()["error"], "Not found");
    }
    assert_eq!(client.send("PUT", "/organization/devices", None).await.status, 405);
}

#[tokio::test]
async fn objects_of_the_other_tenant_are_not_found() {
    let client = client::fresh("small");
    let other = client.with(B);
    let path = format!("/organization/devices/{DEVICE}");
    assert_eq!(client.get(&path).await.status, 200);
    let theirs = other.get(&path).await;
    let random = other.get("/organization/devices/11111111-2222-4333-8444-555555555555").await;
    assert_eq!(theirs, random, "the answer does not tell that it exists elsewhere");
    assert_eq!(other.get("/organization/spaces/2104").await.status, 404);
}

#[tokio::test]
async fn literal_segments_win_over_variables() {
    let client = client::fresh("small");
    assert!(client.read("/devices/histories").await["items"].is_array());
    assert!(client.read("/devices/notes").await["items"].is_array());
    let labels = client.read("/assets/labels/status").await;
    assert_eq!(labels["items"][0]["name"], "In use");
}

#[tokio::test]
async fn query_parameters_are_checked_by_name() {
    let client = client::fresh("small");
    let fault = async |path: &str, field: &str| {
        client.get(&format!("/organization{path}")).await.fault(field)
    };
    assert_eq!(fault("/devices?per_page=101", "per_page").await, "must be at most 100");
    assert_eq!(fault("/devices?page=0", "page").await, "must be at least 1");
    assert_eq!(fault("/devices?page=two", "page").await, "must be an integer");
    assert_eq!(fault("/devices?space_id=1.5", "space_id").await, "must be an integer");
    assert_eq!(fault("/licenses?assigned=yes", "assigned").await, "must be true or false");
    assert_eq!(
        fault("/licenses?expires_before=soon", "expires_before").await,
        "is not a valid date-time"
    );
    assert_eq!(fault("/licenses?state=new", "state").await, "is not of the documented form");
    assert!(fault("/incidents?status=open", "status").await.starts_with("must be one of"));
    assert_eq!(fault("/edges/devices/get_ping_status", "proxy_id").await, "is missing");
    assert_eq!(client.get("/organization/devices?colour=red").await.status, 200);
}

#[tokio::test]
async fn path_parameters_are_checked_by_name() {
    let client = client::fresh("small");
    let fault = async |path: &str, field: &str| {
        client.get(&format!("/organization{path}")).await.fault(field)
    };
    assert_eq!(fault("/devices/7", "device_id").await, "is not a valid uuid");
    assert_eq!(fault("/spaces/seven", "space_id").await, "must be an integer");
    assert!(fault("/assets/labels/color", "category").await.starts_with("must be one of"));
}

#[tokio::test]
async fn bodies_are_checked_by_field() {
    let client = client::fresh("small");
    let fault = async |path: &str, body: serde_json::Value, field: &str| {
        client.send("POST", &format!("/organization{path}"), Some(&body)).await.fault(field)
    };
    assert_eq!(fault("/spaces", json!({}), "name").await, "is missing");
    assert_eq!(fault("/spaces", json!({ "name": "" }), "name").await, "is too short");
    let unknown = json!({ "name": "Room", "floor": 3 });
    assert_eq!(fault("/spaces", unknown, "floor").await, "is not a field of this request");
    let nested = json!({ "name": "Room", "config": { "inherit_img": "yes" } });
    assert!(!fault("/spaces", nested, "config.inherit_img").await.is_empty());
    let ids = json!({ "with_device_ids": ["x"] });
    let merge = format!("/devices/{DEVICE}/merge");
    assert_eq!(fault(&merge, ids, "with_device_ids.0").await, "is not a valid uuid");
    let none = client.send("POST", "/organization/spaces", None).await;
    assert_eq!(none.fault("body"), "is missing");
    assert_eq!(fault("/spaces", json!([1]), "body").await, "is of the wrong type");
}

#[tokio::test]
async fn a_history_window_beyond_31_days_is_refused() {
    let client = client::fresh("small");
    let end = 1_788_769_800_i64;
    let path = |days: i64| {
        format!("/organization/devices/histories?from={}&to={end}", end - days * 86_400)
    };
    assert_eq!(client.get(&path(31)).await.status, 200);
    assert!(client.get(&path(32)).await.fault("from").contains("31 days"));
    let backwards = format!("/organization/devices/histories?from={end}&to={}", end - 1);
    assert!(!client.get(&backwards).await.fault("to").is_empty());
}

#[tokio::test]
async fn a_command_that_the_model_does_not_know_is_refused() {
    let client = client::fresh("small");
    let path = format!("/organization/devices/{DEVICE}/commands");
    let send = async |body| client.send("POST", &path, Some(&body)).await;
    assert!(!send(json!({ "command": "explode" })).await.fault("command").is_empty());
    assert!(!send(json!({ "name": "reboot" })).await.fault("command").is_empty());
    assert!(!send(json!({ "friendly_name": "Nope" })).await.fault("friendly_name").is_empty());
    let no_input = send(json!({ "command": "set_input" })).await;
    assert_eq!(no_input.fault("extra_params.input"), "is missing");
    assert_eq!(send(json!({ "friendly_name": "Restart" })).await.status, 200);
}

#[tokio::test]
async fn every_list_takes_as_many_rows_a_page_as_documented_and_no_more() {
    let document: Value = serde_json::from_str(client::DOCUMENT).unwrap();
    let client = client::fresh("small");
    let mut limits = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        let parameters = item["get"]["parameters"].as_array().into_iter().flatten();
        let mut most = parameters.filter(|one| one["name"] == "per_page");
        let most = most.find_map(|one| one["schema"]["maximum"].as_u64());
        let Some(most) = most.filter(|_| path.contains("/organization/")) else { continue };
        let path = path.replace("{device_id}", DEVICE).replace("{space_id}", "2104");
        let sized = async |size| client.get(&format!("/{path}?per_page={size}")).await;
        assert_eq!(sized(most).await.status, 200, "{path}");
        assert_eq!(sized(most + 1).await.fault("per_page"), format!("must be at most {most}"));
        limits += 1;
    }
    assert_eq!(limits, 15);
}

#[tokio::test]
async fn lists_say_in_their_own_ways_whether_there_is_more() {
    let client = client::fresh("baseline");
    let devices = client.read("/devices?page=12").await;
    assert_eq!((&devices["has_next_page"], devices.get("total")), (&json!(false), None));
    assert_eq!(client.read("/devices?page=11").await["has_next_page"], true);
    assert_eq!(client.read("/licenses?per_page=40").await["next_page"], 2);
    assert_eq!(client.read("/licenses?per_page=40&page=2").await["next_page"], Value::Null);
    let partner = client.with(P).get("/partner/devices").await.json();
    assert_eq!(partner["page_info"]["has_next"], true);
    assert!(partner["page_info"]["total_count"].as_u64().unwrap() > 100);
    assert!(client.read("/tickets").await.is_array(), "tickets come in one piece");
}

#[tokio::test]
async fn a_filter_by_space_does_not_look_below_it() {
    let client = client::fresh("small");
    assert_eq!(client.all("/devices?space_id=2000").await.len(), 0);
    assert_ne!(client.all("/devices?space_id=2104").await.len(), 0);
}
