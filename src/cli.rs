//! The command line: which commands and flags there are. What their values mean is `config`'s business.

#![allow(clippy::doc_markdown, reason = "these comments are texts for a terminal")]

use clap::{Args, Parser, Subcommand};

/// An MCP server for the Xyte device-management platform.
#[derive(Debug, Parser)]
#[command(name = "xyte-mcp", version, about, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) flags: Flags,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve MCP over stdio, for a desktop host
    #[command(alias = "serve")]
    Stdio,
    /// Serve MCP over HTTP
    Http(HttpFlags),
    /// Run a stand-in for the Xyte platform at 127.0.0.1, port 8090 or --port: no account, no network
    Sandbox {
        /// Seed of the invented fleet
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Which world: baseline, small or empty, with faults as in `small+rate-limited` (docs/SANDBOX.md)
        #[arg(long, default_value = "baseline")]
        scenario: String,
        /// How virtual time passes: fixed, running, or step:SECONDS with every request
        #[arg(long, default_value = "fixed")]
        clock: String,
        /// Port of what looks from behind, at 127.0.0.1: clock, faults, log, state; 0 is a free one
        #[arg(long, default_value_t = 0, value_name = "PORT")]
        admin_port: u16,
    },
    /// Call one tool and print its result
    Call {
        /// Name of the tool
        tool: String,
        /// Its arguments, a JSON object
        #[arg(long, default_value = "{}")]
        args: String,
        /// Agree to whatever needs consent, instead of being asked on the terminal
        #[arg(long)]
        yes: bool,
    },
    /// Print what this binary serves
    Capabilities {
        /// The usage document instead of JSON
        #[arg(long)]
        markdown: bool,
    },
    /// Check the settings and the connection, and say where each setting came from
    ///
    /// Asks the platform for one cheap read per key, without a key only whether it answers.
    ///
    /// Exit codes: 0 all is well, 2 a setting cannot be used, 3 the platform cannot be reached, 4 it does not answer in time, 5 it refuses the key, 6 what answers is not its API or is broken, 7 Redis does not answer, 1 anything else.
    Doctor {
        /// JSON instead of text
        #[arg(long)]
        json: bool,
    },
    /// Ask the local server whether it is alive
    Healthcheck,
}

/// Flags of `http` alone; they have no variables.
#[derive(Debug, Clone, Copy, Default, Args)]
pub(crate) struct HttpFlags {
    /// Give sessions to clients of MCP 2025-11-25 and before, so that tools can ask their users; all others are served without
    #[arg(long)]
    pub(crate) legacy_sessions: bool,
    /// Serve everybody with the server's own key, on a public address too
    #[arg(long)]
    pub(crate) allow_unauthenticated: bool,
}

