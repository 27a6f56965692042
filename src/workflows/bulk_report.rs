//! `bulk_report`: what became of each target of a bulk change, as it was written down while it went.

use chrono::Utc;
use serde_json::{Value, json};
use xyte_mcp_runtime::dispatch::bulk::{Outcome, row, written};
use xyte_mcp_runtime::dispatch::desk::{Computed, Desk};
use xyte_mcp_runtime::failure::Failure;

use super::bulk::{outcomes, text};
use super::bulk_incidents::suspended;
use crate::generated::workflows::BulkReport;

/// The tool whose report another one takes.
const SUSPEND: &str = "bulk_suspend_incidents";

pub(super) async fn compute(desk: &Desk<'_>, call: BulkReport) -> Result<Computed, Failure> {
    let Some(run) = call.run else { return latest(desk).await };
    let run = desk.run(&run).await?;
    let before = call.from.map_or(0, |from| usize::try_from(from - 1).unwrap_or(usize::MAX));
    let mut structured = json!({
        "run": run.run, "tool": run.tool, "begun": written(run.begun),
        "outcomes": outcomes(&run),
        "targets": run.items.iter().skip(before).map(row).collect::<Vec<Value>>(),
    });
    // Whoever lost the answer must still be able to end the maintenance.
    let ended =
        !run.items.iter().any(|it| matches!(it.outcome, Outcome::Planned | Outcome::Sending));
    if run.tool == SUSPEND && ended {
        structured["report"] = desk.seal_report(&suspended(&run)).into();
    }
    let first = format!("{} of {}: {}", run.tool, written(run.begun), structured["outcomes"]);
    let text = text(&structured, &first);
    Ok(Computed { structured, text, as_of: Utc::now() })
}

async fn latest(desk: &Desk<'_>) -> Result<Computed, Failure> {
    let mut runs = Vec::new();
    for run in desk.runs().await? {
        let Ok(run) = desk.run(&run).await else { continue };
        runs.push(json!({"run": run.run, "tool": run.tool, "begun": written(run.begun), "outcomes": outcomes(&run)}));
    }
    let lines: Vec<String> = runs
        .iter()
        .map(|run| format!("{} {} {} {}", run["run"], run["tool"], run["begun"], run["outcomes"]))
        .collect();
    let text = if lines.is_empty() {
        "No bulk change of the last day is remembered.".to_owned()
    } else {
        lines.join("\n")
    };
    Ok(Computed { structured: json!({"runs": runs}), text, as_of: Utc::now() })
}
