//! `xyte-mcp stdio`: MCP over pipes, in the name of the configured keys.

use xyte_mcp_program::stop_on_signal;
use xyte_mcp_runtime::server::Server;
use xyte_mcp_runtime::transport;

use super::{identity, own_caller, prepare};
use crate::config::Config;

pub(crate) async fn run(config: &Config) -> anyhow::Result<()> {
    let ready = prepare(config).await?;
    let keys = if ready.own_keys.is_empty() {
        "no key: tools can be listed, not called"
    } else {
        "one key for all calls"
    };
    tracing::info!("mode=single_tenant ({keys})");
    let caller = own_caller(&ready);
    let server = Server::for_caller(ready.service, identity(), caller);
    transport::stdio::serve(server, stop_on_signal()?).await?;
    Ok(())
}
