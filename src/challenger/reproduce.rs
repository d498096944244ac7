//! What needs the rows of a version again: training it from its manifest alone, and telling it in words.

use super::Source;
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
    let (version, data) = (manifest.version, &manifest.data);
    let rows = Source::recorded(data)
        .read()
        .map_err(|error| format!("the data of {version} is gone: {error}"))?;
    let prepared = rows
        .prepare(data.deduplicated, data.split_seed)
        .map_err(|error| error.to_string())?;
    let Prepared { preflight, .. } = &prepared;
    if preflight.sha256 != data.sha256 || preflight.holdout_sha256 != data.holdout_sha256 {
        return Err(format!(
            "the data is not that of {version}: {} has changed",
            data.source
        ));
    }
    Ok(prepared)
}

/// A stopped forest is its first trees.
fn plan_of(manifest: &Manifest) -> Plan {
    if manifest.fit.ended == FitRecord::ended(Ended::Complete) {
        manifest.plan.clone()
    } else {
        manifest.plan.with_trees(manifest.fit.trees)
    }
}
