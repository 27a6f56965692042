//! So many clients that call as fast as they are answered, each over a connection and with a key of its own.
//!
//! It counts and times; what the figures mean, it does not know.

use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue};
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::upstream::{DEVICES, DEVICES_PATH, device_id};

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    /// The page of devices, from the upstream itself.
    DirectList,
    /// `list_devices` for the whole page, in the form in which it answers by default.
    List,
    /// `list_devices` with `format: json`.
    FullList,
    /// One device, from the upstream itself.
    DirectGet,
    /// `get_device`.
    Get,
}

impl What {
    /// Its name in the table.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::DirectList => "direct: page of 100 devices",
            Self::List => "list_devices",
            Self::FullList => "list_devices, format: json",
            Self::DirectGet => "direct: one device",
            Self::Get => "get_device",
        }
    }

    /// The call of the upstream that it is compared with.
    pub(crate) fn direct(self) -> Self {
        match self {
            Self::DirectList | Self::List | Self::FullList => Self::DirectList,
            Self::DirectGet | Self::Get => Self::DirectGet,
        }
    }

    /// Whether it goes past the server.
    pub(crate) fn is_direct(self) -> bool {
        self == self.direct()
    }

    fn message(self) -> Option<Value> {
        let (name, arguments) = match self {
            Self::DirectList | Self::DirectGet => return None,
            Self::List => ("list_devices", json!({ "limit": DEVICES })),
            Self::FullList => ("list_devices", json!({ "limit": DEVICES, "format": "json" })),
            Self::Get => ("get_device", json!({ "device_id": device_id(0) })),
        };
        let params = json!({ "name": name, "arguments": arguments });
        Some(json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params }))
    }
}

/// Where both sides are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ports {
    pub(crate) upstream: u16,
    pub(crate) server: u16,
}

/// What some clients measured.
#[derive(Debug, Clone, Default)]
pub(crate) struct Measured {
    /// Microseconds of each call, in ascending order.
    pub(crate) micros: Vec<u32>,
    pub(crate) seconds: f64,
}

impl Measured {
    pub(crate) fn calls(&self) -> u64 {
        self.micros.len() as u64
    }

    pub(crate) fn per_second(&self) -> f64 {
        self.micros.len() as f64 / self.seconds
    }

    /// The milliseconds that this share of the calls did not exceed.
    pub(crate) fn millis(&self, share: f64) -> f64 {
        let at = (self.micros.len() as f64 * share) as usize;
        self.micros
            .get(at.min(self.micros.len().saturating_sub(1)))
            .map_or(0.0, |&it| f64::from(it) / 1000.0)
    }
}

/// Lets clients call for a while; an answer that is none ends the whole measurement.
pub(crate) async fn drive(
    ports: Ports,
    what: What,
    clients: u64,
    lasting: Duration,
) -> anyhow::Result<Measured> {
    let begun = Instant::now();
    let mut running = JoinSet::new();
    for number in 0..clients {
        running.spawn(async move {
            let mut client = Client::connect(ports, what, number).await?;
            let mut micros = Vec::new();
            while begun.elapsed() < lasting {
                let asked = Instant::now();
                client.call().await?;
                micros.push(u32::try_from(asked.elapsed().as_micros()).unwrap_or(u32::MAX));
            }
            anyhow::Ok(micros)
        });
    }
    let mut measured = Measured::default();
    while let Some(client) = running.join_next().await {
        measured.micros.extend(client??);
    }
    measured.seconds = begun.elapsed().as_secs_f64();
    measured.micros.sort_unstable();
    Ok(measured)
}

/// One client and its connection.
pub(crate) struct Client {
    sender: SendRequest<Full<Bytes>>,
    request: Request<Bytes>,
}

