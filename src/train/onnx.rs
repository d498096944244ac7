//! A model as ONNX bytes, for any runtime with the `ai.onnx.ml` operators. Written by hand: the message is small, and
//! a protobuf compiler would cost every build more than these lines.

mod protobuf;

use super::model::{Member, Model};
use protobuf::{Message, floats, int, ints, string, strings};

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

#[cfg(test)]
mod tests;
