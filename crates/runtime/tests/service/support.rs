//! A platform that records what it is asked, an API in front of it, and the service over both.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::response::Response;
use futures::future::BoxFuture;
use http::{HeaderMap, HeaderName};
use progenitor_client::Error;
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use xyte_mcp_catalogue::{Entry, Location};
use xyte_mcp_runtime::api::Api;
use xyte_mcp_runtime::caller::{Caller, Key};
use xyte_mcp_runtime::catalogue::Catalogue;
use xyte_mcp_runtime::dispatch::consent::Policy;
use xyte_mcp_runtime::dispatch::{Answer, Call, View, dispatch};
use xyte_mcp_runtime::failure::Failure;
use xyte_mcp_runtime::input::Input;
use xyte_mcp_runtime::server::{Document, Identity, Server, Skill};
use xyte_mcp_runtime::service::{Service, Settings};
use xyte_mcp_runtime::transport::http::{Access, Bounds, HttpSettings, KeySettings, app, serve};
use xyte_mcp_runtime::upstream::{self, ClientSettings, Exchange};

pub(crate) const KEY_A: &str = "tenant-a-tenant-a-tenant-a-tenant-a";
pub(crate) const KEY_B: &str = "tenant-b-tenant-b-tenant-b-tenant-b";

/// What the platform was asked.
#[derive(Debug, Clone)]
pub(crate) struct Recorded {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

/// A scripted answer.
#[derive(Debug)]
pub(crate) struct Scripted {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
}

impl From<(u16, String)> for Scripted {
    fn from((status, body): (u16, String)) -> Self {
        Self { status, headers: Vec::new(), body }
    }
}

impl Scripted {
    /// A refusal that says how many seconds to wait.
    pub(crate) fn busy(status: u16, seconds: u64) -> Self {
        let headers = vec![("retry-after", seconds.to_string())];
        Self { status, headers, body: String::new() }
    }
}

/// A platform on a port of its own.
#[derive(Clone)]
pub(crate) struct Platform {
    pub(crate) base: String,
    recorded: Arc<Mutex<Vec<Recorded>>>,
}

impl Platform {
    pub(crate) async fn start<S: Into<Scripted>>(
        script: impl Fn(&Recorded) -> S + Send + Sync + 'static,
    ) -> Self {
        let recorded: Arc<Mutex<Vec<Recorded>>> = Arc::default();
        let script = Arc::new(script);
        let seen = recorded.clone();
        let router = Router::new().fallback(move |request: Request| {
            let (seen, script) = (seen.clone(), script.clone());
            async move {
                let (parts, body) = request.into_parts();
                let body = to_bytes(body, usize::MAX).await.unwrap();
                let record = Recorded {
                    method: parts.method.to_string(),
                    target: parts.uri.to_string(),
                    headers: parts.headers,
                    body: String::from_utf8(body.to_vec()).unwrap(),
                };
                let Scripted { status, headers, body } = script(&record).into();
                seen.lock().unwrap().push(record);
                let mut response = Response::builder().status(status);
                for (name, value) in headers {
                    response = response.header(name, value);
                }
                response.body(Body::from(body)).unwrap()
            }
        });
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { base, recorded }
    }

    /// Always the same answer.
    pub(crate) async fn answering(status: u16, text: &str) -> Self {
        let text = text.to_owned();
        Self::start(move |_| (status, text.clone())).await
    }

    pub(crate) fn recorded(&self) -> Vec<Recorded> {
        self.recorded.lock().unwrap().clone()
    }

    pub(crate) fn targets(&self) -> Vec<String> {
        self.recorded().into_iter().map(|record| record.target).collect()
    }
}

/// What the generated glue does, from the catalogue instead of a typed client.
pub(crate) struct Glue {
    client: reqwest::Client,
    base: String,
    entries: Vec<Entry>,
}

impl Glue {
    pub(crate) fn new(model: &xyte_mcp_catalogue::Catalogue, base: &str) -> Self {
        let client = upstream::client(&ClientSettings {
            trust: upstream::Trust::Nobody,
            user_agent: "things-mcp/1".to_owned(),
        })
        .unwrap();
        Self { client, base: base.to_owned(), entries: model.entries.clone() }
    }

