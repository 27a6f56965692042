//! What agents are asked to do, asked by scripts over MCP of the built server before a sandbox: a scoreboard for the log, and a failure for each budget that is missed.
//!
//! `cargo test --test evals` runs all; words behind it choose rows: `cargo test --test evals T7`.

#![allow(clippy::unwrap_used, reason = "an eval that cannot go on fails")]
#![allow(clippy::print_stdout, reason = "the scoreboard is for the log")]

mod agent;
mod board;
mod board_room;
mod expiry;
mod naive;
mod offline;
mod outages;
mod platform;
mod projectors;
mod stale;
#[path = "../support/mod.rs"]
mod support;
mod task;
mod tenants;
mod tickets;
mod tokens;
mod variants;
mod world;

use std::process::ExitCode;
use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::agent::{Agent, Ending};
use crate::board::Row;
use crate::platform::Platform;
use crate::task::Task;
use crate::world::World;

/// Runs at once: most of the time some of them wait for a slow platform.
const AT_ONCE: usize = 6;

/// One run: a task in a world that breaks in a way.
#[derive(Debug, Clone, Copy)]
struct Variant {
    task: Task,
    world: &'static str,
    seed: u64,
    /// Rules of the sandbox, one a line.
    fault: &'static str,
    /// How the answer has to end.
    ending: Ending,
}

impl Variant {
    fn is_chosen(&self, words: &[String]) -> bool {
        let label = format!("{} {} {} {}", self.task.name(), self.world, self.seed, self.fault);
        words.is_empty() || words.iter().any(|word| label.contains(word.as_str()))
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    // Flags are those of the test harness, which other tests have.
    let words: Vec<String> =
        std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    if std::env::args().any(|flag| flag == "--list") {
        return ExitCode::SUCCESS;
    }
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut runs = Vec::new();
    for group in variants::groups(|variant| variant.is_chosen(&words)) {
        let places = Arc::clone(&places);
        runs.push(tokio::spawn(async move {
            let _place = places.acquire().await.unwrap();
            run(&group).await
        }));
    }
    let mut rows = Vec::new();
    for run in runs {
        rows.extend(run.await.unwrap());
    }
    if words.is_empty() {
        rows.extend(naive::run().await);
    }
    if words.is_empty() || words.iter().any(|word| tenants::NAME.contains(word.as_str())) {
        rows.push(tenants::run().await);
    }
    rows.sort_by(|left, right| left.cells[0].cmp(&right.cells[0]));
    println!("\n{}", board::written(&rows));
    let missed = rows.iter().filter(|row| !row.misses.is_empty()).count();
    println!("{} of {} rows pass", rows.len() - missed, rows.len());
    if missed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Runs one task in one world, once for each way of breaking, each time with a server that has read nothing yet.
async fn run(group: &[Variant]) -> Vec<Row> {
    let Variant { task, world: name, seed, .. } = group[0];
    let platform = Platform::start(seed, name);
    let world = World::of(&platform).await;
    let small = name == "small";
    let truth = task.truth(&platform, &world, small).await;
    let mut rows = Vec::new();
    for variant in group {
        let mut agent = Agent::start(&platform, task.toolsets(), variant.fault).await;
        let said = task.ask(&mut agent, &world, small).await;
        rows.push(board::judge(variant, said, &truth, agent.end().await));
    }
    if let Some(changes) = platform.changes().await {
        rows.iter_mut().for_each(|row| row.misses.push(changes.clone()));
    }
    rows
}
