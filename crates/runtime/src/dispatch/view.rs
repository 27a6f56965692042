//! What of an answer a call shows: columns, whole rows, or the object. It fetches nothing.

use std::borrow::Cow;

use serde_json::{Value, json};
use xyte_mcp_catalogue::{DEFAULT_LIMIT, Form};

use super::{Errand, View};
use crate::catalogue::{Tool, compile};
use crate::decode::Options;
use crate::failure::Failure;
use crate::json;
use crate::shape::list::{Key, Plan};
use crate::shape::projection::{self, Tree};
use crate::shape::{Format, Shaped, absent, budget};
use crate::text::quoted;
use crate::upstream::Answered;

/// Rows of a resource when nobody says how many: a URI cannot ask for more, so it gets more than a tool does unasked.
const RESOURCE_LIMIT: usize = 2000;

/// What tells rows apart where no columns are declared.
const USUAL_ID: &str = "id";

/// How to see what of an object was left out.
const CHOOSE: &str = "`fields` chooses what is shown";

/// What is read of a list, and how many rows.
pub(super) fn list_plan<'a>(tool: &'a Tool, options: &Options, view: View) -> (Plan<'a>, usize) {
    let entry = &tool.entry;
    let (columns, tree) = columns(tool, options, view);
    // By convention, the first column is the id.
    let name = entry.answer.columns.first().filter(|name| !name.contains('.'));
    let name = name.map_or(USUAL_ID, String::as_str);
    let shown = options
        .fields
        .as_ref()
        .is_none_or(|fields| fields.iter().any(|field| field.split('.').next() == Some(name)));
    let key = Some(Key { name, shown });
    let tree = match (&options.fields, shown) {
        (Some(fields), false) => {
            let read: Vec<String> = fields.iter().cloned().chain([name.to_owned()]).collect();
            compile(entry, &read).map(Cow::Owned)
        }
        _ => tree,
    };
    let limit = options.limit.unwrap_or(match view {
        View::Tool => DEFAULT_LIMIT as usize,
        // In one piece, all rows are there already.
        View::Resource if entry.paging.is_none() => usize::MAX,
        View::Resource => RESOURCE_LIMIT,
    });
    let format = match view {
        View::Tool => options.format,
        View::Resource => Format::Json,
    };
    let (rows, paging) = (&entry.answer.rows, entry.paging.as_ref());
    (Plan { rows, columns, tree, paging, format, key }, limit)
}

/// The columns that are shown and the parts that are read for them; what is usual is compiled already.
fn columns<'a>(
    tool: &'a Tool,
    options: &Options,
    view: View,
) -> (Cow<'a, [String]>, Option<Cow<'a, Tree>>) {
    let entry = &tool.entry;
    match (&options.fields, options.format, view) {
        (Some(fields), ..) => (Cow::Owned(fields.clone()), compile(entry, fields).map(Cow::Owned)),
        (None, Format::Json, _) => (Cow::Borrowed(&[]), compile(entry, &[]).map(Cow::Owned)),
        (None, Format::Table, View::Tool) => {
            (Cow::Borrowed(&entry.answer.columns), tool.shown.as_ref().map(Cow::Borrowed))
        }
        (None, Format::Table, View::Resource) => {
            let columns = entry.resource.as_ref().map_or(&[][..], |resource| &resource.columns);
            (Cow::Borrowed(columns), tool.shown_as_resource.as_ref().map(Cow::Borrowed))
        }
    }
}

/// Shapes an answer that is no list.
pub(super) fn one_piece(
    errand: &Errand<'_>,
    view: View,
    answered: &Answered,
) -> Result<Shaped, Failure> {
    let (tool, reply) = (errand.tool, &answered.reply);
    if tool.entry.answer.form == Form::Unknown && reply.body.is_empty() {
        return Ok(Shaped::undocumented(reply.status, Value::Null));
    }
    if reply.body.is_empty() && !tool.is_read() {
        return Ok(Shaped::of(
            json!({ "done": true, "http_status": reply.status, "answer": null }),
        ));
    }
    let (names, tree) = columns(tool, errand.options, view);
    let read = match &tree {
        Some(tree) => projection::project(&reply.body, tree),
        None => json::read(&reply.body),
    };
    let value = read.map_err(|err| errand.unreadable(answered, &err))?;
    let (shaped, hint) = match tool.entry.answer.form {
        Form::Unknown => (Shaped::undocumented(reply.status, value), ""),
        Form::Object | Form::List | Form::Computed => {
            (Shaped::object(complete(value, &names, errand, answered)?), CHOOSE)
        }
    };
    Ok(match view {
        View::Tool => within(shaped, errand, hint),
        // Resources and routes are for programs, which take an object as it is.
        View::Resource => shaped,
    })
}

/// An answer that is no larger than the operator allows.
fn within(shaped: Shaped, errand: &Errand<'_>, hint: &str) -> Shaped {
    let room = budget::chars(errand.service.settings.answer_tokens);
    if budget::text_length(&shaped.text) <= room {
        return shaped; // The text is the structure.
    }
    budget::object(shaped.structured, room, hint)
}

/// Says which chosen names an object does not have; where it has none of them, it is shown whole.
///
/// A declared column alone may be absent, since the platform omits what is empty.
fn complete(
    mut value: Value,
    names: &[String],
    errand: &Errand<'_>,
    answered: &Answered,
) -> Result<Value, Failure> {
    let absent = absent(names, [&value]);
    let chosen = errand.options.fields.is_some();
    if absent.is_empty() || !(chosen || absent.len() == names.len()) {
        return Ok(value);
    }
    let listed =
        absent.iter().map(|name| format!("`{}`", quoted(name))).collect::<Vec<_>>().join(", ");
    if absent.len() == names.len() {
        let read = json::read(&answered.reply.body);
        value = read.map_err(|err| errand.unreadable(answered, &err))?;
    }
    if let Value::Object(members) = &mut value {
        let warning = format!("the answer has no {listed}");
        members.entry("warnings").or_insert_with(|| json!([warning]));
    }
    Ok(value)
}
