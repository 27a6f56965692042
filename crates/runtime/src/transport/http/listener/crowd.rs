//! How many connections there are, and who has to go when there are too many. It knows no socket.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::{CancellationToken, WaitForCancellationFuture};

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
    staying: BTreeMap<u64, CancellationToken>,
    /// All there are, with those that were asked to end.
    open: usize,
    next: u64,
}

/// One connection's place.
#[derive(Debug)]
pub(super) struct Place {
    number: u64,
    wanted: CancellationToken,
    state: Arc<Mutex<State>>,
}

impl Crowd {
    /// A crowd of so many, all of which have to go when the token is cancelled.
    pub(super) fn new(most: usize, stop: CancellationToken) -> Self {
        Self { most, stop, state: Arc::default() }
    }

    /// Gives a place to a connection; where there are too many, the one that came first has to go. None, when too many are still going.
    pub(super) fn enter(&self) -> Option<Place> {
        let mut state = lock(&self.state);
        if state.open >= self.most + ON_THE_WAY_OUT {
            return None;
        }
        if state.staying.len() >= self.most
            && let Some((_, first)) = state.staying.pop_first()
        {
            first.cancel();
        }
        let (number, wanted) = (state.next, self.stop.child_token());
        state.next += 1;
        state.open += 1;
        state.staying.insert(number, wanted.clone());
        Some(Place { number, wanted, state: self.state.clone() })
    }
}

impl Place {
    /// Waits until the connection has to end.
    pub(super) fn wanted(&self) -> WaitForCancellationFuture<'_> {
        self.wanted.cancelled()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = lock(&self.state);
        state.staying.remove(&self.number);
        state.open -= 1;
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
    fn whoever_came_first_goes_first_and_those_who_do_not_go_keep_others_out_in_the_end() {
        let crowd = Crowd::new(2, CancellationToken::new());
        let places: Vec<Place> =
            std::iter::from_fn(|| crowd.enter()).take(2 + ON_THE_WAY_OUT).collect();
        let wanted = places.iter().filter(|place| place.wanted.is_cancelled()).count();
        assert_eq!((places.len(), wanted), (2 + ON_THE_WAY_OUT, ON_THE_WAY_OUT));
        assert!(!places[places.len() - 1].wanted.is_cancelled());
        assert!(crowd.enter().is_none());
        drop(places);
        assert!(crowd.enter().is_some());
    }
}
