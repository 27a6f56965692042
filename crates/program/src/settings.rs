//! The settings of a program, from variables that begin with the scheme of its API: what each means and accepts.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::net::{IpAddr, SocketAddr};

use xyte_mcp_runtime::caller::{Key, Toolsets};
use xyte_mcp_runtime::catalogue::Catalogue;
use xyte_mcp_runtime::dispatch::consent::Policy;

/// A setting that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{name} takes {wanted}")]
pub struct Unusable {
    /// The variable.
    pub name: String,
    /// What would be accepted.
    pub wanted: String,
}

/// Everything the operator decides.
#[derive(Debug)]
pub(crate) struct Settings {
    /// Where the API is.
    pub(crate) base_url: String,
    /// The program's own keys, by security scheme.
    pub(crate) keys: BTreeMap<String, Key>,
    /// Where HTTP listens.
    pub(crate) address: SocketAddr,
    /// Names under which it may be addressed.
    pub(crate) allowed_hosts: Vec<String>,
    pub(crate) toolsets: Toolsets,
    pub(crate) read_only: bool,
    /// When people are asked before a change.
    pub(crate) confirm: Policy,
    pub(crate) rate_limit: u32,
    /// Tells a caller without a key where to put one.
    pub(crate) key_hint: String,
    /// Variables of this program's own that are no settings.
    pub(crate) unknown: Vec<String>,
}

impl Settings {
    /// Reads the variables; an empty one is as good as none.
    pub(crate) fn read(
        environment: impl IntoIterator<Item = (OsString, OsString)>,
        catalogue: &Catalogue,
    ) -> Result<Self, Unusable> {
        let variables = environment
            .into_iter()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .filter(|(_, value)| !value.trim().is_empty())
            .collect();
        Lookup { variables, prefix: prefix(catalogue) }.settings(catalogue)
    }

    /// All variables, a line each.
    pub(crate) fn help(catalogue: &Catalogue) -> String {
        let prefix = prefix(catalogue);
        let keys = catalogue.api.credentials.iter();
        let keys = keys.map(|(scheme, name)| (name.clone(), format!("the key for `{scheme}`")));
        let others = NAMES.map(|(rest, words)| (format!("{prefix}_{rest}"), words.to_owned()));
        let all: Vec<(String, String)> = keys.chain(others).collect();
        let width = all.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
        let lines = all.iter().map(|(name, words)| format!("  {name:width$}  {words}"));
        lines.collect::<Vec<_>>().join("\n")
    }
}

/// What the variables of a program begin with: the scheme of its API.
fn prefix(catalogue: &Catalogue) -> String {
    let scheme = catalogue.api.scheme.to_ascii_uppercase();
    scheme.replace(|it: char| !it.is_ascii_alphanumeric(), "_")
}

struct Lookup {
    variables: BTreeMap<String, String>,
    prefix: String,
}

/// Settings by the rest of their names, with what each is for and its default.
const NAMES: [(&str, &str); 8] = [
    ("BASE_URL", "where the API is; else where its document says"),
    ("MCP_HOST", "address to listen on (127.0.0.1)"),
    ("MCP_PORT", "port to listen on (8080)"),
    ("ALLOWED_HOSTS", "names under which it may be addressed (localhost,127.0.0.1,[::1])"),
    ("TOOLSETS", "toolsets that are shown, with commas, or all (the default tools)"),
    ("READ_ONLY", "true refuses every tool that changes something (false)"),
    ("CONFIRM", "who agrees to what destroys: auto, elicit, token or off (auto)"),
    ("RATE_LIMIT", "calls a minute and key; 0 is no limit (60)"),
];

