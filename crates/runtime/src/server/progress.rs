//! `notifications/progress`, for callers who gave a token. It adds nothing to what the call notes of itself.

use rmcp::RoleServer;
use rmcp::model::ProgressNotificationParam;
use rmcp::service::RequestContext;

use crate::progress::watched;

/// Does the work and tells about it meanwhile; a client that reads slowly misses steps and holds nothing up but its own answer.
pub(super) async fn telling<T>(
    context: &RequestContext<RoleServer>,
    work: impl Future<Output = T>,
) -> T {
    let Some(token) = context.meta.get_progress_token() else { return work.await };
    let (work, mut steps) = watched(work);
    // The steps end with the work: a step on its way is let out first, for nothing may be told of a call after its answer.
    let tell = async {
        // A step is told while others follow; the last one is the answer itself.
        while steps.changed().await.is_ok() && steps.has_changed().is_ok() {
            let step = steps.borrow_and_update().clone();
            let mut progress = ProgressNotificationParam::new(token.clone(), number(step.done))
                .with_message(step.message);
            progress.total = step.total.map(number);
            // Whoever is gone need not be told; the call ends by itself then.
            let _it_may_be_gone = context.peer.notify_progress(progress).await;
        }
    };
    tokio::join!(work, tell).0
}

#[allow(clippy::cast_precision_loss, reason = "no call reads that many answers")]
fn number(count: u64) -> f64 {
    count as f64
}
