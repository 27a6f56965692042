//! A scripted agent before a server of its own before a sandbox of its own: it calls tools over MCP and keeps what that cost. It knows no task.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::{KEY_A, KEY_B, Running, modern, request};
use crate::tokens;

/// What one answer may cost.
pub(crate) const MOST_OF_AN_ANSWER: usize = 6_000;
/// What the list of tools and the instructions may cost.
const MOST_OF_THE_LIST: usize = 6_000;
const MOST_OF_THE_INSTRUCTIONS: usize = 600;
/// Letters that would change how the text around them is read.
const MISLEADING: [char; 6] = ['\u{202a}', '\u{202b}', '\u{202d}', '\u{202e}', '\u{2066}', '\u{200b}'];

/// How an answer ends, the worst last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Ending {
    Whole,
    Part,
    Refused,
}

/// What a tool answered.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) structured: Value,
    pub(crate) text: String,
    pub(crate) failed: bool,
}

/// What the answers cost together.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cost {
    pub(crate) calls: usize,
    /// Characters by four: tools, instructions, arguments.
    pub(crate) tokens_in: usize,
    /// The same of the larger form of each answer.
    pub(crate) tokens_out: usize,
    pub(crate) largest: usize,
    /// Tokens of a real vocabulary, of the text and of the structured form.
    pub(crate) real: (usize, usize),
    pub(crate) upstream: u64,
    pub(crate) peak: u64,
    pub(crate) retries: usize,
}

/// The agent, with what it talks to.
pub(crate) struct Agent {
    sandbox: Running,
    server: Running,
    toolsets: Option<&'static str>,
    pub(crate) cost: Cost,
    /// What must never be, in words.
    pub(crate) misses: Vec<String>,
}

impl Answer {
    pub(crate) fn ending(&self) -> Ending {
        let complete = [&self.structured["complete"], &self.structured["page"]["complete"]];
        match (self.failed, complete.contains(&&json!(false))) {
            (true, _) => Ending::Refused,
            (false, true) => Ending::Part,
            (false, false) => Ending::Whole,
        }
    }

    /// Whether what is missing is said, in both forms.
    pub(crate) fn is_told(&self) -> bool {
        let said = |value: &Value| value.as_str().is_some_and(|text| !text.is_empty());
        match self.ending() {
            Ending::Whole => true,
            Ending::Part => {
                let warnings = self.structured["warnings"].as_array();
                warnings.is_some_and(|all| !all.is_empty()) && self.text.contains("warning: ")
            }
            Ending::Refused => {
                let told: Value = serde_json::from_str(&self.text).unwrap_or_default();
                said(&told["error"]["code"]) && said(&told["error"]["hint"])
            }
        }
    }

    pub(crate) fn list(&self, pointer: &str) -> &[Value] {
        self.structured.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }
}

impl Agent {
    /// Starts a sandbox with this world, and a server without a key of its own before it.
    pub(crate) fn start(seed: u64, world: &str, toolsets: Option<&'static str>) -> Self {
        let sandbox = Running::sandbox_with(&["--seed", &seed.to_string(), "--scenario", world]);
        let base = format!("http://{}", sandbox.address);
        let server = Running::http(&["--base-url", &base, "--rate-limit", "0"]);
        Self { sandbox, server, toolsets, cost: Cost::default(), misses: Vec::new() }
    }

    fn http() -> reqwest::Client {
        reqwest::Client::builder().no_proxy().build().unwrap()
    }

    /// What the sandbox shows from behind.
    pub(crate) async fn behind(&self, route: &str) -> Value {
        let url = format!("http://{}/{route}", self.sandbox.admin);
        Self::http().get(url).send().await.unwrap().json().await.unwrap()
    }

    /// What the platform answers without the server between.
    pub(crate) async fn row(&self, path: &str) -> Value {
        let url = format!("http://{}/core/v1/organization/{path}", self.sandbox.address);
        let read = Self::http().get(url).header("authorization", KEY_A).send().await.unwrap();
        read.json().await.unwrap()
    }

    /// All rows of a list, the same way.
    pub(crate) async fn rows(&self, list: &str) -> Vec<Value> {
        let mut rows = Vec::new();
        for page in 1.. {
            let join = if list.contains('?') { '&' } else { '?' };
            let mut read = self.row(&format!("{list}{join}page={page}")).await;
            let Value::Array(items) = read["items"].take() else { panic!("{list}: {read}") };
            rows.extend(items);
            if read["has_next_page"] != true {
                break;
            }
        }
        rows
    }

