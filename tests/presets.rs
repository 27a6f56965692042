//! Room presets on the sandbox: what is shown, what is sent, what is said of it, and which files are refused.

#![allow(clippy::unwrap_used, reason = "a test that finds nothing has failed")]

mod support;

use std::path::PathBuf;

use serde_json::{Value, json};
use support::{DEVICE, KEY_A, Running, program};

const BOARD: &str = "HQ/B1/F9/Board room";
const TOOL: &str = "start_meeting_room_preset";
const HEADERS: [(&str, &str); 1] = [("x-xyte-api-key", KEY_A)];

/// A sandbox and a server in front of it.
struct Rig {
    sandbox: Running,
    server: Running,
}

impl Rig {
    /// With presets of its own, where there are any; every request takes some virtual time.
    async fn new(scenario: &str, folder: Option<&Folder>) -> Self {
        let sandbox = Running::sandbox_of(scenario);
        let base = format!("http://{}", sandbox.address);
        let folder = folder.map(|folder| folder.0.to_str().unwrap());
        let mut arguments = vec!["--base-url", &base];
        arguments.extend(folder.iter().flat_map(|folder| ["--presets-dir", folder]));
        let server = Running::http(&arguments);
        let rig = Self { sandbox, server };
        rig.behind("/clock", json!({"pace": "step:15"})).await;
        rig
    }

    async fn behind(&self, path: &str, body: Value) -> Value {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let url = format!("http://{}{path}", self.sandbox.admin);
        let request = match body {
            Value::Null => client.get(url),
            Value::String(text) => client.post(url).body(text),
            body => client.post(url).body(body.to_string()),
        };
        request.send().await.unwrap().json().await.unwrap()
    }

    async fn call(&self, arguments: Value) -> Value {
        self.server.call(TOOL, arguments, &HEADERS).await
    }

    /// Commands that the platform was sent, in their order.
    async fn sent(&self) -> Vec<Value> {
        let log = self.behind("/requests", Value::Null).await;
        let log = log.as_array().unwrap().clone();
        log.into_iter().filter(|line| line["method"] == "POST").collect()
    }
}

/// A folder of presets, gone with its test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str, files: &[(&str, &str)]) -> Self {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("presets-{name}"));
        let _it_may_be_new = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        for (name, text) in files {
            std::fs::write(path.join(name), text).unwrap();
        }
        Self(path)
    }

    /// What the program says that is given this folder, with its exit code.
    fn refused(&self) -> (Option<i32>, String) {
        let mut program = program();
        program.args(["call", TOOL, "--sandbox", "--args", "{}", "--presets-dir"]).arg(&self.0);
        let output = program.output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _nobody_asks = std::fs::remove_dir_all(&self.0);
    }
}

