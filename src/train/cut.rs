//! The best cut of a node: histograms for many rows, sorting for few, chance for extra-trees.

use super::rng::TreeRng;
use super::table::{Column, MAX_BINS, Table, midpoint};

/// At and below this many rows, sorting the values beats walking 255 bins.
const SORT_AT: usize = 48;

/// Values closer than this count as equal (scikit-learn's `FEATURE_THRESHOLD`).
const NEAR: f32 = 1e-7;

/// A training row inside a node.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    pub(super) index: u32,
    /// How often it counts.
    pub(super) weight: f32,
    /// Its target times its weight.
    pub(super) sum: f64,
}

/// Rows, weight and weighted target on one side.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Side {
    pub(super) rows: u32,
    pub(super) weight: f32,
    pub(super) sum: f64,
}

impl Side {
    pub(super) fn of(rows: &[Row]) -> Self {
        let mut side = Self::default();
        for row in rows {
            side.add(row);
        }
        side
    }

    fn add(&mut self, row: &Row) {
        self.rows += 1;
        self.weight += row.weight;
        self.sum += row.sum;
    }

    fn merge(&mut self, other: Self) {
        self.rows += other.rows;
        self.weight += other.weight;
        self.sum += other.sum;
    }

    fn without(self, other: Self) -> Self {
        Self {
            rows: self.rows - other.rows,
            weight: self.weight - other.weight,
            sum: self.sum - other.sum,
        }
    }
}

/// A way to divide a node.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cut {
    pub(super) feature: usize,
    pub(super) threshold: f32,
    /// Reduction of the weighted squared error.
    pub(super) gain: f64,
}

/// How thresholds are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Thresholds {
    /// The best of all.
    Best,
    /// One at random per feature.
    Random,
}

/// Finds cuts; keeps its buffers between nodes.
pub(super) struct Cutter<'a> {
    table: &'a Table,
    thresholds: Thresholds,
    min_leaf: u32,
    l2: f64,
    bins: Vec<Side>,
    sorted: Vec<(f32, Row)>,
}

impl<'a> Cutter<'a> {
    pub(super) fn new(table: &'a Table, thresholds: Thresholds, min_leaf: usize, l2: f64) -> Self {
        let min_leaf = u32::try_from(min_leaf).unwrap_or(u32::MAX);
        Self {
            table,
            thresholds,
            min_leaf,
            l2,
            bins: vec![Side::default(); MAX_BINS],
            sorted: Vec::new(),
        }
    }

    /// The best cut over up to `wanted` of `features`, drawn without replacement. As in scikit-learn a constant
    /// feature counts as drawn, but drawing goes on until one that varies was seen.
    pub(super) fn best(
        &mut self,
        rows: &[Row],
        whole: Side,
        features: &mut [usize],
        wanted: usize,
        rng: &mut TreeRng,
    ) -> Option<Cut> {
        let mut search = Search {
            whole,
            min_leaf: self.min_leaf,
            l2: self.l2,
            best: None,
            floor: 0.0,
        };
        search.floor = search.score(whole);
        let mut varied = false;
        for drawn in 0..features.len() {
            if drawn >= wanted && varied {
                break;
            }
            features.swap(drawn, drawn + rng.below(features.len() - drawn));
            varied |= self.try_feature(features[drawn], rows, &mut search, rng);
        }
        search.best
    }

    /// Offers the feature's cuts to the search; false when the feature is constant here.
    fn try_feature(
        &mut self,
        feature: usize,
        rows: &[Row],
        search: &mut Search,
        rng: &mut TreeRng,
    ) -> bool {
        let column = &self.table.columns[feature];
        match self.thresholds {
            Thresholds::Random => random_cut(column, feature, rows, search, rng),
            Thresholds::Best if rows.len() <= SORT_AT => self.by_sorting(feature, rows, search),
            Thresholds::Best => self.by_histogram(feature, rows, search),
        }
    }

    fn by_histogram(&mut self, feature: usize, rows: &[Row], search: &mut Search) -> bool {
        let column = &self.table.columns[feature];
        let bins = &mut self.bins[..column.low.len()];
        bins.fill(Side::default());
        for row in rows {
            bins[usize::from(column.codes[row.index as usize])].add(row);
        }
        let mut left = Side::default();
        let mut last = None;
        for (bin, side) in bins.iter().enumerate() {
            if side.rows == 0 {
                continue;
            }
            if let Some(last) = last {
                search.offer(feature, left, || {
                    midpoint(column.high[last], column.low[bin])
                });
            }
            left.merge(*side);
            last = Some(bin);
        }
        bins.iter().filter(|side| side.rows > 0).nth(1).is_some()
    }

    fn by_sorting(&mut self, feature: usize, rows: &[Row], search: &mut Search) -> bool {
        let raw = &self.table.columns[feature].raw;
        self.sorted.clear();
        self.sorted
            .extend(rows.iter().map(|row| (raw[row.index as usize], *row)));
        self.sorted
            .sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.index.cmp(&b.1.index)));
        let mut left = Side::default();
        for pair in self.sorted.windows(2) {
            left.add(&pair[0].1);
            if pair[1].0 > pair[0].0 {
                search.offer(feature, left, || midpoint(pair[0].0, pair[1].0));
            }
        }
        matches!((self.sorted.first(), self.sorted.last()), (Some(first), Some(last)) if first.0 < last.0)
    }
}

fn random_cut(
    column: &Column,
    feature: usize,
    rows: &[Row],
    search: &mut Search,
    rng: &mut TreeRng,
) -> bool {
    let value = |row: &Row| column.raw[row.index as usize];
    let (low, high) = rows
        .iter()
        .map(value)
        .fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), x| {
            (low.min(x), high.max(x))
        });
    if high <= low + NEAR {
        return false;
    }
    let drawn = low + rng.unit() * (high - low);
    let threshold = if drawn >= high { low } else { drawn };
    let mut left = Side::default();
    for row in rows {
        if value(row) <= threshold {
            left.add(row);
        }
    }
    search.offer(feature, left, || threshold);
    true
}

/// The best cut seen so far in one node.
struct Search {
    whole: Side,
    min_leaf: u32,
    l2: f64,
    floor: f64,
    best: Option<Cut>,
}

impl Search {
    /// Minimising squared error is maximising Σ sum² / weight over the sides (penalised by `l2`).
    fn score(&self, side: Side) -> f64 {
        side.sum * side.sum / (f64::from(side.weight) + self.l2)
    }

    fn offer(&mut self, feature: usize, left: Side, threshold: impl FnOnce() -> f32) {
        let right = self.whole.without(left);
        if left.rows.min(right.rows) < self.min_leaf {
            return;
        }
        let gain = self.score(left) + self.score(right) - self.floor;
        if self.best.is_none_or(|best| gain > best.gain) {
            self.best = Some(Cut {
                feature,
                threshold: threshold(),
                gain,
            });
        }
    }
}

/// Moves the rows that go left to the front and returns how many they are; their order is kept on both sides so that
/// later sums do not depend on the way rows were moved.
pub(super) fn partition(table: &Table, cut: Cut, rows: &mut [Row], spare: &mut Vec<Row>) -> usize {
    let raw = &table.columns[cut.feature].raw;
    spare.clear();
    let mut left = 0;
    for at in 0..rows.len() {
        let row = rows[at];
        if raw[row.index as usize] <= cut.threshold {
            rows[left] = row;
            left += 1;
        } else {
            spare.push(row);
        }
    }
    rows[left..].copy_from_slice(spare);
    left
}
