//! One tree of a forest, grown breadth-first.

use std::collections::VecDeque;
use std::ops::Range;

use super::control::Control;
use super::cut::{Cut, Cutter, Row, Side, Thresholds, partition};
use super::plan::Params;
use super::rng::TreeRng;
use super::table::Table;
use super::tree::{LEAF, MAX_DEPTH, Node, Tree};

/// Variance below which a node is pure (scikit-learn's `EPSILON`).
const PURE: f64 = f64::EPSILON;

/// Everything one tree is grown from.
pub(super) struct Soil<'a> {
    pub(super) table: &'a Table,
    pub(super) target: &'a [f32],
    pub(super) params: &'a Params,
    pub(super) thresholds: Thresholds,
}

/// A tree, and how often its bootstrap drew each row (empty when every row was used once).
pub(super) struct Grown {
    pub(super) tree: Tree,
    pub(super) draws: Vec<u32>,
}

impl Soil<'_> {
    /// Grows tree `index`; `None` when the fit was stopped meanwhile.
    pub(super) fn grow(&self, index: usize, control: &Control) -> Option<Grown> {
        let mut rng = TreeRng::new(self.params.seed, index as u64);
        let draws = if self.params.bootstrap {
            draw(self.table.rows, &mut rng)
        } else {
            Vec::new()
        };
        let rows = rows(self.target, &draws);
        let leaf = self.params.min_samples_leaf.of(self.table.rows);
        let split = self.params.min_samples_split.of(self.table.rows);
        let mut branch = Branch {
            cutter: Cutter::new(self.table, self.thresholds, leaf, 0.0),
            least: split.max(leaf.saturating_mul(2)),
            features: (0..self.table.columns.len()).collect(),
            wanted: self.params.max_features.of(self.table.columns.len()),
            soil: self,
            rng,
            rows,
            spare: Vec::new(),
        };
        Some(Grown {
            tree: branch.grow(control)?,
            draws,
        })
    }
}

/// How often each of `n` rows comes up in `n` draws.
pub(super) fn draw(n: usize, rng: &mut TreeRng) -> Vec<u32> {
    let mut draws = vec![0; n];
    for _ in 0..n {
        draws[rng.below(n)] += 1;
    }
    draws
}

fn rows(target: &[f32], draws: &[u32]) -> Vec<Row> {
    let row = |index: usize, draws: u32| Row {
        index: index as u32,
        weight: draws as f32,
        sum: f64::from(target[index]) * f64::from(draws),
    };
    if draws.is_empty() {
        return (0..target.len()).map(|index| row(index, 1)).collect();
    }
    draws
        .iter()
        .enumerate()
        .filter(|(_, draws)| **draws > 0)
        .map(|(index, draws)| row(index, *draws))
        .collect()
}

struct Branch<'a> {
    soil: &'a Soil<'a>,
    cutter: Cutter<'a>,
    /// Fewest rows of a node that is split.
    least: usize,
    rng: TreeRng,
    features: Vec<usize>,
    wanted: usize,
    rows: Vec<Row>,
    spare: Vec<Row>,
}

impl Branch<'_> {
    fn grow(&mut self, control: &Control) -> Option<Tree> {
        let mut nodes = vec![self.leaf(0..self.rows.len())];
        let mut queue = VecDeque::from([(0, 0..self.rows.len(), 0)]);
        while let Some((index, range, depth)) = queue.pop_front() {
            if !control.go_on() {
                return None;
            }
            let Some(cut) = self.cut(&nodes[index], range.clone(), depth) else {
                continue;
            };
            let left = partition(
                self.soil.table,
                cut,
                &mut self.rows[range.clone()],
                &mut self.spare,
            );
            let middle = range.start + left;
            nodes[index].feature = cut.feature as u8;
            nodes[index].threshold = cut.threshold;
            nodes[index].left = nodes.len() as u32;
            for side in [range.start..middle, middle..range.end] {
                queue.push_back((nodes.len(), side.clone(), depth + 1));
                nodes.push(self.leaf(side));
            }
        }
        Some(Tree::from_grown(&nodes))
    }

    fn cut(&mut self, node: &Node, range: Range<usize>, depth: usize) -> Option<Cut> {
        let params = self.soil.params;
        let deepest = params.max_depth.unwrap_or(MAX_DEPTH).min(MAX_DEPTH);
        if depth >= deepest || range.len() < self.least || f64::from(node.impurity) <= PURE {
            return None;
        }
        let rows = &self.rows[range];
        self.cutter.best(
            rows,
            Side::of(rows),
            &mut self.features,
            self.wanted,
            &mut self.rng,
        )
    }

    fn leaf(&self, range: Range<usize>) -> Node {
        let rows = &self.rows[range];
        let side = Side::of(rows);
        let weight = f64::from(side.weight);
        let mean = side.sum / weight;
        // Two passes: the variance of large targets must not drown in their squares.
        let spread: f64 = rows
            .iter()
            .map(|row| {
                f64::from(row.weight)
                    * (f64::from(self.soil.target[row.index as usize]) - mean).powi(2)
            })
            .sum();
        Node {
            feature: LEAF,
            threshold: 0.0,
            left: 0,
            value: mean as f32,
            rows: side.rows,
            weight: side.weight,
            impurity: (spread / weight) as f32,
        }
    }
}
