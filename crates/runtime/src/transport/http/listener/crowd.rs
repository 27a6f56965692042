//! How many connections there are, and who has to go when there are too many. It knows no socket.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::{CancellationToken, WaitForCancellationFuture};

use super::busy::Busy;

/// Connections above the bound, which take the place of others that are asked to end.
const ON_THE_WAY_OUT: usize = 128;

/// All connections. Whoever opens many and leaves them idle loses them to those who come, and keeps nobody out.
#[derive(Debug, Clone)]
pub(super) struct Crowd {
    most: usize,
    stop: CancellationToken,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    /// Connections that may stay, by the order in which they came.
    staying: BTreeMap<u64, Guest>,
    /// Those that were asked to end and have a while for it, in the same order.
    leaving: BTreeMap<u64, Guest>,
    /// All there are, but for those whose while is over.
    open: usize,
    next: u64,
}

#[derive(Debug, Clone)]
struct Guest {
    busy: Busy,
    wanted: CancellationToken,
    hurried: CancellationToken,
}

/// One connection's place.
#[derive(Debug)]
pub(super) struct Place {
    number: u64,
    guest: Guest,
    state: Arc<Mutex<State>>,
}

impl Crowd {
    /// A crowd of so many, all of which have to go when the token is cancelled.
    pub(super) fn new(most: usize, stop: CancellationToken) -> Self {
        Self { most, stop, state: Arc::default() }
    }

    /// Gives a place to a connection; where there are too many, the one that came first has to go. None, when too many are still going, and all of them are at work.
    pub(super) fn enter(&self, busy: Busy) -> Option<Place> {
        let mut state = lock(&self.state);
        if state.open >= self.most + ON_THE_WAY_OUT && !state.hurry() {
            return None;
        }
        if state.staying.len() >= self.most
            && let Some((number, first)) = state.staying.pop_first()
        {
            first.wanted.cancel();
            state.leaving.insert(number, first);
        }
        let (wanted, hurried) = (self.stop.child_token(), CancellationToken::new());
        let (number, guest) = (state.next, Guest { busy, wanted, hurried });
        state.next += 1;
        state.open += 1;
        state.staying.insert(number, guest.clone());
        Some(Place { number, guest, state: self.state.clone() })
    }
}

impl State {
    /// Ends the while of the first one that is leaving and not at work; says whether there was one.
    fn hurry(&mut self) -> bool {
        let mut idle = self.leaving.iter().filter(|(_, guest)| !guest.busy.is_busy());
        let Some(number) = idle.next().map(|(number, _)| *number) else { return false };
        if let Some(guest) = self.leaving.remove(&number) {
            guest.hurried.cancel();
            self.open -= 1;
        }
        true
    }
}

impl Place {
    /// Waits until the connection has to end.
    pub(super) fn wanted(&self) -> WaitForCancellationFuture<'_> {
        self.guest.wanted.cancelled()
    }

    /// Waits until it has no while left for that, unless it is at work.
    pub(super) fn hurried(&self) -> WaitForCancellationFuture<'_> {
        self.guest.hurried.cancelled()
    }

    pub(super) fn busy(&self) -> &Busy {
        &self.guest.busy
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = lock(&self.state);
        let leaving = state.leaving.remove(&self.number).is_some();
        let staying = state.staying.remove(&self.number).is_some();
        // Whoever was hurried is not counted any more.
        if leaving || staying {
            state.open -= 1;
        }
    }
}

/// The state is whole after every step, so a panic elsewhere cannot leave it broken.
fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_came_first_goes_first_and_those_at_work_keep_others_out_in_the_end() {
        let crowd = Crowd::new(2, CancellationToken::new());
        let mut work = Vec::new();
        let working = || {
            let busy = Busy::default();
            let begun = busy.begin();
            begun.is_whole();
            work.push(begun);
            crowd.enter(busy)
        };
        let places: Vec<Place> = std::iter::from_fn(working).take(2 + ON_THE_WAY_OUT).collect();
        let wanted = places.iter().filter(|place| place.guest.wanted.is_cancelled()).count();
        assert_eq!((places.len(), wanted), (2 + ON_THE_WAY_OUT, ON_THE_WAY_OUT));
        assert!(!places[places.len() - 1].guest.wanted.is_cancelled());
        assert!(crowd.enter(Busy::default()).is_none());
        drop(places);
        assert!(crowd.enter(Busy::default()).is_some());
        assert_eq!(lock(&crowd.state).open, 0);
    }

    #[test]
    fn whoever_is_leaving_and_not_at_work_makes_room_at_once() {
        let crowd = Crowd::new(2, CancellationToken::new());
        let places: Vec<Place> =
            std::iter::from_fn(|| crowd.enter(Busy::default())).take(1000).collect();
        let hurried = places.iter().filter(|place| place.guest.hurried.is_cancelled()).count();
        assert_eq!((places.len(), hurried), (1000, 1000 - 2 - ON_THE_WAY_OUT));
        assert_eq!(lock(&crowd.state).open, 2 + ON_THE_WAY_OUT);
        drop(places);
        let state = lock(&crowd.state);
        assert_eq!((state.open, state.staying.len(), state.leaving.len()), (0, 0, 0));
    }
}
