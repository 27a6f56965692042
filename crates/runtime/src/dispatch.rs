//! The order of every call, whatever transport it came by: admit, decode, (consent), call, map, shape.
//!
//! There is no other way to the platform, and no way in without a [`Caller`].
//! It knows neither header names nor what a status number means.

mod walk;

use std::borrow::Cow;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::sync::atomic::{AtomicU16, Ordering};

use chrono::{SecondsFormat, Utc};
use serde_json::{Map, Value, json};
use tokio::time::Instant;
use xyte_mcp_catalogue::Form;

use crate::caller::{Caller, Key, Toolsets};
use crate::catalogue::{Tool, compile};
use crate::decode::{Decoded, Options, decode};
use crate::failure::{Failure, Reach, platform};
use crate::input::Input;
use crate::service::Service;
use crate::shape::list::Plan;
use crate::shape::projection::{self, Tree};
use crate::shape::{Format, Shaped};
use crate::upstream::{Exchange, Reply};

/// Rows of a resource: it cannot ask for more, so it gets as many as a tool may.
const RESOURCE_LIMIT: usize = 2000;

/// What a change says whose answer cannot be read.
const DONE_UNREADABLE: &str = "done; the platform's answer could not be read";

/// One call.
#[derive(Debug)]
pub struct Call<'a> {
    /// The tool, found in the service's catalogue.
    pub tool: &'a Tool,
    /// Its arguments, unchecked.
    pub arguments: Map<String, Value>,
    /// How it is looked at.
    pub view: View,
}

/// How an operation is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// As a tool, with its options.
    Tool,
    /// As a resource: its own columns, all rows.
    Resource,
}

/// What came of a call.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The answer for programs and readers.
    pub shaped: Shaped,
    /// About the answer: when it was true, and the operator's own remarks.
    pub meta: Map<String, Value>,
}

/// Performs a call.
///
/// # Errors
/// Everything that keeps the call from its end, told in words for whoever called; the failure is logged here and nowhere else.
pub async fn dispatch(
    service: &Service,
    caller: &Caller,
    call: Call<'_>,
) -> Result<Answer, Failure> {
    let started = Instant::now();
    let request_id = request_id();
    let tool = call.tool;
    let key = caller.key(&tool.entry.credential).cloned();
    let audit = &service.settings.audit;
    let record = audit.begin(&request_id, caller, key.as_ref(), (tool, &call.arguments));
    let status = AtomicU16::new(0);
    let performed = match &record {
        Ok(_) => {
            let errand = Box::pin(perform(service, caller, (key.as_ref(), &status), call));
            match tokio::time::timeout(service.settings.deadline, errand).await {
                Ok(performed) => performed,
                Err(_) => Err(Failure { reach: Reach::Uncertain, ..Failure::timeout() }),
            }
        }
        Err(err) => Err(unrecorded(err)),
    };
    let result =
        settle(tool, performed).map_err(|failure| address(failure, key.as_ref(), &request_id));
    let answered = Some(status.into_inner()).filter(|status| *status != 0);
    let (code, status) = match &result {
        Ok(_) => ("ok", answered),
        Err(failure) => (failure.code.as_ref(), failure.status.or(answered)),
    };
    if let Ok(record) = record {
        record.end(code, status);
    }
    tracing::info!(
        request.id = request_id,
        tool.name = tool.name(),
        key.id = key.as_ref().map(Key::id),
        outcome = code,
        upstream.status = status,
        duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        "{} {code}",
        tool.name(),
    );
    let (shaped, sent) = result?;
    let mut meta = service.settings.meta.clone();
    if sent == Sent::Yes {
        meta.insert(
            "as_of".to_owned(),
            Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true).into(),
        );
    }
    Ok(Answer { shaped, meta })
}

/// Whether the platform was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sent {
    Yes,
    No,
}

/// What a change meets that cannot be written down: who asked for an audit wants no change without.
fn unrecorded(err: &std::io::Error) -> Failure {
    tracing::error!(error = %err, "the audit cannot be written");
    Failure::new("audit_unavailable", "the server cannot record the change, so it was not made")
        .with_hint("Nothing was sent. Tell the operator of this server.")
}

