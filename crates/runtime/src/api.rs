//! The one interface through which the service reaches an API; it knows no MCP.

use chrono::{DateTime, Utc};
use futures::future::BoxFuture;

use crate::dispatch::desk::{Arguments, Computed, Desk};
use crate::failure::Failure;
use crate::input::Input;
use crate::upstream::Exchange;

/// An API whose operations are called by name.
pub trait Api: Send + Sync + 'static {
    /// Writes the request of one operation of the catalogue with checked arguments; nothing is sent.
    ///
    /// An operation the implementation does not know is [`Failure::unknown_operation`].
    fn request<'a>(
        &'a self,
        operation: &'a str,
        exchange: Exchange,
        input: Input<'a>,
    ) -> BoxFuture<'a, Result<reqwest::Request, Failure>>;

    /// Works out the answer of a tool that the server computes; `name` is its name in the overrides.
    ///
    /// An API without such tools knows none.
    fn compute<'a>(
        &'a self,
        name: &'a str,
        desk: &'a Desk<'a>,
        arguments: Arguments,
    ) -> BoxFuture<'a, Result<Computed, Failure>> {
        let _ = (desk, arguments);
        Box::pin(async move { Err(Failure::unknown_operation(name)) })
    }

    /// Says what speaks against a change, as far as reads can tell; a dry run asks.
    ///
    /// # Errors
    /// When the platform would refuse it.
    fn check<'a>(
        &'a self,
        _operation: &'a str,
        _desk: &'a Desk<'a>,
        _arguments: &'a Arguments,
    ) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async { Ok(()) })
    }

    /// What people call the things that a change names by their ids only, as members beside those of its target.
    ///
    /// A person agrees to it, so it must still be so when the change is made.
    ///
    /// # Errors
    /// When it cannot be read, or is not there.
    fn names<'a>(
        &'a self,
        _operation: &'a str,
        _desk: &'a Desk<'a>,
        _arguments: &'a Arguments,
    ) -> BoxFuture<'a, Result<Arguments, Failure>> {
        Box::pin(async { Ok(Arguments::new()) })
    }

    /// Looks for a change of which nobody knows whether it was made since then, and says what there is to see.
    fn look<'a>(
        &'a self,
        _operation: &'a str,
        _desk: &'a Desk<'a>,
        _arguments: &'a Arguments,
        _since: DateTime<Utc>,
    ) -> BoxFuture<'a, Option<String>> {
        Box::pin(async { None })
    }

    /// The connection that all requests share.
    ///
    /// # Errors
    /// When none can be made from this machine.
    fn client(&self) -> Result<&reqwest::Client, Failure>;

    /// What the API's document says of an operation's answer: the text of a JSON Schema that is closed wherever members are named.
    ///
    /// Where there is none, answers of the operation are not compared with it.
    fn documented_answer(&self, _operation: &str) -> Option<&str> {
        None
    }
}
