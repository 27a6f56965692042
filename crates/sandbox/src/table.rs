//! Rows in order of insertion with an index by id; knows nothing of what a row is.

use std::{borrow::Borrow, collections::HashMap, hash::Hash};

/// A table. `index` holds exactly the positions of the occupied rows.
#[derive(Debug)]
pub(crate) struct Table<K, V> {
    rows: Vec<Option<V>>,
    index: HashMap<K, usize>,
}

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Self { rows: Vec::new(), index: HashMap::new() }
    }
}

impl<K: Eq + Hash, V> Table<K, V> {
    pub(crate) fn get<Q: Eq + Hash + ?Sized>(&self, id: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.rows.get(*self.index.get(id)?)?.as_ref()
    }

    pub(crate) fn get_mut<Q: Eq + Hash + ?Sized>(&mut self, id: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        self.rows.get_mut(*self.index.get(id)?)?.as_mut()
    }

    /// Adds a row at the end; the id must be new.
    pub(crate) fn insert(&mut self, id: K, row: V) {
        self.index.insert(id, self.rows.len());
        self.rows.push(Some(row));
    }

    /// Adds a row before all others; the id must be new.
    pub(crate) fn prepend(&mut self, id: K, row: V) {
        self.rows.insert(0, Some(row));
        self.index.values_mut().for_each(|place| *place += 1);
        self.index.insert(id, 0);
    }

    pub(crate) fn remove<Q: Eq + Hash + ?Sized>(&mut self, id: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        self.rows[self.index.remove(id)?].take()
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &V> {
        self.rows.iter().flatten()
    }

    pub(crate) fn iter_mut(&mut self) -> impl DoubleEndedIterator<Item = &mut V> {
        self.rows.iter_mut().flatten()
    }

    pub(crate) fn len(&self) -> usize {
        self.index.len()
    }
}
