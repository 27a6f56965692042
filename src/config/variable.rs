//! Finding the text of a setting: flag, variable, alias, file. Knows names, not meanings.

use super::Error;
use crate::cli::Flags;

/// Variables with other names that mean the same.
const ALIASES: &[(&str, &[&str])] = &[
    ("XYTE_API_KEY", &["XYTE_ORG_API_KEY"]),
    ("XYTE_BASE_URL", &["XYTE_HUB_URL"]),
    ("XYTE_MCP_HOST", &["MCP_INSPECTOR_HOST"]),
    ("XYTE_MCP_PORT", &["MCP_INSPECTOR_PORT", "PORT"]),
    ("XYTE_TIMEOUT_MS", &["XYTE_MCP_TIMEOUT_MS"]),
    ("XYTE_READ_ONLY", &["XYTE_MCP_READ_ONLY"]),
    ("XYTE_LOG_LEVEL", &["LOG_LEVEL"]),
];

/// Variables whose values are never shown, and which a file may hold instead.
const SECRETS: &[&str] =
    &["XYTE_API_KEY", "XYTE_PARTNER_API_KEY", "XYTE_MCP_HTTP_TOKEN", "XYTE_METRICS_TOKEN"];

/// Variables of features that this build does not have.
const NOT_YET: &[(&str, &str)] = &[
    ("DATABASE_URL", "background tasks"),
    ("ENABLE_ASYNC_TASKS", "background tasks"),
    ("REDIS_URL", "shared limits and events"),
    ("RESULT_BACKEND_URL", "background tasks"),
    ("XYTE_ANSWER_TOKENS", "answer budget"),
    ("XYTE_AUDIT", "audit"),
    ("XYTE_BULK_MAX", "bulk tools"),
    ("XYTE_CONFIRM", "consent"),
    ("XYTE_CONFIRM_COMMANDS", "consent"),
    ("XYTE_ENV", "environment profiles"),
    ("XYTE_EXPERIMENTAL_APIS", "experimental tools"),
    ("XYTE_PLUGINS", "plugins"),
    ("XYTE_PRESETS_DIR", "room presets"),
    ("XYTE_SEAL_KEY", "sealed cursors"),
    ("XYTE_STATE_DIR", "embedded stores"),
    ("XYTE_WATCH_SECONDS", "events"),
    ("XYTE_WEBHOOK_SECRET", "events"),
];

/// Variables of OAuth set-ups, which the platform's API has no use for.
const NO_CREDENTIALS: &[&str] = &["XYTE_OAUTH_TOKEN", "XYTE_USER_TOKEN"];

/// Looks a variable up by name.
type Environment<'a> = Box<dyn Fn(&str) -> Option<String> + 'a>;

/// Where settings are looked up.
pub(super) struct Lookup<'a> {
    flags: &'a Flags,
    environment: Environment<'a>,
}

impl<'a> Lookup<'a> {
    pub(super) fn new(flags: &'a Flags, environment: impl Fn(&str) -> Option<String> + 'a) -> Self {
        Self { flags, environment: Box::new(environment) }
    }

    /// Refuses variables that would be silently without effect.
    pub(super) fn refuse_what_is_not_there_yet(&self) -> Result<(), Error> {
        for (name, feature) in NOT_YET {
            if self.variable(name).is_some() {
                return Err(Error::NotYet { name: (*name).to_owned(), feature });
            }
        }
        Ok(())
    }

    /// Tells which variables are accepted and have no effect.
    pub(super) fn warnings(&self) -> Vec<String> {
        let set = NO_CREDENTIALS.iter().filter(|name| self.variable(name).is_some());
        set.map(|name| {
            format!(
                "{name} is set and never used as a credential; the platform takes API keys only"
            )
        })
        .collect()
    }

    /// Finds the text of a setting.
    pub(super) fn find(&self, name: &'static str) -> Result<Option<String>, Error> {
        if let Some(text) = self.flags.of(name) {
            return Ok(Some(text.to_owned()));
        }
        let aliases = ALIASES
            .iter()
            .find(|(known, _)| *known == name)
            .map_or(&[][..], |(_, aliases)| aliases);
        let mut found = self.variable(name);
        for alias in aliases {
            let other = self.variable(alias);
            if found.is_some() && other.is_some() && found != other {
                return Err(Error::Contradiction {
                    name: name.to_owned(),
                    alias: (*alias).to_owned(),
                });
            }
            found = found.or(other);
        }
        if found.is_none() && SECRETS.contains(&name) {
            return self.read_file(&format!("{name}_FILE"));
        }
        Ok(found)
    }

    /// Finds and parses a setting; `parse` gives what is accepted as its error.
    pub(super) fn parse<T>(
        &self,
        name: &'static str,
        default: &str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Result<T, Error> {
        let text = self.find(name)?.unwrap_or_else(|| default.to_owned());
        let held = Self::shown(name, &text);
        parse(&text).map_err(|wanted| Error::Malformed { name: name.to_owned(), held, wanted })
    }

    /// Shows what a setting holds, unless it is a secret.
    pub(super) fn shown(name: &str, text: &str) -> String {
        let address_with_password = name == "XYTE_BASE_URL" && text.contains('@');
        if SECRETS.contains(&name) || address_with_password {
            "**** (a secret)".to_owned()
        } else {
            format!("`{}`", text.escape_debug())
        }
    }

    /// An empty variable is as good as none.
    fn variable(&self, name: &str) -> Option<String> {
        (self.environment)(name).filter(|text| !text.is_empty())
    }

    fn read_file(&self, name: &str) -> Result<Option<String>, Error> {
        let Some(path) = self.variable(name) else { return Ok(None) };
        let text = std::fs::read_to_string(path)
            .map_err(|err| Error::Unreadable { name: name.to_owned(), cause: err.to_string() })?;
        Ok(Some(text.trim().to_owned()))
    }
}
