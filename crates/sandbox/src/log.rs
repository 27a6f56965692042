//! What was asked of the platform: a log, counters, and how many requests were open at once.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde_json::{Value, json};

use crate::moment;

/// Requests that the log keeps; the counters go on.
const LONGEST: usize = 10_000;

/// One request.
#[derive(Debug)]
pub(crate) struct Entry {
    /// Virtual time of its arrival.
    pub(crate) at: i64,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    /// The path as the document has it.
    pub(crate) route: Option<String>,
    /// The letter of its key.
    pub(crate) key: Option<&'static str>,
    pub(crate) fault: Option<String>,
}

#[derive(Debug, Default)]
struct Kept {
    entries: VecDeque<(u64, Entry, Option<u16>)>,
    requests: u64,
    answered: u64,
    by_route: BTreeMap<String, u64>,
    by_status: BTreeMap<u16, u64>,
    by_key: BTreeMap<&'static str, Count>,
    all: Count,
}

/// Requests, those that are open, and the most that were open at once.
#[derive(Debug, Default)]
struct Count {
    requests: u64,
    open: u64,
    peak: u64,
}

impl Count {
    fn begin(&mut self) {
        self.requests += 1;
        self.open += 1;
        self.peak = self.peak.max(self.open);
    }

    fn end(&mut self) {
        self.open = self.open.saturating_sub(1);
    }

    /// Begins anew, with the requests that are open now.
    fn restart(&mut self) {
        *self = Self { requests: 0, open: self.open, peak: self.open };
    }

    fn view(&self) -> Value {
        json!({ "requests": self.requests, "open": self.open, "peak_open": self.peak })
    }
}

/// The log of a sandbox.
#[derive(Debug, Default)]
pub(crate) struct Log {
    kept: Mutex<Kept>,
}

/// An open request; dropped without an answer, it ended without one.
#[derive(Debug)]
pub(crate) struct Open {
    log: Arc<Log>,
    number: u64,
    key: Option<&'static str>,
    status: Option<u16>,
}

impl Log {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn begin(self: &Arc<Self>, entry: Entry) -> Open {
        let mut kept = self.kept();
        kept.requests += 1;
        let number = kept.requests;
        kept.all.begin();
        let key = entry.key;
        if let Some(key) = key {
            kept.by_key.entry(key).or_default().begin();
        }
        let route = entry.route.as_ref().map(|route| format!("{} {route}", entry.method));
        *kept.by_route.entry(route.unwrap_or_else(|| "unknown".to_owned())).or_default() += 1;
        if kept.entries.len() == LONGEST {
            kept.entries.pop_front();
        }
        kept.entries.push_back((number, entry, None));
        Open { log: Arc::clone(self), number, key, status: None }
    }

    pub(crate) fn requests(&self) -> u64 {
        self.kept().all.requests
    }

    pub(crate) fn stats(&self) -> Value {
        let kept = self.kept();
        let keys = kept.by_key.iter().map(|(key, count)| ((*key).to_owned(), count.view()));
        let statuses = kept.by_status.iter().map(|(status, n)| (status.to_string(), json!(n)));
        json!({
            "requests": kept.all.requests,
            "open": kept.all.open,
            "peak_open": kept.all.peak,
            "unanswered": kept.all.requests.saturating_sub(kept.answered + kept.all.open),
            "by_key": keys.collect::<serde_json::Map<_, _>>(),
            "by_route": kept.by_route,
            "by_status": statuses.collect::<serde_json::Map<_, _>>(),
        })
    }

    /// The requests, oldest first.
    pub(crate) fn view(&self) -> Value {
        let row = |(number, entry, status): &(u64, Entry, Option<u16>)| {
            json!({
                "number": number,
                "at": moment::written(entry.at),
                "method": entry.method,
                "path": entry.path,
                "query": entry.query,
                "route": entry.route,
                "key": entry.key,
                "fault": entry.fault,
                "status": status,
            })
        };
        self.kept().entries.iter().map(row).collect()
    }

    /// Begins anew; requests that are open stay open.
    pub(crate) fn clear(&self) {
        let mut kept = self.kept();
        let Kept { entries, answered, by_route, by_status, by_key, all, .. } = &mut *kept;
        entries.clear();
        by_route.clear();
        by_status.clear();
        *answered = 0;
        by_key.values_mut().for_each(Count::restart);
        all.restart();
    }
}

impl Open {
    /// It was answered with this status.
    pub(crate) fn answered(mut self, status: u16) {
        self.status = Some(status);
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let mut kept = self.log.kept();
        kept.all.end();
        if let Some(count) = self.key.and_then(|key| kept.by_key.get_mut(key)) {
            count.end();
        }
        let Some(status) = self.status else { return };
        kept.answered += 1;
        *kept.by_status.entry(status).or_default() += 1;
        let mut recent = kept.entries.iter_mut().rev();
        if let Some(entry) = recent.find(|(number, ..)| *number == self.number) {
            entry.2 = Some(status);
        }
    }
}
