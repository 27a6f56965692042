//! A proposal as a table of the overrides. Writes only what differs from the defaults.

use std::fmt::Write;

use serde_json::json;
use xyte_mcp_catalogue::Class;

use crate::overrides::OperationOverride;
use crate::spec::Operation;
use crate::spec::operation::snake;

/// Writes the table, or a line for `[skip]` where the operation cannot be exposed.
pub(super) fn write(operation: &Operation, table: &OperationOverride, faults: &[String]) -> String {
    if let Some(fault) = faults.first() {
        return format!(
            "[skip]\n{} = {}\n",
            key(&operation.id),
            json!(format!("Cannot be exposed: {fault}."))
        );
    }
    let mut out = format!("[operations.{}]\n", key(&operation.id));
    let tool = tool(operation, table);
    let text = |word: &Option<crate::overrides::Word>| {
        word.as_ref().map(|word| json!(word.get_ref()).to_string())
    };
    let columns = table.columns.as_ref().map(|columns| {
        let columns: Vec<String> =
            columns.iter().map(|column| json!(column.get_ref()).to_string()).collect();
        format!("[{}]", columns.join(", "))
    });
    let lines = [
        ("tool", tool),
        ("description", text(&table.description)),
        ("paging", text(&table.paging)),
        ("rows", text(&table.rows)),
        ("columns", columns),
        ("reason", text(&table.reason)),
    ];
    for (name, value) in lines {
        if let Some(value) = value {
            let _infallible = writeln!(out, "{name} = {value}");
        }
    }
    out
}

fn tool(operation: &Operation, table: &OperationOverride) -> Option<String> {
    let mut members = Vec::new();
    let tag = operation.tags.first().map(|tag| snake(tag)).unwrap_or_default();
    for (name, word, default) in
        [("name", &table.tool.name, snake(&operation.id)), ("toolset", &table.tool.toolset, tag)]
    {
        if let Some(word) = word.as_ref().filter(|word| *word.get_ref() != default) {
            members.push(format!("{name} = {}", json!(word.get_ref())));
        }
    }
    if let Some(class) = &table.tool.class {
        let class = match class.get_ref() {
            Class::Read => "read",
            Class::Write => "write",
            Class::Destructive => "destructive",
        };
        members.push(format!("class = \"{class}\""));
    }
    (!members.is_empty()).then(|| format!("{{ {} }}", members.join(", ")))
}

/// A bare key where TOML allows one.
fn key(id: &str) -> String {
    let bare = !id.is_empty()
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
    if bare { id.to_owned() } else { json!(id).to_string() }
}
