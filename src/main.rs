//! The program: reads the command line and the settings, and runs one command.

mod cli;
mod command;
mod config;
mod generated;
mod presets;
mod workflows;
mod xyte;

use std::process::ExitCode;

use clap::Parser;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::cli::{Cli, Command};
use crate::command::call::Agreement;
use crate::config::source::{Surroundings, Variables};
use crate::config::{Config, Environment, SandboxConfig};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Exit code of a command line or a setting that cannot be used.
const UNUSABLE: u8 = 2;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let surroundings = match surroundings() {
        Ok(surroundings) => surroundings,
        Err(fault) => {
            eprintln!("xyte-mcp: the file .env cannot be read: {fault}");
            return ExitCode::from(UNUSABLE);
        }
    };
    let config = match Config::read(&cli.flags, &surroundings) {
        Ok(config) => config,
        Err(err) => return unusable(&cli.command, &err),
    };
    log_to_stderr(&config);
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(err) => {
            eprintln!("xyte-mcp: the runtime cannot be started: {err}");
            return ExitCode::FAILURE;
        }
    };
    let ended = runtime.block_on(run(cli, &config));
    // A read of standard input cannot be cancelled, and would keep the process until its client goes.
    runtime.shutdown_background();
    match ended {
        Ok(code) => code,
        Err(err) => {
            eprintln!("xyte-mcp: {err:#}");
            if err.is::<config::Error>() { ExitCode::from(UNUSABLE) } else { ExitCode::FAILURE }
        }
    }
}

async fn run(cli: Cli, config: &Config) -> anyhow::Result<ExitCode> {
    let Cli { command, flags } = cli;
    match command {
        Command::Stdio => command::stdio::run(config).await?,
        Command::Http(flags) => command::http::run(config, flags).await?,
        Command::Sandbox { seed, scenario, clock, admin_port } => {
            // Only the flag counts: the variable is the port of the HTTP service.
            let port =
                if flags.port.is_some() { config.port } else { command::sandbox::DEFAULT_PORT };
            let admin_port = Some(admin_port);
            let world = SandboxConfig { scenario, seed, clock, admin_port };
            command::sandbox::run(port, &world).await?;
        }
        Command::Call { tool, args, yes } => {
            let agreement = if yes { Agreement::Given } else { Agreement::Asked };
            return command::call::run(config, (&tool, &args), agreement).await;
        }
        Command::Capabilities { markdown } => command::capabilities::run(markdown)?,
        Command::Doctor { json } => return command::doctor::run(config, form(json)).await,
        Command::Healthcheck => command::healthcheck::run(config).await?,
    }
    Ok(ExitCode::SUCCESS)
}

fn unusable(command: &Command, err: &config::Error) -> ExitCode {
    if let Command::Doctor { json } = command
        && let Ok(code) = command::doctor::misconfigured(err, form(*json))
    {
        return code;
    }
    eprintln!("xyte-mcp: {err}");
    ExitCode::from(UNUSABLE)
}

fn form(json: bool) -> command::doctor::Form {
    if json { command::doctor::Form::Json } else { command::doctor::Form::Text }
}

/// The environment and `.env`, each by itself, so that it can be told where a value is from.
fn surroundings() -> Result<Surroundings, String> {
    let (mut environment, mut no_text) = (Variables::new(), Vec::new());
    for (name, value) in std::env::vars_os() {
        let Ok(name) = name.into_string() else { continue };
        match value.into_string() {
            Ok(value) => {
                environment.insert(name, value);
            }
            Err(_) => no_text.push(name),
        }
    }
    let mut env_file = Variables::new();
    match dotenvy::from_path_iter(".env") {
        Ok(lines) => {
            for line in lines {
                let (name, value) = line.map_err(|err| told(&err))?;
                env_file.entry(name).or_insert(value);
            }
        }
        Err(err) if err.not_found() => {}
        Err(err) => return Err(told(&err)),
    }
    Ok(Surroundings { environment, env_file, no_text })
}

/// The error's own text quotes the whole line, which may hold a key.
fn told(err: &dotenvy::Error) -> String {
    match err {
        dotenvy::Error::LineParse(line, _) => match line.split_once('=') {
            Some((name, _)) => {
                format!("the value of {} is malformed; put it in quotes", name.trim())
            }
            None => match number_of(line) {
                Some(number) => format!("line {number} is no assignment"),
                None => "a line is no assignment".to_owned(),
            },
        },
        other => other.to_string(),
    }
}

/// Where a line of `.env` stands, from 1.
fn number_of(line: &str) -> Option<usize> {
    let text = std::fs::read_to_string(".env").ok()?;
    text.lines().position(|it| it.trim() == line.trim()).map(|before| before + 1)
}

/// Standard output belongs to the protocol and to results, so logs go to standard error.
fn log_to_stderr(config: &Config) {
    let level = LevelFilter::from_level(config.log_level);
    // Its lines quote messages of callers, who may put a key anywhere.
    let protocol = level.min(LevelFilter::ERROR);
    let targets = Targets::new().with_default(level).with_target("rmcp", protocol);
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let lines = match config.environment {
        Environment::Production => lines.json().flatten_event(true).with_filter(targets).boxed(),
        Environment::Development => lines.with_ansi(false).with_filter(targets).boxed(),
    };
    tracing_subscriber::registry().with(lines).init();
}
