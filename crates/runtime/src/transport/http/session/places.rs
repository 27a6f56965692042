//! Places of sessions: who holds how many, and whose has to end when there are too many. It knows neither HTTP nor the protocol.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::caller::{Address, Digest};

/// Sessions at a time; an abandoned one costs about 50 kB for five minutes.
const MOST: usize = 1000;

/// Sessions of one tenant: a whole team behind one key.
const MOST_OF_TENANT: usize = 250;

/// Sessions of one address with keys that the platform has not confirmed; it does so at the first call that succeeds.
const MOST_OF_ADDRESS: usize = 50;

/// Sessions with such keys from all addresses, so that made-up keys leave room for good ones.
const MOST_OF_STRANGERS: usize = 500;

/// Who holds a session.
#[derive(Debug, Clone, Copy)]
pub(super) struct Holder {
    pub(super) tenant: Digest,
    /// Where a key came from that only the platform can tell to be a good one.
    pub(super) from: Option<Address>,
}

/// All places. Cheap to clone; all clones are one.
#[derive(Debug, Clone, Default)]
pub(super) struct Places(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    open: HashMap<String, Place>,
    /// Places of sessions that have no id yet.
    opening: HashMap<u64, Holder>,
    /// Counts what happens, so that the places can be put in order.
    turn: u64,
}

#[derive(Debug)]
struct Place {
    holder: Holder,
    /// The turn of its last request.
    used: u64,
}

/// A place that was given; it is free again when this is dropped before its session has an id.
#[derive(Debug)]
pub(super) struct Opening {
    places: Places,
    number: u64,
}

/// A place, and the session that has to end for it.
pub(super) type Given = (Opening, Option<String>);

impl Places {
    /// Gives a place. Where the holder, its address or all strangers have too many, the one of them that was silent longest loses its own.
    /// None, when only other tenants could lose one.
    pub(super) fn enter(&self, holder: Holder, knows: impl Fn(&Digest) -> bool) -> Option<Given> {
        let mut state = self.state();
        let is_stranger = |one: &Holder| one.from.is_some() && !knows(&one.tenant);
        let of_tenant = |one: &Holder| one.tenant == holder.tenant;
        let of_address = |one: &Holder| one.from == holder.from && is_stranger(one);
        let strange = is_stranger(&holder);
        let ended = if state.count(of_tenant) >= MOST_OF_TENANT {
            Some(state.take_silent(of_tenant)?)
        } else if strange && state.count(of_address) >= MOST_OF_ADDRESS {
            Some(state.take_silent(of_address)?)
        } else if state.count(|_| true) >= MOST
            || strange && state.count(is_stranger) >= MOST_OF_STRANGERS
        {
            Some(state.take_silent(is_stranger)?)
        } else {
            None
        };
        let number = state.next();
        state.opening.insert(number, holder);
        Some((Opening { places: self.clone(), number }, ended))
    }

    /// Whether the session is this tenant's; if so, it is not silent.
    pub(super) fn serve(&self, id: &str, tenant: Digest) -> bool {
        let mut state = self.state();
        let turn = state.next();
        match state.open.get_mut(id) {
            Some(place) if place.holder.tenant == tenant => {
                place.used = turn;
                true
            }
            _ => false,
        }
    }

    /// Frees the places of sessions that ended.
    pub(super) fn keep(&self, lives: impl Fn(&str) -> bool) {
        self.state().open.retain(|id, _| lives(id));
    }

    /// The state is whole after every step, so a panic elsewhere cannot leave it broken.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn next(&mut self) -> u64 {
        self.turn += 1;
        self.turn
    }

    fn count(&self, which: impl Fn(&Holder) -> bool) -> usize {
        let open = self.open.values().filter(|place| which(&place.holder)).count();
        open + self.opening.values().filter(|holder| which(holder)).count()
    }

    /// Takes the place of the session among these that was silent longest.
    fn take_silent(&mut self, which: impl Fn(&Holder) -> bool) -> Option<String> {
        let these = self.open.iter().filter(|(_, place)| which(&place.holder));
        let id = these.min_by_key(|(_, place)| place.used)?.0.clone();
        self.open.remove(&id);
        Some(id)
    }
}

