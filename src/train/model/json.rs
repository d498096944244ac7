//! `forest.json`: a model with explicit children, for people, for the scikit-learn converter, for other tools.

use serde::{Deserialize, Serialize};

use super::{Member, Model, ModelError};
use crate::train::plan::Family;
use crate::train::tree::{LEAF, Node, Tree, TreeError};

const SCHEMA: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Document {
    schema: u32,
    family: Family,
    features: Vec<String>,
    members: Vec<Part>,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Part {
    Trees {
        weight: f64,
        base: f64,
        scale: f64,
        trees: Vec<Columns>,
    },
    Linear {
        weight: f64,
        intercept: f64,
        coefficients: Vec<f64>,
        means: Vec<f64>,
    },
}

/// One tree, a list per field, as scikit-learn's `tree_` has it (`feature` −1 and children −1 for a leaf).
#[derive(Serialize, Deserialize)]
struct Columns {
    feature: Vec<i32>,
    threshold: Vec<f32>,
    left: Vec<i64>,
    right: Vec<i64>,
    value: Vec<f32>,
    n: Vec<u32>,
    w: Vec<f32>,
    impurity: Vec<f32>,
    depth: usize,
}

pub(super) fn write(model: &Model) -> String {
    let part = |(weight, member): &(f64, Member)| match member {
        Member::Trees { base, scale, trees } => {
            let trees = trees.iter().map(columns).collect();
            Part::Trees {
                weight: *weight,
                base: *base,
                scale: *scale,
                trees,
            }
        }
        Member::Linear {
            intercept,
            coefficients,
            means,
        } => Part::Linear {
            weight: *weight,
            intercept: *intercept,
            coefficients: coefficients.clone(),
            means: means.clone(),
        },
    };
    let members = model.members.iter().map(part).collect();
    let document = Document {
        schema: SCHEMA,
        family: model.family,
        features: model.names.clone(),
        members,
    };
    // Finite numbers and strings always serialize.
    serde_json::to_string(&document).unwrap_or_default()
}

fn columns(tree: &Tree) -> Columns {
    let nodes = tree.nodes();
    let child = |node: &Node, side: i64| {
        if node.is_leaf() {
            -1
        } else {
            i64::from(node.left) + side
        }
    };
    Columns {
        feature: nodes
            .iter()
            .map(|node| {
                if node.is_leaf() {
                    -1
                } else {
                    i32::from(node.feature)
                }
            })
            .collect(),
        threshold: nodes.iter().map(|node| node.threshold).collect(),
        left: nodes.iter().map(|node| child(node, 0)).collect(),
        right: nodes.iter().map(|node| child(node, 1)).collect(),
        value: nodes.iter().map(|node| node.value).collect(),
        n: nodes.iter().map(|node| node.rows).collect(),
        w: nodes.iter().map(|node| node.weight).collect(),
        impurity: nodes.iter().map(|node| node.impurity).collect(),
        depth: tree.depth(),
    }
}

pub(super) fn read(bytes: &[u8]) -> Result<Model, ModelError> {
    let document: Document = serde_json::from_slice(bytes)
        .map_err(|error| ModelError::Content(format!("forest.json: {error}")))?;
    if document.schema != SCHEMA {
        return Err(ModelError::Content(format!(
            "schema {} (this vintner reads {SCHEMA})",
            document.schema
        )));
    }
    let features = document.features.len();
    let mut count = 0;
    let mut members = Vec::new();
    for part in document.members {
        members.push(match part {
            Part::Linear {
                weight,
                intercept,
                coefficients,
                means,
            } => (
                weight,
                Member::Linear {
                    intercept,
                    coefficients,
                    means,
                },
            ),
            Part::Trees {
                weight,
                base,
                scale,
                trees,
            } => {
                let mut read = Vec::with_capacity(trees.len());
                for columns in trees {
                    let tree = nodes(&columns)
                        .and_then(|nodes| Tree::new(nodes, features).map_err(Damage::Tree));
                    read.push(tree.map_err(|damage| damage.of_tree(count))?);
                    count += 1;
                }
                (
                    weight,
                    Member::Trees {
                        base,
                        scale,
                        trees: read,
                    },
                )
            }
        });
    }
    Model::new(document.family, document.features, members)
}

enum Damage {
    Lengths,
    Tree(TreeError),
}

impl Damage {
    fn of_tree(self, tree: usize) -> ModelError {
        match self {
            Self::Lengths => {
                ModelError::Content(format!("tree {tree}: lists of different lengths"))
            }
            Self::Tree(cause) => ModelError::Tree { tree, cause },
        }
    }
}

/// Children must stand where a breadth-first tree has them; anything else (cycles too) is refused.
fn nodes(columns: &Columns) -> Result<Vec<Node>, Damage> {
    let length = columns.feature.len();
    let lengths = [
        columns.threshold.len(),
        columns.value.len(),
        columns.n.len(),
        columns.w.len(),
        columns.impurity.len(),
    ];
    if lengths
        .iter()
        .chain([&columns.left.len(), &columns.right.len()])
        .any(|other| *other != length)
    {
        return Err(Damage::Lengths);
    }
    let mut next = 1;
    let mut nodes = Vec::with_capacity(length);
    for at in 0..length {
        let (left, right) = (columns.left[at], columns.right[at]);
        let leaf = columns.feature[at] == -1;
        let expected = if leaf { (-1, -1) } else { (next, next + 1) };
        if (left, right) != expected {
            return Err(Damage::Tree(TreeError::Child {
                node: at,
                child: left.unsigned_abs(),
            }));
        }
        next += if leaf { 0 } else { 2 };
        let Ok(feature) = (if leaf {
            Ok(LEAF)
        } else {
            u8::try_from(columns.feature[at])
        }) else {
            return Err(Damage::Tree(TreeError::Feature {
                node: at,
                feature: columns.feature[at],
            }));
        };
        if !leaf && feature == LEAF {
            return Err(Damage::Tree(TreeError::Feature {
                node: at,
                feature: columns.feature[at],
            }));
        }
        nodes.push(Node {
            feature,
            threshold: if leaf { 0.0 } else { columns.threshold[at] },
            left: 0,
            value: columns.value[at],
            rows: columns.n[at],
            weight: columns.w[at],
            impurity: columns.impurity[at],
        });
    }
    Ok(nodes)
}
