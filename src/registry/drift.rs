//! Recent requests against what a version was trained on.

use super::draft::REFERENCE_FILE;
use super::{Loaded, Manifest, Registry, RegistryError};
use crate::domain::drift::{DriftReport, PREDICTION, Reference};
use crate::train::Dataset;

/// Requests beside the rows of a version.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// Training rows of the reference.
    pub trained: usize,
    /// Rows behind the reference of the scores, which the version had not learned; `None` where scores are not compared.
    pub unseen: Option<usize>,
    /// The figures.
    pub report: DriftReport,
    /// The version is from before scores were kept of rows it had not learned; against those of its own training rows
    /// every fresh window looks drifted, so its scores are left out.
    pub in_sample: bool,
}

/// What to do about [`Comparison::in_sample`].
pub const IN_SAMPLE: &str =
    "its reference scores are in-sample, so scores are not compared: retrain to renew it";

/// Compares requests (their target is not looked at) with the reference of a loaded version; the scores are the
/// version's own.
pub fn drift(
    registry: &Registry,
    loaded: &Loaded,
    requests: &Dataset,
) -> Result<Comparison, RegistryError> {
    let version = loaded.manifest.version;
    let bytes = registry.artefact(version, REFERENCE_FILE)?;
    let corrupt = |why: String| RegistryError::corrupt(version, format!("{REFERENCE_FILE}: {why}"));
    let mut reference: Reference =
        serde_json::from_slice(&bytes).map_err(|error| corrupt(error.to_string()))?;
    let in_sample = is_in_sample(&reference, &loaded.manifest);
    if in_sample {
        reference.columns.retain(|column| column.name != PREDICTION);
    }
    let column = |name: &str| {
        if name == PREDICTION {
            return Some(loaded.model.predict(requests.view()).to_vec());
        }
        let place = requests.names.iter().position(|own| own == name)?;
        Some(requests.features.column(place).to_vec())
    };
    let window: Option<Vec<Vec<f32>>> = reference
        .columns
        .iter()
        .map(|reference| column(&reference.name))
        .collect();
    let report = window.and_then(|window| reference.compare(&window));
    report
        .map(|report| Comparison {
            trained: reference.rows,
            unseen: reference.scored(),
            report,
            in_sample,
        })
        .ok_or_else(|| corrupt("it has other columns than the requests".to_owned()))
}

/// Whether the scores are those of the training rows, not of the rows kept back.
fn is_in_sample(reference: &Reference, manifest: &Manifest) -> bool {
    let (train, holdout) = (manifest.data.train, manifest.data.holdout);
    reference.scored() == Some(train) && train != holdout
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::domain::drift::Drift;
    use crate::registry::draft::Draft;
    use crate::train::dataset::Preflight;
    use crate::train::{Flow, Plan, fit};

    #[test]
    fn an_old_reference_of_scores_is_left_out_and_said_so() {
        let rows = Dataset::wine_quality().unwrap();
        let (preflight, data, split) = Preflight::of(&rows, true, 42).unwrap();
        let mut plan = Plan::preset("fast").unwrap();
        plan.params.n_estimators = 30;
        let train = data.select(&split.train);
        let outcome = fit(&plan, &train, &mut |_| Flow::Continue).unwrap();
        let column =
            |(place, name): (usize, &String)| (name.clone(), train.features.column(place).to_vec());
        let scores = outcome.model.predict(train.view()).to_vec();
        let columns = train.names.iter().enumerate().map(column);
        let old = Reference::of(columns.chain([(PREDICTION.to_owned(), scores)]));
        let home = tempfile::tempdir().unwrap();
        let registry = Registry::at(home.path());
        let draft = || Draft::new(&plan, "wine", &preflight, &data, &split, &outcome);
        let new = registry.commit(draft()).unwrap().version;
        let old = draft().artefact(REFERENCE_FILE, serde_json::to_vec(&old).unwrap());
        let old = registry.commit(old).unwrap().version;
        // Rows nobody has learned, as many as make a verdict.
        let some: Vec<usize> = split.holdout.iter().copied().step_by(2).collect();
        let fresh = data.select(&some);
        let judged = |version| {
            let loaded = registry.load(version).unwrap();
            drift(&registry, &loaded, &fresh).unwrap()
        };
        let (now, then) = (judged(new), judged(old));
        assert!(!now.in_sample && then.in_sample);
        let names = |comparison: &Comparison| comparison.report.columns.len();
        assert_eq!((names(&now), names(&then)), (13, 12));
        let rows = (now.trained, now.unseen, then.unseen);
        assert_eq!(rows, (split.train.len(), Some(split.holdout.len()), None));
        assert!(now.report.drift < Drift::Alert && then.report.drift < Drift::Alert);
    }
}
