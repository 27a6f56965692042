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
        Builtin::Context => context(service, caller, arguments)?,
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
    mut given: Map<String, Value>,
) -> Result<Shaped, Failure> {
    let filter = given.remove(FILTER);
    let filter = filter.as_ref().and_then(Value::as_str).unwrap_or_default();
    let named = |names: Vec<&String>| {
        names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" and ")
    };
    let Some(session) = &caller.session else {
        let names = if given.is_empty() {
            named(service.catalogue.namings.keys().collect())
        } else {
            named(given.keys().collect())
        };
        let message = format!("there is no session here that could keep {names}");
        return Err(Failure::new("invalid_arguments", message)
            .with_hint(format!("Pass {names} with each call.")));
    };
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
