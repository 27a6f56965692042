//! A stateful stand-in for the Xyte platform: no account, no network, the same bytes every time.
//!
//! The document says which requests exist, which are valid and what an answer looks like;
//! the files under `nouns` add what the calls do to a seeded fleet.
//! It knows nothing of the product that talks to it.

mod error;
mod keys;
mod scenario;

mod admin;
mod connection;
mod http;

mod clock;
mod fault;
mod log;

mod diff;
mod export;
mod happening;

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
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde_json::Value;

use crate::{
    clock::Clock, fault::Faults, log::Log, operation::Operation, scenario::Scenario, world::World,
};

pub use crate::{
    clock::Pace,
    diff::{Change, diff},
    error::Error,
    keys::{KEYS, Key},
    scenario::{FAULTS, NAMES as SCENARIOS},
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
    origin: Mutex<Origin>,
    clock: Clock,
    world: World,
    faults: Faults,
    log: Arc<Log>,
}

/// What the world was made from.
#[derive(Debug, Clone)]
struct Origin {
    seed: u64,
    scenario: Scenario,
}

impl Inner {
    fn origin(&self) -> MutexGuard<'_, Origin> {
        self.origin.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts anew: world, clock, faults and log; the pace of the clock stays.
    fn reset(&self, origin: Origin) {
        let mut held = self.origin();
        self.clock.reset();
        self.world.reset(origin.seed, origin.scenario.world);
        self.faults.clear();
        self.faults.add(&origin.scenario.faults);
        self.log.clear();
        *held = origin;
    }

    /// What the tenants own now.
    fn state(&self) -> Value {
        self.world.settle(self.clock.now());
        export::of(&self.world)
    }

    /// What differs from the world's beginning.
    fn changes(&self) -> Vec<Change> {
        let origin = self.origin().clone();
        let beginning = World::new(origin.seed, origin.scenario.world);
        diff(&export::of(&beginning), &self.state())
    }
}

/// An operation of the document with the behavior written for it, if there is one.
#[derive(Debug)]
struct Served {
    operation: Operation,
    behavior: Option<nouns::Behavior>,
}

impl Sandbox {
    /// Makes a sandbox of an `OpenAPI` document (JSON text), a seed and a scenario, which is the
    /// name of a world, or `WORLD+FAULT+…` with names or rules of faults.
    ///
    /// # Errors
    ///
    /// When the text is not JSON, has no paths, or the scenario cannot be read.
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
        let world = World::new(seed, scenario.world);
        let faults = Faults::new(&scenario.faults);
        let origin = Mutex::new(Origin { seed, scenario });
        let (clock, log) = (Clock::new(Pace::Fixed), Arc::default());
        Ok(Self {
            inner: Arc::new(Inner { document, operations, origin, clock, world, faults, log }),
        })
    }

    /// Serves every operation of the document at its full path.
    pub fn router(&self) -> axum::Router {
        http::router(Arc::clone(&self.inner))
    }

    /// Serves what looks at the sandbox from behind: clock, faults, log, state.
    pub fn admin(&self) -> axum::Router {
        admin::router(Arc::clone(&self.inner))
    }

    /// Lets virtual time pass in another way from now on.
    pub fn set_pace(&self, pace: Pace) {
        self.inner.clock.set_pace(pace);
    }

    /// How many requests for the platform were received, refused ones included.
    pub fn requests(&self) -> u64 {
        self.inner.log.requests()
    }
}

/// Serves the platform on `listener` until `shutdown` completes; then open requests are cut off.
pub async fn serve(
    listener: tokio::net::TcpListener,
    sandbox: Sandbox,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    connection::serve(listener, sandbox.router(), shutdown).await
}

/// Serves the routes of [`Sandbox::admin`] on `listener`, which belongs on the loopback only.
pub async fn serve_admin(
    listener: tokio::net::TcpListener,
    sandbox: Sandbox,
) -> std::io::Result<()> {
    axum::serve(listener, sandbox.admin()).await
}
