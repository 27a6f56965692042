//! Tenants at work: each makes its calls one after the other, and compares what it is told with what must be.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use reqwest::Client;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use crate::ask::{Ask, Outcome, Subject, handshake};
use crate::chance::Chance;
use crate::platform::{MARK, Platform, device, key, mark};
use crate::report::Tally;
use crate::script::{CALM, Script, Told};

/// One call in so many is left by its client before the answer.
const LEFT: u64 = 20;
/// One call in so many is made again.
const AGAIN: u64 = 10;
/// Calls of a crowd that are under way at once.
const CROWD: usize = 4;

/// How much a tenant does.
#[derive(Debug, Clone, Copy)]
pub enum Amount {
    /// So many calls.
    Calls(u64),
    /// As many as it can until then.
    Until(Instant),
}

/// Tenants, a server or several replicas, and the platform behind them.
#[derive(Debug, Clone)]
pub struct Storm {
    /// What is drawn depends on it.
    pub seed: u64,
    /// How many tenants.
    pub tenants: usize,
    /// Addresses of the replicas.
    pub servers: Vec<String>,
    /// What they call.
    pub platform: Arc<Platform>,
}

/// What a client has of an answer.
enum Heard {
    Outcome(Outcome),
    /// It went before there was one.
    Left,
    Fault(String),
}

impl Storm {
    /// All tenants call at once, in front of a platform that fails.
    pub async fn rage(&self, amount: Amount) -> Tally {
        // The platform has no space of number 0.
        self.rage_from(1, amount).await
    }

    /// The same with calls from this number on: a server may still keep the answers to those of another storm.
    pub async fn rage_from(&self, first: u64, amount: Amount) -> Tally {
        self.together(|tenant| self.clone().visit(tenant, first, amount)).await
    }

    /// Every tenant calls so often at once, in front of a platform in good health: exactly `most` pass, all others are told to wait.
    pub async fn crowd(&self, calls: u64, most: u64) -> Tally {
        self.together(|tenant| self.clone().press(tenant, calls, most)).await
    }

    /// Has every tenant do the same, at the same time.
    async fn together<F>(&self, work: impl Fn(usize) -> F) -> Tally
    where
        F: Future<Output = Tally> + Send + 'static,
    {
        let mut all: JoinSet<_> = (0..self.tenants).map(work).collect();
        let mut sum = Tally::default();
        while let Some(tally) = all.join_next().await {
            match tally {
                Ok(tally) => sum = sum.and(tally),
                Err(err) => sum.fault(format!("a tenant of this trial: {err}")),
            }
        }
        for stray in self.platform.reset() {
            sum.fault(format!("a request that no call explains: {stray}"));
        }
        sum
    }

    async fn visit(self, tenant: usize, first: u64, amount: Amount) -> Tally {
        let (client, mut tally) = (client(), Tally::default());
        self.shake_hands(&client, tenant, &mut tally).await;
        let more = |number| match amount {
            Amount::Calls(calls) => number - first < calls,
            Amount::Until(end) => Instant::now() < end,
        };
        let mut number = first;
        while more(number) {
            let ask = Ask::of(self.seed, tenant, number);
            // A third stream, beside those of the script and the call.
            let mut chance = Chance::of(self.seed.rotate_left(32), tenant, number);
            let leaves = (chance.below(LEFT) == 0).then(|| Duration::from_millis(chance.below(60)));
            let heard = self.make(&client, tenant, &ask, leaves).await;
            let good = matches!(heard, Heard::Outcome(Outcome::Good));
            self.judge(tenant, &ask, heard, &mut tally);
            if good && ask.subject != Subject::Change && chance.below(AGAIN) == 0 {
                match self.make(&client, tenant, &ask, None).await {
                    Heard::Outcome(Outcome::Good) => tally.count("asked again", "the answer"),
                    Heard::Outcome(outcome) => tally.fault(format!("{ask:?} again: {outcome:?}")),
                    Heard::Left => {}
                    Heard::Fault(fault) => tally.fault(format!("{ask:?} again: {fault}")),
                }
            }
            number += 1;
        }
        tally
    }

    async fn shake_hands(&self, client: &Client, tenant: usize, tally: &mut Tally) {
        let request = client
            .post(format!("{}/mcp", self.servers[tenant % self.servers.len()]))
            .header("accept", "application/json, text/event-stream")
            .header("x-xyte-api-key", key(tenant))
            .json(&handshake());
        match request.send().await {
            Ok(answer) if answer.status() == 200 => {}
            other => tally.fault(format!("the handshake of {tenant}: {other:?}")),
        }
    }

    /// Makes a call, or leaves it after a while.
    async fn make(
        &self,
        client: &Client,
        tenant: usize,
        ask: &Ask,
        leaves: Option<Duration>,
    ) -> Heard {
        let replica = usize::try_from(ask.number).unwrap_or(0) % self.servers.len();
        let request = ask.request(client, &self.servers[replica], &key(tenant));
        let listening = hear(tenant, ask, request);
        match leaves {
            Some(after) => timeout(after, listening).await.unwrap_or(Heard::Left),
            None => listening.await,
        }
    }

