//! A fitted model: predicts, and travels as bytes.

mod compact;
mod json;

use ndarray::{Array1, ArrayView2};
use sha2::{Digest, Sha256};

use super::packed::{MAX_TREE_NODES, Packed};
use super::plan::Family;
use super::tree::{MAX_FEATURES, Tree, TreeError};

/// Most trees a model may have.
pub const MAX_MODEL_TREES: usize = 100_000;

/// One part of a model.
#[derive(Debug, Clone, PartialEq)]
pub enum Member {
    /// `base + scale · Σ trees`: a forest has scale 1 / trees, a booster 1 (its shrinkage is in the leaves).
    Trees {
        /// Added once.
        base: f64,
        /// Factor of the sum.
        scale: f64,
        /// The trees.
        trees: Vec<Tree>,
    },
    /// `intercept + Σ coefficient · feature`.
    Linear {
        /// Value at zero.
        intercept: f64,
        /// One per feature.
        coefficients: Vec<f64>,
        /// Training means of the features, which contributions are measured from.
        means: Vec<f64>,
    },
}

/// A weighted sum of [`Member`]s over named features.
#[derive(Debug, Clone)]
pub struct Model {
    family: Family,
    names: Vec<String>,
    members: Vec<(f64, Member)>,
    packed: Vec<Packed>,
}

/// Equal when the learned content is.
impl PartialEq for Model {
    fn eq(&self, other: &Self) -> bool {
        self.family == other.family && self.names == other.names && self.members == other.members
    }
}

/// Why bytes are not a model.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// Neither of the two formats.
    #[error("not a vintner model (unknown first bytes)")]
    Unknown,
    /// The end came too early or too late.
    #[error("model file is truncated or has bytes left over: {0}")]
    Length(&'static str),
    /// A tree that is not one.
    #[error("model file is damaged: tree {tree}: {cause}")]
    Tree {
        /// Which, from 0.
        tree: usize,
        /// What is wrong with it.
        cause: TreeError,
    },
    /// Anything else that cannot be.
    #[error("model file is damaged: {0}")]
    Content(String),
}

impl Model {
    /// Puts a model together; refuses what could not be evaluated safely.
    pub fn new(
        family: Family,
        names: Vec<String>,
        members: Vec<(f64, Member)>,
    ) -> Result<Self, ModelError> {
        check(&names, &members)?;
        let pack = |(_, member): &(f64, Member)| match member {
            Member::Trees { trees, .. } => Packed::new(trees, names.len()),
            Member::Linear { .. } => Packed::default(),
        };
        let packed = members.iter().map(pack).collect();
        Ok(Self {
            family,
            names,
            members,
            packed,
        })
    }

    /// What was trained.
    pub fn family(&self) -> Family {
        self.family
    }

    /// Feature names in the order rows must have.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The parts with their weights.
    pub fn members(&self) -> &[(f64, Member)] {
        &self.members
    }

    /// All trees with the factor each has in the prediction.
    pub fn trees(&self) -> impl Iterator<Item = (f64, &Tree)> {
        self.members
            .iter()
            .flat_map(|(weight, member)| match member {
                Member::Trees { scale, trees, .. } => trees
                    .iter()
                    .map(|tree| (weight * scale, tree))
                    .collect::<Vec<_>>(),
                Member::Linear { .. } => Vec::new(),
            })
    }

    /// Number of tree nodes, leaves included.
    pub fn nodes(&self) -> usize {
        self.trees().map(|(_, tree)| tree.nodes().len()).sum()
    }

    /// The score of one row in the order of [`Self::names`]. A row of another length gives NaN.
    pub fn predict_row(&self, row: &[f32]) -> f32 {
        if row.len() != self.names.len() {
            return f32::NAN;
        }
        let member = |((weight, member), packed): (&(f64, Member), &Packed)| {
            weight
                * match member {
                    Member::Trees { base, scale, .. } => base + scale * packed.sum(row),
                    Member::Linear {
                        intercept,
                        coefficients,
                        ..
                    } => intercept + dot(coefficients, row),
                }
        };
        self.members
            .iter()
            .zip(&self.packed)
            .map(member)
            .sum::<f64>() as f32
    }

