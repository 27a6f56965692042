//! The program: reads the command line and the settings, and runs one command.

mod cli;
mod command;
mod config;
mod generated;
mod xyte;

use std::process::ExitCode;

use clap::Parser;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::cli::{Cli, Command};
use crate::config::{Config, SandboxConfig};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Exit code of a command line or a setting that cannot be used.
const UNUSABLE: u8 = 2;

fn main() -> ExitCode {
    let cli = Cli::parse();
    if let Err(err) = dotenvy::from_path(".env")
        && !err.not_found()
    {
        eprintln!("xyte-mcp: the file .env cannot be read: {err}");
        return ExitCode::from(UNUSABLE);
    }
    let config = match Config::read(&cli.flags, variable) {
        Ok(config) => config,
        Err(err) => {
            eprintln!("xyte-mcp: {err}");
            return ExitCode::from(UNUSABLE);
        }
    };
    log_to_stderr(&config);
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
    match run(cli, &config) {
        Ok(code) => code,
        Err(err) => {
            eprintln!("xyte-mcp: {err:#}");
            if err.is::<config::Error>() { ExitCode::from(UNUSABLE) } else { ExitCode::FAILURE }
        }
    }
}

#[tokio::main]
async fn run(cli: Cli, config: &Config) -> anyhow::Result<ExitCode> {
    let Cli { command, flags } = cli;
    match command {
        Command::Stdio => command::stdio::run(config).await?,
        Command::Http { legacy_sessions } => command::http::run(config, legacy_sessions).await?,
        Command::Sandbox { seed, scenario } => {
            // Only the flag counts: the variable is the port of the HTTP service.
            let port =
                if flags.port.is_some() { config.port } else { command::sandbox::DEFAULT_PORT };
            command::sandbox::run(port, &SandboxConfig { scenario, seed }).await?;
        }
        Command::Call { tool, args } => return command::call::run(config, &tool, &args).await,
        Command::Capabilities { markdown } => command::capabilities::run(markdown)?,
        Command::Healthcheck => command::healthcheck::run(config).await?,
    }
    Ok(ExitCode::SUCCESS)
}

#[expect(clippy::disallowed_methods, reason = "this is where config gets the environment from")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Standard output belongs to the protocol and to results, so logs go to standard error.
fn log_to_stderr(config: &Config) {
    let level = LevelFilter::from_level(config.log_level);
    let protocol = if level > LevelFilter::INFO { level } else { level.min(LevelFilter::WARN) }; // It says two lines per request.
    let targets = Targets::new().with_default(level).with_target("rmcp", protocol);
    let lines =
        tracing_subscriber::fmt::layer().json().flatten_event(true).with_writer(std::io::stderr);
    tracing_subscriber::registry().with(lines.with_filter(targets)).init();
}
