//! `xyte-mcp http`: the HTTP service, for one tenant or many.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use ::http::HeaderName;
use anyhow::Context;
use xyte_mcp_program::stop_on_signal;
use xyte_mcp_runtime::caller::Key;
use xyte_mcp_runtime::server::Server;
use xyte_mcp_runtime::transport::http::{
    Access, Bounds, HttpSettings, KeySettings, app, bind, serve,
};

use super::{identity, prepare};
use crate::cli::HttpFlags;
use crate::config::Config;

const BODY_LIMIT: usize = 1024 * 1024; // Bytes; no call of a tool comes near it.
const DRAIN: Duration = Duration::from_secs(45); // Longer than the deadline of any call, unless the operator set a longer one.
const AFTER_DEADLINE: Duration = Duration::from_secs(5); // For an answer to be written.

/// Most connections at a time: far more than callers need. Idle ones take 12 kB each, half requests 20 kB, and long ones share a bounded room beyond that.
const MOST_CONNECTIONS: usize = 4096;

/// Open files besides: connections to the platform, those that are about to end, the audit, the runtime's own.
const OTHER_FILES: usize = 512;

pub(crate) async fn run(config: &Config, flags: HttpFlags) -> anyhow::Result<()> {
    let ready = prepare(config).await?;
    let address = SocketAddr::new(config.host, config.port);
    let listener = bind(address).with_context(|| format!("cannot listen on {address}"))?;
    let address = listener.local_addr()?;
    let mode = if is_multi_tenant(config) { "multi_tenant" } else { "single_tenant" };
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
            access: access(config, flags, &ready.own_keys),
            token: config.http_token.clone(),
        },
        body_limit: BODY_LIMIT,
        metrics_token: config.metrics_token.clone(),
        shown: config.shown(),
        legacy_sessions: flags.legacy_sessions,
    };
    tracing::info!("mode={mode}");
    for warning in warnings(config, flags, address) {
        tracing::warn!("{warning}");
    }
    tracing::info!(server.address = %address, "MCP at http://{address}/mcp");
    let server = Server::for_requests(ready.service, identity());
    let bounds = Bounds {
        connections: connections(files()),
        drain: DRAIN.max(config.deadline + AFTER_DEADLINE),
    };
    serve(app(server, settings), listener, stop_on_signal()?, bounds).await;
    Ok(())
}

/// What the operator should know of how callers are let in.
fn warnings(config: &Config, flags: HttpFlags, address: SocketAddr) -> Vec<String> {
    let open = flags.allow_unauthenticated.then(|| {
        format!("--allow-unauthenticated: whoever reaches {address} acts with the server's own key, if it has one")
    });
    let idle = (config.http_token.is_some() && is_multi_tenant(config)).then(|| {
        "XYTE_MCP_HTTP_TOKEN is set and opens nothing: it stands for XYTE_API_KEY, which is not set"
            .to_owned()
    });
    let unreachable = is_reached_in_vain(config).then(|| {
        format!("XYTE_ALLOWED_HOSTS names this machine only, so whoever reaches {address} by another name gets 403")
    });
    [open, idle, config.seal_warning(), unreachable].into_iter().flatten().collect()
}

/// How many files the process may open; many systems start it with less than they would grant.
fn files() -> usize {
    let wanted = MOST_CONNECTIONS + OTHER_FILES;
    match rlimit::increase_nofile_limit(wanted as u64) {
        Ok(granted) => usize::try_from(granted).unwrap_or(usize::MAX),
        Err(err) => {
            tracing::warn!(error = %err, "the limit of open files is unknown");
            OTHER_FILES * 2
        }
    }
}

/// How many connections so many files leave room for.
fn connections(files: usize) -> usize {
    files.saturating_sub(OTHER_FILES).max(files / 4).min(MOST_CONNECTIONS)
}

/// Without an organization's key each request brings its own; a partner's key alone is nobody's.
fn is_multi_tenant(config: &Config) -> bool {
    config.api_key.is_none() && config.sandbox.is_none()
}

/// The server's own keys serve callers without one only where no stranger can be, on loopback or with an invented fleet, or where the operator said so.
fn access(config: &Config, flags: HttpFlags, own_keys: &Arc<BTreeMap<String, Key>>) -> Access {
    if is_multi_tenant(config) {
        Access::Tenants
    } else if config.host.is_loopback() || config.sandbox.is_some() || flags.allow_unauthenticated {
        Access::OwnForAnyone(own_keys.clone())
    } else {
        let openers = [&config.http_token, &config.api_key].into_iter().flatten().cloned();
        Access::OwnForToken { keys: own_keys.clone(), openers: openers.collect() }
    }
}

