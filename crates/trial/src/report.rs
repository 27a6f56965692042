//! What came of many calls, and the table of it.

use std::collections::BTreeMap;
use std::fmt;

/// Faults that are told in full; the others are counted.
const TOLD: usize = 20;

/// What came of calls.
#[derive(Debug, Default)]
pub struct Tally {
    /// Calls by what happened to them and what the client was told.
    outcomes: BTreeMap<(String, String), u64>,
    /// What should not have been.
    pub faults: Vec<String>,
}

impl Tally {
    /// Counts a call.
    pub(crate) fn count(&mut self, happened: &str, told: &str) {
        *self.outcomes.entry((happened.to_owned(), told.to_owned())).or_default() += 1;
    }

    /// Notes what should not have been.
    pub(crate) fn fault(&mut self, fault: String) {
        self.faults.push(fault);
    }

    /// All calls.
    pub fn calls(&self) -> u64 {
        self.outcomes.values().sum()
    }

    /// Calls of which the client was told this.
    pub fn told(&self, told: &str) -> u64 {
        self.outcomes.iter().filter(|((_, found), _)| found == told).map(|(_, count)| count).sum()
    }

    /// Both together.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        for (key, count) in other.outcomes {
            *self.outcomes.entry(key).or_default() += count;
        }
        self.faults.extend(other.faults);
        self
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<26} {:<20} {:>8}", "platform", "client was told", "calls")?;
        for ((happened, told), count) in &self.outcomes {
            writeln!(f, "{happened:<26} {told:<20} {count:>8}")?;
        }
        writeln!(f, "{:<47} {:>8}", "all", self.calls())?;
        for fault in self.faults.iter().take(TOLD) {
            writeln!(f, "FAULT {fault}")?;
        }
        writeln!(f, "{} faults", self.faults.len())
    }
}
