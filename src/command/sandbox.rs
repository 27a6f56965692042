//! `xyte-mcp sandbox`, and `--sandbox` of the other commands: the stand-in for the platform.

use std::net::Ipv4Addr;

use anyhow::Context;
use tokio::net::TcpListener;
use xyte_mcp_program::stop_on_signal;
use xyte_mcp_runtime::caller::Key;
use xyte_mcp_sandbox::{KEYS, SCENARIOS, Sandbox, serve};

use crate::config::{self, SandboxConfig};
use crate::generated;

/// Where the sandbox listens when nobody says otherwise.
pub(crate) const DEFAULT_PORT: u16 = 8090;

/// A sandbox that runs in this process.
pub(super) struct Started {
    pub(super) base: String,
}

/// Makes the world that was asked for.
fn make(config: &SandboxConfig) -> Result<Sandbox, config::Error> {
    Sandbox::new(generated::DOCUMENT, config.seed, &config.scenario).map_err(|_| {
        config::Error::Malformed {
            name: "the scenario of the sandbox".to_owned(),
            held: format!("`{}`", config.scenario.escape_debug()),
            wanted: SCENARIOS.join(", "),
        }
    })
}

/// Starts a sandbox for this process only.
pub(super) async fn start(config: &SandboxConfig) -> anyhow::Result<Started> {
    let sandbox = make(config)?;
    let listener =
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("the sandbox cannot listen")?;
    let base = format!("http://{}", listener.local_addr()?);
    tokio::spawn(async move {
        if let Err(err) = serve(listener, sandbox, std::future::pending()).await {
            tracing::error!("the sandbox stopped: {err}");
        }
    });
    for key in KEYS {
        tracing::info!(sandbox.key = key.key, "sandbox key {} may {}", key.name, key.may);
    }
    Ok(Started { base })
}

/// One of the sandbox's keys, by its letter.
pub(super) fn key(name: &str) -> Option<Key> {
    let known = KEYS.iter().find(|key| key.name == name)?;
    Key::new(known.key).ok()
}

/// Serves a sandbox until a signal.
pub(crate) async fn run(port: u16, config: &SandboxConfig) -> anyhow::Result<()> {
    let sandbox = make(config)?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .await
        .with_context(|| format!("cannot listen on port {port}; choose another with --port"))?;
    let stop = stop_on_signal()?;
    let address = listener.local_addr()?;
    let mut lines = vec![format!(
        "Sandbox of the Xyte platform ({}, seed {}): http://{address}",
        config.scenario, config.seed
    )];
    lines.extend(KEYS.iter().map(|key| format!("  key {}: {}  ({})", key.name, key.key, key.may)));
    super::print(&lines.join("\n"))?;
    serve(listener, sandbox, stop.cancelled_owned()).await.context("the sandbox failed")
}