fn outcomes(answer: &Value) -> Vec<&str> {
    let steps = answer["data"]["steps"].as_array().unwrap();
    steps.iter().map(|step| step["outcome"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn the_plan_shows_exactly_what_is_sent_and_the_report_what_the_room_is_then() {
    let rig = Rig::new("baseline", None).await;
    let plan = rig.call(json!({"room": BOARD, "dry_run": true})).await;
    let plan = &plan["structuredContent"];
    assert_eq!(plan["summary"], "2 commands would be sent");
    assert!(rig.sent().await.is_empty(), "a plan sends nothing");
    let requests: Vec<&Value> = plan["data"]["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| &step["devices"][0]["request"])
        .collect();
    let ran = rig.call(json!({"room": BOARD})).await;
    let answer = &ran["structuredContent"];
    let sent = rig.sent().await;
    assert_eq!(sent.len(), 2);
    for (request, sent) in requests.into_iter().zip(&sent) {
        assert!(
            request["url"].as_str().unwrap().ends_with(sent["path"].as_str().unwrap()),
            "{sent}"
        );
    }
    assert_eq!(answer["summary"], "2 commands executed");
    let data = &answer["data"];
    assert_eq!(
        (&data["room"], &data["outcome"], &data["verdict"]),
        (&json!(BOARD), &json!("done"), &json!("degraded"))
    );
    assert!(data["reasons"].to_string().contains("camera: status warning"), "{data}");
    let display = &data["steps"][1]["devices"][0]["reports"];
    assert_eq!(
        (&display["state"]["power"], &display["state"]["input"]),
        (&json!("on"), &json!("hdmi1"))
    );
    assert!(data["local_time"].as_str().unwrap().starts_with("2026-09-07T11:"), "{data}");
    assert_eq!(data["time_zone"], "Asia/Jerusalem");
    let changes = rig.behind("/changes", Value::Null).await;
    let has = |path: &str| {
        changes
            .as_array()
            .unwrap()
            .iter()
            .any(|change| change["path"].as_str().unwrap().ends_with(path))
    };
    assert!(has("/state/power") && has("/state/input"), "{changes}");
}

#[tokio::test]
async fn a_room_called_board_is_prepared_without_a_plan_and_switched_off_again() {
    let rig = Rig::new("small", None).await;
    let answer = rig.call(json!({"room": "Board"})).await;
    assert_eq!(answer["structuredContent"]["summary"], "2 commands executed");
    assert_eq!(answer["structuredContent"]["data"]["room"], "Board");
    let off = rig.server.call("shutdown_meeting_room", json!({"room": "Board"}), &HEADERS).await;
    let off = &off["structuredContent"];
    assert_eq!(
        (&off["summary"], &off["data"]["outcome"]),
        (&json!("1 commands executed"), &json!("done"))
    );
    assert_eq!(off["data"]["steps"][0]["devices"][0]["reports"]["state"]["power"], "standby");
    assert!(off["data"].get("verdict").is_none(), "a room that is off is not judged ready");
}

#[tokio::test]
async fn of_two_rooms_with_one_name_none_is_chosen_and_a_building_is_no_room() {
    let rig = Rig::new("baseline", None).await;
    for (room, code) in [
        ("Board room", "ambiguous_name"),
        ("HQ/B1", "invalid_arguments"),
        ("Bored room", "not_found"),
    ] {
        let refused = rig.call(json!({"room": room})).await;
        assert_eq!(refused["structuredContent"]["error"]["code"], code, "{refused}");
    }
    let refused = rig.call(json!({"room": BOARD, "preset": "../meeting"})).await;
    assert_eq!(refused["structuredContent"]["error"]["code"], "invalid_arguments");
    let refused = rig.call(json!({"room": BOARD, "preset": "party"})).await;
    assert!(
        refused["content"][0]["text"].as_str().unwrap().contains("meeting, shutdown"),
        "{refused}"
    );
    let refused = rig.call(json!({"room": BOARD, "params": {"volume": 3, "input": 4}})).await;
    let told = refused["content"][0]["text"].as_str().unwrap();
    assert!(
        told.contains("`volume` is none") && told.contains("`input` takes a value of type string"),
        "{told}"
    );
    assert!(rig.sent().await.is_empty());
}

const THREE_STEPS: &str = "\
title: Three steps
steps:
  - {select: {words: [display]}, command: power_on}
  - {select: {model: \"*codec*\"}, command: reboot}
  - {select: {words: [display]}, command: set_input, params: {input: hdmi2}}
";

#[tokio::test]
async fn after_a_step_that_failed_nothing_is_sent_and_nobody_is_told_that_the_room_is_prepared() {
    let folder = Folder::new(
        "stop",
        &[
            ("stop.yaml", THREE_STEPS),
            (
                "go-on.yaml",
                &THREE_STEPS.replace("command: reboot", "command: reboot, on_failure: continue"),
            ),
        ],
    );
    // The codec of this room is in error, so it fails what it is told.
    let rig = Rig::new("small", Some(&folder)).await;
    let answer = rig.call(json!({"room": "Board", "preset": "stop"})).await;
    let answer = &answer["structuredContent"];
    assert_eq!(outcomes(answer), ["done", "failed", "not_run"], "{answer}");
    assert_eq!(answer["summary"], "1 of 3 commands executed, 1 failed, 1 not run");
    assert_eq!(
        (&answer["data"]["outcome"], &answer["data"]["verdict"]),
        (&json!("failed"), &json!("not_ready"))
    );
    assert_eq!(answer["data"]["reasons"][0], "step 2 failed");
    assert_eq!(rig.sent().await.len(), 2);
    let answer = rig.call(json!({"room": "Board", "preset": "go-on"})).await;
    let answer = &answer["structuredContent"];
    assert_eq!(outcomes(answer), ["done", "failed", "done"], "{answer}");
    assert_eq!(answer["data"]["outcome"], "failed");
}

#[tokio::test]
async fn an_answer_that_is_lost_leaves_the_step_unknown_and_the_command_is_not_sent_again() {
    let rig = Rig::new("baseline", None).await;
    rig.behind("/faults", json!("drop-after method=POST nth=1")).await;
    let answer = rig.call(json!({"room": BOARD})).await;
    let answer = &answer["structuredContent"];
    assert_eq!(outcomes(answer), ["unknown", "not_run"], "{answer}");
    assert_eq!(answer["summary"], "0 of 2 commands executed, 1 unknown, 1 not run");
    let why = answer["data"]["steps"][0]["devices"][0]["why"].to_string();
    assert!(why.contains("the platform's latest such command is"), "{why}");
    assert_eq!(rig.sent().await.len(), 1);
}

#[tokio::test]
async fn a_command_that_does_not_end_in_time_is_called_queued() {
    let text = "- {select: {words: [display]}, command: power_on, wait_for: {within: 1}}\n- {select: {words: [display]}, command: reboot}\n";
    let folder = Folder::new("queued", &[("default.yaml", text)]);
    let rig = Rig::new("small", Some(&folder)).await;
    rig.behind("/clock", json!({"pace": "fixed"})).await;
    let answer = rig.call(json!({"room": "Board"})).await;
    let answer = &answer["structuredContent"];
    assert_eq!(answer["data"]["preset"], "default", "the folder's own comes first");
    assert_eq!(outcomes(answer), ["queued", "not_run"], "{answer}");
    assert_eq!(answer["summary"], "0 of 2 commands executed, 1 queued, 1 not run");
}

#[tokio::test]
async fn a_command_that_is_done_and_shows_no_effect_is_a_failure() {
    let text = "- {select: {words: [display]}, command: power_on, wait_for: {status: ok, state: {input: \"{wanted}\"}, within: 1}}\n";
    let text = format!("params: {{wanted: {{default: hdmi2}}}}\nsteps:\n{text}");
    let folder = Folder::new("effect", &[("effect.yaml", &text)]);
    let rig = Rig::new("small", Some(&folder)).await;
    rig.behind("/clock", json!({"pace": "step:90"})).await;
    let wait = async |wanted: &str| {
        let call = json!({"room": "Board", "preset": "effect", "params": {"wanted": wanted}});
        rig.call(call).await["structuredContent"].clone()
    };
    let answer = wait("hdmi2").await;
    assert_eq!(outcomes(&answer), ["failed"], "{answer}");
    let device = &answer["data"]["steps"][0]["devices"][0];
    assert_eq!(device["why"], "its input is hdmi1, not hdmi2", "{answer}");
    assert_eq!(outcomes(&wait("HDMI1").await), ["done"]);
}

#[tokio::test]
async fn a_step_that_cannot_be_run_is_seen_before_anything_is_sent() {
    let text = "- {select: {words: [display]}, command: power_on}\n- {select: {words: [projector]}, command: power_on}\n";
    let folder = Folder::new(
        "obstacle",
        &[
            ("both.yaml", text),
            ("old.yml", &format!("- device_id: {DEVICE}\n  command: power_on\n")),
        ],
    );
    let rig = Rig::new("small", Some(&folder)).await;
    let answer = rig.call(json!({"room": "Board", "preset": "both"})).await;
    let answer = &answer["structuredContent"];
    assert_eq!(outcomes(answer), ["not_run", "failed"], "{answer}");
    let meeting = json!({"room": "Board", "params": {"input": "scart"}, "dry_run": true});
    let plan = rig.call(meeting).await;
    let told = plan["content"][0]["text"].as_str().unwrap();
    assert!(
        told.contains("its model takes hdmi1, hdmi2, usb-c, none as `input`, not scart"),
        "{told}"
    );
    assert!(rig.sent().await.is_empty());
    let answer = rig.call(json!({"room": "Board", "preset": "old"})).await;
    let answer = &answer["structuredContent"];
    assert_eq!(answer["summary"], "1 commands executed", "{answer}");
    assert!(answer["warnings"].to_string().contains("not in this room"), "{answer}");
}

#[tokio::test]
async fn a_preset_with_a_command_that_the_operator_wants_asked_about_needs_a_person() {
    let sandbox = Running::sandbox();
    let base = format!("http://{}", sandbox.address);
    let server = Running::http(&["--base-url", &base, "--confirm-commands", "power_off"]);
    let refused = server.call("shutdown_meeting_room", json!({"room": "Board"}), &HEADERS).await;
    assert_eq!(refused["structuredContent"]["error"]["code"], "confirmation_required", "{refused}");
    let plan = server.call(TOOL, json!({"room": "Board", "dry_run": true}), &HEADERS).await;
    assert_eq!(plan["structuredContent"]["summary"], "2 commands would be sent", "{plan}");
    let server = Running::http(&["--base-url", &base, "--confirm-commands", "set_input"]);
    let asked = server.call_asking(KEY_A, (TOOL, json!({"room": "Board"})), json!({})).await;
    let words = asked["inputRequests"]["consent"]["params"]["message"].as_str().unwrap();
    let line = "- set_input (input: hdmi1) to Board display (Northwind/Oslo/Floor 3/Board) ";
    assert!(words.contains(line), "{words}");
}

#[test]
fn faulty_presets_are_refused_at_start_with_file_line_and_reason_all_at_once() {
    let folder = Folder::new(
        "faulty",
        &[
            ("a.yaml", "steps:\n  - comand: x\n"),
            ("b.yml", "steps: [\n"),
            ("Bad Name.yaml", "- {device_id: a, command: b}\n"),
            ("notes.txt", "not a preset"),
            (".hidden.yaml", "nor is this"),
        ],
    );
    let outside = folder.0.with_extension("outside");
    std::fs::write(&outside, "- {device_id: secret, command: b}\n").unwrap();
    std::os::unix::fs::symlink(&outside, folder.0.join("link.yaml")).unwrap();
    let (code, told) = folder.refused();
    std::fs::remove_file(&outside).unwrap();
    assert_eq!(code, Some(2), "{told}");
    for line in [
        "XYTE_PRESETS_DIR holds `",
        "/a.yaml:2:5: `comand` is no key of `steps[0]`; did you mean `command`?",
        "/b.yml:",
        "/Bad Name.yaml: a preset is called by its file",
        "/link.yaml: it leads out of the folder",
    ] {
        assert!(told.contains(line), "{line}\n{told}");
    }
    assert!(
        !told.contains("notes") && !told.contains("hidden") && !told.contains("secret"),
        "{told}"
    );
}

#[test]
fn a_file_that_an_orchestrator_mounts_by_links_is_read() {
    let folder = Folder::new("mounted", &[]);
    let data = folder.0.join("..data");
    std::fs::create_dir(&data).unwrap();
    std::fs::write(data.join("evening.yaml"), "- {device_id: a, command: b}\n").unwrap();
    std::os::unix::fs::symlink("..data/evening.yaml", folder.0.join("evening.yaml")).unwrap();
    let mut program = program();
    let arguments =
        json!({"room": "Fjord lounge", "preset": "evening", "dry_run": true}).to_string();
    program.args(["call", TOOL, "--sandbox", "--args", &arguments, "--presets-dir"]).arg(&folder.0);
    let output = program.output().unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(told.contains("no such device in the tenant of this key"), "{told}");
}
