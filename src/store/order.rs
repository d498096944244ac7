//! The order on screen, over lines numbered in order of arrival.

use std::cmp::Ordering;
use std::ops::Range;

/// A permutation of the lines; not even stored while arrival order is screen order.
#[derive(Debug, Clone, Default)]
pub struct Order {
    lines: Option<Vec<u32>>,
    len: usize,
}

/// Fewer new lines than this are inserted one by one.
const FEW: usize = 64;

impl Order {
    /// The line at a position.
    pub fn at(&self, position: usize) -> u32 {
        self.lines
            .as_ref()
            .map_or(position as u32, |lines| lines[position])
    }

    /// The new line comes last: a file is shown as it is.
    pub fn push(&mut self, line: u32) {
        if let Some(lines) = &mut self.lines {
            lines.push(line);
        }
        self.len += 1;
    }

    /// The line that was pushed last is taken away.
    pub fn pop(&mut self) {
        if let Some(lines) = &mut self.lines {
            lines.pop();
        }
        self.len = self.len.saturating_sub(1);
    }

    /// Puts new lines, sorted among themselves, into place. True when one of them does not simply come last.
    pub fn insert(&mut self, new: Range<u32>, compare: impl Fn(u32, u32) -> Ordering) -> bool {
        if new.is_empty() {
            return false;
        }
        let is_after = self.len == 0 || compare(self.at(self.len - 1), new.start).is_le();
        let old_len = self.len;
        self.len += new.len();
        if is_after {
            if let Some(lines) = &mut self.lines {
                lines.extend(new);
            }
            return false;
        }
        let lines = self
            .lines
            .get_or_insert_with(|| (0..old_len as u32).collect());
        let first = lines.partition_point(|old| compare(*old, new.start).is_le());
        let is_one_gap = compare(new.end - 1, lines[first]).is_lt();
        if is_one_gap {
            lines.splice(first..first, new);
        } else if new.len() < FEW {
            for line in new {
                let at = lines.partition_point(|old| compare(*old, line).is_le());
                lines.insert(at, line);
            }
        } else {
            let old = lines.split_off(first);
            merge(lines, &old, new, compare);
        }
        true
    }

    /// The position of a line; `is_before(other)` says whether another line stands before it by time.
    pub fn position(&self, line: u32, is_before: impl Fn(u32) -> bool) -> usize {
        let Some(lines) = &self.lines else {
            return line as usize;
        };
        let first = lines.partition_point(|other| is_before(*other));
        first
            + lines[first..]
                .iter()
                .position(|other| *other == line)
                .unwrap_or(0)
    }

    /// The first position whose line does not satisfy `is_before`.
    pub fn partition_point(&self, len: usize, is_before: impl Fn(u32) -> bool) -> usize {
        let (mut low, mut high) = (0, len);
        while low < high {
            let middle = low + (high - low) / 2;
            if is_before(self.at(middle)) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }
}

fn merge(
    into: &mut Vec<u32>,
    old: &[u32],
    new: Range<u32>,
    compare: impl Fn(u32, u32) -> Ordering,
) {
    let mut old = old.iter().copied().peekable();
    for line in new {
        while let Some(other) = old.next_if(|other| compare(*other, line).is_le()) {
            into.push(other);
        }
        into.push(line);
    }
    into.extend(old);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Batches of any sizes and times end up sorted, ties in order of arrival.
        #[test]
        fn stays_sorted(batches in proptest::collection::vec(proptest::collection::vec(0_i32..50, 0..150), 0..8)) {
            let (mut order, mut times) = (Order::default(), Vec::<i32>::new());
            for mut batch in batches {
                batch.sort_unstable();
                let first = times.len() as u32;
                times.extend(batch);
                order.insert(first..times.len() as u32, |a, b| {
                    times[a as usize].cmp(&times[b as usize]).then(a.cmp(&b))
                });
                let mut want: Vec<u32> = (0..times.len() as u32).collect();
                want.sort_by_key(|line| (times[*line as usize], *line));
                let got: Vec<u32> = (0..times.len()).map(|at| order.at(at)).collect();
                prop_assert_eq!(&got, &want);
                for (position, line) in got.iter().enumerate() {
                    let found = order.position(*line, |other| times[other as usize] < times[*line as usize]);
                    prop_assert_eq!(found, position);
                }
            }
        }
    }
}
