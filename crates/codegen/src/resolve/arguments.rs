//! The arguments of a tool: path, query, header and body side by side, and the schema they are checked against.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use xyte_mcp_catalogue::{Answer, Argument, Class, DEFAULT_LIMIT, Form, Location, MOST_ROWS};

use super::schema::{self, Purpose};
use super::{Context, text};
use crate::diagnostic::{Diagnostic, quoted};
use crate::overrides::{ArgumentOverride, OperationOverride};
use crate::spec::Operation;
use crate::spec::flat::flatten;
use crate::spec::operation::snake;

/// What carries out a preview.
pub(super) const PLAN_TOKEN: &str = "From a preview that the user agreed to.";

/// Arguments of our own, which no argument of the API may be called.
const RESERVED: [&str; 8] =
    ["fields", "format", "limit", "cursor", "dry_run", "fresh", "plan_token", "idempotency_key"];

const EXAMPLE_ROWS: u32 = 2; // Enough to see the form of a list.

/// The arguments and what an agent is told about them.
pub(super) struct Arguments {
    pub(super) list: Vec<Argument>,
    pub(super) properties: Map<String, Value>,
    pub(super) required: Vec<String>,
    /// Arguments of a call that works.
    pub(super) example: Map<String, Value>,
}

struct Candidate {
    wire: String,
    location: Location,
    required: bool,
    schema: Value,
    example: Option<Value>,
    pointer: String,
}

/// Lays the arguments out flat. `consumed` names the query parameters that paging uses.
pub(super) fn resolve(
    context: &Context<'_>,
    operation: &Operation,
    overrides: &OperationOverride,
    consumed: &[String],
    findings: &mut Vec<Diagnostic>,
) -> Arguments {
    let candidates = candidates(context, operation, consumed);
    check_overrides(&candidates, overrides, findings);
    let mut resolved = Arguments {
        list: Vec::new(),
        properties: Map::new(),
        required: Vec::new(),
        example: Map::new(),
    };
    for candidate in candidates {
        let change = overrides.arguments.iter().find(|change| names(change, &candidate));
        let renamed = change.and_then(|change| change.name.as_ref());
        let name = renamed.map_or_else(|| candidate.wire.clone(), |name| name.get_ref().clone());
        if let Some(fault) = collision(&name, &candidate, operation, &resolved) {
            findings.push(fault);
            continue;
        }
        let mut schema =
            schema::convert(&context.document.value, &candidate.schema, Purpose::Input);
        check_rules(&schema, &candidate, operation, findings);
        if let Some(description) = change.and_then(|change| change.description.as_ref()) {
            schema["description"] = text::line(description.get_ref()).into();
        }
        resolved.properties.insert(name.clone(), schema);
        if candidate.required {
            resolved.required.push(name.clone());
        }
        if let Some(example) = candidate.example {
            resolved.example.insert(name.clone(), example);
        }
        resolved.list.push(Argument { name, wire: candidate.wire, location: candidate.location });
    }
    apply_example(&mut resolved, overrides, findings);
    resolved
}

fn candidates(context: &Context<'_>, operation: &Operation, consumed: &[String]) -> Vec<Candidate> {
    let mut candidates: Vec<Candidate> = operation
        .parameters
        .iter()
        .filter(|parameter| {
            !(parameter.location == Location::Query && consumed.contains(&parameter.name))
        })
        .map(|parameter| {
            let mut schema = flatten(&context.document.value, &parameter.schema);
            if !parameter.description.is_empty() {
                schema.insert("description".into(), parameter.description.clone().into());
            }
            Candidate {
                wire: parameter.name.clone(),
                location: parameter.location,
                required: parameter.required,
                schema: schema.into(),
                example: parameter.required.then(|| parameter.example.clone()).flatten(),
                pointer: parameter.pointer.clone(),
            }
        })
        .collect();
    candidates.extend(body_candidates(context, operation));
    candidates
}

