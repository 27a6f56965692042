//! The report for a pull request.

use std::fmt::Write;

use super::lines::{self, LISTED, Line, cosmetic, place, summary};
use super::tasks::tasks;
use super::words::{clean, version};
use super::{class, notes, outcome, signed};
use crate::diff::tokens::Count;
use crate::diff::{Changes, Effect, Side};

/// Writes the report.
pub fn markdown(changes: &Changes) -> String {
    let mut out = String::new();
    // Writing into a string cannot fail.
    let _infallible = page(changes, &mut out);
    out
}

fn page(changes: &Changes, out: &mut String) -> std::fmt::Result {
    let side = |side: &Side| {
        format!(
            "`{}` ({}, {} operations)",
            side.path,
            escaped(&version(&side.version)),
            side.operations
        )
    };
    writeln!(out, "# What the document changes for agents\n")?;
    writeln!(out, "{} → {}\n", side(&changes.before), side(&changes.after))?;
    let summary = summary(changes);
    let stop = if summary.is_empty() { "" } else { "." };
    writeln!(out, "**{}** {summary}{stop}", outcome(changes))?;
    for (effect, title) in LISTED {
        let lines = lines::lines(changes, effect);
        if !lines.is_empty() {
            writeln!(out, "\n## {title}\n")?;
            lines.iter().try_for_each(|line| item(line, out))?;
            if effect == Effect::BreakingTyped {
                writeln!(out, "\n{}", lines::BY_HAND)?;
            }
        }
    }
    proposals(changes, out)?;
    decisions(changes, out)?;
    let counts = cosmetic(changes);
    if !counts.is_empty() {
        let parts: Vec<String> =
            counts.iter().map(|(count, what)| format!("{what}: {count}")).collect();
        writeln!(out, "\n## Cosmetic\n\n<details><summary>{}</summary>\n", parts.join("; "))?;
        lines::lines(changes, Effect::Cosmetic).iter().try_for_each(|line| item(line, out))?;
        writeln!(out, "\n</details>")?;
    }
    tokens(changes, out)?;
    let advice = &changes.advice;
    writeln!(out, "\n## Version\n\n{} → **{}**: {}.", advice.now, advice.next, advice.reason)
}

pub(super) fn item(line: &Line, out: &mut String) -> std::fmt::Result {
    let names: Vec<String> =
        line.names.iter().filter(|name| !name.is_empty()).map(|name| format!("`{name}`")).collect();
    let colon = if names.is_empty() { "" } else { ": " };
    let remark = if line.remark.is_empty() {
        String::new()
    } else {
        format!(" ({})", escaped(&line.remark))
    };
    let spot = line.spot.as_ref().map(|spot| format!(" · {}", place(spot))).unwrap_or_default();
    writeln!(out, "- {}{colon}{}{remark}{spot}", names.join(", "), escaped(&line.text))
}

fn proposals(changes: &Changes, out: &mut String) -> std::fmt::Result {
    if changes.proposals.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n## New operations, to decide\n")?;
    for proposal in &changes.proposals {
        let class = class(proposal.class);
        let (name, toolset, tokens) = (&proposal.name, &proposal.toolset, proposal.tokens);
        writeln!(
            out,
            "- `{name}`: {class}, toolset `{toolset}`, {tokens} tokens, {} `{}`",
            proposal.method,
            clean(&proposal.path)
        )?;
        for note in std::iter::once(clean(&proposal.description)).chain(notes(proposal)) {
            writeln!(out, "  {}", escaped(&note))?;
        }
    }
    let (tools, tokens) = changes.tokens.default.room();
    writeln!(out, "\nThe default set has room for {tools} more tools and {tokens} tokens.\n")?;
    writeln!(out, "<details><summary>Tables for the overrides</summary>\n\n````toml")?;
    let stubs: Vec<&str> =
        changes.proposals.iter().map(|proposal| proposal.stub.as_str()).collect();
    write!(out, "{}", stubs.join("\n"))?;
    writeln!(out, "````\n\n</details>")
}

fn decisions(changes: &Changes, out: &mut String) -> std::fmt::Result {
    if changes.decisions.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n## To mend before it can be in force\n")?;
    for task in tasks(changes) {
        writeln!(out, "- {}: **{}**: {}", task.place, task.rule, escaped(&task.message))?;
        if !task.help.is_empty() {
            writeln!(out, "  {}", escaped(&task.help))?;
        }
    }
    Ok(())
}

fn tokens(changes: &Changes, out: &mut String) -> std::fmt::Result {
    let moved = |count: &Count| count.before != count.after || count.proposed > 0;
    if !moved(&changes.tokens.all) {
        return Ok(());
    }
    writeln!(out, "\n## Tokens of `tools/list`\n")?;
    writeln!(
        out,
        "| set | before | after | change | proposed |\n| --- | ---: | ---: | ---: | ---: |"
    )?;
    let rows = changes.tokens.toolsets.iter().filter(|(_, count)| moved(count));
    let sums = [("default set", &changes.tokens.default), ("all", &changes.tokens.all)];
    for (name, count) in rows.map(|(name, count)| (name.as_str(), count)).chain(sums) {
        let change = signed(count.before, count.after);
        writeln!(
            out,
            "| {name} | {} | {} | {change} | +{} |",
            count.before, count.after, count.proposed
        )?;
    }
    Ok(())
}

/// Text of the document that must not become markup; what stands between back-ticks stays as it is.
pub(super) fn escaped(text: &str) -> String {
    let mut code = false;
    text.chars().fold(String::with_capacity(text.len()), |mut out, character| {
        if character == '`' {
            code = !code;
        }
        if !code && matches!(character, '\\' | '*' | '_' | '<' | '>' | '[' | ']' | '#' | '|') {
            out.push('\\');
        }
        out.push(if character == '\n' { ' ' } else { character });
        out
    })
}
