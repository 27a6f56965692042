//! Every tool does what its operation promises, and refusals come in this server's words.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::client::{Running, ask_over_pipes, program};
use crate::upstream::{TOKEN, Upstream};

/// What is kept in the workbook, with the arguments that make, replace and change one.
struct Kind {
    one: &'static str,
    many: &'static str,
    id: &'static str,
    new: Value,
    replaced: Value,
    changed: Value,
    action: &'static str,
}

fn kinds(note: &Value) -> [Kind; 5] {
    [
        Kind {
            one: "note",
            many: "notes",
            id: "note_id",
            new: json!({"title": "Plan", "text": "Begin.", "tags": ["work"]}),
            replaced: json!({"title": "Plan B", "text": null}),
            changed: json!({"tags": []}),
            action: "summarize",
        },
        Kind {
            one: "task",
            many: "tasks",
            id: "task_id",
            new: json!({"title": "Order chairs", "priority": 1, "estimate": 1.50}),
            replaced: json!({"title": "Order tables", "due": "2026-04-01T12:00:00Z"}),
            changed: json!({"done": true, "due": null}),
            action: "estimate",
        },
        Kind {
            one: "comment",
            many: "comments",
            id: "comment_id",
            new: json!({"note_id": note, "text": "Good."}),
            replaced: json!({"note_id": note, "text": "Very good."}),
            changed: json!({"text": "Fine."}),
            action: "moderate",
        },
        Kind {
            one: "chat",
            many: "chats",
            id: "chat_id",
            new: json!({"topic": "Chairs", "members": ["Ann", "Bo"], "settings": {"muted": false, "keep_days": null}}),
            replaced: json!({"topic": "Tables", "members": []}),
            changed: json!({"settings": {"muted": true}}),
            action: "transcribe",
        },
        Kind {
            one: "chat_message",
            many: "chat_messages",
            id: "message_id",
            new: json!({"text": "Hello"}),
            replaced: json!({"text": "Good morning", "reply_to": null}),
            changed: json!({"reply_to": 9_007_199_254_740_993_i64}),
            action: "translate",
        },
    ]
}

fn with(mut arguments: Value, more: &Value) -> Value {
    arguments.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    arguments
}

/// Whether a thing has all these fields with these values.
fn has(thing: &Value, fields: &Value) -> bool {
    fields.as_object().unwrap().iter().all(|(name, value)| thing[name] == *value)
}

/// Takes one thing from its making to its end with all eight tools of its kind.
async fn live(server: &Running, kind: &Kind, outer: &Value) -> BTreeSet<String> {
    let mut called = BTreeSet::new();
    let mut call = async |tool: String, arguments: &Value| {
        let (result, failed) = server.call(&tool, with(arguments.clone(), outer)).await;
        assert!(!failed, "{tool}: {result}");
        called.insert(tool);
        result
    };
    let made = call(format!("create_{}", kind.one), &kind.new).await;
    assert!(has(&made, &kind.new), "{made}");
    let it = json!({ kind.id: made["id"] });
    let got = call(format!("get_{}", kind.one), &it).await;
    assert_eq!(got, made);
    let all = call(format!("list_{}", kind.many), &json!({"format": "json"})).await;
    assert_eq!(all["page"]["complete"], true);
    assert!(all["items"].as_array().unwrap().contains(&made), "{all}");
    let put = call(format!("update_{}", kind.one), &with(kind.replaced.clone(), &it)).await;
    assert!(has(&put, &kind.replaced) && put["id"] == made["id"], "{put}");
    let changed = call(format!("patch_{}", kind.one), &with(kind.changed.clone(), &it)).await;
    assert!(has(&changed, &kind.changed), "{changed}");
    let archived = call(format!("archive_{}", kind.one), &it).await;
    assert_eq!(archived["archived"], true);
    let work = with(json!({"action": kind.action}), &it);
    let job = call(format!("process_{}", kind.one), &work).await;
    assert_eq!((&job["state"], &job["action"]), (&json!("queued"), &json!(kind.action)));
    let deleted = call(format!("delete_{}", kind.one), &it).await;
    assert_eq!(deleted, json!({"status": 204, "answer": null}));
    let gone = server.call(&format!("get_{}", kind.one), with(it, outer)).await;
    assert!(gone.1 && gone.0["error"]["code"] == "not_found", "{}", gone.0);
    assert_eq!(gone.0["error"]["message"], "the platform answered 404: Not Found");
    called
}