    /// The scores of many rows (rows × features), on all cores; equal to [`Self::predict_row`] bit for bit.
    pub fn predict(&self, rows: ArrayView2<'_, f32>) -> Array1<f32> {
        if rows.ncols() != self.names.len() {
            return Array1::from_elem(rows.nrows(), f32::NAN);
        }
        let rows = rows.as_standard_layout();
        let flat = rows.as_slice().unwrap_or_default();
        let mut scores = vec![0.0; rows.nrows()];
        let mut sums = vec![0.0; rows.nrows()];
        for ((weight, member), packed) in self.members.iter().zip(&self.packed) {
            sums.fill(0.0);
            let base = match member {
                Member::Trees { base, scale, .. } => {
                    packed.add_sums(flat, *scale, &mut sums);
                    base
                }
                Member::Linear {
                    intercept,
                    coefficients,
                    ..
                } => {
                    for (sum, row) in sums.iter_mut().zip(flat.chunks(self.names.len())) {
                        *sum = dot(coefficients, row);
                    }
                    intercept
                }
            };
            for (score, sum) in scores.iter_mut().zip(&sums) {
                *score += weight * (base + sum);
            }
        }
        scores.into_iter().map(|score| score as f32).collect()
    }

    /// The compact form: small, checked when read, loads in milliseconds.
    pub fn to_bytes(&self) -> Vec<u8> {
        compact::write(self)
    }

    /// Reads [`Self::to_bytes`] or [`Self::to_json`]. The bytes are not trusted: sizes, indices, depth and numbers
    /// are checked, and the worst that can happen is an error.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ModelError> {
        match bytes.first() {
            _ if bytes.starts_with(compact::MAGIC) => compact::read(bytes),
            Some(b'{') => json::read(bytes),
            _ => Err(ModelError::Unknown),
        }
    }

    /// The readable form (`forest.json`): explicit children, shortest exact decimals.
    pub fn to_json(&self) -> String {
        json::write(self)
    }

    /// SHA-256 of [`Self::to_bytes`]: two models are the same model when it is equal.
    pub fn sha256(&self) -> String {
        format!("{:x}", Sha256::digest(self.to_bytes()))
    }
}

fn dot(coefficients: &[f64], row: &[f32]) -> f64 {
    coefficients
        .iter()
        .zip(row)
        .map(|(c, x)| c * f64::from(*x))
        .sum()
}

fn check(names: &[String], members: &[(f64, Member)]) -> Result<(), ModelError> {
    let wrong = |text: &str| Err(ModelError::Content(text.to_owned()));
    if names.is_empty() || names.len() > MAX_FEATURES {
        return wrong("a model needs 1 to 255 features");
    }
    if members.is_empty() || members.len() > 1000 {
        return wrong("a model needs 1 to 1000 members");
    }
    for (weight, member) in members {
        let numbers: Vec<f64> = match member {
            Member::Trees { base, scale, trees } => {
                if trees.is_empty() || trees.len() > MAX_MODEL_TREES {
                    return wrong("a member needs 1 to 100000 trees");
                }
                if trees
                    .iter()
                    .any(|tree| tree.nodes().len() >= MAX_TREE_NODES)
                {
                    return wrong("a tree has more than 16 million nodes");
                }
                vec![*base, *scale]
            }
            Member::Linear {
                coefficients,
                means,
                ..
            } if coefficients.len() != names.len() || means.len() != names.len() => {
                return wrong("a linear model needs one coefficient and one mean per feature");
            }
            Member::Linear {
                intercept,
                coefficients,
                means,
            } => [&[*intercept], coefficients.as_slice(), means.as_slice()].concat(),
        };
        if !weight.is_finite() || numbers.iter().any(|number| !number.is_finite()) {
            return wrong("a weight is not a finite number");
        }
    }
    Ok(())
}
