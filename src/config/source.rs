//! Where settings can come from, and where each one did. Knows neither names nor meanings.

use std::collections::BTreeMap;
use std::fmt;

/// The variables of one place, by name.
pub(crate) type Variables = BTreeMap<String, String>;

/// Everything outside of the command line that settings can come from.
#[derive(Default)]
pub(crate) struct Surroundings {
    /// The environment of the process.
    pub(crate) environment: Variables,
    /// The file `.env` of the working directory.
    pub(crate) env_file: Variables,
    /// Variables of the environment whose values are no text.
    pub(crate) no_text: Vec<String>,
}

/// Where the value of a setting came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    Flag,
    /// A variable of the environment, by the name it had there.
    Environment(String),
    /// A line of `.env`, by its name.
    EnvFile(String),
    /// A file of its own, by the variable that names it.
    File(String),
    Default,
}

impl Source {
    /// The kind of place, for programs.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Flag => "flag",
            Self::Environment(_) => "environment",
            Self::EnvFile(_) => ".env",
            Self::File(_) => "file",
            Self::Default => "default",
        }
    }

    /// The variable that said it.
    pub(crate) fn variable(&self) -> Option<&str> {
        match self {
            Self::Environment(name) | Self::EnvFile(name) | Self::File(name) => Some(name),
            Self::Flag | Self::Default => None,
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind())?;
        self.variable().map_or(Ok(()), |name| write!(f, " ({name})"))
    }
}

/// A setting as an operator may see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) name: &'static str,
    /// The value, masked where it is a secret.
    pub(crate) shown: String,
    pub(crate) source: Source,
}
