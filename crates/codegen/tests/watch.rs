//! The scripts of the scheduled workflow, run on a project of its own with local documents; no network, no remote.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A project with the scripts, a document in force, and a stand-in for `cargo spec`.
struct Project(PathBuf);

impl Drop for Project {
    fn drop(&mut self) {
        let _already_gone = fs::remove_dir_all(&self.0);
    }
}

impl Project {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("watch-spec-{name}-{}", std::process::id()));
        let project = Self(folder);
        let _left_over = fs::remove_dir_all(&project.0);
        for folder in ["scripts", "spec"] {
            fs::create_dir_all(project.0.join(folder)).unwrap();
        }
        let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts");
        for script in ["watch-spec", "propose-spec"] {
            let path = project.0.join("scripts").join(script);
            fs::copy(scripts.join(script), path).unwrap();
        }
        fs::write(project.0.join("spec/xyte.json"), "{\"openapi\": \"3.0.3\"}\n").unwrap();
        project
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// Looks at an address, where `cargo spec check` ends with a code.
    fn watch(&self, address: Option<&str>, code: u8) -> Output {
        let check = self.path("check");
        let text = format!("#!/bin/sh\necho \"# Report on $(basename \"$2\") $3\"\nexit {code}\n");
        fs::write(&check, text).unwrap();
        fs::set_permissions(&check, fs::Permissions::from_mode(0o755)).unwrap();
        Command::new(self.path("scripts/watch-spec"))
            .arg(self.path("out"))
            .args(address)
            .env("CARGO_SPEC", check)
            .output()
            .unwrap()
    }

    fn git(&self, arguments: &[&str]) -> String {
        let git = Command::new("git")
            .args(["-c", "user.name=t", "-c", "user.email=t@example.org"])
            .args(arguments)
            .current_dir(&self.0)
            .output()
            .unwrap();
        assert!(git.status.success(), "{}", String::from_utf8_lossy(&git.stderr));
        String::from_utf8(git.stdout).unwrap()
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn without_an_address_nothing_is_done_and_it_is_said_why() {
    let project = Project::new("unset");
    for address in [None, Some("")] {
        let output = project.watch(address, 0);
        assert!(output.status.success());
        assert!(said(&output).contains("set the repository variable SPEC_URL"), "{output:?}");
        assert_eq!(project.read("out/outcome"), "skipped\n");
    }
}

#[test]
fn the_document_in_force_is_told_as_unchanged_from_a_path_and_from_an_address() {
    let project = Project::new("unchanged");
    let path = project.path("spec/xyte.json").display().to_string();
    for address in [path.clone(), format!("file://{path}")] {
        let output = project.watch(Some(&address), 5);
        assert!(output.status.success(), "{output:?}");
        assert_eq!(project.read("out/outcome"), "unchanged\n");
        assert!(!project.path("out/report.md").exists(), "nothing was compared");
    }
}

#[test]
fn another_document_becomes_a_report_a_title_and_a_branch_with_the_document() {
    let project = Project::new("changed");
    project.git(&["init", "--quiet", "--initial-branch", "main"]);
    project.git(&["add", "scripts", "spec"]);
    project.git(&["commit", "--quiet", "--message", "Begin"]);
    let new = project.path("new.json");
    fs::write(&new, "{\"openapi\": \"3.0.3\", \"info\": {}}\n").unwrap();
    for (code, title) in
        [(0, "nothing that needs anybody"), (4, "something to decide"), (5, "callers break")]
    {
        let output = project.watch(Some(&new.display().to_string()), code);
        assert!(output.status.success(), "{output:?}");
        assert_eq!(project.read("out/outcome"), "changed\n");
        assert_eq!(project.read("out/report.md"), "# Report on document.json --markdown\n");
        assert_eq!(
            project.read("out/title"),
            format!("The document of the platform changed: {title}\n")
        );
    }
    let branch = project.read("out/branch");
    let propose = Command::new(project.path("scripts/propose-spec"))
        .args([project.path("out").as_os_str(), "--no-push".as_ref()])
        .output()
        .unwrap();
    assert!(propose.status.success(), "{propose:?}");
    assert_eq!(project.git(&["branch", "--show-current"]), branch);
    assert_eq!(
        project.git(&["show", "--format=", "--name-only", "HEAD"]),
        "spec/proposed/document.json\n"
    );
    assert_eq!(
        project.git(&["show", "HEAD:spec/proposed/document.json"]),
        fs::read_to_string(new).unwrap()
    );
}

#[test]
fn a_document_that_is_not_there_or_cannot_be_compared_fails_without_an_outcome() {
    let project = Project::new("unusable");
    let damaged = project.path("damaged.json");
    fs::write(&damaged, "{").unwrap();
    let damaged = damaged.display().to_string();
    for (address, code) in [("/nowhere.json", 0), ("http://127.0.0.1/", 0), (damaged.as_str(), 100)]
    {
        let output = project.watch(Some(address), code);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        assert!(!project.path("out/outcome").exists());
    }
}
