//! The first step of a call: who calls, how often, and what they may see. It knows no arguments.

use std::time::Duration;

use super::View;
use crate::caller::{Caller, Key, Toolsets};
use crate::catalogue::Tool;
use crate::failure::Failure;
use crate::service::Service;

/// Lets a call in, or says why not.
pub(super) async fn admit(
    service: &Service,
    caller: &Caller,
    key: Option<&Key>,
    tool: &Tool,
    view: View,
) -> Result<(), Failure> {
    if key.is_none() && !tool.entry.credential.is_empty() {
        return Err(Failure::new(
            "unauthorized",
            format!("`{}` needs an API key and there is none", tool.name()),
        )
        .with_hint(service.settings.key_hint.clone()));
    }
    let who = key.map_or_else(|| caller.tenant(), Key::digest);
    let whereabouts = || service.strangers.whereabouts(caller);
    let admitted = service.limit.admit(who, whereabouts).await;
    admitted.map_err(|wait| over_limit(service, wait))?;
    let toolset = &tool.entry.toolset;
    if !service.offers(tool) {
        let message = format!(
            "`{}` belongs to the toolset `{toolset}`, which the operator of this server does not offer",
            tool.name()
        );
        return Err(
            Failure::new("toolset_not_selected", message).with_hint("Ask the operator to add it.")
        );
    }
    if !caller.selection.keeps(tool.name()) {
        let message = format!("`{}` is not among the tools of this request", tool.name());
        return Err(Failure::new("tool_not_selected", message)
            .with_hint("Change which tools the request names or leaves out."));
    }
    let shown = match view {
        View::Tool => service.selects(tool, &caller.selection),
        View::Resource => service.shows_resource(tool, &caller.selection),
    };
    if !shown {
        let message =
            format!("`{}` belongs to the toolset `{toolset}`, which is not selected", tool.name());
        let hint = match caller.selection.toolsets {
            Toolsets::Unset => format!(
                "Select the toolset `{toolset}`, or `all`, in the server's settings or for the request."
            ),
            _ => format!("Add the toolset `{toolset}` to the request's selection."),
        };
        return Err(Failure::new("toolset_not_selected", message).with_hint(hint));
    }
    if !service.permits(tool, &caller.selection) {
        return Err(Failure::new(
            "read_only",
            format!("`{}` changes something, and this server only reads", tool.name()),
        )
        .with_hint(
            "Leave the change to a person, or ask the operator for a server that may write.",
        ));
    }
    Ok(())
}

/// A call too many, with the time until the next one passes.
fn over_limit(service: &Service, wait: Duration) -> Failure {
    service.metrics.rate_limited.inc();
    let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).max(1);
    let most = service.settings.rate_limit;
    let failure =
        Failure::new("rate_limited", format!("more than {most} calls in 60 seconds with this key"))
            .with_hint(format!("Wait {} seconds.", wait_ms.div_ceil(1000)));
    Failure { retry_after_ms: Some(wait_ms), ..failure }
}
