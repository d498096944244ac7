//! The trainer as linfa's traits have it, so that it fits where any linfa estimator does.

use linfa::ParamGuard;
use linfa::dataset::DatasetBase;
use linfa::traits::{Fit, PredictInplace};
use ndarray::{Array1, Array2};

use super::dataset::Dataset;
use super::fit::{TrainError, fit};
use super::model::Model;
use super::plan::{ParamError, Plan};
use super::progress::Flow;

/// A plan that has not been checked: `Estimator::new(plan).fit(&dataset)`.
#[derive(Debug, Clone, PartialEq)]
pub struct Estimator(CheckedPlan);

/// A plan whose parameters are all in range.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckedPlan(Plan);

impl Estimator {
    /// An estimator of this plan.
    pub const fn new(plan: Plan) -> Self {
        Self(CheckedPlan(plan))
    }
}

impl ParamGuard for Estimator {
    type Checked = CheckedPlan;
    type Error = ParamError;

    fn check_ref(&self) -> Result<&CheckedPlan, ParamError> {
        self.0.0.check()?;
        Ok(&self.0)
    }

    fn check(self) -> Result<CheckedPlan, ParamError> {
        self.check_ref()?;
        Ok(self.0)
    }
}

impl Fit<Array2<f32>, Array1<f32>, TrainError> for CheckedPlan {
    type Object = Model;

    fn fit(&self, rows: &DatasetBase<Array2<f32>, Array1<f32>>) -> Result<Model, TrainError> {
        let named = |column: usize| rows.feature_names().get(column).cloned();
        let name = |column: usize| named(column).unwrap_or_else(|| format!("feature-{column}"));
        let data = Dataset {
            features: rows.records.clone(),
            target: rows.targets.clone(),
            names: (0..rows.records.ncols()).map(name).collect(),
            notes: Vec::new(),
        };
        Ok(fit(&self.0, &data, &mut |_| Flow::Continue)?.model)
    }
}

impl PredictInplace<Array2<f32>, Array1<f32>> for Model {
    fn predict_inplace<'a>(&'a self, rows: &'a Array2<f32>, scores: &mut Array1<f32>) {
        scores.assign(&self.predict(rows.view()));
    }

    fn default_target(&self, rows: &Array2<f32>) -> Array1<f32> {
        Array1::from_elem(rows.nrows(), 0.0)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use linfa::prelude::{Predict, SingleTargetRegression};

    use super::*;
    use crate::train::Family;

    #[test]
    fn linfa_can_drive_it() {
        let wine = Dataset::wine_quality().unwrap().canonical(true).to_linfa();
        let mut plan = Plan::new(Family::RandomForest);
        plan.params.n_estimators = 10;
        let model = Estimator::new(plan.clone()).fit(&wine).unwrap();
        let scores: Array1<f32> = Predict::predict(&model, &wine);
        assert!(wine.targets.r2(&scores).unwrap() > 0.5);
        assert_eq!(model.names()[10], "alcohol");
        plan.params.min_samples_leaf = crate::train::plan::Samples::Count(0);
        let error = Estimator::new(plan).fit(&wine).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("The 'min_samples_leaf' parameter must be an int")
        );
    }
}
