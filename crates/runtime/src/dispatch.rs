//! The order of every call, whatever transport it came by: admit, decode, (consent), call, map, shape.
//!
//! There is no other way to the platform, and no way in without a [`Caller`].
//! It knows neither header names nor what a status number means.

pub mod desk;
mod ending;
mod view;
mod walk;

use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value, json};
use tokio::time::Instant;
use xyte_mcp_catalogue::{Form, Location};

use self::desk::{Computed, Desk};
use self::ending::Ending;
use self::view::one_piece;
use crate::caller::{Address, Caller, Digest, Key, Toolsets};
use crate::catalogue::Tool;
use crate::decode::{Decoded, Options, decode};
use crate::failure::{Failure, Reach, platform};
use crate::input::Input;
use crate::progress;
use crate::request::RequestId;
use crate::service::Service;
use crate::shape::{Shaped, budget};
use crate::strangers::Verdict;
use crate::upstream::{Answered, Exchange, Kind, Order, describe};

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
    /// As a resource: its own columns, all rows, as JSON. A route can choose other columns and fewer rows; a URI cannot.
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
    let request_id = caller.request.unwrap_or_else(RequestId::random).to_string();
    let tool = call.tool;
    let key = caller.key(&tool.entry.credential).cloned();
    let deadline = started
        + if tool.entry.is_computed() {
            service.settings.long_deadline
        } else {
            service.settings.deadline
        };
    let span = Span { started, deadline };
    let audit = &service.settings.audit;
    let begun = audit.begin(&request_id, caller, key.as_ref(), (tool, &call.arguments));
    let (record, refused) = match begun {
        Ok(record) => (Some(record), None),
        Err(err) => (None, Some(unrecorded(&err))),
    };
    let (key, status) = (key.as_ref(), AtomicU16::new(0));
    let request_id = request_id.as_str();
    let mut ending = Ending {
        service,
        tool,
        key,
        request_id,
        started,
        status,
        record,
        over: false,
        _under_way: service.under_way.token(),
    };
    let performed = match refused {
        None => Box::pin(perform(service, caller, (key, &ending.status), call, span)).await,
        Some(failure) => Err(failure),
    };
    let result = settle(tool, performed).map_err(|failure| address(failure, key, request_id));
    ending.tell(result.as_ref().err());
    let (shaped, as_of) = result?;
    let mut meta = service.settings.meta.clone();
    meta.insert("request_id".to_owned(), request_id.into());
    if let Some(as_of) = as_of {
        let text = as_of.to_rfc3339_opts(SecondsFormat::Secs, true);
        meta.insert("as_of".to_owned(), text.into());
    }
    Ok(Answer { shaped, meta })
}

/// A shaped answer, and when the platform gave it; a dry run asks nobody.
type Performed = Result<(Shaped, Option<DateTime<Utc>>), Failure>;

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
    span: Span,
) -> Performed {
    let Call { tool, arguments, view } = call;
    admit(service, caller, key, tool, view).await?;
    let Decoded { arguments, options } = decode(tool, arguments)?;
    let (tenant, arguments, options) = (caller.tenant(), &arguments, &options);
    let stranger = caller.address.zip(caller.brought().map(Key::digest));
    let errand = Errand { service, tool, tenant, key, stranger, status, arguments, options, span };
    match tool.entry.answer.form {
        Form::List => walk::walk(&errand, view).await,
        Form::Computed => Box::pin(compute(&errand)).await,
        Form::Object | Form::Unknown => match errand.fetch(Vec::new()).await? {
            Fetched::Preview(request) => Ok(preview(&request)),
            Fetched::Answered(answered) => {
                Ok((one_piece(&errand, view, &answered)?, Some(answered.at)))
            }
        },
    }
}

/// What the server works out itself, from reads of this caller.
async fn compute(errand: &Errand<'_>) -> Performed {
    let &Errand { service, tool, tenant, key, stranger, status, options, span, .. } = errand;
    let fresh = options.fresh;
    let desk = Desk { service, tool, tenant, key, stranger, status, fresh, span };
    if options.dry_run {
        return Ok((desk.preview(), None));
    }
    let arguments = errand.arguments.clone();
    let computed = service.api.compute(&tool.entry.operation, &desk, arguments).await?;
    let Computed { structured, text, as_of } = computed;
    let room = budget::chars(service.settings.answer_tokens);
    Ok((budget::clamp(Shaped { structured, text }, room), Some(as_of)))
}

