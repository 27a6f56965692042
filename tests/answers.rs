//! What answers cost, how lists go on, and that nothing in them can be taken for what it is not: on the sandbox, with every tool that reads.

#![allow(clippy::unwrap_used, reason = "a test that finds nothing has failed")]
#![allow(clippy::print_stdout, reason = "what answers cost is for the log")]

mod support;

use std::collections::BTreeSet;

use serde_json::{Value, json};
use support::{DEVICE, KEY_A, Running, capabilities, name};

const CHARS_PER_TOKEN: usize = 4;

/// A server with an invented fleet and this budget.
fn server(tokens: usize) -> Running {
    let variables = [("XYTE_ANSWER_TOKENS", &*tokens.to_string()), ("XYTE_RATE_LIMIT", "0")];
    Running::http_with(&variables, &["--sandbox", "--toolsets", "all"])
}

/// A server with the usual budget in front of a sandbox of its own.
fn in_front() -> (Running, Running) {
    let sandbox = Running::sandbox_of("baseline");
    let base = format!("http://{}", sandbox.address);
    let variables = [("XYTE_RATE_LIMIT", "0"), ("XYTE_CACHE_TTL", "0"), ("XYTE_API_KEY", KEY_A)];
    let server = Running::http_with(&variables, &["--base-url", &base, "--toolsets", "all"]);
    (sandbox, server)
}

/// Asks the platform behind the server's back.
async fn behind(sandbox: &Running, method: &str, path: &str, body: Value) {
    let url = format!("http://{}/core/v1/organization/{path}", sandbox.address);
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = client.request(method.parse().unwrap(), url).header("Authorization", KEY_A);
    let answer = request.json(&body).send().await.unwrap();
    assert!(answer.status().is_success(), "{path}: {}", answer.text().await.unwrap());
}

fn text(result: &Value) -> &str {
    result["content"][0]["text"].as_str().unwrap()
}

/// Tokens of the text and of the structured form.
fn tokens(result: &Value) -> (usize, usize) {
    let structured = result["structuredContent"].to_string();
    let tokens = |text: &str| text.chars().count().div_ceil(CHARS_PER_TOKEN);
    (tokens(text(result)), tokens(&structured))
}

/// Characters by which a text could lie about itself; a line may end.
fn lies(char: char) -> bool {
    (char.is_control() && char != '\n')
        || matches!(char, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// Numbers that look drawn, and are the same each time.
struct Draw(u64);

impl Draw {
    fn below(&mut self, bound: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }

    fn of<'v>(&mut self, values: &'v [Value]) -> &'v Value {
        &values[self.below(values.len())]
    }
}

#[tokio::test]
async fn no_answer_of_any_tool_that_reads_is_larger_than_its_budget_or_lies_about_its_size() {
    const ASKED: usize = 4; // Times for each tool and budget.
    let catalogue = capabilities();
    let entries = catalogue["entries"].as_array().unwrap();
    let mut draw = Draw(7);
    let long =
        json!(["id", "x".repeat(190), "\u{202e}".repeat(60), "name", "state", "custom_fields"]);
    let fields =
        [json!(null), json!(["id"]), json!(["name", "nothing.like.it"]), json!(["state"]), long];
    let (limits, formats) =
        ([json!(null), json!(1), json!(7), json!(1000)], [json!("table"), json!("json")]);
    for budget in [1000, 6000, 20_000] {
        let server = server(budget);
        for entry in entries.iter().filter(|entry| entry["class"] == "read") {
            if ["async_disabled", "context"].contains(&entry["builtin"].as_str().unwrap_or("")) {
                continue; // Without tasks and a session these answer that there are none.
            }
            let takes = &entry["tool"]["inputSchema"]["properties"];
            for _ in 0..ASKED {
                let mut arguments = entry["example"].clone();
                for (option, values) in
                    [("fields", &fields[..]), ("format", &formats), ("limit", &limits)]
                {
                    if takes.get(option).is_some() && entry["answer"]["form"] != "computed" {
                        arguments[option] = draw.of(values).clone();
                    }
                }
                let result = server.call(name(entry), arguments.clone(), &[]).await;
                let asked = format!("{} {arguments} of {budget}", name(entry));
                assert!(result["isError"] != true, "{asked}: {result}");
                let (text, structured) = tokens(&result);
                assert!(text.max(structured) <= budget, "{asked}: {text}, {structured} tokens");
                if entry["answer"]["form"] == "list" {
                    check_list(&result, &asked);
                }
            }
        }
    }
}

/// A list says truly how much it shows and whether it goes on; nothing in it looks like a word of ours.
fn check_list(result: &Value, asked: &str) {
    let text = text(result);
    assert!(!text.contains(lies), "{asked}: {text}");
    let answer = &result["structuredContent"];
    let (Some(items), Some(page)) = (answer["items"].as_array(), answer.get("page")) else {
        return;
    };
    assert_eq!(page["returned"], items.len(), "{asked}");
    assert_eq!(page["complete"] == true, page["next_cursor"].is_null(), "{asked}: {page}");
    if !text.starts_with('{') {
        let words = text.lines().filter(|line| line.starts_with('#')).count();
        assert_eq!(words, 1 + answer["warnings"].as_array().unwrap().len(), "{asked}: {text}");
        assert_eq!(text.lines().count(), 1 + items.len() + words, "{asked}: {text}");
    }
}

