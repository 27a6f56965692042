//! The commands: each puts the parts together that it needs.

pub(crate) mod call;
pub(crate) mod capabilities;
pub(crate) mod doctor;
pub(crate) mod healthcheck;
pub(crate) mod http;
pub(crate) mod sandbox;
pub(crate) mod stdio;

use std::collections::BTreeMap;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use serde_json::{Map, Value};
use xyte_mcp_runtime::audit::Audit;
use xyte_mcp_runtime::caller::{Caller, Key, Toolsets};
use xyte_mcp_runtime::catalogue::{Catalogue, nearest};
use xyte_mcp_runtime::ledger::Ledger;
use xyte_mcp_runtime::server::{Document, Identity};
use xyte_mcp_runtime::service::{Service, Settings};

use crate::config::{self, AuditTo, Config};
use crate::generated;
use crate::presets::Presets;
use crate::workflows::Fleet;
use crate::xyte::Xyte;

/// How long a computed tool may take, which needs many requests.
const LONG_DEADLINE: Duration = Duration::from_secs(40);

/// The service with everything behind it, and whose keys it holds.
pub(crate) struct Ready {
    pub(crate) service: Arc<Service>,
    pub(crate) own_keys: Arc<BTreeMap<String, Key>>,
}

/// Makes the service; with the sandbox, the platform as well.
pub(crate) async fn prepare(config: &Config) -> anyhow::Result<Ready> {
    prepare_with(config, &config.toolsets, config.rate_limit).await
}

/// The same with everything in reach, and without a limit: looks at the platform are no calls of the key's user.
async fn prepare_unbound(config: &Config) -> anyhow::Result<Ready> {
    prepare_with(config, &Toolsets::All, 0).await
}

async fn prepare_with(
    config: &Config,
    toolsets: &Toolsets,
    rate_limit: u32,
) -> anyhow::Result<Ready> {
    let catalogue = Catalogue::load(generated::CAPABILITIES)
        .context("the embedded capabilities cannot be loaded")?;
    check_toolsets(toolsets, &catalogue)?;
    let presets = presets(config)?;
    let sandbox = match &config.sandbox {
        Some(chosen) => Some(sandbox::start(chosen).await?),
        None => None,
    };
    let base =
        sandbox.as_ref().map_or_else(|| config.base_url.clone(), |started| started.base.clone());
    let settings = Settings {
        toolsets: toolsets.clone(),
        read_only: config.read_only,
        rate_limit,
        redis: config.redis.as_ref().map(|redis| redis.address.clone()),
        deadline: config.deadline,
        long_deadline: config.deadline.max(LONG_DEADLINE),
        manners: config.manners.clone(),
        key_hint: "Set XYTE_API_KEY (XYTE_PARTNER_API_KEY for partner tools), or send X-XYTE-API-KEY over HTTP.".to_owned(),
        meta: if sandbox.is_some() { Map::from_iter([("sandbox".to_owned(), Value::Bool(true))]) } else { Map::new() },
        audit: audit(&config.audit)?.masking(config.secrets()),
        confirm: config.confirm,
        confirm_named: config.confirm_commands.clone(),
        ledger: ledger(config)?,
        bulk_max: config.bulk_max,
        seal: config.sealing.seal.clone(),
        answer_tokens: config.answer_tokens,
    };
    let keys = own_keys(&catalogue, |variable| match (variable, &sandbox) {
        ("XYTE_API_KEY", None) => Some(config.api_key.clone()),
        ("XYTE_PARTNER_API_KEY", None) => Some(config.partner_key.clone()),
        ("XYTE_API_KEY", Some(_)) => Some(sandbox::key("A")),
        ("XYTE_PARTNER_API_KEY", Some(_)) => Some(sandbox::key("P")),
        _ => None,
    })?;
    let service = Service::new(catalogue, Arc::new(Xyte::new(base, Fleet { presets })), settings);
    service.start().await;
    Ok(Ready { service: Arc::new(service), own_keys: Arc::new(keys) })
}

/// The server's own keys by security scheme, which the overrides assign to variables.
fn own_keys(
    catalogue: &Catalogue,
    of: impl Fn(&str) -> Option<Option<Key>>,
) -> anyhow::Result<BTreeMap<String, Key>> {
    let mut keys = BTreeMap::new();
    for (scheme, variable) in &catalogue.api.credentials {
        let key = of(variable).with_context(|| {
            format!("the overrides take the key of `{scheme}` from {variable}, which this program does not read")
        })?;
        keys.extend(key.map(|key| (scheme.clone(), key)));
    }
    Ok(keys)
}

