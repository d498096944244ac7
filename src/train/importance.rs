//! Which features matter: by impurity, and by what shuffling one costs.

use serde::Serialize;

use super::dataset::Dataset;
use super::grow::draw;
use super::model::Model;
use super::plan::Plan;
use super::progress::Scores;
use super::rng::TreeRng;
use super::tree::Tree;

/// One feature's weight.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Importance {
    /// The feature.
    pub name: String,
    /// Its importance.
    pub mean: f64,
    /// Standard error (permutation) or deviation between trees (impurity).
    pub error: f64,
}

/// Mean decrease in impurity, normalised to 1 per tree and over all (scikit-learn's `feature_importances_`), with the
/// deviation between trees. It overrates features with many values; see [`permutation`].
pub fn impurity(model: &Model) -> Vec<Importance> {
    let features = model.names().len();
    let per_tree: Vec<Vec<f64>> = model
        .trees()
        .map(|(_, tree)| decreases(tree, features))
        .collect();
    let mut importances = summarise(model.names(), &per_tree, false);
    let total: f64 = importances.iter().map(|importance| importance.mean).sum();
    if total > 0.0 {
        for importance in &mut importances {
            importance.mean /= total;
        }
    }
    importances
}

fn decreases(tree: &Tree, features: usize) -> Vec<f64> {
    let nodes = tree.nodes();
    let amount = |at: usize| f64::from(nodes[at].weight) * f64::from(nodes[at].impurity);
    let mut decreases = vec![0.0; features];
    for (at, node) in nodes.iter().enumerate().filter(|(_, node)| !node.is_leaf()) {
        let left = node.left as usize;
        decreases[usize::from(node.feature)] += amount(at) - amount(left) - amount(left + 1);
    }
    let total: f64 = decreases.iter().sum();
    if total > 0.0 {
        for decrease in &mut decreases {
            *decrease /= total;
        }
    }
    decreases
}

/// Loss of R2 on `rows` when one feature's values are shuffled, mean and standard error over `repeats` shuffles.
pub fn permutation(model: &Model, rows: &Dataset, repeats: usize, seed: u64) -> Vec<Importance> {
    let r2 = |features: ndarray::ArrayView2<'_, f32>| {
        Scores::of(rows.target.iter().copied(), model.predict(features)).r2
    };
    let whole = r2(rows.view());
    let mut rng = TreeRng::new(seed, 0x5E0F);
    let mut shuffled = rows.features.clone();
    let mut losses = vec![vec![0.0; rows.names.len()]; repeats];
    for feature in 0..rows.names.len() {
        for loss in &mut losses {
            let mut values = rows.features.column(feature).to_vec();
            rng.shuffle(&mut values);
            shuffled
                .column_mut(feature)
                .assign(&ndarray::Array1::from(values));
            loss[feature] = whole - r2(shuffled.view());
        }
        shuffled
            .column_mut(feature)
            .assign(&rows.features.column(feature));
    }
    summarise(&rows.names, &losses, true)
}

/// Breiman's out-of-bag importance: for each tree, the rise of the mean squared error on the rows its bootstrap left
/// out when one feature is shuffled among them; mean and standard error over trees. The bootstraps are drawn again
/// from the seed. `None` unless `model` is a bootstrapped forest that `plan` grew on `train`.
pub fn out_of_bag(model: &Model, plan: &Plan, train: &Dataset) -> Option<Vec<Importance>> {
    if !plan.has_out_of_bag() || model.family() != plan.family {
        return None;
    }
    let rows = train.features.as_standard_layout();
    let rows: Vec<&[f32]> = rows.as_slice()?.chunks(train.names.len()).collect();
    let rises: Vec<Vec<f64>> = model
        .trees()
        .enumerate()
        .map(|(index, (_, tree))| {
            let mut rng = TreeRng::new(plan.params.seed, index as u64);
            let draws = draw(rows.len(), &mut rng);
            let unseen: Vec<usize> = (0..rows.len()).filter(|row| draws[*row] == 0).collect();
            rise_per_feature(tree, &rows, train, &unseen, &mut rng)
        })
        .collect();
    Some(summarise(&train.names, &rises, true))
}

