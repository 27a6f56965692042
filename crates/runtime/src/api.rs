//! The one interface through which the service reaches an API; it knows neither HTTP nor MCP.

use futures::future::BoxFuture;

use crate::failure::Failure;
use crate::input::Input;
use crate::upstream::{Exchange, Reply};

/// An API whose operations are called by name.
pub trait Api: Send + Sync + 'static {
    /// Performs one operation of the catalogue with checked arguments.
    ///
    /// An operation the implementation does not know is [`Failure::unknown_operation`].
    fn call<'a>(
        &'a self,
        operation: &'a str,
        exchange: Exchange,
        input: Input<'a>,
    ) -> BoxFuture<'a, Result<Reply, Failure>>;
}
