//! The answer of a tool: its form, its columns, how it is paged, and the schema that says so.

use serde_json::{Map, Value, json};
use toml::Spanned;
use xyte_mcp_catalogue::{Answer, Form, Location, Paging, Step};

use super::Context;
use super::schema::{self, Purpose};
use crate::diagnostic::Diagnostic;
use crate::overrides::{Dialect, OperationOverride, Word};
use crate::spec::Operation;
use crate::spec::flat::flatten;
use crate::spec::operation::snake;

/// What comes back, and what an agent is told about it.
pub(super) struct Resolved {
    pub(super) answer: Answer,
    pub(super) paging: Option<Paging>,
    /// Query parameters that paging uses, which therefore are no arguments.
    pub(super) consumed: Vec<String>,
    pub(super) schema: Value,
    /// Schema of one row of a list, or of the object; nothing where it is not documented.
    pub(super) row: Option<Value>,
}

/// Decides form, rows, columns and paging.
pub(super) fn resolve(
    context: &Context<'_>,
    operation: &Operation,
    overrides: &OperationOverride,
    findings: &mut Vec<Diagnostic>,
) -> Resolved {
    let root = &context.document.value;
    let dialect = overrides.paging.as_ref().and_then(|word| dialect(context, word, findings));
    let rows_word = dialect.and_then(|dialect| dialect.rows.as_ref()).or(overrides.rows.as_ref());
    if let (Some(rows), Some(_)) = (&overrides.rows, &overrides.paging) {
        let message = "the paging dialect says where the rows are";
        let fault = Diagnostic::overrides("rows-twice", rows.span(), message);
        findings.push(fault.help("remove `rows`, or remove `paging`"));
    }
    let answer_schema = operation.answer.as_ref();
    let is_array = answer_schema.is_some_and(|answer| {
        flatten(root, answer).get("type").and_then(Value::as_str) == Some("array")
    });
    let rows = match rows_word {
        Some(word) => Some(word.get_ref().clone()),
        None if is_array => Some(String::new()), // An array can only be a list.
        None => None,
    };
    let rows_schema =
        rows.as_ref().and_then(|rows| rows_schema(context, operation, overrides, rows, findings));
    let paging =
        dialect.and_then(|dialect| paging(context, operation, overrides, dialect, findings));
    let consumed = paging
        .iter()
        .flat_map(|paging| [paging.page.clone(), paging.size.clone()])
        .filter(|name| !name.is_empty())
        .collect();
    let form = match (&rows, answer_schema) {
        (Some(_), _) => Form::List,
        (None, Some(answer)) if is_object(root, answer) => Form::Object,
        (None, _) => Form::Unknown,
    };
    if form == Form::List && overrides.paging.is_none() {
        findings.extend(unwalked(operation, overrides));
    }
    let row = match form {
        Form::List => rows_schema,
        Form::Object => answer_schema.cloned(),
        Form::Unknown | Form::Computed => None,
    };
    let columns = overrides.columns.as_deref().unwrap_or_default();
    let row_unknown = overrides.paging.is_some() && dialect.is_none(); // Reported already.
    if !row_unknown {
        check_columns(context, operation, (row.as_ref(), form), columns, findings);
    }
    let columns = columns.iter().map(|column| column.get_ref().clone()).collect::<Vec<_>>();
    let shown_schema = row.as_ref().map_or_else(|| json!({}), |row| shown(root, row, &columns));
    Resolved {
        schema: output_schema(form, shown_schema),
        answer: Answer { form, rows: rows.unwrap_or_default(), columns },
        paging,
        consumed,
        row,
    }
}

/// Query parameters by which lists are usually cut into pages.
const PAGING: [&str; 12] = [
    "page",
    "page_number",
    "page_token",
    "next_token",
    "cursor",
    "after",
    "starting_after",
    "continuation_token",
    "marker",
    "offset",
    "skip",
    "start",
];

/// A list that nobody walks is taken for complete, which one with pages seldom is.
fn unwalked(operation: &Operation, overrides: &OperationOverride) -> Option<Diagnostic> {
    let parameter = operation.parameters.iter().find(|parameter| {
        parameter.location == Location::Query && PAGING.contains(&snake(&parameter.name).as_str())
    })?;
    let message = format!(
        "`{}` takes `{}` and has no `paging`: what one request answers is called complete",
        operation.id, parameter.name
    );
    let finding = Diagnostic::overrides("list-without-paging", overrides.operation.span(), message);
    let help = "name a dialect under `[paging]`, whose next page follows from a number, an offset or a cursor in the answer";
    Some(finding.warning().help(help))
}

fn is_object(root: &Value, answer: &Value) -> bool {
    let flat = flatten(root, answer);
    flat.contains_key("properties") || flat.get("type").and_then(Value::as_str) == Some("object")
}

