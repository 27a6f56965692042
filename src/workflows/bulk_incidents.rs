//! `bulk_suspend_incidents` and `bulk_resume_incidents`: maintenance begins, and ends for exactly the devices for which it began.

use serde_json::{Value, json};
use uuid::Uuid;
use xyte_mcp_runtime::dispatch::bulk::{Item, Outcome, Run};
use xyte_mcp_runtime::dispatch::desk::{Computed, Desk};
use xyte_mcp_runtime::failure::Failure;

use super::bulk::{Next, Plan, Selected, Selection, arguments, called, selection};
use crate::generated::workflows::{BulkResumeIncidents, BulkSuspendIncidents};

pub(super) async fn suspend(
    desk: &Desk<'_>,
    call: BulkSuspendIncidents,
) -> Result<Computed, Failure> {
    let selection = selection!(call);
    let plan = plan(desk, &selection, ("suspend_device_incidents", "Suspend incidents")).await?;
    let plan = match plan.settle(desk).await? {
        Next::Answer(answer) => return Ok(answer),
        Next::Apply(plan) => plan,
    };
    let run = desk.apply(plan.operation, plan.items.clone(), Outcome::Executed).await?;
    let report = desk.seal_report(&suspended(&run));
    Ok(plan.report(&run, json!({"report": report})))
}

pub(super) async fn resume(
    desk: &Desk<'_>,
    call: BulkResumeIncidents,
) -> Result<Computed, Failure> {
    let ids = match (call.report, call.device_ids) {
        (Some(report), None) => reported(&desk.open_report(&report)?)?,
        (None, Some(ids)) => ids,
        _ => {
            return Err(Failure::invalid_arguments("either `report` or `device_ids` is needed"));
        }
    };
    let selection = Selection { ids: Some(ids), ..Selection::default() };
    let plan = plan(desk, &selection, ("resume_device_incidents", "Resume incidents")).await?;
    let plan = match plan.settle(desk).await? {
        Next::Answer(answer) => return Ok(answer),
        Next::Apply(plan) => plan,
    };
    let run = desk.apply(plan.operation, plan.items.clone(), Outcome::Executed).await?;
    Ok(plan.report(&run, Value::Null))
}

async fn plan(
    desk: &Desk<'_>,
    selection: &Selection,
    (operation, what): (&'static str, &str),
) -> Result<Plan, Failure> {
    let Selected { devices, excluded, warnings, as_of } = selection.read(desk).await?;
    let item = |device: super::fleet::Device| Item {
        name: called(&device),
        arguments: arguments(json!({"device_id": device.id})),
        id: device.id,
    };
    let items = devices.into_iter().map(item).collect();
    let what = what.to_owned();
    Ok(Plan { operation, what, kind: "devices", items, excluded, warnings, as_of })
}

/// The devices that were suspended, or may have been: to resume one that was not does no harm, and one that stays suspended is silent for good.
pub(super) fn suspended(run: &Run) -> Vec<u8> {
    let done = |outcome| matches!(outcome, Outcome::Executed | Outcome::Unknown);
    let ids = run.items.iter().filter(|told| done(told.outcome));
    ids.filter_map(|told| Uuid::parse_str(&told.id).ok()).flat_map(Uuid::into_bytes).collect()
}

fn reported(report: &[u8]) -> Result<Vec<String>, Failure> {
    let ids = report.chunks(16).map(Uuid::from_slice).collect::<Result<Vec<_>, _>>();
    let ids = ids.map_err(|_| Failure::internal("a report holds no ids"))?;
    Ok(ids.into_iter().map(|id| id.to_string()).collect())
}
