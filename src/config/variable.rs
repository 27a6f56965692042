//! Finding the text of a setting: flag, variable, alias, file. Knows names, not meanings.

use std::cell::RefCell;
use std::collections::BTreeSet;

use xyte_mcp_runtime::catalogue::nearest;

use super::Error;
use super::source::{Origin, Source, Surroundings, Variables};
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
const SECRETS: &[&str] = &[
    "REDIS_URL",
    "XYTE_API_KEY",
    "XYTE_PARTNER_API_KEY",
    "XYTE_MCP_HTTP_TOKEN",
    "XYTE_METRICS_TOKEN",
    "XYTE_SEAL_KEY",
];

/// Variables of features that this build does not have.
const NOT_YET: &[(&str, &str)] = &[
    ("DATABASE_URL", "background tasks"),
    ("ENABLE_ASYNC_TASKS", "background tasks"),
    ("RESULT_BACKEND_URL", "background tasks"),
    ("XYTE_PLUGINS", "plugins"),
    ("XYTE_WATCH_SECONDS", "events"),
    ("XYTE_WEBHOOK_SECRET", "events"),
];

/// Variables of OAuth set-ups, which the platform's API has no use for.
const NO_CREDENTIALS: &[&str] = &["XYTE_OAUTH_TOKEN", "XYTE_USER_TOKEN"];

/// Names of variables of ours begin like this.
const PREFIX: &str = "XYTE_";

/// Where settings are looked up, and what was found there.
pub(super) struct Lookup<'a> {
    flags: &'a Flags,
    surroundings: &'a Surroundings,
    origins: RefCell<Vec<Origin>>,
}

impl<'a> Lookup<'a> {
    pub(super) fn new(flags: &'a Flags, surroundings: &'a Surroundings) -> Self {
        Self { flags, surroundings, origins: RefCell::default() }
    }

    /// Refuses variables that would be silently without effect.
    pub(super) fn refuse_what_has_no_effect(&self) -> Result<(), Error> {
        let is_alias = |name: &str| ALIASES.iter().any(|(_, aliases)| aliases.contains(&name));
        let is_secret = |name: &str| SECRETS.contains(&name.trim_end_matches("_FILE"));
        let is_ours = |name: &str| name.starts_with(PREFIX) || is_alias(name) || is_secret(name);
        if let Some(name) = self.surroundings.no_text.iter().find(|name| is_ours(name)) {
            let (held, wanted) = ("bytes that are no text".to_owned(), "UTF-8".to_owned());
            return Err(Error::Malformed { name: name.clone(), held, wanted });
        }
        for (name, feature) in NOT_YET {
            for name in [(*name).to_owned(), format!("{name}_FILE")] {
                if self.is_set(&name) {
                    return Err(Error::NotYet { name, feature });
                }
            }
        }
        Ok(())
    }

    /// Tells which variables have no effect; to be asked when all settings were looked up.
    pub(super) fn warnings(&self) -> Vec<String> {
        let credentials = NO_CREDENTIALS.iter().filter(|name| self.is_set(name)).map(|name| {
            format!(
                "{name} is set and never used as a credential; the platform takes API keys only"
            )
        });
        credentials.chain(self.misspelled()).collect()
    }

    /// Where each setting came from, in the order in which they were looked up.
    pub(super) fn origins(&self) -> Vec<Origin> {
        self.origins.borrow().clone()
    }

    /// Finds the text of a setting and where it is from.
    pub(super) fn find(&self, name: &'static str) -> Result<Option<(String, Source)>, Error> {
        if let Some(text) = self.flags.of(name) {
            return Ok(Some((text.to_owned(), Source::Flag)));
        }
        let places = [
            (&self.surroundings.environment, Source::Environment as fn(String) -> Source),
            (&self.surroundings.env_file, Source::EnvFile),
        ];
        for (variables, source) in places {
            match Self::find_in(variables, name)? {
                Place::Silent => {}
                Place::Empty => return Ok(None),
                Place::Says(variable, text) => return Ok(Some((text, source(variable)))),
                Place::Points(variable, text) => return Ok(Some((text, Source::File(variable)))),
            }
        }
        Ok(None)
    }

