//! The way to the platform: what is written by the typed client is sent from here, with good manners.
//!
//! A request takes these steps: an answer kept from before or an equal read under way, the breaker, its turn, attempts.
//! It knows reqwest, digests and times; it knows neither tools nor who asked.

mod breaker;
mod cache;
mod change;
mod exchange;
mod flight;
mod gate;
mod retry;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::FutureExt as _;
use tokio::time::{Instant, timeout_at};

use self::breaker::{Breaker, Verdict};
use self::cache::{Cache, Epoch, Read};
use self::change::Change;
use self::flight::{Boarded, Flights};
use self::gate::Gate;
use self::wire::{Fault, Lost, Patience};
use crate::caller::Digest;
use crate::failure::{Failure, Reach};
use crate::metrics::{Attempts, Meter, Reuse};
use crate::shared::Shared;

pub(crate) use self::exchange::describe;
pub use self::exchange::{Exchange, written};
pub(crate) use self::retry::retry_after;
pub use self::wire::{ClientSettings, Reply, Trust, client};

/// An attempt that was cut off before this long says nothing about the platform.
const TELLING: Duration = Duration::from_secs(5);

/// With less time than this before its own deadline, a caller does not begin a flight again that ended with another's.
const WORTHWHILE: Duration = Duration::from_secs(1);

/// How the platform is treated.
#[derive(Debug, Clone)]
pub struct Manners {
    /// How long one attempt may take, body included.
    pub timeout: Duration,
    /// The pause after the first attempt of a read; it doubles.
    pub backoff: Duration,
    /// Requests under way per key.
    pub concurrency: usize,
    /// How long an answer is reused for the same key; zero = off.
    pub cache_ttl: Duration,
}

impl Default for Manners {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(15),
            backoff: Duration::from_millis(250),
            concurrency: 8,
            cache_ttl: Duration::from_mins(1),
        }
    }
}

/// A request that is to be sent, and on which terms.
#[derive(Debug)]
pub struct Order<'a> {
    /// The shared connection.
    pub client: &'a reqwest::Client,
    /// What the typed client wrote.
    pub request: reqwest::Request,
    /// Name of the operation.
    pub operation: &'a str,
    /// Whose data it is.
    pub tenant: Digest,
    /// Whose key it is.
    pub key: Digest,
    /// When the call began: what was changed by then, through any replica, its answer must show.
    pub since: Instant,
    /// When the call ends, whatever is under way.
    pub deadline: Instant,
    /// What may be done with it.
    pub kind: Kind,
}

/// What may be done with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It changes something: it is sent once, and the tenant's kept answers are forgotten.
    Change,
    /// It reads, and wants an answer of this moment that nobody else can use.
    Read,
    /// It reads, and wants an answer of this moment, which others may use.
    FreshRead,
    /// It reads, and an answer from before will do.
    CachedRead,
}

/// An answer of the platform.
#[derive(Debug, Clone)]
pub struct Answered {
    /// What it was.
    pub reply: Arc<Reply>,
    /// When the platform gave it.
    pub at: DateTime<Utc>,
    kept_as: Option<Arc<Read>>,
}

type Outcome = Result<Answered, Lost>;

/// The way to one platform.
#[derive(Debug)]
pub struct Upstream {
    line: Arc<Line>,
    flights: Flights,
    cache: Option<Arc<Cache>>,
    shared: Option<Arc<Shared>>,
    /// How often an earlier answer did.
    reuse: Reuse,
    /// What was really sent.
    attempts: Attempts,
}

impl Upstream {
    /// A way with these manners; replicas that share something tell each other what was changed.
    pub fn new(manners: &Manners, shared: Option<Arc<Shared>>) -> Self {
        let line = Line {
            timeout: manners.timeout,
            backoff: manners.backoff,
            gate: Gate::new(manners.concurrency),
            breaker: Breaker::new(),
        };
        let cache = (!manners.cache_ttl.is_zero()).then(|| Arc::new(Cache::new(manners.cache_ttl)));
        if let (Some(cache), Some(shared)) = (&cache, &shared) {
            change::listen(shared, cache.clone());
        }
        Self {
            line: Arc::new(line),
            flights: Flights::default(),
            cache,
            shared,
            reuse: Reuse::default(),
            attempts: Attempts::default(),
        }
    }

