//! `cargo spec`: the maintainers' program. Files and processes live here, decisions in the library.

mod bless;
mod check;
mod contract;
mod input;
mod lint;
mod update;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use xyte_mcp_codegen::diagnostic::Source;
use xyte_mcp_codegen::{Inputs, Locking, Output, generate};

const DOCUMENT: &str = "spec/xyte.json";
const OVERRIDES: &str = "overrides/xyte.toml";
const EXAMPLES: &str = "docs/examples";
const CAPABILITIES: &str = "docs/capabilities.json";

/// Exit codes, so that a workflow can tell what is needed.
const NEEDS_A_DECISION: u8 = 4;
const UNUSABLE: u8 = 100;

/// Keeps what is generated in step with the document and the overrides.
#[derive(Parser)]
#[command(name = "cargo spec")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Regenerate every checked-in generated file and snapshot
    Bless,
    /// Tell what another version of the document means for agents; without a file, whether what is checked in is fresh
    Check(check::Options),
    /// Put another version of the document in force: overrides, documents, snapshots, list of changes
    Update(update::Wish),
    /// Tell whether every client takes what is served, and what it costs
    Lint,
}

fn main() -> ExitCode {
    let done = match Cli::parse().task {
        Task::Bless => bless::bless(),
        Task::Check(options) => match &options.new {
            Some(new) => check::check(new, &options),
            None => fresh(),
        },
        Task::Update(wish) => update::run(&wish),
        Task::Lint => lint::run(),
    };
    match done {
        Ok(code) => ExitCode::from(code),
        Err(fault) => {
            say(&fault);
            ExitCode::from(UNUSABLE)
        }
    }
}

/// Compares what is checked in with what would be generated.
fn fresh() -> Result<u8, String> {
    let output = run()?;
    let moved = contract::check(&output.catalogue)?;
    if moved != 0 {
        return Ok(moved); // `bless` would say the same.
    }
    let stale: Vec<&str> = documents(&output)
        .into_iter()
        .filter(|(path, text)| fs::read_to_string(path).ok().as_deref() != Some(*text))
        .map(|(path, _)| path)
        .collect();
    if stale.is_empty() {
        say("fresh: the documents are what the generator writes");
        return Ok(0);
    }
    say(&format!("stale: {}; run `cargo spec bless`", stale.join(", ")));
    Ok(NEEDS_A_DECISION)
}

fn documents(output: &Output) -> [(&'static str, &str); 2] {
    [(CAPABILITIES, &output.capabilities), ("docs/API_USAGE.md", &output.usage)]
}

/// Runs the generator as build.rs does.
fn run() -> Result<Output, String> {
    let (document, overrides) = (read(DOCUMENT)?, read(OVERRIDES)?);
    let mut examples = BTreeMap::new();
    for path in recorded() {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        examples.insert(name, read(&path)?);
    }
    let (version, before) = (contract::version()?, contract::locked()?);
    let inputs = Inputs {
        document: Source { path: DOCUMENT, text: &document },
        overrides: Source { path: OVERRIDES, text: &overrides },
        calls_template: &read("templates/calls.rs.j2")?,
        usage_template: &read("templates/API_USAGE.md.j2")?,
        examples: &examples,
        lock: Some(Locking { version: &version, before: &before }),
    };
    generate(&inputs).map_err(|report| format!("{report}\n\n{}", report.summary()))
}

fn recorded() -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(EXAMPLES).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

fn read(path: impl AsRef<Path>) -> Result<String, String> {
    let path = path.as_ref();
    fs::read_to_string(path).map_err(|err| format!("cannot read {}: {err}", path.display()))
}

fn write(path: &str, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|err| format!("cannot write {path}: {err}"))
}

/// Tells the maintainer what goes on.
fn say(text: &str) {
    let _nobody_listens = writeln!(std::io::stderr(), "{text}");
}
