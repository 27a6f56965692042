//! Which tasks run in which worlds with which faults, and how each has to end.

use crate::Variant;
use crate::agent::Ending::{self, Part, Refused, Whole};
use crate::task::Task;

const SEEDS: [u64; 3] = [1, 2, 7];
/// Asked in every world.
const TASKS: [Task; 8] = [
    Task::Offline,
    Task::Projectors,
    Task::BoardRoom,
    Task::Outages,
    Task::Tickets,
    Task::Expiry,
    Task::Stale,
    Task::Incidents,
];

/// Faults of `baseline`: rules of the sandbox, and how an honest answer ends.
const FAULTS: &[(Task, &str, Ending)] = &[
    (Task::Offline, "hang path=*/devices query=page=7", Part),
    (Task::Offline, "slow=12000 method=GET query=page=3", Whole),
    (Task::Outages, "hang path=*/histories query=page=2", Part),
    (Task::Offline, "429 retry-after=2 nth=5", Whole),
    (Task::Offline, "500 method=GET query=page=7", Part),
    (Task::Offline, "500 times=2", Whole),
    (Task::Offline, "truncate query=page=4", Part),
    (Task::Offline, "drop-before query=page=9 times=1", Whole),
    (Task::Offline, "html path=*/incidents", Part),
    (Task::Offline, "500 path=*/tickets", Part),
    (Task::Offline, "500 path=*/devices", Refused),
    (Task::Projectors, "500 path=*/devices query=page=7", Part),
    (Task::Projectors, "429 retry-after=1 nth=3", Whole),
    (Task::BoardRoom, "500 path=*/incidents", Part),
    (Task::BoardRoom, "429 retry-after=1 times=2", Whole),
    (Task::BoardRoom, "500 path=*/spaces", Refused),
    (Task::Outages, "429 retry-after=2 nth=5", Whole),
    (Task::Outages, "500 path=*/histories query=page=7", Part),
    (Task::Outages, "500 path=*/tickets", Part),
    (Task::Outages, "truncate path=*/histories query=page=2", Part),
    (Task::Tickets, "429 retry-after=1 nth=1", Whole),
    (Task::Tickets, "500 path=*/tickets/*", Refused),
    (Task::Tickets, "truncate", Refused),
    (Task::Stale, "500 path=*/incidents", Part),
    (Task::Stale, "500 path=*/devices query=page=7", Part),
    (Task::Stale, "429 retry-after=1 nth=20", Whole),
    (Task::Stale, "500 path=*/tickets/* from=40", Part),
    (Task::Incidents, "500 path=*/tickets", Part),
    (Task::Incidents, "429 retry-after=1 nth=2", Whole),
    (Task::Expiry, "500 path=*/licenses", Part),
    (Task::Expiry, "500 path=*/devices", Part),
    (Task::Expiry, "500 path=*/devices query=page=7", Part),
];

/// The runs of the scoreboard that are wanted: those of a task in a world together, those that wait for long apart and first.
pub(crate) fn groups(wanted: impl Fn(&Variant) -> bool) -> Vec<Vec<Variant>> {
    let mut all = all();
    all.retain(wanted);
    let waits =
        |variant: &Variant| variant.fault.starts_with("hang") || variant.fault.starts_with("slow");
    all.sort_by_key(|variant| !waits(variant));
    let mut groups: Vec<Vec<Variant>> = Vec::new();
    for variant in all {
        let same = |group: &&mut Vec<Variant>| {
            let first = &group[0];
            !waits(first)
                && (first.task, first.world, first.seed)
                    == (variant.task, variant.world, variant.seed)
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.push(variant),
            None => groups.push(vec![variant]),
        }
    }
    groups
}

fn all() -> Vec<Variant> {
    let plain = |task, world, seed| {
        // A place that is not there is told to be unknown; lists are empty.
        let is_nowhere = world == "empty" && [Task::Outages, Task::Projectors].contains(&task);
        let ending = if is_nowhere { Refused } else { Whole };
        Variant { task, world, seed, fault: "", ending }
    };
    let mut all = Vec::new();
    for task in TASKS {
        all.extend(SEEDS.map(|seed| plain(task, "baseline", seed)));
        all.extend(["small", "empty"].map(|world| plain(task, world, 2)));
    }
    all.extend([Task::OutagesToday, Task::OutagesOfMonths].map(|task| plain(task, "baseline", 1)));
    for (task, fault, ending) in FAULTS {
        all.push(Variant { task: *task, world: "baseline", seed: 1, fault, ending: *ending });
    }
    all
}