    /// The same way, whose kept answers and attempts are counted here.
    pub(crate) fn counting(self, reuse: Reuse, attempts: Attempts) -> Self {
        Self { reuse, attempts, ..self }
    }

    /// Gets the platform's answer; dropping this drops the request, unless others wait for the same.
    ///
    /// # Errors
    /// When there is no answer; an answer of any status is none of this.
    pub async fn fetch(&self, order: Order<'_>) -> Result<Answered, Failure> {
        let outcome = match (order.kind, &self.cache) {
            (Kind::Change, cache) => {
                let change = Change::begin(cache.as_deref(), self.shared.as_deref(), order.tenant);
                let change = change.await;
                let outcome = self.line.send_once(self.ticket(&order), order.request).await;
                change.end().await;
                outcome
            }
            (Kind::Read, _) | (_, None) => self.line.read(self.ticket(&order), order.request).await,
            (Kind::FreshRead, Some(cache)) => {
                let epoch = cache.epoch(order.tenant);
                let read = Arc::new(Read::of(&order, &epoch));
                let outcome = self.line.read(self.ticket(&order), order.request).await;
                outcome.map(|answered| cache.keep(&read, &epoch, answered))
            }
            (Kind::CachedRead, Some(cache)) => {
                if self.knows_all_changes(order.since).await {
                    self.share(order, cache).await
                } else {
                    self.line.read(self.ticket(&order), order.request).await
                }
            }
        };
        outcome.map_err(|lost| *lost.failure)
    }

    /// Drops a kept answer that cannot be read.
    pub fn forget(&self, answered: &Answered) {
        if let (Some(cache), Some(read)) = (&self.cache, &answered.kept_as) {
            cache.forget(read);
        }
    }

    /// Whether no replica can have changed anything by then that this one has not heard of.
    async fn knows_all_changes(&self, since: Instant) -> bool {
        match &self.shared {
            Some(shared) => shared.heard_all(since).await,
            None => true,
        }
    }

    fn ticket(&self, order: &Order<'_>) -> Ticket {
        let &Order { tenant, key, deadline, .. } = order;
        let meter = self.attempts.meter(order.operation);
        Ticket { client: order.client.clone(), tenant, key, deadline, meter }
    }

    /// Answers with what is kept, or waits for the one request of all equal reads.
    async fn share(&self, order: Order<'_>, cache: &Arc<Cache>) -> Outcome {
        loop {
            let epoch = cache.epoch(order.tenant);
            let read = Arc::new(Read::of(&order, &epoch));
            if let Some(answered) = cache.find(&read) {
                self.reuse.hits.inc();
                return Ok(answered);
            }
            let boarded = self.flights.board(&read, || {
                let (line, cache) = (self.line.clone(), cache.clone());
                let (ticket, request) = (self.ticket(&order), again(&order.request));
                let read = read.clone();
                async move {
                    let outcome = line.read(ticket, request).await;
                    outcome.map(|answered| cache.keep(&read, &epoch, answered))
                }
                .boxed()
            });
            let flight = match boarded {
                Boarded::Began(flight) => {
                    self.reuse.misses.inc();
                    return flight.await;
                }
                Boarded::Joined(flight) => {
                    self.reuse.hits.inc();
                    flight
                }
            };
            match timeout_at(order.deadline, flight).await {
                // It was cut off by the deadline of whoever began it, and there is time left.
                Ok(Err(Lost { fault: Fault::CutOff, .. }))
                    if Instant::now() + WORTHWHILE < order.deadline => {}
                Ok(outcome) => return outcome,
                Err(_) => {
                    let failure = Failure { reach: Reach::Uncertain, ..Failure::timeout() };
                    return Err(Lost::new(failure, Fault::CutOff));
                }
            }
        }
    }
}