    /// From here on it counts, and breaks as these rules say.
    pub(crate) async fn begin(&mut self, faults: &str) {
        let admin = |route: &str| format!("http://{}/{route}", self.sandbox.admin);
        Self::http().delete(admin("requests")).send().await.unwrap();
        let added = Self::http().post(admin("faults")).body(faults.to_owned()).send().await;
        assert!(added.unwrap().status().is_success(), "{faults}");
        let list = self.ask("tools/list", json!({}), KEY_A).await;
        let discovered = self.ask("server/discover", json!({}), KEY_A).await;
        let tools = tokens::quarter(&list["tools"].to_string());
        let instructions = tokens::quarter(discovered["instructions"].as_str().unwrap());
        if tools > MOST_OF_THE_LIST && self.toolsets.is_none() {
            self.misses.push(format!("tools/list has {tools} tokens"));
        }
        if instructions > MOST_OF_THE_INSTRUCTIONS {
            self.misses.push(format!("the instructions have {instructions} tokens"));
        }
        self.cost.tokens_in = tools + instructions;
    }

    /// Calls a tool, and counts it.
    pub(crate) async fn call(&mut self, tool: &str, arguments: Value) -> Answer {
        self.cost.calls += 1;
        self.cost.tokens_in += tokens::quarter(&arguments.to_string());
        let answer = self.call_as(KEY_A, tool, arguments).await;
        let structured = answer.structured.to_string();
        let out = tokens::quarter(&answer.text).max(tokens::quarter(&structured));
        self.cost.tokens_out += out;
        self.cost.largest = self.cost.largest.max(out);
        self.cost.real.0 += tokens::real(&answer.text);
        self.cost.real.1 += tokens::real(&structured);
        if out > MOST_OF_AN_ANSWER {
            self.misses.push(format!("{tool} answered with {out} tokens"));
        }
        self.misses.extend(hostile(tool, &answer));
        answer
    }

    /// Calls a tool with a key, uncounted.
    pub(crate) async fn call_as(&self, key: &str, tool: &str, arguments: Value) -> Answer {
        let params = json!({"name": tool, "arguments": arguments});
        let result = self.ask("tools/call", params, key).await;
        Answer {
            text: result["content"][0]["text"].as_str().unwrap_or_default().to_owned(),
            failed: result["isError"] == true,
            structured: result["structuredContent"].clone(),
        }
    }

    /// Sends a request of the stateless era, and gives its result.
    async fn ask(&self, method: &str, mut params: Value, key: &str) -> Value {
        let name = params["name"].as_str().unwrap_or_default().to_owned();
        params["_meta"] = modern();
        let mut headers = vec![
            ("x-xyte-api-key", key),
            ("mcp-protocol-version", "2026-07-28"),
            ("mcp-method", method),
        ];
        if !name.is_empty() {
            headers.push(("mcp-name", &name));
        }
        headers.extend(self.toolsets.map(|toolsets| ("x-mcp-toolsets", toolsets)));
        let (status, answer) = self.server.post(&request(method, params), &headers).await;
        assert_eq!(status, 200, "{answer}");
        assert!(answer["result"].is_object(), "{method}: {answer}");
        assert!(!holds_a_key(&answer.to_string()), "{method} {name} tells a key");
        answer["result"].clone()
    }

    /// What the platform counted, and what must not have happened there; the server ends.
    pub(crate) async fn end(mut self) -> (Cost, Vec<String>) {
        let stats = self.behind("stats").await;
        self.cost.upstream = stats["requests"].as_u64().unwrap();
        self.cost.peak = stats["by_key"]["A"]["peak_open"].as_u64().unwrap_or_default();
        self.cost.retries = retries(&self.behind("requests").await);
        let changes = self.behind("changes").await;
        if changes != json!([]) {
            self.misses.push(format!("reading changed the platform: {changes}"));
        }
        let (_, log) = tokio::task::block_in_place(|| self.server.terminate());
        if holds_a_key(&log) {
            self.misses.push("the log holds a key".to_owned());
        }
        (self.cost, self.misses)
    }
}

fn holds_a_key(text: &str) -> bool {
    text.contains(KEY_A) || text.contains(KEY_B)
}

/// Requests that were made again after the platform had refused them with 429.
fn retries(requests: &Value) -> usize {
    let mut refused: BTreeMap<(String, String), bool> = BTreeMap::new();
    let mut retries = 0;
    for request in requests.as_array().unwrap() {
        let what = (request["path"].to_string(), request["query"].to_string());
        if refused.insert(what, request["status"] == 429) == Some(true) {
            retries += 1;
        }
    }
    retries
}

/// Signs that text of the fleet was taken for text of ours.
fn hostile(tool: &str, answer: &Answer) -> Vec<String> {
    let mut signs = Vec::new();
    if answer.text.contains(MISLEADING) {
        signs.push(format!("{tool}: the text turns the reading direction or hides letters"));
    }
    let forged = |line: &str| line.starts_with("1200 rows, complete") || line.starts_with("SYSTEM");
    if answer.text.lines().any(forged) {
        signs.push(format!("{tool}: a name or message stands as a line of its own"));
    }
    signs
}
