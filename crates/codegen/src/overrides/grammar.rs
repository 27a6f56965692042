//! The grammar of the overrides: which table takes which keys.

use std::cell::RefCell;

use serde_json::Value;
use toml::Spanned;
use toml::de::{DeTable, DeValue};
use xyte_mcp_catalogue::{Class, Step};

use super::reader::{Reader, json};
use super::{
    ArgumentOverride, Change, Dialect, ErrorOverride, OperationOverride, Overrides, Patch,
    ResourceOverride, Skip, TargetOverride, ToolOverride, ToolsetOverride, Word, Workflow,
    WorkflowArgument,
};
use crate::diagnostic::Diagnostic;

pub(super) fn read(table: &Spanned<DeTable<'_>>, findings: &mut Vec<Diagnostic>) -> Overrides {
    let shared = RefCell::new(std::mem::take(findings));
    let overrides = {
        let file = Reader::new(table.get_ref(), table.span(), "the overrides", &shared);
        let overrides = Overrides {
            scheme: file.table("api").and_then(|api| finish(api, |api| api.string("scheme"))),
            credentials: credentials(&file),
            toolsets: file.tables("toolsets").into_iter().map(toolset).collect(),
            errors: file.tables("errors").into_iter().map(error).collect(),
            paging: file.tables("paging").into_iter().map(dialect).collect(),
            operations: file.tables("operations").into_iter().map(operation).collect(),
            workflows: file.tables("workflows").into_iter().map(workflow).collect(),
            skip: skip(&file),
            patches: file.array_of_tables("patch").into_iter().filter_map(patch).collect(),
        };
        file.finish();
        overrides
    };
    *findings = shared.into_inner();
    overrides
}

/// Reads with a closure, then reports what it left unread.
fn finish<'a, T>(reader: Reader<'a>, read: impl FnOnce(&Reader<'a>) -> T) -> T {
    let read = read(&reader);
    reader.finish();
    read
}

