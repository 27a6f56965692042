//! Runs of changes as they are written down: a head with every target, a note for each target while the run goes on, one piece when it is over, and a list of the latest.
//!
//! It changes nothing but the ledger.

use std::convert::Infallible;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use chrono::SecondsFormat;
use futures::StreamExt as _;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep};

use super::bulk::{Outcome, Run, Told};
use super::desk::Desk;
use crate::failure::Failure;
use crate::ledger::{Ledger, Name, name};

/// How long a run can be asked for.
const REMEMBERED: Duration = Duration::from_hours(24);

/// How long a process is taken to be at work on a run after it last said so.
const SILENCE: Duration = Duration::from_secs(5);

/// How often it says so.
const SAYING: Duration = Duration::from_secs(1);

/// How much earlier than it is taken for gone it stops by itself.
const MARGIN: Duration = Duration::from_secs(1);

/// Entries that are read at a time.
const AT_ONCE: usize = 32;

/// Runs of a tenant that can be listed.
const LISTED: usize = 20;

/// What is written down of one target while its run goes on.
#[derive(Serialize, Deserialize)]
struct Note {
    outcome: Outcome,
    why: Option<String>,
}

/// When it was last said that a run is being worked on.
pub(super) struct Heard(Mutex<Instant>);

impl Heard {
    /// Whether nobody can take the process for gone: then what is not sent yet may still be.
    pub(super) fn lately(&self) -> bool {
        let at = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        at.elapsed() < SILENCE.saturating_sub(MARGIN)
    }

    fn at(&self, at: Instant) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = at;
    }
}

impl Desk<'_> {
    /// Says that a run is being worked on.
    pub(super) async fn stay(&self, run: &str) -> Result<Heard, Failure> {
        let begun = Instant::now();
        self.ledger().put(self.name("work", run), "", SILENCE).await?;
        Ok(Heard(Mutex::new(begun)))
    }

    /// Says it again and again; what ends the call ends it too.
    pub(super) async fn stay_on(&self, run: &str, heard: &Heard) -> Infallible {
        loop {
            sleep(SAYING).await;
            let begun = Instant::now();
            // A ledger that does not answer is asked again, and nothing is sent when that lasts too long.
            if self.ledger().put(self.name("work", run), "", SILENCE).await.is_ok() {
                heard.at(begun);
            }
        }
    }

    /// Writes down what became of one target.
    pub(super) async fn write_note(
        &self,
        (run, at): (&str, usize),
        told: &Told,
    ) -> Result<(), Failure> {
        let note = Note { outcome: told.outcome, why: told.why.clone() };
        let text = serde_json::to_string(&note).unwrap_or_default();
        Ok(self.ledger().put(self.note_of(run, at), &text, REMEMBERED).await?)
    }

    /// Writes down all that is known of a run, in one piece, in place of what was written of each target.
    ///
    /// # Errors
    /// When it cannot be.
    pub async fn remember(&self, run: &mut Run) -> Result<(), Failure> {
        let notes = !std::mem::replace(&mut run.closed, true);
        self.write(run).await?;
        if notes {
            let notes = (0..run.items.len()).map(|at| self.note_of(&run.run, at));
            let notes: Vec<Name> = notes.chain([self.name("work", &run.run)]).collect();
            // Notes that stay are not read any more.
            self.ledger().remove(&notes).await?;
        }
        Ok(())
    }

    /// Writes down a run with its targets.
    pub(super) async fn write(&self, run: &Run) -> Result<(), Failure> {
        let text = serde_json::to_string(run).unwrap_or_default();
        Ok(self.ledger().put(self.name("run", &run.run), &text, REMEMBERED).await?)
    }

    /// A run of this tenant, as far as it is known.
    ///
    /// # Errors
    /// When there is none of this name.
    pub async fn run(&self, run: &str) -> Result<Run, Failure> {
        let head = self.name("run", run);
        let parsed = |text: Option<String>| text.and_then(|it| serde_json::from_str(&it).ok());
        let known: Option<Run> = parsed(self.ledger().get(head).await?);
        let mut known = known.ok_or_else(|| {
            Failure::new("not_found", "no run of this name is remembered")
                .with_hint("Runs are remembered for a day; without a name, the latest are listed.")
        })?;
        if known.closed {
            return Ok(known);
        }
        // Asked first: who is not at work now writes nothing after this.
        let works = self.ledger().get(self.name("work", run)).await?.is_some();
        let notes = (0..known.items.len()).map(|at| self.note_of(run, at));
        let notes = self.read(notes.collect()).await?;
        // A run that was closed meanwhile has no notes any more, and says all itself.
        if let Some(closed) = parsed(self.ledger().get(head).await?).filter(|run: &Run| run.closed)
        {
            return Ok(closed);
        }
        for (told, note) in known.items.iter_mut().zip(notes) {
            let note = note.and_then(|note| serde_json::from_str::<Note>(&note).ok());
            let Some(note) = note else { continue };
            (told.outcome, told.why) = (note.outcome, note.why);
        }
        Ok(if works { known } else { known.settled() })
    }

    /// Names of the latest runs of this tenant, the latest first.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn runs(&self) -> Result<Vec<String>, Failure> {
        let mut lines: Vec<String> = self.lines().await?.into_iter().flatten().collect();
        lines.sort_unstable_by(|left, right| right.cmp(left));
        let name = |line: &String| line.split(' ').nth(1).map(str::to_owned);
        Ok(lines.iter().filter_map(name).collect())
    }

    /// Puts a run into the list: in a free place, which no other takes at the same time, or in that of the oldest.
    pub(super) async fn list_run(&self, run: &Run) -> Result<(), Failure> {
        let begun = run.begun.to_rfc3339_opts(SecondsFormat::Nanos, true);
        let line = format!("{begun} {}", run.run);
        let lines = self.lines().await?;
        for (at, _) in lines.iter().enumerate().filter(|(_, held)| held.is_none()) {
            if self.ledger().put_new(self.place(at), &line, REMEMBERED).await?.is_none() {
                return Ok(());
            }
        }
        let oldest = lines.iter().enumerate().min_by_key(|(_, held)| *held);
        let oldest = oldest.map_or(0, |(at, _)| at);
        Ok(self.ledger().put(self.place(oldest), &line, REMEMBERED).await?)
    }

    /// What stands in each place of the list: when a run began, and its name.
    async fn lines(&self) -> Result<Vec<Option<String>>, Failure> {
        self.read((0..LISTED).map(|at| self.place(at)).collect()).await
    }

    async fn read(&self, names: Vec<Name>) -> Result<Vec<Option<String>>, Failure> {
        let reads = names.into_iter().map(|name| self.ledger().get(name));
        let read: Vec<_> = futures::stream::iter(reads).buffered(AT_ONCE).collect().await;
        Ok(read.into_iter().collect::<Result<_, _>>()?)
    }

    fn ledger(&self) -> &Ledger {
        &self.call.service.ledger
    }

    fn name(&self, kind: &str, run: &str) -> Name {
        name(kind, self.call.tenant, &[run.as_bytes()])
    }

    fn note_of(&self, run: &str, at: usize) -> Name {
        name("target", self.call.tenant, &[run.as_bytes(), &at.to_be_bytes()])
    }

    fn place(&self, at: usize) -> Name {
        name("runs", self.call.tenant, &[&at.to_be_bytes()])
    }
}
