//! Settings from flags, variables and defaults. It is given the environment and reads none itself.

mod environment;
mod redis;
mod seal;
mod shown;
pub(crate) mod source;
mod state;
mod text;
pub(crate) mod variable;

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use thiserror::Error;
use xyte_mcp_runtime::caller::{Key, Toolsets};
use xyte_mcp_runtime::dispatch::consent::Policy;
use xyte_mcp_runtime::upstream::Manners;

use crate::cli::Flags;
use crate::presets::Faults;
use crate::xyte;
pub(crate) use environment::Environment;
pub(crate) use redis::Redis;
use seal::Sealing;
use source::{Origin, Source, Surroundings};
pub(crate) use state::StateDir;
use text::{boolean, cache_ttl, host, hosts, list, milliseconds, number, origins, within};
use variable::Lookup;

/// Where the platform is when nobody says otherwise.
const DEFAULT_BASE_URL: &str = "https://hub.xyte.io";

/// Shortest token that callers may be given in place of a key.
const MIN_TOKEN_LENGTH: usize = 24;

/// Everything the operator decided.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) sandbox: Option<SandboxConfig>,
    /// The organization's key; none means that each HTTP request brings its own.
    pub(crate) api_key: Option<Key>,
    pub(crate) partner_key: Option<Key>,
    /// What stands before `/core/v1/…`.
    pub(crate) base_url: String,
    pub(crate) host: IpAddr,
    pub(crate) port: u16,
    pub(crate) allowed_hosts: Vec<String>,
    pub(crate) allowed_origins: Vec<String>,
    pub(crate) rate_limit: u32,
    pub(crate) redis: Option<Redis>,
    pub(crate) sealing: Sealing,
    pub(crate) answer_tokens: usize,
    pub(crate) manners: Manners,
    pub(crate) deadline: Duration,
    pub(crate) min_key_length: usize,
    pub(crate) http_token: Option<Key>,
    /// What `/metrics` asks for.
    pub(crate) metrics_token: Option<Key>,
    pub(crate) experimental: bool,
    pub(crate) read_only: bool,
    pub(crate) toolsets: Toolsets,
    pub(crate) log_level: tracing::Level,
    pub(crate) environment: Environment,
    pub(crate) audit: AuditTo,
    /// When people are asked before a change.
    pub(crate) confirm: Policy,
    /// Commands that they are asked for, too.
    pub(crate) confirm_commands: Vec<String>,
    /// Where files are kept that outlive the process; none is where there is no folder for them.
    pub(crate) state: Option<StateDir>,
    /// Most targets of one call.
    pub(crate) bulk_max: usize,
    /// Where the operator's room presets are.
    pub(crate) presets: Option<PathBuf>,
    /// What the operator should know and may leave as it is.
    pub(crate) warnings: Vec<String>,
    /// Where each setting came from.
    pub(crate) origins: Vec<Origin>,
}

/// Where calls are written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum AuditTo {
    Nowhere,
    Stderr,
    File(PathBuf),
}

/// The world of the sandbox.
#[derive(Debug, Clone)]
pub(crate) struct SandboxConfig {
    pub(crate) scenario: String,
    pub(crate) seed: u64,
    pub(crate) clock: String,
    /// Where to serve what looks from behind; none is nowhere.
    pub(crate) admin_port: Option<u16>,
}

/// A setting that cannot be used, told in one line.
#[derive(Debug, Error, PartialEq)]
pub(crate) enum Error {
    #[error("{name} holds {held}; it takes {wanted}")]
    Malformed { name: String, held: String, wanted: String },
    #[error("{name} is set, but this build has no {feature} yet; unset it")]
    NotYet { name: String, feature: &'static str },
    #[error("{name} and {alias} are both set and differ; unset one of them")]
    Contradiction { name: String, alias: String },
    #[error("{name} names a file that cannot be read: {cause}")]
    Unreadable { name: String, cause: String },
    #[error("XYTE_PRESETS_DIR holds {held}, with what cannot be used:\n{faults}")]
    Presets { held: String, faults: Faults },
}

impl Config {
    /// Reads every setting.
    pub(crate) fn read(flags: &Flags, surroundings: &Surroundings) -> Result<Self, Error> {
        let lookup = Lookup::new(flags, surroundings);
        lookup.refuse_what_has_no_effect()?;
        let config = Self::look_up(flags, &lookup)?;
        Ok(Self { warnings: lookup.warnings(), origins: lookup.origins(), ..config })
    }

