//! The generator: an OpenAPI document and one overrides file in, source and documents out.
//!
//! Pure: text in, text out. It opens no file, asks no clock and no environment, and the same input gives the same output whatever the order of keys in the document.

pub mod diagnostic;
pub mod diff;
mod emit;
pub mod lint;
mod overrides;
pub mod report;
mod resolve;
mod spec;
#[cfg(feature = "cli")]
pub mod update;

use std::collections::BTreeMap;

use diagnostic::{Diagnostic, Report, Severity, Source};
use xyte_mcp_catalogue::Catalogue;

/// What the generator reads.
#[derive(Debug, Clone, Copy)]
pub struct Inputs<'a> {
    /// The OpenAPI 3.0 document, as JSON.
    pub document: Source<'a>,
    /// The overrides, as TOML.
    pub overrides: Source<'a>,
    /// Template of the generated dispatch, `calls.rs`.
    pub calls_template: &'a str,
    /// Template of `API_USAGE.md`.
    pub usage_template: &'a str,
    /// Recorded answers by tool name, shown in `API_USAGE.md`.
    pub examples: &'a BTreeMap<String, String>,
    /// Where contracts are locked: under which version, and what was served before.
    pub lock: Option<Locking<'a>>,
}

/// What a contract is compared with.
#[derive(Debug, Clone, Copy)]
pub struct Locking<'a> {
    /// The version of the program.
    pub version: &'a str,
    /// The `capabilities.json` that is checked in; empty where there is none yet.
    pub before: &'a str,
}

/// What the generator writes.
#[derive(Debug, Clone, PartialEq)]
pub struct Output {
    /// The typed client, Rust.
    pub client: String,
    /// One arm per operation, Rust.
    pub calls: String,
    /// What the product computes by hand: arguments and methods, Rust.
    pub workflows: String,
    /// The catalogue the server loads, JSON.
    pub capabilities: String,
    /// The usage document, Markdown.
    pub usage: String,
    /// The document with the patches applied, JSON.
    pub document: String,
    /// What the document says of each answer, JSON Schemas by operation.
    pub answers: String,
    /// The same as `capabilities`, as data.
    pub catalogue: Catalogue,
    /// Findings that do not stop the build, rendered.
    pub warnings: Vec<Diagnostic>,
}

impl Output {
    /// The generated files by name; a program includes `product.rs`, which includes the others.
    pub fn files(&self) -> [(&'static str, &str); 8] {
        [
            ("product.rs", emit::product::TEXT),
            ("client.rs", &self.client),
            ("calls.rs", &self.calls),
            ("workflows.rs", &self.workflows),
            ("capabilities.json", &self.capabilities),
            ("API_USAGE.md", &self.usage),
            ("document.json", &self.document),
            ("answers.json", &self.answers),
        ]
    }
}

/// Generates everything, or reports every fault at once.
pub fn generate(inputs: &Inputs<'_>) -> Result<Output, Report> {
    let mut findings = Vec::new();
    let version = inputs.lock.map(|locking| locking.version);
    let resolved = resolved(inputs.document, inputs.overrides, version, &mut findings);
    let Some((document, mut catalogue)) = resolved else {
        return Err(report(inputs, findings));
    };
    if let Some(locking) = inputs.lock {
        let lock = diff::lock::Lock::read(locking.before);
        diff::lock::seal(&mut catalogue, locking.version, lock.as_ref());
    }
    let (client, signatures) = match emit::client::emit(&document, &catalogue) {
        Ok(client) => client,
        Err(faults) => {
            findings.extend(faults);
            return Err(report(inputs, findings));
        }
    };
    let written =
        emit::calls::emit(inputs.calls_template, &catalogue, &signatures).and_then(|calls| {
            Ok((calls, emit::usage::emit(inputs.usage_template, &catalogue, inputs.examples)?))
        });
    let (calls, usage) = match written {
        Ok(written) => written,
        Err(fault) => {
            findings.push(fault);
            return Err(report(inputs, findings));
        }
    };
    let answers = resolve::known::answers(&document, &catalogue);
    Ok(Output {
        client,
        calls,
        workflows: emit::workflows::emit(&catalogue),
        capabilities: emit::capabilities::emit(&catalogue),
        usage,
        document: document.value.to_string(),
        answers: serde_json::Value::Object(answers).to_string(),
        catalogue,
        warnings: findings,
    })
}

/// Decides what is served, without writing any of it, or reports every fault at once.
pub fn catalogue(document: Source<'_>, overrides: Source<'_>) -> Result<Catalogue, Report> {
    let mut findings = Vec::new();
    match resolved(document, overrides, None, &mut findings) {
        Some((_, catalogue)) => Ok(catalogue),
        None => Err(Report::new(document, overrides, findings)),
    }
}

/// Reads both texts and makes every decision; nothing where there is an error among the findings.
fn resolved(
    document: Source<'_>,
    overrides: Source<'_>,
    version: Option<&str>,
    findings: &mut Vec<Diagnostic>,
) -> Option<(spec::Document, Catalogue)> {
    let overrides = overrides::parse(overrides.text, findings);
    let value = spec::parse(document.text, findings);
    let (overrides, mut value) = (overrides?, value?);
    resolve::farewell::check(&overrides, version, findings);
    spec::patch::apply(&mut value, &overrides.patches, findings);
    if !spec::check_version(&value, findings) {
        return None;
    }
    let document = spec::read(value, findings);
    let catalogue = resolve::resolve(&document, &overrides, findings);
    let faulty = findings.iter().any(|finding| finding.severity == Severity::Error);
    (!faulty).then_some((document, catalogue))
}

/// Sorts the findings by place, so that they read from the top of each file down.
fn report(inputs: &Inputs<'_>, diagnostics: Vec<Diagnostic>) -> Report {
    Report::new(inputs.document, inputs.overrides, diagnostics)
}
