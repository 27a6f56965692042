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
    /// Answers of the platform that were read, and parts that were begun; it only grows.
    pub(crate) done: u64,
    /// How many there will be, where that is known.
    pub(crate) total: Option<u64>,
    /// The same in words.
    pub(crate) message: String,
    /// The part of the work that is under way, where it has parts.
    part: String,
    /// Answers of the platform that were read.
    read: u64,
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
        step.read += 1;
        // What was announced may turn out to be more; then nobody knows how many.
        step.total = step.total.filter(|total| *total >= step.done);
        let part = if step.part.is_empty() { "" } else { "; " };
        let (read, before) = (step.read, &step.part);
        step.message =
            format!("{before}{part}{read} answers of the platform read, the last of {operation}");
    });
}

/// Notes that a part of the work begins.
pub(crate) fn begin(part: &str) {
    step(|step| {
        step.done += 1;
        step.total = None;
        part.clone_into(&mut step.part);
        part.clone_into(&mut step.message);
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

    #[tokio::test]
    async fn a_part_is_told_when_it_begins_and_with_every_answer_in_it() {
        let (work, mut steps) = watched(async {
            read("list_devices");
            begin("step 1 of 2");
            tokio::task::yield_now().await;
            read("get_device");
        });
        let told = async {
            let mut told = Vec::new();
            while steps.changed().await.is_ok() {
                let step = steps.borrow_and_update().clone();
                told.push((step.done, step.message));
            }
            told
        };
        let told = tokio::join!(work, told).1;
        let last = "step 1 of 2; 2 answers of the platform read, the last of get_device";
        assert_eq!(told, [(2, "step 1 of 2".to_owned()), (3, last.to_owned())]);
    }

    #[tokio::test]
    async fn a_total_that_was_too_small_is_none() {
        let (work, steps) = watched(async {
            expect(1);
            read("get_device");
            read("get_device");
        });
        work.await;
        assert_eq!((steps.borrow().done, steps.borrow().total), (2, None));
    }
}
