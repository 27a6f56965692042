//! What the build script of a product does: reads its files, writes what the generator makes of them, or prints the report.
//!
//! It knows files and cargo; what is made of them is decided by the generator.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{env, fs, process};

use xyte_mcp_codegen::{Inputs, Locking, diagnostic::Source, generate};

const CALLS_TEMPLATE: &str = include_str!("../../../templates/calls.rs.j2");
const USAGE_TEMPLATE: &str = include_str!("../../../templates/API_USAGE.md.j2");

/// Where the files of a product lie, from its own folder.
#[derive(Debug, Clone, Copy)]
pub struct Files<'a> {
    /// The OpenAPI 3.0 document.
    pub document: &'a str,
    /// The overrides.
    pub overrides: &'a str,
    /// A folder of recorded answers by tool, for the usage document.
    pub examples: Option<&'a str>,
    /// The checked-in `capabilities.json`, for a product that locks the contracts of its tools.
    pub lock: Option<&'a str>,
}

impl Files<'_> {
    /// Writes everything into `OUT_DIR`; with a fault in the document or the overrides the build ends here, with a report.
    ///
    /// # Panics
    /// Outside of a build script.
    pub fn generate(&self) {
        let (document, overrides) = (read(self.document), read(self.overrides));
        let examples = self.examples.map(examples).unwrap_or_default();
        let version = env::var_os("CARGO_PKG_VERSION").unwrap_or_default();
        let version = version.to_string_lossy();
        // A lock that is not there yet stops no build: everything is served since now.
        let before =
            self.lock.map(|path| if Path::new(path).exists() { read(path) } else { String::new() });
        let generated = generate(&Inputs {
            document: Source { path: self.document, text: &document },
            overrides: Source { path: self.overrides, text: &overrides },
            calls_template: CALLS_TEMPLATE,
            usage_template: USAGE_TEMPLATE,
            examples: &examples,
            lock: before.as_deref().map(|before| Locking { version: &version, before }),
        });
        let output =
            generated.unwrap_or_else(|report| fail(&format!("{report}\n"), &report.summary()));
        for warning in &output.warnings {
            tell(&format!("cargo::warning={}", warning.message));
        }
        let out_dir = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
        for (name, text) in output.files() {
            fs::write(out_dir.join(name), text)
                .unwrap_or_else(|err| fail("", &format!("cannot write {name}: {err}")));
        }
    }
}

fn examples(folder: &str) -> BTreeMap<String, String> {
    tell(&format!("cargo::rerun-if-changed={folder}"));
    let files = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    files.map(|path| (stem(&path), read(&path.to_string_lossy()))).collect()
}

fn read(path: &str) -> String {
    tell(&format!("cargo::rerun-if-changed={path}"));
    fs::read_to_string(path).unwrap_or_else(|err| fail("", &format!("cannot read {path}: {err}")))
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

#[expect(clippy::print_stdout, reason = "cargo reads a build script's output")]
fn tell(line: &str) {
    println!("{line}");
}

#[expect(clippy::exit, reason = "the report says more than the backtrace of a panic")]
fn fail(report: &str, summary: &str) -> ! {
    eprint!("{report}");
    tell(&format!("cargo::error={summary}"));
    process::exit(1)
}
