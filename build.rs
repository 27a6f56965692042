//! Reads the document, the overrides and the templates; writes what the generator makes of them, or prints its report.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{env, fs, process};

use xyte_mcp_codegen::{Inputs, diagnostic::Source, generate};

fn main() {
    let (document, overrides) = (read("spec/xyte.json"), read("overrides/xyte.toml"));
    println!("cargo::rerun-if-changed=docs/examples");
    let recorded =
        fs::read_dir("docs/examples").into_iter().flatten().flatten().map(|entry| entry.path());
    let examples: BTreeMap<String, String> =
        recorded.map(|path| (stem(&path), read(&path.to_string_lossy()))).collect();
    let generated = generate(&Inputs {
        document: Source { path: "spec/xyte.json", text: &document },
        overrides: Source { path: "overrides/xyte.toml", text: &overrides },
        calls_template: &read("templates/calls.rs.j2"),
        usage_template: &read("templates/API_USAGE.md.j2"),
        examples: &examples,
    });
    let output = generated.unwrap_or_else(|report| fail(&format!("{report}\n"), &report.summary()));
    output.warnings.iter().for_each(|warning| println!("cargo::warning={}", warning.message));
    let out_dir = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    for (name, text) in output.files() {
        fs::write(out_dir.join(name), text)
            .unwrap_or_else(|err| fail("", &format!("cannot write {name}: {err}")));
    }
}

fn read(path: &str) -> String {
    println!("cargo::rerun-if-changed={path}");
    fs::read_to_string(path).unwrap_or_else(|err| fail("", &format!("cannot read {path}: {err}")))
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

#[expect(clippy::exit, reason = "the report says more than the backtrace of a panic")]
fn fail(report: &str, summary: &str) -> ! {
    eprint!("{report}");
    println!("cargo::error={summary}");
    process::exit(1)
}
