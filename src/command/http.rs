//! `xyte-mcp http`: the HTTP service, for one tenant or many.

use std::net::SocketAddr;
use std::time::Duration;

use ::http::HeaderName;
use anyhow::Context;
use tokio::net::TcpListener;
use xyte_mcp_runtime::server::Server;
use xyte_mcp_runtime::transport::http::{Access, HttpSettings, KeySettings, app, serve};

use super::{Ready, identity, prepare, stop_on_signal};
use crate::config::Config;

const BODY_LIMIT: usize = 1024 * 1024; // Bytes; no call of a tool comes near it.
const DRAIN: Duration = Duration::from_secs(25); // Longer than the deadline of a call.

pub(crate) async fn run(config: &Config) -> anyhow::Result<()> {
    let ready = prepare(config).await?;
    let address = SocketAddr::new(config.host, config.port);
    let listener =
        TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))?;
    let address = listener.local_addr()?;
    let mode = if ready.own_keys.is_empty() { "multi_tenant" } else { "single_tenant" };
    let settings = HttpSettings {
        allowed_hosts: config.allowed_hosts.clone(),
        allowed_origins: config.allowed_origins.clone(),
        keys: KeySettings {
            headers: vec![
                HeaderName::from_static("x-xyte-api-key"),
                HeaderName::from_static("x-api-key"),
            ],
            noun: "xyte_key".to_owned(),
            min_length: config.min_key_length,
            access: access(config, &ready),
        },
        body_limit: BODY_LIMIT,
    };
    tracing::info!("mode={mode}");
    tracing::info!(server.address = %address, "MCP at http://{address}/mcp");
    let server = Server::for_requests(ready.service, identity());
    serve(app(server, settings), listener, stop_on_signal()?, DRAIN)
        .await
        .context("the HTTP service failed")
}

/// The server's own keys serve callers without one only where no stranger can be: on loopback, or with an invented fleet.
fn access(config: &Config, ready: &Ready) -> Access {
    if ready.own_keys.is_empty() {
        Access::Tenants
    } else if config.host.is_loopback() || config.sandbox.is_some() {
        Access::OwnForAnyone(ready.own_keys.clone())
    } else {
        Access::OwnForToken { keys: ready.own_keys.clone(), token: config.http_token.clone() }
    }
}
