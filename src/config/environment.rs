//! For whom logs are written.

use std::str::FromStr;

/// Who reads the logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Environment {
    /// Programs.
    Production,
    /// A person at a terminal.
    Development,
}

impl Environment {
    /// Its name in settings.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Production => "prod",
            Self::Development => "dev",
        }
    }
}

impl FromStr for Environment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.trim().to_ascii_lowercase().as_str() {
            "prod" => Ok(Self::Production),
            "dev" => Ok(Self::Development),
            _ => Err("prod or dev".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_environments_are_taken() {
        for known in [Environment::Production, Environment::Development] {
            assert_eq!(known.name().parse(), Ok(known));
        }
        assert_eq!("staging".parse::<Environment>(), Err("prod or dev".to_owned()));
    }
}
