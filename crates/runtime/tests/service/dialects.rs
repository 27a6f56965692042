//! APIs of another style: pages by cursor and offset, forms, other kinds of JSON, other ways to send a key.

use serde_json::{Value, json};
use xyte_mcp_catalogue::{Catalogue, Entry, Paging, Sending};
use xyte_mcp_runtime::service::Settings;

use crate::support::{KEY_A, Platform, call, catalogue, service_of};

/// The value of a query parameter.
fn asked<'a>(target: &'a str, name: &str) -> Option<&'a str> {
    let (_, query) = target.split_once('?')?;
    query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
}

fn entry<'a>(model: &'a mut Catalogue, operation: &str) -> &'a mut Entry {
    model.entries.iter_mut().find(|entry| entry.operation == operation).unwrap()
}

/// Walks the list of things with this dialect; gives what came and what was asked.
async fn walked(platform: &Platform, dialect: Value, limit: usize) -> (Value, Vec<String>) {
    let mut model = catalogue();
    entry(&mut model, "list_things").paging =
        Some(serde_json::from_value::<Paging>(dialect).unwrap());
    let service = service_of(model, &platform.base, Settings::default());
    let answer = call(&service, "list_things", json!({"limit": limit})).await.unwrap();
    (answer.shaped.structured, platform.targets())
}

fn rows(from: usize, count: usize, total: usize) -> Vec<Value> {
    (from..(from + count).min(total)).map(|id| json!({"id": id})).collect()
}

fn ids(answer: &Value) -> Vec<u64> {
    let items = answer["items"].as_array().unwrap();
    items.iter().map(|row| row["id"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn an_offset_grows_by_the_rows_that_came() {
    let platform = Platform::start(|record| {
        let from = asked(&record.target, "skip").unwrap().parse().unwrap();
        (200, json!({"items": rows(from, 4, 10)}).to_string()) // Fewer than asked for.
    })
    .await;
    let dialect =
        json!({"dialect": "offset", "step": "offset", "page": "skip", "size": "take", "max": 100});
    let (answer, targets) = walked(&platform, dialect, 50).await;
    assert_eq!(ids(&answer), (0..10).collect::<Vec<_>>());
    assert_eq!(answer["page"]["complete"], true);
    let skipped: Vec<_> = targets.iter().map(|target| asked(target, "skip").unwrap()).collect();
    assert_eq!(skipped, ["0", "4", "8", "10"]);
}

#[tokio::test]
async fn pages_that_are_counted_from_zero_begin_there() {
    let platform = Platform::start(|record| {
        let page: usize = asked(&record.target, "page").unwrap().parse().unwrap();
        (200, json!({"items": rows(page * 3, 3, 7), "last": page < 2}).to_string())
    })
    .await;
    let dialect = json!({"dialect": "zero", "page": "page", "from_zero": true, "more": "last"});
    let (answer, targets) = walked(&platform, dialect, 50).await;
    assert_eq!(ids(&answer), (0..7).collect::<Vec<_>>());
    let pages: Vec<_> = targets.iter().map(|target| asked(target, "page").unwrap()).collect();
    assert_eq!(pages, ["0", "1", "2"]);
}

#[tokio::test]
async fn a_cursor_is_followed_through_empty_pages_to_the_last() {
    let platform = Platform::start(|record| {
        let body = match asked(&record.target, "after") {
            None => json!({"items": rows(0, 2, 9), "next": "a b&c"}),
            Some("a+b%26c") => json!({"items": [], "next": 7}),
            Some("7") => json!({"items": rows(2, 2, 9), "next": ""}),
            other => panic!("{other:?}"),
        };
        (200, body.to_string())
    })
    .await;
    let dialect = json!({"dialect": "cursor", "step": "cursor", "page": "after", "next": "next"});
    let (answer, _) = walked(&platform, dialect, 50).await;
    assert_eq!(ids(&answer), [0, 1, 2, 3]);
    assert_eq!((&answer["page"]["complete"], &answer["warnings"]), (&json!(true), &json!([])));
}

#[tokio::test]
async fn a_cursor_that_leads_nowhere_ends_the_walk_with_a_warning() {
    let cursor = json!({"dialect": "cursor", "step": "cursor", "page": "after", "next": "next", "more": "more"});
    let circle = Platform::start(|record| {
        let from = asked(&record.target, "after").map_or(0, |_| 1);
        (200, json!({"items": rows(from, 1, 9), "next": "same"}).to_string())
    })
    .await;
    let (answer, _) = walked(&circle, cursor.clone(), 50).await;
    assert_eq!((ids(&answer), &answer["page"]["complete"]), (vec![0, 1], &json!(false)));
    assert_eq!(
        answer["warnings"],
        json!(["page 2 names itself as the next one; the walk ended there"])
    );
    let lost = Platform::answering(200, r#"{"items":[{"id":0}],"more":true,"next":null}"#).await;
    let (answer, _) = walked(&lost, cursor, 50).await;
    assert_eq!(
        answer["warnings"],
        json!(["page 1 says that more follow and not how to ask for them; the walk ended there"])
    );
}

#[tokio::test]
async fn a_form_goes_out_as_one() {
    let platform = Platform::answering(200, r#"{"id":1}"#).await;
    let mut model = catalogue();
    let create = entry(&mut model, "create_thing");
    create.media = "application/x-www-form-urlencoded".to_owned();
    create.accept = "application/vnd.things+json".to_owned();
    create.tool["inputSchema"] = json!({"type": "object"});
    let service = service_of(model, &platform.base, Settings::default());
    let arguments = json!({"name": "A & B", "size": 1.50, "note": null, "custom": ["x", "y"]});
    call(&service, "create_thing", arguments).await.unwrap();
    let sent = &platform.recorded()[0];
    assert_eq!(sent.headers["content-type"], "application/x-www-form-urlencoded");
    assert_eq!(sent.headers["accept"], "application/vnd.things+json");
    assert_eq!(sent.body, "custom_fields=x&custom_fields=y&name=A+%26+B&size=1.5");
}

#[tokio::test]
async fn a_key_goes_out_as_the_scheme_of_its_operation_says() {
    let platform = Platform::answering(200, r#"{"items":[],"has_next_page":false}"#).await;
    let mut model = catalogue();
    let credential = entry(&mut model, "list_things").credential.clone();
    model.api.sending.insert(credential, Sending::Header("X-Things-Token".to_owned()));
    let service = service_of(model, &platform.base, Settings::default());
    call(&service, "list_things", json!({})).await.unwrap();
    let sent = &platform.recorded()[0];
    assert_eq!(sent.headers["x-things-token"], KEY_A);
    assert!(!sent.headers.contains_key("authorization"));
}
