//! `xyte-mcp sandbox`, and `--sandbox` of the other commands: the stand-in for the platform.

use std::net::Ipv4Addr;

use anyhow::Context;
use tokio::net::TcpListener;
use xyte_mcp_runtime::caller::Key;
use xyte_mcp_sandbox::{Error, KEYS, Pace, SCENARIOS, Sandbox, serve, serve_admin};

use super::stop_on_signal;
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
    let refused = |name: &str, held: &str, err: &Error| config::Error::Malformed {
        name: name.to_owned(),
        held: format!("`{}`", held.escape_debug()),
        wanted: wanted(err),
    };
    let pace: Pace = config
        .clock
        .parse()
        .map_err(|err| refused("the clock of the sandbox", &config.clock, &err))?;
    let sandbox = Sandbox::new(generated::DOCUMENT, config.seed, &config.scenario)
        .map_err(|err| refused("the scenario of the sandbox", &config.scenario, &err))?;
    sandbox.set_pace(pace);
    Ok(sandbox)
}

/// What would have been right instead.
fn wanted(err: &Error) -> String {
    match err {
        Error::UnknownPace { .. } => "fixed, running or step:SECONDS".to_owned(),
        Error::NoFault { text, why } => format!("worlds and faults, but of `{text}`: {why}"),
        _ => SCENARIOS.join(", "),
    }
}

/// Serves what looks from behind, and gives its address.
async fn behind(sandbox: &Sandbox, port: u16) -> anyhow::Result<String> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .await
        .with_context(|| format!("the sandbox cannot listen on its admin port {port}"))?;
    let address = format!("http://{}", listener.local_addr()?);
    let sandbox = sandbox.clone();
    tokio::spawn(async move {
        if let Err(err) = serve_admin(listener, sandbox).await {
            tracing::error!("the admin port of the sandbox stopped: {err}");
        }
    });
    Ok(address)
}

/// Starts a sandbox for this process only.
pub(super) async fn start(config: &SandboxConfig) -> anyhow::Result<Started> {
    let sandbox = make(config)?;
    let listener =
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("the sandbox cannot listen")?;
    let base = format!("http://{}", listener.local_addr()?);
    if let Some(port) = config.admin_port {
        tracing::info!("sandbox admin at {}", behind(&sandbox, port).await?);
    }
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
    let admin = behind(&sandbox, config.admin_port.unwrap_or_default()).await?;
    let mut lines = vec![format!(
        "Sandbox of the Xyte platform ({}, seed {}): http://{address}",
        config.scenario, config.seed
    )];
    lines.push(format!("  admin: {admin}  (clock {}; faults, log, state)", config.clock));
    lines.extend(KEYS.iter().map(|key| format!("  key {}: {}  ({})", key.name, key.key, key.may)));
    super::print(&lines.join("\n"))?;
    serve(listener, sandbox, stop.cancelled_owned()).await.context("the sandbox failed")
}
