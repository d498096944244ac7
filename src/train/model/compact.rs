//! The compact bytes of a model: a JSON header, then the nodes of all trees, field by field, little-endian.

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
    let mut count = 0;
    let mut members = Vec::new();
    for part in header.members {
        let base = number(&part.base)?;
        let member = match part.scale {
            None => Member::Linear {
                intercept: base,
                coefficients: numbers(&part.coefficients)?,
                means: numbers(&part.means)?,
            },
            Some(scale) => {
                let mut trees = Vec::with_capacity(part.trees.len());
                for nodes in part.trees {
                    let nodes = read_tree(nodes as usize, &mut rest)?;
                    let tree = Tree::new(nodes, header.features.len());
                    trees.push(tree.map_err(|cause| ModelError::Tree { tree: count, cause })?);
                    count += 1;
                }
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

fn read_tree(nodes: usize, rest: &mut &[u8]) -> Result<Vec<Node>, ModelError> {
    let bytes = take(rest, nodes.saturating_mul(NODE_BYTES))?;
    let (features, numbers) = bytes.split_at(nodes);
    let column = |field: usize| &numbers[field * 4 * nodes..(field + 1) * 4 * nodes];
    let word = |column: &[u8], at: usize| {
        [
            column[at * 4],
            column[at * 4 + 1],
            column[at * 4 + 2],
            column[at * 4 + 3],
        ]
    };
    let (thresholds, values, rows, weights, impurities) =
        (column(0), column(1), column(2), column(3), column(4));
    let node = |(at, feature): (usize, &u8)| Node {
        feature: *feature,
        threshold: if *feature == LEAF {
            0.0
        } else {
            f32::from_le_bytes(word(thresholds, at))
        },
        left: 0,
        value: f32::from_le_bytes(word(values, at)),
        rows: u32::from_le_bytes(word(rows, at)),
        weight: f32::from_le_bytes(word(weights, at)),
        impurity: f32::from_le_bytes(word(impurities, at)),
    };
    Ok(features.iter().enumerate().map(node).collect())
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Result<&'a [u8], ModelError> {
    let (taken, left) = rest
        .split_at_checked(length)
        .ok_or(ModelError::Length("fewer bytes than the header says"))?;
    *rest = left;
    Ok(taken)
}
