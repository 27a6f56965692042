//! What people and models are told beside tools: instructions, prompts, the skill, completion, and names in place of ids.

#![allow(clippy::unwrap_used, reason = "a test that finds nothing has failed")]

mod support;

use std::collections::BTreeSet;

use serde_json::{Value, json};
use support::{DEVICE, KEY_A, Running, capabilities, name, read, request};

const KEY: [(&str, &str); 1] = [("x-xyte-api-key", KEY_A)];

/// A server in front of a sandbox.
fn rig(scenario: &str, arguments: &[&str]) -> (Running, Running) {
    let sandbox = Running::sandbox_of(scenario);
    let base = format!("http://{}", sandbox.address);
    let mut all = vec!["--base-url", &base];
    all.extend(arguments);
    let server = Running::http(&all);
    (sandbox, server)
}

async fn ask(server: &Running, method: &str, params: Value, headers: &[(&str, &str)]) -> Value {
    server.post(&request(method, params), headers).await.1
}

/// Names of served tools.
fn tools() -> BTreeSet<String> {
    capabilities()["entries"].as_array().unwrap().iter().map(|it| name(it).to_owned()).collect()
}

/// Words in snake case, which are names of tools, arguments, fields or values.
fn names(text: &str) -> BTreeSet<&str> {
    let words = text.split(|char: char| !(char.is_ascii_alphanumeric() || char == '_'));
    words.filter(|word| word.contains('_') && word.starts_with(char::is_alphabetic)).collect()
}

/// Names in these texts that are no tools: fields, values and codes.
const OTHERS: [&str; 6] = [
    "effective_status",
    "merged_effective_status",
    "ambiguous_name",
    "dry_run",
    "next_cursor",
    "toolset_not_selected",
];

#[test]
fn instructions_are_short_and_name_no_tool_that_is_not_there() {
    let text = read("src/instructions.md");
    let tokens = text.trim().chars().count().div_ceil(4);
    assert!(tokens <= 600, "{tokens} tokens");
    let tools = tools();
    for name in names(&text) {
        assert!(OTHERS.contains(&name) || tools.contains(name), "{name}");
    }
}

#[test]
fn the_skill_names_no_tool_that_is_not_there() {
    let text = read("skills/xyte-fleet/SKILL.md");
    let tools = tools();
    let named = names(&text);
    for name in &named {
        assert!(OTHERS.contains(name) || tools.contains(*name), "{name}");
    }
    assert!(named.iter().filter(|name| tools.contains(**name)).count() > 10);
}

#[tokio::test]
async fn the_skill_is_served_as_a_skill_and_as_a_resource_with_the_bytes_of_its_digest() {
    let (_sandbox, server) = rig("small", &[]);
    let modern = |method: &str| request(method, json!({"_meta": support::modern()}));
    let headers = |method: &'static str| {
        [KEY[0], ("mcp-protocol-version", "2026-07-28"), ("mcp-method", method)]
    };
    let (_, listed) = server.post(&modern("skills/list"), &headers("skills/list")).await;
    let skill = &listed["result"]["skills"][0];
    assert_eq!(skill["frontmatter"]["name"], "xyte-fleet", "{listed}");
    let uri = skill["uri"].as_str().unwrap();
    let resources = ask(&server, "resources/list", json!({}), &KEY).await;
    let resources = resources["result"]["resources"].as_array().unwrap().clone();
    assert!(resources.iter().any(|resource| resource["uri"] == uri));
    let contents = ask(&server, "resources/read", json!({"uri": uri}), &KEY).await;
    let text = contents["result"]["contents"][0]["text"].as_str().unwrap();
    assert_eq!(text, read("skills/xyte-fleet/SKILL.md"));
    assert_eq!(skill["resources"][0]["size"], text.len());
    assert!(text.contains(&format!(
        "\ndescription: {}\n",
        skill["frontmatter"]["description"].as_str().unwrap()
    )));
}

#[tokio::test]
async fn prompts_are_listed_with_their_arguments_and_hand_out_their_text() {
    let (sandbox, server) = rig("small", &[]);
    let listed = ask(&server, "prompts/list", json!({}), &KEY).await;
    let prompts = listed["result"]["prompts"].as_array().unwrap().clone();
    let names: Vec<&str> = prompts.iter().map(|it| it["name"].as_str().unwrap()).collect();
    let expected = [
        "check_projectors_health",
        "morning_report",
        "prepare_room",
        "reboot_device",
        "troubleshoot_offline_device",
    ];
    assert_eq!(names.iter().collect::<BTreeSet<_>>(), expected.iter().collect());
    for prompt in &prompts {
        let mut arguments = json!({});
        for argument in prompt["arguments"].as_array().unwrap() {
            if argument["required"] == true {
                arguments[argument["name"].as_str().unwrap()] = json!("{reason} of\nmine");
            }
        }
        let params = json!({"name": prompt["name"], "arguments": arguments});
        let got = ask(&server, "prompts/get", params, &KEY).await;
        let text = got["result"]["messages"][0]["content"]["text"]
            .as_str()
            .unwrap_or_else(|| panic!("{got}"));
        let filled = text.replace(r"{reason} of\u{a}mine", "");
        assert!(!filled.contains('{'), "{text}");
        assert!(
            arguments == json!({}) || text.contains(r"{reason} of\u{a}mine"),
            "one line: {text}"
        );
    }
    let refused = ask(&server, "prompts/get", json!({"name": "reboot_device"}), &KEY).await;
    assert_eq!(refused["error"]["code"], -32602);
    assert!(refused["error"]["message"].as_str().unwrap().contains("`device_id`"));
    let unknown = ask(&server, "prompts/get", json!({"name": "reboot_devise"}), &KEY).await;
    assert!(
        unknown["error"]["message"].as_str().unwrap().ends_with("did you mean `reboot_device`?")
    );
    assert_eq!(sandbox.received().await, 0);
}

