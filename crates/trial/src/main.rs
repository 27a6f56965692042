//! Runs the load for as long as it is told, prints what came of it, and ends with 1 if anything was not as it should be.
//!
//! Usage: `xyte-mcp-trial PROGRAM [--seconds 30] [--tenants 50] [--seed 1] [--redis]`

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use tokio::time::{Instant, sleep};
use xyte_mcp_trial::{Amount, Platform, Server, Storm, Tally, Usage, redis};

/// Attempts and calls end early, so that a hung platform costs the load little.
const IMPATIENT: [&str; 4] = ["--timeout-ms", "1500", "--deadline-ms", "6000"];
/// Calls of each tenant in a crowd, and how many of them pass.
const CROWD: (u64, u64) = (80, 60);
/// Storms, each as long as the others: what leaks is left behind by every one of them, what an allocator keeps is not.
const STORMS: u64 = 4;
/// Calls of a tenant in one storm have other numbers than those in any other.
const NUMBERS: u64 = 1_000_000;
/// What each storm after the first may leave behind more than the one before it.
const GROWTH_KIB: u64 = 1024;
/// Within this time everything of a storm is closed.
const CALM: Duration = Duration::from_secs(10);

type Error = Box<dyn std::error::Error>;

/// What the command line says.
struct Plan {
    program: PathBuf,
    seconds: u64,
    tenants: usize,
    seed: u64,
    redis: bool,
}

