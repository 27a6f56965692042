//! What a session remembers for the calls that leave it out: ids by argument, under the name of a filter.
//!
//! It ends with its connection, and it knows no platform: which ids there are is said by the catalogue.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;
use xyte_mcp_catalogue::{Class, Location};

use crate::caller::Caller;
use crate::catalogue::Tool;

/// The argument of a read that names a filter.
const FILTER: &str = "token";

/// Filters of one session; nobody needs more, and memory is bounded.
const MOST_FILTERS: usize = 100;

/// What one session remembers.
#[derive(Debug, Default)]
pub struct Session {
    /// By the name of the filter; the empty name is for all calls that name none.
    filters: Mutex<BTreeMap<String, Map<String, Value>>>,
    /// Cancelled when the client says no more: no question is answered any more.
    silent: CancellationToken,
}

impl Session {
    /// What is cancelled when the client says no more.
    pub(crate) fn silent(&self) -> &CancellationToken {
        &self.silent
    }

    /// Remembers ids, forgets those that are given as an empty text, and tells what is remembered then.
    ///
    /// Nothing where there are too many filters already.
    pub(crate) fn remember(
        &self,
        filter: &str,
        given: Map<String, Value>,
    ) -> Option<Map<String, Value>> {
        let mut filters = self.filters.lock().unwrap_or_else(PoisonError::into_inner);
        if filters.len() >= MOST_FILTERS && !filters.contains_key(filter) {
            return None;
        }
        let known = filters.entry(filter.to_owned()).or_default();
        for (name, value) in given {
            if value == "" {
                known.remove(&name);
            } else {
                known.insert(name, value);
            }
        }
        Some(known.clone())
    }

    /// What is remembered under a filter; a name that nobody gave means what holds for all.
    fn recall(&self, filter: &str) -> Map<String, Value> {
        let filters = self.filters.lock().unwrap_or_else(PoisonError::into_inner);
        filters.get(filter).or_else(|| filters.get("")).cloned().unwrap_or_default()
    }
}

/// Completes the arguments of a call with what its session remembers, and tells with what.
///
/// A read takes whatever it leaves out. A change takes its target only, and one that destroys nothing at all: it names what it destroys.
pub(crate) fn complete(
    caller: &Caller,
    tool: &Tool,
    arguments: &mut Map<String, Value>,
) -> Map<String, Value> {
    let mut added = Map::new();
    let Some(session) = caller.session.as_ref().filter(|_| tool.entry.builtin.is_none()) else {
        return added;
    };
    let filter = arguments.get(FILTER).and_then(Value::as_str).unwrap_or_default();
    for (name, value) in session.recall(filter) {
        let left_out = arguments.get(&name).is_none_or(Value::is_null);
        if left_out && takes(tool, &name) {
            arguments.insert(name.clone(), value.clone());
            added.insert(name, value);
        }
    }
    added
}

fn takes(tool: &Tool, name: &str) -> bool {
    let properties = tool.schema().get("properties").and_then(Value::as_object);
    let in_path = || {
        let mut arguments = tool.entry.arguments.iter();
        arguments.any(|it| it.name == name && it.location == Location::Path)
    };
    match tool.entry.class {
        Class::Read => properties.is_some_and(|properties| properties.contains_key(name)),
        Class::Write => in_path(),
        Class::Destructive => false,
    }
}
