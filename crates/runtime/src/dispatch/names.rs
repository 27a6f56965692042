//! Names in place of ids: looked up before a read, and offered while somebody writes. What is written like an id is never looked up.

use std::borrow::Cow;

use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use tokio::time::Instant;
use xyte_mcp_catalogue::naming::Naming;

use super::admit::over_limit;
use super::said::Said;
use super::walk::all;
use super::{Errand, Span};
use crate::caller::{Caller, Key};
use crate::catalogue::{Tool, compile};
use crate::decode::Options;
use crate::failure::Failure;
use crate::names::{Fitting, LONGEST, Roll};
use crate::service::Service;
use crate::shape::Format;
use crate::shape::list::Plan;
use crate::text::quoted;

/// Puts the ids of things in the place of their names, and gives those that it found.
pub(super) async fn settle(
    service: &Service,
    caller: &Caller,
    said: &Said,
    (tool, arguments, options): (&Tool, &mut Map<String, Value>, &Options),
    span: Span,
) -> Result<Map<String, Value>, Failure> {
    let mut found = Map::new();
    for argument in &tool.entry.names {
        let Some(naming) = service.catalogue.namings.get(argument) else { continue };
        let wanted = match arguments.get(argument) {
            Some(Value::String(text)) if !naming.form.fits(text.trim()) => text.clone(),
            _ => continue,
        };
        let list = list(service, caller, naming).ok_or_else(|| {
            let message = format!("`{argument}` is \"{}\": in this request only an id is accepted, because the list of names is not among its tools", quoted(&wanted));
            Failure::invalid_arguments(message)
        })?;
        if options.dry_run {
            let message = format!(
                "`{argument}` is a name, and a dry run sends nothing, so that it cannot be looked up: pass the id"
            );
            return Err(Failure::invalid_arguments(message));
        }
        if wanted.chars().count() > LONGEST {
            let message = format!("`{argument}` has more than {LONGEST} characters");
            return Err(Failure::invalid_arguments(message));
        }
        let looking = Looking { service, caller, said, fresh: options.fresh, span };
        let id = looking.roll(naming, list).await?.find(argument, &wanted)?;
        found.insert(argument.clone(), id.clone());
        arguments.insert(argument.clone(), id);
    }
    Ok(found)
}

/// The ids that fit what a person began to write in a prompt or a template; none for callers who could not list them.
///
/// # Errors
/// When the list cannot be read, or was asked for too often.
pub(crate) async fn complete(
    service: &Service,
    caller: &Caller,
    (argument, begun): (&str, &str),
    most: usize,
) -> Result<Completed, Failure> {
    let started = Instant::now();
    let naming = service.catalogue.namings.get(argument);
    let Some((naming, list)) =
        naming.and_then(|naming| Some((naming, list(service, caller, naming)?)))
    else {
        return Ok(Completed::default());
    };
    let Some(key) = caller.key(&list.entry.credential) else { return Ok(Completed::default()) };
    // Typing must not use up the calls of a key; it has as many of its own.
    let who = Sha256::new().chain_update(b"completion").chain_update(key.digest()).finalize();
    let whereabouts = || service.strangers.whereabouts(caller);
    let admitted = service.limit.admit(who.into(), whereabouts).await;
    admitted.map_err(|wait| over_limit(service, wait))?;
    let _under_way = service.under_way.token();
    let said = Said::default();
    let span = Span { started, deadline: started + service.settings.deadline };
    let looking = Looking { service, caller, said: &said, fresh: false, span };
    let roll = looking.roll(naming, list).await?;
    let Fitting { ids, total } = roll.fitting(begun, most);
    Ok(Completed { more: total > ids.len() || !roll.complete, ids, total })
}

/// What a person may have meant to write.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Completed {
    /// The ids, the best first.
    pub(crate) ids: Vec<String>,
    /// How many fit.
    pub(crate) total: usize,
    /// Whether others fit, or may.
    pub(crate) more: bool,
}

/// The tool that lists the names, where this caller may use it: nobody learns by name what they may not list.
fn list<'a>(service: &'a Service, caller: &Caller, naming: &Naming) -> Option<&'a Tool> {
    let list = service.catalogue.find_operation(&naming.operation)?;
    let may = service.offers(list) && caller.selection.keeps(list.name());
    may.then_some(list)
}

/// A look at a list of names, in the course of a call.
struct Looking<'a> {
    service: &'a Service,
    caller: &'a Caller,
    said: &'a Said,
    fresh: bool,
    span: Span,
}

impl Looking<'_> {
    async fn roll(&self, naming: &Naming, tool: &Tool) -> Result<Roll, Failure> {
        let &Self { service, caller, said, span, .. } = self;
        let entry = &tool.entry;
        let named = [&naming.id, &naming.name, &naming.path, &naming.parent];
        let columns = named.into_iter().chain(&naming.also).filter(|column| !column.is_empty());
        let columns: Vec<String> = columns.cloned().collect();
        let plan = Plan {
            rows: &entry.answer.rows,
            tree: compile(entry, &columns).map(Cow::Owned),
            columns: columns.into(),
            paging: entry.paging.as_ref(),
            format: Format::Json,
            key: None,
        };
        let errand = Errand {
            service,
            tool,
            tenant: caller.tenant(),
            key: caller.key(&entry.credential),
            stranger: caller.address.zip(caller.brought().map(Key::digest)),
            said,
            arguments: &Map::new(),
            options: &Options { fresh: self.fresh, ..Options::default() },
            span,
        };
        let Some((gathered, _)) = Box::pin(all(&errand, &plan, usize::MAX)).await? else {
            return Err(Failure::unknown_operation(&entry.operation)); // Only a dry run answers otherwise.
        };
        Ok(Roll::new(naming, &gathered.rows, gathered.complete))
    }
}
