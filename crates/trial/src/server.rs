//! The server's process and, where replicas share something, that of Redis: started, measured and ended.

use std::io::{self, BufRead as _, BufReader, Read as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;

/// A server that listens, ended with this value.
#[derive(Debug)]
pub struct Server {
    child: Child,
    /// Where it listens.
    pub address: String,
    written: Option<JoinHandle<String>>,
}

/// What a process uses.
#[derive(Debug, Clone, Copy)]
pub struct Usage {
    /// Resident memory in KiB.
    pub memory: u64,
    /// The most it ever was.
    pub peak: u64,
    /// Open files and connections.
    pub files: usize,
}

impl Server {
    /// Starts the HTTP service in front of this platform, without settings of whoever runs this.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(program: &Path, platform: &str, arguments: &[&str]) -> io::Result<Self> {
        let mut command = Command::new(program);
        command.env_clear().args(["http", "--port", "0", "--base-url", platform]).args(arguments);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
        let pipe =
            child.stderr.take().ok_or_else(|| io::Error::other("it has no standard error"))?;
        let mut lines = BufReader::new(pipe);
        let mut text = String::new();
        let address = loop {
            let begin = text.len();
            if lines.read_line(&mut text)? == 0 {
                return Err(io::Error::other(format!("it ended before it listened:\n{text}")));
            }
            if let Some((_, rest)) = text[begin..].split_once("MCP at ") {
                break rest.split("/mcp").next().unwrap_or_default().to_owned();
            }
        };
        // Somebody must read on, or the process would wait for room in the pipe.
        let written = std::thread::spawn(move || {
            let _until_it_ends = lines.read_to_string(&mut text);
            text
        });
        Ok(Self { child, address, written: Some(written) })
    }

    /// What it uses.
    ///
    /// # Errors
    /// When it is gone, or the system is no Linux.
    pub fn usage(&self) -> io::Result<Usage> {
        let process = format!("/proc/{}", self.child.id());
        let status = std::fs::read_to_string(format!("{process}/status"))?;
        let number = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
        };
        let files = std::fs::read_dir(format!("{process}/fd"))?.count();
        Ok(Usage { memory: number("VmRSS:"), peak: number("VmHWM:"), files })
    }

    /// Asks it to end, and gives its exit code with everything it wrote.
    ///
    /// # Errors
    /// When it cannot be waited for.
    pub fn end(mut self) -> io::Result<(Option<i32>, String)> {
        Command::new("kill").arg(self.child.id().to_string()).status()?;
        let code = self.child.wait()?.code();
        let written = self.written.take().and_then(|thread| thread.join().ok());
        Ok((code, written.unwrap_or_default()))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _it_may_have_ended = self.child.kill();
        let _nobody_asks = self.child.wait();
    }
}

/// Starts a Redis that keeps nothing, and gives its process and its address.
///
/// # Errors
/// When there is none on this machine.
pub fn redis() -> io::Result<(Child, String)> {
    let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
    let mut command = Command::new("redis-server");
    command.args(["--bind", "127.0.0.1", "--save", "", "--port", &port.to_string()]);
    let mut child = command.stdout(Stdio::piped()).spawn()?;
    let pipe = child.stdout.take().ok_or_else(|| io::Error::other("it has no standard output"))?;
    let ready = BufReader::new(pipe)
        .lines()
        .map_while(Result::ok)
        .any(|line| line.contains("Ready to accept"));
    if !ready {
        return Err(io::Error::other("redis-server does not start"));
    }
    Ok((child, format!("redis://127.0.0.1:{port}")))
}