    /// Compares what a client heard with what must be, and what the platform saw.
    fn judge(&self, tenant: usize, ask: &Ask, heard: Heard, tally: &mut Tally) {
        let script = Script::of(self.seed, tenant, ask.number);
        let must = if ask.subject == Subject::Change { script.change } else { script.read };
        let attempts = self.platform.received(tenant, ask.number);
        let tries = if ask.subject == Subject::Change { 1 } else { 3 };
        let what = format!("tenant {tenant}, {ask:?}, {}", script.name);
        match heard {
            Heard::Left => tally.count(script.name, "nothing, it left"),
            Heard::Fault(fault) => tally.fault(format!("{what}: {fault}")),
            Heard::Outcome(outcome) => {
                if !fits(must, &outcome) {
                    tally.fault(format!("{what}: {outcome:?} instead of {must:?}"));
                }
                if attempts == 0 {
                    tally.fault(format!("{what}: the platform saw nothing of it"));
                }
                let told = match &outcome {
                    Outcome::Good => "the answer",
                    Outcome::Failed { code, .. } => code,
                };
                tally.count(script.name, told);
            }
        }
        if attempts > tries {
            tally.fault(format!("{what}: the platform saw it {attempts} times"));
        }
    }

    async fn press(self, tenant: usize, calls: u64, most: u64) -> Tally {
        let (client, mut tally) = (client(), Tally::default());
        let asks = (CALM..CALM + calls).map(|number| Ask::of(self.seed, tenant, number));
        let heard: Vec<_> = futures::stream::iter(asks)
            .map(async |ask| (ask, self.make(&client, tenant, &ask, None).await))
            .buffer_unordered(CROWD)
            .collect()
            .await;
        let mut passed = 0;
        for (ask, heard) in heard {
            let seen = self.platform.received(tenant, ask.number);
            match heard {
                Heard::Outcome(Outcome::Good) if seen == 1 => {
                    passed += 1;
                    tally.count("a crowd", "the answer");
                }
                Heard::Outcome(Outcome::Failed { code, wait_ms: Some(1..=60_000) })
                    if seen == 0 && ["rate_limit", "rate_limited"].contains(&code.as_str()) =>
                {
                    tally.count("a crowd", "to wait");
                }
                Heard::Outcome(outcome) => {
                    tally.fault(format!("{ask:?}: {outcome:?}, sent {seen} times"));
                }
                Heard::Left => {}
                Heard::Fault(fault) => tally.fault(format!("{ask:?}: {fault}")),
            }
        }
        if passed != most {
            tally.fault(format!("{passed} calls of tenant {tenant} passed, not {most}"));
        }
        tally
    }
}

/// A client of its own for each tenant, as in life.
fn client() -> Client {
    Client::builder().no_proxy().build().expect("plain HTTP needs nothing of the machine")
}

async fn hear(tenant: usize, ask: &Ask, request: reqwest::RequestBuilder) -> Heard {
    let answer = match request.send().await {
        Ok(answer) => answer,
        Err(err) => return Heard::Fault(format!("no answer: {err:?}")),
    };
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    let body = match answer.text().await {
        Ok(body) => body,
        Err(err) => return Heard::Fault(format!("half an answer: {err:?}")),
    };
    let shown = format!("{headers:?}{body}");
    let (own_key, own_mark) = (key(tenant), mark(&key(tenant)));
    let marks = shown.match_indices(MARK).map(|(at, _)| &shown[at..]);
    if marks.into_iter().any(|text| !text.starts_with(&own_mark)) {
        return Heard::Fault(format!("bytes of another tenant: {body}"));
    }
    if shown.contains(&own_key) || shown.contains("<h1>") {
        return Heard::Fault(format!("a key or markup: {shown}"));
    }
    match ask.read(status, &headers, &body) {
        Ok(Outcome::Good) if ask.subject != Subject::Change && !good(ask, &body, &own_mark) => {
            Heard::Fault(format!("another answer: {body}"))
        }
        Ok(outcome) => Heard::Outcome(outcome),
        Err(fault) => Heard::Fault(fault),
    }
}

/// Whether a good answer is the one to this question.
fn good(ask: &Ask, body: &str, mark: &str) -> bool {
    body.contains(&device(ask.number)) && body.contains(mark)
}

fn fits(must: Told, outcome: &Outcome) -> bool {
    match (must, outcome) {
        (Told::Good, Outcome::Good) => true,
        (Told::Code(must), Outcome::Failed { code, wait_ms: None }) => code == must,
        (Told::Either(one, other), Outcome::Failed { code, wait_ms: None }) => {
            code == one || code == other
        }
        (Told::Wait(must, seconds), Outcome::Failed { code, wait_ms: Some(wait) }) => {
            code == must && *wait == seconds * 1000
        }
        _ => false,
    }
}
