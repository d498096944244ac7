//! The compact bytes of a model: a JSON header, then the nodes of all trees, field by field, little-endian.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{MAX_MODEL_TREES, Member, Model, ModelError};
use crate::train::plan::Family;
use crate::train::tree::{LEAF, Node, Tree};

/// Format 1.
pub(super) const MAGIC: &[u8] = b"vintner\x01";

/// Feature (1 byte), then threshold, value, rows, weight, impurity (4 bytes each).
const NODE_BYTES: usize = 21;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    family: Family,
    features: Vec<String>,
    members: Vec<Part>,
}

/// Numbers stand as text: `serde_json` reads them to the nearest but one, and a model must come back bit for bit.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Part {
    weight: String,
    base: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    scale: Option<String>,
    /// Nodes of each tree.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    trees: Vec<u32>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    coefficients: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    means: Vec<String>,
}

impl Part {
    fn of((weight, member): &(f64, Member)) -> Self {
        let texts = |numbers: &[f64]| numbers.iter().map(ToString::to_string).collect();
        let part = Self {
            weight: weight.to_string(),
            base: String::new(),
            scale: None,
            trees: Vec::new(),
            coefficients: Vec::new(),
            means: Vec::new(),
        };
        match member {
            Member::Trees { base, scale, trees } => Self {
                base: base.to_string(),
                scale: Some(scale.to_string()),
                trees: trees.iter().map(|tree| tree.nodes().len() as u32).collect(),
                ..part
            },
            Member::Linear {
                intercept,
                coefficients,
                means,
            } => Self {
                base: intercept.to_string(),
                coefficients: texts(coefficients),
                means: texts(means),
                ..part
            },
        }
    }
}

fn number(text: &str) -> Result<f64, ModelError> {
    text.parse()
        .map_err(|_| ModelError::Content("header: a number is not one".to_owned()))
}

fn numbers(texts: &[String]) -> Result<Vec<f64>, ModelError> {
    texts.iter().map(|text| number(text)).collect()
}

pub(super) fn write(model: &Model) -> Vec<u8> {
    let members = model.members.iter().map(Part::of).collect();
    let header = Header {
        family: model.family,
        features: model.names.clone(),
        members,
    };
    // A header of plain numbers and strings always serializes.
    let header = serde_json::to_vec(&header).unwrap_or_default();
    let mut bytes = Vec::with_capacity(MAGIC.len() + 4 + header.len() + model.nodes() * NODE_BYTES);
    bytes.extend(MAGIC);
    bytes.extend((header.len() as u32).to_le_bytes());
    bytes.extend(header);
    for (_, tree) in model.trees() {
        write_tree(tree.nodes(), &mut bytes);
    }
    bytes
}

fn write_tree(nodes: &[Node], bytes: &mut Vec<u8>) {
    bytes.extend(nodes.iter().map(|node| node.feature));
    bytes.extend(nodes.iter().flat_map(|node| node.threshold.to_le_bytes()));
    bytes.extend(nodes.iter().flat_map(|node| node.value.to_le_bytes()));
    bytes.extend(nodes.iter().flat_map(|node| node.rows.to_le_bytes()));
    bytes.extend(nodes.iter().flat_map(|node| node.weight.to_le_bytes()));
    bytes.extend(nodes.iter().flat_map(|node| node.impurity.to_le_bytes()));
}

pub(super) fn read(bytes: &[u8]) -> Result<Model, ModelError> {
    let mut rest = &bytes[MAGIC.len()..];
    let length = take(&mut rest, 4).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]))?;
    let header = take(&mut rest, length as usize)?;
    let header: Header = serde_json::from_slice(header)
        .map_err(|error| ModelError::Content(format!("header: {error}")))?;
    if header
        .members
        .iter()
        .map(|part| part.trees.len())
        .sum::<usize>()
        > MAX_MODEL_TREES
    {
        return Err(ModelError::Content("too many trees".to_owned()));
    }
    let (mut before, mut members) = (0, Vec::new());
    for part in header.members {
        let base = number(&part.base)?;
        let member = match part.scale {
            None => Member::Linear {
                intercept: base,
                coefficients: numbers(&part.coefficients)?,
                means: numbers(&part.means)?,
            },
            Some(scale) => {
                let trees = read_trees(&part.trees, header.features.len(), before, &mut rest)?;
                before += trees.len();
                Member::Trees {
                    base,
                    scale: number(&scale)?,
                    trees,
                }
            }
        };
        members.push((number(&part.weight)?, member));
    }
    if !rest.is_empty() {
        return Err(ModelError::Length("more bytes than the header says"));
    }
    Model::new(header.family, header.features, members)
}

/// Reads and checks trees of so many nodes, on all cores; `before` trees came before them.
fn read_trees(
    sizes: &[u32],
    features: usize,
    before: usize,
    rest: &mut &[u8],
) -> Result<Vec<Tree>, ModelError> {
    let slices: Vec<&[u8]> = sizes
        .iter()
        .map(|nodes| take(rest, (*nodes as usize).saturating_mul(NODE_BYTES)))
        .collect::<Result<_, _>>()?;
    let read = |(index, bytes): (usize, &&[u8])| {
        Tree::new(read_nodes(bytes), features).map_err(|cause| ModelError::Tree {
            tree: before + index,
            cause,
        })
    };
    slices.par_iter().enumerate().map(read).collect()
}

fn read_nodes(bytes: &[u8]) -> Vec<Node> {
    let nodes = bytes.len() / NODE_BYTES;
    let (features, numbers) = bytes.split_at(nodes);
    let column = |field: usize| {
        numbers[field * 4 * nodes..(field + 1) * 4 * nodes]
            .as_chunks::<4>()
            .0
    };
    let floats = |field| column(field).iter().map(|word| f32::from_le_bytes(*word));
    let rows = column(2).iter().map(|word| u32::from_le_bytes(*word));
    let answers = features.iter().zip(floats(0)).zip(floats(1));
    let counts = rows.zip(floats(3)).zip(floats(4));
    let mut read = Vec::with_capacity(nodes);
    for (((feature, threshold), value), ((rows, weight), impurity)) in answers.zip(counts) {
        read.push(Node {
            feature: *feature,
            threshold: if *feature == LEAF { 0.0 } else { threshold },
            left: 0,
            value,
            rows,
            weight,
            impurity,
        });
    }
    read
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Result<&'a [u8], ModelError> {
    let (taken, left) = rest
        .split_at_checked(length)
        .ok_or(ModelError::Length("fewer bytes than the header says"))?;
    *rest = left;
    Ok(taken)
}