fn toolset((name, reader): (Word, Reader<'_>)) -> ToolsetOverride {
    finish(reader, |reader| ToolsetOverride { name, description: reader.string("description") })
}

fn error((status, reader): (Word, Reader<'_>)) -> ErrorOverride {
    finish(reader, |reader| ErrorOverride {
        status,
        code: reader.string("code"),
        hint: reader.string("hint"),
    })
}

fn dialect((name, reader): (Word, Reader<'_>)) -> Dialect {
    finish(reader, |reader| {
        let (step, page) = step(reader);
        Dialect {
            name,
            rows: reader.required_string("rows"),
            step,
            page,
            size: reader.string("size"),
            more: reader.string("more"),
            next: match step {
                Step::Cursor => reader.required_string("next"),
                Step::Page | Step::Offset => reader.string("next"),
            },
        }
    })
}

/// The one parameter that says which page is wanted, by the key that names it.
fn step(reader: &Reader<'_>) -> (Step, Option<Word>) {
    let keys = [("page", Step::Page), ("offset", Step::Offset), ("cursor", Step::Cursor)];
    let mut named = keys.into_iter().filter_map(|(key, step)| Some((step, reader.string(key)?)));
    let Some((step, word)) = named.next() else {
        let fault = Diagnostic::overrides(
            "missing-key",
            reader.span(),
            "the paging dialect has no `page`, `offset` or `cursor`",
        );
        reader.report(fault.help("name the query parameter that says which page is wanted"));
        return (Step::Page, None);
    };
    if let Some((_, other)) = named.next() {
        let message = "a paging dialect has one of `page`, `offset` and `cursor`";
        reader.report(
            Diagnostic::overrides("paging-step", other.span(), message)
                .help("write a dialect for each"),
        );
    }
    (step, Some(word))
}

fn operation((id, reader): (Word, Reader<'_>)) -> OperationOverride {
    finish(reader, |reader| OperationOverride {
        operation: id,
        tool: reader.table("tool").map(tool).unwrap_or_default(),
        description: reader.string("description"),
        resource: resource(reader),
        route: reader.string("route"),
        paging: reader.string("paging"),
        rows: reader.string("rows"),
        columns: reader.strings("columns"),
        errors: reader.tables("errors").into_iter().map(error).collect(),
        cache: reader.boolean("cache"),
        target: reader.table("target").and_then(target),
        reads: reader.strings("reads").unwrap_or_default(),
        named_by: reader.strings("named_by").unwrap_or_default(),
        arguments: arguments(reader),
        example: example(reader),
        reason: reader.string("reason"),
    })
}

fn workflow((name, reader): (Word, Reader<'_>)) -> Workflow {
    finish(reader, |reader| Workflow {
        name,
        tool: reader.table("tool").map(tool).unwrap_or_default(),
        description: reader.required_string("description"),
        credential: reader.string("credential"),
        calls: reader.strings("calls").unwrap_or_default(),
        consent: reader.boolean("consent"),
        arguments: members(reader, "arguments").map(workflow_argument).collect(),
        result: members(reader, "result").collect(),
        example: example(reader),
    })
}

/// The members of a table whose keys are free, as JSON.
fn members<'a>(
    reader: &Reader<'a>,
    key: &'static str,
) -> impl Iterator<Item = (Word, Value)> + use<'a> {
    let members = reader.table(key).map(|table| {
        table.members().map(|(name, value)| (name, json(value.get_ref()))).collect::<Vec<_>>()
    });
    members.unwrap_or_default().into_iter()
}

/// Whether an argument is needed stands beside its schema, where a person looks for it.
fn workflow_argument((name, mut schema): (Word, Value)) -> WorkflowArgument {
    let required = schema.as_object_mut().and_then(|schema| schema.remove("required"));
    WorkflowArgument { name, required: required == Some(Value::Bool(true)), schema }
}

fn tool(reader: Reader<'_>) -> ToolOverride {
    finish(reader, |reader| ToolOverride {
        name: reader.string("name"),
        title: reader.string("title"),
        toolset: reader.string("toolset"),
        default: reader.boolean("default"),
        aliases: reader.strings("aliases").unwrap_or_default(),
        until: reader.string("until"),
        class: reader.string("class").and_then(|word| class(reader, &word)),
        idempotent: reader.boolean("idempotent"),
    })
}

fn target(reader: Reader<'_>) -> Option<TargetOverride> {
    finish(reader, |reader| {
        let operation = reader.required_string("operation");
        let columns = reader.strings("columns").unwrap_or_default();
        Some(TargetOverride { operation: operation?, columns })
    })
}

fn class(reader: &Reader<'_>, word: &Word) -> Option<Spanned<Class>> {
    let known =
        [("read", Class::Read), ("write", Class::Write), ("destructive", Class::Destructive)];
    let found = known.iter().find(|(name, _)| name == word.get_ref());
    if found.is_none() {
        let message = format!("unknown class `{}`", word.get_ref());
        let fault = Diagnostic::overrides("unknown-class", word.span(), message);
        reader.report(fault.nearest(word.get_ref(), known.iter().map(|(name, _)| *name)));
    }
    found.map(|(_, class)| Spanned::new(word.span(), *class))
}

fn resource(reader: &Reader<'_>) -> Option<ResourceOverride> {
    let value = reader.value("resource")?;
    if let Some(uri) = value.get_ref().as_str() {
        let uri = Spanned::new(value.span(), uri.to_owned());
        return Some(ResourceOverride {
            uri,
            name: None,
            title: None,
            description: None,
            columns: None,
        });
    }
    let Some(table) = value.get_ref().as_table() else {
        reader.wrong_type("resource", "a string or a table", value);
        return None;
    };
    finish(Reader::new(table, value.span(), "`resource`", reader.findings()), |reader| {
        Some(ResourceOverride {
            uri: reader.required_string("uri")?,
            name: reader.string("name"),
            title: reader.string("title"),
            description: reader.string("description"),
            columns: reader.strings("columns"),
        })
    })
}

/// Arguments may be named with their place, `arguments.body.id`, which TOML reads as one more table.
fn arguments(reader: &Reader<'_>) -> Vec<ArgumentOverride> {
    const PLACES: [&str; 4] = ["path", "query", "header", "body"];
    let mut arguments = Vec::new();
    for (name, reader) in reader.tables("arguments") {
        let nested = reader.members().all(|(_, value)| value.get_ref().is_table());
        if !(nested && PLACES.contains(&name.get_ref().as_str())) {
            arguments.push(argument(name, reader));
            continue;
        }
        for (inner, value) in reader.members() {
            let Some(table) = value.get_ref().as_table() else { continue };
            let qualified =
                Spanned::new(inner.span(), format!("{}.{}", name.get_ref(), inner.get_ref()));
            let title = format!("`arguments.{}`", qualified.get_ref());
            arguments.push(argument(
                qualified,
                Reader::new(table, inner.span(), title, reader.findings()),
            ));
        }
    }
    arguments
}

fn argument(argument: Word, reader: Reader<'_>) -> ArgumentOverride {
    finish(reader, |reader| ArgumentOverride {
        argument,
        name: reader.string("name"),
        description: reader.string("description"),
    })
}

fn example(reader: &Reader<'_>) -> Option<Vec<(Word, Value)>> {
    let example = reader.table("example")?;
    Some(example.members().map(|(name, value)| (name, json(value.get_ref()))).collect())
}

fn credentials(file: &Reader<'_>) -> Vec<(Word, Word)> {
    let Some(reader) = file.table("credentials") else { return Vec::new() };
    let pairs = reader.members().filter_map(|(scheme, value)| {
        let Some(setting) = value.get_ref().as_str() else {
            reader.wrong_type(scheme.get_ref(), "the name of a variable", value);
            return None;
        };
        Some((scheme, Spanned::new(value.span(), setting.to_owned())))
    });
    pairs.collect()
}

fn skip(file: &Reader<'_>) -> Vec<Skip> {
    let Some(reader) = file.table("skip") else { return Vec::new() };
    let skips = reader.members().filter_map(|(operation, value)| {
        let Some(reason) = value.get_ref().as_str().filter(|reason| !reason.trim().is_empty())
        else {
            let message = format!("`{}` is skipped without a reason", operation.get_ref());
            reader.report(
                Diagnostic::overrides("skip-without-reason", value.span(), message)
                    .help("say in one sentence why agents cannot have it"),
            );
            return None;
        };
        Some(Skip { operation, reason: Spanned::new(value.span(), reason.to_owned()) })
    });
    skips.collect()
}

fn patch(reader: Reader<'_>) -> Option<Patch> {
    finish(reader, |reader| {
        let at = reader.required_string("at")?;
        let reason = reader.required_string("reason");
        let was = match reader.value("was").map(Spanned::get_ref) {
            Some(DeValue::String(word)) if word.as_ref() == "absent" => None,
            Some(value) => Some(json(value)),
            None => {
                reader.report(
                    Diagnostic::overrides(
                        "missing-key",
                        reader.span(),
                        "a `[[patch]]` has no `was`",
                    )
                    .label("`was = \"absent\"`, or the value that must stand there"),
                );
                None
            }
        };
        let remove = reader.boolean("remove").is_some_and(|flag| *flag.get_ref());
        let change = match (reader.json("now"), remove, reader.string("rename")) {
            (Some(value), false, None) => Change::Set(value),
            (None, true, None) => Change::Remove,
            (None, false, Some(name)) => Change::RenameTo(name),
            _ => {
                reader.report(
                    Diagnostic::overrides(
                        "patch-change",
                        reader.span(),
                        "a `[[patch]]` needs exactly one change",
                    )
                    .help("`now = …`, `remove = true` or `rename = \"…\"`"),
                );
                return None;
            }
        };
        reason.map(|_| Patch { at, was, change })
    })
}
