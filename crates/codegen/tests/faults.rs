//! One folder under `faults/` per fault: what differs from `base/`, and a snapshot of what the maintainer reads.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use xyte_mcp_codegen::diagnostic::{Severity, Source};
use xyte_mcp_codegen::{Inputs, generate};

#[test]
fn every_fault_is_reported_with_its_place_and_a_way_out() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../../../snapshots/diagnostics");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
        let mut faults: Vec<_> = std::fs::read_dir(tests.join("faults"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        faults.sort();
        let mut names = BTreeSet::new();
        assert!(faults.len() >= 40, "the folder of faults was found");
        for fault in faults {
            let read = |file: &str| {
                std::fs::read_to_string(fault.join(file))
                    .or_else(|_| std::fs::read_to_string(tests.join("base").join(file)))
                    .unwrap()
            };
            let name = fault.file_name().unwrap().to_str().unwrap();
            names.insert(format!("{name}.snap"));
            insta::assert_snapshot!(
                name,
                report(&read("document.json"), &read("overrides.toml"), name)
            );
        }
        let folder = tests.join("../../../snapshots/diagnostics");
        let found = std::fs::read_dir(folder).unwrap();
        let orphans: Vec<String> = found
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            .filter(|file| !names.contains(file))
            .collect();
        assert!(orphans.is_empty(), "remove {orphans:?} from snapshots/diagnostics");
    });
}

fn report(document: &str, overrides: &str, name: &str) -> String {
    let inputs = Inputs {
        document: Source { path: "spec/api.json", text: document },
        overrides: Source { path: "overrides/api.toml", text: overrides },
        calls_template: "",
        usage_template: "",
        examples: &BTreeMap::new(),
        lock: None,
    };
    let report = generate(&inputs).expect_err(name);
    assert!(report.diagnostics.iter().any(|finding| finding.severity == Severity::Error), "{name}");
    let rendered = report.to_string();
    assert!(rendered.contains("-->"), "{name} shows no place:\n{rendered}");
    rendered
}