/// An object body becomes one argument per field; any other body becomes the argument `body`.
fn body_candidates(context: &Context<'_>, operation: &Operation) -> Vec<Candidate> {
    let Some(body) = &operation.body else { return Vec::new() };
    let flat = flatten(&context.document.value, &body.schema);
    let alternatives = ["oneOf", "anyOf"].iter().any(|key| flat.contains_key(*key));
    let properties = flat
        .get("properties")
        .and_then(Value::as_object)
        .filter(|fields| !fields.is_empty() && !alternatives);
    let Some(properties) = properties else {
        return vec![Candidate {
            wire: "body".to_owned(),
            location: Location::WholeBody,
            required: body.required,
            schema: body.schema.clone(),
            example: body.example.clone(),
            pointer: body.pointer.clone(),
        }];
    };
    let required: BTreeSet<&str> = flat
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    properties
        .iter()
        .filter(|(_, field)| {
            flatten(&context.document.value, field).get("readOnly") != Some(&Value::Bool(true))
        })
        .map(|(name, field)| Candidate {
            wire: name.clone(),
            location: Location::Body,
            required: body.required && required.contains(name.as_str()),
            schema: field.clone(),
            example: body.example.as_ref().and_then(|example| example.get(name)).cloned(),
            pointer: body.pointer.clone(),
        })
        .collect()
}

/// Tells whether an override means this argument: by its name, or by place and name.
fn names(change: &ArgumentOverride, candidate: &Candidate) -> bool {
    let name = change.argument.get_ref().as_str();
    name == candidate.wire
        || name.split_once('.').is_some_and(|(place, rest)| {
            rest == candidate.wire && place == word(candidate.location)
        })
}

fn word(location: Location) -> &'static str {
    match location {
        Location::Path => "path",
        Location::Query => "query",
        Location::Header => "header",
        Location::Body | Location::WholeBody => "body",
    }
}

fn check_overrides(
    candidates: &[Candidate],
    overrides: &OperationOverride,
    findings: &mut Vec<Diagnostic>,
) {
    for change in &overrides.arguments {
        if !candidates.iter().any(|candidate| names(change, candidate)) {
            let name = change.argument.get_ref();
            let message = format!("`{}` has no argument `{name}`", overrides.operation.get_ref());
            let fault = Diagnostic::overrides("unknown-argument", change.argument.span(), message);
            findings.push(
                fault.nearest(name, candidates.iter().map(|candidate| candidate.wire.as_str())),
            );
        }
        if let Some(name) = change.name.as_ref().filter(|name| !is_argument_name(name.get_ref())) {
            let message = format!("`{}` is no name for an argument", name.get_ref());
            findings.push(
                Diagnostic::overrides("illegal-name", name.span(), message)
                    .help("use letters, digits, `_`, `-` and `.`, at most 64"),
            );
        }
    }
}

/// What providers of models accept as the name of an argument.
fn is_argument_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
}

fn collision(
    name: &str,
    candidate: &Candidate,
    operation: &Operation,
    resolved: &Arguments,
) -> Option<Diagnostic> {
    let id = &operation.id;
    let place = word(candidate.location);
    let legal =
        if is_argument_name(name) { format!("{place}_{name}") } else { snake(&candidate.wire) };
    let help = format!(
        "rename it: `arguments.{place}.{} = {{ name = \"{legal}\" }}` under `[operations.{}]`",
        text::key(&candidate.wire),
        text::key(id),
    );
    let fault = |message: String| {
        Diagnostic::document("argument-collision", candidate.pointer.clone(), message)
            .label(format!("in the {place}"))
            .help(help.clone())
    };
    if RESERVED.contains(&name) {
        let message =
            format!("the argument `{name}` of `{id}` has a name that the server uses itself");
        return Some(match name {
            "limit" | "cursor" => fault(message).help(format!(
                "where it pages, name it in a dialect under `[paging]`; else {help}"
            )),
            _ => fault(message),
        });
    }
    if !is_argument_name(name) {
        return Some(fault(format!(
            "the argument `{name}` of `{id}` has a name that clients refuse"
        )));
    }
    let other = resolved.list.iter().find(|known| known.name == name)?;
    Some(fault(format!(
        "`{id}` has two arguments named `{name}`, in {} and {place}",
        word(other.location)
    )))
}

/// A rule that cannot be kept would refuse every call, or fail at the first.
fn check_rules(
    schema: &Value,
    candidate: &Candidate,
    operation: &Operation,
    findings: &mut Vec<Diagnostic>,
) {
    let mut members: Vec<&Value> = Vec::new();
    match schema {
        Value::Object(rules) => {
            let place = format!("`{}` in `{}`", candidate.wire, operation.id);
            if let Some((rule, message)) = broken_rule(rules, &place) {
                findings.push(
                    Diagnostic::document(rule, candidate.pointer.clone(), message)
                        .help("correct it with a `[[patch]]`"),
                );
            }
            members.extend(rules.values());
        }
        Value::Array(elements) => members.extend(elements),
        _ => {}
    }
    for member in members {
        check_rules(member, candidate, operation, findings);
    }
}

