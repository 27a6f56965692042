//! `cargo bench`: what the server adds to a call of its upstream, on this machine, as a table beside the project's targets.
//!
//! It only measures: a target that is missed is shown, and fails nothing. Every figure of the server stands beside one of the upstream itself, taken seconds before; only such pairs can be compared between machines.

#![allow(clippy::print_stdout, reason = "the table is what it is for")]

mod load;
mod process;
mod soak;
mod table;
mod upstream;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Parser;
use serde_json::Value;

use crate::load::{Ports, What, drive};
use crate::process::Process;
use crate::table::{Bound, Round, Target};

/// Clients whose overhead the targets speak of.
const FEW: u64 = 8;

/// Clients whose memory and throughput the targets speak of.
const MANY: u64 = 50;

/// Milliseconds of an upstream that is not next door.
const LATENCY_MS: u64 = 20;

/// Measures the release build of the server.
#[derive(Debug, Parser)]
#[command(bin_name = "cargo bench --")]
struct Args {
    /// Seconds of one measurement
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    /// How often each is repeated; the table shows medians
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Minutes of ever new clients at the end
    #[arg(long, default_value_t = 0.0)]
    soak: f64,
    /// Another build of the server
    #[arg(long, default_value = env!("CARGO_BIN_EXE_xyte-mcp"))]
    server: PathBuf,
    /// What cargo says to every benchmark
    #[arg(long, hide = true)]
    bench: bool,
    /// Be the upstream
    #[arg(hide = true)]
    role: Option<String>,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    if args.role.is_some() {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        return runtime.block_on(upstream::run());
    }
    // One thread: the two that are measured shall have the others.
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(measure(&args))
}

async fn measure(args: &Args) -> anyhow::Result<()> {
    let mut targets = Vec::new();
    let upstream = process::upstream()?;
    let (server, idle) = start(args, &upstream, &mut targets).await?;
    let bench = Bench {
        args,
        ports: Ports { upstream: upstream.port, server: server.port },
        server: &server,
    };
    bench.windows(1, &[What::List, What::Get]).await?; // Thrown away: everything is made that is made once.
    bench.overhead(&mut targets).await?;
    let loaded = server.resident()?;
    bench.distant(&mut targets).await?;
    table::memory(idle, loaded, server.peak()?);
    targets.push(Target::new("memory, idle", idle, Bound::AtMost(20.0), "MB"));
    let peak = server.peak()?;
    targets.push(Target::new("memory, peak with 50 clients", peak, Bound::AtMost(64.0), "MB"));
    bench.count(&mut targets).await?;
    drop(server);
    if args.soak > 0.0 {
        let server = process::server(&args.server, upstream.port)?;
        let lasting = Duration::from_secs_f64(args.soak * 60.0);
        soak::run(server, upstream.port, lasting, &mut targets).await?;
    }
    table::targets(&targets);
    Ok(())
}

/// Starts the server several times; the last one stays, with its memory after one call.
async fn start(
    args: &Args,
    upstream: &Process,
    targets: &mut Vec<Target>,
) -> anyhow::Result<(Process, f64)> {
    const STARTS: usize = 9;
    const SETTLED: Duration = Duration::from_secs(1);
    let (mut answers, mut calls, mut idle) = (Vec::new(), Vec::new(), Vec::new());
    for turn in 1.. {
        let started = Instant::now();
        let mut server = process::server(&args.server, upstream.port)?;
        answers.push(server.first_answer(started).await?.as_secs_f64() * 1000.0);
        let ports = Ports { upstream: upstream.port, server: server.port };
        load::Client::connect(ports, What::List, 0).await?.call().await?;
        calls.push(started.elapsed().as_secs_f64() * 1000.0);
        if turn < STARTS {
            continue;
        }
        tokio::time::sleep(SETTLED).await;
        idle.push(server.resident()?);
        let (answer, call) = (table::median(answers), table::median(calls));
        println!(
            "Start to first answer: {answer:.1} ms; to the first call's: {call:.1} ms (medians of {STARTS})\n"
        );
        targets.push(Target::new("start to first answer", answer, Bound::AtMost(40.0), "ms"));
        return Ok((server, table::median(idle)));
    }
    unreachable!("the loop has no end of its own")
}