fn rise_per_feature(
    tree: &Tree,
    rows: &[&[f32]],
    train: &Dataset,
    unseen: &[usize],
    rng: &mut TreeRng,
) -> Vec<f64> {
    let error = |row: usize, answer: f32| f64::from(train.target[row] - answer).powi(2);
    let plain: f64 = unseen
        .iter()
        .map(|&row| error(row, tree.leaf(rows[row]).value))
        .sum();
    let mut order = unseen.to_vec();
    let mut wine = Vec::new();
    let mut rise = |feature: usize| {
        rng.shuffle(&mut order);
        let shuffled: f64 = unseen
            .iter()
            .zip(&order)
            .map(|(&row, &other)| {
                wine.clear();
                wine.extend_from_slice(rows[row]);
                wine[feature] = rows[other][feature];
                error(row, tree.leaf(&wine).value)
            })
            .sum();
        (shuffled - plain) / unseen.len().max(1) as f64
    };
    (0..train.names.len()).map(&mut rise).collect()
}

/// Mean over the lists, and their deviation or (`standard_error`) the standard error of the mean.
fn summarise(names: &[String], lists: &[Vec<f64>], standard_error: bool) -> Vec<Importance> {
    let n = lists.len().max(1) as f64;
    let one = |(feature, name): (usize, &String)| {
        let mean = lists.iter().map(|list| list[feature]).sum::<f64>() / n;
        let squares: f64 = lists
            .iter()
            .map(|list| (list[feature] - mean).powi(2))
            .sum();
        let deviation = (squares / (n - 1.0).max(1.0)).sqrt();
        let error = if standard_error {
            deviation / n.sqrt()
        } else {
            deviation
        };
        Importance {
            name: name.clone(),
            mean,
            error,
        }
    };
    names.iter().enumerate().map(one).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::train::{Flow, Progress, dataset::Preflight, fit};

    fn first(importances: &[Importance]) -> &str {
        &importances
            .iter()
            .max_by(|a, b| a.mean.total_cmp(&b.mean))
            .unwrap()
            .name
    }

    #[test]
    fn alcohol_matters_most_and_errors_are_small() {
        let (_, data, split) = Preflight::of(&Dataset::wine_quality().unwrap(), true, 42).unwrap();
        let (train, holdout) = (data.select(&split.train), data.select(&split.holdout));
        let mut plan = Plan::preset("owner").unwrap();
        plan.params.n_estimators = 40;
        let model = fit(&plan, &train, &mut |_: &Progress| Flow::Continue)
            .unwrap()
            .model;
        let by_impurity = impurity(&model);
        assert!((by_impurity.iter().map(|i| i.mean).sum::<f64>() - 1.0).abs() < 1e-9);
        let by_shuffling = permutation(&model, &holdout, 3, 1);
        let by_bag = out_of_bag(&model, &plan, &train).unwrap();
        for importances in [&by_impurity, &by_shuffling, &by_bag] {
            assert_eq!(first(importances), "alcohol");
        }
        let alcohol = by_bag.iter().find(|i| i.name == "alcohol").unwrap();
        assert!(
            alcohol.mean > 10.0 * alcohol.error && alcohol.error > 0.0,
            "{alcohol:?}"
        );
        assert!(
            out_of_bag(
                &model,
                &Plan {
                    family: crate::train::Family::ExtraTrees,
                    ..plan
                },
                &train
            )
            .is_none()
        );
    }

    #[test]
    fn the_redrawn_bags_are_the_trees_own() {
        let (_, data, _) = Preflight::of(&Dataset::wine_quality().unwrap(), true, 42).unwrap();
        let mut plan = Plan::preset("owner").unwrap();
        plan.params.n_estimators = 12;
        let outcome = fit(&plan, &data, &mut |_: &Progress| Flow::Continue).unwrap();
        for (index, (_, tree)) in outcome.model.trees().enumerate() {
            let draws = draw(data.len(), &mut TreeRng::new(42, index as u64));
            assert_eq!(
                draws.iter().filter(|draws| **draws > 0).count(),
                tree.nodes()[0].rows as usize
            );
        }
    }
}
