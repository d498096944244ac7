//! A model as ONNX bytes, for any runtime with the `ai.onnx.ml` operators. Written by hand: the message is small, and
//! a protobuf compiler would cost every build more than these lines.

use super::model::{Member, Model};

/// Operator set of `ai.onnx.ml`; 5 deprecates `TreeEnsembleRegressor`.
const ML_OPSET: u64 = 3;
/// Operator set of the standard domain.
const OPSET: u64 = 17;
const IR_VERSION: u64 = 8;
const FLOAT: u64 = 1;

/// Bytes of an ONNX model: input `input` float[N, features], output `variable` float[N, 1]. A forest becomes one
/// `TreeEnsembleRegressor`, a linear model a `Scaler` and a `LinearRegressor`; `metadata` is stored as given. `None` for a blend of
/// trees and a linear model, which no plan makes.
pub fn onnx(model: &Model, metadata: &[(&str, &str)]) -> Option<Vec<u8>> {
    let nodes = match model.members() {
        [
            (
                weight,
                Member::Linear {
                    intercept,
                    coefficients,
                    means,
                },
            ),
        ] => linear(*weight, *intercept, coefficients, means),
        _ if model.is_trees() => vec![trees(model)],
        _ => return None,
    };
    let graph = nodes
        .iter()
        .fold(Message::new(), |graph, node| graph.bytes(1, node))
        .text(2, "vintner")
        .bytes(11, &value_info(INPUT, model.names().len() as u64))
        .bytes(12, &value_info(OUTPUT, 1));
    let opset = |domain: &str, version: u64| Message::new().text(1, domain).number(2, version).0;
    let mut message = Message::new()
        .number(1, IR_VERSION)
        .text(2, "vintner")
        .text(3, env!("CARGO_PKG_VERSION"))
        .bytes(7, &graph.0)
        .bytes(8, &opset("ai.onnx.ml", ML_OPSET))
        .bytes(8, &opset("", OPSET));
    let features = model.names().join(",");
    for (key, value) in metadata
        .iter()
        .copied()
        .chain([("features", features.as_str())])
    {
        message = message.bytes(14, &Message::new().text(1, key).text(2, value).0);
    }
    Some(message.0)
}

fn value_info(name: &str, width: u64) -> Vec<u8> {
    let rows = Message::new().text(2, "N");
    let columns = Message::new().number(1, width);
    let shape = Message::new().bytes(1, &rows.0).bytes(1, &columns.0);
    let tensor = Message::new().number(1, FLOAT).bytes(2, &shape.0);
    Message::new()
        .text(1, name)
        .bytes(2, &Message::new().bytes(1, &tensor.0).0)
        .0
}

const INPUT: &str = "input";
const OUTPUT: &str = "variable";

fn node(operator: &str, [from, to]: [&str; 2], attributes: &[Vec<u8>]) -> Vec<u8> {
    let node = Message::new()
        .text(1, from)
        .text(2, to)
        .text(3, operator)
        .text(4, operator);
    attributes
        .iter()
        .fold(node, |node, attribute| node.bytes(5, attribute))
        .text(7, "ai.onnx.ml")
        .0
}

/// Runtimes add up in single precision, where a large intercept and large products would cancel: measured from the
/// training means, all terms are small.
fn linear(weight: f64, intercept: f64, coefficients: &[f64], means: &[f64]) -> Vec<Vec<u8>> {
    const CENTRED: &str = "centred";
    let offsets: Vec<f32> = means.iter().map(|mean| *mean as f32).collect();
    let scaled: Vec<f32> = coefficients.iter().map(|c| (weight * c) as f32).collect();
    // From the offsets as they are stored, so that nothing is lost.
    let pairs = coefficients.iter().zip(&offsets);
    let at_means: f64 = pairs.map(|(c, offset)| c * f64::from(*offset)).sum();
    let scaler = [
        floats("offset", &offsets),
        floats("scale", &vec![1.0; offsets.len()]),
    ];
    let regressor = [
        floats("coefficients", &scaled),
        floats("intercepts", &[(weight * (intercept + at_means)) as f32]),
        int("targets", 1),
    ];
    vec![
        node("Scaler", [INPUT, CENTRED], &scaler),
        node("LinearRegressor", [CENTRED, OUTPUT], &regressor),
    ]
}

/// The lists of a `TreeEnsembleRegressor`, trees one after the other.
#[derive(Default)]
struct Lists {
    tree: Vec<i64>,
    id: Vec<i64>,
    feature: Vec<i64>,
    on_true: Vec<i64>,
    on_false: Vec<i64>,
    threshold: Vec<f32>,
    mode: Vec<&'static str>,
    leaf_tree: Vec<i64>,
    leaf_id: Vec<i64>,
    weight: Vec<f32>,
}

