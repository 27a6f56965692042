//! The folder for what outlives the process. It makes none.

use std::path::PathBuf;

use super::Error;
use super::source::Source;
use super::variable::Lookup;

/// Where files are kept that outlive the process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StateDir {
    pub(crate) path: PathBuf,
    /// Whether the operator named it; then it has to do.
    pub(crate) named: bool,
}

/// The folder that the operator named, or the system's for such files.
pub(super) fn state(lookup: &Lookup<'_>) -> Result<Option<StateDir>, Error> {
    const NAME: &str = "XYTE_STATE_DIR";
    if let Some((text, source)) = lookup.find(NAME)?.filter(|(text, _)| !text.trim().is_empty()) {
        lookup.note(NAME, text.clone(), source);
        return Ok(Some(StateDir { path: text.into(), named: true }));
    }
    let below = |variable: &str, folder: &str| {
        let base = lookup.environment(variable).filter(|base| base.starts_with('/'))?;
        Some(PathBuf::from(base).join(folder))
    };
    let path =
        below("XDG_STATE_HOME", "xyte-mcp").or_else(|| below("HOME", ".local/state/xyte-mcp"));
    let shown = path.as_ref().map(|path| path.display().to_string()).unwrap_or_default();
    lookup.note(NAME, shown, Source::Default);
    Ok(path.map(|path| StateDir { path, named: false }))
}