#[tokio::test]
async fn all_forty_tools_do_what_their_operations_promise() {
    let upstream = Upstream::start().await;
    let server = Running::start(&upstream.base, TOKEN);
    let (note, _) = server.call("create_note", json!({"title": "About comments"})).await;
    let (chat, _) = server.call("create_chat", json!({"topic": "Around messages"})).await;
    let mut called = BTreeSet::new();
    for kind in kinds(&note["id"]) {
        let outer =
            if kind.one == "chat_message" { json!({"chat_id": chat["id"]}) } else { json!({}) };
        called.extend(live(&server, &kind, &outer).await);
    }
    let listed = server.ask("tools/list", json!({})).await;
    let shown: BTreeSet<String> = listed["tools"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tool| tool["name"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(called.len(), 40);
    assert_eq!(called, shown);
}

#[tokio::test]
async fn a_list_is_walked_from_cursor_to_cursor() {
    let upstream = Upstream::start().await;
    upstream.fill(230);
    let server = Running::start(&upstream.base, TOKEN);
    let (all, _) = server.call("list_notes", json!({"limit": 1000, "archived": false})).await;
    assert_eq!(all["page"], json!({"returned": 230, "complete": true, "next_cursor": null}));
    let items = all["items"].as_array().unwrap();
    let in_order = |(at, note): (usize, &Value)| note["title"] == format!("Note {at}");
    assert!(items.iter().enumerate().all(in_order), "rows are in order and once each");
    assert_eq!(
        upstream.asked(),
        [
            "GET /v2/notes?archived=false&limit=100",
            "GET /v2/notes?archived=false&cursor=after-100&limit=100",
            "GET /v2/notes?archived=false&cursor=after-200&limit=100",
        ]
    );
    let (some, _) = server.call("list_notes", json!({"limit": 7})).await;
    assert_eq!(
        (some["page"]["returned"].as_u64(), &some["page"]["complete"]),
        (Some(7), &json!(false))
    );
    let cursor = &some["page"]["next_cursor"];
    let (next, _) = server.call("list_notes", json!({"limit": 3, "cursor": cursor})).await;
    let titles: Vec<&Value> =
        next["items"].as_array().unwrap().iter().map(|note| &note["title"]).collect();
    assert_eq!(titles, ["Note 7", "Note 8", "Note 9"]);
}

#[tokio::test]
async fn refusals_name_the_field_and_the_next_step() {
    let upstream = Upstream::start().await;
    let server = Running::start(&upstream.base, TOKEN);
    let (refused, failed) = server.call("create_task", json!({"title": "forbidden"})).await;
    assert!(failed);
    assert_eq!(refused["error"]["code"], "invalid_params");
    assert_eq!(
        refused["error"]["message"],
        "the platform answered 422: title: must not be forbidden"
    );
    assert_eq!(refused["error"]["hint"], "The message names the field and what is wrong with it.");
    let before = upstream.asked().len();
    let (wrong, failed) = server.call("get_note", json!({"note_id": "seven"})).await;
    assert!(failed && wrong["error"]["code"] == "invalid_arguments", "{wrong}");
    assert_eq!(upstream.asked().len(), before, "nothing was sent");
}

#[tokio::test]
async fn the_key_goes_out_as_a_bearer_and_is_never_shown() {
    let upstream = Upstream::start().await;
    let stranger = Running::start(&upstream.base, "another-token");
    let (refused, failed) = stranger.call("list_tasks", json!({})).await;
    assert!(failed && refused["error"]["code"] == "unauthorized", "{refused}");
    let server = Running::start(&upstream.base, TOKEN);
    let arguments = json!({"task_id": 7, "due": null, "dry_run": true});
    let (shown, _) = server.call("patch_task", arguments).await;
    assert_eq!(shown["request"]["headers"]["authorization"], "****");
    assert_eq!(shown["request"]["headers"]["content-type"], "application/merge-patch+json");
    assert_eq!(shown["request"]["body"], json!({"due": null}));
    assert_eq!(upstream.asked(), ["GET /v2/tasks?limit=50"], "a dry run sends nothing");
}

#[tokio::test(flavor = "multi_thread")] // The upstream answers while the test waits for the process.
async fn the_same_tools_answer_over_pipes() {
    let upstream = Upstream::start().await;
    upstream.fill(3);
    let params = json!({"name": "list_notes", "arguments": {"fields": ["title"]}});
    let result = ask_over_pipes(program(&upstream.base, TOKEN), "tools/call", params);
    assert_eq!(
        result["structuredContent"]["items"],
        json!([{"title": "Note 0"}, {"title": "Note 1"}, {"title": "Note 2"}])
    );
}

#[test]
fn a_setting_that_cannot_be_used_stops_the_start() {
    let output = program("not an address", TOKEN).arg("http").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(
        String::from_utf8_lossy(&output.stderr).lines().last(),
        Some(
            "workbook-mcp: WORKBOOK_BASE_URL takes the http or https URL of the API; the document says `https://api.workbook.example/v2`"
        )
    );
}