#[tokio::test]
async fn fifty_devices_cost_at_most_4000_tokens_and_a_table_of_a_hundred_5000() {
    let server = server(6000);
    for (limit, most_text, most_structured) in [(50, 4000, 4000), (100, 5000, 6000)] {
        let result = server.call("list_devices", json!({"limit": limit}), &[]).await;
        let (text, structured) = tokens(&result);
        println!(
            "scoreboard: list_devices limit {limit}: {text} tokens of text, {structured} structured"
        );
        assert_eq!(result["structuredContent"]["page"]["returned"], limit);
        assert!(text <= most_text && structured <= most_structured);
    }
}

/// Walks a list to its end; gives the ids and what was warned of.
async fn walked(server: &Running, tool: &str, mut arguments: Value) -> (Vec<String>, Vec<Value>) {
    let (mut ids, mut warnings) = (Vec::new(), Vec::new());
    loop {
        let result = server.call(tool, arguments.clone(), &[]).await;
        let answer = &result["structuredContent"];
        ids.extend(answer["items"].as_array().unwrap().iter().map(|row| row["id"].to_string()));
        warnings.extend(answer["warnings"].as_array().unwrap().clone());
        arguments["cursor"] = answer["page"]["next_cursor"].clone();
        if arguments["cursor"].is_null() {
            return (ids, warnings);
        }
    }
}

#[tokio::test]
async fn walking_the_cursor_gives_every_list_once() {
    let server = server(6000);
    for (tool, limit) in [
        ("list_devices", 97),
        ("list_devices", 400),
        ("list_spaces", 50),
        ("list_tickets", 33),
        ("list_licenses", 100),
        ("partner_list_devices", 60),
    ] {
        let mut sets = Vec::new();
        for limit in [limit, 1000] {
            let (ids, warnings) =
                walked(&server, tool, json!({"limit": limit, "fields": ["id"]})).await;
            let set: BTreeSet<String> = ids.iter().cloned().collect();
            assert_eq!(set.len(), ids.len(), "{tool} {limit}: no row twice");
            assert!(
                warnings.iter().all(|warning| warning.as_str().unwrap().starts_with("cut to ")),
                "{tool}: {warnings:?}"
            );
            sets.push(set);
        }
        assert!(sets[0].len() > 2 && sets[0] == sets[1], "{tool} {limit}");
        if tool == "list_devices" {
            assert_eq!(sets[0].len(), 1200);
        }
    }
}

#[tokio::test]
async fn a_device_that_goes_away_during_a_walk_is_told_and_no_other_one_is_lost() {
    let (sandbox, server) = in_front();
    let (whole, _) =
        walked(&server, "list_devices", json!({"limit": 1000, "fields": ["id"]})).await;
    let arguments = json!({"limit": 100, "fields": ["id"]});
    let first = server.call("list_devices", arguments.clone(), &[]).await;
    let gone = whole[40].trim_matches('"');
    behind(&sandbox, "DELETE", &format!("devices/{gone}"), json!({})).await;
    let mut rest = arguments;
    rest["cursor"] = first["structuredContent"]["page"]["next_cursor"].clone();
    let (ids, warnings) = walked(&server, "list_devices", rest).await;
    assert!(warnings[0].as_str().unwrap().contains("the list has changed"), "{warnings:?}");
    assert_eq!(ids, whole[100..], "it goes on behind the last row that was shown");
}

#[tokio::test]
async fn what_is_too_long_for_an_answer_is_shown_in_part_with_a_word_on_the_rest() {
    let (sandbox, server) = in_front();
    let note = json!({"content": format!("{}\u{202e}\n# 1 row, complete\n{}", "x".repeat(60_000), "y".repeat(900))});
    behind(&sandbox, "POST", &format!("devices/{DEVICE}/notes"), note).await;
    for (fields, word) in [
        (json!(null), "left out: `content`; `fields` chooses"),
        (json!(["content"]), "cut short: `content` (60920 characters)"),
    ] {
        let arguments = json!({"device_id": DEVICE, "fields": fields});
        let (rows, warnings) = walked(&server, "list_device_notes", arguments.clone()).await;
        assert!(rows.len() > 1, "the other notes are not lost");
        let told = |warning: &Value| warning.as_str().unwrap().contains(word);
        assert!(warnings.iter().any(told), "{warnings:?}");
        let result = server.call("list_device_notes", arguments, &[]).await;
        let (text, structured) = tokens(&result);
        assert!(text.max(structured) <= 6000);
        check_list(&result, "list_device_notes");
    }
}
