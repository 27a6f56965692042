//! What became of locked contracts, for a terminal.

use super::words::sentence;
use crate::diff::Effect;
use crate::diff::lock::Judgement;

/// Says which contracts changed under a version that did not move with them, and what to do.
pub fn contracts(judgement: &Judgement, version: &str) -> String {
    let advice = &judgement.advice;
    let mut lines =
        vec![format!("contracts changed since {}, and the version is {version}:", advice.now)];
    lines.extend(judgement.changes.iter().map(|change| {
        let effect = match change.effect {
            Effect::Breaking => "breaking",
            Effect::BreakingTyped => "breaking for typed consumers",
            Effect::Deprecation => "deprecation",
            Effect::Additive => "additive",
            Effect::Cosmetic => "promises nothing",
        };
        format!("  {}: {} ({effect})", change.name, sentence(change))
    }));
    lines.push(format!(
        "Set `version = \"{}\"` in Cargo.toml, then run `cargo spec bless`; or keep the contract. {}.",
        advice.next, advice.reason
    ));
    lines.join("\n")
}
