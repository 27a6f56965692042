//! `API_USAGE.md`: every tool and resource with its purpose, a request that works, an answer and its errors.

use std::collections::BTreeMap;

use minijinja::Environment;
use minijinja::value::Serde;
use serde::Serialize;
use serde_json::{Map, Value, json};
use xyte_mcp_catalogue::prompt::Prompt;
use xyte_mcp_catalogue::{Api, Catalogue, Class, Entry, Form, Skipped};

use super::{filters, template_fault};
use crate::diagnostic::Diagnostic;

#[derive(Serialize)]
struct Page<'a> {
    api: &'a Api,
    default: Vec<&'a str>,
    resources: Vec<ResourceRow<'a>>,
    sets: Vec<Set<'a>>,
    prompts: &'a [Prompt],
    skipped: &'a [Skipped],
    /// Whether there are recorded answers.
    recorded: bool,
    /// The variable that selects toolsets.
    variable: String,
}

#[derive(Serialize)]
struct ResourceRow<'a> {
    uri: &'a str,
    alias: &'a str,
    title: &'a str,
    description: &'a str,
    tool: &'a str,
    facts: Vec<String>,
    request: String,
    /// One recorded answer, or none.
    answers: Vec<String>,
    errors: Vec<Failure>,
}

#[derive(Serialize)]
struct Set<'a> {
    name: &'a str,
    description: &'a str,
    tools: Vec<Tool<'a>>,
}

#[derive(Serialize)]
struct Tool<'a> {
    name: &'a str,
    title: &'a str,
    description: &'a str,
    facts: Vec<String>,
    arguments: Vec<Row>,
    request: String,
    /// One recorded answer, or none.
    answers: Vec<String>,
    errors: Vec<Failure>,
}

#[derive(Serialize)]
struct Row {
    name: String,
    kind: String,
    required: &'static str,
    description: String,
}

#[derive(Serialize)]
struct Failure {
    status: String,
    code: String,
    hint: String,
}

/// Renders the template.
pub(crate) fn emit(
    template: &str,
    catalogue: &Catalogue,
    examples: &BTreeMap<String, String>,
) -> Result<String, Diagnostic> {
    let sets: Vec<Set<'_>> = catalogue
        .toolsets
        .iter()
        .map(|set| Set {
            name: &set.name,
            description: &set.description,
            tools: catalogue
                .entries
                .iter()
                .filter(|entry| entry.toolset == set.name)
                .map(|entry| tool(catalogue, entry, examples))
                .collect(),
        })
        .collect();
    let resources =
        catalogue.entries.iter().filter_map(|entry| resource(catalogue, entry, examples)).collect();
    let default: Vec<&str> = catalogue
        .entries
        .iter()
        .filter(|entry| entry.default)
        .filter_map(|entry| entry.tool["name"].as_str())
        .collect();
    let mut environment = Environment::new();
    environment.add_filter("md", |text: &str| filters::markdown(text));
    environment.add_filter("code", |text: &str| filters::code(text));
    let prefix = catalogue.api.scheme.to_ascii_uppercase();
    let page = Page {
        api: &catalogue.api,
        default,
        resources,
        sets,
        prompts: &catalogue.prompts,
        skipped: &catalogue.skipped,
        recorded: !examples.is_empty(),
        variable: prefix.replace(|it: char| !it.is_ascii_alphanumeric(), "_") + "_TOOLSETS",
    };
    environment
        .render_named_str("API_USAGE.md.j2", template, Serde(page))
        .map(|text| format!("{}\n", text.trim_end()))
        .map_err(|err| template_fault("API_USAGE.md.j2", &err))
}

fn resource<'a>(
    catalogue: &'a Catalogue,
    entry: &'a Entry,
    examples: &BTreeMap<String, String>,
) -> Option<ResourceRow<'a>> {
    let resource = entry.resource.as_ref()?;
    let tool = entry.tool.get("name")?.as_str()?;
    let mut facts = vec![
        format!("Also: {}", filters::code(&resource.alias)),
        format!("Tool: {}", filters::code(tool)),
    ];
    facts.extend(
        entry
            .route
            .iter()
            .map(|route| format!("Route: {}", filters::code(&format!("GET {route}")))),
    );
    if !resource.columns.is_empty() {
        facts.push(format!("Columns: {}", listed(&resource.columns)));
    }
    Some(ResourceRow {
        uri: &resource.uri,
        alias: &resource.alias,
        title: &resource.title,
        description: &resource.description,
        tool,
        facts,
        request: filters::json(&json!({"uri": resource.example(&entry.example)})),
        answers: recorded(examples, &format!("{tool}.resource")),
        errors: errors(catalogue, entry),
    })
}

fn recorded(examples: &BTreeMap<String, String>, name: &str) -> Vec<String> {
    examples.get(name).map(|answer| answer.trim_end().to_owned()).into_iter().collect()
}

