//! What `tools/list` costs: characters of the served JSON divided by four.

use std::collections::BTreeMap;

use serde::Serialize;
use xyte_mcp_catalogue::{Catalogue, Entry};

use super::Proposal;
use super::surface::View;
use crate::resolve::MOST_DEFAULT_TOOLS;

/// The largest default set: the model pays for it on every turn.
pub const MOST_DEFAULT_TOKENS: usize = 6000;

/// Tokens per toolset, of the default set, and of everything.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Tokens {
    /// By toolset, in alphabetical order.
    pub toolsets: BTreeMap<String, Count>,
    /// What is listed when nobody selects.
    pub default: Count,
    /// Every tool.
    pub all: Count,
}

/// Tools and tokens of one set.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Count {
    /// Tools in the document in force.
    pub tools_before: usize,
    /// Tools with the other document, without the new operations.
    pub tools_after: usize,
    /// Tokens in the document in force.
    pub before: usize,
    /// Tokens with the other document, without the new operations.
    pub after: usize,
    /// Tokens that the new operations would add if they were exposed as proposed.
    pub proposed: usize,
}

impl Count {
    /// How many tools and tokens the default set still takes.
    pub fn room(&self) -> (usize, usize) {
        (
            MOST_DEFAULT_TOOLS.saturating_sub(self.tools_after),
            MOST_DEFAULT_TOKENS.saturating_sub(self.after),
        )
    }
}

/// Tokens of one tool as it is served.
pub(crate) fn of(entry: &Entry) -> usize {
    serde_json::to_string(&entry.tool).unwrap_or_default().chars().count().div_ceil(4)
}

/// Counts what was served and what will be.
pub(super) fn count(view: &View<'_>, served: &Catalogue, proposals: &[Proposal]) -> Tokens {
    let mut tokens =
        Tokens { toolsets: BTreeMap::new(), default: Count::default(), all: Count::default() };
    tokens.add(
        view.before.1,
        |_| true,
        |count, size| {
            count.tools_before += 1;
            count.before += size;
        },
    );
    tokens.add(
        served,
        |entry| !view.is_fresh(&entry.operation),
        |count, size| {
            count.tools_after += 1;
            count.after += size;
        },
    );
    for proposal in proposals.iter().filter(|proposal| proposal.faults.is_empty()) {
        tokens.all.proposed += proposal.tokens;
        tokens.toolsets.entry(proposal.toolset.clone()).or_default().proposed += proposal.tokens;
    }
    tokens
}

/// The default set of a catalogue without its new operations.
pub(super) fn default_set(view: &View<'_>) -> Count {
    let mut tokens =
        Tokens { toolsets: BTreeMap::new(), default: Count::default(), all: Count::default() };
    tokens.add(
        view.after.1,
        |entry| !view.is_fresh(&entry.operation),
        |count, size| {
            count.tools_after += 1;
            count.after += size;
        },
    );
    tokens.default
}

impl Tokens {
    fn add(
        &mut self,
        catalogue: &Catalogue,
        wanted: impl Fn(&Entry) -> bool,
        add: impl Fn(&mut Count, usize),
    ) {
        for entry in catalogue.entries.iter().filter(|entry| wanted(entry)) {
            let size = of(entry);
            add(&mut self.all, size);
            add(self.toolsets.entry(entry.toolset.clone()).or_default(), size);
            if entry.default {
                add(&mut self.default, size);
            }
        }
    }
}
