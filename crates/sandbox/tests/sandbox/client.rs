//! Sends requests to a sandbox and reads the answers; knows the document only as text.

use std::sync::OnceLock;

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Request, StatusCode},
};
use serde_json::Value;
use tower::ServiceExt;
use xyte_mcp_sandbox::Sandbox;

/// A state of the real document that stays, so that another one in force changes no test; the tests of the program run the one in force.
pub(crate) const DOCUMENT: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../codegen/tests/changes/document.json"));

pub(crate) const A: &str = "sandbox-key-A-northwind-organization";
pub(crate) const B: &str = "sandbox-key-B-fabrikam-organization";
pub(crate) const R: &str = "sandbox-key-R-northwind-read-only";
pub(crate) const P: &str = "sandbox-key-P-contoso-partner-vendor";

pub(crate) const DEVICE: &str = "5b0c8c1e-6f0a-4a51-9d3c-0c5f2f1b7a10";
pub(crate) const SECOND_DEVICE: &str = "7c2e9d10-4b6f-4e63-b1a9-0d8e5f4a3c99";
pub(crate) const PRIMARY: &str = "1f0e6b52-7d3c-4c8e-9b1a-2e5d4c3b6a70";
pub(crate) const SHADOW: &str = "2a1f7c63-8e4d-4d9f-8c2b-3f6e5d4c7b81";
pub(crate) const COMMAND: &str = "6d5c4b3a-2918-4f07-a6e5-d4c3b2a19080";
pub(crate) const EDGE: &str = "8e7d6c5b-4a39-4281-9706-f5e4d3c2b1a0";
pub(crate) const GROUP: &str = "c1a4b9f0-7f0d-4f0f-8f5e-2f4a6b8c0d22";
pub(crate) const USER: &str = "3d7b5a52-2a9e-4a34-9a0c-9d5b0f7c6e11";
pub(crate) const INCIDENT: &str = "a3f1c2d4-6b5e-4f70-8192-a3b4c5d6e7f8";
pub(crate) const TICKET: &str = "f3a4b5c6-d7e8-4f90-a1b2-c3d4e5f60718";
pub(crate) const ASSET: &str = "4e1d9a2b-5c3f-4e7a-8b6d-1a2b3c4d5e60";
pub(crate) const LABEL: &str = "b7c8d9e0-1f2a-4b3c-8d4e-5f6a7b8c9d0e";
pub(crate) const MODEL: &str = "9f2d7a34-0b7e-4a77-8a52-61b1f0a3d9c4";
pub(crate) const DEVICE_NOTE: &str = "d1e2f3a4-b5c6-4d7e-8f90-a1b2c3d4e5f6";
pub(crate) const SPACE_NOTE: &str = "e2f3a4b5-c6d7-4e8f-90a1-b2c3d4e5f607";

/// A sandbox and the key that requests carry.
#[derive(Clone)]
pub(crate) struct Client {
    router: Router,
    admin: Router,
    key: Option<String>,
    fault: Option<String>,
}

/// What came back.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) text: String,
    pub(crate) headers: HeaderMap,
}

impl Answer {
    async fn of(router: &Router, request: Request<Body>) -> Self {
        let (parts, body) = router.clone().oneshot(request).await.unwrap().into_parts();
        let bytes = to_bytes(body, usize::MAX).await.unwrap();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        Self { status: parts.status, text, headers: parts.headers }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not JSON: {self:?}"))
    }

    /// The messages of a validation error about `field`.
    pub(crate) fn fault(&self, field: &str) -> String {
        assert_eq!(self.status, 422, "{}", self.text);
        let json = self.json();
        assert_eq!(json["error"], "Validation failed");
        json["errors"][field][0].as_str().unwrap_or_else(|| panic!("{}", self.text)).to_owned()
    }
}

pub(crate) fn sandbox(scenario: &str) -> Sandbox {
    Sandbox::new(DOCUMENT, 1, scenario).unwrap()
}

/// The seeds that planted facts are counted for.
pub(crate) const SEEDS: [u64; 3] = [1, 2, u64::MAX];

