//! Stratified splits: the same share of every class on both sides, drawn from a seed.

use std::collections::BTreeMap;

use ndarray::Array1;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::rng::TreeRng;

/// Row numbers of the training and the holdout side, ascending.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Split {
    /// Rows to learn from.
    pub train: Vec<usize>,
    /// Rows to judge with.
    pub holdout: Vec<usize>,
}

impl Split {
    /// Holds out `share` of the rows (rounded up), each class in proportion; the last places go to the classes with
    /// the largest remainders, as scikit-learn's `StratifiedShuffleSplit` does. A class of one row stays in training.
    #[must_use]
    pub fn stratified(target: &Array1<f32>, share: f64, seed: u64) -> Self {
        let mut rng = TreeRng::new(seed, 0);
        let mut classes = strata(target);
        let wanted = (target.len() as f64 * share).ceil() as usize;
        let quotas = quotas(&classes, wanted, target.len());
        let mut holdout = Vec::with_capacity(wanted);
        for (rows, quota) in classes.iter_mut().zip(quotas) {
            rng.shuffle(rows);
            holdout.extend(&rows[..quota]);
        }
        holdout.sort_unstable();
        Self {
            train: others(target.len(), &holdout),
            holdout,
        }
    }

    /// `folds` splits whose holdouts cover every row once, each class spread as evenly as it goes
    /// (scikit-learn's `StratifiedKFold(shuffle=True)`).
    #[must_use]
    pub fn k_fold(target: &Array1<f32>, folds: usize, seed: u64) -> Vec<Self> {
        let mut rng = TreeRng::new(seed, 1);
        let mut holdouts = vec![Vec::new(); folds.max(2)];
        let mut next = 0;
        for mut rows in strata(target) {
            rng.shuffle(&mut rows);
            for row in rows {
                holdouts[next].push(row);
                next = (next + 1) % folds.max(2);
            }
        }
        let split = |mut holdout: Vec<usize>| {
            holdout.sort_unstable();
            Self {
                train: others(target.len(), &holdout),
                holdout,
            }
        };
        holdouts.into_iter().map(split).collect()
    }

    /// SHA-256 of the holdout's row numbers, so that a record can prove which rows were kept back.
    pub fn holdout_sha256(&self) -> String {
        let ids: Vec<String> = self.holdout.iter().map(ToString::to_string).collect();
        format!("{:x}", Sha256::digest(ids.join("\n")))
    }
}

/// Rows grouped by target value, or by decile of the target when it has more than twenty values.
fn strata(target: &Array1<f32>) -> Vec<Vec<usize>> {
    let mut classes: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for (row, value) in target.iter().enumerate() {
        classes.entry(ordered_bits(*value)).or_default().push(row);
    }
    if classes.len() <= 20 {
        return classes.into_values().collect();
    }
    let sorted: Vec<usize> = classes.into_values().flatten().collect();
    sorted
        .chunks(sorted.len().div_ceil(10))
        .map(<[usize]>::to_vec)
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

fn quotas(classes: &[Vec<usize>], wanted: usize, total: usize) -> Vec<usize> {
    let exact = |rows: &Vec<usize>| rows.len() as f64 * wanted as f64 / total.max(1) as f64;
    let mut quotas: Vec<usize> = classes.iter().map(|rows| exact(rows) as usize).collect();
    let mut by_remainder: Vec<usize> = (0..classes.len())
        .filter(|&class| classes[class].len() > 1)
        .collect();
    by_remainder.sort_by(|&a, &b| {
        exact(&classes[b])
            .fract()
            .total_cmp(&exact(&classes[a]).fract())
    });
    let missing = wanted.saturating_sub(quotas.iter().sum());
    for class in by_remainder.into_iter().take(missing) {
        quotas[class] += 1;
    }
    quotas
}

fn others(total: usize, holdout: &[usize]) -> Vec<usize> {
    let mut held = vec![false; total];
    for &row in holdout {
        held[row] = true;
    }
    (0..total).filter(|&row| !held[row]).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::train::Dataset;

    fn counts(target: &Array1<f32>, rows: &[usize]) -> BTreeMap<u32, usize> {
        let mut counts = BTreeMap::new();
        for &row in rows {
            *counts.entry(target[row] as u32).or_default() += 1;
        }
        counts
    }

    #[test]
    fn every_class_keeps_its_share() {
        let wine = Dataset::wine_quality().unwrap().canonical(true);
        let split = Split::stratified(&wine.target, 0.2, 42);
        assert_eq!((split.train.len(), split.holdout.len()), (4256, 1064));
        // scikit-learn 1.9.1 train_test_split(stratify=y, test_size=.2) on the same rows holds out these counts.
        let expected = BTreeMap::from([
            (3, 6),
            (4, 41),
            (5, 350),
            (6, 465),
            (7, 171),
            (8, 30),
            (9, 1),
        ]);
        assert_eq!(counts(&wine.target, &split.holdout), expected);
        assert_eq!(split, Split::stratified(&wine.target, 0.2, 42));
        assert_ne!(
            split.holdout_sha256(),
            Split::stratified(&wine.target, 0.2, 43).holdout_sha256()
        );
    }

    #[test]
    fn folds_cover_each_row_once_and_are_stratified() {
        let wine = Dataset::wine_quality().unwrap().canonical(true);
        let folds = Split::k_fold(&wine.target, 5, 42);
        let mut all: Vec<usize> = folds.iter().flat_map(|fold| fold.holdout.clone()).collect();
        all.sort_unstable();
        assert_eq!(all, (0..wine.len()).collect::<Vec<_>>());
        for fold in &folds {
            assert_eq!(fold.train.len() + fold.holdout.len(), wine.len());
            assert_eq!(counts(&wine.target, &fold.holdout)[&9], 1);
            assert_eq!(fold.holdout.len(), 1064);
        }
    }

    #[test]
    fn a_class_of_one_is_never_held_out_and_continuous_targets_work() {
        let mut target = Array1::from_elem(100, 5.0);
        target[7] = 9.0;
        assert!(Split::stratified(&target, 0.2, 1).train.contains(&7));
        let continuous = Array1::from_iter((0..1000).map(|i| (i as f32 * 0.37).sin()));
        let split = Split::stratified(&continuous, 0.2, 1);
        assert_eq!(split.holdout.len(), 200);
    }
}
