//! `cargo spec check NEW`: reads the inputs, prints the report, and says by the exit code what is needed.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use xyte_mcp_codegen::diagnostic::Source;
use xyte_mcp_codegen::diff::{Changes, Inputs, compare};
use xyte_mcp_codegen::report::{Look, json, markdown, terminal};

use super::{DOCUMENT, OVERRIDES, contract, input, read};

const PLAIN_WIDTH: usize = 120; // Where there is no terminal to ask.
const WIDEST: usize = 160; // Longer lines are hard to follow.
const NARROWEST: usize = 40;

/// What is compared, and how it is shown.
#[derive(Args)]
pub(super) struct Options {
    /// Document that may replace the one in force (OpenAPI 3.0, JSON or YAML)
    pub(super) new: Option<PathBuf>,
    /// Print the report as JSON
    #[arg(long, requires = "new", conflicts_with = "markdown")]
    json: bool,
    /// Print the report as Markdown, for a pull request
    #[arg(long, requires = "new")]
    markdown: bool,
    /// List cosmetic changes too
    #[arg(long, requires = "new")]
    verbose: bool,
}

/// Reports what another document means; the exit code says what it asks for.
pub(super) fn check(new: &Path, options: &Options) -> Result<u8, String> {
    let changes = changes(new)?;
    let text = if options.json {
        json(&changes)
    } else if options.markdown {
        markdown(&changes)
    } else {
        terminal(&changes, look(options.verbose))
    };
    let _reader_went_away = std::io::stdout().lock().write_all(text.as_bytes());
    Ok(changes.verdict() as u8)
}

/// Compares the document in force with another one.
fn changes(new: &Path) -> Result<Changes, String> {
    let (document, overrides) = (read(DOCUMENT)?, read(OVERRIDES)?);
    let after = input::read(new)?;
    let version = contract::version()?;
    let path = new.display().to_string();
    let inputs = Inputs {
        before: Source { path: DOCUMENT, text: &document },
        after: Source { path: &path, text: &after.json },
        after_has_lines: after.has_lines,
        overrides: Source { path: OVERRIDES, text: &overrides },
        version: &version,
    };
    compare(&inputs).map_err(|report| format!("{report}\n\n{}", report.summary()))
}

/// What can be seen on this terminal.
#[expect(clippy::disallowed_methods, reason = "color and width are matters of the terminal")]
pub(super) fn look(verbose: bool) -> Look {
    let tty = std::io::stdout().is_terminal();
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let asked = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let measured = || terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
    let width = asked.or_else(|| measured().filter(|_| tty)).unwrap_or(PLAIN_WIDTH);
    Look { width: width.clamp(NARROWEST, WIDEST), color: tty && !plain, verbose }
}