/// Flags of the settings. Each overrides the variable of its name.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Settings (the variable in parentheses)")]
pub(crate) struct Flags {
    /// Talk to an invented fleet in this process instead of the platform
    #[arg(long, global = true)]
    pub(crate) sandbox: bool,
    /// World of the sandbox: baseline, small or empty, with faults as in `small+rate-limited`
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) sandbox_scenario: Option<String>,
    /// Seed of the sandbox
    #[arg(long, global = true, value_name = "NUMBER")]
    pub(crate) sandbox_seed: Option<String>,
    /// How the sandbox's time passes: fixed, running, or step:SECONDS with every request
    #[arg(long, global = true, value_name = "PACE")]
    pub(crate) sandbox_clock: Option<String>,
    /// Serve the sandbox's clock, faults, log and state at 127.0.0.1; 0 is a free port
    #[arg(long, global = true, value_name = "PORT")]
    pub(crate) sandbox_admin_port: Option<u16>,
    /// Organization key; without one each HTTP request brings its own (XYTE_API_KEY)
    #[arg(long, global = true, value_name = "KEY")]
    pub(crate) api_key: Option<String>,
    /// Key for partner tools (XYTE_PARTNER_API_KEY)
    #[arg(long, global = true, value_name = "KEY")]
    pub(crate) partner_api_key: Option<String>,
    /// Address of the platform (XYTE_BASE_URL)
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) base_url: Option<String>,
    /// Address to listen on (XYTE_MCP_HOST)
    #[arg(long, global = true, value_name = "ADDRESS")]
    pub(crate) host: Option<String>,
    /// Port to listen on (XYTE_MCP_PORT)
    #[arg(long, global = true, value_name = "PORT")]
    pub(crate) port: Option<String>,
    /// Names under which the server may be addressed (XYTE_ALLOWED_HOSTS)
    #[arg(long, global = true, value_name = "HOST,…")]
    pub(crate) allowed_hosts: Option<String>,
    /// Web pages that may call the server (XYTE_ALLOWED_ORIGINS)
    #[arg(long, global = true, value_name = "ORIGIN,…")]
    pub(crate) allowed_origins: Option<String>,
    /// Tool calls per key in any 60 seconds; 0 is no limit (XYTE_RATE_LIMIT)
    #[arg(long, global = true, value_name = "NUMBER")]
    pub(crate) rate_limit: Option<String>,
    /// The Redis that all replicas share (REDIS_URL)
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) redis_url: Option<String>,
    /// Most tokens of one answer of a tool (XYTE_ANSWER_TOKENS)
    #[arg(long, global = true, value_name = "NUMBER")]
    pub(crate) answer_tokens: Option<String>,
    /// Milliseconds for one request to the platform (XYTE_TIMEOUT_MS)
    #[arg(long, global = true, value_name = "MS")]
    pub(crate) timeout_ms: Option<String>,
    /// Requests to the platform at once, per key (XYTE_UPSTREAM_CONCURRENCY)
    #[arg(long, global = true, value_name = "NUMBER")]
    pub(crate) upstream_concurrency: Option<String>,
    /// Seconds for which a read is reused for the same key; 0 is off (XYTE_CACHE_TTL)
    #[arg(long, global = true, value_name = "SECONDS")]
    pub(crate) cache_ttl: Option<String>,
    /// Milliseconds for one whole call (XYTE_DEADLINE_MS)
    #[arg(long, global = true, value_name = "MS")]
    pub(crate) deadline_ms: Option<String>,
    /// Shortest key that a caller may bring (XYTE_MIN_KEY_LENGTH)
    #[arg(long, global = true, value_name = "NUMBER")]
    pub(crate) min_key_length: Option<String>,
    /// What callers of a single-tenant server present instead of its key (XYTE_MCP_HTTP_TOKEN)
    #[arg(long, global = true, value_name = "TOKEN")]
    pub(crate) mcp_http_token: Option<String>,
    /// Bearer that `/metrics` asks for; open without one (XYTE_METRICS_TOKEN)
    #[arg(long, global = true, value_name = "TOKEN")]
    pub(crate) metrics_token: Option<String>,
    /// Serve tools that may still change (XYTE_EXPERIMENTAL_APIS)
    #[arg(long, global = true, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    pub(crate) experimental_apis: Option<String>,
    /// Refuse every tool that changes something (XYTE_READ_ONLY)
    #[arg(long, global = true, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    pub(crate) read_only: Option<String>,
    /// Toolsets to show, or `all` (XYTE_TOOLSETS)
    #[arg(long, global = true, value_name = "NAME,…")]
    pub(crate) toolsets: Option<String>,
    /// ERROR, WARN, INFO, DEBUG or TRACE (XYTE_LOG_LEVEL)
    #[arg(long, global = true, value_name = "LEVEL")]
    pub(crate) log_level: Option<String>,
    /// How logs are written: prod as JSON, dev as text for people (XYTE_ENV)
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) env: Option<String>,
    /// One JSON line per call, two per change: off, stderr or file:PATH (XYTE_AUDIT)
    #[arg(long, global = true, value_name = "WHERE")]
    pub(crate) audit: Option<String>,
    /// Who agrees to what destroys and to bulk changes: auto, elicit, token or off (XYTE_CONFIRM)
    #[arg(long, global = true, value_name = "POLICY")]
    pub(crate) confirm: Option<String>,
    /// Device commands that need consent, too (XYTE_CONFIRM_COMMANDS)
    #[arg(long, global = true, value_name = "NAME,…")]
    pub(crate) confirm_commands: Option<String>,
    /// Most targets of one bulk call (XYTE_BULK_MAX)
    #[arg(long, global = true, value_name = "NUMBER")]
    pub(crate) bulk_max: Option<String>,
    /// Seals what callers bring back: 32 bytes in base64, a comma list while keys change (XYTE_SEAL_KEY)
    #[arg(long, global = true, value_name = "KEY,…")]
    pub(crate) seal_key: Option<String>,
    /// Folder for what outlives the process; used with a seal key and without Redis (XYTE_STATE_DIR)
    #[arg(long, global = true, value_name = "PATH")]
    pub(crate) state_dir: Option<String>,
    /// Folder of room presets, besides the built-in ones (XYTE_PRESETS_DIR)
    #[arg(long, global = true, value_name = "FOLDER")]
    pub(crate) presets_dir: Option<String>,
}

impl Flags {
    /// The value of the flag that belongs to a variable.
    pub(crate) fn of(&self, variable: &str) -> Option<&str> {
        let flag = match variable {
            "XYTE_API_KEY" => &self.api_key,
            "XYTE_PARTNER_API_KEY" => &self.partner_api_key,
            "XYTE_BASE_URL" => &self.base_url,
            "XYTE_MCP_HOST" => &self.host,
            "XYTE_MCP_PORT" => &self.port,
            "XYTE_ALLOWED_HOSTS" => &self.allowed_hosts,
            "XYTE_ALLOWED_ORIGINS" => &self.allowed_origins,
            "REDIS_URL" => &self.redis_url,
            "XYTE_RATE_LIMIT" => &self.rate_limit,
            "XYTE_SEAL_KEY" => &self.seal_key,
            "XYTE_ANSWER_TOKENS" => &self.answer_tokens,
            "XYTE_TIMEOUT_MS" => &self.timeout_ms,
            "XYTE_UPSTREAM_CONCURRENCY" => &self.upstream_concurrency,
            "XYTE_CACHE_TTL" => &self.cache_ttl,
            "XYTE_DEADLINE_MS" => &self.deadline_ms,
            "XYTE_MIN_KEY_LENGTH" => &self.min_key_length,
            "XYTE_MCP_HTTP_TOKEN" => &self.mcp_http_token,
            "XYTE_METRICS_TOKEN" => &self.metrics_token,
            "XYTE_EXPERIMENTAL_APIS" => &self.experimental_apis,
            "XYTE_READ_ONLY" => &self.read_only,
            "XYTE_TOOLSETS" => &self.toolsets,
            "XYTE_LOG_LEVEL" => &self.log_level,
            "XYTE_ENV" => &self.env,
            "XYTE_AUDIT" => &self.audit,
            "XYTE_CONFIRM" => &self.confirm,
            "XYTE_CONFIRM_COMMANDS" => &self.confirm_commands,
            "XYTE_BULK_MAX" => &self.bulk_max,
            "XYTE_STATE_DIR" => &self.state_dir,
            "XYTE_PRESETS_DIR" => &self.presets_dir,
            _ => return None,
        };
        flag.as_deref()
    }
}