impl Opening {
    /// Notes the id of the session, which holds the place from then on.
    pub(super) fn opened(self, id: &str) {
        let mut state = self.places.state();
        let used = state.next();
        if let Some(holder) = state.opening.remove(&self.number) {
            state.open.insert(id.to_owned(), Place { holder, used });
        }
    }
}

impl Drop for Opening {
    fn drop(&mut self) {
        self.places.state().opening.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The one tenant that the platform knows.
    const KNOWN: Digest = [255; 32];

    fn knows(tenant: &Digest) -> bool {
        *tenant == KNOWN
    }

    fn holder(tenant: u32, address: u32) -> Holder {
        let mut digest = [0; 32];
        digest[..4].copy_from_slice(&tenant.to_be_bytes());
        Holder { tenant: digest, from: Some(Address::of(std::net::IpAddr::V4(address.into()))) }
    }

    fn good() -> Holder {
        Holder { tenant: KNOWN, ..holder(0, 1) }
    }

    /// Opens one under this id, and says which ended for it.
    fn open(places: &Places, holder: Holder, id: &str) -> Opened {
        let Some((opening, ended)) = places.enter(holder, knows) else { return Opened::Refused };
        opening.opened(id);
        ended.map_or(Opened::Alone, Opened::Ending)
    }

    #[derive(Debug, PartialEq, Eq)]
    enum Opened {
        Alone,
        Ending(String),
        Refused,
    }

    #[test]
    fn made_up_keys_of_an_address_end_their_own_sessions_and_no_others() {
        let places = Places::default();
        open(&places, good(), "good");
        open(&places, holder(1, 2), "of another address");
        for number in 0..1000 {
            let opened = open(&places, holder(2 + number, 1), &number.to_string());
            let before = number.checked_sub(50).map(|before| before.to_string());
            assert_eq!(opened, before.map_or(Opened::Alone, Opened::Ending));
        }
        assert!(places.serve("good", KNOWN));
        assert!(places.serve("of another address", holder(1, 2).tenant));
    }

    #[test]
    fn made_up_keys_from_everywhere_leave_room_for_good_ones() {
        let places = Places::default();
        for number in 0..2000 {
            assert_ne!(open(&places, holder(number, number), &number.to_string()), Opened::Refused);
        }
        assert_eq!(places.state().count(|_| true), MOST_OF_STRANGERS);
        assert_eq!(open(&places, good(), "good"), Opened::Alone);
    }

    #[test]
    fn a_tenant_with_too_many_loses_the_one_that_was_silent_longest() {
        let places = Places::default();
        for number in 0..MOST_OF_TENANT {
            assert_eq!(open(&places, good(), &number.to_string()), Opened::Alone);
        }
        assert!(places.serve("0", KNOWN));
        assert_eq!(open(&places, good(), "more"), Opened::Ending("1".to_owned()));
        assert!(places.serve("0", KNOWN) && !places.serve("1", KNOWN));
    }

    #[test]
    fn sessions_that_are_opened_at_once_count_before_they_have_an_id() {
        let places = Places::default();
        let given: Vec<Given> = std::iter::from_fn(|| places.enter(good(), knows)).collect();
        assert_eq!(given.len(), MOST_OF_TENANT, "none of them can end for another yet");
        drop(given);
        assert_eq!(open(&places, good(), "one"), Opened::Alone);
    }

    #[test]
    fn where_all_are_of_good_keys_a_session_is_refused_and_none_ended() {
        let places = Places::default();
        let own =
            |number: usize| Holder { from: None, ..holder(u32::try_from(number).unwrap(), 1) };
        for number in 0..MOST {
            assert_eq!(open(&places, own(number), &number.to_string()), Opened::Alone);
        }
        assert_eq!(open(&places, own(MOST), "more"), Opened::Refused);
        places.keep(|id| id != "0");
        assert_eq!(open(&places, own(MOST), "more"), Opened::Alone);
    }
}
