//! The order of every call, whatever transport it came by: admit, decode, (consent), call, map, shape.
//!
//! There is no other way to the platform, and no way in without a [`Caller`].
//! It knows neither header names nor what a status number means.

mod admit;
mod builtin;
pub mod bulk;
mod compact;
pub mod consent;
pub mod desk;
mod ending;
mod errand;
mod idempotency;
pub(crate) mod names;
mod outcome;
mod runs;
mod said;
mod target;
mod view;
mod walk;

use std::borrow::Cow;
use std::sync::OnceLock;

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value, json};
use tokio::time::Instant;
use xyte_mcp_catalogue::Form;

use self::admit::admit;
use self::consent::Consent;
use self::desk::Computed;
use self::ending::Ending;
use self::errand::{Errand, Fetched};
use self::idempotency::Once;
use self::outcome::settle;
use self::said::Said;
use self::view::one_piece;
use crate::audit;
use crate::caller::{Caller, Key};
use crate::catalogue::Tool;
use crate::decode::{Decoded, decode};
use crate::failure::{Failure, Reach};
use crate::person::{Person, Replied};
use crate::request::RequestId;
use crate::service::Service;
use crate::session;
use crate::shape::{Shaped, budget};

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
    let (caller, mut call) = match compact::aim(service, caller, &call) {
        Some((caller, aimed)) => (Cow::Owned(caller), aimed),
        None => (Cow::Borrowed(caller), call),
    };
    let remembered = session::complete(&caller, call.tool, &mut call.arguments);
    let whole = call.view == View::Resource && call.tool.entry.is_computed();
    let mut answer = Box::pin(conduct(service, &caller, call)).await?;
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
    let key = key.as_ref();
    let request_id = request_id.as_str();
    let mut ending = Ending {
        service,
        tool,
        key,
        request_id,
        started,
        said: Said::default(),
        plan: OnceLock::new(),
        resolved: OnceLock::new(),
        record,
        over: false,
        _under_way: service.under_way.token(),
    };
    let performed = match refused {
        None => Box::pin(perform(&ending, caller, call, span)).await,
        Some(failure) => Err(failure),
    };
    let result = performed.map_err(|failure| address(failure, key, request_id));
    ending.tell(result.as_ref().err());
    let (shaped, as_of) = result?;
    let mut meta = service.settings.meta.clone();
    meta.insert("request_id".to_owned(), request_id.into());
    if let Some(as_of) = as_of {
        let text = as_of.to_rfc3339_opts(SecondsFormat::Secs, true);
        meta.insert("as_of".to_owned(), text.into());
    }
    if let Some(ids) = ending.resolved.get().filter(|ids| !ids.is_empty()) {
        meta.insert("resolved".to_owned(), ids.clone().into());
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

async fn perform(ending: &Ending<'_>, caller: &Caller, call: Call<'_>, span: Span) -> Performed {
    let Ending { service, key, said, plan, .. } = ending;
    let (service, key) = (*service, *key);
    let Call { tool, arguments, view } = call;
    admit(service, caller, key, tool, view).await?;
    let Decoded { mut arguments, options } = decode(tool, arguments)?;
    if let Some(builtin) = tool.entry.builtin {
        return builtin::perform(service, caller, (tool, builtin), arguments);
    }
    let named = (tool, &mut arguments, &options);
    let ids = names::settle(service, caller, said, named, span).await?;
    ending.resolved.get_or_init(|| ids);
    let stranger = caller.address.zip(caller.brought().map(Key::digest));
    let (mut span, mut asked) = (span, None);
    loop {
        let (arguments, options) = (&arguments, &options);
        let tenant = caller.tenant();
        let errand =
            Errand { service, tool, tenant, key, stranger, said, arguments, options, span };
        let replied = asked.as_ref().or_else(|| caller.person.replied());
        let performed = once(&errand, caller, (replied, plan), view).await;
        // Whoever is asked while the call waits is asked once: the reply holds for what was asked, or not at all.
        let (Err(failure), Person::Now(person), None) = (&performed, &caller.person, &asked) else {
            return performed;
        };
        let Some(question) = failure.wanted.as_ref().and_then(|it| it.question.as_ref()) else {
            return performed;
        };
        let reply = person.ask(&question.words).await;
        asked = Some(Replied { state: question.state.clone(), reply });
        // What a person takes to think is not the call's time.
        let now = Instant::now();
        span = Span { started: now, deadline: now + (span.deadline - span.started) };
    }
}

/// Makes a change with an idempotency key once, and everything else each time.
async fn once(
    errand: &Errand<'_>,
    caller: &Caller,
    (replied, plan): (Option<&Replied>, &OnceLock<String>),
    view: View,
) -> Performed {
    let &Errand { service, tool, tenant, arguments, options, span, .. } = errand;
    let work = async { settle(tool, attend(errand, caller, (replied, plan), view).await) };
    match &options.idempotency_key {
        Some(key) if !options.dry_run => {
            let (arguments, deadline) = (audit::digest(arguments), span.deadline);
            let (ledger, tool) = (&service.ledger, tool.name());
            let once = Once { ledger, tenant, tool, key, arguments, deadline };
            Box::pin(once.perform(work)).await
        }
        _ => Box::pin(work).await,
    }
}

/// Asks for consent where it is needed, then calls.
async fn attend(
    errand: &Errand<'_>,
    caller: &Caller,
    (replied, plan): (Option<&Replied>, &OnceLock<String>),
    view: View,
) -> Performed {
    let &Errand { service, tool, arguments, options, .. } = errand;
    if consent::is_needed(service, tool, arguments) && !tool.entry.is_computed() {
        errand.request(Vec::new()).await?; // Nobody is asked about what could not be sent.
    }
    let brought = (replied, plan);
    let consent = Consent::prepare(service, caller, (tool, arguments, options), brought).await?;
    if tool.entry.is_computed() {
        return Box::pin(compute(errand, &consent)).await;
    }
    let scene = match options.dry_run {
        _ if tool.is_read() => None,
        true => match target::look(errand, &consent).await {
            Ok(scene) => Some(scene),
            // What the platform refuses, it would refuse the change; what cannot be read just now speaks against nothing.
            Err(failure) if failure.reach == Reach::Refused => return Err(failure),
            Err(_) => None,
        },
        false if consent.needs_scene() => {
            let scene = target::look(errand, &consent).await?;
            consent.settle(&scene).await?;
            None
        }
        false => None,
    };
    if options.dry_run && !tool.is_read() {
        let desk = errand.desk(&consent);
        service.api.check(&tool.entry.operation, &desk, arguments).await?;
    }
    let began = Utc::now();
    let (mut shaped, as_of) = match send(errand, view).await {
        Err(failure) if failure.reach == Reach::Uncertain && !tool.is_read() => {
            let desk = errand.desk(&consent);
            let seen = match service.api.look(&tool.entry.operation, &desk, arguments, began).await
            {
                Some(seen) => Some(seen),
                None => target::remains(errand).await,
            };
            let words = seen.map(|seen| format!("; {seen}")).unwrap_or_default();
            return Err(Failure { message: format!("{}{words}", failure.message), ..failure });
        }
        sent => sent?,
    };
    if let Some(scene) = scene {
        target::show(&mut shaped, &scene, &consent);
    }
    Ok((shaped, as_of))
}

/// Calls the platform, as often as the answer has pages.
async fn send(errand: &Errand<'_>, view: View) -> Performed {
    match errand.tool.entry.answer.form {
        Form::List => walk::walk(errand, view).await,
        _ => match errand.fetch(Vec::new()).await? {
            Fetched::Preview(request) => Ok(preview(&request)),
            Fetched::Answered(answered) => {
                Ok((one_piece(errand, view, &answered)?, Some(answered.at)))
            }
        },
    }
}

/// What the server works out itself, from reads of this caller.
async fn compute(errand: &Errand<'_>, consent: &Consent<'_>) -> Performed {
    let &Errand { service, tool, options, .. } = errand;
    let desk = errand.desk(consent);
    if options.dry_run && tool.is_read() {
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

/// Completes a failure with what identifies the call, and makes sure that it quotes no key.
fn address(mut failure: Failure, key: Option<&Key>, request_id: &str) -> Failure {
    if let Some(key) = key {
        failure.message = key.redact(&failure.message);
    }
    failure.request_id = Some(request_id.into());
    failure
}