impl Read {
    fn of(order: &Order<'_>, epoch: &Epoch) -> Self {
        Self {
            key: order.key,
            epoch: epoch.number,
            operation: order.operation.into(),
            url: order.request.url().as_str().into(),
        }
    }
}

/// What the line needs to know of an order.
#[derive(Debug, Clone)]
struct Ticket {
    client: reqwest::Client,
    tenant: Digest,
    key: Digest,
    deadline: Instant,
    meter: Option<Arc<Meter>>,
}

/// What all requests pass that are really sent.
#[derive(Debug)]
struct Line {
    timeout: Duration,
    backoff: Duration,
    gate: Gate,
    breaker: Breaker,
}

impl Line {
    async fn send_once(&self, ticket: Ticket, request: reqwest::Request) -> Outcome {
        self.attempt(&ticket, request).await.map(Answered::now)
    }

    async fn read(&self, ticket: Ticket, request: reqwest::Request) -> Outcome {
        let attempt = || self.attempt(&ticket, again(&request));
        retry::repeat(ticket.deadline, self.backoff, attempt).await.map(Answered::now)
    }

    async fn attempt(&self, ticket: &Ticket, request: reqwest::Request) -> Result<Reply, Lost> {
        let refused = |wait| Lost::new(Failure::circuit_open(wait), Fault::Held);
        // Asked twice: nobody should wait for a turn that will be refused, and much can happen meanwhile.
        if let Some(wait) = self.breaker.refuses(ticket.tenant) {
            return Err(refused(wait));
        }
        let in_vain = || Lost::new(Failure::waited_in_vain(), Fault::CutOff);
        let _permit = timeout_at(ticket.deadline, self.gate.enter(ticket.key))
            .await
            .map_err(|_| in_vain())?;
        // The deadline of those before may be this one's too, and make room when it is too late.
        if Instant::now() >= ticket.deadline {
            return Err(in_vain());
        }
        let pass = self.breaker.admit(ticket.tenant).map_err(refused)?;
        let begun = Instant::now();
        let mut counted = ticket.meter.as_deref().map(Meter::begin);
        let patience = Patience::new(self.timeout, ticket.deadline);
        let outcome = wire::attempt(&ticket.client, request, patience).await;
        if let Some(counted) = &mut counted {
            counted.answered(status(&outcome));
        }
        pass.settle(self.verdict(&outcome, begun.elapsed()));
        outcome
    }

    /// What an outcome says about the platform: only what a proxy in front of it or the way to it says counts against it.
    fn verdict(&self, outcome: &Result<Reply, Lost>, took: Duration) -> Verdict {
        match outcome {
            Ok(Reply { status: 502..=504, .. }) => Verdict::Failing,
            Ok(_) => Verdict::Sound,
            Err(lost) => match lost.fault {
                Fault::Unconnected | Fault::TimedOut => Verdict::Failing,
                Fault::CutOff if took >= self.timeout.min(TELLING) => Verdict::Failing,
                Fault::CutOff | Fault::Broken | Fault::Held | Fault::Unusable => Verdict::Silent,
            },
        }
    }
}

/// What the platform said, whether or not its answer can be used.
fn status(outcome: &Result<Reply, Lost>) -> Option<u16> {
    match outcome {
        Ok(reply) => Some(reply.status),
        Err(lost) => lost.failure.status,
    }
}

impl Answered {
    /// An answer of this moment, by the platform's own clock: it is the one that its data was dated with.
    fn now(reply: Reply) -> Self {
        let at = dated(&reply).unwrap_or_else(Utc::now);
        Self { reply: Arc::new(reply), at, kept_as: None }
    }
}

/// What the platform's clock said.
fn dated(reply: &Reply) -> Option<DateTime<Utc>> {
    let date = reply.headers.get(http::header::DATE)?.to_str().ok()?;
    DateTime::parse_from_rfc2822(date).ok().map(|at| at.to_utc())
}

/// The request of one attempt of a read.
fn again(request: &reqwest::Request) -> reqwest::Request {
    request.try_clone().expect("only a body that is a stream has no copy, and a read has none")
}
