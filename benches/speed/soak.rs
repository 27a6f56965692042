//! Ever new clients: whether memory stays where it is when nobody comes twice.

use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::load::{Client, Ports, What};
use crate::process::Process;
use crate::table::{Bound, Target, median};

/// Clients at a time.
const AT_ONCE: u64 = 50;

/// Calls of a client before it goes for good.
const CALLS: u64 = 20;

/// Time between two looks at the memory.
const LOOK: Duration = Duration::from_secs(10);

/// Lets clients come and go, and compares the last third of the time with the second.
pub(crate) async fn run(
    mut server: Process,
    upstream: u16,
    lasting: Duration,
    targets: &mut Vec<Target>,
) -> anyhow::Result<()> {
    server.first_answer(Instant::now()).await?;
    let ports = Ports { upstream, server: server.port };
    let begun = Instant::now();
    let mut running = JoinSet::new();
    for place in 0..AT_ONCE {
        running.spawn(async move {
            let mut clients = 0;
            while begun.elapsed() < lasting {
                let number = 1000 + clients * AT_ONCE + place;
                let mut client = Client::connect(ports, What::List, number).await?;
                for _ in 0..CALLS {
                    client.call().await?;
                }
                clients += 1;
            }
            anyhow::Ok(clients)
        });
    }
    println!("Ever new clients, {AT_ONCE} at a time, {CALLS} calls each\n");
    let mut looks = Vec::new();
    while begun.elapsed() + LOOK <= lasting {
        tokio::time::sleep(LOOK).await;
        let resident = server.resident()?;
        println!("{:4.0} s: {resident:.1} MB", begun.elapsed().as_secs_f64());
        looks.push(resident);
    }
    let mut clients = 0;
    while let Some(place) = running.join_next().await {
        clients += place??;
    }
    println!("{clients} clients\n");
    let last = looks.split_off(looks.len() * 2 / 3);
    let middle = looks.split_off(looks.len() / 2);
    let growth = median(last) - median(middle);
    targets.push(Target::new("growth over the last third", growth, Bound::AtMost(2.0), "MB"));
    let peak = server.peak()?;
    targets.push(Target::new(
        "memory, peak with ever new clients",
        peak,
        Bound::AtMost(64.0),
        "MB",
    ));
    Ok(())
}
