//! The program: reads the command line and the settings, and runs one command.

mod cli;
mod command;
mod config;
mod generated;
mod xyte;

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::Parser;
use tracing_subscriber::filter::LevelFilter;

use crate::cli::{Cli, Command};
use crate::config::{Config, SandboxConfig};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Exit code of a command line or a setting that cannot be used.
const UNUSABLE: u8 = 2;

fn main() -> ExitCode {
    let cli = Cli::parse();
    if let Err(err) = dotenvy::dotenv()
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
    match run(cli, &config) {
        Ok(code) => code,
        Err(err) => {
            eprintln!("xyte-mcp: {err:#}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn run(cli: Cli, config: &Config) -> anyhow::Result<ExitCode> {
    let Cli { command, flags } = cli;
    match command {
        Command::Stdio => command::stdio::run(config).await?,
        Command::Http => command::http::run(config).await?,
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
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_max_level(level)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .init();
}
