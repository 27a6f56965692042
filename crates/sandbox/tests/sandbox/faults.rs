//! What goes wrong on request: by header, by scenario, by rule, and on a real connection.

use std::time::Duration;

use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use xyte_mcp_sandbox::{Error, FAULTS, Sandbox};

use crate::client::{self, A, Client, DEVICE};

const DEVICES: &str = "/organization/devices";

async fn notes(client: &Client) -> usize {
    client.all(&format!("/devices/{DEVICE}/notes")).await.len()
}

#[tokio::test]
async fn a_header_makes_its_own_request_fail_and_no_other() {
    let client = client::fresh("small");
    let limited = client.suffering("429 retry-after=2").get(DEVICES).await;
    assert_eq!(limited.status, 429);
    assert_eq!(limited.headers["retry-after"], "2");
    assert_eq!(limited.json(), json!({ "error": "Too Many Requests" }));
    assert_eq!(client.get(DEVICES).await.status, 200);
    let unread = client.suffering("bad luck").get(DEVICES).await;
    assert_eq!(unread.status, 400);
    assert!(unread.text.contains("a status from 400 to 599"), "{}", unread.text);
}

#[tokio::test]
async fn a_page_of_a_proxy_and_half_an_answer_are_no_json() {
    let client = client::fresh("small");
    let page = client.suffering("html").get(DEVICES).await;
    assert_eq!(
        (page.status.as_u16(), &page.headers["content-type"]),
        (502, &"text/html".parse().unwrap())
    );
    let whole = client.get(DEVICES).await.text;
    let half = client.suffering("truncate").get(DEVICES).await;
    assert_eq!(half.status, 200);
    assert!(whole.starts_with(&half.text) && half.text.len() == whole.len() / 2);
    assert!(serde_json::from_str::<serde_json::Value>(&half.text).is_err());
}

#[tokio::test]
async fn a_write_is_done_before_a_late_drop_and_not_before_an_early_one() {
    let client = client::fresh("small");
    let (before, body) = (notes(&client).await, json!({ "content": "Once" }));
    let path = format!("/organization/devices/{DEVICE}/notes");
    for (fault, more) in [("drop-before", 0), ("500", 0), ("html", 0), ("drop-after", 1)] {
        client.suffering(fault).send("POST", &path, Some(&body)).await;
        assert_eq!(notes(&client).await, before + more, "{fault}");
    }
    client.suffering("truncate").send("POST", &path, Some(&body)).await;
    assert_eq!(notes(&client).await, before + 2);
}

#[tokio::test(start_paused = true)]
async fn a_slow_answer_takes_its_time_and_a_hanging_one_never_comes() {
    let client = client::fresh("small");
    let begun = tokio::time::Instant::now();
    assert_eq!(client.suffering("slow=12000").get(DEVICES).await.status, 200);
    assert_eq!(begun.elapsed(), Duration::from_secs(12));
    let hanging = client.suffering("hang");
    let waited = tokio::time::timeout(Duration::from_hours(1), hanging.get(DEVICES)).await;
    assert!(waited.is_err());
    let stats = client.look("/stats").await;
    assert_eq!((&stats["open"], &stats["unanswered"]), (&json!(0), &json!(1)));
}

#[tokio::test]
async fn the_fifth_request_is_refused_in_the_scenario_of_the_limited_rate() {
    let client = client::fresh("small+rate-limited");
    let mut statuses = Vec::new();
    for _ in 0..7 {
        statuses.push(client.get(DEVICES).await.status.as_u16());
    }
    assert_eq!(statuses, [200, 200, 200, 200, 429, 200, 200]);
}

#[tokio::test]
async fn page_7_fails_for_good_in_its_scenario_and_the_others_do_not() {
    let client = client::fresh("baseline+page-7-fails");
    for _ in 0..3 {
        assert_eq!(client.get(&format!("{DEVICES}?page=7")).await.status, 500);
    }
    for page in [1, 6, 8] {
        assert_eq!(client.get(&format!("{DEVICES}?page={page}")).await.status, 200);
    }
}