fn main() -> Result<ExitCode, Error> {
    let plan = Plan::read(std::env::args().skip(1))?;
    let runtime = tokio::runtime::Runtime::new()?;
    let faults = runtime.block_on(run(&plan))?;
    Ok(if faults == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

impl Plan {
    fn read(mut words: impl Iterator<Item = String>) -> Result<Self, Error> {
        let program = words.next().ok_or("which program?")?.into();
        let mut plan = Self { program, seconds: 30, tenants: 50, seed: 1, redis: false };
        while let Some(word) = words.next() {
            let mut number = || words.next().ok_or("a number is missing").map(|text| text.parse());
            match word.as_str() {
                "--seconds" => plan.seconds = number()??,
                "--tenants" => plan.tenants = usize::try_from(number()??)?,
                "--seed" => plan.seed = number()??,
                "--redis" => plan.redis = true,
                other => return Err(format!("`{other}` is no flag").into()),
            }
        }
        Ok(plan)
    }
}

/// Runs everything and gives the number of faults.
async fn run(plan: &Plan) -> Result<usize, Error> {
    let (platform, address) = Platform::start(plan.seed, plan.tenants).await?;
    let shared = if plan.redis { Some(redis()?) } else { None };
    let replicas = |limit: &str, more: &[&str]| -> Result<Vec<Server>, Error> {
        let mut arguments = [&["--toolsets", "all", "--rate-limit", limit], more].concat();
        let url = shared.as_ref().map(|(_, url)| url.as_str());
        arguments.extend(url.iter().flat_map(|url| ["--redis-url", url]));
        let count = if url.is_some() { 2 } else { 1 };
        (0..count).map(|_| Ok(Server::start(&plan.program, &address, &arguments)?)).collect()
    };
    let storm = |servers: &[Server]| Storm {
        seed: plan.seed,
        tenants: plan.tenants,
        servers: servers.iter().map(|server| server.address.clone()).collect(),
        platform: platform.clone(),
    };
    let (calls, most) = CROWD;
    let servers = replicas(&most.to_string(), &[])?;
    say(&format!("A crowd: {calls} calls of each of {} tenants, {most} may pass", plan.tenants))?;
    let mut faults = tell(&storm(&servers).crowd(calls, most).await)?;
    faults += end(servers)?;

    // Off without Redis, and beyond reach with it, so that every call asks it.
    let servers = replicas(if plan.redis { "4000000" } else { "0" }, &IMPATIENT)?;
    let storm = storm(&servers);
    let before = used(&servers, "Before the storms")?;
    let mut after = Vec::new();
    for turn in 1..=STORMS {
        say(&format!("Storm {turn}: {} tenants for {} seconds", plan.tenants, plan.seconds))?;
        let until = Instant::now() + Duration::from_secs(plan.seconds);
        let raging = storm.rage_from(turn * NUMBERS, Amount::Until(until));
        let tally = match shared.as_ref().filter(|_| turn == 1) {
            Some((redis, _)) => struck(raging, redis.id(), plan.seconds).await?,
            None => raging.await,
        };
        faults += tell(&tally)?;
        platform.hang_up();
        settle(&servers, &before).await?;
        after.push(used(&servers, &format!("After storm {turn}"))?);
    }
    faults += leaks(&before, &after)?;
    faults += end(servers)?;
    if let Some((mut redis, _)) = shared {
        redis.wait()?;
    }
    say(&format!("{faults} faults in all"))?;
    Ok(faults)
}

/// A storm in whose middle Redis is killed.
async fn struck(
    raging: impl Future<Output = Tally>,
    redis: u32,
    seconds: u64,
) -> Result<Tally, Error> {
    let strike = async {
        sleep(Duration::from_secs(seconds / 2)).await;
        std::process::Command::new("kill").args(["-9", &redis.to_string()]).status()
    };
    let (tally, struck) = tokio::join!(raging, strike);
    struck?;
    Ok(tally)
}

/// Waits until what a storm opened is closed.
async fn settle(servers: &[Server], before: &[Usage]) -> Result<(), Error> {
    let until = Instant::now() + CALM;
    loop {
        let mut open = false;
        for (server, before) in servers.iter().zip(before) {
            open |= server.usage()?.files > before.files;
        }
        if !open || Instant::now() >= until {
            return Ok(());
        }
        sleep(Duration::from_millis(100)).await;
    }
}

fn used(servers: &[Server], when: &str) -> Result<Vec<Usage>, Error> {
    let usages = servers.iter().map(Server::usage).collect::<Result<Vec<_>, _>>()?;
    for usage in &usages {
        let Usage { memory, peak, files } = usage;
        say(&format!("{when}: {memory} KiB resident, at most {peak} KiB, {files} open files"))?;
    }
    Ok(usages)
}

/// Compares what the servers use after each storm.
fn leaks(before: &[Usage], after: &[Vec<Usage>]) -> Result<usize, Error> {
    let mut faults = 0;
    for (number, before) in before.iter().enumerate() {
        let storms: Vec<Usage> = after.iter().map(|usages| usages[number]).collect();
        let memory: Vec<u64> = storms.iter().map(|usage| usage.memory).collect();
        if grows(&memory) {
            faults += 1;
            say(&format!("FAULT memory grows with every storm: {memory:?} KiB"))?;
        }
        let files = storms.last().map_or(0, |usage| usage.files);
        if files > before.files {
            faults += 1;
            say(&format!("FAULT {} open files, then {files}", before.files))?;
        }
    }
    Ok(faults)
}

/// Whether each storm after the first left more memory in use than the one before it.
fn grows(memory: &[u64]) -> bool {
    memory.len() > 2 && memory.windows(2).all(|pair| pair[1] > pair[0] + GROWTH_KIB)
}

/// Ends the servers, and looks for keys and the platform's words in what they wrote.
fn end(servers: Vec<Server>) -> Result<usize, Error> {
    let mut faults = 0;
    for server in servers {
        let (code, written) = server.end()?;
        let panics = written.matches("panicked").count();
        let keys = written.matches("trial-key").count() + written.matches("mark-").count();
        if (code, panics, keys) != (Some(0), 0, 0) {
            faults += 1;
            say(&format!(
                "FAULT it ended with {code:?}, after {panics} panics, with {keys} keys in its logs"
            ))?;
        }
    }
    Ok(faults)
}

fn tell(tally: &Tally) -> Result<usize, Error> {
    say(&tally.to_string())?;
    Ok(tally.faults.len())
}

fn say(text: &str) -> Result<(), Error> {
    writeln!(std::io::stdout(), "{text}")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_grows_with_every_storm_is_a_leak_and_what_settles_is_none() {
        assert!(grows(&[30_000, 31_500, 33_000, 34_500]));
        assert!(!grows(&[30_000, 36_000, 36_100, 36_000]));
        assert!(!grows(&[30_000, 40_000, 40_200, 46_000]));
    }
}