/// Clients of `baseline` with these seeds, for tests that only read.
pub(crate) fn planted() -> impl Iterator<Item = Client> {
    static WORLDS: [OnceLock<Sandbox>; 3] = [const { OnceLock::new() }; 3];
    SEEDS.into_iter().zip(&WORLDS).map(|(seed, world)| {
        Client::of(world.get_or_init(|| Sandbox::new(DOCUMENT, seed, "baseline").unwrap()))
    })
}

/// A client of a fresh world with key A.
pub(crate) fn fresh(scenario: &str) -> Client {
    Client::of(&sandbox(scenario))
}

impl Client {
    pub(crate) fn of(sandbox: &Sandbox) -> Self {
        let (router, admin) = (sandbox.router(), sandbox.admin());
        Self { router, admin, key: Some(A.to_owned()), fault: None }
    }

    pub(crate) fn with(&self, key: &str) -> Self {
        Self { key: Some(key.to_owned()), ..self.clone() }
    }

    pub(crate) fn without_key(&self) -> Self {
        Self { key: None, ..self.clone() }
    }

    /// Asks for this fault with every request.
    pub(crate) fn suffering(&self, fault: &str) -> Self {
        Self { fault: Some(fault.to_owned()), ..self.clone() }
    }

    /// Sends a request to a path below `/core/v1`, or to a full one.
    pub(crate) async fn send(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        let path = match path.strip_prefix("//") {
            Some(full) => format!("/{full}"),
            None => format!("/core/v1{path}"),
        };
        let mut request = Request::builder().method(method).uri(path);
        if let Some(key) = &self.key {
            request = request.header("Authorization", key);
        }
        if let Some(fault) = &self.fault {
            request = request.header("X-Sandbox-Fault", fault);
        }
        let body = body.map_or_else(Body::empty, |body| body.to_string().into());
        let request = request.header("Content-Type", "application/json").body(body).unwrap();
        Answer::of(&self.router, request).await
    }

    /// Asks the routes behind the platform.
    pub(crate) async fn admin(&self, method: &str, path: &str, body: &str) -> Answer {
        let request = Request::builder().method(method).uri(path);
        Answer::of(&self.admin, request.body(body.to_owned().into()).unwrap()).await
    }

    /// Reads JSON from behind the platform.
    pub(crate) async fn look(&self, path: &str) -> Value {
        self.admin("GET", path, "").await.json()
    }

    /// Lets virtual time pass.
    pub(crate) async fn wait(&self, seconds: u64) {
        let body = format!("{{\"advance\":{seconds}}}");
        assert_eq!(self.admin("POST", "/clock", &body).await.status, 200);
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, None).await
    }

    /// Reads JSON from a path below the organization.
    pub(crate) async fn read(&self, path: &str) -> Value {
        let answer = self.get(&format!("/organization{path}")).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        answer.json()
    }

    /// Sends a write below the organization that must succeed; null when there is no content.
    pub(crate) async fn write(&self, method: &str, path: &str, body: Value) -> Value {
        let answer = self.send(method, &format!("/organization{path}"), Some(&body)).await;
        assert!(answer.status.is_success(), "{path}: {}", answer.text);
        if answer.text.is_empty() { Value::Null } else { answer.json() }
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", &format!("/organization{path}"), None).await
    }

    /// All rows of a list below the organization.
    pub(crate) async fn all(&self, path: &str) -> Vec<Value> {
        let mut rows = Vec::new();
        let joint = if path.contains('?') { '&' } else { '?' };
        for page in 1.. {
            let answer = self.read(&format!("{path}{joint}page={page}")).await;
            rows.extend(answer["items"].as_array().unwrap().iter().cloned());
            if answer["has_next_page"] != true && answer["next_page"].is_null() {
                break;
            }
        }
        rows
    }
}

/// The row with this id.
pub(crate) fn row<'a>(rows: &'a [Value], id: &str) -> Option<&'a Value> {
    rows.iter().find(|row| row["id"] == id)
}