struct Bench<'a> {
    args: &'a Args,
    ports: Ports,
    server: &'a Process,
}

impl Bench<'_> {
    /// Measures each of these in turn, and all of them again.
    async fn windows(&self, clients: u64, whats: &[What]) -> anyhow::Result<Vec<Round>> {
        let lasting = Duration::from_secs_f64(self.args.seconds);
        let mut rounds = Vec::new();
        for _ in 0..self.args.rounds {
            let mut round = Round::default();
            for &what in whats {
                let before = self.server.cpu_seconds()?;
                let measured = drive(self.ports, what, clients, lasting).await?;
                round.push(what, measured, self.server.cpu_seconds()? - before);
            }
            rounds.push(round);
        }
        Ok(rounds)
    }

    /// An upstream next door: all that is measured is overhead.
    async fn overhead(&self, targets: &mut Vec<Target>) -> anyhow::Result<()> {
        let whats = [What::DirectList, What::List, What::FullList, What::DirectGet, What::Get];
        table::head("Upstream that answers at once");
        for clients in [1, FEW, MANY] {
            let rounds = self.windows(clients, &whats).await?;
            table::rows(clients, &whats, &rounds);
            if clients != FEW {
                continue;
            }
            for (what, share, cpu) in
                [(What::List, 6.5, 0.30), (What::FullList, 2.7, f64::NAN), (What::Get, 7.5, 0.15)]
            {
                let name = format!("{} with {clients} clients", what.name());
                let of_direct = table::of_direct(&rounds, what) * 100.0;
                targets.push(Target::new(&name, of_direct, Bound::AtLeast(share), "% of direct"));
                if cpu.is_finite() {
                    let spent = table::cpu(&rounds, what);
                    let name = format!("CPU of {} ", what.name());
                    targets.push(Target::new(
                        &name,
                        spent,
                        Bound::AtMost(cpu),
                        "s per 1,000 calls",
                    ));
                }
            }
        }
        Ok(())
    }

    /// An upstream as far away as a platform usually is.
    async fn distant(&self, targets: &mut Vec<Target>) -> anyhow::Result<()> {
        self.latency(LATENCY_MS).await?;
        let whats = [What::DirectList, What::List];
        table::head(&format!("Upstream that answers after {LATENCY_MS} ms"));
        for clients in [FEW, MANY] {
            let rounds = self.windows(clients, &whats).await?;
            table::rows(clients, &whats, &rounds);
            if clients == FEW {
                for (share, most) in [(0.50, 1.5), (0.99, 6.0)] {
                    let name = format!(
                        "added at p{:.0} with {clients} clients, {LATENCY_MS} ms",
                        share * 100.0
                    );
                    let added = table::added(&rounds, What::List, share);
                    targets.push(Target::new(&name, added, Bound::AtMost(most), "ms"));
                }
            } else {
                let name = format!("throughput with {clients} clients, {LATENCY_MS} ms");
                let share = table::of_direct(&rounds, What::List) * 100.0;
                targets.push(Target::new(&name, share, Bound::AtLeast(65.0), "% of direct"));
            }
        }
        self.latency(0).await
    }

    async fn latency(&self, millis: u64) -> anyhow::Result<()> {
        load::once(self.ports.upstream, &format!("{}{millis}", upstream::LATENCY_PATH), None)
            .await?;
        Ok(())
    }

    /// Every call is one request upstream: nothing was kept, merged or tried twice.
    async fn count(&self, targets: &mut Vec<Target>) -> anyhow::Result<()> {
        let before = self.requests().await?;
        let lasting = Duration::from_secs_f64(self.args.seconds);
        let calls = drive(self.ports, What::List, MANY, lasting).await?.calls();
        let requests = self.requests().await? - before;
        println!("{calls} calls with {MANY} keys made {requests} requests upstream\n");
        let each = requests as f64 / calls as f64;
        targets.push(Target::new("requests upstream per call", each, Bound::Exactly(1.0), ""));
        Ok(())
    }

    async fn requests(&self) -> anyhow::Result<u64> {
        let counts = load::once(self.ports.upstream, upstream::COUNTS_PATH, None).await?;
        let counts: Value = serde_json::from_slice(&counts)?;
        Ok(counts["requests"].as_u64().unwrap_or_default())
    }
}
