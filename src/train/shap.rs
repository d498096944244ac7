//! What each feature adds to one prediction: exact SHAP values of trees (Lundberg et al. 2018, algorithm 2:
//! "path-dependent", the training rows in each node are the background).

use super::model::{Member, Model};
use super::tree::{Node, Tree};

/// A prediction taken apart: `base + Σ contributions` is the prediction.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// The mean prediction over the training rows.
    pub base: f64,
    /// One per feature, in the model's order.
    pub contributions: Vec<f64>,
}

impl Explanation {
    /// The prediction, before it is clipped to the scale.
    pub fn score(&self) -> f64 {
        self.base + self.contributions.iter().sum::<f64>()
    }

    /// Features by position with what each adds, the largest step first.
    pub fn ranked(&self) -> Vec<(usize, f64)> {
        let mut parts: Vec<(usize, f64)> = self.contributions.iter().copied().enumerate().collect();
        parts.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
        parts
    }
}

impl Model {
    /// Explains the score of one row. `None` when the row has another length than the model has features.
    pub fn explain(&self, row: &[f32]) -> Option<Explanation> {
        if row.len() != self.names().len() {
            return None;
        }
        let mut explanation = Explanation {
            base: 0.0,
            contributions: vec![0.0; row.len()],
        };
        for (weight, member) in self.members() {
            match member {
                Member::Trees { base, scale, trees } => {
                    explanation.base += weight * base;
                    for tree in trees {
                        explanation.base += weight * scale * expected(tree, 0);
                        Walk {
                            tree,
                            row,
                            scale: weight * scale,
                            to: &mut explanation.contributions,
                        }
                        .descend(0, &[], 1.0, 1.0, None);
                    }
                }
                Member::Linear {
                    intercept,
                    coefficients,
                    means,
                } => {
                    explanation.base += weight * intercept;
                    for (feature, (coefficient, mean)) in coefficients.iter().zip(means).enumerate()
                    {
                        explanation.base += weight * coefficient * mean;
                        explanation.contributions[feature] +=
                            weight * coefficient * (f64::from(row[feature]) - mean);
                    }
                }
            }
        }
        Some(explanation)
    }
}

/// Mean of the leaves under a node, weighted by their training rows.
fn expected(tree: &Tree, root: usize) -> f64 {
    let mut reach = vec![0.0; tree.nodes().len()];
    reach[root] = 1.0;
    let mut mean = 0.0;
    for (at, node) in tree.nodes().iter().enumerate() {
        if node.is_leaf() {
            mean += reach[at] * f64::from(node.value);
            continue;
        }
        for child in [node.left as usize, node.left as usize + 1] {
            reach[child] = reach[at] * share(node, &tree.nodes()[child]);
        }
    }
    mean
}

fn share(parent: &Node, child: &Node) -> f64 {
    f64::from(child.weight) / f64::from(parent.weight)
}

/// One feature met on the way down.
#[derive(Debug, Clone, Copy)]
struct Step {
    /// `None` for the root's placeholder.
    feature: Option<u8>,
    /// Share of the paths that come this way when the feature is unknown.
    zero: f64,
    /// 1 when the row itself comes this way, else 0.
    one: f64,
    /// Weight of the subsets of this size.
    weight: f64,
}

struct Walk<'a> {
    tree: &'a Tree,
    row: &'a [f32],
    scale: f64,
    to: &'a mut [f64],
}

impl Walk<'_> {
    /// The recursion is as deep as the tree, which is bounded by `tree::MAX_DEPTH`.
    fn descend(&mut self, at: usize, path: &[Step], zero: f64, one: f64, feature: Option<u8>) {
        let mut path = extend(path, zero, one, feature);
        let node = self.tree.nodes()[at];
        if node.is_leaf() {
            for place in 1..path.len() {
                let Step {
                    feature, zero, one, ..
                } = path[place];
                let share = unwound_sum(&path, place) * (one - zero) * f64::from(node.value);
                if let Some(feature) = feature {
                    self.to[usize::from(feature)] += self.scale * share;
                }
            }
            return;
        }
        let left = node.left as usize;
        let goes_right = self.row[usize::from(node.feature)] > node.threshold;
        let (hot, cold) = if goes_right {
            (left + 1, left)
        } else {
            (left, left + 1)
        };
        let (mut zero, mut one) = (1.0, 1.0);
        if let Some(place) = path
            .iter()
            .position(|step| step.feature == Some(node.feature))
        {
            (zero, one) = (path[place].zero, path[place].one);
            unwind(&mut path, place);
        }
        let share_of = |child: usize| share(&node, &self.tree.nodes()[child]);
        let (hot_share, cold_share) = (share_of(hot), share_of(cold));
        self.descend(hot, &path, zero * hot_share, one, Some(node.feature));
        self.descend(cold, &path, zero * cold_share, 0.0, Some(node.feature));
    }
}

