//! Where the visible lines stand, and which of them were looked for.

use super::Sieve;
use crate::store::Store;

impl Sieve {
    /// How many lines can be seen.
    pub fn len(&self, store: &Store) -> usize {
        self.visible.as_ref().map_or(store.len(), Vec::len)
    }

    /// The visible line at an index.
    pub fn at(&self, index: usize, store: &Store) -> Option<u32> {
        match &self.visible {
            Some(visible) => visible.get(index).copied(),
            None => store.at(index),
        }
    }

    /// How many visible lines stand after a line.
    pub fn count_after(&self, line: u32, store: &Store) -> usize {
        let position = store.position(line) + 1;
        match &self.visible {
            Some(visible) => visible.len() - first_at(visible, position, store),
            None => store.len().saturating_sub(position),
        }
    }

    /// The index of a line, or of the first visible one after it.
    pub fn index_of(&self, line: u32, store: &Store) -> usize {
        let position = store.position(line);
        match &self.visible {
            Some(visible) => first_at(visible, position, store),
            None => position,
        }
    }

    /// The first index at or after a time.
    pub fn index_at_time(&self, time: i64, store: &Store) -> usize {
        match &self.visible {
            Some(visible) => {
                visible.partition_point(|line| store.time(*line).is_some_and(|own| own < time))
            }
            None => store.position_at_time(time),
        }
    }

    /// All visible lines, in screen order.
    pub fn lines(&self, store: &Store) -> Vec<u32> {
        self.visible
            .clone()
            .unwrap_or_else(|| store.lines().collect())
    }

    /// The found line nearest to an index: that one, else the next older, else the oldest.
    pub fn nearest_found(&self, index: usize, store: &Store) -> Option<usize> {
        let found = self.found.as_ref()?;
        let after = self.found_up_to(index, store);
        let line = found.get(after.saturating_sub(1))?;
        Some(self.index_of(*line, store))
    }

    /// The next found line before or after an index, going round at the ends.
    pub fn next_found(&self, from: usize, forward: bool, store: &Store) -> Option<usize> {
        let found = self.found.as_ref()?;
        let up_to = self.found_up_to(from, store);
        let line = if forward {
            found.get(up_to).or(found.first())
        } else {
            let here = self.at(from, store);
            let is_here = up_to > 0 && found.get(up_to - 1).copied() == here;
            let before = up_to.checked_sub(1 + usize::from(is_here));
            before.map_or(found.last(), |at| found.get(at))
        };
        Some(self.index_of(*line?, store))
    }

    /// How many found lines stand at or before an index.
    fn found_up_to(&self, index: usize, store: &Store) -> usize {
        let (Some(found), Some(line)) = (&self.found, self.at(index, store)) else {
            return 0;
        };
        first_at(found, store.position(line) + 1, store)
    }

    /// (which found line the index is at or before, how many are visible).
    pub fn found_count(&self, index: usize, store: &Store) -> Option<(usize, usize)> {
        let found = self.found.as_ref()?;
        Some((self.found_up_to(index, store), found.len()))
    }
}

/// The place of the first line in a list in screen order that stands at or after a position.
pub fn first_at(lines: &[u32], position: usize, store: &Store) -> usize {
    if position == 0 {
        return 0;
    }
    lines.partition_point(|line| store.position(*line) < position)
}
