//! What a trial's score rests on: only trials of the same search space, scored on the same rows, can be compared.

use serde::{Deserialize, Serialize};
use serde_json::Map;

use super::space::{Space, space};
use super::{Dimension, Search};
use crate::train::plan::{Family, ParamError, Params, Plan};
use crate::train::retrain::Prepared;

/// Everything but the varied parameters that decides a trial's score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Basis {
    /// What was trained.
    pub family: Family,
    /// Names of the parameters that were varied.
    pub varied: Vec<String>,
    /// The other parameters; those that were varied stand at the lower end of their range.
    pub fixed: Params,
    /// The plan's early stop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub early_stop: Option<f64>,
    /// Hash of all rows.
    pub data_sha256: String,
    /// Whether duplicates were dropped.
    pub deduplicated: bool,
    /// Seed of the split.
    pub split_seed: u64,
    /// Rows that were learned from.
    pub train: usize,
    /// Their hash.
    pub train_sha256: String,
}

impl Basis {
    /// What this search's trials rest on when these rows are learned from.
    pub fn of(search: &Search, rows: &Prepared) -> Result<Self, ParamError> {
        let space = Space::of(search);
        let low = |dimension: &Dimension| (dimension.name.to_owned(), dimension.ends().0);
        let corner: Map<_, _> = space.dimensions.iter().map(low).collect();
        let names = space.dimensions.iter();
        let preflight = &rows.preflight;
        let train = rows.train();
        Ok(Self {
            family: search.plan.family,
            varied: names.map(|dimension| dimension.name.to_owned()).collect(),
            fixed: search.plan_of(&corner)?.params,
            early_stop: search.plan.early_stop,
            data_sha256: preflight.sha256.clone(),
            deduplicated: preflight.deduplicated,
            split_seed: preflight.split_seed,
            train: train.len(),
            train_sha256: train.sha256(),
        })
    }

    /// In a few words what `other` rests on that this does not; `None` when their trials can be compared.
    pub fn differs(&self, other: &Self) -> Option<String> {
        let rows = |basis: &Self| (basis.deduplicated, basis.train, basis.train_sha256.clone());
        if self.family != other.family {
            Some(format!("family {}", other.family))
        } else if self.varied != other.varied {
            Some(format!("a search over {}", other.varied.join(", ")))
        } else if self.fixed != other.fixed || self.early_stop != other.early_stop {
            Some("other parameters beside the varied ones".to_owned())
        } else if self.data_sha256 != other.data_sha256 {
            Some("other data".to_owned())
        } else if self.split_seed != other.split_seed {
            Some(format!("split seed {}", other.split_seed))
        } else if rows(self) != rows(other) {
            Some("other training rows of the same data".to_owned())
        } else {
            None
        }
    }
}

/// The parameters of the family's space that these settings (`Plan::set`'s name and value) decide.
pub fn settled(plan: &Plan, settings: &[(&str, &str)]) -> Result<Vec<String>, ParamError> {
    let mut names = Vec::new();
    for dimension in space(plan.family) {
        // Whatever is called how: a parameter is decided where both ends of its range come out as the same plan.
        let set = |end: serde_json::Value| {
            let mut plan = plan.clone();
            plan.set(dimension.name, &end.to_string())?;
            for (name, value) in settings {
                plan.set(name, value)?;
            }
            Ok(plan)
        };
        let (low, high) = dimension.ends();
        if set(low)? == set(high)? {
            names.push(dimension.name.to_owned());
        }
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::train::Dataset;
    use crate::train::retrain::Rows;
    use crate::train::tune::Sampling;

    fn search(plan: Plan, fixed: &[&str]) -> Search {
        Search {
            plan,
            fixed: fixed.iter().map(ToString::to_string).collect(),
            trials: 3,
            sampling: Sampling::Tpe,
            seed: 1,
        }
    }

    #[test]
    fn whatever_moves_a_score_makes_another_basis_and_nothing_else_does() {
        let wine = Dataset::wine_quality().unwrap();
        let learn = wine.select(&(0..wine.len()).step_by(9).collect::<Vec<_>>());
        let other = wine.select(&(1..wine.len()).step_by(9).collect::<Vec<_>>());
        let rows = |learn: &Dataset, dedup, seed| {
            let learn = learn.clone();
            let rows = Rows {
                learn,
                holdout: None,
            };
            rows.prepare(dedup, seed).unwrap()
        };
        let ours = rows(&learn, true, 42);
        let forest = Plan::new(Family::RandomForest);
        let basis = |plan: &Plan, fixed: &[&str], rows: &Prepared| {
            Basis::of(&search(plan.clone(), fixed), rows).unwrap()
        };
        let own = basis(&forest, &[], &ours);
        let changed = |name: &str, value: &str| {
            let mut plan = forest.clone();
            plan.set(name, value).unwrap();
            plan
        };
        // A varied parameter's own value does not matter.
        let varied = basis(&changed("n_estimators", "30"), &[], &ours);
        assert_eq!(own.differs(&varied), None);
        let boosting = Plan::new(Family::GradientBoosting);
        for (other, why) in [
            (basis(&boosting, &[], &ours), "family gradient-boosting"),
            (
                basis(&forest, &["n_estimators"], &ours),
                "a search over max_depth, min",
            ),
            (basis(&changed("seed", "7"), &[], &ours), "other parameters"),
            (basis(&forest, &[], &rows(&other, true, 42)), "other data"),
            (basis(&forest, &[], &rows(&learn, true, 7)), "split seed 7"),
            (
                basis(&forest, &[], &rows(&learn, false, 42)),
                "other training rows",
            ),
        ] {
            let said = own.differs(&other).unwrap_or_default();
            assert!(said.starts_with(why), "{said}: {why}");
        }
    }

    #[test]
    fn a_setting_decides_its_parameter_under_any_name() {
        let settled =
            |family, settings: &[(&str, &str)]| settled(&Plan::new(family), settings).unwrap();
        assert_eq!(
            settled(Family::RandomForest, &[("n_estimators", "1")]),
            ["n_estimators"]
        );
        assert_eq!(
            settled(Family::GradientBoosting, &[("n_estimators", "30")]),
            ["max_iter"]
        );
        assert!(settled(Family::RandomForest, &[("random_state", "3")]).is_empty());
    }
}
