//! `xyte-mcp doctor`: what is wrong with the settings or the connection, how the platform's answers differ from its document, and where each setting came from.

mod answers;

use std::fmt::Write as _;
use std::process::ExitCode;
use std::time::Instant;

use serde::Serialize;
use serde_json::{Map, Value};
use xyte_mcp_runtime::dispatch::{Call, View, dispatch};
use xyte_mcp_runtime::drift::Departure;
use xyte_mcp_runtime::failure::Failure;
use xyte_mcp_runtime::upstream::{ClientSettings, Trust, client};

use super::{Ready, own_caller, prepare_unbound};
use crate::config::{self, Config};

/// For each key, by its variable, the name of its check and a read that costs the platform little, with its arguments.
const READS: [(&str, &str, &str, &str); 2] = [
    ("XYTE_API_KEY", "organization", "get_organization_info", "{}"),
    ("XYTE_PARTNER_API_KEY", "partner", "partner_list_devices", r#"{"limit":1}"#),
];

/// How the report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Text,
    Json,
}

/// Kinds of faults, by their exit codes, which the help and the README list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Other = 1,
    Setting = 2,
    Unreachable = 3,
    Slow = 4,
    Key = 5,
    Answer = 6,
    Redis = 7,
}

impl Fault {
    fn of(failure: &Failure) -> Self {
        match failure.code.as_ref() {
            "network_error" => Self::Unreachable,
            "timeout" => Self::Slow,
            "unauthorized" | "forbidden" => Self::Key,
            _ if failure.status.is_some() => Self::Answer,
            "upstream_contract" => Self::Answer,
            _ => Self::Other,
        }
    }
}

#[derive(Debug, Serialize)]
struct Report {
    version: &'static str,
    exit_code: u8,
    checks: Vec<Check>,
    /// Where answers of the platform differ from its document: a remark.
    departures: Vec<Departure>,
    warnings: Vec<String>,
    settings: Vec<Setting>,
}

#[derive(Debug, Serialize)]
struct Check {
    name: &'static str,
    ok: bool,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
    #[serde(skip)]
    fault: Option<Fault>,
}

#[derive(Debug, Serialize)]
struct Setting {
    name: &'static str,
    value: String,
    source: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    variable: Option<String>,
}

impl Check {
    fn passed(name: &'static str, message: String) -> Self {
        Self { name, ok: true, message, hint: None, fault: None }
    }

    fn failed(name: &'static str, fault: Fault, message: String, hint: Option<String>) -> Self {
        Self { name, ok: false, message, hint, fault: Some(fault) }
    }
}

/// Checks everything and prints the report; the exit code is that of the first fault.
pub(crate) async fn run(config: &Config, form: Form) -> anyhow::Result<ExitCode> {
    let (mut checks, mut departures) = (Vec::new(), Vec::new());
    // The operator's bound is for callers; the doctor has to reach what it looks at.
    match prepare_unbound(config).await {
        Ok(ready) => {
            checks.push(match super::check_toolsets(&config.toolsets, &ready.service.catalogue) {
                Ok(()) => Check::passed("settings", mode(config, &ready)),
                Err(err) => Check::failed("settings", Fault::Setting, err.to_string(), None),
            });
            let connected = connections(config, &ready).await;
            if connected.iter().all(|check| check.ok) && !ready.own_keys.is_empty() {
                answers::look(&ready).await;
            }
            checks.extend(connected);
            departures = ready.service.drift.departures();
            checks.extend(compared(&ready, departures.len()));
            if config.redis.is_some() {
                checks.push(redis(&ready).await);
            }
        }
        Err(err) => {
            let fault = if err.is::<config::Error>() { Fault::Setting } else { Fault::Other };
            checks.push(Check::failed("settings", fault, format!("{err:#}"), None));
        }
    }
    let settings = config.origins.iter().map(|origin| Setting {
        name: origin.name,
        value: origin.shown.clone(),
        source: origin.source.kind(),
        variable: origin.source.variable().map(str::to_owned),
    });
    finish((checks, departures), settings.collect(), config.warnings.clone(), form)
}

/// The report of settings that cannot even be read.
pub(crate) fn misconfigured(err: &config::Error, form: Form) -> anyhow::Result<ExitCode> {
    let check = Check::failed("settings", Fault::Setting, err.to_string(), None);
    finish((vec![check], Vec::new()), Vec::new(), Vec::new(), form)
}

/// What was compared with the document; nothing where nobody answered.
fn compared(ready: &Ready, departures: usize) -> Option<Check> {
    let compared = ready.service.drift.compared();
    let found = match departures {
        0 => "as it says".to_owned(),
        count => format!("different from it in {count}, and passed on as they are"),
    };
    let message = format!("{compared} compared with the platform's document: {found}");
    (compared > 0).then(|| Check::passed("answers", message))
}

fn finish(
    (checks, departures): (Vec<Check>, Vec<Departure>),
    settings: Vec<Setting>,
    warnings: Vec<String>,
    form: Form,
) -> anyhow::Result<ExitCode> {
    let exit_code = checks.iter().find_map(|check| check.fault).map_or(0, |fault| fault as u8);
    let version = env!("CARGO_PKG_VERSION");
    let report = Report { version, exit_code, checks, departures, warnings, settings };
    super::print(&match form {
        Form::Json => serde_json::to_string_pretty(&report)?,
        Form::Text => text(&report)?,
    })?;
    Ok(ExitCode::from(exit_code))
}

