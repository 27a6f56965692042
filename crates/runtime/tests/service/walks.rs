//! Lists over several pages: as many rows as asked for, and an honest word on the rest.

use serde_json::{Value, json};

use crate::support::{Platform, Recorded, call, service};

/// The page a request asks for, and its size.
fn asked(record: &Recorded) -> (usize, usize) {
    let value = |name: &str| {
        let query = record.target.split_once('?').unwrap().1;
        query
            .split('&')
            .find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
            .unwrap()
            .parse()
            .unwrap()
    };
    (value("page"), value("per_page"))
}

/// A platform with so many things, which says what follows in this way.
async fn platform(
    total: usize,
    tail: impl Fn(usize, bool) -> Value + Send + Sync + 'static,
) -> Platform {
    Platform::start(move |record| {
        let (page, size) = asked(record);
        let rows: Vec<Value> = ((page - 1) * size..(page * size).min(total))
            .map(|id| json!({"id": id, "name": "n"}))
            .collect();
        let mut body = tail(page, page * size < total);
        body["items"] = rows.into();
        (200, body.to_string())
    })
    .await
}

fn usual(page: usize, more: bool) -> Value {
    json!({"has_next_page": more, "next_page": if more { json!(page + 1) } else { Value::Null }})
}

async fn walked(platform: &Platform, limit: usize) -> (usize, bool, usize, Value) {
    let answer = call(&service(platform), "list_things", json!({"limit": limit}))
        .await
        .unwrap()
        .shaped
        .structured;
    let items = answer["items"].as_array().unwrap();
    assert!(
        items.iter().enumerate().all(|(at, row)| row["id"] == json!(at)),
        "rows are in order and once each"
    );
    assert_eq!(answer["page"]["returned"], json!(items.len()));
    (
        items.len(),
        answer["page"]["complete"].as_bool().unwrap(),
        platform.recorded().len(),
        answer["warnings"].clone(),
    )
}

#[tokio::test]
async fn pages_are_walked_up_to_the_limit() {
    assert_eq!(walked(&platform(250, usual).await, 50).await, (50, false, 1, json!([])));
    assert_eq!(walked(&platform(250, usual).await, 150).await, (150, false, 2, json!([])));
    assert_eq!(walked(&platform(250, usual).await, 1000).await, (250, true, 3, json!([])));
    assert_eq!(walked(&platform(50, usual).await, 50).await, (50, true, 1, json!([])));
    assert_eq!(walked(&platform(0, usual).await, 50).await, (0, true, 1, json!([])));
}

#[tokio::test]
async fn a_missing_or_null_continuation_is_looked_into() {
    // Only the flag, only the number, nothing at all: the same rows, and the end is found.
    assert_eq!(
        walked(&platform(250, |_, more| json!({"has_next_page": more})).await, 1000).await,
        (250, true, 3, json!([]))
    );
    assert_eq!(
        walked(
            &platform(250, |_, more| json!({"has_next_page": more, "next_page": null})).await,
            1000
        )
        .await,
        (250, true, 3, json!([]))
    );
    let number = |page, more: bool| {
        if more { json!({"next_page": page + 1}) } else { json!({"next_page": null}) }
    };
    assert_eq!(walked(&platform(250, number).await, 1000).await, (250, true, 3, json!([])));
    assert_eq!(
        walked(&platform(250, |_, _| json!({})).await, 1000).await,
        (250, true, 4, json!([]))
    );
}

#[tokio::test]
async fn a_platform_that_ignores_the_page_does_not_hold_the_walk() {
    let same =
        Platform::answering(200, r#"{"items":[{"id":0,"name":"n"}],"has_next_page":true}"#).await;
    let (rows, complete, requests, warnings) = walked(&same, 100).await;
    assert_eq!((rows, complete, requests), (1, false, 2));
    assert_eq!(
        warnings[0],
        "the platform answered page 2 with the page before it; the walk ended there"
    );
    let back = platform(500, |_, _| json!({"has_next_page": true, "next_page": 1})).await;
    assert_eq!(
        walked(&back, 1000).await,
        (100, false, 1, json!(["page 1 names page 1 as the next one; the walk ended there"]))
    );
    let empty = platform(0, |_, _| json!({"has_next_page": true})).await;
    assert!(!walked(&empty, 1000).await.1);
}

#[tokio::test]
async fn a_later_page_that_fails_leaves_the_rows_and_a_warning() {
    let platform = Platform::start(|record| match asked(record).0 {
        1 => (200, json!({"items": (0..100).map(|id| json!({"id": id, "name": "n"})).collect::<Vec<_>>(), "has_next_page": true}).to_string()),
        _ => (503, "<html>".to_owned()),
    })
    .await;
    let (rows, complete, _, warnings) = walked(&platform, 1000).await;
    assert_eq!((rows, complete), (100, false));
    assert_eq!(
        warnings,
        json!(["page 2 could not be read (things_server_error: the platform answered 503)"])
    );
}
