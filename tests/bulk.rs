//! Many changes in one call: previewed, agreed to once, each made at most once, and told as it is.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(clippy::print_stdout, reason = "the scoreboard is for the log")]

mod support;

use std::collections::BTreeSet;

use serde_json::{Value, json};
use support::{KEY_A, KEY_B, Running};

/// Tokens that the whole task may cost.
const MOST_TOKENS: usize = 2500;

struct Rig {
    sandbox: Running,
    server: Running,
}

impl Rig {
    fn new(scenario: &str, flags: &[&str]) -> Self {
        let sandbox = Running::sandbox_at(scenario, "step:10");
        let base = format!("http://{}", sandbox.address);
        let flags =
            [&["--base-url", &base, "--toolsets", "all", "--answer-tokens", "100000"], flags]
                .concat();
        Self { server: Running::http(&flags), sandbox }
    }

    async fn call(&self, tool: &str, arguments: Value) -> Value {
        self.server.call(tool, arguments, &[("x-xyte-api-key", KEY_A)]).await
    }

    /// A call whose question is answered with a yes.
    async fn agreed(&self, tool: &str, arguments: Value) -> Value {
        let asked = self.ask(tool, arguments.clone(), json!({})).await;
        self.ask(tool, arguments, yes(&asked)).await
    }

    async fn ask(&self, tool: &str, arguments: Value, more: Value) -> Value {
        self.server.call_asking(KEY_A, (tool, arguments), more).await
    }

    async fn commands(&self) -> usize {
        self.sandbox.changes().await.len()
    }
}

fn yes(asked: &Value) -> Value {
    assert_eq!(asked["resultType"], "input_required", "{asked}");
    json!({"requestState": asked["requestState"], "inputResponses": {"consent": {"action": "accept"}}})
}

fn tokens(result: &Value) -> usize {
    let text = result["content"][0]["text"].as_str().unwrap().chars().count();
    text.max(result["structuredContent"].to_string().chars().count()).div_ceil(4)
}

fn code(result: &Value) -> &str {
    assert_eq!(result["isError"], true, "{result}");
    result["structuredContent"]["error"]["code"].as_str().unwrap()
}

fn rows<'a>(result: &'a Value, member: &str) -> Vec<&'a Value> {
    result["structuredContent"][member]
        .as_array()
        .unwrap_or_else(|| panic!("{result}"))
        .iter()
        .collect()
}

fn reboot() -> Value {
    json!({"selector": {"space": "HQ/B1", "model": "*projector*"}, "command": "reboot"})
}

fn with(mut arguments: Value, name: &str, value: Value) -> Value {
    arguments[name] = value;
    arguments
}

#[tokio::test]
async fn all_projectors_of_a_building_are_rebooted_after_one_yes_and_told_one_by_one() {
    let rig = Rig::new("baseline+drop-after-4", &[]);
    let found = rig.call("find", json!({"query": "HQ/B1", "kinds": ["space"], "limit": 3})).await;
    let preview = rig.call("bulk_command", with(reboot(), "dry_run", json!(true))).await;
    assert_eq!(rows(&preview, "targets").len(), 10, "{preview}");
    let excluded = rows(&preview, "excluded");
    assert_eq!(excluded.len(), 4);
    let reasons = |words: &str| {
        excluded.iter().filter(|it| it["why"].as_str().unwrap().contains(words)).count()
    };
    assert_eq!((reasons("it is offline"), reasons("has no command `reboot`")), (2, 2));
    let first = rows(&preview, "targets")[0]["id"].as_str().unwrap().to_owned();
    let request = &preview["structuredContent"]["request"];
    assert_eq!(request["method"], "POST");
    let url = request["url"].as_str().unwrap();
    assert!(url.ends_with(&format!("/core/v1/organization/devices/{first}/commands")), "{url}");
    assert_eq!(request["body"], json!({"command": "reboot"}));
    assert_eq!(request["headers"]["authorization"], "****");

    let apply = with(reboot(), "follow", json!(true));
    let asked = rig.ask("bulk_command", apply.clone(), json!({})).await;
    let words = asked["inputRequests"]["consent"]["params"]["message"].as_str().unwrap();
    assert!(words.starts_with("Send `reboot`: 10 devices") && words.contains(&first), "{words}");
    assert_eq!(rig.commands().await, 0, "before anybody agreed");
    let done = rig.ask("bulk_command", apply.clone(), yes(&asked)).await;
    assert_eq!(rig.commands().await, 10);
    let targets = rows(&done, "targets");
    let outcomes = &done["structuredContent"]["outcomes"];
    assert_eq!(*outcomes, json!({"executed": 8, "failed": 1, "unknown": 1}), "{done}");
    let unknown = targets.iter().find(|it| it["outcome"] == "unknown").unwrap();
    assert!(unknown["why"].as_str().unwrap().contains("not sent again"), "{unknown}");
    let sent = rig.sandbox.changes().await;
    let each: BTreeSet<&String> = sent.iter().collect();
    assert_eq!(each.len(), 10, "one command each, also of the unknown one");
    let again = rig.ask("bulk_command", apply, yes(&asked)).await;
    assert_eq!(code(&again), "plan_used");
    assert_eq!(rig.commands().await, 10);

    let run = &done["structuredContent"]["run"];
    let report = rig.call("bulk_report", json!({"run": run})).await;
    assert_eq!(report["structuredContent"]["outcomes"], *outcomes);
    let last = rig.call("bulk_report", json!({"run": run, "from": 9})).await;
    assert_eq!(rows(&last, "targets"), rows(&report, "targets")[8..], "what did not fit before");
    assert_eq!(last["structuredContent"]["outcomes"], *outcomes);
    let foreign = rig.server.call("bulk_report", json!({"run": run}), &[("x-xyte-api-key", KEY_B)]);
    assert_eq!(code(&foreign.await), "not_found");
    let latest = rig.call("bulk_report", json!({})).await;
    assert_eq!(rows(&latest, "runs")[0]["run"], *run);

    let cost = tokens(&found) + tokens(&preview) + tokens(&done);
    println!("scoreboard: reboot of a building: 3 calls, {cost} tokens");
    assert!(cost <= MOST_TOKENS, "{cost} tokens");
}