fn trees(model: &Model) -> Vec<u8> {
    // A plain forest is an average of untouched leaf values; anything else a sum of scaled ones.
    let plain = matches!(model.members(), [(_, Member::Trees { base, .. })] if *base == 0.0);
    let mut lists = Lists::default();
    for (tree, (scale, content)) in model.trees().enumerate() {
        let averaged = plain && model.members().len() == 1;
        for (id, node) in content.nodes().iter().enumerate() {
            let inner = !node.is_leaf();
            lists.tree.push(tree as i64);
            lists.id.push(id as i64);
            lists
                .feature
                .push(if inner { i64::from(node.feature) } else { 0 });
            lists.on_true.push(i64::from(node.left));
            lists
                .on_false
                .push(if inner { i64::from(node.left) + 1 } else { 0 });
            lists.threshold.push(node.threshold);
            lists.mode.push(if inner { "BRANCH_LEQ" } else { "LEAF" });
            if !inner {
                lists.leaf_tree.push(tree as i64);
                lists.leaf_id.push(id as i64);
                lists.weight.push(if averaged {
                    node.value
                } else {
                    (scale * f64::from(node.value)) as f32
                });
            }
        }
    }
    lists.node(plain, base(model))
}

fn base(model: &Model) -> f32 {
    let base = |(weight, member): &(f64, Member)| match member {
        Member::Trees { base, .. } => weight * base,
        Member::Linear { .. } => 0.0,
    };
    model.members().iter().map(base).sum::<f64>() as f32
}

impl Lists {
    fn node(&self, average: bool, base: f32) -> Vec<u8> {
        let mut attributes = vec![
            ints("nodes_treeids", &self.tree),
            ints("nodes_nodeids", &self.id),
            ints("nodes_featureids", &self.feature),
            ints("nodes_truenodeids", &self.on_true),
            ints("nodes_falsenodeids", &self.on_false),
            floats("nodes_values", &self.threshold),
            strings("nodes_modes", &self.mode),
            ints("target_treeids", &self.leaf_tree),
            ints("target_nodeids", &self.leaf_id),
            ints("target_ids", &vec![0; self.leaf_id.len()]),
            floats("target_weights", &self.weight),
            int("n_targets", 1),
            string(
                "aggregate_function",
                if average { "AVERAGE" } else { "SUM" },
            ),
            string("post_transform", "NONE"),
        ];
        if !average {
            attributes.push(floats("base_values", &[base]));
        }
        node("TreeEnsembleRegressor", [INPUT, OUTPUT], &attributes)
    }
}

fn ints(name: &str, values: &[i64]) -> Vec<u8> {
    let mut packed = Vec::new();
    for value in values {
        varint(&mut packed, *value as u64);
    }
    Message::new()
        .text(1, name)
        .bytes(8, &packed)
        .number(20, 7)
        .0
}

fn floats(name: &str, values: &[f32]) -> Vec<u8> {
    let packed: Vec<u8> = values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect();
    Message::new()
        .text(1, name)
        .bytes(7, &packed)
        .number(20, 6)
        .0
}

fn strings(name: &str, values: &[&str]) -> Vec<u8> {
    values
        .iter()
        .fold(Message::new().text(1, name), |message, value| {
            message.text(9, value)
        })
        .number(20, 8)
        .0
}

fn int(name: &str, value: u64) -> Vec<u8> {
    Message::new()
        .text(1, name)
        .number(3, value)
        .number(20, 2)
        .0
}

fn string(name: &str, value: &str) -> Vec<u8> {
    Message::new().text(1, name).text(4, value).number(20, 3).0
}

/// A protobuf message in the making.
struct Message(Vec<u8>);

impl Message {
    fn new() -> Self {
        Self(Vec::new())
    }

    fn number(mut self, field: u64, value: u64) -> Self {
        varint(&mut self.0, field << 3);
        varint(&mut self.0, value);
        self
    }

    fn bytes(mut self, field: u64, value: &[u8]) -> Self {
        varint(&mut self.0, field << 3 | 2);
        varint(&mut self.0, value.len() as u64);
        self.0.extend(value);
        self
    }

    fn text(self, field: u64, value: &str) -> Self {
        self.bytes(field, value.as_bytes())
    }
}

