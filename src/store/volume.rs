//! How many lines and errors each quarter of a second has: what a histogram over hours is drawn from without looking at every line.

use std::collections::BTreeMap;

use super::rows::Row;
use crate::domain::line::Level;

/// One grain of time, milliseconds.
pub const GRAIN_MS: i64 = 250;

/// Lines, and lines at ERROR or above, by grain of their event time.
#[derive(Debug, Clone, Default)]
pub struct Volume {
    grains: BTreeMap<i64, (u32, u32)>,
}

impl Volume {
    /// Counts a new line.
    pub fn add(&mut self, row: &Row) {
        let count = self
            .grains
            .entry(row.time.div_euclid(GRAIN_MS))
            .or_default();
        count.0 += 1;
        count.1 += u32::from(row.level() >= Level::Error);
    }

    /// Takes a line back.
    pub fn remove(&mut self, row: &Row) {
        if let Some(count) = self.grains.get_mut(&row.time.div_euclid(GRAIN_MS)) {
            count.0 = count.0.saturating_sub(1);
            count.1 = count
                .1
                .saturating_sub(u32::from(row.level() >= Level::Error));
        }
    }

    /// The sums in each of `buckets` equal slices of `from..to` (milliseconds since the epoch), each grain in the slice of its
    /// first instant.
    pub fn histogram(&self, from: i64, to: i64, buckets: usize) -> Vec<(u32, u32)> {
        let mut counts = vec![(0, 0); buckets];
        let scale = buckets as f64 / (to - from).max(1) as f64;
        let grains = from.div_euclid(GRAIN_MS)..=to.div_euclid(GRAIN_MS);
        for (grain, (lines, errors)) in self.grains.range(grains) {
            let at = ((grain * GRAIN_MS - from).max(0) as f64 * scale) as usize;
            if let Some(count) = counts.get_mut(at) {
                count.0 += lines;
                count.1 += errors;
            }
        }
        counts
    }
}
