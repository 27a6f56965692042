//! What a caller gets, and what the platform was asked for it.

use serde_json::{Value, json};

use crate::support::{KEY_A, Platform, call, service};

const DEVICES: &str = r#"{"items":[{"id":18446744073709551616,"name":"A","model":{"name":"M","extra":null},"price":1.10,"new_field":{}},{"id":2,"name":null,"model":"odd"}],"has_next_page":false,"next_page":null}"#;

#[tokio::test]
async fn wrong_arguments_never_reach_the_platform() {
    let platform = Platform::answering(200, "{}").await;
    let service = service(&platform);
    let failure =
        call(&service, "list_things", json!({"kind": "c", "per_page": 7})).await.unwrap_err();
    assert_eq!(failure.code, "invalid_arguments");
    assert!(
        failure.message.contains("`per_page` is not an argument of list_things"),
        "{}",
        failure.message
    );
    assert!(failure.request_id.is_some());
    assert!(platform.recorded().is_empty());
}

#[tokio::test]
async fn a_list_shows_its_columns_as_structure_and_as_a_table() {
    let platform = Platform::answering(200, DEVICES).await;
    let answer = call(&service(&platform), "list_things", json!({"kind": "a"})).await.unwrap();
    let expected = r#"{"items":[{"id":18446744073709551616,"model":{"name":"M"},"name":"A"},{"id":2,"model":"odd","name":null}],"page":{"complete":true,"next_cursor":null,"returned":2},"warnings":[]}"#;
    assert_eq!(answer.shaped.structured.to_string(), expected);
    assert_eq!(
        answer.shaped.text,
        "id | name | model.name\n18446744073709551616 | A | M\n2 |  | odd\n# 2 rows, complete"
    );
    assert!(answer.meta["as_of"].as_str().unwrap().ends_with('Z'));
    assert_eq!(platform.targets(), ["/things?kind=a&page=1&per_page=50"]);
}

