//! What a request chose to see, by headers. Choices narrow; a name that does not exist is refused, since leaving it out could widen.

use http::{HeaderMap, HeaderValue, StatusCode};

use super::refusal::Refusal;
use crate::caller::{Selection, Toolsets, names};
use crate::catalogue::{Catalogue, nearest};
use crate::text::quoted;

/// Selects toolsets for one request.
const TOOLSETS_HEADER: &str = "x-mcp-toolsets";

/// Selects single tools for one request.
const TOOLS_HEADER: &str = "x-mcp-tools";

/// Leaves single tools out for one request.
const EXCLUDE_HEADER: &str = "x-mcp-exclude-tools";

/// Renounces everything that changes something, for one request.
const READ_ONLY_HEADER: &str = "x-mcp-readonly";

/// Completes what the address chose with what the headers do.
pub(super) fn select(
    headers: &HeaderMap,
    mut selection: Selection,
    catalogue: &Catalogue,
) -> Result<Selection, Refusal> {
    if selection.toolsets == Toolsets::Unset {
        selection.toolsets = Toolsets::parse(&text(headers, TOOLSETS_HEADER)?);
    }
    for value in headers.get_all(READ_ONLY_HEADER) {
        selection.read_only |= switch(value).ok_or_else(|| {
            let message = format!("the header {READ_ONLY_HEADER} takes true or false");
            Refusal::new(StatusCode::BAD_REQUEST, "invalid_readonly", message)
        })?;
    }
    known_toolsets(&selection.toolsets, catalogue)?;
    let named = known_tools(&text(headers, TOOLS_HEADER)?, catalogue)?;
    selection.tools = Some(named).filter(|named| !named.is_empty()).map(Into::into);
    selection.excluded = known_tools(&text(headers, EXCLUDE_HEADER)?, catalogue)?.into();
    Ok(selection)
}

/// The header's text; one that comes several times is one list.
fn text(headers: &HeaderMap, name: &'static str) -> Result<String, Refusal> {
    let lines: Result<Vec<&str>, _> =
        headers.get_all(name).iter().map(HeaderValue::to_str).collect();
    lines.map(|lines| lines.join(",")).map_err(|_| {
        let message = format!("the header {name} holds characters that no name has");
        Refusal::new(StatusCode::BAD_REQUEST, "malformed_header", message)
    })
}

/// Reads a switch; what is neither on nor off must not pass for off.
fn switch(value: &HeaderValue) -> Option<bool> {
    match value.to_str().ok()?.trim().to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Some(true),
        "" | "false" | "0" | "no" | "off" => Some(false),
        _ => None,
    }
}

fn known_toolsets(toolsets: &Toolsets, catalogue: &Catalogue) -> Result<(), Refusal> {
    let Toolsets::Named(names) = toolsets else { return Ok(()) };
    let all: Vec<&str> = catalogue.toolsets.iter().map(|toolset| toolset.name.as_str()).collect();
    let Some(unknown) = names.iter().find(|name| !all.contains(&name.as_str())) else {
        return Ok(());
    };
    let near = nearest(unknown, all.iter().copied().chain(["all"]));
    let near = near.map(|near| format!("did you mean `{near}`? "));
    let (unknown, near) = (quoted(unknown), near.unwrap_or_default());
    let message = format!("no toolset `{unknown}`; {near}there are {}, and `all`", all.join(", "));
    Err(Refusal::new(StatusCode::BAD_REQUEST, "unknown_toolset", message))
}

/// The tools of a list under their own names.
fn known_tools(text: &str, catalogue: &Catalogue) -> Result<Vec<String>, Refusal> {
    let found = names(text).map(|name| {
        let unknown = || {
            let near = catalogue.nearest(name).map(|near| format!("did you mean `{near}`?"));
            let hint = near.as_deref().unwrap_or("the document at /docs names them all");
            let message = format!("no tool `{}`; {hint}", quoted(name));
            Refusal::new(StatusCode::BAD_REQUEST, "unknown_tool", message)
        };
        Ok(catalogue.find(name).ok_or_else(unknown)?.name().to_owned())
    });
    found.collect()
}
