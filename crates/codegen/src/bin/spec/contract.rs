//! The contract lock and the version in `Cargo.toml`: whether one moved with the other. What is a break is decided in the library.

use std::path::Path;

use toml_edit::DocumentMut;
use xyte_mcp_catalogue::Catalogue;
use xyte_mcp_codegen::diff::lock::{Judgement, Lock, judge};
use xyte_mcp_codegen::report::contracts;

use super::{CAPABILITIES, read, say, write};

const MANIFEST: &str = "Cargo.toml";

/// The checked-in catalogue; empty where there is none yet.
pub(super) fn locked() -> Result<String, String> {
    if Path::new(CAPABILITIES).exists() { read(CAPABILITIES) } else { Ok(String::new()) }
}

/// The version of the program as it is now, which need not be the one this was compiled with.
pub(super) fn version() -> Result<String, String> {
    let version = manifest()?["workspace"]["package"]["version"].as_str().map(str::to_owned);
    version.ok_or_else(|| format!("{MANIFEST} has no `workspace.package.version`"))
}

fn manifest() -> Result<DocumentMut, String> {
    read(MANIFEST)?.parse().map_err(|err| format!("cannot read {MANIFEST}: {err}"))
}

/// Says what changed where the version did not move with it, and which exit code that is; 0 otherwise.
pub(super) fn check(catalogue: &Catalogue) -> Result<u8, String> {
    let version = version()?;
    let Some(judgement) = judged(catalogue, &version)? else { return Ok(0) };
    let code = judgement.verdict() as u8;
    if code != 0 {
        say(&contracts(&judgement, &version));
    }
    Ok(code)
}

fn judged(catalogue: &Catalogue, version: &str) -> Result<Option<Judgement>, String> {
    let text = locked()?;
    if text.is_empty() {
        say(&format!("{CAPABILITIES} is not there: contracts are locked from now on"));
        return Ok(None);
    }
    serde_json::from_str::<serde::de::IgnoredAny>(&text).map_err(|err| {
        format!("{CAPABILITIES} is the lock of the contracts, and no JSON ({err}): restore it")
    })?;
    Ok(Lock::read(&text).map(|lock| judge(&lock, catalogue, version)))
}

/// Raises the version to what the contracts ask for, or to the advised one where that is higher; gives the version from now on.
pub(super) fn raise(advised: &str, catalogue: Option<&Catalogue>) -> Result<String, String> {
    let now = version()?;
    let asked = match catalogue {
        Some(catalogue) => judged(catalogue, advised)?
            .filter(|judgement| !judgement.moved && !judgement.changes.is_empty())
            .map(|judgement| judgement.advice.next),
        None => None,
    };
    let next = asked.unwrap_or_else(|| advised.to_owned());
    if next == now {
        return Ok(next);
    }
    let mut manifest = manifest()?;
    manifest["workspace"]["package"]["version"] = toml_edit::value(&next);
    write(MANIFEST, &manifest.to_string())?;
    say(&format!("{MANIFEST}: {now} → {next}"));
    Ok(next)
}
