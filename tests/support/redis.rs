//! A Redis of a test's own: a process on a socket in a directory of its own, ended with the test.

#![allow(dead_code, reason = "every test file uses its own part of this")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

static COUNT: AtomicU32 = AtomicU32::new(0);

/// A running Redis.
pub(crate) struct RedisServer {
    child: Child,
    directory: PathBuf,
    arguments: Vec<String>,
}

impl RedisServer {
    /// Starts one.
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts one with settings of the test's own.
    pub(crate) fn start_with(arguments: &[&str]) -> Self {
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        // The path of a socket is short on every system.
        let name = format!("xyte-redis-{}-{number}", std::process::id());
        let directory = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&directory).unwrap();
        let arguments: Vec<String> =
            arguments.iter().map(|&argument| argument.to_owned()).collect();
        let child = spawn(&directory, &arguments);
        Self { child, directory, arguments }
    }

    /// Its address.
    pub(crate) fn url(&self) -> String {
        format!("unix://{}", self.directory.join("s").display())
    }

    /// Ends it at once, as a crash does.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again at the same address; what it held is gone.
    pub(crate) fn restart(&mut self) {
        self.child = spawn(&self.directory, &self.arguments);
    }

    /// Lets it hang: it takes connections and commands, and answers nothing.
    pub(crate) fn hang(&self) {
        self.signal("STOP");
    }

    /// Lets it go on.
    pub(crate) fn go_on(&self) {
        self.signal("CONT");
    }

    /// Bytes that it was sent so far.
    pub(crate) fn received(&self) -> u64 {
        let mut connection = UnixStream::connect(self.directory.join("s")).unwrap();
        connection.write_all(b"INFO stats\r\n").unwrap();
        let mut lines = BufReader::new(connection).lines().map(Result::unwrap);
        let count = lines
            .find_map(|line| line.strip_prefix("total_net_input_bytes:").map(str::to_owned))
            .unwrap();
        count.parse().unwrap()
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        let _it_may_have_ended = self.child.kill();
        let _nobody_asks = self.child.wait();
        let _it_is_only_rubbish = std::fs::remove_dir_all(&self.directory);
    }
}

/// Starts the process and waits until it listens.
fn spawn(directory: &PathBuf, arguments: &[String]) -> Child {
    let mut command = Command::new("redis-server");
    command.current_dir(directory).stdin(Stdio::null()).stdout(Stdio::piped());
    command.args(["--port", "0", "--unixsocket", "s", "--save", "", "--appendonly", "no"]);
    let mut child =
        command.args(arguments).spawn().expect("redis-server; scripts/test installs it");
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let ready = lines.any(|line| line.unwrap().contains("eady to accept connections"));
    assert!(ready, "redis-server ended before it listened");
    // Somebody must read on, or it would wait for room in the pipe.
    std::thread::spawn(move || lines.for_each(drop));
    child
}
