//! An API at one address, behind the typed client that was generated for it.
//!
//! It knows where the API is and how to connect; which operations there are is known to the generated code alone.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::OnceLock;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use serde_json::value::RawValue;

use crate::api::Api;
use crate::failure::Failure;
use crate::input::Input;
use crate::upstream::{ClientSettings, Exchange, Trust, client};

/// The end of writing a request, which then lies in the exchange.
pub type Writing<'a> = BoxFuture<'a, Result<(), Failure>>;

/// Writes the request of an operation with the typed client; the generated code has one.
pub type Write = for<'a> fn(&'a str, Parts<'a>, Input<'a>) -> Writing<'a>;

/// What the generator wrote for an API.
#[derive(Debug, Clone, Copy)]
pub struct Product {
    /// The catalogue the server loads, JSON.
    pub capabilities: &'static str,
    /// The usage document, Markdown.
    pub usage: &'static str,
    /// What the document says of each answer, JSON Schemas by operation.
    pub answers: &'static str,
    /// The writer of requests.
    pub write: Write,
}

/// What a typed client is made of.
#[derive(Debug)]
pub struct Parts<'a> {
    /// What stands before the paths of the document.
    pub base: &'a str,
    /// The connection that all requests share.
    pub connection: reqwest::Client,
    /// Takes the written request.
    pub exchange: Exchange,
}

/// The API at one address.
pub struct Remote {
    base: String,
    settings: ClientSettings,
    product: Product,
    /// Schemas of answers, kept as text, since each is rarely needed.
    answers: OnceLock<BTreeMap<&'static str, &'static RawValue>>,
    /// Made at the first call: listing needs no connection, and loading certificates takes its time.
    connection: OnceLock<Result<reqwest::Client, String>>,
}

impl Remote {
    /// Remembers where the API is, how the service names itself there, and what was generated for it.
    pub fn new(base: String, user_agent: String, product: Product) -> Self {
        let trust = if base.starts_with("https:") { Trust::System } else { Trust::Nobody };
        let settings = ClientSettings { user_agent, trust };
        Self { base, settings, product, answers: OnceLock::new(), connection: OnceLock::new() }
    }
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remote").field("base", &self.base).finish_non_exhaustive()
    }
}

impl Api for Remote {
    fn request<'a>(
        &'a self,
        operation: &'a str,
        exchange: Exchange,
        input: Input<'a>,
    ) -> BoxFuture<'a, Result<reqwest::Request, Failure>> {
        async move {
            let connection = self.client()?.clone();
            let parts = Parts { base: &self.base, connection, exchange: exchange.clone() };
            (self.product.write)(operation, parts, input).await?;
            exchange.into_request()
        }
        .boxed()
    }

    fn client(&self) -> Result<&reqwest::Client, Failure> {
        let made =
            self.connection.get_or_init(|| client(&self.settings).map_err(|err| chain(&err)));
        made.as_ref().map_err(|cause| {
            Failure::network(format!("no connection can be made from this machine: {cause}"))
                .with_hint("Install the system's root certificates (on Debian: ca-certificates), then start the server again.")
        })
    }

    fn documented_answer(&self, operation: &str) -> Option<&str> {
        let text = self.product.answers;
        let answers = self.answers.get_or_init(|| serde_json::from_str(text).unwrap_or_default());
        answers.get(operation).map(|schema| schema.get())
    }
}

/// Tells an error with its causes, which is where reqwest says what happened.
fn chain(err: &dyn std::error::Error) -> String {
    match err.source() {
        Some(source) => format!("{err}: {}", chain(source)),
        None => err.to_string(),
    }
}
