//! Trees laid out for prediction: eight bytes a node, no branches on the way down, eight walks at once.

use rayon::prelude::*;

use super::tree::Tree;

/// Walks that are interleaved, so that one's memory waits hide behind the others'.
const LANES: usize = 8;

/// Rows worked on together: their features stay in the first cache level while every tree passes by.
const BLOCK: usize = 64;

/// A node; a leaf points to itself with an infinite threshold.
#[derive(Debug, Clone, Copy)]
struct PackedNode {
    threshold: f32,
    /// Feature in the top 8 bits, left child (from the tree's start) in the other 24.
    word: u32,
}

impl PackedNode {
    #[inline]
    fn next(self, row: &[f32]) -> u32 {
        let right = row[(self.word >> 24) as usize] > self.threshold;
        (self.word & 0x00FF_FFFF) + u32::from(right)
    }
}

/// Sum over trees, ready to be evaluated.
#[derive(Debug, Clone, Default)]
pub(super) struct Packed {
    nodes: Vec<PackedNode>,
    values: Vec<f32>,
    starts: Vec<u32>,
    features: usize,
}

/// Most nodes one tree may have to fit 24 bits.
pub(super) const MAX_TREE_NODES: usize = 1 << 24;

impl Packed {
    pub(super) fn new(trees: &[Tree], features: usize) -> Self {
        let nodes = trees.iter().map(|tree| tree.nodes().len()).sum();
        let mut packed = Self {
            nodes: Vec::with_capacity(nodes),
            values: Vec::with_capacity(nodes),
            starts: Vec::with_capacity(trees.len()),
            features,
        };
        for tree in trees {
            packed.starts.push(packed.nodes.len() as u32);
            for (index, node) in tree.nodes().iter().enumerate() {
                let inner = PackedNode {
                    threshold: node.threshold,
                    word: u32::from(node.feature) << 24 | node.left,
                };
                let leaf = PackedNode {
                    threshold: f32::INFINITY,
                    word: index as u32,
                };
                packed.nodes.push(if node.is_leaf() { leaf } else { inner });
                packed.values.push(node.value);
            }
        }
        packed
    }

    /// Σ of the trees' answers for one row of `features` values.
    pub(super) fn sum(&self, row: &[f32]) -> f64 {
        let mut sum = 0.0;
        for starts in self.starts.chunks(LANES) {
            let mut at = [0; LANES];
            at[..starts.len()].copy_from_slice(starts);
            let mut base = at;
            base[starts.len()..].fill(starts[0]);
            at[starts.len()..].fill(starts[0]);
            loop {
                let mut moved = 0;
                for lane in 0..LANES {
                    let next = base[lane] + self.nodes[at[lane] as usize].next(row);
                    moved |= next ^ at[lane];
                    at[lane] = next;
                }
                if moved == 0 {
                    break;
                }
            }
            for at in &at[..starts.len()] {
                sum += f64::from(self.values[*at as usize]);
            }
        }
        sum
    }

    /// Adds `scale` × Σ of the trees' answers to `sums`; `rows` holds `features` values for each of them.
    pub(super) fn add_sums(&self, rows: &[f32], scale: f64, sums: &mut [f64]) {
        let blocks = rows
            .par_chunks(BLOCK * self.features)
            .zip(sums.par_chunks_mut(BLOCK));
        blocks.with_min_len(4).for_each(|(rows, sums)| {
            let mut totals = [0.0; BLOCK];
            for tree in 0..self.starts.len() {
                self.add_tree(tree, rows, &mut totals[..sums.len()]);
            }
            for (sum, total) in sums.iter_mut().zip(totals) {
                *sum += scale * total;
            }
        });
    }

    fn add_tree(&self, tree: usize, rows: &[f32], totals: &mut [f64]) {
        let start = self.starts[tree] as usize;
        let end = self
            .starts
            .get(tree + 1)
            .map_or(self.nodes.len(), |next| *next as usize);
        let (nodes, values) = (&self.nodes[start..end], &self.values[start..end]);
        let width = self.features;
        for (rows, totals) in rows.chunks(LANES * width).zip(totals.chunks_mut(LANES)) {
            let mut at = [0u32; LANES];
            if totals.len() == LANES {
                let lanes: [&[f32]; LANES] =
                    std::array::from_fn(|lane| &rows[lane * width..(lane + 1) * width]);
                walk(nodes, &lanes, &mut at);
            } else {
                for (lane, row) in rows.chunks(width).enumerate() {
                    at[lane] = walk_one(nodes, row);
                }
            }
            for (total, at) in totals.iter_mut().zip(at) {
                *total += f64::from(values[at as usize]);
            }
        }
    }
}

#[inline]
fn walk(nodes: &[PackedNode], rows: &[&[f32]; LANES], at: &mut [u32; LANES]) {
    loop {
        let mut moved = 0;
        for lane in 0..LANES {
            let next = nodes[at[lane] as usize].next(rows[lane]);
            moved |= next ^ at[lane];
            at[lane] = next;
        }
        if moved == 0 {
            return;
        }
    }
}

fn walk_one(nodes: &[PackedNode], row: &[f32]) -> u32 {
    let mut at = 0;
    loop {
        let next = nodes[at as usize].next(row);
        if next == at {
            return at;
        }
        at = next;
    }
}
