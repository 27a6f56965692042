//! What a computed tool works with: the reads of its caller, under the rules of every call. It knows no operation by itself.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::consent::{Consent, Scene};
use super::walk::all;
use super::{Errand, Fetched};
use crate::catalogue::{Tool, compile};
use crate::decode::Options;
use crate::failure::Failure;
use crate::json;
use crate::progress;
use crate::shape::list::Plan;
use crate::shape::projection::{self, Tree};
use crate::shape::{Format, Shaped, budget};

/// Arguments of a tool or an operation, by name.
pub type Arguments = Map<String, Value>;

/// What a computed tool answers with.
#[derive(Debug, Clone, PartialEq)]
pub struct Computed {
    /// For programs.
    pub structured: Value,
    /// For readers; the same facts.
    pub text: String,
    /// When the oldest of what was read was true.
    pub as_of: DateTime<Utc>,
}

/// A list that was walked to its end, or as far as it went.
#[derive(Debug, Clone)]
pub struct Rows<T> {
    /// The rows that could be read.
    pub rows: Vec<T>,
    /// Whether these are all rows there are; one whose form is another than the one that was asked for is missing.
    pub complete: bool,
    /// What a reader should know about the walk.
    pub warnings: Vec<String>,
    /// When the oldest page was true.
    pub as_of: DateTime<Utc>,
}

/// A list of nothing, which is all of it, and was never anything else.
impl<T> Default for Rows<T> {
    fn default() -> Self {
        Self {
            rows: Vec::new(),
            complete: true,
            warnings: Vec::new(),
            as_of: DateTime::<Utc>::MAX_UTC,
        }
    }
}

/// The reads of one caller.
pub struct Desk<'a> {
    pub(super) call: &'a Errand<'a>,
    pub(super) consent: &'a Consent<'a>,
    /// Whether answers that are kept are passed by.
    pub(super) fresh: bool,
}

