//! `cargo spec`: the maintainers' program. Files and processes live here, decisions in the library.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use clap::{Parser, Subcommand};
use serde_json::{Map, Value, json};
use xyte_mcp_codegen::diagnostic::Source;
use xyte_mcp_codegen::{Inputs, Output, generate};

const DOCUMENT: &str = "spec/xyte.json";
const OVERRIDES: &str = "overrides/xyte.toml";
const EXAMPLES: &str = "docs/examples";
const SNAPSHOTS: &str = "snapshots";

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
    /// Tell whether what is checked in is fresh
    Check,
}

fn main() -> ExitCode {
    let done = match Cli::parse().task {
        Task::Bless => bless(),
        Task::Check => check(),
    };
    match done {
        Ok(code) => ExitCode::from(code),
        Err(fault) => {
            eprintln!("{fault}");
            ExitCode::from(UNUSABLE)
        }
    }
}

/// Records the answers, writes the documents, accepts the snapshots.
fn bless() -> Result<u8, String> {
    let output = run()?; // Faults are told before anything is built.
    record(&output)?;
    let output = run()?;
    for (path, text) in documents(&output) {
        write(path, text)?;
    }
    say("writing snapshots");
    cargo_test(&["--no-run"])?; // Before anything is removed.
    if Path::new(SNAPSHOTS).exists() {
        // All of them are written anew, so that none outlives its tool.
        fs::remove_dir_all(SNAPSHOTS).map_err(|err| format!("cannot remove {SNAPSHOTS}: {err}"))?;
    }
    cargo_test(&[])?;
    Ok(0)
}

/// Runs the tests of the workspace, which write the snapshots.
fn cargo_test(more: &[&str]) -> Result<(), String> {
    let tests = Command::new(env!("CARGO"))
        .args(["test", "--quiet", "--workspace"])
        .args(more)
        .env("INSTA_UPDATE", "always")
        .env("INSTA_FORCE_PASS", "1")
        .stdout(Stdio::null())
        .status()
        .map_err(|err| format!("cannot run the tests: {err}"))?;
    if tests.success() {
        return Ok(());
    }
    Err("the tests fail for another reason than snapshots: run `cargo test --workspace`".to_owned())
}

/// Compares what is checked in with what would be generated.
fn check() -> Result<u8, String> {
    let output = run()?;
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
    [("docs/capabilities.json", &output.capabilities), ("docs/API_USAGE.md", &output.usage)]
}

/// Runs the generator as build.rs does.
fn run() -> Result<Output, String> {
    let (document, overrides) = (read(DOCUMENT)?, read(OVERRIDES)?);
    let mut examples = BTreeMap::new();
    for path in recorded() {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        examples.insert(name, read(&path)?);
    }
    let inputs = Inputs {
        document: Source { path: DOCUMENT, text: &document },
        overrides: Source { path: OVERRIDES, text: &overrides },
        calls_template: &read("templates/calls.rs.j2")?,
        usage_template: &read("templates/API_USAGE.md.j2")?,
        examples: &examples,
    };
    generate(&inputs).map_err(|report| format!("{report}\n\n{}", report.summary()))
}

/// Calls every tool with its example on a fresh sandbox, and reads every resource; keeps the answers when all of them came.
fn record(output: &Output) -> Result<(), String> {
    say("building the server");
    let server = build()?;
    say(&format!("recording {} answers", output.catalogue.entries.len()));
    let mut answers = Vec::new();
    for entry in &output.catalogue.entries {
        let name = entry.tool["name"].as_str().unwrap_or_default();
        answers.push((name.to_owned(), call(&server, name, &entry.example)?));
        if let Some(resource) = &entry.resource {
            answers.push((
                format!("{name}.resource"),
                read_resource(&server, &resource.example(&entry.example))?,
            ));
        }
    }
    fs::create_dir_all(EXAMPLES).map_err(|err| format!("cannot make {EXAMPLES}: {err}"))?;
    for path in recorded() {
        fs::remove_file(&path).map_err(|err| format!("cannot remove {}: {err}", path.display()))?;
    }
    answers.iter().try_for_each(|(name, answer)| write(&format!("{EXAMPLES}/{name}.json"), answer))
}

fn call(server: &Path, name: &str, example: &Map<String, Value>) -> Result<String, String> {
    let arguments = Value::Object(example.clone()).to_string();
    let call = Command::new(server)
        .args(["call", name, "--sandbox", "--log-level", "ERROR", "--args", &arguments])
        .output()
        .map_err(|err| format!("cannot run the server: {err}"))?;
    let answer = String::from_utf8_lossy(&call.stdout).into_owned();
    if call.status.success() {
        return Ok(answer);
    }
    let words = String::from_utf8_lossy(&call.stderr);
    Err(format!("the example of `{name}` fails: {arguments}\n{answer}{words}"))
}

/// Reads a resource as a client does, and shortens a list to its first rows.
fn read_resource(server: &Path, uri: &str) -> Result<String, String> {
    const ROWS: usize = 2; // Enough to see the form.
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let request = json!({"jsonrpc": "2.0", "id": 1, "method": "resources/read", "params": {"uri": uri, "_meta": meta}});
    let mut child = Command::new(server)
        .args(["stdio", "--sandbox", "--log-level", "ERROR"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|err| format!("cannot run the server: {err}"))?;
    let mut input = child.stdin.take().ok_or("the server takes no input")?;
    writeln!(input, "{request}").map_err(|err| format!("the server takes no input: {err}"))?;
    drop(input);
    let output =
        child.wait_with_output().map_err(|err| format!("the server gives no output: {err}"))?;
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let text = answer.pointer("/result/contents/0/text").and_then(Value::as_str);
    let text = text.ok_or_else(|| format!("the resource {uri} cannot be read: {answer}"))?;
    let mut value: Value =
        serde_json::from_str(text).map_err(|err| format!("{uri} is no JSON: {err}"))?;
    if let Some(items) = value.get_mut("items").and_then(Value::as_array_mut) {
        items.truncate(ROWS);
    }
    Ok(format!("{value:#}\n"))
}

/// Builds the server and finds its executable.
fn build() -> Result<PathBuf, String> {
    let built = Command::new(env!("CARGO"))
        .args(["build", "--package", "xyte-mcp", "--message-format", "json-render-diagnostics"])
        .stderr(Stdio::inherit())
        .output()
        .map_err(|err| format!("cannot run cargo: {err}"))?;
    if !built.status.success() {
        return Err("the server does not build".to_owned());
    }
    let messages = String::from_utf8_lossy(&built.stdout).into_owned();
    let executable = messages.lines().filter_map(|line| {
        let message: Value = serde_json::from_str(line).ok()?;
        (message["target"]["name"] == "xyte-mcp")
            .then(|| message["executable"].as_str().map(PathBuf::from))?
    });
    { executable }.next_back().ok_or_else(|| "cargo named no executable".to_owned())
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
