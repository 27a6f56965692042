//! Which world the sandbox starts with, and which faults it begins with; `fleet` builds the worlds.

use crate::{Error, fault::Fault};

/// The worlds a sandbox can start with.
pub const NAMES: &[&str] = &["baseline", "small", "empty"];

/// Names of faults, each with the rule that it stands for.
pub const FAULTS: &[(&str, &str)] = &[
    ("rate-limited", "429 retry-after=2 nth=5"),
    ("page-7-fails", "500 method=GET query=page=7"),
    ("drop-after-4", "drop-after method=POST,PUT,PATCH,DELETE nth=4"),
    ("slow-page", "slow=12000 method=GET query=page=3"),
];

/// A world to start with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// 1,200 devices in tenant A, 40 in tenant B.
    Baseline,
    /// One building with 24 devices and a room named `Board`.
    Small,
    /// Valid keys, no objects.
    Empty,
}

/// A world, and the faults of its beginning.
#[derive(Debug, Clone)]
pub(crate) struct Scenario {
    /// As it was asked for.
    pub(crate) name: String,
    pub(crate) world: Kind,
    pub(crate) faults: Vec<Fault>,
}

impl Scenario {
    /// Reads `WORLD`, or `WORLD+FAULT+…` where a fault is a name or a rule.
    pub(crate) fn parse(name: &str) -> Result<Self, Error> {
        let mut parts = name.split('+').map(str::trim);
        let world = match parts.next() {
            Some("baseline") => Kind::Baseline,
            Some("small") => Kind::Small,
            Some("empty") => Kind::Empty,
            _ => return Err(Error::UnknownScenario { name: name.to_owned() }),
        };
        let faults = parts.map(Fault::parse).collect::<Result<_, _>>()?;
        Ok(Self { name: name.to_owned(), world, faults })
    }
}
