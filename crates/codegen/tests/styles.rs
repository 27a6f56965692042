//! Documents of other styles: what of them is refused, with the place and the reason, and what is served.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use xyte_mcp_codegen::diagnostic::{Report, Source};
use xyte_mcp_codegen::{Inputs, Output, generate};

fn styles() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/styles");
    let mut styles: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    styles.sort();
    assert!(styles.len() >= 5, "the folder of styles was found");
    styles
}

fn run(style: &Path, overrides: &str) -> Result<Output, Report> {
    let read = |path: &Path| std::fs::read_to_string(path).unwrap();
    let templates = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../templates");
    generate(&Inputs {
        document: Source { path: "openapi.json", text: &read(&style.join("document.json")) },
        overrides: Source { path: "overrides.toml", text: &read(&style.join(overrides)) },
        calls_template: &read(&templates.join("calls.rs.j2")),
        usage_template: &read(&templates.join("API_USAGE.md.j2")),
        examples: &BTreeMap::new(),
        lock: None,
    })
}

fn settings() -> insta::Settings {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../../../snapshots/styles");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings
}

fn name(style: &Path) -> &str {
    style.file_name().unwrap().to_str().unwrap()
}

#[test]
fn what_cannot_be_carried_is_refused_by_operation_and_place() {
    settings().bind(|| {
        for style in styles() {
            let report = run(&style, "everything.toml").expect_err(name(&style)).to_string();
            insta::assert_snapshot!(format!("{}.refused", name(&style)), report);
        }
    });
}

#[test]
fn the_rest_is_served_once_the_refused_is_skipped_or_mended() {
    settings().bind(|| {
        for style in styles() {
            let output = run(&style, "served.toml")
                .unwrap_or_else(|report| panic!("{}:\n{report}", name(&style)));
            syn::parse_file(&format!("{}\n{}", output.client, output.calls)).unwrap();
            insta::assert_snapshot!(format!("{}.served", name(&style)), told(&output));
        }
    });
}

/// What a reader wants to know of each tool: request, key, body, arguments, answer.
fn told(output: &Output) -> String {
    let mut text = output.calls.clone();
    for entry in &output.catalogue.entries {
        let arguments: Vec<String> = entry
            .arguments
            .iter()
            .map(|argument| format!("{}={:?} {}", argument.name, argument.location, argument.wire))
            .collect();
        writeln!(text, "\n{} ({})", entry.tool["name"], entry.toolset).unwrap();
        let sending = output.catalogue.api.sending.get(&entry.credential);
        writeln!(text, "key: {:?} {sending:?}", entry.credential).unwrap();
        writeln!(text, "body: {:?}, answer: {:?}", entry.media, entry.accept).unwrap();
        writeln!(text, "arguments: {}", arguments.join("; ")).unwrap();
        writeln!(text, "{:?}\n{:?}", entry.answer, entry.paging).unwrap();
        writeln!(text, "{}", entry.tool["inputSchema"]).unwrap();
    }
    text
}