/// Opens the audit; a file that is there already is continued, a new one is for its owner only.
fn audit(to: &AuditTo) -> Result<Audit, config::Error> {
    match to {
        AuditTo::Nowhere => Ok(Audit::default()),
        AuditTo::Stderr => Ok(Audit::to(std::io::stderr())),
        AuditTo::File(path) => {
            let mut options = std::fs::OpenOptions::new();
            options.append(true).create(true).mode(0o600);
            options.open(path).map(Audit::to).map_err(|err| config::Error::Malformed {
                name: "XYTE_AUDIT".to_owned(),
                held: format!("`file:{}`", path.display()),
                wanted: format!("a file that can be written ({err})"),
            })
        }
    }
}

/// Opens the file that remembers what changes did. Only what is sealed with a lasting key is worth remembering longer than the process, and replicas share theirs.
fn ledger(config: &Config) -> Result<Option<Arc<Ledger>>, config::Error> {
    let Some(state) = &config.state else { return Ok(None) };
    if config.redis.is_some() || !config.sealing.seal.lasting() {
        return Ok(None);
    }
    let path = state.path.join("ledger.sqlite3");
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&state.path);
    // What the library makes beside it is as private as the file.
    let mut options = std::fs::OpenOptions::new();
    let made = made.and_then(|()| options.append(true).create(true).mode(0o600).open(&path));
    let opened = made
        .map_err(|err| err.to_string())
        .and_then(|_| Ledger::in_file(&path).map_err(|err| err.to_string()));
    match opened {
        Ok(ledger) => Ok(Some(Arc::new(ledger))),
        Err(err) if state.named => Err(config::Error::Malformed {
            name: "XYTE_STATE_DIR".to_owned(),
            held: format!("`{}`", state.path.display()),
            wanted: format!("a folder that can be written ({err})"),
        }),
        Err(err) => {
            tracing::warn!(
                error = err,
                "plans and idempotency keys end with this process: there is no folder for them; set XYTE_STATE_DIR"
            );
            Ok(None)
        }
    }
}

/// Reads the room presets, all of which must be usable: a step that was left out would leave a room half done.
fn presets(config: &Config) -> Result<Presets, config::Error> {
    let folder = config.presets.as_deref();
    Presets::load(folder).map_err(|faults| config::Error::Presets {
        held: folder.map_or_else(String::new, |folder| format!("`{}`", folder.display())),
        faults,
    })
}

/// A misspelled toolset would hide tools without a word.
fn check_toolsets(toolsets: &Toolsets, catalogue: &Catalogue) -> Result<(), config::Error> {
    let Toolsets::Named(names) = toolsets else { return Ok(()) };
    let known: Vec<&str> = catalogue.toolsets.iter().map(|toolset| toolset.name.as_str()).collect();
    let Some(unknown) = names.iter().find(|name| !known.contains(&name.as_str())) else {
        return Ok(());
    };
    let near =
        nearest(unknown, known.iter().copied()).map(|near| format!("; did you mean `{near}`?"));
    Err(config::Error::Malformed {
        name: "XYTE_TOOLSETS".to_owned(),
        held: format!("`{}`", unknown.escape_debug()),
        wanted: format!("`all` or some of {}{}", known.join(", "), near.unwrap_or_default()),
    })
}

/// What the server says about itself.
pub(crate) fn identity() -> Identity {
    let document =
        |part: &str, title: &str, description: &str, mime: &str, text: &'static str| Document {
            uri: format!("xyte://docs/{part}"),
            name: part.to_owned(),
            title: title.to_owned(),
            description: description.to_owned(),
            mime: mime.to_owned(),
            text: text.into(),
        };
    Identity {
        name: env!("CARGO_PKG_NAME").to_owned(),
        title: "Xyte".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        instructions: include_str!("instructions.md").trim().to_owned(),
        documents: vec![
            document(
                "api-usage",
                "API usage",
                "Every tool and resource with a request, an answer and its errors.",
                "text/markdown",
                generated::API_USAGE,
            ),
            document(
                "capabilities",
                "Capabilities",
                "The catalogue of tools and resources, as the server loads it.",
                "application/json",
                generated::CAPABILITIES,
            ),
        ],
    }
}

/// The caller for whom a process acts that has no HTTP requests.
pub(crate) fn own_caller(ready: &Ready) -> Caller {
    if ready.own_keys.is_empty() {
        Caller::keyless()
    } else {
        Caller::with_own_keys(ready.own_keys.clone())
    }
}

/// Prints a result. Only commands that are no MCP server may.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    match writeln!(out, "{}", text.trim_end_matches('\n')) {
        Err(err) if err.kind() == std::io::ErrorKind::BrokenPipe => Ok(()), // `| head` is no fault.
        written => written.context("cannot write to standard output"),
    }
}
