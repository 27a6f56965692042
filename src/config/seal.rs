//! The keys that seal what callers bring back. They are secrets, and never shown.

use std::sync::Arc;

use xyte_mcp_runtime::caller::Key;
use xyte_mcp_runtime::seal::{self, Seal};

use super::source::Source;
use super::variable::Lookup;
use super::{Config, Error};

const NAME: &str = "XYTE_SEAL_KEY";

/// What makes a key.
const HOW: &str = "`openssl rand -base64 32`";

/// The seal, and what an operator may see of its keys.
#[derive(Debug, Clone)]
pub(crate) struct Sealing {
    pub(crate) seal: Arc<Seal>,
    /// Nothing where the key belongs to the process.
    pub(crate) masked: Option<String>,
}

pub(super) fn sealing(lookup: &Lookup<'_>) -> Result<Sealing, Error> {
    let found = lookup.find(NAME)?.filter(|(text, _)| !text.trim().is_empty());
    let Some((text, source)) = found else {
        lookup.note(NAME, String::new(), Source::Default);
        return Ok(Sealing { seal: Arc::default(), masked: None });
    };
    let malformed = |why: String| Error::Malformed {
        name: NAME.to_owned(),
        held: Lookup::shown(NAME, &text),
        wanted: format!(
            "32 bytes in base64, as {HOW} prints them, or several with commas between them, of which the first one seals{why}"
        ),
    };
    let keys = seal::keys(&text).map_err(|err| malformed(format!("; {err}")))?;
    let (false, Ok(key)) = (keys.is_empty(), Key::new(&text)) else {
        return Err(malformed(String::new()));
    };
    let masked = format!("****{}", key.id());
    lookup.note(NAME, masked.clone(), source);
    Ok(Sealing { seal: Arc::new(Seal::new(keys)), masked: Some(masked) })
}

impl Config {
    /// What an operator should know where a key that is made up is most likely too little.
    pub(crate) fn seal_warning(&self) -> Option<String> {
        let why = match (&self.sealing.masked, &self.redis) {
            (None, Some(_)) => "no replica takes the cursors and plans of another",
            (None, None) if !self.host.is_loopback() && self.sandbox.is_none() => {
                "cursors and plans end with this process, and no replica takes those of another"
            }
            _ => return None,
        };
        Some(format!("{NAME} is not set: {why}; {HOW} makes a key for all replicas"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Flags;
    use crate::config::source::Surroundings;

    const KEY: &str = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";

    fn read(variables: &[(&str, &str)]) -> Result<Config, Error> {
        let named = |(name, text): &(&str, &str)| ((*name).to_owned(), (*text).to_owned());
        let environment = variables.iter().map(named).collect();
        Config::read(&Flags::default(), &Surroundings { environment, ..Surroundings::default() })
    }

    #[test]
    fn a_key_of_another_length_is_refused_and_not_shown() {
        let error = read(&[(NAME, &format!("{KEY},c2hvcnQtYnV0LXNlY3JldA"))]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "XYTE_SEAL_KEY holds **** (a secret); it takes 32 bytes in base64, as `openssl rand -base64 32` prints them, or several with commas between them, of which the first one seals; key 2 has 16 bytes"
        );
        let error = read(&[(NAME, " , ")]).unwrap_err().to_string();
        assert!(error.ends_with("the first one seals"), "{error}");
    }

    #[test]
    fn the_keys_are_shown_nowhere() {
        let config = read(&[(NAME, KEY)]).unwrap();
        assert!(config.sealing.seal.lasting());
        let shown = format!("{config:?} {} {:?}", config.shown(), config.origins);
        assert!(!shown.contains("BwcH") && !shown.contains("7, 7, 7"), "{shown}");
        assert!(shown.contains(config.sealing.masked.as_ref().unwrap()));
    }

    #[test]
    fn an_operator_hears_where_a_made_up_key_is_too_little() {
        let warned = |variables: &[_]| read(variables).unwrap().seal_warning();
        let redis = ("REDIS_URL", "redis://h");
        let public = ("XYTE_MCP_HOST", "0.0.0.0");
        assert_eq!(warned(&[]), None);
        assert!(warned(&[redis]).unwrap().contains("no replica takes"));
        assert!(warned(&[public]).unwrap().contains("end with this process"));
        assert_eq!(warned(&[redis, public, (NAME, KEY)]), None);
    }
}