#[tokio::test]
async fn a_prompt_is_hidden_where_one_of_its_tools_is() {
    let (_sandbox, server) = rig("small", &[]);
    let read_only = [KEY[0], ("x-mcp-readonly", "true")];
    let listed = ask(&server, "prompts/list", json!({}), &read_only).await;
    let prompts = listed["result"]["prompts"].as_array().unwrap().clone();
    let names: BTreeSet<&str> = prompts.iter().map(|it| it["name"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        BTreeSet::from([
            "check_projectors_health",
            "morning_report",
            "troubleshoot_offline_device"
        ])
    );
    let params = json!({"name": "reboot_device", "arguments": {"device_id": DEVICE}});
    let refused = ask(&server, "prompts/get", params, &read_only).await;
    assert!(refused["error"]["message"].as_str().unwrap().contains("`send_command`"), "{refused}");
}

async fn complete(
    server: &Running,
    reference: Value,
    argument: &str,
    value: &str,
    headers: &[(&str, &str)],
) -> Value {
    let params = json!({"ref": reference, "argument": {"name": argument, "value": value}});
    ask(server, "completion/complete", params, headers).await["result"]["completion"].clone()
}

#[tokio::test]
async fn ids_are_completed_by_name_and_by_their_beginning() {
    let (sandbox, server) = rig("small", &[]);
    let prompt = |name: &str| json!({"type": "ref/prompt", "name": name});
    let template = |uri: &str| json!({"type": "ref/resource", "uri": uri});
    let device = server.call("get_device", json!({"device_id": DEVICE}), &KEY).await;
    let called = device["structuredContent"]["name"].as_str().unwrap().to_owned();
    let by_name =
        complete(&server, prompt("reboot_device"), "device_id", &called[..called.len() - 2], &KEY)
            .await;
    assert!(by_name["values"].as_array().unwrap().contains(&json!(DEVICE)), "{called}: {by_name}");
    let by_id =
        complete(&server, template("device://{device_id}/status"), "device_id", &DEVICE[..6], &KEY)
            .await;
    assert_eq!(by_id, json!({"values": [DEVICE], "total": 1, "hasMore": false}));
    let all =
        complete(&server, template("xyte://device/{device_id}/status"), "device_id", "", &KEY)
            .await;
    assert_eq!((all["values"].as_array().unwrap().len(), &all["hasMore"]), (24, &json!(false)));
    let room = complete(&server, prompt("prepare_room"), "space_id", "baord", &KEY).await;
    assert_eq!(room["total"], 1, "{room}");
    let ticket = complete(&server, template("ticket://{ticket_id}"), "ticket_id", "", &KEY).await;
    assert!(ticket["total"].as_u64().unwrap() > 0, "{ticket}");
    assert_eq!(sandbox.received().await, 4, "one look at each list, and the device");
    let none = complete(&server, prompt("reboot_device"), "reason", "x", &KEY).await;
    assert_eq!(none["values"], json!([]));
    let hidden = [KEY[0], ("x-mcp-exclude-tools", "list_devices")];
    let hidden =
        complete(&server, template("device://{device_id}/status"), "device_id", "", &hidden).await;
    assert_eq!(hidden["values"], json!([]), "who may not list learns no names");
}

#[tokio::test]
async fn a_large_fleet_is_completed_a_hundred_at_a_time() {
    let (_sandbox, server) = rig("baseline", &[]);
    let reference = json!({"type": "ref/prompt", "name": "reboot_device"});
    let found = complete(&server, reference, "device_id", "", &KEY).await;
    assert_eq!(found["values"].as_array().unwrap().len(), 100);
    assert_eq!((&found["total"], &found["hasMore"]), (&json!(1200), &json!(true)));
}

#[test]
fn without_a_key_nothing_is_completed() {
    let params = json!({
        "ref": {"type": "ref/resource", "uri": "device://{device_id}/status"},
        "argument": {"name": "device_id", "value": "a"}, "_meta": support::modern(),
    });
    let answers = support::stdio(&[], &[request("completion/complete", params)]);
    assert_eq!(answers[0]["result"]["completion"]["values"], json!([]), "{answers:?}");
}

#[tokio::test]
async fn completions_use_up_no_calls_and_are_bounded_themselves() {
    let (_sandbox, server) = rig("small", &["--rate-limit", "2"]);
    let reference = json!({"type": "ref/prompt", "name": "reboot_device"});
    let mut totals = Vec::new();
    for _ in 0..3 {
        totals.push(
            complete(&server, reference.clone(), "device_id", "", &KEY).await["total"].clone(),
        );
    }
    assert_eq!(totals, [json!(24), json!(24), json!(0)]);
    let result = server.call("list_devices", json!({"limit": 1}), &KEY).await;
    assert_eq!(result["isError"], false, "{result}");
}

#[tokio::test]
async fn a_read_takes_a_unique_name_or_path_and_asks_back_otherwise() {
    let (sandbox, server) = rig("baseline", &["--toolsets", "all"]);
    let device = server.call("get_device", json!({"device_id": DEVICE}), &KEY).await;
    assert_eq!(sandbox.received().await, 1, "an id is not looked up");
    assert_eq!(device["_meta"].get("resolved"), None, "nothing was looked up");
    let (device, place) =
        (&device["structuredContent"], &device["structuredContent"]["space"]["full_path"]);
    let path = format!("{}/{}", place.as_str().unwrap(), device["name"].as_str().unwrap());
    let by_path = server.call("get_device", json!({"device_id": path}), &KEY).await;
    assert_eq!(by_path["structuredContent"]["id"], DEVICE, "{by_path}");
    let commands = json!({"device_id": "Fjord display"});
    let commands = server.call("list_device_commands", commands, &KEY).await;
    assert_eq!(commands["_meta"]["resolved"], json!({"device_id": DEVICE}), "{commands}");
    let space = server.call("get_space", json!({"space_id": "Fjord lounge"}), &KEY).await;
    assert_eq!(space["structuredContent"]["name"], "Fjord lounge", "{space}");
    let many = server.call("get_space", json!({"space_id": "Board room"}), &KEY).await;
    let error = &many["structuredContent"]["error"];
    assert_eq!(error["code"], "ambiguous_name", "{many}");
    assert!(error["hint"].as_str().unwrap().matches("Board room`").count() > 1, "{error}");
    let none = server.call("get_device", json!({"device_id": "no such thing"}), &KEY).await;
    assert_eq!(none["structuredContent"]["error"]["code"], "not_found");
    let before = sandbox.received().await;
    let long = server.call("get_device", json!({"device_id": "x".repeat(300)}), &KEY).await;
    assert_eq!(long["structuredContent"]["error"]["code"], "invalid_arguments");
    let hidden = [KEY[0], ("x-mcp-exclude-tools", "list_spaces")];
    let hidden = server.call("get_space", json!({"space_id": "Fjord lounge"}), &hidden).await;
    assert_eq!(hidden["structuredContent"]["error"]["code"], "invalid_arguments", "{hidden}");
    let dry = json!({"space_id": "Fjord lounge", "dry_run": true});
    let dry = server.call("get_space", dry, &KEY).await;
    assert_eq!(dry["structuredContent"]["error"]["code"], "invalid_arguments");
    let resource = "device://no%20such%20thing/status";
    let resource = ask(&server, "resources/read", json!({"uri": resource}), &KEY).await;
    assert_eq!(resource["error"]["data"]["error"]["code"], "not_found", "{resource}");
    assert_eq!(sandbox.received().await, before, "nothing more was asked");
}

#[test]
fn only_reads_with_the_key_of_the_list_take_names() {
    let mut taking = BTreeSet::new();
    for entry in capabilities()["entries"].as_array().unwrap() {
        let Some(names) = entry.get("names") else { continue };
        assert_eq!(entry["class"], "read", "{}", name(entry));
        assert_eq!(entry["credential"], "organizationKey", "{}", name(entry));
        assert!(!names.as_array().unwrap().is_empty());
        taking.insert(name(entry).to_owned());
    }
    for expected in
        ["get_device", "get_space", "get_ticket", "list_devices", "list_device_commands"]
    {
        assert!(taking.contains(expected), "{expected} is not in {taking:?}");
    }
}

#[tokio::test]
async fn a_write_takes_ids_only_and_the_name_is_sent_as_it_is_or_refused() {
    let (sandbox, server) = rig("small", &["--toolsets", "all"]);
    let device = server.call("get_device", json!({"device_id": DEVICE}), &KEY).await;
    let called = device["structuredContent"]["name"].clone();
    for (tool, arguments) in [
        ("send_command", json!({"device_id": called, "command": "reboot"})),
        ("move_device", json!({"device_id": DEVICE, "space_id": "Board"})),
    ] {
        let before = sandbox.received().await;
        let result = server.call(tool, arguments, &KEY).await;
        assert_eq!(result["isError"], true, "{tool}: {result}");
        assert!(sandbox.received().await <= before + 1, "{tool} looked nothing up");
    }
}
