//! What was measured, as text: medians over rounds, and how they stand to the targets.

use crate::load::{Measured, What};

/// One measurement of each kind, taken one after the other.
#[derive(Debug, Default)]
pub(crate) struct Round(Vec<(What, Measured, f64)>);

impl Round {
    /// Adds a measurement with the CPU seconds that the server took for it.
    pub(crate) fn push(&mut self, what: What, measured: Measured, cpu_seconds: f64) {
        self.0.push((what, measured, cpu_seconds));
    }

    fn of(&self, what: What) -> Option<(&Measured, f64)> {
        self.0.iter().find(|(each, ..)| *each == what).map(|(_, measured, cpu)| (measured, *cpu))
    }
}

/// How far a figure may go.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Bound {
    AtMost(f64),
    AtLeast(f64),
    Exactly(f64),
}

/// A figure beside its target.
#[derive(Debug)]
pub(crate) struct Target {
    name: String,
    figure: f64,
    bound: Bound,
    unit: &'static str,
}

impl Target {
    pub(crate) fn new(name: &str, figure: f64, bound: Bound, unit: &'static str) -> Self {
        Self { name: name.trim().to_owned(), figure, bound, unit }
    }

    fn is_met(&self) -> bool {
        match self.bound {
            Bound::AtMost(most) => self.figure <= most,
            Bound::AtLeast(least) => self.figure >= least,
            Bound::Exactly(exact) => (self.figure - exact).abs() < f64::EPSILON,
        }
    }
}

/// The middle of some figures; of none, nothing that is a number.
pub(crate) fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The median of a figure over all rounds.
fn over(rounds: &[Round], figure: impl Fn(&Round) -> Option<f64>) -> f64 {
    median(rounds.iter().filter_map(figure).collect())
}

/// Calls per second as a share of those of the upstream in the same round.
pub(crate) fn of_direct(rounds: &[Round], what: What) -> f64 {
    over(rounds, |round| {
        Some(round.of(what)?.0.per_second() / round.of(what.direct())?.0.per_second())
    })
}

/// Milliseconds more than the upstream takes in the same round.
pub(crate) fn added(rounds: &[Round], what: What, share: f64) -> f64 {
    over(rounds, |round| {
        Some(round.of(what)?.0.millis(share) - round.of(what.direct())?.0.millis(share))
    })
}

/// The server's CPU seconds per 1,000 calls.
pub(crate) fn cpu(rounds: &[Round], what: What) -> f64 {
    over(rounds, |round| {
        let (measured, cpu) = round.of(what)?;
        Some(cpu * 1000.0 / measured.calls() as f64)
    })
}

/// Prints the head of a table.
pub(crate) fn head(title: &str) {
    println!("{title}\n");
    println!(
        "| clients | call | per second | p50 ms | p95 ms | p99 ms | of direct | CPU s per 1,000 |"
    );
    println!("| ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: |");
}

/// Prints a row for each kind of call.
pub(crate) fn rows(clients: u64, whats: &[What], rounds: &[Round]) {
    for &what in whats {
        let rate = over(rounds, |round| Some(round.of(what)?.0.per_second()));
        let millis = |share| over(rounds, |round| Some(round.of(what)?.0.millis(share)));
        let rest = if what.is_direct() {
            " | ".to_owned()
        } else {
            format!("{:.1} % | {:.3}", of_direct(rounds, what) * 100.0, cpu(rounds, what))
        };
        let (p50, p95, p99) = (millis(0.50), millis(0.95), millis(0.99));
        println!(
            "| {clients} | {} | {rate:.0} | {p50:.2} | {p95:.2} | {p99:.2} | {rest} |",
            what.name()
        );
    }
    if clients == crate::MANY {
        println!();
    }
}

/// Prints resident megabytes.
pub(crate) fn memory(idle: f64, loaded: f64, peak: f64) {
    println!(
        "Memory: {idle:.1} MB after one call, {loaded:.1} MB under load, {peak:.1} MB at most\n"
    );
}

/// Prints every target with its figure.
pub(crate) fn targets(targets: &[Target]) {
    println!("| target | bound | measured | |");
    println!("| --- | ---: | ---: | --- |");
    for target in targets {
        let bound = match target.bound {
            Bound::AtMost(most) => format!("≤ {most}"),
            Bound::AtLeast(least) => format!("≥ {least}"),
            Bound::Exactly(exact) => format!("= {exact}"),
        };
        let verdict = if target.is_met() { "met" } else { "MISSED" };
        let Target { name, figure, unit, .. } = target;
        println!("| {name} | {} | {figure:.3} | {verdict} |", format!("{bound} {unit}").trim());
    }
}
