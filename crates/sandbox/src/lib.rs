//! A stateful stand-in for the Xyte platform: no account, no network, the same bytes every time.
//!
//! The document says which requests exist, which are valid and what an answer looks like;
//! the files under `nouns` add what the calls do to a seeded fleet.
//! It knows nothing of the product that talks to it.

mod error;
mod keys;
mod scenario;

mod http;

mod answer;
mod ask;
mod check;
mod operation;
mod page;
mod path;
mod sample;
mod schema;

mod nouns;
mod tenant;
mod world;

mod fleet;
mod moment;
mod prng;
mod table;

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use serde_json::Value;

use crate::{operation::Operation, scenario::Scenario, world::World};

pub use crate::{
    error::Error,
    keys::{KEYS, Key},
    scenario::NAMES as SCENARIOS,
};

/// A stand-in platform; clones share one state.
#[derive(Debug, Clone)]
pub struct Sandbox {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    document: Value,
    operations: Vec<Served>,
    world: World,
    requests: AtomicU64,
}

/// An operation of the document with the behavior written for it, if there is one.
#[derive(Debug)]
struct Served {
    operation: Operation,
    behavior: Option<nouns::Behavior>,
}

impl Sandbox {
    /// Makes a sandbox of an `OpenAPI` document (JSON text), a seed and a scenario.
    ///
    /// # Errors
    ///
    /// When the text is not JSON, has no paths, or no scenario has this name.
    pub fn new(document: &str, seed: u64, scenario: &str) -> Result<Self, Error> {
        let scenario = Scenario::parse(scenario)?;
        let document: Value = serde_json::from_str(document)?;
        if !document.get("paths").is_some_and(Value::is_object) {
            return Err(Error::NoPaths);
        }
        let operations = operation::all(&document).into_iter().map(|operation| {
            let behavior = nouns::behavior(&operation.method, &operation.template.shape());
            Served { operation, behavior }
        });
        let operations = operations.collect();
        let world = World::new(seed, scenario);
        let requests = AtomicU64::new(0);
        Ok(Self { inner: Arc::new(Inner { document, operations, world, requests }) })
    }

    /// Serves every operation of the document at its full path, and `/__sandbox/stats`.
    pub fn router(&self) -> axum::Router {
        http::router(Arc::clone(&self.inner))
    }

    /// How many requests for the platform were received, refused ones included.
    pub fn requests(&self) -> u64 {
        self.inner.requests.load(Ordering::Relaxed)
    }
}

/// Serves a sandbox on `listener` until `shutdown` completes.
pub async fn serve(
    listener: tokio::net::TcpListener,
    sandbox: Sandbox,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    axum::serve(listener, sandbox.router()).with_graceful_shutdown(shutdown).await
}