/// Whether others can reach the server, and none by a name that it answers to.
fn is_reached_in_vain(config: &Config) -> bool {
    let is_local = |name: &String| {
        let bare = name.trim_start_matches('[').trim_end_matches(']');
        bare == "localhost" || bare.parse().is_ok_and(|address: IpAddr| address.is_loopback())
    };
    !config.host.is_loopback() && config.allowed_hosts.iter().all(is_local)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Flags;
    use crate::config::source::Surroundings;

    #[test]
    fn connections_leave_files_for_the_platform() {
        assert_eq!([100, 1024, 2048, 1 << 20].map(connections), [25, 512, 1536, 4096]);
    }

    #[test]
    fn the_servers_own_key_serves_strangers_on_the_loopback_address_only() {
        let keys =
            Arc::new(BTreeMap::from([("organizationKey".to_owned(), Key::new("k").unwrap())]));
        let at = |host: &str, api_key: Option<&str>, how: HttpFlags| {
            let api_key = api_key.map(str::to_owned);
            let flags = Flags { host: Some(host.to_owned()), api_key, ..Flags::default() };
            access(&Config::read(&flags, &Surroundings::default()).unwrap(), how, &keys)
        };
        let closed = HttpFlags::default();
        let open = HttpFlags { allow_unauthenticated: true, ..closed };
        assert!(matches!(at("0.0.0.0", Some("k"), open), Access::OwnForAnyone(_)));
        assert!(matches!(at("0.0.0.0", None, open), Access::Tenants));
        assert!(matches!(at("127.0.0.1", Some("k"), closed), Access::OwnForAnyone(_)));
        assert!(matches!(at("::1", Some("k"), closed), Access::OwnForAnyone(_)));
        assert!(matches!(at("0.0.0.0", Some("k"), closed), Access::OwnForToken { .. }));
        assert!(matches!(at("192.0.2.1", Some("k"), closed), Access::OwnForToken { .. }));
        assert!(
            matches!(at("127.0.0.1", None, closed), Access::Tenants),
            "a partner's key alone serves no stranger"
        );
    }

    #[test]
    fn the_servers_token_and_the_organizations_key_open_a_public_server_and_the_partners_does_not()
    {
        let some = |text: &str| Some(text.to_owned());
        let flags = Flags {
            host: some("0.0.0.0"),
            api_key: some("k"),
            partner_api_key: some("p"),
            mcp_http_token: some("a-token-of-24-characters"),
            ..Flags::default()
        };
        let config = Config::read(&flags, &Surroundings::default()).unwrap();
        let access = access(&config, HttpFlags::default(), &Arc::default());
        let Access::OwnForToken { openers, .. } = access else { panic!("{access:?}") };
        let expected = ["a-token-of-24-characters", "k"].map(|key| Key::new(key).unwrap());
        assert_eq!(*openers, expected);
    }

    #[test]
    fn a_token_that_stands_for_no_key_is_warned_of() {
        let warned = |api_key: Option<&str>| {
            let mcp_http_token = Some("a-token-of-24-characters".to_owned());
            let api_key = api_key.map(str::to_owned);
            let flags = Flags { api_key, mcp_http_token, ..Flags::default() };
            let config = Config::read(&flags, &Surroundings::default()).unwrap();
            warnings(&config, HttpFlags::default(), ([127, 0, 0, 1], 1).into())
        };
        assert!(matches!(&warned(None)[..], [one] if one.starts_with("XYTE_MCP_HTTP_TOKEN")));
        assert!(warned(Some("k")).is_empty());
    }

    #[test]
    fn a_public_address_whose_names_are_all_local_is_warned_of() {
        let at = |host: &str, hosts: Option<&str>| {
            let allowed_hosts = hosts.map(str::to_owned);
            let flags = Flags { host: Some(host.to_owned()), allowed_hosts, ..Flags::default() };
            is_reached_in_vain(&Config::read(&flags, &Surroundings::default()).unwrap())
        };
        assert!(at("0.0.0.0", None) && at("192.0.2.1", Some("localhost,[::1]")));
        assert!(!at("127.0.0.1", None) && !at("::1", None));
        assert!(!at("0.0.0.0", Some("localhost,mcp.example.com")) && !at("0.0.0.0", Some("*")));
    }
}