    fn write(
        &self,
        operation: &str,
        exchange: Exchange,
        input: Input<'_>,
    ) -> Result<reqwest::Request, Failure> {
        let entry = self
            .entries
            .iter()
            .find(|entry| entry.operation == operation)
            .ok_or_else(|| Failure::unknown_operation(operation))?;
        let mut path = entry.path.clone();
        let mut query = Vec::new();
        for argument in &entry.arguments {
            let value: Option<Value> = input.get(&argument.name)?;
            let Some(value) = value else { continue };
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            match argument.location {
                Location::Path => path = path.replace(&format!("{{{}}}", argument.wire), &text),
                Location::Query => query.push((argument.wire.clone(), text)),
                Location::Header | Location::Body | Location::WholeBody => {}
            }
        }
        let method = entry.method.parse().unwrap();
        let mut request = self
            .client
            .request(method, format!("{}{path}", self.base))
            .header("api-version", "1")
            .query(&query)
            .build()
            .unwrap();
        if input.body_bytes().is_some() {
            // The typed client loses nulls; the exchange puts them back.
            *request.body_mut() = Some("{\"typed\":true}".into());
        }
        let refused = exchange.write(&mut request).expect_err("the client sends nothing");
        upstream::written(Err(Error::Custom(refused)))?;
        exchange.into_request()
    }
}

impl Api for Glue {
    fn request<'a>(
        &'a self,
        operation: &'a str,
        exchange: Exchange,
        input: Input<'a>,
    ) -> BoxFuture<'a, Result<reqwest::Request, Failure>> {
        Box::pin(async move { self.write(operation, exchange, input) })
    }

    fn client(&self) -> Result<&reqwest::Client, Failure> {
        Ok(&self.client)
    }
}

/// What the socket takes on in tests.
pub(crate) const BOUNDS: Bounds = Bounds { connections: 1000, drain: Duration::from_mins(1) };

pub(crate) const CATALOGUE: &str = include_str!("catalogue.json");

pub(crate) fn catalogue() -> xyte_mcp_catalogue::Catalogue {
    serde_json::from_str(CATALOGUE).unwrap()
}

pub(crate) fn service_at(base: &str, settings: Settings) -> Arc<Service> {
    service_of(catalogue(), base, settings)
}

pub(crate) fn service_of(
    model: xyte_mcp_catalogue::Catalogue,
    base: &str,
    mut settings: Settings,
) -> Arc<Service> {
    // Nobody waits for pauses whose length is tested elsewhere.
    settings.manners.backoff = Duration::from_millis(1);
    // And nobody is asked: consent is tested with the whole program.
    settings.confirm = Policy::Off;
    let glue = Glue::new(&model, base);
    Arc::new(Service::new(Catalogue::new(model).unwrap(), Arc::new(glue), settings))
}

pub(crate) fn service(platform: &Platform) -> Arc<Service> {
    service_at(&platform.base, Settings::default())
}

pub(crate) fn tenant(key: &str) -> Caller {
    Caller::with_key(Key::new(key).unwrap())
}

/// One call through dispatch in the name of tenant A.
pub(crate) async fn call(
    service: &Service,
    tool: &str,
    arguments: Value,
) -> Result<Answer, Failure> {
    call_as(service, &Caller::with_key(Key::new(KEY_A).unwrap()), tool, arguments).await
}

pub(crate) async fn call_as(
    service: &Service,
    caller: &Caller,
    tool: &str,
    arguments: Value,
) -> Result<Answer, Failure> {
    let Value::Object(arguments) = arguments else { panic!("arguments are an object") };
    let tool = service.catalogue.find(tool).unwrap();
    dispatch(service, caller, Call { tool, arguments, view: View::Tool }).await
}

/// A skill of the invented API.
pub(crate) const SKILL: &str =
    "---\nname: things-care\ndescription: How to care for things.\n---\n\n# Things\n";

