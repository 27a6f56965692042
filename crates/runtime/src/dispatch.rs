//! The order of every call, whatever transport it came by: admit, decode, (consent), call, map, shape.
//!
//! There is no other way to the platform, and no way in without a [`Caller`].
//! It knows neither header names nor what a status number means.

mod admit;
mod builtin;
mod compact;
pub mod desk;
mod ending;
pub(crate) mod names;
mod view;
mod walk;

use std::sync::atomic::{AtomicU16, Ordering};

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value, json};
use tokio::time::Instant;
use xyte_mcp_catalogue::{Form, Location};

use self::admit::admit;
use self::desk::{Computed, Desk};
use self::ending::Ending;
use self::view::one_piece;
use crate::caller::{Address, Caller, Digest, Key};
use crate::catalogue::Tool;
use crate::decode::{Decoded, Options, decode};
use crate::failure::{Failure, Reach, platform};
use crate::input::Input;
use crate::progress;
use crate::request::RequestId;
use crate::service::Service;
use crate::session;
use crate::shape::{Shaped, budget};
use crate::strangers::Verdict;
use crate::upstream::{Answered, Exchange, Kind, Order, describe};

/// What a change says whose answer cannot be read.
const DONE_UNREADABLE: &str = "done; the platform's answer could not be read";

/// One call.
#[derive(Debug, Clone)]
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
    let aimed = compact::aim(service, caller, &call);
    let (caller, mut call) = match &aimed {
        Some((caller, aimed)) => (caller, aimed.clone()),
        None => (caller, call),
    };
    let remembered = session::complete(caller, call.tool, &mut call.arguments);
    let whole = call.view == View::Resource && call.tool.entry.is_computed();
    let mut answer = Box::pin(conduct(service, caller, call)).await?;
    if whole {
        answer.shaped.text = answer.shaped.structured.to_string();
    }
    if !remembered.is_empty() {
        answer.meta.insert("context".to_owned(), remembered.into());
    }
    Ok(answer)
}

/// The call itself, written down from its beginning to its end.
async fn conduct(service: &Service, caller: &Caller, call: Call<'_>) -> Result<Answer, Failure> {
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
    let Decoded { mut arguments, options } = decode(tool, arguments)?;
    if let Some(builtin) = tool.entry.builtin {
        return builtin::perform(service, caller, (tool, builtin), arguments);
    }
    names::settle(service, caller, status, (tool, &mut arguments, &options), span).await?;
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
