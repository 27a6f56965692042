//! A call that was let in, and its requests: written, sent, and what an answer means for the key and the drift. It knows no step before or after.

use serde_json::{Map, Value};
use xyte_mcp_catalogue::Location;

use super::Span;
use super::consent::Consent;
use super::desk::Desk;
use super::said::Said;
use crate::caller::{Address, Digest, Key};
use crate::catalogue::Tool;
use crate::decode::Options;
use crate::failure::{Failure, Reach, platform};
use crate::input::Input;
use crate::progress;
use crate::service::Service;
use crate::strangers::Verdict;
use crate::upstream::{Answered, Exchange, Kind, Order, describe};

/// A call that was let in, and may take several requests.
pub(super) struct Errand<'a> {
    pub(super) service: &'a Service,
    pub(super) tool: &'a Tool,
    pub(super) tenant: Digest,
    pub(super) key: Option<&'a Key>,
    /// Where a key came from that only the platform can tell to be a good one.
    pub(super) stranger: Option<(Address, Digest)>,
    /// Where it is noted what the platform says.
    pub(super) said: &'a Said,
    pub(super) arguments: &'a Map<String, Value>,
    pub(super) options: &'a Options,
    pub(super) span: Span,
}

/// What one request brought.
pub(super) enum Fetched {
    Preview(Value),
    Answered(Answered),
}

impl<'a> Errand<'a> {
    /// What code that knows the platform works with in this call.
    pub(super) fn desk(&'a self, consent: &'a Consent<'a>) -> Desk<'a> {
        Desk { call: self, consent, fresh: self.options.fresh }
    }

    /// Writes one request, which tells whether the arguments can be sent at all.
    pub(super) async fn request(
        &self,
        query: Vec<(String, String)>,
    ) -> Result<reqwest::Request, Failure> {
        let (service, entry) = (self.service, &self.tool.entry);
        let input = Input::new(entry, self.arguments);
        let sending = service.catalogue.api.sending.get(&entry.credential).cloned();
        let exchange = Exchange::new(self.key.cloned(), input.body_bytes())
            .with_sending(sending)
            .with_media(&entry.media, &entry.accept)
            .with_query(query);
        service.api.request(&entry.operation, exchange, input).await
    }

    /// Sends one request, or describes it in a dry run; an answer that is no success is a failure.
    pub(super) async fn fetch(&self, query: Vec<(String, String)>) -> Result<Fetched, Failure> {
        let (service, entry) = (self.service, &self.tool.entry);
        let request = self.request(query).await?;
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
            self.said.note(&answered.reply);
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
    pub(super) fn unreadable(&self, answered: &Answered, err: &serde_json::Error) -> Failure {
        self.service.upstream.forget(answered);
        let failure = platform::unreadable(&answered.reply, err);
        self.service.metrics.lost(&failure.code);
        failure
    }
}
