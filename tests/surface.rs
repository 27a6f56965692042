//! Rules of our own that every served tool and resource obeys, and a snapshot of each; those of clients are in `cargo spec lint`.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::collections::BTreeSet;

use serde_json::Value;
use support::{capabilities, name, project, read};

fn entries() -> Vec<Value> {
    capabilities()["entries"].as_array().unwrap().clone()
}

/// Columns whose type no source tells.
const UNKNOWN_COLUMNS: [&str; 6] = [
    "list_assets: id",
    "list_assets: device_type",
    "list_assets: manufacturer",
    "list_assets: device_model",
    "list_assets: status",
    "list_device_commands: params",
];

/// Tokens as everywhere in the project: characters of the compact JSON divided by four.
fn tokens(tool: &Value) -> usize {
    tool.to_string().chars().count().div_ceil(4)
}

#[test]
fn every_operation_of_the_document_is_exposed_or_skipped_with_a_reason() {
    let catalogue = capabilities();
    let document: Value = serde_json::from_str(&read("spec/xyte.json")).unwrap();
    let mut documented: Vec<&str> = Vec::new();
    for item in document["paths"].as_object().unwrap().values() {
        documented.extend(
            item.as_object()
                .unwrap()
                .values()
                .filter_map(|operation| operation["operationId"].as_str()),
        );
    }
    let skipped = catalogue["skipped"].as_array().unwrap();
    assert!(skipped.iter().all(|skip| skip["reason"].as_str().unwrap().len() > 20));
    let entries = catalogue["entries"].as_array().unwrap().iter();
    let known = entries.filter(|entry| entry["answer"]["form"] != "computed").chain(skipped);
    let mut known: Vec<&str> = known.map(|entry| entry["operation"].as_str().unwrap()).collect();
    documented.sort_unstable();
    known.sort_unstable();
    assert!(!documented.is_empty());
    assert_eq!(documented, known);
}

#[test]
fn the_default_set_leaves_a_model_room_to_think() {
    let default: Vec<Value> =
        entries().into_iter().filter(|entry| entry["default"] == true).collect();
    let sum: usize = default.iter().map(|entry| tokens(&entry["tool"])).sum();
    assert!((8..=30).contains(&default.len()), "{} tools", default.len());
    assert!(sum <= 6000, "{sum} tokens");
}

#[test]
fn every_tool_says_what_it_is_and_what_it_does() {
    let mut names = BTreeSet::new();
    for entry in entries() {
        let (name, tool) = (name(&entry), &entry["tool"]);
        assert!(names.insert(name.to_owned()), "two tools are called {name}");
        let words = tool["description"].as_str().unwrap().split_whitespace().count();
        assert!((4..=60).contains(&words), "{name}: {words} words");
        let read = entry["class"] == "read";
        assert_eq!(tool["annotations"]["readOnlyHint"], read, "{name}");
        assert_eq!(
            tool["annotations"]["destructiveHint"],
            entry["class"] == "destructive",
            "{name}"
        );
        let mutating = tool["inputSchema"]["properties"].get("dry_run").is_some();
        assert_eq!(
            mutating, !read,
            "{name}: whoever changes something can be asked to show it first"
        );
    }
}

#[test]
fn parameters_of_paging_are_no_arguments() {
    for entry in entries() {
        let name = name(&entry);
        let arguments = entry["arguments"].as_array().unwrap();
        for consumed in ["page", "per_page", "page_size"] {
            assert!(
                arguments.iter().all(|argument| argument["name"] != consumed),
                "{name}: {consumed}"
            );
        }
    }
}

#[test]
fn every_output_schema_names_and_types_the_columns_and_demands_nothing() {
    let mut untyped = Vec::new();
    for entry in entries() {
        let (name, schema) = (name(&entry), &entry["tool"]["outputSchema"]);
        assert!(!schema["properties"].as_object().unwrap().is_empty(), "{name}");
        let row = match entry["answer"]["form"].as_str().unwrap() {
            "list" => &schema["properties"]["items"]["items"],
            _ => schema,
        };
        for column in entry["answer"]["columns"].as_array().into_iter().flatten() {
            let mut current = row;
            for part in column.as_str().unwrap().split('.') {
                current = &current["properties"][part];
            }
            let typed = current.get("type").is_some() || current.get("anyOf").is_some();
            if !typed {
                untyped.push(format!("{name}: {}", column.as_str().unwrap()));
            }
        }
    }
    // What the sources do not tell: spec/README.md, "How much is known".
    untyped.retain(|column| !UNKNOWN_COLUMNS.contains(&column.as_str()));
    assert!(untyped.is_empty(), "{untyped:?}");
}

#[test]
fn resources_and_routes_have_the_same_variables() {
    let variables = |template: &str| {
        let found =
            template.split('{').skip(1).map(|rest| rest.split('}').next().unwrap().to_owned());
        found.collect::<BTreeSet<_>>()
    };
    let mut uris = Vec::new();
    for entry in entries() {
        let Some(resource) = entry.get("resource") else { continue };
        let uri = resource["uri"].as_str().unwrap();
        assert_eq!(variables(uri), variables(entry["route"].as_str().unwrap()), "{uri}");
        assert!(resource["alias"].as_str().unwrap().starts_with("xyte://"), "{uri}");
        uris.push(uri.to_owned());
    }
    assert!(!uris.is_empty());
}

#[test]
fn every_tool_and_resource_has_its_snapshot_and_no_snapshot_is_an_orphan() {
    let mut expected = BTreeSet::new();
    for (folder, part) in [("tools", "tool"), ("resources", "resource")] {
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(project("snapshots").join(folder));
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.bind(|| {
            for entry in entries().iter().filter(|entry| entry.get(part).is_some()) {
                insta::assert_snapshot!(name(entry), format!("{:#}", entry[part]));
                expected.insert(format!("{folder}/{}.snap", name(entry)));
            }
        });
    }
    let mut found = BTreeSet::new();
    for folder in ["tools", "resources"] {
        for file in std::fs::read_dir(project("snapshots").join(folder)).unwrap() {
            found.insert(format!("{folder}/{}", file.unwrap().file_name().to_str().unwrap()));
        }
    }
    let orphans: Vec<_> = found.difference(&expected).collect();
    assert!(orphans.is_empty(), "remove snapshots/{orphans:?}, or run `cargo spec bless`");
}