    fn find_in(variables: &Variables, name: &'static str) -> Result<Place, Error> {
        let mut place = Place::Silent;
        for known in std::iter::once(&name).chain(aliases(name)) {
            let Some(text) = variables.get(*known) else { continue };
            place = match place {
                Place::Says(first, said) if !text.is_empty() && *text != said => {
                    return Err(Error::Contradiction { name: first, alias: (*known).to_owned() });
                }
                Place::Silent | Place::Empty if !text.is_empty() => {
                    Place::Says((*known).to_owned(), text.clone())
                }
                Place::Silent => Place::Empty,
                settled => settled,
            };
        }
        let named = |twin: &String| variables.get(twin).is_some_and(|path| !path.is_empty());
        match (twins(name).find(named), place) {
            (Some(twin), Place::Silent | Place::Empty) => {
                let path = variables.get(&twin).map_or("", String::as_str);
                let text = std::fs::read_to_string(path).map_err(|err| Error::Unreadable {
                    name: twin.clone(),
                    cause: err.to_string(),
                })?;
                Ok(Place::Points(twin, text.trim().to_owned()))
            }
            (_, place) => Ok(place),
        }
    }

    /// Finds and parses a setting; `parse` gives what is accepted as its error.
    pub(super) fn parse<T>(
        &self,
        name: &'static str,
        default: &str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Result<T, Error> {
        let found = self.find(name)?;
        let (text, source) = found.unwrap_or_else(|| (default.to_owned(), Source::Default));
        let held = Self::shown(name, &text);
        self.note(name, text.clone(), source);
        parse(&text).map_err(|wanted| Error::Malformed { name: name.to_owned(), held, wanted })
    }

    /// Remembers where a setting is from, for whoever asks.
    pub(super) fn note(&self, name: &'static str, shown: String, source: Source) {
        self.origins.borrow_mut().push(Origin { name, shown, source });
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

    /// A variable of the system, which no file of ours holds.
    pub(super) fn environment(&self, name: &str) -> Option<&str> {
        self.surroundings.environment.get(name).map(String::as_str)
    }

    /// An empty variable is as good as none.
    fn is_set(&self, name: &str) -> bool {
        let Surroundings { environment, env_file, .. } = self.surroundings;
        environment.get(name).or_else(|| env_file.get(name)).is_some_and(|text| !text.is_empty())
    }

    /// Variables that look like ours and are none.
    fn misspelled(&self) -> impl Iterator<Item = String> {
        let origins = self.origins();
        let known: Vec<String> = origins
            .iter()
            .flat_map(|origin| std::iter::once(&origin.name).chain(aliases(origin.name)))
            .chain(NOT_YET.iter().map(|(name, _)| name))
            .chain(NO_CREDENTIALS)
            .map(|name| (*name).to_owned())
            .chain(SECRETS.iter().flat_map(|name| twins(name)))
            .collect();
        let Surroundings { environment, env_file, .. } = self.surroundings;
        let ours =
            environment.keys().chain(env_file.keys()).filter(|name| name.starts_with(PREFIX));
        let unknown: BTreeSet<&String> = ours.filter(|name| !known.contains(name)).collect();
        let lower: Vec<String> = known.iter().map(|name| name.to_lowercase()).collect();
        let told = |name: &String| {
            let near = nearest(name, lower.iter().map(String::as_str)).map(str::to_uppercase);
            let near = near.map_or_else(String::new, |near| format!("; did you mean {near}?"));
            format!("{name} is set and is no setting of this program{near}")
        };
        unknown.into_iter().map(told).collect::<Vec<_>>().into_iter()
    }
}

/// What one place says about a setting.
enum Place {
    Silent,
    /// It is set to nothing, which hides what later places say.
    Empty,
    /// A variable, by its name, and its text.
    Says(String, String),
    /// A variable that names a file, and the file's text.
    Points(String, String),
}

/// The variables that name a file with the setting's value; only secrets have any.
fn twins(name: &'static str) -> impl Iterator<Item = String> {
    let known = std::iter::once(name).chain(aliases(name).iter().copied());
    known.filter(move |_| SECRETS.contains(&name)).map(|known| format!("{known}_FILE"))
}

/// The other names of a setting.
fn aliases(name: &str) -> &'static [&'static str] {
    ALIASES.iter().find(|(known, _)| *known == name).map_or(&[], |(_, aliases)| aliases)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn a_value_that_is_no_text_is_not_as_good_as_none() {
        for name in ["XYTE_READ_ONLY", "REDIS_URL_FILE", "PORT"] {
            let no_text = vec!["LS_COLORS".to_owned(), name.to_owned()];
            let surroundings = Surroundings { no_text, ..Surroundings::default() };
            let error = Config::read(&Flags::default(), &surroundings).unwrap_err().to_string();
            assert_eq!(error, format!("{name} holds bytes that are no text; it takes UTF-8"));
        }
    }
}
