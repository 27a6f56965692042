//! How far a call has come, for whoever wants to be told. It knows neither the protocol nor what is being done.
//!
//! It goes with the task and not through the arguments: what takes long happens many layers below the one that was asked to tell.

use tokio::sync::watch;

tokio::task_local! {
    static WATCHED: watch::Sender<Step>;
}

/// How far a call has come.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Step {
    /// Answers of the platform that were read; it only grows.
    pub(crate) done: u64,
    /// How many there will be, where that is known.
    pub(crate) total: Option<u64>,
    /// The same in words.
    pub(crate) message: String,
}

/// Work whose steps can be watched; a step that nobody looked at in time gives way to the next.
pub(crate) fn watched<T>(
    work: impl Future<Output = T>,
) -> (impl Future<Output = T>, watch::Receiver<Step>) {
    let (sender, steps) = watch::channel(Step::default());
    (WATCHED.scope(sender, work), steps)
}

/// Notes an answer of the platform.
pub(crate) fn read(operation: &str) {
    step(|step| {
        step.done += 1;
        // What was announced may turn out to be more.
        step.total = step.total.map(|total| total.max(step.done));
        step.message =
            format!("{} answers of the platform read, the last of {operation}", step.done);
    });
}

/// Announces how many answers are still to come.
pub(crate) fn expect(more: usize) {
    step(|step| step.total = Some(step.done + more as u64));
}

fn step(change: impl FnOnce(&mut Step)) {
    // Most calls are watched by nobody.
    let _unwatched = WATCHED.try_with(|sender| sender.send_modify(change));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn steps_are_counted_for_the_call_that_is_watched_and_for_no_other() {
        let (work, steps) = watched(async {
            read("list_devices");
            expect(2);
            read("get_ticket");
        });
        read("list_devices");
        work.await;
        let step = steps.borrow().clone();
        assert_eq!((step.done, step.total), (2, Some(3)));
        assert_eq!(step.message, "2 answers of the platform read, the last of get_ticket");
    }
}