fn varint(to: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        to.push(value as u8 | 0x80);
        value >>= 7;
    }
    to.push(value as u8);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::HashMap;

    use super::*;
    use crate::train::{Dataset, Family, Flow, Plan, Progress, fit};

    /// Fields of a message: number → values, each its varint or its bytes.
    fn fields(mut bytes: &[u8]) -> HashMap<u64, Vec<(u64, &[u8])>> {
        let mut fields: HashMap<u64, Vec<(u64, &[u8])>> = HashMap::new();
        while !bytes.is_empty() {
            let key = read_varint(&mut bytes);
            let value = read_varint(&mut bytes);
            let content = if key & 7 == 2 {
                bytes.split_at(value as usize).0
            } else {
                &[]
            };
            bytes = &bytes[content.len()..];
            fields.entry(key >> 3).or_default().push((value, content));
        }
        fields
    }

    fn read_varint(bytes: &mut &[u8]) -> u64 {
        let mut value = 0;
        for shift in (0..).step_by(7) {
            let (byte, rest) = bytes.split_first().unwrap();
            *bytes = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return value;
            }
        }
        value
    }

    struct Decoded {
        ints: HashMap<String, Vec<i64>>,
        floats: HashMap<String, Vec<f32>>,
        average: bool,
    }

    fn decode(bytes: &[u8]) -> Decoded {
        let graph = fields(fields(bytes)[&7][0].1);
        let attributes = graph[&1]
            .iter()
            .flat_map(|(_, node)| fields(node).remove(&5).unwrap());
        let mut decoded = Decoded {
            ints: HashMap::new(),
            floats: HashMap::new(),
            average: false,
        };
        for (_, attribute) in attributes {
            let attribute = fields(attribute);
            let name = String::from_utf8(attribute[&1][0].1.to_vec()).unwrap();
            if let Some(packed) = attribute.get(&8) {
                let (mut rest, mut values) = (packed[0].1, Vec::new());
                while !rest.is_empty() {
                    values.push(read_varint(&mut rest) as i64);
                }
                decoded.ints.insert(name, values);
            } else if let Some(packed) = attribute.get(&7) {
                let values = packed[0]
                    .1
                    .chunks(4)
                    .map(|b| f32::from_le_bytes(b.try_into().unwrap()))
                    .collect();
                decoded.floats.insert(name, values);
            } else if name == "aggregate_function" {
                decoded.average = attribute[&4][0].1 == b"AVERAGE";
            }
        }
        decoded
    }

    impl Decoded {
        fn predict(&self, row: &[f32]) -> f64 {
            let ints = |name: &str| &self.ints[name];
            let (tree, truth, lie) = (
                ints("nodes_treeids"),
                ints("nodes_truenodeids"),
                ints("nodes_falsenodeids"),
            );
            let trees = *tree.last().unwrap() + 1;
            let leaves: HashMap<(i64, i64), f32> = ints("target_treeids")
                .iter()
                .zip(ints("target_nodeids"))
                .zip(&self.floats["target_weights"])
                .map(|((tree, node), weight)| ((*tree, *node), *weight))
                .collect();
            let mut sum = 0.0;
            for index in 0..trees {
                let start = tree.partition_point(|t| *t < index);
                let mut at = 0;
                while !leaves.contains_key(&(index, at)) {
                    let place = start + at as usize;
                    let goes_left = row[ints("nodes_featureids")[place] as usize]
                        <= self.floats["nodes_values"][place];
                    at = if goes_left { truth[place] } else { lie[place] };
                }
                sum += f64::from(leaves[&(index, at)]);
            }
            let base = self
                .floats
                .get("base_values")
                .map_or(0.0, |base| f64::from(base[0]));
            if self.average {
                sum / trees as f64
            } else {
                base + sum
            }
        }
    }

    #[test]
    fn the_bytes_say_what_the_model_says() {
        let data = Dataset::wine_quality().unwrap().canonical(true);
        for family in [
            Family::RandomForest,
            Family::Blend,
            Family::GradientBoosting,
            Family::DecisionTree,
        ] {
            let mut plan = Plan::new(family);
            plan.params.n_estimators = 4;
            plan.params.boosting.max_iter = 6;
            let model = fit(&plan, &data, &mut |_: &Progress| Flow::Continue)
                .unwrap()
                .model;
            let decoded = decode(&onnx(&model, &[("version", "v0001")]).unwrap());
            for row in data.rows().step_by(97) {
                let row = row.as_slice().unwrap();
                let gap = decoded.predict(row) - f64::from(model.predict_row(row));
                assert!(gap.abs() < 1e-5, "{family} {gap}");
            }
        }
        let linear = fit(&Plan::new(Family::Linear), &data, &mut |_: &Progress| {
            Flow::Continue
        })
        .unwrap()
        .model;
        let floats = decode(&onnx(&linear, &[]).unwrap()).floats;
        let mut gap: f32 = 0.0;
        for row in data.rows() {
            // As a runtime has it: everything in single precision.
            let centred = row
                .iter()
                .zip(&floats["offset"])
                .map(|(x, offset)| x - offset);
            let terms = centred.zip(&floats["coefficients"]).map(|(x, c)| x * c);
            let score = terms.fold(floats["intercepts"][0], |sum, term| sum + term);
            gap = gap.max((score - linear.predict_row(row.as_slice().unwrap())).abs());
        }
        assert!(gap < 4e-6, "{gap}");
    }
}