    fn look_up(flags: &Flags, lookup: &Lookup<'_>) -> Result<Self, Error> {
        Ok(Self {
            warnings: Vec::new(),
            origins: Vec::new(),
            sandbox: sandbox(flags)?,
            api_key: key(lookup, "XYTE_API_KEY")?,
            partner_key: key(lookup, "XYTE_PARTNER_API_KEY")?,
            base_url: lookup.parse("XYTE_BASE_URL", DEFAULT_BASE_URL, xyte::base_url)?,
            host: lookup.parse("XYTE_MCP_HOST", "127.0.0.1", host)?,
            port: lookup.parse("XYTE_MCP_PORT", "8080", number("a port from 0 to 65535"))?,
            allowed_hosts: lookup.parse(
                "XYTE_ALLOWED_HOSTS",
                "localhost,127.0.0.1,[::1]",
                hosts,
            )?,
            allowed_origins: lookup.parse("XYTE_ALLOWED_ORIGINS", "", origins)?,
            rate_limit: lookup.parse(
                "XYTE_RATE_LIMIT",
                "60",
                number("a whole number of calls a minute; 0 is no limit"),
            )?,
            redis: redis::redis(lookup)?,
            sealing: seal::sealing(lookup)?,
            answer_tokens: lookup.parse(
                "XYTE_ANSWER_TOKENS",
                "6000",
                within(1_000..=100_000, "a whole number of tokens from 1000 to 100000"),
            )?,
            manners: manners(lookup)?,
            deadline: lookup.parse("XYTE_DEADLINE_MS", "20000", milliseconds)?,
            min_key_length: lookup.parse(
                "XYTE_MIN_KEY_LENGTH",
                "32",
                number("a whole number of characters"),
            )?,
            http_token: token(lookup)?,
            metrics_token: key(lookup, "XYTE_METRICS_TOKEN")?,
            experimental: lookup.parse("XYTE_EXPERIMENTAL_APIS", "false", boolean)?,
            read_only: lookup.parse("XYTE_READ_ONLY", "false", boolean)?,
            toolsets: lookup.parse("XYTE_TOOLSETS", "", |text| Ok(Toolsets::parse(text)))?,
            log_level: lookup.parse("XYTE_LOG_LEVEL", "INFO", |text| {
                text.parse().map_err(|_| "ERROR, WARN, INFO, DEBUG or TRACE".to_owned())
            })?,
            environment: lookup.parse("XYTE_ENV", "prod", str::parse)?,
            audit: lookup.parse("XYTE_AUDIT", "off", audit)?,
            confirm: lookup.parse("XYTE_CONFIRM", "auto", str::parse)?,
            confirm_commands: lookup.parse("XYTE_CONFIRM_COMMANDS", "", |text| Ok(list(text)))?,
            state: state::state(lookup)?,
            bulk_max: lookup.parse(
                "XYTE_BULK_MAX",
                "50",
                within(1..=1000, "a whole number of targets from 1 to 1000"),
            )?,
            presets: lookup.parse("XYTE_PRESETS_DIR", "", |text| {
                Ok(Some(text.trim()).filter(|text| !text.is_empty()).map(PathBuf::from))
            })?,
        })
    }
}

fn sandbox(flags: &Flags) -> Result<Option<SandboxConfig>, Error> {
    if !flags.sandbox {
        return Ok(None);
    }
    let seed = flags.sandbox_seed.as_deref().unwrap_or("1");
    let seed = seed.parse().map_err(|_| Error::Malformed {
        name: "--sandbox-seed".to_owned(),
        held: format!("`{seed}`"),
        wanted: "a whole number".to_owned(),
    })?;
    let scenario = flags.sandbox_scenario.clone().unwrap_or_else(|| "baseline".to_owned());
    let clock = flags.sandbox_clock.clone().unwrap_or_else(|| "fixed".to_owned());
    Ok(Some(SandboxConfig { scenario, seed, clock, admin_port: flags.sandbox_admin_port }))
}

fn manners(lookup: &Lookup<'_>) -> Result<Manners, Error> {
    Ok(Manners {
        timeout: lookup.parse("XYTE_TIMEOUT_MS", "15000", milliseconds)?,
        concurrency: lookup.parse(
            "XYTE_UPSTREAM_CONCURRENCY",
            "8",
            within(1..=100, "a whole number of requests from 1 to 100"),
        )?,
        cache_ttl: lookup.parse("XYTE_CACHE_TTL", "60", cache_ttl)?,
        ..Manners::default()
    })
}

fn key(lookup: &Lookup<'_>, name: &'static str) -> Result<Option<Key>, Error> {
    let found = lookup.find(name)?;
    let Some((text, source)) = found.filter(|(text, _)| !text.trim().is_empty()) else {
        lookup.note(name, String::new(), Source::Default);
        return Ok(None);
    };
    let key = Key::new(&text).map_err(|err| Error::Malformed {
        name: name.to_owned(),
        held: Lookup::shown(name, &text),
        wanted: format!("visible characters, but {err}"),
    })?;
    lookup.note(name, format!("****{}", key.id()), source);
    Ok(Some(key))
}

fn token(lookup: &Lookup<'_>) -> Result<Option<Key>, Error> {
    const NAME: &str = "XYTE_MCP_HTTP_TOKEN";
    let token = key(lookup, NAME)?;
    match &token {
        Some(short) if short.length() < MIN_TOKEN_LENGTH => Err(Error::Malformed {
            name: NAME.to_owned(),
            held: format!("{} characters", short.length()),
            wanted: format!("at least {MIN_TOKEN_LENGTH} characters"),
        }),
        _ => Ok(token),
    }
}

fn audit(text: &str) -> Result<AuditTo, String> {
    match (text.trim(), text.trim().strip_prefix("file:")) {
        ("off", _) => Ok(AuditTo::Nowhere),
        ("stderr", _) => Ok(AuditTo::Stderr),
        (_, Some(path)) if !path.is_empty() => Ok(AuditTo::File(path.into())),
        _ => Err("off, stderr or file:PATH".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(variables: &[(&str, &str)]) -> source::Variables {
        variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn read(environment: &[(&str, &str)]) -> Result<Config, Error> {
        let environment = variables(environment);
        Config::read(&Flags::default(), &Surroundings { environment, ..Surroundings::default() })
    }

    fn origin(config: &Config, name: &str) -> (String, String) {
        let found = config.origins.iter().find(|origin| origin.name == name).unwrap();
        (found.shown.clone(), found.source.to_string())
    }

    #[test]
    fn nothing_set_means_many_tenants_on_the_loopback_address() {
        let config = read(&[]).unwrap();
        assert!(config.api_key.is_none());
        assert!(config.host.is_loopback());
        assert_eq!((config.port, config.rate_limit), (8080, 60));
        assert_eq!(config.base_url, "https://hub.xyte.io");
    }

    #[test]
    fn a_blank_key_is_no_key() {
        assert!(read(&[("XYTE_API_KEY", "  ")]).unwrap().api_key.is_none());
    }

    #[test]
    fn a_flag_wins_over_its_variable() {
        let flags = Flags { port: Some("1".to_owned()), ..Flags::default() };
        let both = Surroundings {
            environment: variables(&[("XYTE_MCP_PORT", "2"), ("XYTE_MCP_HOST", "::1")]),
            env_file: variables(&[
                ("PORT", "3"),
                ("XYTE_MCP_HOST", "::2"),
                ("XYTE_RATE_LIMIT", "9"),
            ]),
            ..Surroundings::default()
        };
        let config = Config::read(&flags, &both).unwrap();
        assert_eq!(config.port, 1);
        assert_eq!(origin(&config, "XYTE_MCP_PORT"), ("1".to_owned(), "flag".to_owned()));
        assert_eq!(origin(&config, "XYTE_MCP_HOST").1, "environment (XYTE_MCP_HOST)");
        assert_eq!(origin(&config, "XYTE_RATE_LIMIT").1, ".env (XYTE_RATE_LIMIT)");
        assert_eq!(origin(&config, "XYTE_TIMEOUT_MS").1, "default");
    }

    #[test]
    fn a_variable_set_to_nothing_hides_the_line_in_the_file() {
        let places = Surroundings {
            environment: variables(&[("XYTE_API_KEY", "")]),
            env_file: variables(&[("XYTE_API_KEY", "hush-hush"), ("PORT", "3")]),
            ..Surroundings::default()
        };
        let config = Config::read(&Flags::default(), &places).unwrap();
        assert!(config.api_key.is_none());
        assert_eq!(origin(&config, "XYTE_MCP_PORT").1, ".env (PORT)");
    }

    #[test]
    fn a_secret_is_shown_by_its_id_and_may_lie_in_a_file() {
        let path = std::env::temp_dir().join(format!("xyte-mcp-{}", std::process::id()));
        std::fs::write(&path, "abc\n").unwrap();
        for twin in ["XYTE_API_KEY_FILE", "XYTE_ORG_API_KEY_FILE"] {
            let config = read(&[(twin, path.to_str().unwrap())]).unwrap();
            let expected = ("****ba7816bf".to_owned(), format!("file ({twin})"));
            assert_eq!(origin(&config, "XYTE_API_KEY"), expected);
            assert_eq!(config.warnings, [""; 0]);
        }
        std::fs::remove_file(&path).unwrap();
    }

    #[test]
    fn a_misspelled_variable_is_named_with_the_one_that_was_meant() {
        let config = read(&[("XYTE_READONLY", "true"), ("XYTE_API_KEY_FILE", "")]).unwrap();
        assert_eq!(
            config.warnings,
            [
                "XYTE_READONLY is set and is no setting of this program; did you mean XYTE_READ_ONLY?"
            ]
        );
    }

    #[test]
    fn an_alias_counts_and_a_contradiction_is_refused() {
        assert_eq!(read(&[("PORT", "9000")]).unwrap().port, 9000);
        let error = read(&[("PORT", "9000"), ("XYTE_MCP_PORT", "9001")]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "XYTE_MCP_PORT and PORT are both set and differ; unset one of them"
        );
    }

    #[test]
    fn a_malformed_value_is_named_with_what_is_accepted() {
        let error = read(&[("XYTE_RATE_LIMIT", "many")]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "XYTE_RATE_LIMIT holds `many`; it takes a whole number of calls a minute; 0 is no limit"
        );
    }

    #[test]
    fn how_the_platform_is_treated_has_bounds() {
        let manners = read(&[]).unwrap().manners;
        assert_eq!((manners.concurrency, manners.cache_ttl), (8, Duration::from_mins(1)));
        let manners =
            read(&[("XYTE_CACHE_TTL", "0"), ("XYTE_UPSTREAM_CONCURRENCY", "1")]).unwrap().manners;
        assert_eq!((manners.concurrency, manners.cache_ttl), (1, Duration::ZERO));
        for (name, text) in [
            ("XYTE_UPSTREAM_CONCURRENCY", "0"),
            ("XYTE_UPSTREAM_CONCURRENCY", "101"),
            ("XYTE_CACHE_TTL", "-1"),
            ("XYTE_CACHE_TTL", "90000"),
            ("XYTE_ANSWER_TOKENS", "999"),
            ("XYTE_ANSWER_TOKENS", "100001"),
        ] {
            let error = read(&[(name, text)]).unwrap_err().to_string();
            assert!(error.starts_with(&format!("{name} holds `{text}`")), "{error}");
        }
    }

    #[test]
    fn a_malformed_secret_is_never_shown() {
        let error = read(&[("XYTE_API_KEY", "hush\u{1}hush")]).unwrap_err();
        assert!(!error.to_string().contains("hush"), "{error}");
    }

    #[test]
    fn a_variable_of_a_later_feature_is_refused_and_so_is_a_file_that_holds_it() {
        for name in ["DATABASE_URL", "XYTE_PLUGINS", "XYTE_PLUGINS_FILE", "DATABASE_URL_FILE"] {
            let error = read(&[(name, "postgres://localhost")]).unwrap_err().to_string();
            assert!(
                error.starts_with(&format!("{name} is set, but this build has no ")),
                "{error}"
            );
        }
    }
}
