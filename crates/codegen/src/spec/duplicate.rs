//! Keys that stand twice in one JSON object. A parser keeps the last silently, which would generate a server that lies.

use jsonc_parser::ast::Value;
use jsonc_parser::common::Ranged;

use crate::diagnostic::{Diagnostic, Place};

/// Finds every key that stands twice.
pub(crate) fn find(text: &str) -> Vec<Diagnostic> {
    let parsed = jsonc_parser::parse_to_ast(
        text,
        &jsonc_parser::CollectOptions::default(),
        &jsonc_parser::ParseOptions::default(),
    );
    let mut findings = Vec::new();
    if let Some(root) = parsed.ok().and_then(|result| result.value) {
        visit(&root, &mut findings);
    }
    findings
}

fn visit(value: &Value<'_>, findings: &mut Vec<Diagnostic>) {
    match value {
        Value::Object(object) => {
            let mut seen = std::collections::BTreeSet::new();
            for member in &object.properties {
                let name = member.name.as_str();
                if !seen.insert(name) {
                    let place = Place::DocumentBytes(
                        member.range().start..member.range().start + name.len() + 2,
                    );
                    findings.push(
                        Diagnostic::new(
                            "duplicate-key",
                            place,
                            format!("the key `{name}` stands twice in one object"),
                        )
                        .label("only this last one would count")
                        .help("remove one of the two"),
                    );
                }
                visit(&member.value, findings);
            }
        }
        Value::Array(array) => array.elements.iter().for_each(|element| visit(element, findings)),
        _ => {}
    }
}
