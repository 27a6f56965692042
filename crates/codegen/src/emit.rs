//! Text from the catalogue. Decides nothing: what depends on data was decided in `resolve`.

pub(crate) mod calls;
pub(crate) mod capabilities;
pub(crate) mod client;
mod filters;
pub(crate) mod usage;
pub(crate) mod workflows;

use crate::diagnostic::Diagnostic;

/// A template that cannot be rendered is a fault of its own, with the place in the template.
fn template_fault(name: &str, err: &minijinja::Error) -> Diagnostic {
    let line = err.line().map(|line| format!(", line {line}")).unwrap_or_default();
    Diagnostic::document("template", "", format!("templates/{name}{line}: {err}"))
}
