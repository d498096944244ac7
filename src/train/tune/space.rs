//! What is varied for each family, and past trials as the sampler's crate wants them.

use std::collections::HashMap;

use optimizer::distribution::{Distribution, FloatDistribution, IntDistribution};
use optimizer::param::ParamValue;
use optimizer::parameter::ParamId;
use optimizer::sampler::CompletedTrial;
use serde_json::Value;

use super::{Search, Trial};
use crate::train::plan::Family;

/// One parameter's range.
#[derive(Debug, Clone, PartialEq)]
pub struct Dimension {
    /// Name as `Plan::set` takes it.
    pub name: &'static str,
    pub(super) distribution: Distribution,
}

impl Dimension {
    /// The two ends of its range, as `Plan::set` takes them.
    pub(super) fn ends(&self) -> (Value, Value) {
        match &self.distribution {
            Distribution::Int(range) => (range.low.into(), range.high.into()),
            Distribution::Float(range) => (range.low.into(), range.high.into()),
            Distribution::Categorical(_) => (Value::Null, Value::Null),
        }
    }
}

/// What is varied for a family; the first three are the Python project's own search space.
pub fn space(family: Family) -> Vec<Dimension> {
    let int = |name, low, high| {
        let range = IntDistribution {
            low,
            high,
            log_scale: false,
            step: None,
        };
        Dimension {
            name,
            distribution: Distribution::Int(range),
        }
    };
    let float = |name, low: f64, high: f64, log_scale| {
        let range = FloatDistribution {
            low,
            high,
            log_scale,
            step: None,
        };
        Dimension {
            name,
            distribution: Distribution::Float(range),
        }
    };
    // No two ranges are equal: the sampler tells parameters apart by their ranges.
    let forest = vec![
        int("n_estimators", 1, 200),
        int("max_depth", 1, 20),
        int("min_samples_split", 2, 20),
        int("max_features", 1, 12),
        int("min_samples_leaf", 1, 10),
    ];
    let boosting = vec![
        int("max_iter", 50, 600),
        float("learning_rate", 0.005, 0.2, true),
        int("max_leaf_nodes", 4, 64),
        int("boosting.min_samples_leaf", 2, 40),
        float("l2_regularization", 0.0, 2.0, false),
        float("subsample", 0.4, 1.0, false),
        float("colsample", 0.35, 1.0, false),
    ];
    match family {
        Family::RandomForest | Family::ExtraTrees => forest,
        Family::GradientBoosting => boosting,
        Family::Blend => forest.into_iter().skip(2).chain(boosting).collect(),
        Family::DecisionTree => forest.into_iter().skip(1).take(2).collect(),
        Family::Linear => Vec::new(),
    }
}

/// Length of a range as the estimator sees it.
pub(super) fn width(range: &Distribution) -> f64 {
    match range {
        Distribution::Float(range) if range.log_scale => (range.high / range.low).ln(),
        Distribution::Float(range) => range.high - range.low,
        Distribution::Int(range) => (range.high - range.low) as f64,
        Distribution::Categorical(_) => 1.0,
    }
}

/// A family's dimensions with the crate's identities.
pub(super) struct Space {
    pub(super) dimensions: Vec<Dimension>,
    ids: Vec<ParamId>,
}

impl Space {
    pub(super) fn of(search: &Search) -> Self {
        let mut dimensions = space(search.plan.family);
        dimensions.retain(|dimension| search.fixed.iter().all(|name| name != dimension.name));
        Self {
            ids: dimensions.iter().map(|_| ParamId::new()).collect(),
            dimensions,
        }
    }

    pub(super) fn completed(&self, trial: &Trial) -> CompletedTrial {
        let (mut params, mut ranges) = (HashMap::new(), HashMap::new());
        for (dimension, id) in self.dimensions.iter().zip(&self.ids) {
            let Some(value) = trial.params.get(dimension.name) else {
                continue;
            };
            let value = match dimension.distribution {
                Distribution::Float(_) => value.as_f64().map(ParamValue::Float),
                _ => value.as_i64().map(ParamValue::Int),
            };
            if let Some(value) = value {
                params.insert(*id, value);
                ranges.insert(*id, dimension.distribution.clone());
            }
        }
        completed(trial, params, ranges)
    }
}

pub(super) fn completed(
    trial: &Trial,
    params: HashMap<ParamId, ParamValue>,
    ranges: HashMap<ParamId, Distribution>,
) -> CompletedTrial {
    let steps = trial
        .checkpoints
        .iter()
        .map(|(trees, mse)| (*trees as u64, *mse))
        .collect();
    let (id, labels) = (trial.number as u64, HashMap::new());
    CompletedTrial::with_intermediate_values(
        id,
        params,
        ranges,
        labels,
        trial.mse,
        steps,
        HashMap::new(),
    )
}