async fn perform(
    service: &Service,
    caller: &Caller,
    (key, status): (Option<&Key>, &AtomicU16),
    call: Call<'_>,
) -> Result<(Shaped, Sent), Failure> {
    let Call { tool, arguments, view } = call;
    admit(service, caller, key, tool, view)?;
    let Decoded { arguments, options } = decode(tool, arguments)?;
    let errand = Errand { service, tool, key, status, arguments: &arguments, options: &options };
    let outcome = match tool.entry.answer.form {
        Form::List => {
            let (plan, limit) = list_plan(tool, &options, view);
            walk::walk(&errand, &plan, limit).await?
        }
        Form::Object | Form::Unknown => match errand.fetch(Vec::new()).await? {
            Fetched::Preview(request) => Outcome::Preview(request),
            Fetched::Reply(reply) => Outcome::Shaped(one_piece(tool, &options, view, &reply)?),
        },
    };
    Ok(match outcome {
        Outcome::Preview(request) => {
            (Shaped::of(json!({ "dry_run": true, "request": request })), Sent::No)
        }
        Outcome::Shaped(shaped) => (shaped, Sent::Yes),
    })
}

/// The first step: who calls, how often, and what they may see.
fn admit(
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
    service.limit.admit(key.map_or_else(|| caller.tenant(), Key::digest)).map_err(|wait| {
        let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).max(1);
        let most = service.settings.rate_limit;
        let failure = Failure::new(
            "rate_limited",
            format!("more than {most} calls in 60 seconds with this key"),
        )
        .with_hint(format!("Wait {} seconds.", wait_ms.div_ceil(1000)));
        Failure { retry_after_ms: Some(wait_ms), ..failure }
    })?;
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
    if view == View::Tool && !caller.selection.keeps(tool.name()) {
        let message = format!("`{}` is not among the tools of this request", tool.name());
        return Err(Failure::new("tool_not_selected", message)
            .with_hint("Change which tools the request names or leaves out."));
    }
    if view == View::Tool && !service.selects(tool, &caller.selection) {
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

/// A call that was let in, and may take several requests.
struct Errand<'a> {
    service: &'a Service,
    tool: &'a Tool,
    key: Option<&'a Key>,
    /// The platform's last status.
    status: &'a AtomicU16,
    arguments: &'a Map<String, Value>,
    options: &'a Options,
}

/// What one request brought.
enum Fetched {
    Preview(Value),
    Reply(Reply),
}

/// What all requests of a call brought.
enum Outcome {
    Preview(Value),
    Shaped(Shaped),
}

impl Errand<'_> {
    /// Sends one request, or describes it in a dry run; an answer that is no success is a failure.
    async fn fetch(&self, query: Vec<(String, String)>) -> Result<Fetched, Failure> {
        let entry = &self.tool.entry;
        let input = Input::new(entry, self.arguments);
        let mut exchange = Exchange::new(self.key.cloned(), input.body_bytes()).with_query(query);
        if self.options.dry_run {
            exchange = exchange.into_dry_run();
        }
        let result = self.service.api.call(&entry.operation, exchange.clone(), input).await;
        if let Some(request) = exchange.preview() {
            return Ok(Fetched::Preview(request.clone()));
        }
        let reply = result?;
        self.status.store(reply.status, Ordering::Relaxed);
        match Reach::of(reply.status) {
            Reach::Done => Ok(Fetched::Reply(reply)),
            _ => Err(platform::refused(&reply, &entry.errors, &self.service.catalogue.errors)),
        }
    }
}

