//! The two processes that are measured against, and what the system says about them.
//!
//! It reads `/proc`, so it needs Linux; it knows nothing of calls.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use serde_json::json;

use crate::load;

/// Calls a minute and key that no client here reaches, so that every call is counted and none is refused.
const UNREACHED_LIMIT: &str = "4000000";

/// How long a server may take until it answers.
const PATIENCE: Duration = Duration::from_secs(30);

/// A process that ends with this value.
pub(crate) struct Process {
    child: Child,
    pub(crate) port: u16,
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts the stand-in for the platform: this program in its other role.
pub(crate) fn upstream() -> anyhow::Result<Process> {
    let mut child = Command::new(std::env::current_exe()?)
        .arg("upstream")
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot start the upstream")?;
    let mut line = String::new();
    BufReader::new(child.stdout.take().context("no output")?).read_line(&mut line)?;
    Ok(Process { child, port: line.trim().parse().context("the upstream has no port")? })
}

/// Starts the server as it would be hosted: keys come with requests, logs at INFO go to a file; nothing is kept, so that every call is a request upstream.
pub(crate) fn server(program: &Path, upstream: u16) -> anyhow::Result<Process> {
    let log = File::create(program.with_file_name("bench.log"))?;
    // Free a moment ago; the server's own choice would have to be read from its log.
    let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
    let child = Command::new(program)
        .args(["http", "--port", &port.to_string()])
        .env_clear()
        .env("XYTE_BASE_URL", format!("http://127.0.0.1:{upstream}"))
        .env("XYTE_CACHE_TTL", "0")
        .env("XYTE_RATE_LIMIT", UNREACHED_LIMIT)
        .env("XYTE_ANSWER_TOKENS", "100000") // Whole pages, as the targets mean them.
        .current_dir("/")
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .with_context(|| format!("cannot start {}", program.display()))?;
    Ok(Process { child, port })
}

impl Process {
    /// Waits for the first answer to a message, and says how long after `started` it came.
    pub(crate) async fn first_answer(&mut self, started: Instant) -> anyhow::Result<Duration> {
        const TICK: Duration = Duration::from_micros(500);
        let message = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" });
        loop {
            if load::once(self.port, "/mcp", Some(&message)).await.is_ok() {
                return Ok(started.elapsed());
            }
            if self.child.try_wait()?.is_some() || started.elapsed() > PATIENCE {
                bail!("the server does not answer; see bench.log beside it");
            }
            tokio::time::sleep(TICK).await;
        }
    }

    /// CPU seconds so far, of the process itself and of the system for it.
    pub(crate) fn cpu_seconds(&self) -> anyhow::Result<f64> {
        const TICKS: f64 = 100.0; // A second; Linux fixes it for what it shows here.
        let text = fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // The name of the program in parentheses may hold blanks.
        let (_, rest) = text.rsplit_once(") ").context("an odd line of /proc")?;
        let ticks = |at: usize| rest.split(' ').nth(at).and_then(|text| text.parse::<f64>().ok());
        Ok((ticks(11).context("no utime")? + ticks(12).context("no stime")?) / TICKS)
    }

    /// Resident megabytes at this moment.
    pub(crate) fn resident(&self) -> anyhow::Result<f64> {
        self.status("VmRSS:")
    }

    /// The most resident megabytes so far.
    pub(crate) fn peak(&self) -> anyhow::Result<f64> {
        self.status("VmHWM:")
    }

    fn status(&self, name: &str) -> anyhow::Result<f64> {
        let text = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = text.lines().find_map(|line| line.strip_prefix(name)).context("no such line")?;
        let kilobytes: f64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kilobytes / 1024.0)
    }
}
