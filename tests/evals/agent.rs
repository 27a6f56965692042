//! A scripted agent before a server of its own: it calls tools over MCP and keeps what that cost. It knows no task.

use serde_json::{Value, json};

use crate::platform::{Counted, Platform};
use crate::support::{KEY_A, KEY_B, Running, modern, request};
use crate::tokens;

/// What one answer may cost.
pub(crate) const MOST_OF_AN_ANSWER: usize = 6_000;
/// What the list of tools and the instructions may cost.
const MOST_OF_THE_LIST: usize = 6_000;
const MOST_OF_THE_INSTRUCTIONS: usize = 600;
/// Letters that would change how the text around them is read.
const MISLEADING: [char; 6] =
    ['\u{202a}', '\u{202b}', '\u{202d}', '\u{202e}', '\u{2066}', '\u{200b}'];

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
    pub(crate) upstream: Counted,
}

/// The agent, with the server that it asks.
pub(crate) struct Agent<'p> {
    platform: &'p Platform,
    server: Running,
    toolsets: Option<&'static str>,
    cost: Cost,
    /// What must never be, in words.
    misses: Vec<String>,
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

impl<'p> Agent<'p> {
    /// Starts a server without a key of its own, and lists its tools before a platform that breaks by these rules.
    pub(crate) async fn start(
        platform: &'p Platform,
        toolsets: Option<&'static str>,
        faults: &str,
    ) -> Self {
        platform.begin(faults).await;
        let base = platform.address();
        let start = || Running::http(&["--base-url", &base, "--rate-limit", "0"]);
        let server = tokio::task::block_in_place(start);
        let (cost, misses) = (Cost::default(), Vec::new());
        let mut agent = Self { platform, server, toolsets, cost, misses };
        agent.look().await;
        agent
    }

    /// What a model reads before its first call.
    async fn look(&mut self) {
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

    /// What it cost, and what must not have happened; the server ends.
    pub(crate) async fn end(mut self) -> (Cost, Vec<String>) {
        self.cost.upstream = self.platform.counted().await;
        if self.cost.upstream.writes > 0 {
            self.misses.push(format!("{} writes", self.cost.upstream.writes));
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
