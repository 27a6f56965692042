//! What operator, header and URL choose together: never more than each of them, listed or called, by its own tool or by name.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value, json};
use xyte_mcp_runtime::caller::{Selection, Toolsets};
use xyte_mcp_runtime::service::{Service, Settings};
use xyte_mcp_runtime::transport::http::Access;

use crate::support::{
    KEY_A, Platform, call_as, catalogue, rest_call, send, service_of, start, tenant,
};

/// Codes of calls that the narrowing refuses.
const REFUSED: [&str; 3] = ["read_only", "tool_not_selected", "toolset_not_selected"];

/// The invented API with the tools that call others by name, and one that may still change.
fn model() -> xyte_mcp_catalogue::Catalogue {
    let mut model = json!(catalogue());
    let entries = model["entries"].as_array_mut().unwrap();
    for (name, class, builtin) in [
        ("call_destructive", "destructive", "call"),
        ("call_read", "read", "call"),
        ("call_write", "write", "call"),
        ("describe_operation", "read", "describe"),
        ("search_operations", "read", "search"),
    ] {
        let properties = json!({"operation": {"type": "string"}, "arguments": {"type": "object"}, "query": {"type": "string"}, "dry_run": {"type": "boolean"}});
        entries.push(json!({
            "operation": name, "class": class, "toolset": "compact", "default": false, "builtin": builtin,
            "tool": {"name": name, "description": name, "inputSchema": {"type": "object", "properties": properties, "additionalProperties": false}},
            "arguments": [], "answer": {"form": "computed"}, "cache": false, "example": {},
        }));
    }
    let mut experiment = entries.iter().find(|it| it["operation"] == "list_flat").unwrap().clone();
    experiment["operation"] = json!("try_things");
    experiment["tool"]["name"] = json!("try_things");
    experiment["experimental"] = json!(true);
    experiment["route"] = json!("/try");
    entries.push(experiment);
    model["toolsets"]
        .as_array_mut()
        .unwrap()
        .push(json!({"name": "compact", "description": "By name."}));
    serde_json::from_value(model).unwrap()
}

async fn serve(platform: &Platform, settings: Settings) -> (String, Arc<Service>) {
    let service = service_of(model(), &platform.base, Settings { rate_limit: 0, ..settings });
    (start(service.clone(), Access::Tenants).await, service)
}

struct Tool {
    name: &'static str,
    class: &'static str,
    toolset: &'static str,
}

const TOOLS: [Tool; 5] = [
    Tool { name: "purge_things", class: "destructive", toolset: "admin" },
    Tool { name: "create_thing", class: "write", toolset: "things" },
    Tool { name: "get_thing", class: "read", toolset: "things" },
    Tool { name: "list_flat", class: "read", toolset: "things" },
    Tool { name: "list_things", class: "read", toolset: "things" },
];

/// Whether a choice of toolsets holds a toolset itself.
fn holds(choice: &str, toolset: &str) -> bool {
    choice.is_empty() || choice == "all" || choice.split(',').any(|name| name == toolset)
}

/// Whether it leaves a toolset in reach of calls by name: choosing those alone bounds nothing else.
fn reaches(choice: &str, toolset: &str) -> bool {
    choice == "compact" || holds(choice, toolset)
}

fn call(name: &str) -> Value {
    match name {
        "create_thing" => json!({"name": "x"}),
        "get_thing" => json!({"thing_id": 1}),
        _ => json!({}),
    }
}

/// One request of the matrix: what URL and headers choose.
#[derive(Debug, Clone, Copy)]
struct Choice {
    url: &'static str,
    toolsets: &'static str,
    exclude: &'static str,
    read_only: bool,
}

impl Choice {
    fn all() -> impl Iterator<Item = Self> {
        let urls = ["", "/x/things", "/x/admin/readonly", "/x/compact", "/x/all"];
        let toolsets = ["", "all", "things", "compact", "admin,compact"];
        let mut all = Vec::new();
        for url in urls {
            for toolsets in toolsets {
                for (exclude, read_only) in [("", false), ("create_thing", false), ("", true)] {
                    all.push(Self { url, toolsets, exclude, read_only });
                }
            }
        }
        all.into_iter()
    }

