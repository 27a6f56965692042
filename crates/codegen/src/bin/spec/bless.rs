//! `cargo spec bless`: records answers, writes documents, accepts snapshots. It runs the built server and the tests as processes.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use xyte_mcp_catalogue::{Builtin, Entry};
use xyte_mcp_codegen::Output;

use super::{EXAMPLES, contract, documents, recorded, run, say, write};

const SNAPSHOTS: &str = "snapshots";

/// Records the answers, writes the documents, accepts the snapshots.
pub(super) fn bless() -> Result<u8, String> {
    let output = run()?; // Faults are told before anything is built.
    let moved = contract::check(&output.catalogue)?;
    if moved != 0 {
        return Ok(moved); // Nothing is written, so that no break passes unseen.
    }
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

/// Runs the tests of the workspace, which write the snapshots: all of them, so that one that fails leaves none unwritten.
fn cargo_test(more: &[&str]) -> Result<(), String> {
    let tests = Command::new(env!("CARGO"))
        .args(["test", "--workspace", "--no-fail-fast"])
        .args(more)
        .env("INSTA_UPDATE", "always")
        .env("INSTA_FORCE_PASS", "1")
        .output()
        .map_err(|err| format!("cannot run the tests: {err}"))?;
    if tests.status.success() {
        return Ok(());
    }
    if more.contains(&"--no-run") {
        return Err("the tests do not build: run `cargo test --workspace --no-run`".to_owned());
    }
    let told = String::from_utf8_lossy(&tests.stdout);
    let names =
        told.lines().filter_map(|line| line.strip_prefix("test ")?.strip_suffix(" ... FAILED"));
    // The evals name no test, so the programs that failed are named too.
    let programs = String::from_utf8_lossy(&tests.stderr);
    let programs = programs.lines().map(str::trim).filter(|line| line.starts_with("`-p "));
    let names = names.map(|name| format!("\n  {name}{}", why(&told, name)));
    let failed: Vec<String> = names.chain(programs.map(|name| format!("\n  {name}"))).collect();
    Err(format!(
        "everything is written; what fails for another reason than snapshots:{}\nMend what they name, then run `cargo spec bless` again.",
        failed.concat()
    ))
}

/// The first line of what a failed test says, behind the line with its place.
fn why(told: &str, test: &str) -> String {
    let said = told.split_once(&format!("---- {test} stdout ----")).map_or("", |(_, said)| said);
    let mut lines = said.lines().skip_while(|line| !line.contains("panicked at"));
    lines.nth(1).map(|line| format!(": {line}")).unwrap_or_default()
}

/// Calls every tool with its example on a fresh sandbox, and reads every resource; keeps the answers when all of them came.
fn record(output: &Output) -> Result<(), String> {
    say("building the server");
    let server = build()?;
    say(&format!("recording {} answers", output.catalogue.entries.len()));
    let mut answers = Vec::new();
    for entry in &output.catalogue.entries {
        let name = entry.tool["name"].as_str().unwrap_or_default();
        answers.push((name.to_owned(), call(&server, entry)?));
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

fn call(server: &Path, entry: &Entry) -> Result<String, String> {
    let name = entry.tool["name"].as_str().unwrap_or_default();
    let arguments = Value::Object(entry.example.clone()).to_string();
    let call = Command::new(server)
        .args([
            "call",
            name,
            "--sandbox",
            "--confirm",
            "off",
            "--log-level",
            "ERROR",
            "--args",
            &arguments,
        ])
        .output()
        .map_err(|err| format!("cannot run the server: {err}"))?;
    let answer = steady(&String::from_utf8_lossy(&call.stdout));
    // What is switched off says so, and that is its answer.
    if call.status.success() || entry.builtin == Some(Builtin::AsyncDisabled) {
        return Ok(without_cursor(answer));
    }
    let words = String::from_utf8_lossy(&call.stderr);
    Err(format!("the example of `{name}` fails: {arguments}\n{answer}{words}"))
}

/// A sandbox within the server listens on another port each time; the example shows the usual one.
fn steady(answer: &str) -> String {
    const BEFORE: &str = "http://127.0.0.1:";
    let mut parts = answer.split(BEFORE);
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        let rest = part.trim_start_matches(|char: char| char.is_ascii_digit());
        format!("{text}{BEFORE}8090{rest}")
    })
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
    Ok(without_cursor(format!("{value:#}\n")))
}

/// No two cursors are alike, so a recorded answer holds a word in place of one.
fn without_cursor(answer: String) -> String {
    let Ok(mut value) = serde_json::from_str::<Value>(&answer) else { return answer };
    // Nor is a port.
    if let Some(Value::String(url)) = value.pointer_mut("/request/url") {
        *url = at_usual_port(url);
    } else {
        match value.pointer_mut("/page/next_cursor") {
            Some(cursor) if cursor.is_string() => *cursor = "opaque-cursor".into(),
            _ => return answer,
        }
    }
    format!("{value:#}\n")
}

/// The same address at the port that a sandbox has when nobody chooses one.
fn at_usual_port(url: &str) -> String {
    const HOST: &str = "http://127.0.0.1:";
    match url.strip_prefix(HOST).and_then(|rest| rest.split_once('/')) {
        Some((_, path)) => format!("{HOST}8090/{path}"),
        None => url.to_owned(),
    }
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