#[tokio::test]
async fn a_plan_holds_for_its_tenant_its_targets_and_one_use() {
    let rig = Rig::new("baseline", &["--confirm", "token"]);
    let preview = rig.call("bulk_command", with(reboot(), "dry_run", json!(true))).await;
    let token = preview["structuredContent"]["plan_token"].as_str().unwrap().to_owned();
    let apply = |token: &str| with(reboot(), "plan_token", json!(token));
    let altered = format!("{}{}", if token.starts_with('A') { "B" } else { "A" }, &token[1..]);
    assert_eq!(code(&rig.call("bulk_command", apply(&altered)).await), "plan_invalid");
    let foreign = rig.server.call("bulk_command", apply(&token), &[("x-xyte-api-key", KEY_B)]);
    assert_eq!(code(&foreign.await), "plan_invalid");
    let other = with(apply(&token), "command", json!("power_off"));
    assert_eq!(code(&rig.call("bulk_command", other).await), "plan_mismatch");

    // One more projector comes into the building.
    let fields = json!(["id", "model.name", "space.id", "space.full_path", "effective_status"]);
    let all = rig.call("list_devices", json!({"limit": 1000, "fields": fields})).await;
    let all = rows(&all, "items");
    let target = rows(&preview, "targets")[0]["id"].clone();
    let target = all.iter().find(|row| row["id"] == target).unwrap();
    let comes = all
        .iter()
        .find(|row| {
            row["model"] == target["model"]
                && row["effective_status"] == "ok"
                && !row["space"]["full_path"].as_str().unwrap_or_default().contains("HQ/B1")
        })
        .unwrap();
    // Somebody else moves it, past this server and what it keeps.
    let url = format!(
        "http://{}/core/v1/organization/devices/{}/move",
        rig.sandbox.address,
        comes["id"].as_str().unwrap()
    );
    let there = json!({"space_id": target["space"]["id"]});
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let moved = client.post(url).header("authorization", KEY_A).json(&there).send().await;
    assert!(moved.unwrap().status().is_success());
    assert_eq!(code(&rig.call("bulk_command", apply(&token)).await), "plan_stale");
    assert_eq!(rig.commands().await, 1, "the move itself");

    let preview = rig.call("bulk_command", with(reboot(), "dry_run", json!(true))).await;
    let token = preview["structuredContent"]["plan_token"].as_str().unwrap().to_owned();
    let done = rig.call("bulk_command", apply(&token)).await;
    assert_eq!(rows(&done, "targets").len(), 11, "{done}");
    assert_eq!(code(&rig.call("bulk_command", apply(&token)).await), "plan_used");
    assert_eq!(rig.commands().await, 12);
}

#[tokio::test]
async fn without_a_person_or_a_policy_no_bulk_tool_changes_anything() {
    let rig = Rig::new("small", &[]);
    let all = json!({"selector": {"name": "*"}});
    for (tool, arguments) in [
        ("bulk_command", with(all.clone(), "command", json!("reboot"))),
        ("bulk_suspend_incidents", all.clone()),
        ("bulk_resume_incidents", json!({"device_ids": [support::DEVICE]})),
        ("bulk_resolve_tickets", json!({"ticket_ids": ["f3a4b5c6-d7e8-4f90-a1b2-c3d4e5f60718"]})),
        ("bulk_update_devices", with(all, "custom_parameters", json!({"Port": "1"}))),
    ] {
        assert_eq!(code(&rig.call(tool, arguments).await), "confirmation_required", "{tool}");
    }
    assert_eq!(rig.sandbox.received().await, 0);
}

