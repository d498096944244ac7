//! Parameters from text, as `--set max_depth=12` and Python's files have them.

use serde_json::Value;

use super::params::{MAX_FEATURES, check, must};
use super::{Family, MaxFeatures, ParamError, Plan};

impl Plan {
    /// Sets one parameter from text (`none` = unlimited). Names are scikit-learn's, `random_state` included; those of
    /// the boosters may be written `boosting.learning_rate`, and must be where a forest has the same name.
    pub fn set(&mut self, name: &str, text: &str) -> Result<(), ParamError> {
        let mut params = self.params.clone();
        let boosting = &mut params.boosting;
        let text = text.trim().trim_matches('"');
        match self.full_name(name) {
            "n_estimators" => params.n_estimators = parsed("n_estimators", text, must::TREES)?,
            "max_depth" if is_none(text) => params.max_depth = None,
            "max_depth" => params.max_depth = Some(parsed("max_depth", text, must::DEPTH)?),
            "min_samples_split" => {
                params.min_samples_split = parsed("min_samples_split", text, must::SPLIT)?;
            }
            "min_samples_leaf" => {
                params.min_samples_leaf = parsed("min_samples_leaf", text, must::LEAF)?;
            }
            "max_features" => params.max_features = features(text)?,
            "bootstrap" => params.bootstrap = flag("bootstrap", text)?,
            "seed" => params.seed = parsed("random_state", text, must::SEED)?,
            "boosting.max_iter" => boosting.max_iter = parsed("max_iter", text, must::TREES)?,
            "boosting.learning_rate" => {
                boosting.learning_rate = real("learning_rate", text, must::POSITIVE)?;
            }
            "boosting.max_leaf_nodes" => {
                boosting.max_leaf_nodes = parsed("max_leaf_nodes", text, must::TWO)?;
            }
            "boosting.min_samples_leaf" => {
                boosting.min_samples_leaf = parsed("min_samples_leaf", text, must::ONE)?;
            }
            "boosting.l2_regularization" => {
                boosting.l2_regularization = real("l2_regularization", text, must::NOT_NEGATIVE)?;
            }
            "boosting.subsample" => boosting.subsample = real("subsample", text, must::SHARE)?,
            "boosting.colsample" => boosting.colsample = real("colsample", text, must::SHARE)?,
            "boosting.n_bags" => boosting.n_bags = parsed("n_bags", text, must::BAGS)?,
            _ => return Err(ParamError::Unknown(name.to_owned())),
        }
        check(&params)?;
        self.params = params;
        Ok(())
    }

    /// Where a name stands: a booster reads `n_estimators` and `min_samples_leaf` as its own.
    fn full_name<'a>(&self, name: &'a str) -> &'a str {
        let boosts = self.family == Family::GradientBoosting;
        match name {
            "random_state" => "seed",
            "n_estimators" if boosts => "boosting.max_iter",
            "min_samples_leaf" if boosts => "boosting.min_samples_leaf",
            "max_iter" => "boosting.max_iter",
            "learning_rate" => "boosting.learning_rate",
            "max_leaf_nodes" => "boosting.max_leaf_nodes",
            "l2_regularization" => "boosting.l2_regularization",
            "subsample" => "boosting.subsample",
            "colsample" => "boosting.colsample",
            "n_bags" => "boosting.n_bags",
            name => name,
        }
    }
}

fn is_none(text: &str) -> bool {
    matches!(text, "none" | "None" | "null")
}

/// As Python would show it.
fn got(text: &str) -> String {
    match text {
        text if is_none(text) => "None".to_owned(),
        text if text.parse::<f64>().is_ok() => text.to_owned(),
        text => format!("'{}'", text.chars().take(40).collect::<String>()),
    }
}

fn parsed<T: std::str::FromStr>(
    name: &'static str,
    text: &str,
    must: &'static str,
) -> Result<T, ParamError> {
    text.parse()
        .map_err(|_| ParamError::range(name, must, &got(text)))
}

fn real(name: &'static str, text: &str, must: &'static str) -> Result<f64, ParamError> {
    let value = text.parse().ok().filter(|value: &f64| value.is_finite());
    value.ok_or_else(|| ParamError::range(name, must, &got(text)))
}

fn flag(name: &'static str, text: &str) -> Result<bool, ParamError> {
    match text {
        "true" | "True" => Ok(true),
        "false" | "False" => Ok(false),
        _ => Err(ParamError::range(name, must::FLAG, &got(text))),
    }
}

fn features(text: &str) -> Result<MaxFeatures, ParamError> {
    let value = if is_none(text) {
        Value::Null
    } else {
        serde_json::from_str(text).unwrap_or_else(|_| text.into())
    };
    MaxFeatures::try_from(value)
        .map_err(|_| ParamError::range("max_features", MAX_FEATURES, &got(text)))
}
