//! One call as a client makes it, over one of the server's faces, and what its answer says.

use reqwest::header::HeaderMap;
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};

use crate::chance::Chance;
use crate::platform::device;

/// A call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ask {
    pub(crate) number: u64,
    pub(crate) subject: Subject,
    face: Face,
    /// How the key is brought.
    spelling: u64,
}

/// What is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subject {
    List,
    Get,
    Change,
}

/// The way in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Face {
    /// MCP, without saying of which revision.
    Bare,
    /// MCP after a handshake.
    Legacy,
    /// MCP without one.
    Modern,
    /// A tool over REST.
    Tool,
    /// A resource over MCP, or its route.
    Resource,
    Route,
}

/// What a client was told.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Good,
    Failed { code: String, wait_ms: Option<u64> },
}

/// Codes and what REST answers under, as the README says.
const STATUSES: [(&str, u16); 12] = [
    ("invalid_arguments", 400),
    ("unauthorized", 401),
    ("forbidden", 403),
    ("not_found", 404),
    ("conflict", 409),
    ("invalid_params", 422),
    ("rate_limited", 429),
    ("xyte_server_error", 502),
    ("network_error", 502),
    ("upstream_contract", 502),
    ("circuit_open", 503),
    ("timeout", 504),
];

impl Ask {
    /// The call of this number.
    pub(crate) fn of(seed: u64, tenant: usize, number: u64) -> Self {
        // Another stream than the script's.
        let mut chance = Chance::of(!seed, tenant, number);
        let subject = match chance.below(10) {
            0..=4 => Subject::List,
            5..=7 => Subject::Get,
            _ => Subject::Change,
        };
        let face = match (chance.below(5), subject) {
            (0, _) => Face::Bare,
            (1, _) => Face::Legacy,
            (2, _) => Face::Modern,
            (3, Subject::Get) => Face::Resource,
            (4, Subject::Get | Subject::List) => Face::Route,
            _ => Face::Tool,
        };
        Self { number, subject, face, spelling: chance.below(4) }
    }

    /// The request of this call with this key.
    pub(crate) fn request(&self, client: &Client, server: &str, key: &str) -> RequestBuilder {
        let id = device(self.number);
        let number = self.number;
        let (tool, arguments) = match self.subject {
            Subject::List => ("list_devices", json!({"space_id": number, "limit": 1})),
            Subject::Get => ("get_device", json!({"device_id": id})),
            Subject::Change => ("update_device", json!({"device_id": id, "name": "Lectern"})),
        };
        let post = |path: &str, body: &Value| client.post(format!("{server}{path}")).json(body);
        let call = |meta: Value| {
            let params = json!({"name": tool, "arguments": arguments, "_meta": meta});
            json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params})
        };
        let request = match self.face {
            Face::Bare => post("/mcp", &call(json!({}))),
            Face::Legacy => post("/mcp", &call(json!({})))
                .header("mcp-protocol-version", "2025-11-25")
                .header("accept", "application/json, text/event-stream"),
            Face::Modern => post("/mcp", &call(modern()))
                .header("mcp-protocol-version", "2026-07-28")
                .header("mcp-method", "tools/call")
                .header("mcp-name", tool)
                .header("accept", "application/json, text/event-stream"),
            Face::Tool => post(&format!("/tools/{tool}"), &arguments),
            Face::Resource => {
                let params = json!({"uri": format!("device://{id}/status")});
                let read = json!({"jsonrpc": "2.0", "id": 1, "method": "resources/read", "params": params});
                post("/v1/mcp", &read)
            }
            Face::Route => {
                let path = match self.subject {
                    Subject::List => format!("/v1/devices?space_id={number}&limit=1"),
                    _ => format!("/device/{id}/status"),
                };
                client.request(Method::GET, format!("{server}{path}"))
            }
        };
        match self.spelling {
            0 => request.header("x-xyte-api-key", key),
            1 => request.header("x-api-key", key),
            2 => request.bearer_auth(key),
            _ => request.header("authorization", key),
        }
    }

    /// What an answer says; anything else than the documents promise is an error.
    pub(crate) fn read(
        &self,
        status: u16,
        headers: &HeaderMap,
        body: &str,
    ) -> Result<Outcome, String> {
        let rest = matches!(self.face, Face::Tool | Face::Route);
        let answer = json_of(body).ok_or_else(|| format!("{status} with no JSON"))?;
        if rest { over_rest(status, headers, &answer) } else { over_mcp(status, &answer) }
    }
}

/// The handshake of the era that has one.
pub(crate) fn handshake() -> Value {
    let client = json!({"name": "trial", "version": "1"});
    let params = json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client});
    json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params})
}

/// What a request says in the era without a handshake.
fn modern() -> Value {
    json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": {"name": "trial", "version": "1"},
    })
}

/// Plain, or the last event of a stream.
fn json_of(body: &str) -> Option<Value> {
    let mut events = body.lines().filter_map(|line| line.strip_prefix("data:")).map(str::trim);
    let text = events.rfind(|event| !event.is_empty()).unwrap_or(body);
    serde_json::from_str(text).ok()
}

fn over_mcp(status: u16, answer: &Value) -> Result<Outcome, String> {
    if status >= 500 {
        return Err(format!("{status} over MCP"));
    }
    let result = &answer["result"];
    let error = match (result["isError"].as_bool(), &answer["error"]) {
        (Some(true), _) => &result["structuredContent"]["error"],
        (_, Value::Null) if result.is_object() => return Ok(Outcome::Good),
        (_, error) => &error["data"]["error"],
    };
    failed(error)
}

fn over_rest(status: u16, headers: &HeaderMap, answer: &Value) -> Result<Outcome, String> {
    if status == 200 {
        return Ok(Outcome::Good);
    }
    let waits = headers.contains_key("retry-after");
    if answer["error"] == "rate_limit" {
        let seconds = answer["retry_after_seconds"].as_u64();
        return match (status, waits, seconds) {
            (429, true, Some(seconds)) => {
                Ok(Outcome::Failed { code: "rate_limit".to_owned(), wait_ms: Some(seconds * 1000) })
            }
            _ => Err(format!("{status} with {answer}")),
        };
    }
    let outcome = failed(&answer["error"])?;
    if let Outcome::Failed { code, wait_ms } = &outcome {
        let known = STATUSES.iter().find(|(name, _)| name == code);
        if known.is_none_or(|(_, expected)| *expected != status) || waits != wait_ms.is_some() {
            return Err(format!("{status} for {code}"));
        }
    }
    Ok(outcome)
}

fn failed(error: &Value) -> Result<Outcome, String> {
    let text = |name: &str| error[name].as_str().filter(|text| !text.is_empty());
    match (text("code"), text("message"), text("request_id")) {
        (Some(code), Some(_), Some(_)) => {
            Ok(Outcome::Failed { code: code.to_owned(), wait_ms: error["retry_after_ms"].as_u64() })
        }
        _ => Err(format!("a failure without code, message or request id: {error}")),
    }
}
