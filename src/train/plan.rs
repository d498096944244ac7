//! What to train: family and hyper-parameters, with scikit-learn's names, meanings and complaints.

use serde::{Deserialize, Serialize};

/// A kind of model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Family {
    /// Bagged trees with the best cut per node (`RandomForestRegressor`).
    RandomForest,
    /// Trees with random cuts (`ExtraTreesRegressor`).
    ExtraTrees,
    /// Histogram gradient boosting, leaf-wise.
    GradientBoosting,
    /// Half extra-trees, half the mean of the boosters.
    Blend,
    /// Ordinary least squares.
    Linear,
    /// One readable tree of linfa-trees; the score is the expected class.
    DecisionTree,
}

impl Family {
    /// All families, in the order a chooser shows them.
    pub const ALL: [Self; 6] = [
        Self::RandomForest,
        Self::ExtraTrees,
        Self::GradientBoosting,
        Self::Blend,
        Self::Linear,
        Self::DecisionTree,
    ];

    /// The name in files and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::RandomForest => "random-forest",
            Self::ExtraTrees => "extra-trees",
            Self::GradientBoosting => "gradient-boosting",
            Self::Blend => "blend",
            Self::Linear => "linear",
            Self::DecisionTree => "decision-tree",
        }
    }
}

impl std::fmt::Display for Family {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}

impl std::str::FromStr for Family {
    type Err = ParamError;

    fn from_str(text: &str) -> Result<Self, ParamError> {
        let plain = text.to_ascii_lowercase().replace('_', "-");
        Self::ALL
            .into_iter()
            .find(|family| family.name() == plain)
            .ok_or_else(|| ParamError::Family(text.to_owned()))
    }
}

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

const MAX_FEATURES: &str = "an int in the range [1, inf), a float in the range (0.0, 1.0], a str among {'sqrt', 'log2'} or None";

/// Hyper-parameters under scikit-learn's names. A family reads those it knows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// Trees of a forest.
    pub n_estimators: usize,
    /// Deepest leaf; `None` (JSON null) is unlimited.
    pub max_depth: Option<usize>,
    /// Fewest distinct rows a node must have to be split.
    pub min_samples_split: usize,
    /// Fewest distinct rows on either side of a split.
    pub min_samples_leaf: usize,
    /// Features a node may choose from.
    pub max_features: MaxFeatures,
    /// Draw each tree's rows with replacement; extra-trees ignore it (all rows), as scikit-learn's default.
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
            min_samples_split: 2,
            min_samples_leaf: 1,
            max_features: MaxFeatures::All,
            bootstrap: true,
            seed: 42,
            boosting: Boosting::default(),
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

/// A family, its parameters, and how to run the fit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// What to train.
    pub family: Family,
    /// With which hyper-parameters.
    #[serde(default)]
    pub params: Params,
    /// Worker threads; `None` is one per core. The model does not depend on it.
    #[serde(default)]
    pub threads: Option<usize>,
    /// Stop a forest when 30 more trees brought less than this much out-of-bag R2.
    #[serde(default)]
    pub early_stop: Option<f64>,
}

/// [`Plan::early_stop`] when early stopping is asked for.
pub const EARLY_STOP: f64 = 0.001;

/// The preset of a plan that was changed by hand.
pub const CUSTOM: &str = "custom";

/// The preset that takes the champion's plan again.
pub const CHAMPION: &str = "champion";

/// Names of the presets that need nothing else (`champion` and `best_params.json` come from files).
pub const PRESETS: [&str; 3] = ["owner", "fast", "best"];

impl Plan {
    /// A family with default parameters.
    pub fn new(family: Family) -> Self {
        Self {
            family,
            params: Params::default(),
            threads: None,
            early_stop: None,
        }
    }

    /// `owner` (the deployed 138 / 8 / 3), `fast` (200 full-depth trees, 4 features a node) or `best` (the blend).
    pub fn preset(name: &str) -> Option<Self> {
        let forest = Params::default();
        let (family, params) = match name {
            "owner" => {
                let owner = Params {
                    n_estimators: 138,
                    max_depth: Some(8),
                    min_samples_split: 3,
                    ..forest
                };
                (Family::RandomForest, owner)
            }
            "fast" => {
                let fast = Params {
                    n_estimators: 200,
                    max_features: MaxFeatures::Count(4),
                    ..forest
                };
                (Family::RandomForest, fast)
            }
            "best" => {
                let boosting = Boosting {
                    n_bags: 2,
                    ..Boosting::default()
                };
                let max_features = MaxFeatures::Count(4);
                (
                    Family::Blend,
                    Params {
                        max_features,
                        min_samples_split: 3,
                        boosting,
                        ..forest
                    },
                )
            }
            _ => return None,
        };
        Some(Self {
            params,
            ..Self::new(family)
        })
    }

