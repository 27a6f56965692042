//! What build.rs made of the document and the overrides. The only place that includes it.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use progenitor_client::{ClientHooks, Error, OperationInfo};
use serde_json::value::RawValue;
use xyte_mcp_runtime::upstream::Exchange;

/// The catalogue the server loads.
pub(crate) const CAPABILITIES: &str = include_str!(concat!(env!("OUT_DIR"), "/capabilities.json"));

/// How to use the server, for people and agents.
pub(crate) const API_USAGE: &str = include_str!(concat!(env!("OUT_DIR"), "/API_USAGE.md"));

/// The document with its patches, from which the sandbox takes its routes.
pub(crate) const DOCUMENT: &str = include_str!(concat!(env!("OUT_DIR"), "/document.json"));

/// What the document says of each answer, JSON Schemas by operation.
const ANSWERS: &str = include_str!(concat!(env!("OUT_DIR"), "/answers.json"));

/// Finds what the document says of an operation's answer; the schemas are kept as text, since each is rarely needed.
pub(crate) fn documented_answer(operation: &str) -> Option<&'static str> {
    static BY_OPERATION: OnceLock<BTreeMap<&'static str, &'static RawValue>> = OnceLock::new();
    // A test reads every one of them.
    let schemas = BY_OPERATION.get_or_init(|| serde_json::from_str(ANSWERS).unwrap_or_default());
    schemas.get(operation).map(|schema| schema.get())
}

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

/// One call per operation.
pub(crate) mod calls {
    use futures::future::BoxFuture;
    use xyte_mcp_runtime::failure::Failure;
    use xyte_mcp_runtime::input::Input;
    use xyte_mcp_runtime::upstream::written;

    use super::client::Client;

    /// Hands the arguments of an operation to the typed client.
    pub(crate) type Call =
        for<'a> fn(&'a Client, &'a Input<'a>) -> BoxFuture<'a, Result<(), Failure>>;

    include!(concat!(env!("OUT_DIR"), "/calls.rs"));

    /// Finds the call of an operation.
    pub(crate) fn find(operation: &str) -> Option<Call> {
        let at = CALLS.binary_search_by_key(&operation, |(id, _)| id).ok()?;
        Some(CALLS[at].1)
    }

    #[cfg(test)]
    mod tests {
        #[test]
        fn the_calls_are_sorted_as_the_search_needs_them() {
            assert!(super::CALLS.is_sorted_by_key(|(id, _)| id));
            assert!(super::find("list_devices").is_some());
            assert!(super::find("list_device").is_none());
        }
    }
}

/// The computed tools: their arguments, and the trait that `crate::workflows` implements.
pub(crate) mod workflows {
    use xyte_mcp_runtime::dispatch::desk::{Arguments, Computed, Desk, read};
    use xyte_mcp_runtime::failure::Failure;

    include!(concat!(env!("OUT_DIR"), "/workflows.rs"));
}

impl ClientHooks<Exchange> for client::Client {
    async fn pre<E>(
        &self,
        request: &mut reqwest::Request,
        _info: &OperationInfo,
    ) -> Result<(), Error<E>> {
        use progenitor_client::ClientInfo;
        self.inner().write(request).map_err(Error::Custom)
    }
}
