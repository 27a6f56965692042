//! Answers that depart from the document: passed on as they are, counted, remembered, and never waited for.

use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::future::BoxFuture;
use serde_json::json;
use tokio::time::{advance, pause, resume};
use xyte_mcp_runtime::api::Api;
use xyte_mcp_runtime::catalogue::Catalogue;
use xyte_mcp_runtime::failure::Failure;
use xyte_mcp_runtime::input::Input;
use xyte_mcp_runtime::service::{Service, Settings};
use xyte_mcp_runtime::upstream::Exchange;

use crate::support::{Glue, Platform, call, catalogue};

const THING: &str = r#"{
    "type": "object", "additionalProperties": false,
    "properties": {
        "id": {"type": "integer"},
        "status": {"type": ["string", "null"], "enum": ["on", "off", null]},
        "state": {"type": "object"}
    }
}"#;

/// An API that says what its document says, once it is let.
struct Documented {
    glue: Glue,
    held: Option<Mutex<Receiver<()>>>,
}

impl Api for Documented {
    fn request<'a>(
        &'a self,
        operation: &'a str,
        exchange: Exchange,
        input: Input<'a>,
    ) -> BoxFuture<'a, Result<reqwest::Request, Failure>> {
        self.glue.request(operation, exchange, input)
    }

    fn client(&self) -> Result<&reqwest::Client, Failure> {
        self.glue.client()
    }

    fn documented_answer(&self, operation: &str) -> Option<&str> {
        if let Some(held) = &self.held {
            // It ends when the test lets go.
            let _ended = held.lock().unwrap().recv();
        }
        matches!(operation, "get_thing" | "create_thing").then_some(THING)
    }
}

fn documented(platform: &Platform, held: Option<Receiver<()>>) -> Service {
    let model = catalogue();
    let glue = Glue::new(&model, &platform.base);
    let api = Documented { glue, held: held.map(Mutex::new) };
    Service::new(Catalogue::new(model).unwrap(), Arc::new(api), Settings::default())
}

async fn told(service: &Service) -> Vec<String> {
    service.drift.settled().await;
    service.drift.departures().iter().map(|found| format!("{} {found}", found.operation)).collect()
}

/// What the counter of an operation says.
fn counted(service: &Service, operation: &str) -> Option<u64> {
    let line = format!(r#"things_schema_drift_total{{operation="{operation}"}} "#);
    let text = service.metrics.text();
    text.lines().find_map(|it| it.strip_prefix(&line)?.parse().ok())
}

#[tokio::test]
async fn a_field_a_type_and_a_value_that_the_document_does_not_have_are_counted_and_passed_on() {
    let odd = json!({"id": "1", "status": "asleep", "colour": {"r": 1}, "state": {"free": [1]}});
    let platform = Platform::answering(200, &odd.to_string()).await;
    let service = documented(&platform, None);
    for id in [1, 2, 3] {
        let answer = call(&service, "get_thing", json!({"thing_id": id})).await.unwrap();
        assert_eq!(answer.shaped.structured, odd);
        service.drift.settled().await;
    }
    call(&service, "list_flat", json!({})).await.unwrap();
    let expected = [
        "get_thing at `colour`: a field that the document does not have",
        "get_thing at `id`: string instead of integer",
        "get_thing at `status`: the value `asleep`, which the document does not have",
    ];
    assert_eq!(told(&service).await, expected);
    assert_eq!((counted(&service, "get_thing"), service.drift.compared()), (Some(3), 1));
    assert_eq!(counted(&service, "list_flat"), None, "nothing is known of its answer");
    pause();
    advance(Duration::from_secs(61)).await;
    resume();
    call(&service, "get_thing", json!({"thing_id": 4})).await.unwrap();
    assert_eq!(told(&service).await, expected, "each is remembered once");
    assert_eq!((counted(&service, "get_thing"), service.drift.compared()), (Some(6), 2));
}

#[tokio::test]
async fn an_answer_as_documented_and_one_that_is_none_are_no_departure() {
    for (status, body) in [
        (200, r#"{"id":1,"status":null,"state":{"temperature":{"unit":"K"}}}"#),
        (200, "{}"),
        (200, "<html>"),
        (404, r#"{"colour":"red"}"#),
    ] {
        let platform = Platform::answering(status, body).await;
        let service = documented(&platform, None);
        let _ = call(&service, "get_thing", json!({"thing_id": 1})).await;
        assert_eq!(told(&service).await, [""; 0], "{status} {body}");
        assert!(!service.metrics.text().contains("things_schema_drift_total{"));
    }
}

#[tokio::test]
async fn no_call_waits_for_a_look_and_what_comes_meanwhile_is_let_pass() {
    let platform = Platform::answering(200, r#"{"id":"x"}"#).await;
    let (release, held) = channel();
    let service = documented(&platform, Some(held));
    // The first look does not end before the test says so, and all of these do.
    for id in 1..=20 {
        call(&service, "get_thing", json!({"thing_id": id})).await.unwrap();
    }
    call(&service, "create_thing", json!({"name": "x"})).await.unwrap();
    assert_eq!((service.drift.compared(), platform.recorded().len()), (0, 21));
    drop(release);
    assert_eq!(told(&service).await, ["get_thing at `id`: string instead of integer"]);
    assert_eq!(service.drift.compared(), 1);
    // Its turn was not used up.
    call(&service, "create_thing", json!({"name": "x"})).await.unwrap();
    service.drift.settled().await;
    assert_eq!(counted(&service, "create_thing"), Some(1));
}
