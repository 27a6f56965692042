//! `cargo spec update NEW`: puts another document in force, with everything that follows from it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use chrono::Utc;
use clap::Args;
use sha2::{Digest, Sha256};
use xyte_mcp_catalogue::Catalogue;
use xyte_mcp_codegen::diagnostic::Source;
use xyte_mcp_codegen::diff::{Changes, Inputs};
use xyte_mcp_codegen::report::{changelog, terminal};
use xyte_mcp_codegen::update::{Options, Updated, update};

use super::{
    DOCUMENT, NEEDS_A_DECISION, OVERRIDES, bless, check, contract, input, read, say, write,
};

const ABOUT: &str = "spec/README.md";
const CHANGELOG: &str = "CHANGELOG.md";

/// Which document, and what is decided already.
#[derive(Args)]
pub(super) struct Wish {
    /// Document to put in force (OpenAPI 3.0, JSON or YAML)
    new: PathBuf,
    /// Expose new operations as proposed, and give up columns, examples and the like that no longer fit
    #[arg(long)]
    accept_proposals: bool,
    /// Remove the tables of operations that are gone
    #[arg(long)]
    remove_orphans: bool,
}

/// Puts the document in force; the exit code is the one of `check`.
pub(super) fn run(wish: &Wish) -> Result<u8, String> {
    let (before, overrides) = (read(DOCUMENT)?, read(OVERRIDES)?);
    let after = input::read(&wish.new)?;
    let version = contract::version()?;
    let path = wish.new.display().to_string();
    let inputs = Inputs {
        before: Source { path: DOCUMENT, text: &before },
        after: Source { path: &path, text: &after.json },
        after_has_lines: after.has_lines,
        overrides: Source { path: OVERRIDES, text: &overrides },
        version: &version,
    };
    let options =
        Options { accept_proposals: wish.accept_proposals, remove_orphans: wish.remove_orphans };
    let updated =
        update(&inputs, options).map_err(|report| format!("{report}\n\n{}", report.summary()))?;
    say(&terminal(&updated.changes, check::look(false)));
    let served = catalogue(&after.json, &updated.overrides);
    let next = contract::raise(&updated.settled.advice.next, served.as_ref())?;
    put_in_force(&after.json, &updated, &next)?;
    for sentence in &updated.done {
        say(&format!("overrides: {sentence}"));
    }
    let verdict = updated.changes.verdict() as u8;
    if let Some(left) = &updated.left {
        say(&format!("\n{left}\n\n{}", left.summary()));
        say(&format!("The document is in force. Mend {OVERRIDES}, then run `cargo spec bless`."));
        return Ok(verdict.max(NEEDS_A_DECISION));
    }
    Ok(verdict.max(bless::bless()?))
}

/// What is served from now on; nothing where something is left to mend.
fn catalogue(document: &str, overrides: &str) -> Option<Catalogue> {
    let document = Source { path: DOCUMENT, text: document };
    let overrides = Source { path: OVERRIDES, text: overrides };
    xyte_mcp_codegen::catalogue(document, overrides).ok()
}

/// Writes the document, the overrides, the page about the document, and the list of changes.
fn put_in_force(document: &str, updated: &Updated, version: &str) -> Result<(), String> {
    let changes = &updated.settled;
    let today = Utc::now().format("%Y-%m-%d").to_string();
    let about = read(ABOUT).map(|page| about(&page, document, changes, &today))?;
    write(DOCUMENT, document)?;
    write(OVERRIDES, &updated.overrides)?;
    write(ABOUT, &about)?;
    if changes.changes.is_empty() && changes.proposals.is_empty() {
        return Ok(());
    }
    let known = if Path::new(CHANGELOG).exists() { read(CHANGELOG)? } else { String::new() };
    write(CHANGELOG, &changelog(&known, changes, version, &today))
}

/// Brings the table of the page up to date; a row that is not there is added to it.
fn about(page: &str, document: &str, changes: &Changes, today: &str) -> String {
    let server = serde_json::from_str::<serde_json::Value>(document)
        .ok()
        .and_then(|document| Some(document.pointer("/servers/0/url")?.as_str()?.to_owned()));
    let digest = Sha256::digest(document.as_bytes()).iter().fold(String::new(), |mut out, byte| {
        let _infallible = write!(out, "{byte:02x}");
        out
    });
    let rows = [
        ("Version (`info.version`)", changes.after.version.clone()),
        ("In force since", today.to_owned()),
        ("Operations", changes.after.operations.to_string()),
        ("Server", format!("`{}`", server.unwrap_or_default())),
        ("Size", format!("{} bytes", grouped(document.len()))),
        ("SHA-256", format!("`{digest}`")),
    ];
    let mut lines: Vec<String> = page.lines().map(str::to_owned).collect();
    let head = lines.iter().position(|line| line.starts_with("| ---")).unwrap_or(lines.len());
    let mut last = head;
    for (name, value) in rows {
        let row = format!("| {name} | {value} |");
        match lines.iter().position(|line| line.starts_with(&format!("| {name} |"))) {
            Some(at) => {
                lines[at] = row;
                last = at;
            }
            None if last < lines.len() => {
                last += 1;
                lines.insert(last, row);
            }
            None => {}
        }
    }
    lines.join("\n") + "\n"
}

/// Writes a number with commas between thousands.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}
