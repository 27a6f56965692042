//! The list of changes for agents: a section per version, which another document of the same version extends.

use std::fmt::Write;

use super::lines::{self, LISTED, Line};
use super::markdown::{escaped, item};
use super::words::{clean, version};
use crate::diff::Changes;

const HEAD: &str = "# Changes for agents\n\nThe newest version first; `cargo spec update` writes what a document brings.\n";

/// Adds what a document brings to the list of changes, under the version that it needs; an empty list gets its head.
pub fn changelog(known: &str, changes: &Changes, version: &str, today: &str) -> String {
    let known = if known.trim().is_empty() { HEAD } else { known };
    let words = section(changes, today);
    let first = known.find("\n## ").map_or(known.len(), |at| at + 1);
    let (head, versions) = known.split_at(first);
    if version_of(versions) == Some(version) {
        let end = versions.find("\n## ").map_or(versions.len(), |at| at + 1);
        let (this, older) = versions.split_at(end);
        return joined(&[&format!("{head}{this}"), &words, older]);
    }
    joined(&[head, &format!("## {version}, {today}\n\n{words}"), versions])
}

/// The version of the first section: `## 1.2.0, 2026-01-31` and `## 1.2.0 (unreleased)` are of 1.2.0.
fn version_of(sections: &str) -> Option<&str> {
    let title = sections.strip_prefix("## ")?.lines().next()?;
    title.split([' ', ',']).next().map(|version| version.trim_matches(['[', ']']))
}

/// Puts a blank line between parts, and one end of line at the end.
fn joined(parts: &[&str]) -> String {
    let parts = parts.iter().map(|part| part.trim_end()).filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join("\n\n") + "\n"
}

fn section(changes: &Changes, today: &str) -> String {
    let mut out = String::new();
    let _infallible = write(changes, today, &mut out); // Writing into a string cannot fail.
    out
}

fn write(changes: &Changes, today: &str, out: &mut String) -> std::fmt::Result {
    let (before, after) = (&changes.before.version, &changes.after.version);
    let (before, after) = (escaped(&version(before)), escaped(&version(after)));
    writeln!(out, "Document {before} → {after}, in force since {today}.")?;
    for (effect, title) in LISTED {
        let lines = lines::lines(changes, effect);
        if !lines.is_empty() {
            writeln!(out, "\n### {title}\n")?;
            lines.into_iter().try_for_each(|line| item(&Line { spot: None, ..line }, out))?;
        }
    }
    if !changes.proposals.is_empty() {
        writeln!(out, "\n### New tools\n")?;
    }
    for proposal in &changes.proposals {
        let (method, path) = (&proposal.method, clean(&proposal.path));
        writeln!(out, "- `{}`: {method} `{path}`", proposal.name)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::version_of;

    #[test]
    fn a_version_is_found_however_its_heading_is_decorated() {
        for heading in
            ["## 0.2.0, 2026-01-31", "## 0.2.0 (unreleased)", "## [0.2.0] - soon\n", "## 0.2.0"]
        {
            assert_eq!(version_of(heading), Some("0.2.0"), "{heading}");
        }
    }
}
