//! The two families that linfa fits: ordinary least squares, and one readable tree.

use linfa::prelude::*;
use linfa_linear::LinearRegression;
use linfa_trees::{DecisionTree, TreeNode};
use ndarray::{Array1, Array2, Axis};

use super::dataset::Dataset;
use super::fit::TrainError;
use super::model::Member;
use super::plan::Params;
use super::table::midpoint;
use super::tree::{LEAF, MAX_DEPTH, Node, Tree};

/// Ordinary least squares. Features are standardised for the solver, constant ones get coefficient 0.
pub(super) fn least_squares(data: &Dataset) -> Result<Member, TrainError> {
    let scale = Scale::of(data);
    let varying: Vec<usize> = (0..data.names.len())
        .filter(|feature| scale.deviation[*feature] > 0.0)
        .collect();
    let records = scale.apply(data).select(Axis(1), &varying);
    let table = linfa::Dataset::new(records, data.target.mapv(f64::from));
    let fitted = LinearRegression::default()
        .fit(&table)
        .map_err(|error| TrainError::Linfa(error.to_string()))?;
    let mut coefficients = vec![0.0; data.names.len()];
    let mut intercept = fitted.intercept();
    for (feature, parameter) in varying.into_iter().zip(fitted.params()) {
        coefficients[feature] = parameter / scale.deviation[feature];
        intercept -= coefficients[feature] * scale.mean[feature];
    }
    Ok(Member::Linear {
        intercept,
        coefficients,
        means: scale.mean.to_vec(),
    })
}

/// A class tree of linfa-trees on standardised features (its tie tolerance is absolute); each leaf answers the mean
/// target of its training rows, which is the expected class.
pub(super) fn readable_tree(data: &Dataset, params: &Params) -> Result<Member, TrainError> {
    let records = Scale::of(data).apply(data);
    let classes = data.target.mapv(|y| y.round() as usize);
    let table = linfa::Dataset::new(records.clone(), classes);
    let fitted = DecisionTree::<f64, usize>::params()
        .max_depth(Some(params.max_depth.unwrap_or(MAX_DEPTH)))
        .min_weight_split(params.min_samples_split.of(data.len()) as f32)
        .min_weight_leaf(params.min_samples_leaf.of(data.len()) as f32)
        .fit(&table)
        .map_err(|error| TrainError::Linfa(error.to_string()))?;
    let mut nodes = Vec::new();
    let rows: Vec<usize> = (0..data.len()).collect();
    let refit = Refit {
        data,
        records: &records,
    };
    nodes.push(refit.leaf(&rows));
    refit.descend(0, fitted.root_node(), rows, &mut nodes);
    Ok(Member::Trees {
        base: 0.0,
        scale: 1.0,
        trees: vec![Tree::from_grown(&nodes)],
    })
}

/// Means and deviations of the features.
struct Scale {
    mean: Array1<f64>,
    deviation: Array1<f64>,
}

impl Scale {
    fn of(data: &Dataset) -> Self {
        let features = data.features.mapv(f64::from);
        let mean = features
            .mean_axis(Axis(0))
            .unwrap_or_else(|| Array1::zeros(data.names.len()));
        Self {
            mean,
            deviation: features.std_axis(Axis(0), 0.0),
        }
    }

    fn apply(&self, data: &Dataset) -> Array2<f64> {
        let divisor = self
            .deviation
            .mapv(|deviation| if deviation > 0.0 { deviation } else { 1.0 });
        (data.features.mapv(f64::from) - &self.mean) / &divisor
    }
}

/// Turns linfa's splits into ours, with thresholds between the raw values they separate.
struct Refit<'a> {
    data: &'a Dataset,
    records: &'a Array2<f64>,
}

impl Refit<'_> {
    fn descend(
        &self,
        at: usize,
        fitted: &TreeNode<f64, usize>,
        rows: Vec<usize>,
        nodes: &mut Vec<Node>,
    ) {
        if fitted.is_leaf() {
            return;
        }
        let (feature, value, _) = fitted.split();
        let (left, right): (Vec<usize>, Vec<usize>) = rows
            .into_iter()
            .partition(|row| self.records[[*row, feature]] < value);
        if left.is_empty() || right.is_empty() {
            return;
        }
        let raw = |row: &usize| self.data.features[[*row, feature]];
        let low = left.iter().map(raw).fold(f32::NEG_INFINITY, f32::max);
        let high = right.iter().map(raw).fold(f32::INFINITY, f32::min);
        nodes[at].feature = feature as u8;
        nodes[at].threshold = midpoint(low, high);
        nodes[at].left = nodes.len() as u32;
        let first = nodes.len();
        nodes.push(self.leaf(&left));
        nodes.push(self.leaf(&right));
        let sides = [(first, left), (first + 1, right)];
        for ((index, rows), child) in sides.into_iter().zip(fitted.children()) {
            if let Some(child) = child {
                self.descend(index, child, rows, nodes);
            }
        }
    }

    fn leaf(&self, rows: &[usize]) -> Node {
        let n = rows.len() as f64;
        let mean = rows
            .iter()
            .map(|row| f64::from(self.data.target[*row]))
            .sum::<f64>()
            / n;
        let spread = rows
            .iter()
            .map(|row| (f64::from(self.data.target[*row]) - mean).powi(2))
            .sum::<f64>()
            / n;
        Node {
            feature: LEAF,
            threshold: 0.0,
            left: 0,
            value: mean as f32,
            rows: rows.len() as u32,
            weight: rows.len() as f32,
            impurity: spread as f32,
        }
    }
}
