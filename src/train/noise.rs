//! The luck of the seed: how far a model's error on given rows would move if the same recipe drew other random numbers.

use super::dataset::Dataset;
use super::model::{Member, Model};
use super::tree::Tree;

/// Standard deviation over seeds of the mean squared error on `rows`, estimated from this one model; 0 where nothing
/// in it is drawn.
///
/// To first order a tree's part in the error is its `2/n · Σ (prediction − truth) · share`. A forest's trees are
/// independent draws, so the parts' variance adds up (the infinitesimal jackknife over trees). A booster's are not:
/// each repairs what the last left over, so only the jitter from tree to tree counts as drawn.
pub(super) fn seed_noise(model: &Model, rows: &Dataset, predicted: &[f32]) -> f64 {
    let slope = |(p, y): (&f32, &f32)| 2.0 * f64::from(p - y) / predicted.len() as f64;
    let slopes: Vec<f64> = predicted.iter().zip(&rows.target).map(slope).collect();
    let variance = |(weight, member): &(f64, Member)| match member {
        Member::Linear { .. } => 0.0,
        Member::Trees { scale, trees, .. } => {
            let parts: Vec<f64> = trees.iter().map(|tree| part(tree, rows, &slopes)).collect();
            let drawn = if is_average(*scale, trees) {
                independent(&parts)
            } else {
                jitter(&parts)
            };
            (weight * scale).powi(2) * drawn
        }
    };
    model.members().iter().map(variance).sum::<f64>().sqrt()
}

fn is_average(scale: f64, trees: &[Tree]) -> bool {
    (scale * trees.len() as f64 - 1.0).abs() < 1e-9
}

/// What a tree adds to the error, for a small change of its share.
fn part(tree: &Tree, rows: &Dataset, slopes: &[f64]) -> f64 {
    let answers = rows.rows().map(|row| match row.as_slice() {
        Some(row) => tree.leaf(row).value,
        None => tree.leaf(&row.to_vec()).value,
    });
    let added = answers
        .zip(slopes)
        .map(|(answer, slope)| f64::from(answer) * slope);
    added.sum()
}

/// Variance of the sum of independent parts.
fn independent(parts: &[f64]) -> f64 {
    if parts.len() < 2 {
        return 0.0;
    }
    let n = parts.len() as f64;
    let mean = parts.iter().sum::<f64>() / n;
    let spread: f64 = parts.iter().map(|part| (part - mean).powi(2)).sum();
    spread * n / (n - 1.0)
}

/// Variance of the sum of parts whose mean drifts slowly (von Neumann's successive differences).
fn jitter(parts: &[f64]) -> f64 {
    let differences = parts.windows(2).map(|pair| (pair[1] - pair[0]).powi(2));
    differences.sum::<f64>() / 2.0
}
