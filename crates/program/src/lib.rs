//! A whole program around a generated API: the commands `stdio` and `http`, and a handful of settings.
//!
//! It is given what the generator wrote, its arguments and its variables; it knows no platform and reads no environment.

mod logs;
mod settings;
mod signals;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderName;
use serde_json::Value;
use xyte_mcp_runtime::caller::{Caller, Key};
use xyte_mcp_runtime::catalogue::{Catalogue, LoadError};
use xyte_mcp_runtime::remote::{Product, Remote};
use xyte_mcp_runtime::server::{Document, Identity, Server};
use xyte_mcp_runtime::service::{self, Service};
use xyte_mcp_runtime::transport;
use xyte_mcp_runtime::transport::http::{
    Access, Bounds, HttpSettings, KeySettings, app, bind, serve,
};

use self::settings::Settings;
pub use self::settings::Unusable;
pub use self::signals::stop_on_signal;

const BODY_LIMIT: usize = 1024 * 1024; // Bytes; no call of a tool comes near it.
const SHORTEST_KEY: usize = 8; // A request that brings less brings no key.

/// Half the files that a process may usually open, and longer than the deadline of a call.
const BOUNDS: Bounds = Bounds { connections: 512, drain: Duration::from_secs(25) };

/// Exit code of a command line or a setting that cannot be used.
const UNUSABLE: u8 = 2;

/// A program: what it is called, and what the generator wrote for it.
#[derive(Debug, Clone, Copy)]
pub struct Program {
    /// Machine name.
    pub name: &'static str,
    /// Version of the program.
    pub version: &'static str,
    /// Name for people.
    pub title: &'static str,
    /// What a model should know before its first call.
    pub instructions: &'static str,
    /// What the generator wrote.
    pub product: Product,
}

