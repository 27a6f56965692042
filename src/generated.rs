//! What build.rs made of the document and the overrides. The only place that includes it.

use progenitor_client::{ClientHooks, Error, OperationInfo};
use xyte_mcp_runtime::upstream::Exchange;

/// The catalogue the server loads.
pub(crate) const CAPABILITIES: &str = include_str!(concat!(env!("OUT_DIR"), "/capabilities.json"));

/// How to use the server, for people and agents.
pub(crate) const API_USAGE: &str = include_str!(concat!(env!("OUT_DIR"), "/API_USAGE.md"));

/// The document with its patches, from which the sandbox takes its routes.
pub(crate) const DOCUMENT: &str = include_str!(concat!(env!("OUT_DIR"), "/document.json"));

/// The typed client.
#[allow(
    clippy::all,
    clippy::pedantic,
    clippy::restriction,
    missing_docs,
    unreachable_pub,
    unused,
    elided_lifetimes_in_paths,
    mismatched_lifetime_syntaxes,
    reason = "generated"
)]
pub(crate) mod client {
    include!(concat!(env!("OUT_DIR"), "/client.rs"));
}

/// One arm per operation.
pub(crate) mod calls {
    use xyte_mcp_runtime::failure::Failure;
    use xyte_mcp_runtime::input::Input;
    use xyte_mcp_runtime::upstream::{Reply, reply};

    use super::client::Client;

    include!(concat!(env!("OUT_DIR"), "/calls.rs"));
}

impl ClientHooks<Exchange> for client::Client {
    async fn pre<E>(
        &self,
        request: &mut reqwest::Request,
        _info: &OperationInfo,
    ) -> Result<(), Error<E>> {
        use progenitor_client::ClientInfo;
        self.inner().prepare(request).map_err(Error::Custom)
    }
}
