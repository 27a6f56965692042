//! `cargo spec lint`: prints which rules of clients are broken, and what the tools cost.

use std::fmt::Write as _;
use std::io::Write;

use xyte_mcp_codegen::diagnostic::Source;
use xyte_mcp_codegen::lint::{Lint, lint};

use super::{DOCUMENT, OVERRIDES, read};

const DEAREST: usize = 5; // Where to begin saving.

/// Prints the faults; 1 where there is one.
pub(super) fn run() -> Result<u8, String> {
    let (document, overrides) = (read(DOCUMENT)?, read(OVERRIDES)?);
    let document = Source { path: DOCUMENT, text: &document };
    let overrides = Source { path: OVERRIDES, text: &overrides };
    let catalogue = xyte_mcp_codegen::catalogue(document, overrides)
        .map_err(|report| format!("{report}\n\n{}", report.summary()))?;
    let lint = lint(&catalogue);
    let _reader_went_away = std::io::stdout().lock().write_all(page(&lint).as_bytes());
    Ok(u8::from(!lint.faults.is_empty()))
}

fn page(lint: &Lint) -> String {
    let mut out = String::new();
    let _infallible = write_page(lint, &mut out); // Writing into a string cannot fail.
    out
}

fn write_page(lint: &Lint, out: &mut String) -> std::fmt::Result {
    for fault in &lint.faults {
        let place = format!("{}{}", fault.tool, fault.pointer);
        writeln!(out, "{place}: {}: {}", fault.rule.name, fault.found)?;
        writeln!(out, "    {}: {}", fault.rule.clients, fault.rule.reason)?;
    }
    if !lint.faults.is_empty() {
        writeln!(out)?;
    }
    writeln!(out, "{:<22}{:>6}{:>8}", "toolset", "tools", "tokens")?;
    let sets = lint.toolsets.iter().map(|(name, count)| (name.as_str(), *count));
    for (name, (tools, tokens)) in sets.chain([("default set", lint.default), ("all", lint.all)]) {
        writeln!(out, "{name:<22}{tools:>6}{tokens:>8}")?;
    }
    let dearest: Vec<String> =
        lint.tools.iter().take(DEAREST).map(|(name, tokens)| format!("{name} {tokens}")).collect();
    writeln!(out, "\ndearest tools: {}", dearest.join(", "))?;
    writeln!(
        out,
        "longest name with a client's prefix: {}, {} of 64 characters",
        lint.longest.0, lint.longest.1
    )?;
    let verdict = match lint.faults.len() {
        0 => "every client takes every tool".to_owned(),
        1 => "1 fault".to_owned(),
        count => format!("{count} faults"),
    };
    writeln!(out, "{verdict}")
}
