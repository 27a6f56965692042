//! Arguments against the input schema: everything that is wrong, at once, before anything is sent.
//!
//! It splits the arguments into those of the platform and those that shape the answer; it knows no HTTP and no MCP.

mod complaint;

use serde_json::{Map, Value};
use xyte_mcp_catalogue::{Form, Location};

use crate::catalogue::Tool;
use crate::failure::Failure;
use crate::shape::Format;
use crate::text;

/// Problems that are told at once: nobody reads more, and a long list is no longer an answer.
const MOST_PROBLEMS: usize = 10;

/// Checked arguments.
#[derive(Debug, Clone, PartialEq)]
pub struct Decoded {
    /// What goes to the platform, by the tool's names.
    pub arguments: Map<String, Value>,
    /// What is done with the answer.
    pub options: Options,
}

/// What is done with the call and its answer; none of it reaches the platform.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Options {
    /// Describe the request instead of sending it.
    pub dry_run: bool,
    /// Read past every cache.
    pub fresh: bool,
    /// Dotted names to show instead of the declared columns.
    pub fields: Option<Vec<String>>,
    /// How much is shown.
    pub format: Format,
    /// Carries out a plan that was shown.
    pub plan_token: Option<String>,
    /// Names the change, so that it is made once.
    pub idempotency_key: Option<String>,
    /// Most rows of a list, where the caller says how many.
    pub limit: Option<usize>,
    /// Where a list goes on, as an earlier answer said.
    pub cursor: Option<String>,
}

/// Checks arguments and splits them.
///
/// # Errors
/// `invalid_arguments`, with every problem in the message.
pub fn decode(tool: &Tool, mut arguments: Map<String, Value>) -> Result<Decoded, Failure> {
    let mut options = Options::default();
    let mut problems = Vec::new();
    // These two are accepted everywhere, whether or not the schema shows them.
    for (name, switch) in [("dry_run", &mut options.dry_run), ("fresh", &mut options.fresh)] {
        if is_the_platforms(tool, name) {
            continue;
        }
        match arguments.remove(name) {
            None | Some(Value::Null) => {}
            Some(Value::Bool(on)) => *switch = on,
            Some(Value::String(text)) if text == "true" || text == "false" => {
                *switch = text == "true";
            }
            Some(other) => problems.push(format!(
                "`{name}` is {}: true or false is accepted",
                complaint::kind(&other)
            )),
        }
    }
    if !tool.is_read() {
        let texts = [
            ("plan_token", &mut options.plan_token),
            ("idempotency_key", &mut options.idempotency_key),
        ];
        for (name, text) in texts {
            if is_the_platforms(tool, name) {
                continue;
            }
            match arguments.remove(name) {
                None | Some(Value::Null) => {}
                Some(Value::String(given)) => *text = Some(given),
                Some(other) => problems
                    .push(format!("`{name}` is {}: a text is accepted", complaint::kind(&other))),
            }
        }
    }
    let unshown = take_unshown(tool, &mut arguments);
    for (name, value) in &mut arguments {
        coerce(tool, name, value);
    }
    // An agent that fills in every optional argument writes null for "nothing".
    arguments.retain(|name, value| !value.is_null() || keeps_null(tool, name));
    let validator = tool.validator().ok_or_else(|| {
        Failure::new("internal", format!("the input schema of `{}` does not compile", tool.name()))
    })?;
    let arguments = Value::Object(arguments);
    problems.extend(
        complaint::describe_all(tool, &arguments, validator.iter_errors(&arguments))
            .take(MOST_PROBLEMS),
    );
    let Value::Object(mut arguments) = arguments else { unreachable!("made of an object above") };
    arguments.extend(unshown);
    if problems.is_empty() {
        problems.extend(take_options(tool, &mut arguments, &mut options));
    }
    problems.extend(detours(tool, &arguments));
    if !problems.is_empty() {
        return Err(refuse(tool, &problems));
    }
    Ok(Decoded { arguments, options })
}

/// Takes out what every object understands and its schema does not show, since each word of a schema is paid for.
fn take_unshown(tool: &Tool, arguments: &mut Map<String, Value>) -> Vec<(String, Value)> {
    if tool.entry.answer.form != Form::Object {
        return Vec::new();
    }
    let fits = |name: &str, value: &Value| match name {
        "fields" => value.as_array().is_some_and(|names| names.iter().all(Value::is_string)),
        _ => value == "table" || value == "json",
    };
    let unshown = ["fields", "format"].into_iter().filter(|name| property(tool, name).is_none());
    let taken = unshown.filter_map(|name| {
        let fitting = arguments.get(name).is_some_and(|value| fits(name, value));
        fitting.then(|| Some((name.to_owned(), arguments.remove(name)?))).flatten()
    });
    taken.collect()
}

/// Values in the path that a URL parser would take for steps in it: the request would reach another resource.
fn detours<'a>(
    tool: &'a Tool,
    arguments: &'a Map<String, Value>,
) -> impl Iterator<Item = String> + 'a {
    let in_path =
        tool.entry.arguments.iter().filter(|argument| argument.location == Location::Path);
    in_path.filter_map(|argument| {
        let value = arguments.get(&argument.name)?.as_str()?;
        let detour = matches!(value.trim(), "" | "." | "..")
            || value.contains('\\')
            || value.contains(char::is_control);
        detour.then(|| {
            format!(
                "`{}` is \"{}\": an id is accepted, not a path",
                argument.name,
                text::quoted(value)
            )
        })
    })
}