    /// Sets one parameter from text, as `--set max_depth=12` has it (`none` = unlimited).
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), ParamError> {
        let parsed = match value {
            "none" | "None" | "null" => serde_json::Value::Null,
            "True" => true.into(),
            "False" => false.into(),
            text => serde_json::from_str(text).unwrap_or_else(|_| text.into()),
        };
        let mut table = serde_json::to_value(&self.params)
            .map_err(|error| ParamError::Other(error.to_string()))?;
        let place = self
            .place(&mut table, name)
            .ok_or_else(|| ParamError::Unknown(name.to_owned()))?;
        *place = parsed;
        let params: Params = serde_json::from_value(table).map_err(|error| {
            ParamError::Other(format!(
                "The '{name}' parameter cannot be {value:?}: {error}."
            ))
        })?;
        check(&params)?;
        self.params = params;
        Ok(())
    }

    /// Where a name stands: boosting alone reads `learning_rate` and friends from its own table first.
    fn place<'a>(
        &self,
        table: &'a mut serde_json::Value,
        name: &str,
    ) -> Option<&'a mut serde_json::Value> {
        let boosts = self.family == Family::GradientBoosting;
        let name = if boosts && name == "n_estimators" {
            "max_iter"
        } else {
            name
        };
        let (in_forest, plain) = match name.split_once('.') {
            Some(("boosting", plain)) => (false, plain),
            Some(_) => return None,
            None => (name != "boosting" && table.get(name).is_some(), name),
        };
        let in_boosting = table["boosting"].get(plain).is_some();
        if in_boosting && (boosts || !in_forest) {
            return table["boosting"].get_mut(plain);
        }
        if in_forest {
            table.get_mut(plain)
        } else {
            None
        }
    }

    /// Checks every parameter the family reads, in scikit-learn's words.
    pub fn check(&self) -> Result<(), ParamError> {
        if let Some(0) = self.threads {
            return Err(ParamError::range(
                "n_jobs",
                "None or an int in the range [1, inf)",
                &0,
            ));
        }
        if self.early_stop.is_some() && !self.has_out_of_bag() {
            return Err(ParamError::Other(format!(
                "early stopping watches the out-of-bag curve, and {} has none; only a random-forest with bootstrap can stop early",
                self.family
            )));
        }
        check(&self.params)
    }
}

fn check(params: &Params) -> Result<(), ParamError> {
    let int = |name, value: usize, least: usize, most: usize, must: &'static str| {
        if (least..=most).contains(&value) {
            Ok(())
        } else {
            Err(ParamError::range(name, must, &value))
        }
    };
    int(
        "n_estimators",
        params.n_estimators,
        1,
        MAX_TREES,
        "an int in the range [1, 10000]",
    )?;
    int(
        "max_depth",
        params.max_depth.unwrap_or(1),
        1,
        usize::MAX,
        "an int in the range [1, inf) or None",
    )?;
    int(
        "min_samples_split",
        params.min_samples_split,
        2,
        usize::MAX,
        "an int in the range [2, inf)",
    )?;
    int(
        "min_samples_leaf",
        params.min_samples_leaf,
        1,
        usize::MAX,
        "an int in the range [1, inf)",
    )?;
    match params.max_features {
        MaxFeatures::Count(0) => return Err(ParamError::range("max_features", MAX_FEATURES, &0)),
        MaxFeatures::Fraction(share) if !(share > 0.0 && share <= 1.0) => {
            return Err(ParamError::range("max_features", MAX_FEATURES, &share));
        }
        _ => {}
    }
    let boosting = &params.boosting;
    int(
        "max_iter",
        boosting.max_iter,
        1,
        MAX_TREES,
        "an int in the range [1, 10000]",
    )?;
    int(
        "max_leaf_nodes",
        boosting.max_leaf_nodes,
        2,
        usize::MAX,
        "an int in the range [2, inf)",
    )?;
    int(
        "min_samples_leaf",
        boosting.min_samples_leaf,
        1,
        usize::MAX,
        "an int in the range [1, inf)",
    )?;
    int(
        "n_bags",
        boosting.n_bags,
        1,
        100,
        "an int in the range [1, 100]",
    )?;
    let float = |name, value: f64, ok: bool, must: &'static str| {
        if ok && value.is_finite() {
            Ok(())
        } else {
            Err(ParamError::range(name, must, &value))
        }
    };
    let Boosting {
        learning_rate,
        l2_regularization,
        subsample,
        colsample,
        ..
    } = *boosting;
    float(
        "learning_rate",
        learning_rate,
        learning_rate > 0.0,
        "a float in the range (0.0, inf)",
    )?;
    float(
        "l2_regularization",
        l2_regularization,
        l2_regularization >= 0.0,
        "a float in the range [0.0, inf)",
    )?;
    float(
        "subsample",
        subsample,
        subsample > 0.0 && subsample <= 1.0,
        "a float in the range (0.0, 1.0]",
    )?;
    float(
        "colsample",
        colsample,
        colsample > 0.0 && colsample <= 1.0,
        "a float in the range (0.0, 1.0]",
    )
}

