//! One tool that the server computes, as one entry of the catalogue. What it computes is written by hand, and not known here.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use xyte_mcp_catalogue::{Answer, Class, Consent, Entry, Form};

use super::{Context, arguments, entry, farewell, surface, text};
use crate::diagnostic::Diagnostic;
use crate::overrides::{Word, Workflow, WorkflowArgument};

/// Types that a schema may name.
const TYPES: [&str; 6] = ["string", "integer", "number", "boolean", "array", "object"];

/// Decides everything about one computed tool.
pub(super) fn resolve(
    context: &Context<'_>,
    workflow: &Workflow,
    findings: &mut Vec<Diagnostic>,
) -> Entry {
    let name = workflow.name.get_ref();
    check_calls(context, workflow, findings);
    check_credential(context, workflow, findings);
    check_schemas(workflow, findings);
    let class = workflow.tool.class.as_ref().map_or(Class::Read, |class| *class.get_ref());
    let idempotent = workflow.tool.idempotent.as_ref();
    let consent = workflow.consent.as_ref().is_some_and(|consent| *consent.get_ref());
    let tool = json!({
        "name": entry::name(&workflow.name, &workflow.tool, findings),
        "title": title(workflow),
        "description": workflow.description.as_ref().map(|words| farewell::told(text::line(words.get_ref()), &workflow.tool, false)),
        "inputSchema": input_schema(&workflow.arguments, class, consent),
        "outputSchema": { "type": "object", "properties": properties(&workflow.result) },
        "annotations": {
            "readOnlyHint": class == Class::Read,
            "destructiveHint": class == Class::Destructive,
            "idempotentHint": idempotent.map_or(class == Class::Read, |it| *it.get_ref()),
            "openWorldHint": true,
        },
    });
    Entry {
        operation: name.clone(),
        class,
        toolset: toolset(context, workflow, findings),
        default: workflow.tool.default.as_ref().is_some_and(|default| *default.get_ref()),
        tool: tool.as_object().cloned().unwrap_or_default(),
        contract: None,
        until: workflow.tool.until.as_ref().map(|it| it.get_ref().clone()).unwrap_or_default(),
        deprecated: String::new(),
        aliases: workflow.tool.aliases.iter().map(|alias| alias.get_ref().clone()).collect(),
        method: String::new(),
        path: String::new(),
        experimental: entry::is_experimental(&workflow.tool),
        builtin: workflow.builtin,
        names: Vec::new(),
        calls: workflow.calls.iter().map(|word| word.get_ref().clone()).collect(),
        credential: workflow.credential.as_ref().map(|it| it.get_ref().clone()).unwrap_or_default(),
        arguments: Vec::new(),
        optional_body: false,
        media: String::new(),
        accept: String::new(),
        answer: Answer { form: Form::Computed, rows: String::new(), columns: Vec::new() },
        paging: None,
        errors: BTreeMap::new(),
        failures: Vec::new(),
        resource: surface::computed_resource(context, workflow, findings),
        route: surface::computed_route(workflow, findings),
        cache: false,
        consent: Consent { always: consent, ..Consent::default() },
        example: example(workflow, findings),
    }
}

fn title(workflow: &Workflow) -> String {
    let words = workflow.name.get_ref().replace('_', " ");
    workflow.tool.title.as_ref().map_or(words, |title| text::line(title.get_ref()))
}

fn toolset(context: &Context<'_>, workflow: &Workflow, findings: &mut Vec<Diagnostic>) -> String {
    let Some(word) = &workflow.tool.toolset else {
        let message = format!("`{}` has no toolset", workflow.name.get_ref());
        let fault = Diagnostic::overrides("no-toolset", workflow.name.span(), message);
        findings.push(fault.help("name one: `tool = { toolset = \"…\" }`"));
        return String::new();
    };
    entry::check_toolset(context, word, findings);
    word.get_ref().clone()
}

/// A computed tool is called by name, so it must not be called like an operation, and it calls only what is exposed.
fn check_calls(context: &Context<'_>, workflow: &Workflow, findings: &mut Vec<Diagnostic>) {
    let exposed = || context.overrides.operations.iter().map(|it| it.operation.get_ref().as_str());
    let name = workflow.name.get_ref();
    if context.document.operations.iter().any(|operation| operation.id == *name) {
        let message = format!("`{name}` is an operation of the document");
        findings.push(Diagnostic::overrides("duplicate-tool", workflow.name.span(), message));
    }
    for word in &workflow.calls {
        if !exposed().any(|id| id == word.get_ref()) {
            let message = format!("`{name}` calls `{}`, which is not exposed", word.get_ref());
            let fault = Diagnostic::overrides("unknown-operation", word.span(), message);
            findings.push(fault.nearest(word.get_ref(), exposed()));
        }
    }
}

