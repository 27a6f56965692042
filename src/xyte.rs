//! The Xyte platform behind the runtime's one interface: where it is, and how this program names itself there.

use std::borrow::Cow;
use std::net::IpAddr;

use chrono::{DateTime, Utc};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use reqwest::Url;
use xyte_mcp_runtime::api::Api;
use xyte_mcp_runtime::dispatch::desk::{Arguments, Computed, Desk};
use xyte_mcp_runtime::failure::Failure;
use xyte_mcp_runtime::input::Input;
use xyte_mcp_runtime::remote::Remote;
use xyte_mcp_runtime::upstream::Exchange;

use crate::generated::{self, workflows};
use crate::workflows::{Fleet, command, named};

/// Path of the organization API, which people copy from the portal together with the host.
const ORGANIZATION_PATH: &str = "/core/v1/organization";

/// The platform at one address.
#[derive(Debug)]
pub(crate) struct Xyte {
    remote: Remote,
    fleet: Fleet,
}

impl Xyte {
    /// Remembers where the platform is, and what is computed over it.
    pub(crate) fn new(base: String, fleet: Fleet) -> Self {
        let user_agent = concat!("xyte-mcp/", env!("CARGO_PKG_VERSION")).to_owned();
        Self { remote: Remote::new(base, user_agent, generated::PRODUCT), fleet }
    }
}

impl Api for Xyte {
    fn request<'a>(
        &'a self,
        operation: &'a str,
        exchange: Exchange,
        input: Input<'a>,
    ) -> BoxFuture<'a, Result<reqwest::Request, Failure>> {
        self.remote.request(operation, exchange, input)
    }

    fn compute<'a>(
        &'a self,
        name: &'a str,
        desk: &'a Desk<'a>,
        arguments: Arguments,
    ) -> BoxFuture<'a, Result<Computed, Failure>> {
        workflows::compute(&self.fleet, name, desk, arguments).boxed()
    }

    fn check<'a>(
        &'a self,
        operation: &'a str,
        desk: &'a Desk<'a>,
        arguments: &'a Arguments,
    ) -> BoxFuture<'a, Result<(), Failure>> {
        match operation {
            command::SEND => command::check(desk, arguments).boxed(),
            _ => Box::pin(async { Ok(()) }),
        }
    }

    fn names<'a>(
        &'a self,
        operation: &'a str,
        desk: &'a Desk<'a>,
        arguments: &'a Arguments,
    ) -> BoxFuture<'a, Result<Arguments, Failure>> {
        named::named(operation, desk, arguments).boxed()
    }

    fn look<'a>(
        &'a self,
        operation: &'a str,
        desk: &'a Desk<'a>,
        arguments: &'a Arguments,
        since: DateTime<Utc>,
    ) -> BoxFuture<'a, Option<String>> {
        match operation {
            command::SEND => command::look(desk, arguments, since).boxed(),
            _ => Box::pin(async { None }),
        }
    }

    fn client(&self) -> Result<&reqwest::Client, Failure> {
        self.remote.client()
    }

    fn documented_answer(&self, operation: &str) -> Option<&str> {
        self.remote.documented_answer(operation)
    }
}

/// Takes the address of the organization API or the bare host, and gives what stands before `/core`.
pub(crate) fn base_url(text: &str) -> Result<String, String> {
    let wanted = "an http or https URL, such as https://hub.xyte.io";
    let text = text.trim();
    let is_name = |text: &str| {
        let labels = text.split('.').all(|label| {
            !label.is_empty() && label.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'-')
        });
        labels && text.parse::<IpAddr>().is_err()
    };
    // A name alone; an address with a port is most likely that of a platform without TLS.
    let text = if is_name(text) { Cow::Owned(format!("https://{text}")) } else { text.into() };
    let url = Url::parse(&text).map_err(|err| format!("{wanted} ({err})"))?;
    let plain = url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() || !plain {
        return Err(format!("{wanted}, without a user, a query or a fragment"));
    }
    let base = url.as_str().trim_end_matches('/');
    Ok(base.strip_suffix(ORGANIZATION_PATH).unwrap_or(base).trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use super::base_url;

    #[test]
    fn the_bare_host_and_the_organization_api_mean_the_same() {
        for text in [
            "https://hub.xyte.io",
            "https://hub.xyte.io/",
            "hub.xyte.io",
            " https://hub.xyte.io/core/v1/organization/ ",
        ] {
            assert_eq!(base_url(text).unwrap(), "https://hub.xyte.io");
        }
        assert_eq!(
            base_url("http://127.0.0.1:8090/core/v1/organization").unwrap(),
            "http://127.0.0.1:8090"
        );
    }

    #[test]
    fn an_address_that_is_none_is_refused() {
        for text in [
            "",
            "hub.xyte.io:8090",
            "127.0.0.1",
            "hub xyte",
            "ftp://hub.xyte.io",
            "https://user:pass@hub.xyte.io",
            "https://hub.xyte.io?x=1",
        ] {
            assert!(base_url(text).is_err(), "{text}");
        }
    }
}