impl Client {
    /// Opens a connection and prepares the request.
    pub(crate) async fn connect(ports: Ports, what: What, number: u64) -> anyhow::Result<Self> {
        let message = what.message();
        let port = if message.is_some() { ports.server } else { ports.upstream };
        let path = match what {
            What::DirectList => format!("{DEVICES_PATH}?page=1&per_page={DEVICES}"),
            What::DirectGet => format!("{DEVICES_PATH}/{}", device_id(0)),
            _ => "/mcp".to_owned(),
        };
        let mut request = request(port, &path, message.as_ref())?;
        let key = HeaderValue::from_str(&format!("key-of-the-benchmarks-client-{number:012}"))?;
        let header = if message.is_some() { "x-xyte-api-key" } else { AUTHORIZATION.as_str() };
        request.headers_mut().insert(header, key);
        Ok(Self { sender: connect(port).await?, request })
    }

    /// Calls once and checks that there is an answer.
    pub(crate) async fn call(&mut self) -> anyhow::Result<()> {
        let response = send(&mut self.sender, &self.request).await?;
        let status = response.status();
        let mut body = response.into_body();
        // What says that a call failed stands at one of the two ends of its answer.
        let (mut first, mut last) = (Bytes::new(), Bytes::new());
        while let Some(frame) = body.frame().await {
            if let Ok(data) = frame?.into_data() {
                if first.is_empty() {
                    first = data.clone();
                }
                last = data;
            }
        }
        let failed = |part: &Bytes| {
            let part = String::from_utf8_lossy(part);
            part.contains(r#""isError":true"#) || part.contains(r#"{"error""#)
        };
        let begin = first.slice(..first.len().min(300));
        let end = last.slice(last.len().saturating_sub(300)..);
        if status != StatusCode::OK || first.is_empty() || failed(&begin) || failed(&end) {
            bail!("answered {status}: {}", String::from_utf8_lossy(&begin));
        }
        Ok(())
    }
}

/// Sends one request on a connection of its own and reads the answer.
pub(crate) async fn once(port: u16, path: &str, message: Option<&Value>) -> anyhow::Result<Bytes> {
    let mut request = request(port, path, message)?;
    let key = HeaderValue::from_static("key-of-the-benchmark-for-one-request");
    request.headers_mut().insert("x-xyte-api-key", key);
    let response = send(&mut connect(port).await?, &request).await?;
    let status = response.status();
    let body = response.into_body().collect().await?.to_bytes();
    if status != StatusCode::OK {
        bail!("answered {status}: {}", String::from_utf8_lossy(&body));
    }
    Ok(body)
}

async fn connect(port: u16) -> anyhow::Result<SendRequest<Full<Bytes>>> {
    let socket = TcpStream::connect(("127.0.0.1", port)).await.context("no connection")?;
    socket.set_nodelay(true)?;
    let (sender, connection) = handshake(TokioIo::new(socket)).await?;
    // It ends with the sender; why it ended, the sender tells.
    tokio::spawn(async move { connection.await.unwrap_or_default() });
    Ok(sender)
}

fn request(port: u16, path: &str, message: Option<&Value>) -> anyhow::Result<Request<Bytes>> {
    let mut request = Request::new(message.map(Value::to_string).unwrap_or_default().into());
    *request.uri_mut() = path.parse()?;
    let headers = request.headers_mut();
    headers.insert(HOST, HeaderValue::from_str(&format!("127.0.0.1:{port}"))?);
    if message.is_some() {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let forms = HeaderValue::from_static("application/json, text/event-stream");
        headers.insert(ACCEPT, forms);
        headers.insert("mcp-protocol-version", HeaderValue::from_static("2025-11-25"));
        *request.method_mut() = Method::POST;
    }
    Ok(request)
}

async fn send(
    sender: &mut SendRequest<Full<Bytes>>,
    request: &Request<Bytes>,
) -> anyhow::Result<http::Response<Incoming>> {
    sender.ready().await?;
    Ok(sender.send_request(request.clone().map(Full::new)).await?)
}