impl Desk<'_> {
    /// The same reads, past every answer that is kept.
    #[must_use]
    pub fn fresh(&self) -> Desk<'_> {
        Desk { fresh: true, ..*self }
    }

    /// When the call ends: what is not read by then is missing.
    pub fn deadline(&self) -> Instant {
        self.call.span.deadline
    }

    /// Most characters of either form of the answer; what is beyond is cut without knowing what it means.
    pub fn room(&self) -> usize {
        budget::chars(self.call.service.settings.answer_tokens)
    }

    /// Announces so many more reads to whoever watches the call.
    pub fn expect(&self, reads: usize) {
        progress::expect(reads);
    }

    /// Tells whoever watches the call that a part of it begins.
    pub fn begin(&self, part: &str) {
        progress::begin(part);
    }

    /// Whether the call is to show what it would do, and to change nothing.
    pub fn is_dry_run(&self) -> bool {
        self.call.options.dry_run
    }

    /// Goes on when a person agreed to this, once; a call that only shows is never asked for.
    ///
    /// # Errors
    /// When nobody agreed yet, or to something else.
    pub async fn consent(&self, scene: &Scene) -> Result<(), Failure> {
        self.consent.settle(scene).await
    }

    /// Whether the operator wants a person asked before one of these is done.
    pub fn asks_for(&self, names: &BTreeSet<&str>) -> bool {
        self.consent.asks_for(names)
    }

    /// What makes a later call do exactly this, where the operator lets it.
    pub fn plan_token(&self, scene: &Scene) -> Option<String> {
        self.consent.token(scene)
    }

    /// Walks a whole list and reads the named parts of its rows, which are all that is built.
    ///
    /// # Errors
    /// When its first page cannot be read; of a later one the rows are missing, and `complete` says so.
    pub async fn list<T: DeserializeOwned>(
        &self,
        operation: &str,
        arguments: &Arguments,
        columns: &[&str],
    ) -> Result<Rows<T>, Failure> {
        self.first(operation, arguments, columns, usize::MAX).await
    }

    /// The same up to so many rows; where more follow, it is not complete.
    ///
    /// # Errors
    /// As of a whole list.
    pub async fn first<T: DeserializeOwned>(
        &self,
        operation: &str,
        arguments: &Arguments,
        columns: &[&str],
        most: usize,
    ) -> Result<Rows<T>, Failure> {
        let tool = self.find(operation)?;
        let options = self.options();
        let entry = &tool.entry;
        let columns: Vec<String> = columns.iter().map(|&column| column.to_owned()).collect();
        let tree = compile(entry, &columns).map(std::borrow::Cow::Owned);
        let plan = Plan {
            rows: &entry.answer.rows,
            columns: columns.into(),
            tree,
            paging: entry.paging.as_ref(),
            format: Format::Json,
            key: None,
        };
        let errand = self.errand(tool, arguments, &options);
        let Some((gathered, as_of)) = all(&errand, &plan, most).await? else {
            return Err(Failure::unknown_operation(operation)); // Only a dry run answers otherwise.
        };
        let mut read = Rows {
            rows: Vec::with_capacity(gathered.rows.len()),
            complete: gathered.complete,
            warnings: gathered.warnings,
            as_of,
        };
        let found = gathered.rows.len();
        read.rows
            .extend(gathered.rows.into_iter().filter_map(|row| serde_json::from_value(row).ok()));
        let odd = found - read.rows.len();
        if odd > 0 {
            read.complete = false;
            read.warnings.push(format!("{odd} rows of `{operation}` have another form than the documented one and were left out"));
        }
        Ok(read)
    }

    /// The same, past every answer that is kept.
    ///
    /// # Errors
    /// When there is no answer, or it has another form.
    pub async fn fresh_object<T: DeserializeOwned>(
        &self,
        operation: &str,
        arguments: &Arguments,
        columns: &[&str],
    ) -> Result<(T, DateTime<Utc>), Failure> {
        self.fresh().object(operation, arguments, columns).await
    }

    /// Reads one object; of its members, the named ones, or all.
    ///
    /// # Errors
    /// When there is no answer, or it has another form.
    pub async fn object<T: DeserializeOwned>(
        &self,
        operation: &str,
        arguments: &Arguments,
        columns: &[&str],
    ) -> Result<(T, DateTime<Utc>), Failure> {
        let tool = self.find(operation)?;
        let options = self.options();
        let errand = self.errand(tool, arguments, &options);
        let Fetched::Answered(answered) = errand.fetch(Vec::new()).await? else {
            return Err(Failure::unknown_operation(operation));
        };
        let body = &answered.reply.body;
        let read = if columns.is_empty() {
            json::read(body).and_then(serde_json::from_value)
        } else {
            let tree = Tree::new(columns.iter().copied());
            projection::project(body, &tree).and_then(serde_json::from_value)
        };
        let object = read.map_err(|err| errand.unreadable(&answered, &err))?;
        Ok((object, answered.at))
    }

    fn find(&self, name: &str) -> Result<&Tool, Failure> {
        let found = self.declared(name).filter(|tool| tool.is_read());
        found.ok_or_else(|| Failure::unknown_operation(name))
    }

    /// What a tool calls is declared, so that its description can tell.
    fn declared(&self, name: &str) -> Option<&Tool> {
        let catalogue = &self.call.service.catalogue;
        let is_declared = |tool: &&Tool| self.call.tool.entry.calls.contains(&tool.entry.operation);
        // Names of tools stay when operations get other ids, and an id may then be another's.
        let named = catalogue.find(name).filter(is_declared);
        named.or_else(|| catalogue.find_operation(name).filter(is_declared))
    }

    /// An operation that changes something; a tool that only reads has none.
    pub(super) fn find_change(&self, operation: &str) -> Result<&Tool, Failure> {
        let found =
            self.declared(operation).filter(|tool| !tool.is_read() && !self.call.tool.is_read());
        found.ok_or_else(|| Failure::unknown_operation(operation))
    }

    pub(super) fn options(&self) -> Options {
        Options { fresh: self.fresh, ..Options::default() }
    }

    pub(super) fn errand<'e>(
        &'e self,
        tool: &'e Tool,
        arguments: &'e Arguments,
        options: &'e Options,
    ) -> Errand<'e> {
        Errand { tool, arguments, options, ..*self.call }
    }

    /// What a dry run answers: which operations would be read.
    pub(super) fn preview(&self) -> Shaped {
        let reads = self.call.tool.entry.calls.iter().filter_map(|operation| {
            let entry = &self.call.service.catalogue.find_operation(operation)?.entry;
            Some(format!("{} {}", entry.method, entry.path))
        });
        Shaped::of(json!({ "dry_run": true, "reads": reads.collect::<Vec<_>>() }))
    }
}

/// Hands checked arguments to typed code.
///
/// # Errors
/// When the generated struct does not fit the schema that they were checked against.
pub fn read<T: DeserializeOwned>(arguments: Arguments) -> Result<T, Failure> {
    serde_json::from_value(Value::Object(arguments))
        .map_err(|err| Failure::invalid_arguments(err.to_string()))
}