pub(crate) fn identity() -> Identity {
    let document = Document {
        uri: "things://docs/usage".to_owned(),
        name: "usage".to_owned(),
        mime: "text/markdown".to_owned(),
        text: "# Usage".into(),
        ..Document::default()
    };
    Identity {
        name: "things".to_owned(),
        title: "Things".to_owned(),
        version: "1.2.3".to_owned(),
        instructions: "Call list_things first.".to_owned(),
        documents: vec![document],
        skills: vec![Skill { text: SKILL }],
    }
}

pub(crate) fn http_settings(access: Access) -> HttpSettings {
    let headers = vec![HeaderName::from_static("x-things-key")];
    HttpSettings {
        allowed_hosts: ["127.0.0.1", "localhost"].map(str::to_owned).to_vec(),
        allowed_origins: Vec::new(),
        keys: KeySettings {
            headers,
            noun: "things_key".to_owned(),
            min_length: 32,
            access,
            token: None,
        },
        legacy_sessions: false,
        body_limit: 1 << 20,
        metrics_token: None,
        shown: json!({ "setting": 1 }),
    }
}

/// The whole HTTP service on a port of its own; returns its address.
pub(crate) async fn start(service: Arc<Service>, access: Access) -> String {
    start_with(service, http_settings(access)).await.base
}

/// A running HTTP service.
pub(crate) struct Served {
    pub(crate) base: String,
    pub(crate) stop: CancellationToken,
    pub(crate) ended: JoinHandle<()>,
}

/// The same with settings of the test's own.
pub(crate) async fn start_with(service: Arc<Service>, settings: HttpSettings) -> Served {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let router = app(Server::for_requests(service, identity()), settings);
    let stop = CancellationToken::new();
    let ended = tokio::spawn(serve(router, listener, stop.clone(), BOUNDS));
    Served { base, stop, ended }
}

/// Posts one message as tenant A would type it: no handshake, no `Accept`.
pub(crate) async fn post(url: &str, message: &Value) -> (u16, Value) {
    post_with(url, &[("x-things-key", KEY_A)], message.to_string()).await
}

pub(crate) async fn post_with(url: &str, headers: &[(&str, &str)], body: String) -> (u16, Value) {
    let client = upstream::client(&ClientSettings {
        trust: upstream::Trust::Nobody,
        user_agent: "test".to_owned(),
    })
    .unwrap();
    let mut request = client.post(url).header("content-type", "application/json").body(body);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

/// What a REST client gets.
pub(crate) struct Got {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Got {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {}", self.text))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// Sends any request; a body is JSON.
pub(crate) async fn send(
    method: &str,
    url: &str,
    headers: &[(&str, &str)],
    body: Option<Value>,
) -> Got {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut request = client.request(method.parse().unwrap(), url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    if let Some(body) = body {
        request = request.json(&body);
    }
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Got { status, headers, text: response.text().await.unwrap() }
}

/// Reads an address as tenant A.
pub(crate) async fn get(url: &str) -> Got {
    send("GET", url, &[("x-things-key", KEY_A)], None).await
}

/// Calls a tool over REST as tenant A.
pub(crate) async fn rest_call(base: &str, tool: &str, arguments: Value) -> Got {
    let url = format!("{base}/tools/{tool}");
    send("POST", &url, &[("x-things-key", KEY_A)], Some(arguments)).await
}

pub(crate) fn tool_call(id: Value, name: &str, arguments: Value) -> Value {
    let mut message =
        json!({ "jsonrpc": "2.0", "method": "tools/call", "params": { "name": name } });
    message["id"] = id;
    message["params"]["arguments"] = arguments;
    message
}

/// The same in the stateless era.
pub(crate) fn modern(mut message: Value) -> Value {
    let meta = json!({ "io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {} });
    let params = message
        .as_object_mut()
        .unwrap()
        .entry("params")
        .or_insert_with(|| Value::Object(Map::new()));
    let own = params.get("_meta").cloned().unwrap_or_else(|| json!({}));
    params["_meta"] = meta;
    for (name, value) in own.as_object().unwrap() {
        params["_meta"][name] = value.clone();
    }
    message
}
