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

    /// Whether trees are all it is made of.
    pub fn is_trees(&self) -> bool {
        let trees = |(_, member): &(f64, Member)| matches!(member, Member::Trees { .. });
        self.members.iter().all(trees)
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

    /// The readable form (`forest.json`): explicit children, shortest decimals. Trees come back exactly, weights to
    /// the last digit but one.
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;
    use crate::train::{Dataset, Flow, Plan, Progress, fit};

    fn trained(family: Family) -> Model {
        let data = Dataset::wine_quality().unwrap();
        let rows: Vec<usize> = (0..data.len()).step_by(40).collect();
        let mut plan = Plan::new(family);
        plan.params.n_estimators = 3;
        plan.params.boosting.max_iter = 3;
        fit(&plan, &data.select(&rows), &mut |_: &Progress| {
            Flow::Continue
        })
        .unwrap()
        .model
    }

    #[test]
    fn both_forms_bring_every_family_back() {
        for family in Family::ALL {
            let model = trained(family);
            assert_eq!(
                Model::from_bytes(&model.to_bytes()).unwrap(),
                model,
                "{family}"
            );
            let read = Model::from_bytes(model.to_json().as_bytes()).unwrap();
            let trees = |model: &Model| {
                model
                    .trees()
                    .map(|(_, tree)| tree.clone())
                    .collect::<Vec<_>>()
            };
            assert_eq!(trees(&read), trees(&model), "{family}");
            let wine = [
                7.4, 0.7, 0.0, 1.9, 0.076, 11.0, 34.0, 0.9978, 3.51, 0.56, 9.4, 0.0,
            ];
            assert!(
                (read.predict_row(&wine) - model.predict_row(&wine)).abs() < 1e-5,
                "{family}"
            );
        }
    }

    #[test]
    fn truncated_and_lengthened_files_are_refused() {
        let bytes = trained(Family::RandomForest).to_bytes();
        for length in [0, 4, 8, 11, 40, bytes.len() - 1] {
            assert!(Model::from_bytes(&bytes[..length]).is_err(), "{length}");
        }
        let longer = [bytes.as_slice(), b"x"].concat();
        assert_eq!(
            Model::from_bytes(&longer),
            Err(ModelError::Length("more bytes than the header says"))
        );
        assert_eq!(
            Model::from_bytes(b"\x80\x04\x95pickle"),
            Err(ModelError::Unknown)
        );
    }

    /// A forest.json of one tree with these lists.
    fn document(feature: &str, threshold: &str, left: &str, right: &str) -> String {
        let n = feature.split(',').count();
        let ones = vec!["1"; n].join(",");
        format!(
            r#"{{"schema":1,"family":"random-forest","features":["a","b"],"members":[{{"kind":"trees","weight":1.0,
            "base":0.0,"scale":1.0,"trees":[{{"feature":[{feature}],"threshold":[{threshold}],"left":[{left}],
            "right":[{right}],"value":[{ones}],"n":[{ones}],"w":[{ones}],"impurity":[{ones}],"depth":1}}]}}]}}"#
        )
    }

    #[test]
    fn hostile_trees_are_refused_with_a_reason() {
        let refusal = |text: String| Model::from_bytes(text.as_bytes()).unwrap_err().to_string();
        assert!(
            Model::from_bytes(document("0,-1,-1", "0.5,0,0", "1,-1,-1", "2,-1,-1").as_bytes())
                .is_ok()
        );
        let cycle = document("0,0,-1", "0.5,0.5,0", "1,0,-1", "2,2,-1");
        assert!(refusal(cycle).contains("child 0 is out of range"));
        assert!(refusal(document("0,-1,-1", "0.5,0,0", "7,-1,-1", "8,-1,-1")).contains("child 7"));
        assert!(
            refusal(document("0,-1,-1", "0.5,0,0", "1,-1,-1", "1,-1,-1"))
                .contains("out of range, shared")
        );
        assert!(
            refusal(document("9,-1,-1", "0.5,0,0", "1,-1,-1", "2,-1,-1"))
                .contains("there is no feature 9")
        );
        assert!(
            refusal(document("-1,-1", "0,0", "-1,-1", "-1,-1"))
                .contains("1 nodes cannot be reached")
        );
        assert!(
            refusal(document("0,-1,-1", "1e39,0,0", "1,-1,-1", "2,-1,-1"))
                .contains("not a finite number")
        );
        assert!(
            refusal(document("0,-1,-1", "null,0,0", "1,-1,-1", "2,-1,-1")).contains("forest.json")
        );
    }

    #[test]
    fn a_depth_bomb_is_refused() {
        let depth = 100_000;
        let leaf = crate::train::tree::Node {
            feature: crate::train::tree::LEAF,
            threshold: 0.0,
            left: 0,
            value: 1.0,
            rows: 1,
            weight: 1.0,
            impurity: 0.0,
        };
        let inner = crate::train::tree::Node { feature: 0, ..leaf };
        let mut nodes = vec![inner];
        for _ in 1..depth {
            nodes.extend([inner, leaf]);
        }
        nodes.extend([leaf, leaf]);
        assert_eq!(Tree::new(nodes, 1), Err(TreeError::TooDeep));
    }

    #[test]
    fn rows_of_another_width_have_no_score() {
        let model = trained(Family::RandomForest);
        assert!(model.predict_row(&[1.0; 3]).is_nan());
        assert!(
            model
                .predict(ndarray::Array2::zeros((2, 3)).view())
                .iter()
                .all(|score| score.is_nan())
        );
        assert!(model.predict_row(&[f32::NAN; 12]).is_finite());
    }

    proptest! {
        #[test]
        fn damaged_bytes_never_panic(at in 0usize..4000, byte: u8, second in 0usize..4000, other: u8) {
            use std::sync::OnceLock;
            static BYTES: OnceLock<Vec<u8>> = OnceLock::new();
            let mut bytes = BYTES.get_or_init(|| trained(Family::Blend).to_bytes()).clone();
            let length = bytes.len();
            bytes[at % length] = byte;
            bytes[second % length] = other;
            if let Ok(model) = Model::from_bytes(&bytes) {
                prop_assert!(!model.predict_row(&[1.0; 12]).is_infinite());
            }
        }
    }
}