/// What is read of a list, and how many rows.
fn list_plan<'a>(tool: &'a Tool, options: &Options, view: View) -> (Plan<'a>, usize) {
    let entry = &tool.entry;
    let (columns, tree) = columns(tool, options, view);
    let limit = match view {
        View::Tool => options.limit,
        // In one piece, all rows are there already.
        View::Resource if entry.paging.is_none() => usize::MAX,
        View::Resource => RESOURCE_LIMIT,
    };
    let format = match view {
        View::Tool => options.format,
        View::Resource => Format::Json,
    };
    (Plan { rows: &entry.answer.rows, columns, tree, paging: entry.paging.as_ref(), format }, limit)
}

/// The columns that are shown and the parts that are read for them; what is usual is compiled already.
fn columns<'a>(
    tool: &'a Tool,
    options: &Options,
    view: View,
) -> (Cow<'a, [String]>, Option<Cow<'a, Tree>>) {
    let entry = &tool.entry;
    match (view, &options.fields, options.format) {
        (View::Resource, ..) => {
            let columns = entry.resource.as_ref().map_or(&[][..], |resource| &resource.columns);
            (Cow::Borrowed(columns), tool.shown_as_resource.as_ref().map(Cow::Borrowed))
        }
        (View::Tool, Some(fields), _) => {
            (Cow::Owned(fields.clone()), compile(entry, fields).map(Cow::Owned))
        }
        (View::Tool, None, Format::Table) => {
            (Cow::Borrowed(&entry.answer.columns), tool.shown.as_ref().map(Cow::Borrowed))
        }
        (View::Tool, None, Format::Json) => {
            (Cow::Borrowed(&[]), compile(entry, &[]).map(Cow::Owned))
        }
    }
}

/// Shapes an answer that is no list.
fn one_piece(tool: &Tool, options: &Options, view: View, reply: &Reply) -> Result<Shaped, Failure> {
    if tool.entry.answer.form == Form::Unknown && reply.body.is_empty() {
        return Ok(Shaped::undocumented(reply.status, Value::Null));
    }
    let (_, tree) = columns(tool, options, view);
    let read = match &tree {
        Some(tree) => projection::project(&reply.body, tree),
        None => serde_json::from_slice(&reply.body),
    };
    let value = read.map_err(|err| platform::unreadable(reply, &err))?;
    Ok(match tool.entry.answer.form {
        Form::Unknown => Shaped::undocumented(reply.status, value),
        Form::Object | Form::List => Shaped::object(value),
    })
}

/// What a failure means depends on whether something was to be changed, and on how far the request came.
fn settle(
    tool: &Tool,
    performed: Result<(Shaped, Sent), Failure>,
) -> Result<(Shaped, Sent), Failure> {
    let failure = match performed {
        Err(failure) if !tool.is_read() => failure,
        settled => return settled,
    };
    match failure.reach {
        Reach::Done => Ok((done(tool, failure.status), Sent::Yes)),
        Reach::Uncertain => {
            let message = format!("{}; whether the change was made is unknown", failure.message);
            Err(Failure { message, ..failure }.with_hint(
                "It was not tried a second time. Look the target up before you try again.",
            ))
        }
        Reach::Unsent | Reach::Refused => Err(failure),
    }
}

/// A change that was made, though the platform's answer about it cannot be read.
fn done(tool: &Tool, status: Option<u16>) -> Shaped {
    match tool.entry.answer.form {
        Form::Unknown => {
            Shaped::of(json!({ "status": status, "answer": null, "warnings": [DONE_UNREADABLE] }))
        }
        Form::Object | Form::List => Shaped::of(
            json!({ "done": true, "http_status": status, "answer": null, "warnings": [DONE_UNREADABLE] }),
        ),
    }
}

/// Completes a failure with what identifies the call, and makes sure that it quotes no key.
fn address(mut failure: Failure, key: Option<&Key>, request_id: &str) -> Failure {
    if let Some(key) = key {
        failure.message = key.redact(&failure.message);
    }
    failure.request_id = Some(request_id.to_owned());
    failure
}

/// Sixteen hexadecimal digits that are unlikely to come twice in one log.
fn request_id() -> String {
    // The standard library's hasher is seeded randomly, and differently each time.
    format!("{:016x}", RandomState::new().build_hasher().finish())
}