#[tokio::test]
async fn format_json_returns_rows_unchanged() {
    let platform = Platform::answering(200, DEVICES).await;
    let answer = call(&service(&platform), "list_things", json!({"format": "json"})).await.unwrap();
    let sent: Value = serde_json::from_str(DEVICES).unwrap();
    assert_eq!(answer.shaped.structured["items"], sent["items"]);
    assert_eq!(answer.shaped.text, answer.shaped.structured.to_string());
    assert!(answer.shaped.text.contains(r#""price":1.10"#));
}

#[tokio::test]
async fn fields_pick_other_columns() {
    let platform = Platform::answering(200, DEVICES).await;
    let answer =
        call(&service(&platform), "list_things", json!({"fields": ["price", "model.extra"]}))
            .await
            .unwrap();
    assert_eq!(answer.shaped.text, "price | model.extra\n1.10 | \n | odd\n# 2 rows, complete");
}

#[tokio::test]
async fn a_list_without_its_rows_is_passed_on_with_a_warning() {
    for body in [r#"{"has_next_page":true,"things":[1]}"#, r#"{"items":null}"#, "[3]", "7"] {
        let platform = Platform::answering(200, body).await;
        let answer = call(&service(&platform), "list_things", json!({})).await.unwrap();
        assert_eq!(answer.shaped.structured["answer"].to_string(), body);
        assert_eq!(
            answer.shaped.structured["page"],
            json!({"returned": 0, "complete": false, "next_cursor": null})
        );
        assert!(
            answer.shaped.structured["warnings"][0]
                .as_str()
                .unwrap()
                .contains("no rows at `items`")
        );
    }
}

#[tokio::test]
async fn an_array_is_a_list_of_its_own() {
    let platform = Platform::answering(200, r#"[{"id":1,"x":2},{"id":2}]"#).await;
    let answer = call(&service(&platform), "list_flat", json!({"limit": 1})).await.unwrap();
    assert_eq!(answer.shaped.structured["items"], json!([{"id": 1}]));
    assert_eq!(answer.shaped.structured["page"]["complete"], json!(false));
    assert!(
        answer.shaped.text.contains("\n# 1 row, more follow; cursor: "),
        "{}",
        answer.shaped.text
    );
}

#[tokio::test]
async fn an_object_is_passed_on_as_it_is_and_anything_else_is_wrapped() {
    let platform = Platform::answering(200, r#"{"id":1,"none":null,"big":1e400}"#).await;
    let answer = call(&service(&platform), "get_thing", json!({"thing_id": "1"})).await.unwrap();
    assert_eq!(answer.shaped.text, r#"{"big":1e+400,"id":1,"none":null}"#);
    assert_eq!(platform.targets(), ["/things/1"]);
    let platform = Platform::answering(200, "[1]").await;
    let answer = call(&service(&platform), "get_thing", json!({"thing_id": 1})).await.unwrap();
    assert_eq!(answer.shaped.structured["answer"], json!([1]));
}

#[tokio::test]
async fn the_platform_gets_the_raw_key_and_the_body_as_it_was_written() {
    let platform = Platform::answering(201, r#"{"id":1}"#).await;
    let arguments = json!({"name": "x", "note": null, "custom": {}});
    call(&service(&platform), "create_thing", arguments).await.unwrap();
    let record = &platform.recorded()[0];
    assert_eq!((record.method.as_str(), record.target.as_str()), ("POST", "/things"));
    assert_eq!(record.body, r#"{"custom_fields":{},"name":"x","note":null}"#);
    let header = |name: &str| record.headers.get(name).map(|value| value.to_str().unwrap());
    assert_eq!(header("authorization"), Some(KEY_A));
    assert_eq!(header("accept"), Some("application/json"));
    assert_eq!(header("user-agent"), Some("things-mcp/1"));
    assert_eq!(header("content-length"), Some("43"));
    assert_eq!(header("api-version"), None);
}

#[tokio::test]
async fn a_dry_run_describes_the_request_and_sends_nothing() {
    let platform = Platform::answering(500, "").await;
    let service = service(&platform);
    let answer =
        call(&service, "create_thing", json!({"name": "x", "size": 1.25, "dry_run": true}))
            .await
            .unwrap();
    let request = &answer.shaped.structured["request"];
    assert_eq!(answer.shaped.structured["dry_run"], json!(true));
    assert_eq!(request["method"], "POST");
    assert_eq!(request["url"], format!("{}/things", platform.base));
    assert_eq!(request["headers"]["authorization"], "****");
    assert_eq!(request["body"].to_string(), r#"{"name":"x","size":1.25}"#);
    assert!(!answer.meta.contains_key("as_of"));
    // Reads take it too, though their schema does not show it.
    let answer =
        call(&service, "list_things", json!({"dry_run": true, "fresh": true})).await.unwrap();
    assert_eq!(
        answer.shaped.structured["request"]["url"],
        format!("{}/things?page=1&per_page=50", platform.base)
    );
    assert!(platform.recorded().is_empty());
}

#[tokio::test]
async fn an_empty_or_unreadable_success_of_a_change_is_a_success() {
    let platform = Platform::answering(204, "").await;
    let answer = call(&service(&platform), "create_thing", json!({"name": "x"})).await.unwrap();
    assert_eq!(answer.shaped.structured["done"], json!(true));
    assert_eq!(answer.shaped.structured["http_status"], json!(204));
    let platform = Platform::answering(200, "<html>ok</html>").await;
    let answer = call(&service(&platform), "create_thing", json!({"name": "x"})).await.unwrap();
    assert!(answer.shaped.text.contains("done; the platform's answer could not be read"));
    assert!(!answer.shaped.text.contains("html"));
}

#[tokio::test]
async fn an_undocumented_answer_comes_with_its_status() {
    let settings = || xyte_mcp_runtime::service::Settings {
        toolsets: xyte_mcp_runtime::caller::Toolsets::All,
        ..Default::default()
    };
    for (status, body, expected) in [
        (204, "", r#"{"answer":null,"status":204}"#),
        (200, r#"{"gone":1.10}"#, r#"{"answer":{"gone":1.10},"status":200}"#),
        (
            200,
            "<html>",
            r#"{"answer":null,"status":200,"warnings":["done; the platform's answer could not be read"]}"#,
        ),
    ] {
        let platform = Platform::answering(status, body).await;
        let service = crate::support::service_at(&platform.base, settings());
        assert_eq!(call(&service, "purge_things", json!({})).await.unwrap().shaped.text, expected);
    }
}

#[tokio::test]
async fn an_unreadable_success_of_a_read_is_a_failure_of_the_platform() {
    for body in ["", "<html>hello</html>", "{\"id\":"] {
        let platform = Platform::answering(200, body).await;
        let failure =
            call(&service(&platform), "get_thing", json!({"thing_id": 1})).await.unwrap_err();
        assert_eq!((failure.code.as_ref(), failure.status), ("upstream_contract", Some(200)));
        assert!(!failure.message.contains("html"));
    }
}