fn refuse(tool: &Tool, problems: &[String]) -> Failure {
    let message = match problems {
        [one] => one.clone(),
        many => format!("{} problems: {}", many.len(), many.join("; ")),
    };
    Failure::invalid_arguments(message).with_hint(format!(
        "Nothing was sent. Correct the arguments and call `{}` again.",
        tool.name()
    ))
}

/// Takes out what shapes the answer; the schema has already checked the types.
fn take_options(
    tool: &Tool,
    arguments: &mut Map<String, Value>,
    options: &mut Options,
) -> Option<String> {
    if matches!(tool.entry.answer.form, Form::Unknown | Form::Computed) {
        return None;
    }
    let mut own =
        |name: &str| if is_the_platforms(tool, name) { None } else { arguments.remove(name) };
    if let Some(Value::Array(names)) = own("fields") {
        let names: Vec<String> = names
            .iter()
            .filter_map(Value::as_str)
            .filter(|n| !n.is_empty())
            .map(str::to_owned)
            .collect();
        options.fields = (!names.is_empty()).then_some(names);
    }
    if own("format").is_some_and(|format| format == "json") {
        options.format = Format::Json;
    }
    if let Some(limit) = own("limit").as_ref().and_then(Value::as_u64) {
        options.limit = Some(usize::try_from(limit).unwrap_or(usize::MAX).max(1));
    }
    if let Some(Value::String(cursor)) = own("cursor") {
        options.cursor = Some(cursor);
    }
    options.fields.as_deref().and_then(excess)
}

/// What is wrong with names that are too many, too long or too deep to be columns of anything.
fn excess(fields: &[String]) -> Option<String> {
    const MOST: usize = 100;
    const LONGEST: usize = 200;
    const DEEPEST: usize = 16;
    if fields.len() > MOST {
        return Some(format!("`fields` has too many names: at most {MOST} are accepted"));
    }
    let unfit = |name: &&String| name.len() > LONGEST || name.split('.').count() > DEEPEST;
    let name = fields.iter().find(unfit)?;
    Some(format!(
        "`fields` holds `{}`: names of at most {LONGEST} characters and {DEEPEST} parts are accepted",
        text::quoted(name)
    ))
}

fn location(tool: &Tool, name: &str) -> Option<Location> {
    tool.entry
        .arguments
        .iter()
        .find(|argument| argument.name == name)
        .map(|argument| argument.location)
}

fn is_the_platforms(tool: &Tool, name: &str) -> bool {
    location(tool, name).is_some()
}

/// In a body, null can mean "clear this"; the schema says where it may be.
fn keeps_null(tool: &Tool, name: &str) -> bool {
    match location(tool, name) {
        Some(Location::Body | Location::WholeBody) => true,
        Some(Location::Path | Location::Query | Location::Header) => {
            accepts(property(tool, name), "null")
        }
        None => property(tool, name).is_none(),
    }
}

/// The schema of an argument.
fn property<'a>(tool: &'a Tool, name: &str) -> Option<&'a Value> {
    tool.schema().get("properties")?.get(name)
}

/// Whether a schema's `type` names a type.
fn accepts(schema: Option<&Value>, kind: &str) -> bool {
    match schema.and_then(|schema| schema.get("type")) {
        Some(Value::String(only)) => only == kind,
        Some(Value::Array(several)) => several.iter().any(|one| one == kind),
        _ => false,
    }
}

/// Turns text into a number and a number into text where only the other is accepted.
///
/// Where both are accepted, an id in a path or query is sent the same way, so the number is taken; in a body the caller's choice stands, unless a pattern shows that the text is a number in disguise.
fn coerce(tool: &Tool, name: &str, value: &mut Value) {
    let schema = property(tool, name);
    let numeric = accepts(schema, "integer") || accepts(schema, "number");
    let textual = accepts(schema, "string");
    match value {
        Value::String(text) if numeric => {
            let in_body = location(tool, name) == Some(Location::Body);
            let patterned = schema.is_some_and(|schema| schema.get("pattern").is_some());
            if textual && in_body && !patterned {
                return;
            }
            // Only the plain spelling is a number: `007` and `1e3` could be meant as text.
            if let Some(number) = plain_integer(text) {
                *value = number;
            }
        }
        // `2.0` and `2e0` are the whole number 2, which the typed client takes in one spelling only.
        Value::Number(number) if accepts(schema, "integer") => {
            if let Some(whole) = whole(number) {
                *value = Value::Number(whole.into());
            }
        }
        Value::Number(number) if textual && !numeric => *value = Value::String(number.to_string()),
        _ => {}
    }
}

/// Reads a whole number in another spelling; one beyond 2^53 may have lost digits and is left alone.
fn whole(number: &serde_json::Number) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if number.as_i64().is_some() || number.as_u64().is_some() {
        return None;
    }
    let float = number.as_f64().filter(|float| float.fract() == 0.0 && float.abs() <= EXACT)?;
    format!("{float:.0}").parse().ok()
}

fn plain_integer(text: &str) -> Option<Value> {
    let text = text.trim();
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = !digits.is_empty()
        && digits.bytes().all(|b| b.is_ascii_digit())
        && (digits.len() == 1 || !digits.starts_with('0'));
    plain.then(|| text.parse().ok().map(Value::Number)).flatten()
}

#[cfg(test)]
mod tests;
