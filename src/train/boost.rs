//! Gradient boosting on squared error: each tree is grown leaf by leaf on what the earlier ones left over.

use std::ops::Range;

use super::control::Control;
use super::cut::{Cut, Cutter, Row, Side, Thresholds, partition};
use super::plan::Boosting;
use super::rng::TreeRng;
use super::table::Table;
use super::tree::{LEAF, Node, Tree};

/// A booster's start value and its trees, shrinkage included.
pub(super) struct Boosted {
    pub(super) base: f64,
    pub(super) trees: Vec<Tree>,
}

/// Grows `params.max_iter` trees, telling each through `each`; `None` when the fit was stopped meanwhile.
pub(super) fn boost(
    table: &Table,
    target: &[f32],
    params: &Boosting,
    seed: u64,
    control: &Control,
    mut each: impl FnMut(f64, &Tree),
) -> Option<Boosted> {
    let base = target.iter().map(|y| f64::from(*y)).sum::<f64>() / target.len() as f64;
    let mut left_over: Vec<f64> = target.iter().map(|y| f64::from(*y) - base).collect();
    let mut trees = Vec::with_capacity(params.max_iter);
    for round in 0..params.max_iter {
        let tree = Round::new(table, params, &left_over, seed, round).grow(control)?;
        step(table, &tree, &mut left_over);
        each(base, &tree);
        trees.push(tree);
    }
    Some(Boosted { base, trees })
}

/// Takes a tree's answers off what is left over.
fn step(table: &Table, tree: &Tree, left_over: &mut [f64]) {
    for (row, left_over) in left_over.iter_mut().enumerate() {
        let mut node = &tree.nodes()[0];
        while !node.is_leaf() {
            let right = table.columns[usize::from(node.feature)].raw[row] > node.threshold;
            node = &tree.nodes()[node.left as usize + usize::from(right)];
        }
        *left_over -= f64::from(node.value);
    }
}

/// One round: its rows, its features, its random numbers.
struct Round<'a> {
    table: &'a Table,
    params: &'a Boosting,
    cutter: Cutter<'a>,
    rng: TreeRng,
    rows: Vec<Row>,
    features: Vec<usize>,
    spare: Vec<Row>,
}

/// A leaf that could be split, and how.
struct Open {
    node: usize,
    range: Range<usize>,
    cut: Cut,
}

impl<'a> Round<'a> {
    fn new(
        table: &'a Table,
        params: &'a Boosting,
        left_over: &[f64],
        seed: u64,
        round: usize,
    ) -> Self {
        let mut rng = TreeRng::new(seed, round as u64);
        let mut features: Vec<usize> = (0..table.columns.len()).collect();
        rng.shuffle(&mut features);
        features
            .truncate(((table.columns.len() as f64 * params.colsample).round() as usize).max(1));
        Self {
            cutter: Cutter::new(
                table,
                Thresholds::Best,
                params.min_samples_leaf,
                params.l2_regularization,
            ),
            rows: sample(left_over, params.subsample, &mut rng),
            spare: Vec::new(),
            table,
            params,
            rng,
            features,
        }
    }

    /// Splits the leaf with the largest gain until there are enough leaves.
    fn grow(mut self, control: &Control) -> Option<Tree> {
        let mut nodes = vec![self.leaf(0..self.rows.len())];
        let mut open: Vec<Open> = self.open(0, 0..self.rows.len()).into_iter().collect();
        for _ in 1..self.params.max_leaf_nodes {
            if !control.go_on() {
                return None;
            }
            let by_gain = |a: &usize, b: &usize| open[*a].cut.gain.total_cmp(&open[*b].cut.gain);
            let Some(best) = (0..open.len()).max_by(by_gain) else {
                break;
            };
            let Open { node, range, cut } = open.swap_remove(best);
            let left = partition(
                self.table,
                cut,
                &mut self.rows[range.clone()],
                &mut self.spare,
            );
            let middle = range.start + left;
            nodes[node].feature = cut.feature as u8;
            nodes[node].threshold = cut.threshold;
            nodes[node].left = nodes.len() as u32;
            for side in [range.start..middle, middle..range.end] {
                open.extend(self.open(nodes.len(), side.clone()));
                nodes.push(self.leaf(side));
            }
        }
        Some(Tree::from_grown(&nodes))
    }

    fn open(&mut self, node: usize, range: Range<usize>) -> Option<Open> {
        let rows = &self.rows[range.clone()];
        if rows.len() < 2 * self.params.min_samples_leaf {
            return None;
        }
        let wanted = self.features.len();
        let cut = self.cutter.best(
            rows,
            Side::of(rows),
            &mut self.features,
            wanted,
            &mut self.rng,
        )?;
        (cut.gain > 0.0).then_some(Open { node, range, cut })
    }

    fn leaf(&self, range: Range<usize>) -> Node {
        let side = Side::of(&self.rows[range.clone()]);
        let mean = side.sum / f64::from(side.weight);
        let spread: f64 = self.rows[range]
            .iter()
            .map(|row| (row.sum - mean).powi(2))
            .sum();
        let step = self.params.learning_rate * side.sum
            / (f64::from(side.weight) + self.params.l2_regularization);
        Node {
            feature: LEAF,
            threshold: 0.0,
            left: 0,
            value: step as f32,
            rows: side.rows,
            weight: side.weight,
            impurity: (spread / f64::from(side.weight)) as f32,
        }
    }
}

/// A share of the rows without replacement, in row order (Knuth's selection sampling).
fn sample(left_over: &[f64], share: f64, rng: &mut TreeRng) -> Vec<Row> {
    let mut needed = ((left_over.len() as f64 * share).round() as usize).max(1);
    let mut rows = Vec::with_capacity(needed);
    for (index, sum) in left_over.iter().enumerate() {
        if rng.below(left_over.len() - index) < needed {
            rows.push(Row {
                index: index as u32,
                weight: 1.0,
                sum: *sum,
            });
            needed -= 1;
        }
    }
    rows
}