fn dialect<'a>(
    context: &Context<'a>,
    word: &Word,
    findings: &mut Vec<Diagnostic>,
) -> Option<&'a Dialect> {
    let known = &context.overrides.paging;
    let found = known.iter().find(|dialect| dialect.name.get_ref() == word.get_ref());
    if found.is_none() {
        let fault = Diagnostic::overrides(
            "unknown-paging",
            word.span(),
            format!("unknown paging dialect `{}`", word.get_ref()),
        );
        findings.push(
            fault.nearest(
                word.get_ref(),
                known.iter().map(|dialect| dialect.name.get_ref().as_str()),
            ),
        );
    }
    found
}

/// Finds the schema of one row, and reports rows that the answer does not have.
fn rows_schema(
    context: &Context<'_>,
    operation: &Operation,
    overrides: &OperationOverride,
    rows: &str,
    findings: &mut Vec<Diagnostic>,
) -> Option<Value> {
    let root = &context.document.value;
    let answer = operation.answer.as_ref()?;
    if schema::is_bare(root, answer) {
        return None; // An undocumented answer may have them.
    }
    let list = schema::member(root, answer, rows).map(|list| flatten(root, &list));
    let items = list
        .filter(|list| list.get("type").and_then(Value::as_str) == Some("array"))
        .and_then(|list| list.get("items").cloned());
    if items.is_none() {
        let word = overrides.rows.as_ref().or(overrides.paging.as_ref());
        let span = word.map_or_else(|| overrides.operation.span(), Spanned::span);
        let named = if rows.is_empty() {
            "is no array".to_owned()
        } else {
            format!("has no array `{rows}`")
        };
        let fault = Diagnostic::overrides(
            "paging-mismatch",
            span,
            format!("the answer of `{}` {named}", operation.id),
        );
        findings.push(fault.nearest(rows, schema::paths(root, answer).iter().map(String::as_str)));
    }
    items
}

/// Checks a dialect against the operation: its parameters and the members of its answer.
fn paging(
    context: &Context<'_>,
    operation: &Operation,
    overrides: &OperationOverride,
    dialect: &Dialect,
    findings: &mut Vec<Diagnostic>,
) -> Option<Paging> {
    let span = overrides.paging.as_ref().map_or_else(|| overrides.operation.span(), Spanned::span);
    let name = dialect.name.get_ref();
    let query = |wanted: &Word| {
        operation
            .parameters
            .iter()
            .find(|known| known.location == Location::Query && known.name == *wanted.get_ref())
    };
    if operation.method != "GET" {
        let message = format!(
            "`{}` is a {}, and only a GET is walked page by page",
            operation.id, operation.method
        );
        findings.push(Diagnostic::overrides("paging-on-write", span, message));
        return None;
    }
    let page = dialect.page.as_ref()?;
    let parameter = query(page);
    if parameter.is_none() {
        let message = format!(
            "`{}` has no query parameter `{}`, which the paging dialect `{name}` needs",
            operation.id,
            page.get_ref()
        );
        let known = operation.parameters.iter().map(|parameter| parameter.name.as_str());
        findings.push(
            Diagnostic::overrides("paging-mismatch", span.clone(), message)
                .nearest(page.get_ref(), known),
        );
    }
    let root = &context.document.value;
    for word in [&dialect.more, &dialect.next].into_iter().flatten() {
        findings.extend(missing_member(root, operation, (name, word.get_ref()), &span));
    }
    let told = |word: &Option<Word>| word.as_ref().map(|word| word.get_ref().clone());
    let (more, next) = (told(&dialect.more), told(&dialect.next));
    let size = dialect.size.as_ref().and_then(query);
    findings.extend(another_size(operation, dialect, size.is_some(), span));
    let max = size.and_then(|size| flatten(root, &size.schema).get("maximum")?.as_u64());
    // A page number that is 0 unless somebody says otherwise is counted from there.
    let zero = parameter.and_then(|known| flatten(root, &known.schema).get("default")?.as_u64());
    Some(Paging {
        dialect: name.clone(),
        step: dialect.step,
        page: page.get_ref().clone(),
        from_zero: dialect.step == Step::Page && zero == Some(0),
        size: size.map(|size| size.name.clone()).unwrap_or_default(),
        max: max.and_then(|max| u32::try_from(max).ok()),
        more: more.unwrap_or_default(),
        next: next.unwrap_or_default(),
    })
}

