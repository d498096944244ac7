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
