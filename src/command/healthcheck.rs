//! `xyte-mcp healthcheck`: asks the local server whether it is alive, for containers.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use anyhow::{Context, bail};
use xyte_mcp_runtime::upstream::{ClientSettings, Trust, client};

use crate::config::Config;

pub(crate) async fn run(config: &Config) -> anyhow::Result<()> {
    let host =
        if config.host.is_unspecified() { IpAddr::V4(Ipv4Addr::LOCALHOST) } else { config.host };
    let url = format!("http://{}/healthz", SocketAddr::new(host, config.port));
    let settings =
        ClientSettings { user_agent: "xyte-mcp healthcheck".to_owned(), trust: Trust::Nobody };
    let answer = client(&settings)?
        .get(&url)
        .timeout(config.manners.timeout)
        .send()
        .await
        .with_context(|| format!("no answer from {url}"))?;
    if !answer.status().is_success() {
        bail!("{url} answered {}", answer.status());
    }
    Ok(())
}