const MAX_TREES: usize = 10_000;

/// A parameter that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParamError {
    /// Out of range; the sentence is scikit-learn's `InvalidParameterError`.
    #[error("The '{name}' parameter must be {must}. Got {got} instead.")]
    Range {
        /// The parameter.
        name: &'static str,
        /// What it may be.
        must: &'static str,
        /// What it was.
        got: String,
    },
    /// No such parameter.
    #[error(
        "There is no parameter '{0}'. There are: n_estimators, max_depth, min_samples_split, min_samples_leaf, \
         max_features, bootstrap, seed, and for boosting max_iter, learning_rate, max_leaf_nodes, \
         boosting.min_samples_leaf, l2_regularization, subsample, colsample, n_bags."
    )]
    Unknown(String),
    /// No such family.
    #[error(
        "There is no family '{0}'. There are: random-forest, extra-trees, gradient-boosting, blend, linear, \
         decision-tree."
    )]
    Family(String),
    /// A value of the wrong type.
    #[error("{0}")]
    Other(String),
}

impl ParamError {
    fn range(name: &'static str, must: &'static str, got: &dyn std::fmt::Display) -> Self {
        Self::Range {
            name,
            must,
            got: got.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn complaints_are_scikit_learns() {
        let mut plan = Plan::preset("owner").unwrap();
        assert_eq!(
            plan.set("min_samples_split", "1").unwrap_err().to_string(),
            "The 'min_samples_split' parameter must be an int in the range [2, inf). Got 1 instead."
        );
        assert_eq!(
            plan.set("max_features", "\"auto\"")
                .unwrap_err()
                .to_string()
                .matches("max_features")
                .count(),
            2,
            "names the parameter and the reason"
        );
        assert!(
            plan.set("tress", "3")
                .unwrap_err()
                .to_string()
                .starts_with("There is no parameter 'tress'")
        );
        assert!(plan.set("n_estimators", "138.5").is_err());
        assert_eq!(plan, Plan::preset("owner").unwrap());
    }

    #[test]
    fn text_sets_any_parameter() {
        let mut plan = Plan::preset("best").unwrap();
        for (name, value) in [
            ("max_depth", "none"),
            ("max_features", "0.5"),
            ("boosting.min_samples_leaf", "9"),
        ] {
            plan.set(name, value).unwrap();
        }
        plan.set("learning_rate", "0.1").unwrap();
        plan.set("min_samples_leaf", "2").unwrap();
        assert_eq!(
            (
                plan.params.boosting.min_samples_leaf,
                plan.params.min_samples_leaf
            ),
            (9, 2)
        );
        assert_eq!(plan.params.max_features, MaxFeatures::Fraction(0.5));
        let mut boosting = Plan::new(Family::GradientBoosting);
        boosting.set("n_estimators", "50").unwrap();
        boosting.set("min_samples_leaf", "3").unwrap();
        assert_eq!(
            (
                boosting.params.boosting.max_iter,
                boosting.params.boosting.min_samples_leaf
            ),
            (50, 3)
        );
    }

    #[test]
    fn plans_survive_json() {
        for name in PRESETS {
            let plan = Plan::preset(name).unwrap();
            let text = serde_json::to_string(&plan).unwrap();
            assert_eq!(serde_json::from_str::<Plan>(&text).unwrap(), plan, "{text}");
        }
    }

    #[test]
    fn max_features_counts_as_scikit_learn() {
        assert_eq!(MaxFeatures::Sqrt.of(12), 3);
        assert_eq!(MaxFeatures::Log2.of(12), 3);
        assert_eq!(MaxFeatures::Fraction(0.01).of(12), 1);
        assert_eq!(MaxFeatures::Count(40).of(12), 12);
    }
}
