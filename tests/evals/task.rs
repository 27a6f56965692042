//! The tasks: what each may cost, and which script asks and which facts judge it. It knows neither sandbox nor server.

use crate::agent::{Agent, Answer, Ending};
use crate::platform::Platform;
use crate::world::{Facts, World};
use crate::{board_room, expiry, offline, outages, projectors, stale, tickets};

/// A question of a person; the words are those of TASKS, and of questions like them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Task {
    /// T1: which rooms are offline and why?
    Offline,
    /// T2, the reading half: which projectors of the building can be rebooted?
    Projectors,
    /// T4, the reading half: can the room be used, and which one is meant?
    BoardRoom,
    /// T7: which devices of a site went offline this week, with which open tickets?
    Outages,
    /// T7 since local midnight of Monday.
    OutagesToday,
    /// T7 of sixty days, which the platform gives in two windows.
    OutagesOfMonths,
    /// T12: summarise the open tickets of today.
    Tickets,
    /// Of the same family: what runs out within sixty days?
    Expiry,
    /// Which open tickets does nobody work on?
    Stale,
}

/// What an answer may cost at most.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Budget {
    pub(crate) calls: usize,
    pub(crate) tokens_out: usize,
    pub(crate) upstream: u64,
}

/// What the answers of a script say.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) facts: Facts,
    pub(crate) ending: Ending,
    /// What else is wrong.
    pub(crate) misses: Vec<String>,
    /// The texts, in which every id of a fact has to stand.
    pub(crate) text: String,
}

impl Said {
    /// Nothing yet, but how these answers end and whether they tell it.
    pub(crate) fn of(answers: &[&Answer]) -> Self {
        let mut said = Self {
            facts: Facts::new(),
            ending: Ending::Whole,
            misses: Vec::new(),
            text: String::new(),
        };
        answers.iter().for_each(|answer| said.hear(answer));
        said
    }

    pub(crate) fn hear(&mut self, answer: &Answer) {
        self.ending = self.ending.max(answer.ending());
        if !answer.is_told() {
            self.misses.push(format!("what is missing is not told: {}", answer.text));
        }
        self.text.push_str(&answer.text);
        self.text.push('\n');
    }
}

impl Task {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Offline => "T1 rooms offline",
            Self::Projectors => "T2 projectors",
            Self::BoardRoom => "T4 board room",
            Self::Outages => "T7 week in Tel Aviv",
            Self::OutagesToday => "T7 since Monday",
            Self::OutagesOfMonths => "T7 sixty days",
            Self::Tickets => "T12 tickets today",
            Self::Expiry => "what runs out",
            Self::Stale => "stale tickets",
        }
    }

    /// Calls and tokens of TASKS; of the platform's requests the ones that the whole lists take.
    pub(crate) fn budget(self) -> Budget {
        let of = |calls, tokens_out, upstream| Budget { calls, tokens_out, upstream };
        match self {
            Self::Offline => of(2, 4_000, 20),
            // The bulk tool's preview will be one call; until then models are read one by one.
            Self::Projectors => of(6, 4_000, 30),
            Self::BoardRoom => of(6, 4_000, 30),
            Self::Outages | Self::OutagesToday => of(2, 4_000, 40),
            Self::OutagesOfMonths => of(2, 4_000, 120),
            Self::Tickets => of(6, 4_000, 10),
            Self::Expiry => of(1, 4_000, 20),
            // Each open ticket is read.
            Self::Stale => of(1, 4_000, 110),
        }
    }

    /// Toolsets that a request has to choose; the default tools where none.
    pub(crate) fn toolsets(self) -> Option<&'static str> {
        match self {
            Self::Outages | Self::OutagesToday | Self::OutagesOfMonths => Some("devices"),
            Self::Expiry | Self::Stale => Some("fleet"),
            _ => None,
        }
    }

    /// What is true, before anything breaks.
    pub(crate) async fn truth(self, platform: &Platform, world: &World, small: bool) -> Facts {
        match self {
            Self::Offline => offline::truth(world),
            Self::Projectors => projectors::truth(platform, world, small).await,
            Self::BoardRoom => board_room::truth(world, small),
            Self::Outages | Self::OutagesToday | Self::OutagesOfMonths => {
                outages::truth(platform, world, self.period(small)).await
            }
            Self::Tickets => tickets::truth(world),
            Self::Expiry => expiry::truth(platform, world).await,
            Self::Stale => stale::truth(world),
        }
    }

    /// What the server says.
    pub(crate) async fn ask(self, agent: &mut Agent<'_>, world: &World, small: bool) -> Said {
        match self {
            Self::Offline => offline::ask(agent).await,
            Self::Projectors => projectors::ask(agent, small).await,
            Self::BoardRoom => board_room::ask(agent, small).await,
            Self::Outages | Self::OutagesToday | Self::OutagesOfMonths => {
                outages::ask(agent, world, self.period(small)).await
            }
            Self::Tickets => tickets::ask(agent, world).await,
            Self::Expiry => expiry::ask(agent).await,
            Self::Stale => stale::ask(agent).await,
        }
    }

    fn period(self, small: bool) -> outages::Asked {
        let place = if small { "Northwind" } else { "TLV" };
        let from = match self {
            Self::OutagesToday => Some("2026-09-07T00:00:00+03:00"),
            Self::OutagesOfMonths => Some("2026-07-09T08:30:00Z"),
            _ => None,
        };
        outages::Asked { place, from }
    }
}
