//! What the server does itself, whatever the API: remembering ids, and finding and describing operations. It sends nothing.

use chrono::Utc;
use serde_json::{Map, Value, json};
use xyte_mcp_catalogue::Builtin;

use super::{Performed, compact};
use crate::caller::Caller;
use crate::catalogue::Tool;
use crate::failure::Failure;
use crate::service::Service;
use crate::shape::Shaped;
use crate::text::quoted;

/// The argument that names a filter; all others are ids.
const FILTER: &str = "filter";

/// Does what the tool stands for, with checked arguments.
pub(super) fn perform(
    service: &Service,
    caller: &Caller,
    (tool, builtin): (&Tool, Builtin),
    arguments: Map<String, Value>,
) -> Performed {
    let shaped = match builtin {
        Builtin::Context => context(service, caller, tool, arguments)?,
        Builtin::Search => compact::search(service, caller, &arguments),
        Builtin::Describe => compact::describe(service, caller, &arguments)?,
        // What could be called was called instead of this.
        Builtin::Call => return Err(compact::missed(service, caller, tool, &arguments)),
        Builtin::AsyncDisabled => return Err(Failure::async_disabled()),
    };
    Ok((shaped, Some(Utc::now())))
}

/// Remembers ids for the calls of this session that leave them out.
fn context(
    service: &Service,
    caller: &Caller,
    tool: &Tool,
    mut given: Map<String, Value>,
) -> Result<Shaped, Failure> {
    let filter = given.remove(FILTER);
    let filter = filter.as_ref().and_then(Value::as_str).unwrap_or_default();
    let Some(session) = &caller.session else { return Err(no_session(service, tool)) };
    for (name, value) in &given {
        let text = value.as_str().map_or_else(|| value.to_string(), |text| text.trim().to_owned());
        let naming = service.catalogue.namings.get(name);
        if !text.is_empty() && naming.is_some_and(|naming| !naming.form.fits(&text)) {
            let message = format!("`{name}` is \"{}\": an id is accepted", quoted(&text));
            return Err(Failure::invalid_arguments(message));
        }
    }
    let remembered = session
        .remember(filter, given)
        .ok_or_else(|| Failure::invalid_arguments("this session has too many filters already"))?;
    Ok(Shaped::of(json!({ "context": remembered })))
}

/// Where every request stands alone, each has to say what it is about.
pub(super) fn no_session(service: &Service, tool: &Tool) -> Failure {
    let properties = tool.schema().get("properties");
    let names = service.catalogue.namings.keys();
    let names = names.filter(|name| properties.is_some_and(|it| it.get(name.as_str()).is_some()));
    let names = names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" and ");
    Failure::new("invalid_arguments", format!("there is no session here that could keep {names}"))
        .with_hint(format!("Pass {names} with each call."))
}