/// Why a program ended that should not have.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Something that is no command.
    #[error("{0}: write `stdio` or `http`; `--help` lists the variables")]
    Command(String),
    /// A setting that cannot be used.
    #[error(transparent)]
    Setting(#[from] Unusable),
    /// The generated catalogue is damaged.
    #[error("the embedded capabilities cannot be loaded: {0}")]
    Catalogue(#[from] LoadError),
    /// Nothing can be served on this address.
    #[error("cannot listen on {0}: {1}")]
    Listen(SocketAddr, #[source] io::Error),
    /// The system does not let the program run.
    #[error(transparent)]
    System(#[from] io::Error),
    /// The conversation over pipes broke.
    #[error(transparent)]
    Stdio(#[from] transport::stdio::StdioError),
}

/// What the protocol is spoken over.
#[derive(Debug, Clone, Copy)]
enum Over {
    Pipes,
    Http,
}

impl Program {
    /// Runs the command that the arguments name, with the environment's variables as settings; tells a fault on standard error.
    pub fn main(
        self,
        arguments: impl IntoIterator<Item = OsString>,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> ExitCode {
        logs::to_stderr();
        let arguments = arguments.into_iter().skip(1); // The program's own name.
        let command: Vec<String> =
            arguments.map(|argument| argument.to_string_lossy().into_owned()).collect();
        let Err(err) = self.start(&command.join(" "), environment) else {
            return ExitCode::SUCCESS;
        };
        eprintln!("{}: {err}", self.name);
        match err {
            Error::Command(_) | Error::Setting(_) => ExitCode::from(UNUSABLE),
            _ => ExitCode::FAILURE,
        }
    }

    fn start(
        self,
        command: &str,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<(), Error> {
        let catalogue = Catalogue::load(self.product.capabilities)?;
        let over = match command {
            "stdio" => Over::Pipes,
            "http" => Over::Http,
            "--help" | "-h" | "help" => {
                let help = self.help(&catalogue);
                return Ok(writeln!(io::stdout(), "{help}")?);
            }
            "" => return Err(Error::Command("a command is missing".to_owned())),
            other => return Err(Error::Command(format!("`{other}` is no command"))),
        };
        let settings = Settings::read(environment, &catalogue)?;
        for name in &settings.unknown {
            tracing::warn!("{name} is no setting of this program");
        }
        let service = self.service(catalogue, &settings);
        let runtime = tokio::runtime::Runtime::new()?;
        let ended = runtime.block_on(async {
            match over {
                Over::Pipes => self.stdio(service, settings).await,
                Over::Http => self.http(service, settings).await,
            }
        });
        // A read of standard input cannot be cancelled, and would keep the process until its client goes.
        runtime.shutdown_background();
        ended
    }

    fn help(&self, catalogue: &Catalogue) -> String {
        let Self { name, version, title, .. } = self;
        let variables = Settings::help(catalogue);
        format!(
            "{name} {version}: {title} over MCP\n\nCommands\n  stdio  for a client that starts it\n  http   MCP and REST over HTTP; `/docs` is a page to try them on\n\nVariables\n{variables}"
        )
    }

    fn service(&self, catalogue: Catalogue, settings: &Settings) -> Arc<Service> {
        let user_agent = format!("{}/{}", self.name, self.version);
        let remote = Remote::new(settings.base_url.clone(), user_agent, self.product);
        let settings = service::Settings {
            toolsets: settings.toolsets.clone(),
            read_only: settings.read_only,
            confirm: settings.confirm,
            rate_limit: settings.rate_limit,
            key_hint: settings.key_hint.clone(),
            ..service::Settings::default()
        };
        Arc::new(Service::new(catalogue, Arc::new(remote), settings))
    }

    async fn stdio(self, service: Arc<Service>, settings: Settings) -> Result<(), Error> {
        let caller = if settings.keys.is_empty() {
            Caller::keyless()
        } else {
            Caller::with_own_keys(Arc::new(settings.keys))
        };
        let identity = self.identity(&service);
        let server = Server::for_caller(service, identity, caller);
        Ok(transport::stdio::serve(server, stop_on_signal()?).await?)
    }

    async fn http(self, service: Arc<Service>, settings: Settings) -> Result<(), Error> {
        let address = settings.address;
        let listener = bind(address).map_err(|err| Error::Listen(address, err))?;
        let address = listener.local_addr()?;
        let needs_keys = !service.catalogue.api.credentials.is_empty();
        let settings = HttpSettings {
            allowed_hosts: settings.allowed_hosts,
            allowed_origins: Vec::new(),
            keys: KeySettings {
                headers: vec![HeaderName::from_static("x-api-key")],
                noun: "api_key".to_owned(),
                min_length: SHORTEST_KEY,
                access: access(settings.keys, needs_keys, address),
                token: None,
            },
            body_limit: BODY_LIMIT,
            metrics_token: None,
            shown: Value::Null,
            legacy_sessions: false,
        };
        tracing::info!(server.address = %address, "MCP at http://{address}/mcp");
        let identity = self.identity(&service);
        let server = Server::for_requests(service, identity);
        serve(app(server, settings), listener, stop_on_signal()?, BOUNDS).await;
        Ok(())
    }

    fn identity(&self, service: &Service) -> Identity {
        let scheme = &service.catalogue.api.scheme;
        let document = |part: &str, title: &str, mime: &str, text: &'static str| Document {
            uri: format!("{scheme}://docs/{part}"),
            name: part.to_owned(),
            title: title.to_owned(),
            description: format!("{title} of this server."),
            mime: mime.to_owned(),
            text: text.into(),
        };
        Identity {
            name: self.name.to_owned(),
            title: self.title.to_owned(),
            version: self.version.to_owned(),
            instructions: self.instructions.trim().to_owned(),
            documents: vec![
                document("api-usage", "API usage", "text/markdown", self.product.usage),
                document(
                    "capabilities",
                    "Capabilities",
                    "application/json",
                    self.product.capabilities,
                ),
            ],
            skills: Vec::new(),
        }
    }
}

/// Without a key of its own, the program serves callers who bring theirs; with one, strangers only where none can be.
fn access(keys: BTreeMap<String, Key>, needs_keys: bool, address: SocketAddr) -> Access {
    let keys = Arc::new(keys);
    match (keys.is_empty() && needs_keys, address.ip().is_loopback()) {
        (true, _) => Access::Tenants,
        (false, true) => Access::OwnForAnyone(keys),
        // One key stands for the server; of several, each acts for itself.
        (false, false) => {
            let openers = keys.values().filter(|_| keys.len() == 1).cloned().collect();
            Access::OwnForToken { keys, openers }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_programs_own_key_serves_strangers_on_the_loopback_address_only() {
        let keys = || BTreeMap::from([("bearer".to_owned(), Key::new("a-key").expect("a key"))]);
        let (loopback, public) = (([127, 0, 0, 1], 80).into(), ([0, 0, 0, 0], 80).into());
        assert!(matches!(access(keys(), true, loopback), Access::OwnForAnyone(_)));
        assert!(matches!(access(keys(), true, public), Access::OwnForToken { .. }));
        assert!(matches!(access(BTreeMap::new(), true, loopback), Access::Tenants));
        assert!(
            matches!(access(BTreeMap::new(), false, loopback), Access::OwnForAnyone(_)),
            "an API without keys asks for none"
        );
    }
}
