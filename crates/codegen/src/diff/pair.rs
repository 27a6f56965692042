//! Which operation of one document is which of the other: method and path are its identity, ids only where these moved.

use std::collections::BTreeMap;

use crate::spec::Operation;
use crate::spec::operation::variables;

/// Positions of the same operation in both lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pair {
    pub(super) before: usize,
    pub(super) after: usize,
}

/// Pairs the operations: the same address, then the same address but for names in it, then the same id.
pub(super) fn pairs(before: &[Operation], after: &[Operation]) -> Vec<Pair> {
    let mut found = Found {
        pairs: Vec::new(),
        before: vec![false; before.len()],
        after: vec![false; after.len()],
    };
    found.by(before, after, |operation| Some(format!("{} {}", operation.method, operation.path)));
    found.by(before, after, |operation| Some(shape(operation)));
    found.by(before, after, |operation| Some(operation.id.clone()).filter(|id| !id.is_empty()));
    found.pairs.sort_by_key(|pair| pair.before);
    found.pairs
}

struct Found {
    pairs: Vec<Pair>,
    before: Vec<bool>,
    after: Vec<bool>,
}

impl Found {
    /// Pairs those that are left and agree in a key that is nobody else's.
    fn by(
        &mut self,
        before: &[Operation],
        after: &[Operation],
        key: impl Fn(&Operation) -> Option<String>,
    ) {
        let left = |operations: &[Operation], taken: &[bool]| {
            let mut keys: BTreeMap<String, Vec<usize>> = BTreeMap::new();
            for (at, operation) in operations.iter().enumerate().filter(|(at, _)| !taken[*at]) {
                if let Some(key) = key(operation) {
                    keys.entry(key).or_default().push(at);
                }
            }
            keys
        };
        let known = left(after, &self.after);
        for (key, places) in left(before, &self.before) {
            if let ([before], Some([after])) =
                (places.as_slice(), known.get(&key).map(Vec::as_slice))
            {
                self.pairs.push(Pair { before: *before, after: *after });
                (self.before[*before], self.after[*after]) = (true, true);
            }
        }
    }
}

/// Method and path without the names of its variables.
fn shape(operation: &Operation) -> String {
    let path = variables(&operation.path)
        .iter()
        .fold(operation.path.clone(), |path, name| path.replace(&format!("{{{name}}}"), "{}"));
    format!("{} {}", operation.method, path.trim_end_matches('/'))
}