fn tool<'a>(
    catalogue: &Catalogue,
    entry: &'a Entry,
    examples: &BTreeMap<String, String>,
) -> Tool<'a> {
    let text = |key: &str| entry.tool.get(key).and_then(Value::as_str).unwrap_or_default();
    let name = text("name");
    let call = json!({"name": name, "arguments": entry.example});
    Tool {
        name,
        title: text("title"),
        description: Some(text("description"))
            .filter(|words| *words != text("title"))
            .unwrap_or_default(),
        facts: facts(entry),
        arguments: rows(&entry.tool["inputSchema"]),
        request: filters::json(&call),
        answers: recorded(examples, name),
        errors: errors(catalogue, entry),
    }
}

/// What a person wants to know at a glance, each ready as Markdown.
fn facts(entry: &Entry) -> Vec<String> {
    let class = match entry.class {
        Class::Read => "reads",
        Class::Write => "writes",
        Class::Destructive => "destructive",
    };
    let upstream = if entry.builtin.is_some() {
        "Done by the server itself".to_owned()
    } else if entry.is_computed() {
        format!("Computed from: {}", listed(&entry.calls))
    } else {
        format!("Upstream: {}", filters::code(&format!("{} {}", entry.method, entry.path)))
    };
    let mut facts = vec![format!("Class: {class}"), upstream];
    if let Some(route) = &entry.route {
        facts.push(format!("Route: {}", filters::code(&format!("GET {route}"))));
    }
    if let Some(resource) = &entry.resource {
        facts.push(format!("Resource: {}", filters::code(&resource.uri)));
    }
    if entry.answer.form == Form::List && !entry.answer.columns.is_empty() {
        facts.push(format!("Default columns: {}", listed(&entry.answer.columns)));
    }
    if !entry.names.is_empty() {
        facts.push(format!("By id or by name: {}", listed(&entry.names)));
    }
    if entry.experimental {
        facts.push("Experimental: served only where the operator wants it".to_owned());
    }
    if !entry.aliases.is_empty() {
        let names = listed(&entry.aliases);
        let last = Some(&entry.until).filter(|until| !until.is_empty());
        let last = last.map(|until| format!(", up to version {until}")).unwrap_or_default();
        facts.push(format!("Also called: {names}{last}"));
    }
    if !entry.deprecated.is_empty() {
        facts.push(format!("Deprecated: {}", entry.deprecated));
    }
    facts
}

fn listed(words: &[String]) -> String {
    words.iter().map(|word| filters::code(word)).collect::<Vec<_>>().join(", ")
}

fn rows(schema: &Value) -> Vec<Row> {
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    let empty = Map::new();
    let properties = schema["properties"].as_object().unwrap_or(&empty);
    let mut rows: Vec<Row> = properties
        .iter()
        .map(|(name, property)| Row {
            name: name.clone(),
            kind: kind(property),
            required: if required.iter().any(|needed| needed == name) { "yes" } else { "" },
            description: property["description"].as_str().unwrap_or_default().to_owned(),
        })
        .collect();
    rows.sort_by_key(|row| row.required.is_empty()); // Stable: names stay in their order.
    rows
}

/// Describes a type in a word or two.
fn kind(property: &Value) -> String {
    if let Some(values) = property["enum"].as_array() {
        return values
            .iter()
            .map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
            .collect::<Vec<_>>()
            .join(" / ");
    }
    let name = match &property["type"] {
        Value::String(name) => name.clone(),
        Value::Array(names) => {
            names.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" or ")
        }
        _ => "any".to_owned(),
    };
    match (property["minimum"].as_number(), property["maximum"].as_number()) {
        (Some(least), Some(most)) => format!("{name}, {least} to {most}"),
        (Some(least), None) => format!("{name}, at least {least}"),
        (None, Some(most)) => format!("{name}, at most {most}"),
        (None, None) => name,
    }
}

fn errors(catalogue: &Catalogue, entry: &Entry) -> Vec<Failure> {
    let class = |status: &str| format!("{}XX", &status[..1]);
    let numeric = entry.failures.iter().filter(|status| status.len() == 3 && status.is_ascii());
    let own = Failure {
        status: "none".to_owned(),
        code: "invalid_arguments".to_owned(),
        hint: "Nothing was sent. The message names the argument, the rule and the nearest name."
            .to_owned(),
    };
    let platform = numeric.filter_map(|status| {
        let rule = entry
            .errors
            .get(status)
            .or_else(|| catalogue.errors.get(status))
            .or_else(|| entry.errors.get(&class(status)))
            .or_else(|| catalogue.errors.get(&class(status)))?;
        Some(Failure { status: status.clone(), code: rule.code.clone(), hint: rule.hint.clone() })
    });
    std::iter::once(own).chain(platform).collect()
}
