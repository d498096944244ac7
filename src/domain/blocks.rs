//! A list that grows in blocks.

use std::ops::{Index, IndexMut};

/// Items per block.
const BLOCK: usize = 1024;

/// A list that only grows at its end. Growing moves nothing and takes one block at most ahead of need, where a `Vec` would
/// for a moment hold everything twice and then keep room for as much again.
#[derive(Debug, Clone, PartialEq)]
pub struct Blocks<T>(Vec<Vec<T>>);

impl<T> Default for Blocks<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Blocks<T> {
    /// How many.
    pub fn len(&self) -> usize {
        let last = self.0.last().map_or(0, Vec::len);
        self.0.len().saturating_sub(1) * BLOCK + last
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds one at the end.
    pub fn push(&mut self, item: T) {
        match self.0.last_mut() {
            Some(last) if last.len() < BLOCK => last.push(item),
            _ => {
                let mut block = Vec::with_capacity(BLOCK);
                block.push(item);
                self.0.push(block);
            }
        }
    }

    /// The item at a position; `None` beyond the end.
    pub fn get(&self, at: usize) -> Option<&T> {
        self.0.get(at / BLOCK)?.get(at % BLOCK)
    }

    /// The same, to change it.
    pub fn get_mut(&mut self, at: usize) -> Option<&mut T> {
        self.0.get_mut(at / BLOCK)?.get_mut(at % BLOCK)
    }

    /// All, from the first.
    pub fn iter(&self) -> std::iter::Flatten<std::slice::Iter<'_, Vec<T>>> {
        self.0.iter().flatten()
    }
}

impl<T> Index<usize> for Blocks<T> {
    type Output = T;

    fn index(&self, at: usize) -> &T {
        &self.0[at / BLOCK][at % BLOCK]
    }
}

impl<T> IndexMut<usize> for Blocks<T> {
    fn index_mut(&mut self, at: usize) -> &mut T {
        &mut self.0[at / BLOCK][at % BLOCK]
    }
}

impl<'a, T> IntoIterator for &'a Blocks<T> {
    type Item = &'a T;
    type IntoIter = std::iter::Flatten<std::slice::Iter<'a, Vec<T>>>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_a_list_across_its_blocks() {
        let mut list = Blocks::default();
        assert!(list.is_empty() && list.get(0).is_none());
        for n in 0..2 * BLOCK + 3 {
            assert_eq!(list.len(), n);
            list.push(n);
            assert_eq!((list[n], list.get(n + 1)), (n, None));
        }
        list[BLOCK] += 7;
        if let Some(last) = list.get_mut(2 * BLOCK + 2) {
            *last = 0;
        }
        let mut want: Vec<usize> = (0..2 * BLOCK + 3).collect();
        (want[BLOCK], want[2 * BLOCK + 2]) = (BLOCK + 7, 0);
        assert!(list.iter().eq(&want));
    }
}
