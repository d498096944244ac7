//! Stratified splits: the same share of every class on both sides. Row for row the splits of scikit-learn with the
//! same seed, so that figures can be compared with the Python project's.

use std::collections::BTreeMap;

use ndarray::Array1;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::numpy::RandomState;

/// The seed of splits and folds unless another is asked for, as in the Python project.
pub const SEED: u64 = 42;

/// Row numbers of the training and the holdout side, ascending.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Split {
    /// Rows to learn from.
    pub train: Vec<usize>,
    /// Rows to judge with.
    pub holdout: Vec<usize>,
}

impl Split {
    /// Holds out `share` of the rows (rounded up), each class in proportion:
    /// `train_test_split(stratify=y, test_size=share, random_state=seed)`. A class of one row, which scikit-learn
    /// refuses, stays in training.
    #[must_use]
    pub fn stratified(target: &Array1<f32>, share: f64, seed: u64) -> Self {
        let mut random = RandomState::new(seed);
        let classes: Vec<Vec<usize>> = strata(target)
            .into_iter()
            .filter(|rows| rows.len() > 1)
            .collect();
        let counts: Vec<usize> = classes.iter().map(Vec::len).collect();
        let rows: usize = counts.iter().sum();
        let wanted = ((rows as f64 * share).ceil() as usize).min(rows);
        let train = apportion(&counts, rows - wanted, &mut random);
        let left: Vec<usize> = counts
            .iter()
            .zip(&train)
            .map(|(count, train)| count - train)
            .collect();
        let test = apportion(&left, wanted, &mut random);
        let mut holdout = Vec::with_capacity(wanted);
        for ((class, train), test) in classes.iter().zip(train).zip(test) {
            let order = random.permutation(class.len());
            holdout.extend(order[train..train + test].iter().map(|&place| class[place]));
        }
        Self::holding_out(holdout, target.len())
    }

    /// `folds` splits whose holdouts cover every row once, each class spread evenly:
    /// `StratifiedKFold(folds, shuffle=True, random_state=seed)`.
    #[must_use]
    pub fn k_fold(target: &Array1<f32>, folds: usize, seed: u64) -> Vec<Self> {
        let folds = folds.max(2);
        let mut random = RandomState::new(seed);
        let mut classes = strata(target);
        classes.sort_by_key(|rows| rows[0]);
        let mut holdouts = vec![Vec::new(); folds];
        let mut before = 0;
        for rows in classes {
            // Dealing the sorted rows out in turn gives each fold its share of the class.
            let mut fold_of_row: Vec<usize> = (before..before + rows.len())
                .map(|place| place % folds)
                .collect();
            before += rows.len();
            fold_of_row.sort_unstable();
            random.shuffle(&mut fold_of_row);
            for (row, fold) in rows.into_iter().zip(fold_of_row) {
                holdouts[fold].push(row);
            }
        }
        holdouts
            .into_iter()
            .map(|holdout| Self::holding_out(holdout, target.len()))
            .collect()
    }

    fn holding_out(mut holdout: Vec<usize>, rows: usize) -> Self {
        holdout.sort_unstable();
        let mut held = vec![false; rows];
        for &row in &holdout {
            held[row] = true;
        }
        Self {
            train: (0..rows).filter(|&row| !held[row]).collect(),
            holdout,
        }
    }

    /// SHA-256 of the holdout's row numbers, so that a record can prove which rows were kept back.
    pub fn holdout_sha256(&self) -> String {
        let ids: Vec<String> = self.holdout.iter().map(ToString::to_string).collect();
        format!("{:x}", Sha256::digest(ids.join("\n")))
    }
}

/// Rows grouped by target value, ascending, or by decile of the target when it has more than twenty values.
fn strata(target: &Array1<f32>) -> Vec<Vec<usize>> {
    let mut classes: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for (row, value) in target.iter().enumerate() {
        classes.entry(ordered_bits(*value)).or_default().push(row);
    }
    if classes.len() <= 20 {
        return classes.into_values().collect();
    }
    let sorted: Vec<usize> = classes.into_values().flatten().collect();
    let tenths = sorted
        .chunks(sorted.len().div_ceil(10))
        .map(<[usize]>::to_vec);
    tenths
        .map(|mut rows| {
            rows.sort_unstable();
            rows
        })
        .collect()
}

/// Bits that sort as the floats do.
fn ordered_bits(value: f32) -> u32 {
    let bits = value.to_bits();
    if bits >> 31 == 1 {
        !bits
    } else {
        bits | 1 << 31
    }
}