fn text(report: &Report) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    let width = widest(report.checks.iter().map(|check| check.name));
    for check in &report.checks {
        let mark = if check.ok { "ok   " } else { "FAULT" };
        writeln!(text, "{mark} {:width$} {}", check.name, check.message)?;
        if let Some(hint) = &check.hint {
            writeln!(text, "{:6}{:width$} {hint}", "", "")?;
        }
    }
    for departure in &report.departures {
        writeln!(text, "drift `{}` {departure}", departure.operation)?;
    }
    for warning in &report.warnings {
        writeln!(text, "warn  {warning}")?;
    }
    if report.settings.is_empty() {
        return Ok(text);
    }
    let names = widest(report.settings.iter().map(|setting| setting.name));
    let values = widest(report.settings.iter().map(|setting| setting.value.as_str()));
    writeln!(text, "\n{:names$} {:values$} from", "setting", "value")?;
    for Setting { name, value, source, variable } in &report.settings {
        let value = if value.is_empty() { "(none)" } else { value };
        let variable = variable.as_ref().map_or_else(String::new, |name| format!(" ({name})"));
        writeln!(text, "{name:names$} {value:values$} {source}{variable}")?;
    }
    Ok(text)
}

/// The width of a column that holds these; a longer one than any screen goes over its end.
fn widest<'a>(cells: impl Iterator<Item = &'a str>) -> usize {
    const LONGEST: usize = 60;
    cells.map(|cell| cell.chars().count()).filter(|width| *width <= LONGEST).max().unwrap_or(0)
}

fn mode(config: &Config, ready: &Ready) -> String {
    let mode = match (&config.sandbox, ready.own_keys.is_empty()) {
        (Some(_), _) => "with the sandbox",
        (None, true) => "no key here: over HTTP each request brings its own",
        (None, false) => "with keys of the server's own",
    };
    format!("usable, {mode}")
}

/// One read with each key; without a key, only whether somebody answers.
async fn connections(config: &Config, ready: &Ready) -> Vec<Check> {
    let mut checks = Vec::new();
    let credentials = &ready.service.catalogue.api.credentials;
    for (variable, name, tool, arguments) in READS {
        let of_it = |scheme: &String| credentials.get(scheme).is_some_and(|from| from == variable);
        if ready.own_keys.keys().any(of_it) {
            checks.push(read(ready, name, tool, arguments).await);
        }
    }
    if checks.is_empty() {
        checks.push(reach(config).await);
    }
    checks
}

async fn read(ready: &Ready, name: &'static str, tool: &str, arguments: &str) -> Check {
    let Some(tool) = ready.service.catalogue.find(tool) else {
        let message = format!("this build has no `{tool}` to ask for");
        return Check::failed(name, Fault::Other, message, None);
    };
    let arguments: Map<String, Value> = serde_json::from_str(arguments).unwrap_or_default();
    let started = Instant::now();
    let call = Call { tool, arguments, view: View::Tool };
    let answered = dispatch(&ready.service, &own_caller(ready), call).await;
    let ms = started.elapsed().as_millis();
    // An answer that comes while another is looked at would be let pass.
    ready.service.drift.settled().await;
    match answered {
        Ok(_) => Check::passed(name, format!("`{}` answered after {ms} ms", tool.name())),
        Err(failure) => {
            let message = format!("`{}`: {failure}", tool.name());
            Check::failed(name, Fault::of(&failure), message, failure.hint)
        }
    }
}

/// Whether what replicas share is there; why not is in the log.
async fn redis(ready: &Ready) -> Check {
    const NAME: &str = "redis";
    let started = Instant::now();
    match ready.service.ping().await {
        Ok(()) => {
            let ms = started.elapsed().as_millis();
            Check::passed(NAME, format!("answered after {ms} ms"))
        }
        Err(gone) => {
            let hint = "The log on stderr says why. Check REDIS_URL, its password, and that this Redis may be written to.";
            Check::failed(NAME, Fault::Redis, gone.to_string(), Some(hint.to_owned()))
        }
    }
}

/// Whether anybody answers at the platform's address; any answer will do, since no key is sent.
async fn reach(config: &Config) -> Check {
    const NAME: &str = "platform";
    let settings = ClientSettings {
        user_agent: concat!("xyte-mcp/", env!("CARGO_PKG_VERSION")).to_owned(),
        trust: if config.base_url.starts_with("https:") { Trust::System } else { Trust::Nobody },
    };
    let base = &config.base_url;
    let asked = match client(&settings) {
        Ok(client) => client.get(base).timeout(config.manners.timeout).send().await,
        Err(err) => Err(err),
    };
    match asked {
        Ok(answer) => {
            let status = answer.status().as_u16();
            Check::passed(NAME, format!("{base} answers (HTTP {status}; no key was sent)"))
        }
        Err(err) => {
            let (fault, what) = if err.is_timeout() {
                (Fault::Slow, "does not answer in time")
            } else {
                (Fault::Unreachable, "cannot be reached")
            };
            let hint =
                "Check the network, the name in XYTE_BASE_URL and the system's certificates.";
            Check::failed(NAME, fault, format!("{base} {what}"), Some(hint.to_owned()))
        }
    }
}
