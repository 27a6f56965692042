//! A stand-in for the platform that costs almost nothing: answers are made once, requests and keys are counted.
//!
//! It runs as a process of its own, so that its CPU is not the server's. It knows three routes and no rules.

use std::collections::HashSet;
use std::convert::Infallible;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};

/// Devices of the one page there is, whatever number is asked for.
pub(crate) const DEVICES: u64 = 100;

/// Path of the devices.
pub(crate) const DEVICES_PATH: &str = "/core/v1/organization/devices";

/// Path of the counters.
pub(crate) const COUNTS_PATH: &str = "/counts";

/// Path that, followed by a number, sets how many milliseconds every answer takes.
pub(crate) const LATENCY_PATH: &str = "/latency/";

struct Platform {
    list: Bytes,
    device: Bytes,
    latency_ms: AtomicU64,
    requests: AtomicU64,
    keys: Mutex<HashSet<HeaderValue>>,
}

/// Serves until it is killed; prints its port on the first line of standard output.
pub(crate) async fn run() -> anyhow::Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.context("cannot listen")?;
    println!("{}", listener.local_addr()?.port());
    let devices: Vec<Value> = (0..DEVICES).map(device).collect();
    let platform = Arc::new(Platform {
        list: json!({ "items": devices, "has_next_page": false, "next_page": null })
            .to_string()
            .into(),
        device: devices[0].to_string().into(),
        latency_ms: AtomicU64::new(0),
        requests: AtomicU64::new(0),
        keys: Mutex::default(),
    });
    loop {
        // A connection that was not made is the other side's trouble.
        if let Ok((socket, _)) = listener.accept().await {
            tokio::spawn(serve(socket, platform.clone()));
        }
    }
}

async fn serve(socket: TcpStream, platform: Arc<Platform>) {
    // Without it, answers in two pieces wait for acknowledgments.
    if socket.set_nodelay(true).is_err() {
        return;
    }
    let service = service_fn(|request| {
        let platform = platform.clone();
        async move { Ok::<_, Infallible>(platform.answer(&request).await) }
    });
    // A connection ends with its client, in good order or not.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(socket), service).await;
}

impl Platform {
    async fn answer(&self, request: &Request<Incoming>) -> Response<Full<Bytes>> {
        let path = request.uri().path();
        if path == COUNTS_PATH {
            let keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner).len();
            let requests = self.requests.load(Ordering::Relaxed);
            return json(json!({ "requests": requests, "keys": keys }).to_string().into());
        }
        if let Some(latency) = path.strip_prefix(LATENCY_PATH).and_then(|text| text.parse().ok()) {
            self.latency_ms.store(latency, Ordering::Relaxed);
            return json(Bytes::from_static(b"{}"));
        }
        let body = match path.strip_prefix(DEVICES_PATH) {
            Some("") => &self.list,
            Some(rest) if rest.starts_with('/') => &self.device,
            _ => return status(StatusCode::NOT_FOUND),
        };
        let Some(key) = request.headers().get(AUTHORIZATION) else {
            return status(StatusCode::UNAUTHORIZED);
        };
        self.count(key);
        let latency = self.latency_ms.load(Ordering::Relaxed);
        if latency > 0 {
            tokio::time::sleep(Duration::from_millis(latency)).await;
        }
        json(body.clone())
    }

    fn count(&self, key: &HeaderValue) {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        if !keys.contains(key) {
            keys.insert(key.clone());
        }
    }
}

fn json(body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    let kind = HeaderValue::from_static("application/json; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

fn status(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = json(Bytes::from_static(b"{}"));
    *response.status_mut() = status;
    response
}

/// A device with the members that the platform's document lists, some 550 bytes of them.
fn device(number: u64) -> Value {
    json!({
        "id": device_id(number),
        "name": format!("Meeting room display {number}"),
        "sn": format!("SN-{number:08}"),
        "mac": format!("02:00:5e:00:{:02x}:{:02x}", number / 256, number % 256),
        "cloud_id": format!("CL{number:010}"),
        "status": if number % 7 == 0 { "offline" } else { "online" },
        "effective_status": if number % 7 == 0 { "offline" } else { "ok" },
        "merged_effective_status": "ok",
        "last_seen_at": "2026-09-07T08:21:40.512Z",
        "details": null,
        "state": { "power": "on", "input": "HDMI 2", "volume": number % 100 },
        "model": { "id": format!("0b7c6f0e-52d1-4f0a-9a3e-{:012x}", number % 9), "name": "Display 75", "sub_model": null },
        "firmware": { "version": "4.12.1" },
        "space": { "id": 4200 + number, "full_path": "Northwind/Oslo/Harbor building/Floor 3/Room 12" },
    })
}

/// The id of a device.
pub(crate) fn device_id(number: u64) -> String {
    format!("5f3a9c1e-7b2d-4e6f-8a10-{number:012x}")
}