#[tokio::test]
async fn maintenance_ends_for_exactly_the_devices_for_which_it_began() {
    let rig = Rig::new("baseline", &[]);
    let where_to = json!({"selector": {"space": "HQ/B1", "model": "*projector*"}});
    let begun = rig.agreed("bulk_suspend_incidents", where_to).await;
    assert_eq!(begun["structuredContent"]["outcomes"], json!({"executed": 14}), "{begun}");
    let report = &begun["structuredContent"]["report"];
    let foreign = rig
        .server
        .call_asking(KEY_B, ("bulk_resume_incidents", json!({"report": report})), json!({}))
        .await;
    assert_eq!(code(&foreign), "plan_invalid");
    // Whoever lost the answer finds the same devices in the report of the run.
    let run = &begun["structuredContent"]["run"];
    let found = rig.call("bulk_report", json!({"run": run})).await;
    let report = &found["structuredContent"]["report"];
    let ended = rig.agreed("bulk_resume_incidents", json!({"report": report})).await;
    assert_eq!(ended["structuredContent"]["outcomes"], json!({"executed": 14}), "{ended}");
    let sent = rig.sandbox.changes().await;
    let of = |what: &str| -> BTreeSet<String> {
        let lines = sent.iter().filter(|line| line.ends_with(what));
        lines.map(|line| line.trim_end_matches(what).to_owned()).collect()
    };
    assert_eq!(of("/suspend_incidents"), of("/resume_incidents"));
    assert_eq!((of("/suspend_incidents").len(), sent.len()), (14, 28));
}

#[tokio::test]
async fn tickets_that_are_not_open_are_left_out_and_one_is_resolved_once() {
    let rig = Rig::new("small", &[]);
    let ticket = "f3a4b5c6-d7e8-4f90-a1b2-c3d4e5f60718";
    let ids = json!({"ticket_ids": [ticket, "00000000-0000-0000-0000-000000000000", ticket]});
    let done = rig.agreed("bulk_resolve_tickets", ids.clone()).await;
    assert_eq!(done["structuredContent"]["outcomes"], json!({"executed": 1}), "{done}");
    assert_eq!(rows(&done, "excluded").len(), 1);
    let nothing = rig.ask("bulk_resolve_tickets", ids, json!({})).await;
    assert_eq!(rows(&nothing, "excluded").len(), 2, "nobody is asked about nothing: {nothing}");
    assert_eq!(rig.commands().await, 1);
}

#[tokio::test]
async fn a_setting_is_merged_into_each_set_and_a_set_with_a_masked_secret_is_left_alone() {
    let rig = Rig::new("baseline", &["--bulk-max", "1000"]);
    // Only devices behind an edge have parameters, so the choice is narrowed by what is found.
    let arguments = json!({"selector": {"model": "*"}, "custom_parameters": {"Port": "8161"}});
    let narrow = rig.call("bulk_update_devices", with(arguments, "dry_run", json!(true))).await;
    let (targets, excluded) = (rows(&narrow, "targets"), rows(&narrow, "excluded"));
    let masked: Vec<&&Value> =
        excluded.iter().filter(|it| it["why"].as_str().unwrap().contains("masked")).collect();
    assert_eq!(masked.len(), 3, "{} targets", targets.len());
    assert!(!targets.is_empty());
    let ids: Vec<&Value> =
        targets.iter().chain(masked.iter().copied()).map(|it| &it["id"]).collect();
    let arguments = json!({"device_ids": ids, "custom_parameters": {"Port": "8161"}});
    let one = targets[0]["id"].clone();
    let read = |result: &Value| result["structuredContent"]["custom_parameters"].clone();
    let whole = json!({"device_id": one, "fields": ["custom_parameters"], "fresh": true});
    let before = read(&rig.call("get_device", whole.clone()).await);
    let asked = rig.ask("bulk_update_devices", arguments.clone(), json!({})).await;
    let words = asked["inputRequests"]["consent"]["params"]["message"].as_str().unwrap();
    assert!(words.starts_with("Set custom parameters (Port: 8161): "), "{words}");
    let done = rig.ask("bulk_update_devices", arguments, yes(&asked)).await;
    assert_eq!(done["structuredContent"]["outcomes"], json!({"executed": targets.len()}), "{done}");
    assert_eq!(rows(&done, "excluded").len(), 3);
    let mut expected = before;
    expected["Port"] = json!("8161");
    assert_eq!(read(&rig.call("get_device", whole).await), expected);
    assert_eq!(rig.commands().await, targets.len());
}

#[tokio::test]
async fn a_device_on_a_page_that_could_not_be_read_is_not_said_to_be_none() {
    let rig = Rig::new("baseline+500 path=*/devices query=page=7", &[]);
    let missing = "00000000-0000-4000-8000-000000000000";
    let asked = json!({"device_ids": [missing], "command": "reboot", "dry_run": true});
    let result = rig.call("bulk_command", asked).await;
    let told = result.to_string();
    assert!(told.contains("not among the devices that could be read"), "{told}");
    assert!(!told.contains("no such device"), "{told}");
}