impl Lookup {
    fn settings(&self, catalogue: &Catalogue) -> Result<Settings, Unusable> {
        let api = &catalogue.api;
        let holders: Vec<&str> = api.credentials.values().map(String::as_str).collect();
        let own = |name: &&String| {
            let rest = name.strip_prefix(&format!("{}_", self.prefix));
            rest.is_some_and(|rest| NAMES.iter().all(|(name, _)| *name != rest))
                && !holders.contains(&name.as_str())
        };
        let port =
            self.parse("MCP_PORT", "8080", "a port from 0 to 65535", |it| it.parse().ok())?;
        let host: IpAddr =
            self.parse("MCP_HOST", "127.0.0.1", "an IP address", |it| it.parse().ok())?;
        Ok(Settings {
            base_url: self.base_url(&api.server)?,
            keys: self.keys(&api.credentials)?,
            address: SocketAddr::new(host, port),
            allowed_hosts: self
                .get("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
                .split(',')
                .map(|name| name.trim().to_owned())
                .collect(),
            toolsets: self.toolsets(catalogue)?,
            read_only: self.parse("READ_ONLY", "false", "true or false", |it| it.parse().ok())?,
            confirm: self
                .parse("CONFIRM", "auto", "auto, elicit, token or off", |it| it.parse().ok())?,
            rate_limit: self
                .parse("RATE_LIMIT", "60", "a whole number; 0 is no limit", |it| it.parse().ok())?,
            key_hint: format!("Set {}, or send X-API-Key over HTTP.", holders.join(" or ")),
            unknown: self.variables.keys().filter(own).cloned().collect(),
        })
    }

    fn name(&self, rest: &str) -> String {
        format!("{}_{rest}", self.prefix)
    }

    fn get<'a>(&'a self, rest: &str, default: &'a str) -> &'a str {
        self.variables.get(&self.name(rest)).map_or(default, |value| value.trim())
    }

    fn parse<T>(
        &self,
        rest: &str,
        default: &str,
        wanted: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<T, Unusable> {
        read(self.get(rest, default)).ok_or_else(|| self.unusable(rest, wanted))
    }

    fn unusable(&self, rest: &str, wanted: impl Into<String>) -> Unusable {
        Unusable { name: self.name(rest), wanted: wanted.into() }
    }

    /// The document's first server may be a path, or hold variables; then the operator has to say.
    fn base_url(&self, documented: &str) -> Result<String, Unusable> {
        let base = self.get("BASE_URL", documented).trim_end_matches('/').to_owned();
        let address = base.parse::<http::Uri>().ok();
        let legal = |uri: http::Uri| {
            matches!(uri.scheme_str(), Some("http" | "https")) && uri.query().is_none()
        };
        if address.is_some_and(legal) && !base.contains(['{', '#', '@']) {
            return Ok(base);
        }
        Err(self.unusable(
            "BASE_URL",
            format!("the http or https URL of the API; the document says `{documented}`"),
        ))
    }

    fn keys(
        &self,
        credentials: &BTreeMap<String, String>,
    ) -> Result<BTreeMap<String, Key>, Unusable> {
        let mut keys = BTreeMap::new();
        for (scheme, name) in credentials {
            let Some(value) = self.variables.get(name) else { continue };
            let key = Key::new(value)
                .map_err(|err| Unusable { name: name.clone(), wanted: format!("a key ({err})") })?;
            keys.insert(scheme.clone(), key);
        }
        Ok(keys)
    }

    /// A misspelled toolset would hide tools without a word.
    fn toolsets(&self, catalogue: &Catalogue) -> Result<Toolsets, Unusable> {
        // Where nobody chose what is shown by default, everything is.
        let chosen = catalogue.tools.iter().any(|tool| tool.entry.default);
        let toolsets = Toolsets::parse(self.get("TOOLSETS", if chosen { "" } else { "all" }));
        let known: Vec<&str> = catalogue.toolsets.iter().map(|set| set.name.as_str()).collect();
        match &toolsets {
            Toolsets::Named(names) if names.iter().any(|name| !known.contains(&name.as_str())) => {
                Err(self.unusable("TOOLSETS", format!("`all` or some of {}", known.join(", "))))
            }
            _ => Ok(toolsets),
        }
    }
}