    /// The toolsets that count: the URL's where it names some.
    fn chosen(&self) -> &'static str {
        match self.url.trim_start_matches("/x/").trim_end_matches("/readonly") {
            "" => self.toolsets,
            of_url => of_url,
        }
    }

    fn reads_only(&self) -> bool {
        self.read_only || self.url.ends_with("/readonly")
    }

    fn headers(&self) -> Vec<(&'static str, &'static str)> {
        let mut headers = vec![("x-things-key", KEY_A)];
        for (name, value) in
            [("x-mcp-toolsets", self.toolsets), ("x-mcp-exclude-tools", self.exclude)]
        {
            headers.extend(Some((name, value)).filter(|_| !value.is_empty()));
        }
        headers.extend(self.read_only.then_some(("x-mcp-readonly", "true")));
        headers
    }
}

/// A server, and one client for all requests of the matrix.
struct Rig {
    base: String,
    service: Arc<Service>,
    client: reqwest::Client,
}

impl Rig {
    /// The tools that the server lists for a choice as headers and URL say it.
    async fn listed(&self, choice: Choice) -> BTreeSet<String> {
        let url = format!("{}{}/tools", self.base, choice.url);
        let mut request = self.client.get(url);
        for (name, value) in choice.headers() {
            request = request.header(name, value);
        }
        let listed: Value = request.send().await.unwrap().json().await.unwrap();
        let tools = listed["tools"].as_array().unwrap_or_else(|| panic!("{choice:?}: {listed}"));
        tools.iter().map(|tool| tool["name"].as_str().unwrap().to_owned()).collect()
    }

    /// The code of a failed call; nothing for one that came through.
    async fn code(&self, choice: Choice, tool: &str, arguments: Value) -> String {
        let mut caller = tenant(KEY_A);
        caller.selection = Selection {
            toolsets: Toolsets::parse(choice.chosen()),
            tools: None,
            excluded: names(choice.exclude),
            read_only: choice.reads_only(),
        };
        let outcome = call_as(&self.service, &caller, tool, arguments).await;
        outcome.err().map(|failure| failure.code.into_owned()).unwrap_or_default()
    }
}

fn names(text: &str) -> Arc<[String]> {
    Some(text.to_owned()).into_iter().filter(|name| !name.is_empty()).collect()
}

async fn check(rig: &Rig, operator: &str, only_read: bool, choice: Choice) {
    let what = format!("operator `{operator}`, read-only {only_read}, {choice:?}");
    let listed = rig.listed(choice).await;
    for tool in TOOLS {
        let permitted = tool.class == "read" || !(only_read || choice.reads_only());
        let bound = holds(operator, tool.toolset) && holds(choice.chosen(), tool.toolset);
        let default =
            operator.is_empty() && choice.chosen().is_empty() && tool.name == "purge_things";
        let expected = bound && permitted && choice.exclude != tool.name && !default;
        assert_eq!(listed.contains(tool.name), expected, "{} is listed: {what}", tool.name);
        let direct = rig.code(choice, tool.name, call(tool.name)).await;
        let refused = REFUSED.contains(&direct.as_str());
        assert_eq!(refused, !expected, "{} answers `{direct}`: {what}", tool.name);
        let by = format!("call_{}", tool.class);
        let arguments = json!({"operation": tool.name, "arguments": call(tool.name)});
        let by_name = rig.code(choice, &by, arguments).await;
        let within = reaches(operator, tool.toolset) && reaches(choice.chosen(), tool.toolset);
        let reached = listed.contains(&by) && within && permitted && choice.exclude != tool.name;
        let refused = REFUSED.contains(&by_name.as_str()) || by_name == "invalid_arguments";
        assert_eq!(refused, !reached, "{} by name answers `{by_name}`: {what}", tool.name);
    }
    assert!(!listed.contains("try_things"), "{what}");
}

#[tokio::test]
async fn operator_header_and_url_together_never_widen() {
    let platform = Platform::answering(200, r#"{"id":1,"items":[],"has_next_page":false}"#).await;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    for operator in ["", "all", "things", "admin", "compact", "things,compact"] {
        for read_only in [false, true] {
            let toolsets = Toolsets::parse(operator);
            let settings = Settings { toolsets, read_only, ..Settings::default() };
            let (base, service) = serve(&platform, settings).await;
            let rig = Rig { base, service, client: client.clone() };
            for choice in Choice::all() {
                check(&rig, operator, read_only, choice).await;
            }
        }
    }
}

