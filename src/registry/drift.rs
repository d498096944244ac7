//! Recent requests against what a version was trained on.

use super::draft::REFERENCE_FILE;
use super::{Loaded, Registry, RegistryError};
use crate::domain::drift::{DriftReport, PREDICTION, Reference};
use crate::train::Dataset;

/// Compares requests (their target is not looked at) with the reference of a loaded version; the scores are the
/// version's own. Gives the reference's number of training rows and the report.
pub fn drift(
    registry: &Registry,
    loaded: &Loaded,
    requests: &Dataset,
) -> Result<(usize, DriftReport), RegistryError> {
    let version = loaded.manifest.version;
    let bytes = registry.artefact(version, REFERENCE_FILE)?;
    let corrupt = |why: String| RegistryError::corrupt(version, format!("{REFERENCE_FILE}: {why}"));
    let reference: Reference =
        serde_json::from_slice(&bytes).map_err(|error| corrupt(error.to_string()))?;
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
        .map(|report| (reference.rows, report))
        .ok_or_else(|| corrupt("it has other columns than the requests".to_owned()))
}
