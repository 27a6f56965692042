//! How the platform behaves towards one call, attempt by attempt, and what the caller must then be told.

use crate::chance::Chance;

/// Calls from this number on meet a platform in good health.
pub(crate) const CALM: u64 = 1 << 40;

/// What the platform does with one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Answers well.
    Answer,
    /// Answers well, piece by piece.
    Slow,
    /// Refuses with this status, in words that hold the key.
    Refuse(u16),
    /// Says 429, and how many seconds to wait.
    Busy(u64),
    /// Answers with a page of HTML under this status.
    Page(u16),
    /// Resets the connection before it says anything.
    Reset,
    /// Resets the connection in the middle of the body.
    ResetInBody,
    /// Never answers.
    Hang,
    /// Begins to answer, and never ends.
    HangInBody,
    /// Ends the JSON in the middle.
    Cut,
    /// Announces more bytes than come.
    Long,
    /// Announces fewer bytes than come.
    Short,
    /// Answers well, and sends a second answer that nobody asked for, with the rows of nobody.
    Second,
    /// Answers 204 with nothing.
    Empty,
    /// Announces more than anybody would read, and sends it.
    Giant,
    /// Never ends.
    Endless,
}

/// What a caller is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    /// The answer.
    Good,
    /// A failure with this code.
    Code(&'static str),
    /// A failure with the one code or the other, whichever comes first.
    Either(&'static str, &'static str),
    /// A failure with this code, and how many seconds to wait.
    Wait(&'static str, u64),
}

/// What happens to one call.
#[derive(Debug)]
pub(crate) struct Script {
    pub(crate) name: &'static str,
    /// How often it is drawn, among the others.
    weight: u64,
    /// What the attempts meet; after them, the platform is well.
    steps: &'static [Step],
    /// What a read comes to, which is tried up to three times where that may help.
    pub(crate) read: Told,
    /// What a change comes to, which is sent once: where the platform accepted it, it is done.
    pub(crate) change: Told,
}

impl Script {
    /// What happens to a call.
    pub(crate) fn of(seed: u64, tenant: usize, number: u64) -> &'static Self {
        if number >= CALM {
            return &SOUND;
        }
        let mut chance = Chance::of(seed, tenant, number);
        let mut left = chance.below(SCRIPTS.iter().map(|script| script.weight).sum());
        for script in &SCRIPTS {
            if left < script.weight {
                return script;
            }
            left -= script.weight;
        }
        &SOUND
    }

    /// What an attempt meets.
    pub(crate) fn step(&self, attempt: usize) -> Step {
        self.steps.get(attempt).copied().unwrap_or(Step::Answer)
    }
}

const fn script(
    name: &'static str,
    weight: u64,
    steps: &'static [Step],
    (read, change): (Told, Told),
) -> Script {
    Script { name, weight, steps, read, change }
}

const GOOD: Told = Told::Good;
const BROKEN: Told = Told::Code("xyte_server_error");
const NO_JSON: Told = Told::Code("upstream_contract");
const NETWORK: Told = Told::Code("network_error");
const TOO_MUCH: Told = Told::Either("upstream_contract", "timeout");
const TIMEOUT: Told = Told::Code("timeout");
const UNKNOWN: Told = Told::Code("unauthorized");
const FORBIDDEN: Told = Told::Code("forbidden");
const MISSING: Told = Told::Code("not_found");
const CONFLICT: Told = Told::Code("conflict");

static SOUND: Script = script("sound", 0, &[Step::Answer], (GOOD, GOOD));

/// Hung answers and gateways that give up are few, so that the platform is not left alone for a while.
static SCRIPTS: [Script; 25] = [
    script("sound", 400, &[Step::Answer], (GOOD, GOOD)),
    script("slow", 80, &[Step::Slow], (GOOD, GOOD)),
    script("500, then sound", 40, &[Step::Refuse(500)], (GOOD, BROKEN)),
    script("503, then sound", 10, &[Step::Refuse(503)], (GOOD, BROKEN)),
    script("500", 40, &[Step::Refuse(500); 3], (BROKEN, BROKEN)),
    script("502 with HTML", 5, &[Step::Page(502); 3], (BROKEN, BROKEN)),
    script("429 for 1 s, then sound", 20, &[Step::Busy(1)], (GOOD, Told::Wait("rate_limited", 1))),
    script(
        "429 for 30 s",
        20,
        &[Step::Busy(30); 3],
        (Told::Wait("rate_limited", 30), Told::Wait("rate_limited", 30)),
    ),
    script("401 with the key", 15, &[Step::Refuse(401)], (UNKNOWN, UNKNOWN)),
    script("403 with the key", 15, &[Step::Refuse(403)], (FORBIDDEN, FORBIDDEN)),
    script("404 with the key", 15, &[Step::Refuse(404)], (MISSING, MISSING)),
    script("409 with the key", 15, &[Step::Refuse(409)], (CONFLICT, CONFLICT)),
    script("200 with HTML", 30, &[Step::Page(200)], (NO_JSON, GOOD)),
    script("hung", 20, &[Step::Hang], (TIMEOUT, TIMEOUT)),
    script("hung in the body", 10, &[Step::HangInBody], (TIMEOUT, GOOD)),
    script("reset", 30, &[Step::Reset; 3], (NETWORK, NETWORK)),
    script("reset, then sound", 30, &[Step::Reset], (GOOD, NETWORK)),
    script("reset in the body", 30, &[Step::ResetInBody], (NO_JSON, GOOD)),
    script("JSON cut off", 30, &[Step::Cut], (NO_JSON, GOOD)),
    script("length too long", 20, &[Step::Long], (NO_JSON, GOOD)),
    script("length too short", 20, &[Step::Short], (NO_JSON, GOOD)),
    script("a second answer", 20, &[Step::Second], (GOOD, GOOD)),
    script("204", 20, &[Step::Empty], (NO_JSON, GOOD)),
    script("giant", 3, &[Step::Giant], (NO_JSON, GOOD)),
    script("endless", 1, &[Step::Endless], (TOO_MUCH, GOOD)),
];
