//! The scoreboard: what a script said beside what is true, what it cost beside what it may, as a line of a table. It asks nothing.

use crate::Variant;
use crate::agent::{Cost, Ending};
use crate::task::Said;
use crate::world::Facts;

/// A line of the table.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) cells: Vec<String>,
    /// Why it is no pass.
    pub(crate) misses: Vec<String>,
    /// Whether it can pass at all.
    pub(crate) judged: bool,
}

pub(crate) const HEAD: [&str; 15] = [
    "task",
    "world",
    "seed",
    "fault",
    "calls",
    "in",
    "out",
    "largest",
    "o200k text/json",
    "upstream",
    "peak",
    "retries",
    "precision",
    "recall",
    "told",
];

/// Judges one run.
pub(crate) fn judge(
    variant: &Variant,
    said: Said,
    truth: &Facts,
    (cost, misses): (Cost, Vec<String>),
) -> Row {
    let right = said.facts.intersection(truth).count();
    let mut row = Row {
        cells: vec![
            variant.task.name().to_owned(),
            variant.world.to_owned(),
            variant.seed.to_string(),
            variant.fault.replace('\n', "; "),
            cost.calls.to_string(),
            cost.tokens_in.to_string(),
            cost.tokens_out.to_string(),
            cost.largest.to_string(),
            format!("{}/{}", cost.real.0, cost.real.1),
            cost.upstream.requests.to_string(),
            cost.upstream.peak.to_string(),
            cost.upstream.retries.to_string(),
            share(right, said.facts.len()),
            share(right, truth.len()),
            format!("{:?}", said.ending).to_lowercase(),
        ],
        misses,
        judged: true,
    };
    let mut miss = |bad: bool, what: String| {
        if bad {
            row.misses.push(what);
        }
    };
    let budget = variant.task.budget();
    let out = cost.tokens_out;
    miss(cost.calls > budget.calls, format!("{} calls, may be {}", cost.calls, budget.calls));
    miss(out > budget.tokens_out, format!("{out} tokens out, may be {}", budget.tokens_out));
    // A fault costs requests of its own.
    let requests = cost.upstream.requests;
    let dear = variant.fault.is_empty() && requests > budget.upstream;
    miss(dear, format!("{requests} requests, may be {}", budget.upstream));
    miss(
        said.ending != variant.ending,
        format!("the answer is told {:?}, is {:?}", said.ending, variant.ending),
    );
    let whole = said.ending == Ending::Whole;
    miss(
        whole && right < truth.len(),
        format!("left out: {}", some(truth.difference(&said.facts))),
    );
    miss(right < said.facts.len(), format!("not so: {}", some(said.facts.difference(truth))));
    let unwritten: Vec<&str> = said
        .facts
        .iter()
        .flat_map(|fact| fact.split(' '))
        .filter(|word| is_id(word) && !said.text.contains(word))
        .collect();
    miss(!unwritten.is_empty(), format!("in one form only: {unwritten:?}"));
    row.misses.extend(said.misses);
    row
}

/// A part of a whole; nothing of nothing is all of it.
pub(crate) fn share(part: usize, whole: usize) -> String {
    let percent = (part * 100).checked_div(whole).unwrap_or(100);
    format!("{percent}% of {whole}")
}

fn is_id(word: &str) -> bool {
    word.len() == 36 && word.bytes().filter(|byte| *byte == b'-').count() == 4
}

fn some<'f>(facts: impl Iterator<Item = &'f String>) -> String {
    let facts: Vec<&String> = facts.collect();
    let first: Vec<&str> = facts.iter().take(5).map(|fact| fact.as_str()).collect();
    format!("{} such as {first:?}", facts.len())
}

/// The rows as a table of Markdown, with the misses below.
pub(crate) fn written(rows: &[Row]) -> String {
    let head: Vec<String> = HEAD.iter().map(|name| (*name).to_owned()).collect();
    let line = |cells: &[String], pass: &str, widths: &[usize]| {
        let cells = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        format!("| {} | {pass} |\n", cells.collect::<Vec<_>>().join(" | "))
    };
    let widths: Vec<usize> = (0..head.len())
        .map(|column| {
            let cells = rows.iter().map(|row| &row.cells).chain([&head]);
            cells.map(|cells| cells[column].chars().count()).max().unwrap_or_default()
        })
        .collect();
    let rule: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
    let mut text = line(&head, "pass", &widths) + &line(&rule, "----", &widths);
    for row in rows {
        let pass = match (row.judged, row.misses.is_empty()) {
            (false, _) => "-   ",
            (true, true) => "yes ",
            (true, false) => "NO  ",
        };
        text += &line(&row.cells, pass, &widths);
    }
    for row in rows {
        for miss in &row.misses {
            let what = row.cells[..4].join(", ");
            text += &format!("missed: {what}: {miss}\n");
        }
    }
    text
}