fn broken_rule(rules: &Map<String, Value>, place: &str) -> Option<(&'static str, String)> {
    if let Some(Value::String(pattern)) = rules.get("pattern")
        && let Err(err) = regress::Regex::new(pattern)
    {
        return Some((
            "illegal-pattern",
            format!("the pattern of {place} cannot be compiled: {err}"),
        ));
    }
    let number = |key: &str| rules.get(key).and_then(Value::as_f64);
    for (least, most) in
        [("minimum", "maximum"), ("minLength", "maxLength"), ("minItems", "maxItems")]
    {
        if let (Some(low), Some(high)) = (number(least), number(most))
            && low > high
        {
            return Some((
                "impossible-rule",
                format!("{least} {low} and {most} {high} of {place} exclude each other"),
            ));
        }
    }
    if rules.get("multipleOf").and_then(Value::as_f64).is_some_and(|step| step <= 0.0) {
        return Some(("impossible-rule", format!("multipleOf of {place} must be more than 0")));
    }
    if rules.get("anyOf").and_then(Value::as_array).is_some_and(Vec::is_empty) {
        return Some(("impossible-rule", format!("{place} has no alternatives")));
    }
    let allowed = rules.get("enum").and_then(Value::as_array)?;
    if allowed.is_empty() {
        return Some(("impossible-rule", format!("the enum of {place} is empty")));
    }
    let default = rules.get("default").filter(|default| !allowed.contains(default))?;
    Some(("impossible-rule", format!("the default {default} of {place} is not in its enum")))
}

fn apply_example(
    resolved: &mut Arguments,
    overrides: &OperationOverride,
    findings: &mut Vec<Diagnostic>,
) {
    let Some(example) = &overrides.example else { return };
    resolved.example.clear();
    let extra = ["fields", "format", "limit"];
    for (name, value) in example {
        if !resolved.properties.contains_key(name.get_ref())
            && !extra.contains(&name.get_ref().as_str())
        {
            let message =
                format!("`{}` has no argument `{}`", overrides.operation.get_ref(), name.get_ref());
            let fault = Diagnostic::overrides("unknown-argument", name.span(), message);
            findings.push(
                fault.nearest(name.get_ref(), resolved.properties.keys().map(String::as_str)),
            );
        }
        resolved.example.insert(name.get_ref().clone(), value.clone());
    }
    let missing: Vec<&str> = resolved
        .required
        .iter()
        .filter(|name| !resolved.example.contains_key(*name))
        .map(String::as_str)
        .collect();
    if !missing.is_empty() {
        let message = format!(
            "the example of `{}` lacks {}",
            overrides.operation.get_ref(),
            quoted(&missing)
        );
        findings.push(Diagnostic::overrides(
            "incomplete-example",
            overrides.operation.span(),
            message,
        ));
    }
}

impl Arguments {
    /// The input schema: the API's arguments, and those that the server adds by what the tool does.
    pub(super) fn schema(&mut self, answer: &Answer, class: Class, repeats: bool) -> Value {
        let list = answer.form == Form::List;
        if list {
            self.example.entry("limit").or_insert_with(|| EXAMPLE_ROWS.into());
        }
        let mut properties = self.properties.clone();
        if list || !answer.columns.is_empty() {
            properties.insert(
                "fields".into(),
                json!({"type": "array", "items": {"type": "string"}, "description": "Dotted names to return instead of the default columns."}),
            );
            properties.insert(
                "format".into(),
                json!({"type": "string", "enum": ["table", "json"], "description": "json: everything, as the platform sent it."}),
            );
        }
        if list {
            properties.insert(
                "limit".into(),
                json!({"type": "integer", "minimum": 1, "maximum": MOST_ROWS, "default": DEFAULT_LIMIT}),
            );
            properties.insert(
                "cursor".into(),
                json!({"type": "string", "description": "From page.next_cursor; other arguments unchanged."}),
            );
        }
        if class != Class::Read {
            properties.insert(
                "dry_run".into(),
                json!({"type": "boolean", "description": "Show the request; send nothing."}),
            );
        }
        let text = |words: &str| json!({"type": "string", "description": words});
        if class == Class::Destructive {
            properties.insert("plan_token".into(), text(PLAN_TOKEN));
        }
        if class != Class::Read && repeats && !properties.contains_key("idempotency_key") {
            let words = "Makes the change once, however often it is called.";
            properties.insert("idempotency_key".into(), text(words));
        }
        let mut schema =
            json!({"type": "object", "properties": properties, "additionalProperties": false});
        if !self.required.is_empty() {
            schema["required"] = json!(self.required);
        }
        schema
    }
}
