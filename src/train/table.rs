//! The training rows column by column: raw values, and quantile bins small enough for histograms.

use ndarray::ArrayView2;

/// Most bins of one feature, so that a code fits a byte.
pub(super) const MAX_BINS: usize = 255;

/// Features as the growers read them.
pub(super) struct Table {
    pub(super) rows: usize,
    pub(super) columns: Vec<Column>,
}

/// One feature.
pub(super) struct Column {
    /// Value per row.
    pub(super) raw: Vec<f32>,
    /// Bin per row.
    pub(super) codes: Vec<u8>,
    /// Smallest value of each bin.
    pub(super) low: Vec<f32>,
    /// Largest value of each bin.
    pub(super) high: Vec<f32>,
}

impl Table {
    pub(super) fn new(features: ArrayView2<'_, f32>) -> Self {
        let columns = features
            .columns()
            .into_iter()
            .map(|column| Column::new(column.to_vec()))
            .collect();
        Self {
            rows: features.nrows(),
            columns,
        }
    }
}

impl Column {
    fn new(raw: Vec<f32>) -> Self {
        let mut order: Vec<u32> = (0..raw.len() as u32).collect();
        order.sort_unstable_by(|&a, &b| raw[a as usize].total_cmp(&raw[b as usize]));
        let distinct = order
            .windows(2)
            .filter(|pair| raw[pair[0] as usize] < raw[pair[1] as usize])
            .count()
            + 1;
        let mut column = Self {
            codes: vec![0; raw.len()],
            raw,
            low: Vec::new(),
            high: Vec::new(),
        };
        for (place, &row) in order.iter().enumerate() {
            let value = column.raw[row as usize];
            if column.opens_bin(value, place, distinct) {
                column.low.push(value);
                column.high.push(value);
            }
            let bin = column.low.len() - 1;
            column.high[bin] = value;
            column.codes[row as usize] = bin as u8;
        }
        column
    }

    /// Equal values share a bin; with few distinct values each has its own, otherwise a bin closes at its quantile.
    fn opens_bin(&self, value: f32, place: usize, distinct: usize) -> bool {
        let Some(&high) = self.high.last() else {
            return true;
        };
        let quantile_full = place * MAX_BINS >= self.high.len() * self.raw.len();
        value > high && (distinct <= MAX_BINS || (quantile_full && self.high.len() < MAX_BINS))
    }
}

/// The cut between two neighbouring values: their midpoint as `f32`, rounded down so that `low <= cut < high` holds
/// exactly (a plain cast may reach `high`, and rows would change sides in other runtimes).
pub(super) fn midpoint(low: f32, high: f32) -> f32 {
    let middle = f64::midpoint(f64::from(low), f64::from(high)) as f32;
    if middle >= high { low } else { middle }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn bins_keep_the_order(values in proptest::collection::vec(-100i32..100, 1..2000), scale in 1u32..2000) {
            let raw: Vec<f32> = values.iter().enumerate().map(|(i, v)| *v as f32 + (i as u32 % scale) as f32).collect();
            let column = Column::new(raw.clone());
            prop_assert!(column.low.len() <= MAX_BINS);
            for (value, code) in raw.iter().zip(&column.codes) {
                prop_assert!(column.low[*code as usize] <= *value && *value <= column.high[*code as usize]);
            }
            for bin in 1..column.low.len() {
                prop_assert!(column.high[bin - 1] < column.low[bin]);
            }
        }

        #[test]
        fn a_midpoint_separates(a in -1e30f32..1e30, b in -1e30f32..1e30) {
            prop_assume!(a != b);
            let (low, high) = (a.min(b), a.max(b));
            let cut = midpoint(low, high);
            prop_assert!(low <= cut && cut < high);
        }
    }

    #[test]
    fn neighbouring_floats_are_cut_at_the_lower() {
        let low = 1.0f32;
        let high = f32::from_bits(low.to_bits() + 1);
        assert_eq!(midpoint(low, high), low);
    }
}