/// A member of the answer that a dialect needs and that is not there; an undocumented answer may have it.
fn missing_member(
    root: &Value,
    operation: &Operation,
    (dialect, path): (&str, &str),
    span: &std::ops::Range<usize>,
) -> Option<Diagnostic> {
    let answer = operation.answer.as_ref().filter(|answer| !schema::is_bare(root, answer))?;
    if schema::descend(root, answer, path).is_some() {
        return None;
    }
    let message = format!(
        "the answer of `{}` has no `{path}`, which the paging dialect `{dialect}` needs",
        operation.id
    );
    let known = schema::paths(root, answer);
    let fault = Diagnostic::overrides("paging-mismatch", span.clone(), message);
    Some(fault.nearest(path, known.iter().map(String::as_str)))
}

/// A parameter that sets the size of pages under another name would be served as an argument.
fn another_size(
    operation: &Operation,
    dialect: &Dialect,
    is_known: bool,
    span: std::ops::Range<usize>,
) -> Option<Diagnostic> {
    const NAMES: [&str; 5] = ["per_page", "page_size", "page_limit", "limit", "size"];
    let wanted = dialect.size.as_ref().filter(|_| !is_known)?.get_ref();
    let found = operation.parameters.iter().find(|parameter| {
        parameter.location == Location::Query && NAMES.contains(&snake(&parameter.name).as_str())
    })?;
    let message = format!(
        "`{}` takes `{}`, and the paging dialect `{}` sets the size of pages by `{wanted}`",
        operation.id,
        found.name,
        dialect.name.get_ref()
    );
    let fault = Diagnostic::overrides("paging-mismatch", span, message);
    Some(fault.help("give it a dialect with this `size`"))
}

/// Reports columns that the answer does not have.
pub(super) fn check_columns(
    context: &Context<'_>,
    operation: &Operation,
    (row, form): (Option<&Value>, Form),
    columns: &[Word],
    findings: &mut Vec<Diagnostic>,
) {
    let root = &context.document.value;
    for (at, column) in columns.iter().enumerate() {
        let name = column.get_ref();
        if columns[..at].iter().any(|known| known.get_ref() == name) {
            let message = format!("the column `{name}` of `{}` stands twice", operation.id);
            findings.push(Diagnostic::overrides("column-twice", column.span(), message));
        }
        let missing = match row {
            Some(row) => !schema::is_bare(root, row) && schema::descend(root, row, name).is_none(),
            None => form == Form::Unknown, // Rows of an undocumented list may have any column.
        };
        if missing {
            let known = row.map(|row| schema::paths(root, row)).unwrap_or_default();
            let fault = Diagnostic::overrides(
                "unknown-column",
                column.span(),
                format!("`{}` answers no `{name}`", operation.id),
            );
            findings.push(fault.nearest(name, known.iter().map(String::as_str)));
        }
    }
}

/// Keeps the declared columns of a row's schema, nested as the platform sends them; all of it without columns.
fn shown(root: &Value, row: &Value, columns: &[String]) -> Value {
    if columns.is_empty() {
        return schema::convert(root, row, Purpose::Output);
    }
    let flat = flatten(root, row);
    if flat.get("type").and_then(Value::as_str) == Some("array") {
        let items =
            flat.get("items").map_or_else(|| json!({}), |items| shown(root, items, columns));
        return with_null(&flat, json!({"type": "array", "items": items}));
    }
    let mut properties = Map::new();
    for column in columns {
        let (name, _) = column.split_once('.').unwrap_or((column, ""));
        let Some(property) = flat.get("properties").and_then(|members| members.get(name)) else {
            continue;
        };
        let nested: Vec<String> = columns
            .iter()
            .filter_map(|column| column.strip_prefix(name)?.strip_prefix('.'))
            .map(str::to_owned)
            .collect();
        let whole = columns.iter().any(|column| column == name);
        let schema = shown(root, property, if whole { &[] } else { &nested });
        properties.insert(name.to_owned(), schema);
    }
    with_null(&flat, json!({"type": "object", "properties": properties}))
}

fn with_null(flat: &Map<String, Value>, mut schema: Value) -> Value {
    if flat.get("nullable") == Some(&Value::Bool(true)) {
        schema["type"] = json!([schema["type"], "null"]);
    }
    schema
}

/// Wraps the shown part into what the tool answers with.
fn output_schema(form: Form, row: Value) -> Value {
    match form {
        Form::List => json!({"type": "object", "properties": {
            "items": {"type": "array", "items": row},
            "page": {"type": "object", "properties": {
                "returned": {"type": "integer"},
                "complete": {"type": "boolean"},
                "next_cursor": {"type": ["string", "null"]},
            }},
            "warnings": {"type": "array", "items": {"type": "string"}},
        }}),
        Form::Object => {
            let mut row = row;
            row["type"] = "object".into(); // Clients refuse a root that may be null.
            row
        }
        Form::Unknown | Form::Computed => {
            json!({"type": "object", "properties": {"status": {"type": "integer"}, "answer": {}}})
        }
    }
}