#[tokio::test]
async fn a_call_by_name_is_of_its_class_and_of_nothing_else() {
    let platform = Platform::answering(200, r#"{"id":1}"#).await;
    let (base, _) =
        serve(&platform, Settings { toolsets: Toolsets::All, ..Settings::default() }).await;
    for (by, operation, hint) in [
        ("call_read", "create_thing", "`call_write`"),
        ("call_read", "purge_things", "`call_destructive`"),
        ("call_write", "purge_things", "`call_destructive`"),
        ("call_destructive", "get_thing", "`call_read`"),
        ("call_read", "get_thin", "`get_thing`"),
        ("call_read", "call_read", ""),
        ("call_read", "search_operations", ""),
    ] {
        let got =
            rest_call(&base, by, json!({"operation": operation, "arguments": call(operation)}))
                .await;
        let error = got.json()["error"].clone();
        assert_eq!(
            (got.status, &error["code"]),
            (400, &json!("invalid_arguments")),
            "{by} {operation}"
        );
        assert!(error["hint"].as_str().unwrap().contains(hint), "{by} {operation}: {error}");
    }
    assert!(platform.recorded().is_empty());
    let wrong =
        rest_call(&base, "call_read", json!({"operation": "get_thing", "arguments": {"id": 1}}))
            .await;
    assert!(
        wrong.json()["error"]["message"].as_str().unwrap().contains("`thing_id`"),
        "{}",
        wrong.text
    );
    let got =
        rest_call(&base, "call_read", json!({"operation": "thing", "arguments": {"thing_id": 7}}))
            .await;
    assert_eq!(
        (got.status, got.json()),
        (200, json!({"id": 1})),
        "the answer is the operation's own"
    );
    let dry = json!({"operation": "create_thing", "arguments": {"name": "x"}, "dry_run": true});
    assert_eq!(rest_call(&base, "call_write", dry).await.json()["dry_run"], true);
    assert_eq!(platform.targets(), ["/things/7"]);
}

#[tokio::test]
async fn operations_are_found_by_what_they_do_and_described() {
    let platform = Platform::answering(200, "{}").await;
    let settings =
        Settings { toolsets: Toolsets::parse("compact"), read_only: true, ..Settings::default() };
    let (base, _) = serve(&platform, settings).await;
    let found =
        rest_call(&base, "search_operations", json!({"query": "list the things"})).await.json();
    assert_eq!(found["operations"][0]["operation"], "list_things", "{found}");
    let names: BTreeSet<&str> = found["operations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["operation"].as_str().unwrap())
        .collect();
    assert!(!names.contains("create_thing"), "a server that only reads finds no writes: {found}");
    let shown =
        rest_call(&base, "describe_operation", json!({"operation": "get_thing"})).await.json();
    assert_eq!(shown["call_with"], "call_read");
    assert_eq!(shown["arguments"]["required"], json!(["thing_id"]));
    let hidden = rest_call(&base, "describe_operation", json!({"operation": "create_thing"})).await;
    assert_eq!(hidden.status, 400);
    assert!(platform.recorded().is_empty());
}

#[tokio::test]
async fn what_may_still_change_is_hidden_until_the_operator_wants_it() {
    let platform = Platform::answering(200, "[]").await;
    for (experimental, status) in [(false, 403), (true, 200)] {
        let settings = Settings { experimental, toolsets: Toolsets::All, ..Settings::default() };
        let (base, service) = serve(&platform, settings).await;
        let shown = service.shown(&Selection::default());
        assert_eq!(shown.iter().any(|tool| tool.name == "try_things"), experimental);
        assert_eq!(rest_call(&base, "try_things", json!({})).await.status, status);
        let by_name =
            rest_call(&base, "call_read", json!({"operation": "try_things"})).await.status;
        assert_eq!(by_name, if experimental { 200 } else { 400 });
        let route =
            send("GET", &format!("{base}/try"), &[("x-things-key", KEY_A)], None).await.status;
        assert_eq!(route, if experimental { 200 } else { 404 });
        let document = send("GET", &format!("{base}/openapi.json"), &[], None).await.json();
        assert_eq!(document["paths"].get("/tools/try_things").is_some(), experimental);
    }
}