fn extend(path: &[Step], zero: f64, one: f64, feature: Option<u8>) -> Vec<Step> {
    let depth = path.len();
    let mut longer = Vec::with_capacity(depth + 1);
    longer.extend_from_slice(path);
    longer.push(Step {
        feature,
        zero,
        one,
        weight: if depth == 0 { 1.0 } else { 0.0 },
    });
    let size = (depth + 1) as f64;
    for place in (0..depth).rev() {
        longer[place + 1].weight += one * longer[place].weight * (place + 1) as f64 / size;
        longer[place].weight *= zero * (depth - place) as f64 / size;
    }
    longer
}

/// Takes one feature out of the path again.
fn unwind(path: &mut Vec<Step>, out: usize) {
    let depth = path.len() - 1;
    let Step { zero, one, .. } = path[out];
    let mut next = path[depth].weight;
    let size = (depth + 1) as f64;
    for place in (0..depth).rev() {
        if one == 0.0 {
            path[place].weight *= size / (zero * (depth - place) as f64);
        } else {
            let kept = path[place].weight;
            path[place].weight = next * size / ((place + 1) as f64 * one);
            next = kept - path[place].weight * zero * (depth - place) as f64 / size;
        }
    }
    for place in out..depth {
        let Step {
            feature, zero, one, ..
        } = path[place + 1];
        path[place] = Step {
            feature,
            zero,
            one,
            weight: path[place].weight,
        };
    }
    path.pop();
}

/// Sum of the weights the path would have without one feature.
fn unwound_sum(path: &[Step], out: usize) -> f64 {
    let depth = path.len() - 1;
    let Step { zero, one, .. } = path[out];
    let mut next = path[depth].weight;
    let mut total = 0.0;
    let size = (depth + 1) as f64;
    for place in (0..depth).rev() {
        if one == 0.0 {
            total += path[place].weight * size / (zero * (depth - place) as f64);
        } else {
            let weight = next * size / ((place + 1) as f64 * one);
            total += weight;
            next = path[place].weight - weight * zero * (depth - place) as f64 / size;
        }
    }
    total
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::train::{Dataset, Family, Flow, Plan, Progress, dataset::Preflight, fit};

    fn trained(family: Family) -> (Model, Dataset) {
        let (_, data, split) = Preflight::of(&Dataset::wine_quality().unwrap(), true, 42).unwrap();
        let mut plan = Plan::new(family);
        plan.params.n_estimators = 5;
        plan.params.boosting.max_iter = 20;
        let model = fit(&plan, &data.select(&split.train), &mut |_: &Progress| {
            Flow::Continue
        })
        .unwrap()
        .model;
        (model, data.select(&split.holdout))
    }

    #[test]
    fn contributions_add_up_to_the_prediction() {
        for family in Family::ALL {
            let (model, rows) = trained(family);
            for row in rows.rows().take(20) {
                let row = row.as_slice().unwrap();
                let Explanation {
                    base,
                    contributions,
                } = model.explain(row).unwrap();
                let sum = base + contributions.iter().sum::<f64>();
                assert!(
                    (sum - f64::from(model.predict_row(row))).abs() < 1e-5,
                    "{family} {sum}"
                );
            }
        }
    }

    /// E[tree | features in `known`], as the path-dependent value function defines it.
    fn conditional(tree: &Tree, at: usize, row: &[f32], known: u32) -> f64 {
        let node = tree.nodes()[at];
        if node.is_leaf() {
            return f64::from(node.value);
        }
        let left = node.left as usize;
        if known >> node.feature & 1 == 1 {
            let right = usize::from(row[usize::from(node.feature)] > node.threshold);
            return conditional(tree, left + right, row, known);
        }
        let side = |child: usize| {
            share(&node, &tree.nodes()[child]) * conditional(tree, child, row, known)
        };
        side(left) + side(left + 1)
    }

    /// Shapley's formula over all subsets.
    fn brute_force(tree: &Tree, row: &[f32], feature: usize) -> f64 {
        let n = row.len() as u32;
        let factorial = |k: u32| (1..=k).map(f64::from).product::<f64>();
        let subsets = (0..1u32 << n).filter(|set| set >> feature & 1 == 0);
        subsets
            .map(|set| {
                let size = set.count_ones();
                let weight = factorial(size) * factorial(n - size - 1) / factorial(n);
                weight
                    * (conditional(tree, 0, row, set | 1 << feature)
                        - conditional(tree, 0, row, set))
            })
            .sum()
    }

    #[test]
    fn contributions_are_shapleys() {
        let (_, data, _) = Preflight::of(&Dataset::wine_quality().unwrap(), true, 42).unwrap();
        let mut plan = Plan::new(Family::RandomForest);
        plan.params.n_estimators = 2;
        plan.params.max_depth = Some(5);
        let model = fit(&plan, &data, &mut |_: &Progress| Flow::Continue)
            .unwrap()
            .model;
        for row in data.rows().step_by(1000) {
            let row = row.as_slice().unwrap();
            let explained = model.explain(row).unwrap();
            for feature in 0..row.len() {
                let exact: f64 = model
                    .trees()
                    .map(|(scale, tree)| scale * brute_force(tree, row, feature))
                    .sum();
                assert!(
                    (explained.contributions[feature] - exact).abs() < 1e-9,
                    "{feature}"
                );
            }
        }
    }
}
