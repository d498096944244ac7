//! What needs the rows of a version again: training it from its manifest alone, and telling it in words.

use super::source::recorded_rows;
use crate::registry::manifest::{FitRecord, Manifest};
use crate::registry::{Registry, Version};
use crate::train::fit::Ended;
use crate::train::retrain::{Phase, Prepared};
use crate::train::surrogate::Surrogate;
use crate::train::{Flow, Plan, Progress, fit};

/// Trains a version again from its manifest. `Ok(true)`: bit by bit the same model.
pub fn reproduce(
    version: Version,
    registry: &Registry,
    listen: &mut dyn FnMut(Phase, &Progress) -> Flow,
) -> Result<bool, String> {
    let manifest = registry
        .manifest(version)
        .map_err(|error| error.to_string())?;
    let rows = rows_of(&manifest)?;
    let outcome = fit(&plan_of(&manifest), &rows.train(), &mut |progress| {
        listen(Phase::Fit, progress)
    })
    .map_err(|error| error.to_string())?;
    Ok(outcome.model.sha256() == manifest.model_sha256)
}

/// A version in words: read off the rows it was trained on, judged on those kept back.
pub fn explain(version: Version, registry: &Registry) -> Result<Surrogate, String> {
    let loaded = registry.load(version).map_err(|error| error.to_string())?;
    let rows = rows_of(&loaded.manifest)?;
    Surrogate::of(&loaded.model, &rows.train(), &rows.holdout()).map_err(|error| error.to_string())
}

/// The rows a version was trained and judged on, read again and checked; a sentence when they are not there any more.
pub(super) fn rows_of(manifest: &Manifest) -> Result<Prepared, String> {
    recorded_rows(&manifest.data).map_err(|why| format!("{}: {why}", manifest.version))
}

/// A stopped forest is its first trees.
fn plan_of(manifest: &Manifest) -> Plan {
    if manifest.fit.ended == FitRecord::ended(Ended::Complete) {
        manifest.plan.clone()
    } else {
        manifest.plan.with_trees(manifest.fit.trees)
    }
}