/// Shares `draws` out in proportion; the last places go to the largest remainders, ties by lot
/// (scikit-learn's `_approximate_mode`).
fn apportion(counts: &[usize], draws: usize, random: &mut RandomState) -> Vec<usize> {
    let total: usize = counts.iter().sum();
    let exact: Vec<f64> = counts
        .iter()
        .map(|count| *count as f64 / total.max(1) as f64 * draws as f64)
        .collect();
    let mut shares: Vec<usize> = exact.iter().map(|share| share.floor() as usize).collect();
    let mut missing = draws.saturating_sub(shares.iter().sum());
    let mut remainders: Vec<f64> = exact.iter().map(|share| share - share.floor()).collect();
    let of_class = remainders.clone();
    remainders.sort_by(|a, b| b.total_cmp(a));
    remainders.dedup();
    for remainder in remainders {
        if missing == 0 {
            break;
        }
        let tied: Vec<usize> = (0..counts.len())
            .filter(|&class| of_class[class] == remainder)
            .collect();
        let lot = random.permutation(tied.len());
        for place in lot.into_iter().take(missing) {
            shares[tied[place]] += 1;
        }
        missing -= missing.min(tied.len());
    }
    shares
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::train::Dataset;

    #[test]
    fn the_wine_split_is_scikit_learns() {
        // scikit-learn 1.9.1, rows of red then white after drop_duplicates():
        // train_test_split(rows, test_size=.2, stratify=quality, random_state=42), SHA-256 of the sorted test rows.
        let wine = Dataset::wine_quality().unwrap().canonical(true);
        let split = Split::stratified(&wine.target, 0.2, 42);
        assert_eq!((split.train.len(), split.holdout.len()), (4256, 1064));
        let expected = "7ab65282c1efc1cc59d629a47cf5e03dedd26a583cc7fcefa8f1331c6ebf7237";
        assert_eq!(split.holdout_sha256(), expected);
        assert_ne!(
            Split::stratified(&wine.target, 0.2, 43).holdout_sha256(),
            expected
        );
    }

    #[test]
    fn the_wine_folds_are_scikit_learns() {
        // scikit-learn 1.9.1: StratifiedKFold(5, shuffle=True, random_state=42) on the same rows.
        let expected = [
            "03140ec39688717875cfa01635b0b6e2cdef9f375955718534497f8645aaa46a",
            "8e121a46e1edb37d165c20726663c2bcbe38f4773b3c2a37b4409fbd3c1fd7f0",
            "8e2e282a5dc528f249a7ed64d389a360df8d872794f69127562c276567a3c3ca",
            "4042298e01f6dc8a35716f61b7527fab906804ed37af568dd7c534b968d3b77b",
            "c0cce089b5b41d140d827a49cf3baa350d81af99e931920b28b77b5c7fc127a6",
        ];
        let wine = Dataset::wine_quality().unwrap().canonical(true);
        let folds: Vec<String> = Split::k_fold(&wine.target, 5, 42)
            .iter()
            .map(Split::holdout_sha256)
            .collect();
        assert_eq!(folds, expected);
    }

    #[test]
    fn small_splits_with_ties_are_scikit_learns() {
        // scikit-learn 1.9.1, test_size=.34 and StratifiedKFold(3), random_state=7.
        let mixed = Array1::from(vec![5., 5., 3., 3., 5., 3., 4., 4., 4., 4., 5., 3.]);
        assert_eq!(Split::stratified(&mixed, 0.34, 7).holdout, [2, 4, 5, 6, 8]);
        let folds: Vec<Vec<usize>> = Split::k_fold(&mixed, 3, 7)
            .into_iter()
            .map(|fold| fold.holdout)
            .collect();
        assert_eq!(
            folds,
            [vec![1, 4, 5, 8], vec![0, 3, 7, 11], vec![2, 6, 9, 10]]
        );
        let sorted = Array1::from(vec![0., 0., 0., 1., 1., 1., 1., 2., 2., 2., 2., 2.]);
        assert_eq!(Split::stratified(&sorted, 0.34, 7).holdout, [0, 3, 5, 7, 8]);
    }

    #[test]
    fn a_class_of_one_is_never_held_out_and_continuous_targets_work() {
        let mut target = Array1::from_elem(100, 5.0);
        target[7] = 9.0;
        assert!(Split::stratified(&target, 0.2, 1).train.contains(&7));
        let continuous = Array1::from_iter((0..1000).map(|i| (i as f32 * 0.37).sin()));
        let split = Split::stratified(&continuous, 0.2, 1);
        assert_eq!((split.holdout.len(), split.train.len()), (200, 800));
        let folds = Split::k_fold(&continuous, 5, 1);
        let mut all: Vec<usize> = folds.iter().flat_map(|fold| fold.holdout.clone()).collect();
        all.sort_unstable();
        assert_eq!(all, (0..1000).collect::<Vec<_>>());
    }
}
