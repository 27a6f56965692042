//! What a person reads before something is destroyed, and how long a yes to it holds.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};
use support::{DEVICE, KEY_A, KEY_P, Running};
use xyte_mcp_runtime::caller::Key;
use xyte_mcp_runtime::seal::{Broken, Purpose, Seal, keys};

/// A server in front of a sandbox.
struct Rig {
    sandbox: Running,
    server: Running,
}

impl Rig {
    fn new() -> Self {
        Self::with(&[])
    }

    fn with(flags: &[&str]) -> Self {
        let sandbox = Running::sandbox();
        let base = format!("http://{}", sandbox.address);
        let own = ["--base-url", &base, "--toolsets", "all", "--rate-limit", "0"];
        Self { server: Running::http(&[&own, flags].concat()), sandbox }
    }

    /// A call by a client that can ask its user.
    async fn ask(&self, key: &str, tool: &str, arguments: &Value) -> Value {
        self.server.call_asking(key, (tool, arguments.clone()), json!({})).await
    }
}

fn code(result: &Value) -> &str {
    assert_eq!(result["isError"], true, "{result}");
    result["structuredContent"]["error"]["code"].as_str().unwrap()
}

/// What a person must read of the example of each tool that destroys.
const TOLD: [(&str, &[&str]); 11] = [
    ("delete_asset", &["name: Lectern 1"]),
    ("delete_device", &["name: Skog sign", "space.full_path: Northwind/Oslo/Floor 3/Skog"]),
    ("merge_devices", &["name: Fjord display", "with.name: Fjord lounge camera"]),
    ("split_device", &["name: Skog display", "shadow.name: Skog touch panel"]),
    ("delete_group", &["name: First line"]),
    ("close_incident", &["incident.title: Display runs hot", "incident.device: Fjord display"]),
    ("delete_device_note", &["name: Fjord display", "note.content: Bracket was loose."]),
    ("delete_space_note", &["name: Fjord lounge", "note.content: Key at reception."]),
    ("delete_space", &["name: Spare room", "space.path: Northwind/Oslo/Floor 3/Spare room"]),
    ("deactivate_user", &["name: Kari Nordmann", "email: kari@northwind.example"]),
    ("partner_delete_device", &["data.sn: NW-88212", "data.model.name: Panel 55"]),
];

#[tokio::test]
async fn every_question_calls_what_it_touches_by_name_beside_its_id() {
    let rig = Rig::new();
    let entries = support::capabilities()["entries"].take();
    let destroys =
        |it: &&Value| it["class"] == "destructive" && it["operation"] != "call_destructive";
    let entries: Vec<&Value> = entries.as_array().unwrap().iter().filter(destroys).collect();
    // A tool that another document brings has no target yet: its question names its arguments.
    let told_of = |tool| TOLD.iter().find(|(name, _)| *name == tool).map_or(&[][..], |it| it.1);
    for entry in entries {
        let tool = support::name(entry);
        let told = told_of(tool);
        assert!(entry["consent"]["target"].is_null() || !told.is_empty(), "{tool} is not tried");
        let key = if entry["credential"] == "partnerKey" { KEY_P } else { KEY_A };
        let asked = rig.ask(key, tool, &entry["example"]).await;
        let words = asked["inputRequests"]["consent"]["params"]["message"].as_str();
        let words = words.unwrap_or_else(|| panic!("{tool}: {asked}"));
        let ids = entry["example"].as_object().unwrap().values();
        let ids = ids.flat_map(|id| id.as_array().cloned().unwrap_or_else(|| vec![id.clone()]));
        for id in ids {
            let id = id.as_str().map_or_else(|| id.to_string(), str::to_owned);
            assert!(words.contains(&format!(": {id}\n")), "{tool}, {id}: {words}");
        }
        for line in told {
            assert!(words.contains(&format!("{line}\n")), "{tool}, {line}: {words}");
        }
        assert!(!words.contains(['{', '[']), "{tool} shows no JSON: {words}");
    }
    assert_eq!(rig.sandbox.changes().await, [""; 0]);
}

#[tokio::test]
async fn what_is_not_there_is_told_before_anybody_is_asked() {
    let rig = Rig::new();
    let nowhere = "00000000-0000-4000-8000-000000000000";
    for (tool, arguments) in [
        ("close_incident", json!({"incident_id": nowhere})),
        ("delete_device_note", json!({"device_id": DEVICE, "note_id": nowhere})),
        ("delete_space_note", json!({"space_id": 2104, "note_id": nowhere})),
        ("merge_devices", json!({"device_id": DEVICE, "with_device_ids": [nowhere]})),
    ] {
        let asked = rig.ask(KEY_A, tool, &arguments).await;
        assert_eq!(code(&asked), "not_found", "{tool}");
        let mut preview = arguments;
        preview["dry_run"] = json!(true);
        assert_eq!(code(&rig.ask(KEY_A, tool, &preview).await), "not_found", "{tool}");
    }
}

/// The key with which the server seals: 32 bytes in base64.
const SEAL: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// The same text with another end.
fn resealed(purpose: Purpose, text: &str, life: TimeDelta) -> String {
    let (seal, tenant) = (Seal::new(keys(SEAL).unwrap()), Key::new(KEY_A).unwrap().digest());
    let open = |at| seal.open(purpose, tenant, text, at);
    let slip = open(Utc::now() + TimeDelta::minutes(9)).unwrap();
    assert_eq!(open(Utc::now() + TimeDelta::minutes(10)), Err(Broken::Expired), "ten minutes");
    seal.seal(purpose, tenant, Some(Utc::now() + life), &slip)
}

#[tokio::test]
async fn a_plan_and_a_question_hold_for_ten_minutes_and_are_refused_as_expired_after_that() {
    let rig = Rig::with(&["--seal-key", SEAL, "--confirm", "token"]);
    let (over, moment) = (TimeDelta::milliseconds(-1), TimeDelta::minutes(1));
    let arguments = json!({"device_id": DEVICE});

    let asked = rig.ask(KEY_A, "delete_device", &arguments).await;
    let state = asked["requestState"].as_str().unwrap();
    let late = resealed(Purpose::Request, state, over);
    let yes = json!({"requestState": late, "inputResponses": {"consent": {"action": "accept"}}});
    let refused = rig.server.call_asking(KEY_A, ("delete_device", arguments), yes).await;
    assert_eq!(code(&refused), "plan_expired");

    let call = async |more: Value| {
        let mut arguments = json!({"device_id": DEVICE});
        arguments.as_object_mut().unwrap().append(&mut more.as_object().unwrap().clone());
        rig.server.call("delete_device", arguments, &[("x-xyte-api-key", KEY_A)]).await
    };
    let preview = call(json!({"dry_run": true})).await;
    let token = preview["structuredContent"]["plan_token"].as_str().unwrap();
    let late = resealed(Purpose::Plan, token, over);
    assert_eq!(code(&call(json!({"plan_token": late})).await), "plan_expired");
    assert_eq!(rig.sandbox.changes().await, [""; 0]);
    let in_time = resealed(Purpose::Plan, token, moment);
    let done = call(json!({"plan_token": in_time})).await;
    assert_eq!(done["isError"], false, "only its time was over: {done}");
}
