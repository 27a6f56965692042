//! Where the Redis of all replicas is. The address may hold a password, so it is a secret as a whole.

use xyte_mcp_runtime::caller::Key;
use xyte_mcp_runtime::shared::{Address, AddressError};

use super::Error;
use super::source::Source;
use super::variable::Lookup;

const NAME: &str = "REDIS_URL";

/// The Redis that all replicas share.
#[derive(Debug, Clone)]
pub(crate) struct Redis {
    pub(crate) address: Address,
    /// The same as an operator may see it.
    pub(crate) masked: String,
}

pub(super) fn redis(lookup: &Lookup<'_>) -> Result<Option<Redis>, Error> {
    let found = lookup.find(NAME)?.filter(|(text, _)| !text.trim().is_empty());
    let Some((text, source)) = found else {
        lookup.note(NAME, String::new(), Source::Default);
        return Ok(None);
    };
    let (Ok(key), Ok(address)) = (Key::new(&text), Address::parse(&text)) else {
        return Err(Error::Malformed {
            name: NAME.to_owned(),
            held: Lookup::shown(NAME, &text),
            wanted: AddressError.to_string(),
        });
    };
    let masked = format!("****{}", key.id());
    lookup.note(NAME, masked.clone(), source);
    Ok(Some(Redis { address, masked }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Flags;
    use crate::config::Config;
    use crate::config::source::Surroundings;

    fn read(name: &str, text: &str) -> Result<Config, Error> {
        let environment = [(name.to_owned(), text.to_owned())].into();
        Config::read(&Flags::default(), &Surroundings { environment, ..Surroundings::default() })
    }

    #[test]
    fn a_password_in_the_address_is_never_shown() {
        let config = read(NAME, "redis://me:hush-hush@h:6379/1").unwrap();
        let shown = format!("{config:?} {} {:?}", config.shown(), config.origins);
        assert!(!shown.contains("hush") && shown.contains(&config.redis.unwrap().masked));
        let error = read(NAME, "redis://me:hush-hush@h:port").unwrap_err().to_string();
        assert_eq!(
            error,
            "REDIS_URL holds **** (a secret); it takes redis://[user:password@]host[:port][/database], rediss://… (TLS) or unix:///path"
        );
    }

    #[test]
    fn a_file_may_hold_the_address_and_blank_is_none() {
        let path = std::env::temp_dir().join(format!("xyte-mcp-redis-{}", std::process::id()));
        std::fs::write(&path, "redis://h\n").unwrap();
        let config = read("REDIS_URL_FILE", path.to_str().unwrap()).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert!(config.redis.is_some());
        assert!(read(NAME, " ").unwrap().redis.is_none());
    }
}