/// The answer of a dry run.
fn preview(request: &Value) -> (Shaped, Option<DateTime<Utc>>) {
    (Shaped::of(json!({ "dry_run": true, "request": request })), None)
}

/// The first step: who calls, how often, and what they may see.
async fn admit(
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

/// When a call began, and when it ends at the latest.
#[derive(Debug, Clone, Copy)]
struct Span {
    started: Instant,
    deadline: Instant,
}

/// A call that was let in, and may take several requests.
struct Errand<'a> {
    service: &'a Service,
    tool: &'a Tool,
    tenant: Digest,
    key: Option<&'a Key>,
    /// Where a key came from that only the platform can tell to be a good one.
    stranger: Option<(Address, Digest)>,
    /// The platform's last status.
    status: &'a AtomicU16,
    arguments: &'a Map<String, Value>,
    options: &'a Options,
    span: Span,
}

/// What one request brought.
enum Fetched {
    Preview(Value),
    Answered(Answered),
}

impl Errand<'_> {
    /// Sends one request, or describes it in a dry run; an answer that is no success is a failure.
    async fn fetch(&self, query: Vec<(String, String)>) -> Result<Fetched, Failure> {
        let (service, entry) = (self.service, &self.tool.entry);
        let input = Input::new(entry, self.arguments);
        let sending = service.catalogue.api.sending.get(&entry.credential).cloned();
        let exchange = Exchange::new(self.key.cloned(), input.body_bytes())
            .with_sending(sending)
            .with_media(&entry.media, &entry.accept)
            .with_query(query);
        let request = service.api.request(&entry.operation, exchange, input).await?;
        if self.options.dry_run {
            return Ok(Fetched::Preview(describe(&request)));
        }
        let order = Order {
            client: service.api.client()?,
            request,
            operation: &entry.operation,
            tenant: self.tenant,
            key: self.key.map(Key::digest).unwrap_or_default(),
            since: self.span.started,
            deadline: self.span.deadline,
            kind: self.kind(),
        };
        let result = service.upstream.fetch(order).await.and_then(|answered| {
            self.status.store(answered.reply.status, Ordering::Relaxed);
            self.note_key(answered.reply.status);
            match Reach::of(answered.reply.status) {
                Reach::Done => {
                    progress::read(self.tool.name());
                    service.drift.look(self.tool, &answered.reply);
                    Ok(answered)
                }
                _ => Err(platform::refused(
                    &answered.reply,
                    &entry.errors,
                    &service.catalogue.errors,
                )),
            }
        });
        if let Err(failure) = &result {
            service.metrics.lost(&failure.code);
        }
        result.map(Fetched::Answered)
    }

    /// Notes whether the platform knows the key; most answers do not say.
    fn note_key(&self, status: u16) {
        let verdict = match status {
            200..=299 => Verdict::Known,
            401 => Verdict::Unknown,
            _ => return,
        };
        if let Some((address, key)) = self.stranger {
            self.service.strangers.answered(address, key, verdict);
        }
    }

    /// What may be done with the requests of this call.
    fn kind(&self) -> Kind {
        let entry = &self.tool.entry;
        // The address of a request says all about it, unless a header does.
        let in_address = entry.method == "GET"
            && entry.arguments.iter().all(|argument| argument.location != Location::Header);
        match (self.tool.is_read(), entry.cache && in_address, self.options.fresh) {
            (false, ..) => Kind::Change,
            (true, false, _) => Kind::Read,
            (true, true, true) => Kind::FreshRead,
            (true, true, false) => Kind::CachedRead,
        }
    }

    /// An answer that is no JSON; nobody else shall get it, and operators see that there was one.
    fn unreadable(&self, answered: &Answered, err: &serde_json::Error) -> Failure {
        self.service.upstream.forget(answered);
        let failure = platform::unreadable(&answered.reply, err);
        self.service.metrics.lost(&failure.code);
        failure
    }
}

/// What a failure means depends on whether something was to be changed, and on how far the request came.
fn settle(tool: &Tool, performed: Performed) -> Performed {
    let failure = match performed {
        Err(failure) if !tool.is_read() => failure,
        settled => return settled,
    };
    match failure.reach {
        Reach::Done => Ok((done(tool, failure.status), Some(Utc::now()))),
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
        Form::Object | Form::List | Form::Computed => Shaped::of(
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
