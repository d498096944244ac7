//! Hyper-parameters, their defaults and their ranges.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use super::{Family, ParamError, Samples};

/// How many features a node may choose from; written as scikit-learn writes it (`"sqrt"`, `4`, `0.5`, `null` = all).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "serde_json::Value", into = "serde_json::Value")]
pub enum MaxFeatures {
    /// All of them (`1.0`, `None`).
    All,
    /// Square root of their number.
    Sqrt,
    /// Base-2 logarithm of their number.
    Log2,
    /// That many.
    Count(usize),
    /// That share.
    Fraction(f64),
}

impl MaxFeatures {
    /// Features per node out of `n`, at least 1.
    pub fn of(self, n: usize) -> usize {
        let count = match self {
            Self::All => n,
            Self::Sqrt => (n as f64).sqrt() as usize,
            Self::Log2 => (n as f64).log2() as usize,
            Self::Count(count) => count,
            Self::Fraction(share) => (n as f64 * share) as usize,
        };
        count.clamp(1, n.max(1))
    }
}

impl TryFrom<serde_json::Value> for MaxFeatures {
    type Error = ParamError;

    fn try_from(value: serde_json::Value) -> Result<Self, ParamError> {
        use serde_json::Value;
        let wrong = || ParamError::range("max_features", MAX_FEATURES, &value);
        match &value {
            Value::Null => Ok(Self::All),
            Value::String(text) if text == "sqrt" => Ok(Self::Sqrt),
            Value::String(text) if text == "log2" => Ok(Self::Log2),
            Value::Number(number) => match (number.as_u64(), number.as_f64()) {
                (Some(count @ 1..), _) => Ok(Self::Count(count as usize)),
                (None, Some(1.0)) => Ok(Self::All),
                (None, Some(share)) if share > 0.0 && share < 1.0 => Ok(Self::Fraction(share)),
                _ => Err(wrong()),
            },
            _ => Err(wrong()),
        }
    }
}

impl From<MaxFeatures> for serde_json::Value {
    fn from(value: MaxFeatures) -> Self {
        match value {
            MaxFeatures::All => 1.0.into(),
            MaxFeatures::Sqrt => "sqrt".into(),
            MaxFeatures::Log2 => "log2".into(),
            MaxFeatures::Count(count) => count.into(),
            MaxFeatures::Fraction(share) => share.into(),
        }
    }
}

pub(super) const MAX_FEATURES: &str = "an int in the range [1, inf), a float in the range (0.0, 1.0], a str among {'sqrt', 'log2'} or None";

/// Hyper-parameters under scikit-learn's names. A family reads those it knows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// Trees of a forest.
    pub n_estimators: usize,
    /// Deepest leaf; `None` (JSON null) is unlimited.
    pub max_depth: Option<usize>,
    /// Fewest distinct rows a node must have to be split.
    pub min_samples_split: Samples,
    /// Fewest distinct rows on either side of a split.
    pub min_samples_leaf: Samples,
    /// Features a node may choose from.
    pub max_features: MaxFeatures,
    /// Draw each tree's rows with replacement; what is left out judges the forest (in a blend, the forest's half only).
    pub bootstrap: bool,
    /// Everything random follows from it.
    pub seed: u64,
    /// What the boosters read.
    pub boosting: Boosting,
}

/// Hyper-parameters of the boosters, named as in `HistGradientBoostingRegressor` (and LightGBM for the samples).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Boosting {
    /// Rounds, one tree each.
    pub max_iter: usize,
    /// Shrinkage of each tree.
    pub learning_rate: f64,
    /// Leaves per tree.
    pub max_leaf_nodes: usize,
    /// Fewest rows in a leaf.
    pub min_samples_leaf: usize,
    /// L2 penalty on leaf values.
    pub l2_regularization: f64,
    /// Share of the rows drawn (without replacement) for each tree.
    pub subsample: f64,
    /// Share of the features drawn for each tree.
    pub colsample: f64,
    /// Boosters with different seeds whose mean is taken.
    pub n_bags: usize,
}

impl Default for Params {
    /// scikit-learn's defaults of `RandomForestRegressor`, seed 42.
    fn default() -> Self {
        Self {
            n_estimators: 100,
            max_depth: None,
            min_samples_split: Samples::Count(2),
            min_samples_leaf: Samples::Count(1),
            max_features: MaxFeatures::All,
            bootstrap: true,
            seed: 42,
            boosting: Boosting::default(),
        }
    }
}

impl Params {
    /// A family's defaults where they are not the forest's: extra-trees see every row, as in scikit-learn, and the
    /// readable tree has eight leaves, which fit on a screen.
    pub fn of(family: Family) -> Self {
        let forest = Self::default();
        match family {
            Family::ExtraTrees | Family::Blend => Self {
                bootstrap: false,
                ..forest
            },
            Family::DecisionTree => Self {
                max_depth: Some(3),
                ..forest
            },
            Family::RandomForest | Family::GradientBoosting | Family::Linear => forest,
        }
    }
}