fn check_credential(context: &Context<'_>, workflow: &Workflow, findings: &mut Vec<Diagnostic>) {
    let Some(word) = &workflow.credential else { return };
    let known =
        || context.overrides.credentials.iter().map(|(scheme, _)| scheme.get_ref().as_str());
    if !known().any(|scheme| scheme == word.get_ref()) {
        let message = format!("no setting holds the key of `{}`", word.get_ref());
        let fault = Diagnostic::overrides("undeclared-credential", word.span(), message);
        findings.push(fault.nearest(word.get_ref(), known()));
    }
}

fn check_schemas(workflow: &Workflow, findings: &mut Vec<Diagnostic>) {
    let arguments = workflow.arguments.iter().map(|argument| (&argument.name, &argument.schema));
    for (name, schema) in arguments.chain(workflow.result.iter().map(|(name, it)| (name, it))) {
        check_schema(workflow.name.get_ref(), name, schema, findings);
    }
}

/// Models and typed code need to know what a value is.
fn check_schema(workflow: &str, name: &Word, schema: &Value, findings: &mut Vec<Diagnostic>) {
    if let Some(fault) = untyped(schema) {
        let message = format!("`{}` of `{workflow}`: {fault}", name.get_ref());
        let fault = Diagnostic::overrides("untyped-schema", name.span(), message);
        findings
            .push(fault.help("write a JSON schema: `{ type = \"string\", description = \"…\" }`"));
    }
}

/// Finds the part of a schema that says too little. A type may be followed by `null`.
fn untyped(schema: &Value) -> Option<String> {
    let Some(members) = schema.as_object() else { return Some("it is no schema".to_owned()) };
    let kind = match members.get("type") {
        Some(Value::String(kind)) => kind.as_str(),
        Some(Value::Array(kinds)) if kinds.get(1) == Some(&"null".into()) => {
            kinds[0].as_str().unwrap_or_default()
        }
        _ => return Some("it has no `type`".to_owned()),
    };
    if !TYPES.contains(&kind) {
        return Some(format!("`{kind}` is no type"));
    }
    let inner = members.get("properties").and_then(Value::as_object);
    let faulty = |(name, schema): (&String, &Value)| {
        untyped(schema).map(|fault| format!("in `{name}`, {fault}"))
    };
    match (kind, members.get("items")) {
        ("array", None) => Some("its `items` are not described".to_owned()),
        ("array", Some(items)) => untyped(items).map(|fault| format!("in its items, {fault}")),
        _ => inner.into_iter().flatten().find_map(faulty),
    }
}

fn properties(members: &[(Word, Value)]) -> Map<String, Value> {
    members.iter().map(|(name, schema)| (name.get_ref().clone(), schema.clone())).collect()
}

fn input_schema(arguments: &[WorkflowArgument], class: Class, consent: bool) -> Value {
    let mut properties: Map<String, Value> = arguments
        .iter()
        .map(|argument| (argument.name.get_ref().clone(), closed(argument.schema.clone())))
        .collect();
    if class != Class::Read {
        properties.insert(
            "dry_run".into(),
            json!({"type": "boolean", "description": "Show what would be done; change nothing."}),
        );
    }
    if consent {
        let words = arguments::PLAN_TOKEN;
        properties.insert("plan_token".into(), json!({"type": "string", "description": words}));
    }
    let needed = arguments.iter().filter(|argument| argument.required);
    let needed: Vec<&String> = needed.map(|argument| argument.name.get_ref()).collect();
    let mut schema =
        json!({"type": "object", "properties": properties, "additionalProperties": false});
    if !needed.is_empty() {
        schema["required"] = json!(needed);
    }
    schema
}

/// An object takes the members that are described, and no others.
fn closed(mut schema: Value) -> Value {
    if let Some(members) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        for member in members.values_mut() {
            *member = closed(member.take());
        }
        schema["additionalProperties"] = false.into();
    }
    schema
}

fn example(workflow: &Workflow, findings: &mut Vec<Diagnostic>) -> Map<String, Value> {
    let given = workflow.example.as_deref().unwrap_or_default();
    let known = || workflow.arguments.iter().map(|argument| argument.name.get_ref().as_str());
    for (name, _) in given {
        if name.get_ref() != "dry_run" && !known().any(|it| it == name.get_ref()) {
            let message =
                format!("`{}` has no argument `{}`", workflow.name.get_ref(), name.get_ref());
            let fault = Diagnostic::overrides("unknown-argument", name.span(), message);
            findings.push(fault.nearest(name.get_ref(), known()));
        }
    }
    for argument in workflow.arguments.iter().filter(|argument| argument.required) {
        if !given.iter().any(|(name, _)| name.get_ref() == argument.name.get_ref()) {
            let (name, lacks) = (workflow.name.get_ref(), argument.name.get_ref());
            let message = format!("the example of `{name}` lacks `{lacks}`");
            let fault = Diagnostic::overrides("incomplete-example", workflow.name.span(), message);
            findings.push(fault);
        }
    }
    given.iter().map(|(name, value)| (name.get_ref().clone(), value.clone())).collect()
}