#[tokio::test]
async fn the_fourth_write_is_done_and_not_answered_in_its_scenario() {
    let client = client::fresh("small+drop-after-4");
    let before = notes(&client).await;
    let path = format!("/organization/devices/{DEVICE}/notes");
    for number in 1..=5 {
        let body = json!({ "content": format!("Note {number}") });
        let answer = client.send("POST", &path, Some(&body)).await;
        assert_eq!(answer.status.is_success(), number != 4, "{number}");
    }
    assert_eq!(notes(&client).await, before + 5);
}

#[tokio::test(start_paused = true)]
async fn one_page_takes_12_seconds_in_its_scenario() {
    let client = client::fresh("baseline+slow-page");
    let begun = tokio::time::Instant::now();
    assert_eq!(client.all("/devices").await.len(), 1_200);
    assert_eq!(begun.elapsed(), Duration::from_secs(12));
}

#[tokio::test]
async fn scenarios_take_several_faults_by_name_or_by_rule() {
    let client = client::fresh("small+rate-limited+503 path=*/tickets from=2");
    let tickets = async || client.get("/organization/tickets").await.status.as_u16();
    assert_eq!((tickets().await, tickets().await, tickets().await), (200, 503, 503));
    assert_eq!(client.look("/faults").await.as_array().unwrap().len(), 2);
    let unread = Sandbox::new(client::DOCUMENT, 1, "small+moon").unwrap_err();
    assert!(matches!(unread, Error::NoFault { .. }) && unread.to_string().contains("rate-limited"));
    assert_eq!(FAULTS.len(), 4);
}

#[tokio::test]
async fn rules_are_added_counted_and_removed_from_behind() {
    let client = client::fresh("small");
    let rules = "500 method=DELETE\n\n429 key=A times=1 retry-after=1\n";
    assert_eq!(client.admin("POST", "/faults", rules).await.status, 200);
    assert_eq!(client.get(DEVICES).await.status, 429);
    assert_eq!(client.get(DEVICES).await.status, 200);
    let faults = client.look("/faults").await;
    assert_eq!(faults[1], json!({ "fault": "429 key=A times=1 retry-after=1", "fitted": 2 }));
    assert_eq!(client.admin("POST", "/faults", "500 nth=x").await.status, 400);
    assert_eq!(client.admin("DELETE", "/faults", "").await.status, 204);
    assert_eq!(client.delete(&format!("/devices/{DEVICE}")).await.status, 204);
}

/// What arrives on a connection of its own before the other side ends it.
async fn asked(sandbox: &Sandbox, fault: &str, request: &str) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let stopped = async move { drop(stopped.await) };
    let server = tokio::spawn(xyte_mcp_sandbox::serve(listener, sandbox.clone(), stopped));
    let mut socket = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "{request} HTTP/1.1\r\nHost: x\r\nAuthorization: {A}\r\nConnection: close\r\n\
         X-Sandbox-Fault: {fault}\r\nContent-Length: 0\r\n\r\n"
    );
    socket.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    drop(stop);
    server.await.unwrap().unwrap();
    answer
}

#[tokio::test]
async fn a_dropped_connection_ends_without_a_byte_although_the_write_is_done() {
    let sandbox = client::sandbox("small");
    let request = format!("DELETE /core/v1/organization/devices/{DEVICE}");
    assert_eq!(asked(&sandbox, "drop-before", &request).await, "");
    let client = Client::of(&sandbox);
    assert_eq!(client.get(&format!("{DEVICES}/{DEVICE}")).await.status, 200);
    assert_eq!(asked(&sandbox, "drop-after", &request).await, "");
    assert_eq!(client.get(&format!("{DEVICES}/{DEVICE}")).await.status, 404);
    let whole = asked(&sandbox, "503", &request).await;
    assert!(whole.starts_with("HTTP/1.1 503 Service Unavailable"), "{whole}");
}

#[tokio::test]
async fn a_request_that_hangs_does_not_keep_the_server_from_ending() {
    let sandbox = client::sandbox("small");
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let stopped = async move { drop(stopped.await) };
    let server = tokio::spawn(xyte_mcp_sandbox::serve(listener, sandbox.clone(), stopped));
    let mut socket = TcpStream::connect(address).await.unwrap();
    socket.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nX-Sandbox-Fault: hang\r\n\r\n").await.unwrap();
    while sandbox.requests() == 0 {
        tokio::task::yield_now().await;
    }
    drop(stop);
    server.await.unwrap().unwrap();
}