impl Default for Boosting {
    /// Values tuned for the wine data on training rows only.
    fn default() -> Self {
        Self {
            max_iter: 400,
            learning_rate: 0.0133,
            max_leaf_nodes: 44,
            min_samples_leaf: 14,
            l2_regularization: 0.33,
            subsample: 0.51,
            colsample: 0.63,
            n_bags: 1,
        }
    }
}

/// What each parameter must be, as scikit-learn says it.
pub(super) mod must {
    pub(in super::super) const TREES: &str = "an int in the range [1, 10000]";
    pub(in super::super) const DEPTH: &str = "an int in the range [1, inf) or None";
    pub(in super::super) const ONE: &str = "an int in the range [1, inf)";
    pub(in super::super) const SPLIT: &str =
        "an int in the range [2, inf) or a float in the range (0.0, 1.0]";
    pub(in super::super) const LEAF: &str =
        "an int in the range [1, inf) or a float in the range (0.0, 1.0)";
    pub(in super::super) const TWO: &str = "an int in the range [2, inf)";
    pub(in super::super) const BAGS: &str = "an int in the range [1, 100]";
    pub(in super::super) const POSITIVE: &str = "a float in the range (0.0, inf)";
    pub(in super::super) const NOT_NEGATIVE: &str = "a float in the range [0.0, inf)";
    pub(in super::super) const SHARE: &str = "a float in the range (0.0, 1.0]";
    pub(in super::super) const SEED: &str = "an int in the range [0, 18446744073709551615]";
    pub(in super::super) const FLAG: &str = "an instance of 'bool' (True or False)";
}

const MAX_TREES: usize = 10_000;
const MAX_BAGS: usize = 100;

/// All parameters in range, or the first that is not.
pub(super) fn check(params: &Params) -> Result<(), ParamError> {
    let Params { boosting, .. } = params;
    let any = 1..=usize::MAX;
    let depth = params.max_depth.unwrap_or(1);
    int(
        "n_estimators",
        params.n_estimators,
        1..=MAX_TREES,
        must::TREES,
    )?;
    int("max_depth", depth, any.clone(), must::DEPTH)?;
    let (split, leaf) = (params.min_samples_split, params.min_samples_leaf);
    let splits = match split {
        Samples::Count(count) => count >= 2,
        Samples::Share(share) => share > 0.0 && share <= 1.0,
    };
    if !splits {
        return Err(ParamError::range("min_samples_split", must::SPLIT, &split));
    }
    let leaves = match leaf {
        Samples::Count(count) => count >= 1,
        Samples::Share(share) => share > 0.0 && share < 1.0,
    };
    if !leaves {
        return Err(ParamError::range("min_samples_leaf", must::LEAF, &leaf));
    }
    match params.max_features {
        MaxFeatures::Count(0) => return Err(ParamError::range("max_features", MAX_FEATURES, &0)),
        MaxFeatures::Fraction(share) if !(share > 0.0 && share <= 1.0) => {
            return Err(ParamError::range("max_features", MAX_FEATURES, &share));
        }
        _ => {}
    }
    int("max_iter", boosting.max_iter, 1..=MAX_TREES, must::TREES)?;
    int(
        "max_leaf_nodes",
        boosting.max_leaf_nodes,
        2..=usize::MAX,
        must::TWO,
    )?;
    int(
        "min_samples_leaf",
        boosting.min_samples_leaf,
        any,
        must::ONE,
    )?;
    int("n_bags", boosting.n_bags, 1..=MAX_BAGS, must::BAGS)?;
    let above_zero = |x: f64| x > 0.0;
    let share = |x: f64| x > 0.0 && x <= 1.0;
    float(
        "learning_rate",
        boosting.learning_rate,
        above_zero,
        must::POSITIVE,
    )?;
    float(
        "l2_regularization",
        boosting.l2_regularization,
        |x| x >= 0.0,
        must::NOT_NEGATIVE,
    )?;
    float("subsample", boosting.subsample, share, must::SHARE)?;
    float("colsample", boosting.colsample, share, must::SHARE)
}

fn int(
    name: &'static str,
    value: usize,
    range: RangeInclusive<usize>,
    must: &'static str,
) -> Result<(), ParamError> {
    if range.contains(&value) {
        Ok(())
    } else {
        Err(ParamError::range(name, must, &value))
    }
}

fn float(
    name: &'static str,
    value: f64,
    ok: impl Fn(f64) -> bool,
    must: &'static str,
) -> Result<(), ParamError> {
    if value.is_finite() && ok(value) {
        Ok(())
    } else {
        Err(ParamError::range(name, must, &value))
    }
}
