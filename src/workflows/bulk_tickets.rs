//! `bulk_resolve_tickets`: many tickets ended at once; those that are not open are left out, with the reason.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use xyte_mcp_runtime::dispatch::bulk::{Item, Outcome};
use xyte_mcp_runtime::dispatch::desk::{Computed, Desk};
use xyte_mcp_runtime::failure::Failure;

use super::bulk::{Excluded, Next, Plan, arguments};
use super::fleet;
use crate::generated::workflows::BulkResolveTickets;

pub(super) async fn compute(
    desk: &Desk<'_>,
    call: BulkResolveTickets,
) -> Result<Computed, Failure> {
    // A person agrees to what is there, not to what was there a minute ago.
    let open = fleet::tickets(&desk.fresh()).await?;
    let (mut items, mut excluded) = (Vec::new(), Vec::new());
    for id in BTreeSet::from_iter(call.ticket_ids) {
        if let Some(ticket) = open.rows.iter().find(|ticket| ticket.id == id) {
            let name = ticket.title.clone().unwrap_or_default();
            let arguments = arguments(json!({"ticket_id": id}));
            items.push(Item { id, name, arguments });
        } else {
            let why = "it is not among the open tickets".to_owned();
            excluded.push(Excluded { id, name: String::new(), why });
        }
    }
    let (operation, what) = ("resolve_ticket", "Resolve".to_owned());
    let (warnings, as_of) = (open.warnings, open.as_of);
    let plan = Plan { operation, what, kind: "tickets", items, excluded, warnings, as_of };
    let plan = match plan.settle(desk).await? {
        Next::Answer(answer) => return Ok(answer),
        Next::Apply(plan) => plan,
    };
    let run = desk.apply(plan.operation, plan.items.clone(), Outcome::Executed).await?;
    Ok(plan.report(&run, Value::Null))
}
