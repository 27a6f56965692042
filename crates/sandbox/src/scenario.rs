//! Which world the sandbox starts with; knows names only, `fleet` builds the worlds.

use crate::Error;

/// The names a scenario can be asked for by.
pub const NAMES: &[&str] = &["baseline", "small", "empty"];

/// A world to start with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scenario {
    /// 1,200 devices in tenant A, 40 in tenant B.
    Baseline,
    /// One building with 24 devices and a room named `Board`.
    Small,
    /// Valid keys, no objects.
    Empty,
}

impl Scenario {
    pub(crate) fn parse(name: &str) -> Result<Self, Error> {
        match name {
            "baseline" => Ok(Self::Baseline),
            "small" => Ok(Self::Small),
            "empty" => Ok(Self::Empty),
            _ => Err(Error::UnknownScenario { name: name.to_owned() }),
        }
    }
}
