//! The model this machine serves: the registry's champion, or one trained on the first start.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::challenger::{self, Challenger, Job, Service, SourceError};
use crate::config::Settings;
use crate::domain::features::Features;
use crate::domain::schema::{Domain, Schema};
use crate::registry::{Champion, Loaded, Manifest, Move, Registry, RegistryError};
use crate::sandbox::{Predictor, Sandbox, ServedModel};
use crate::train::dataset::FEATURES;
use crate::train::shap::Explanation;
use crate::train::{Family, Flow, Model, Plan, TrainError};

/// What answers say of a model that could not be registered.
pub const UNREGISTERED: &str = "unregistered";

/// What answers say of the stand-in for a model that nobody has trained.
pub const STAND_IN: &str = "stand-in";

const PRESET: &str = "owner";
const PATIENCE: Duration = Duration::from_mins(2);

/// Why there is no champion.
#[derive(Debug, thiserror::Error)]
pub enum ChampionError {
    /// The registry.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The first training.
    #[error("the first model could not be trained: {0}")]
    Training(#[from] TrainError),
    /// The embedded data.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The first model was trained, but is no version.
    #[error("the first model could not be registered: {0}")]
    Unregistered(String),
    /// The champion was trained on other features than the schema names.
    #[error("champion {version} predicts other inputs than this model schema's")]
    OtherInputs {
        /// The champion's.
        version: String,
    },
    /// The registry is empty, and the data that ships is about something else.
    #[error(
        "no champion takes this model schema's inputs: train one with vintner train --model FILE --data FILE"
    )]
    Nobody,
}

/// The registry these settings name.
pub fn registry(settings: &Settings) -> Registry {
    Registry::at(&settings.registry)
}

/// The champion's version, if the registry has one that takes the schema's inputs. Reads two small files.
pub fn version(settings: &Settings, schema: &Schema) -> Option<String> {
    let registry = registry(settings);
    let version = registry.champion().ok().flatten()?.version;
    match registry.manifest(version) {
        Ok(manifest) if !takes(schema, &manifest.features.names) => None,
        _ => Some(version.to_string()),
    }
}

/// The champion, loading or training on a thread of its own. If the registry cannot be used, a model trained in memory
/// answers as [`UNREGISTERED`], and the log says why; where no champion takes the schema's inputs, a [`STAND_IN`] does.
pub fn served(settings: &Arc<Settings>, schema: &Arc<Schema>) -> ServedModel {
    let (slot, model) = ServedModel::pending();
    let registry = registry(settings);
    let schema = Arc::clone(schema);
    let thread = std::thread::Builder::new().name("champion".to_owned());
    let spawned = thread.spawn(move || match serve(&registry, &schema) {
        Ok(local) => slot.fill(local.version.clone(), local.predictor()),
        Err(error) if embedded(&schema) => tracing::error!("no model to serve: {error}"),
        Err(error) => {
            tracing::warn!("a stand-in answers: {error}");
            slot.fill(STAND_IN, stand_in(schema));
        }
    });
    if let Err(error) = spawned {
        tracing::error!("no thread to load the champion on: {error}");
    }
    model
}

/// Lets a sandbox serve the registry's champion, if it serves another version. Waits for the disk.
pub fn renew(registry: &Registry, sandbox: &Sandbox) {
    match registry.load_champion() {
        Ok((champion, loaded)) if !takes(sandbox.schema(), loaded.model.names()) => {
            let version = champion.version;
            tracing::warn!("the sandbox keeps its model: {version} takes other inputs");
        }
        Ok((_, loaded)) => {
            let version = loaded.manifest.version.to_string();
            if sandbox.version().as_ref() != Some(&version) {
                sandbox.serve(version, predictor(Arc::new(loaded.model)));
            }
        }
        Err(error) => tracing::error!("the sandbox keeps its model: {error}"),
    }
}

/// Keeps a sandbox on the champion, whichever process moves it; never ends.
pub async fn follow(registry: Registry, sandbox: Arc<Sandbox>) {
    let mut watch = registry.watch();
    loop {
        watch.moved().await;
        let (registry, sandbox) = (registry.clone(), Arc::clone(&sandbox));
        let renewed = tokio::task::spawn_blocking(move || renew(&registry, &sandbox));
        if let Err(error) = renewed.await {
            tracing::error!("the sandbox keeps its model: {error}");
        }
    }
}

/// The champion on this machine; on the first start, or where the registry cannot be used, one is trained. Takes as
/// long as that takes. An error where it takes other inputs than the schema's.
pub fn local(settings: &Settings, schema: &Schema) -> Result<Local, ChampionError> {
    serve(&registry(settings), schema)
}

/// Whether a model with these feature names takes the schema's inputs, in its order.
pub fn takes(schema: &Schema, names: &[String]) -> bool {
    schema.names().eq(names.iter().map(String::as_str))
}

/// Whether the data that ships is about the schema's inputs, so that a first model can be trained.
fn embedded(schema: &Schema) -> bool {
    schema.names().eq(FEATURES)
}

fn serve(registry: &Registry, schema: &Schema) -> Result<Local, ChampionError> {
    match registry.recover() {
        Ok(repaired) => repaired
            .iter()
            .for_each(|repair| tracing::warn!("registry: {repair}")),
        Err(error) => tracing::warn!("the registry could not be checked: {error}"),
    }
    if !embedded(schema) && registry.champion()?.is_none() {
        return Err(ChampionError::Nobody);
    }
    let loaded =
        establish(registry).and_then(|champion| sound(registry, &champion).map_err(Into::into));
    let (version, model, manifest) = match loaded {
        Ok(loaded) => (
            loaded.manifest.version.to_string(),
            loaded.model,
            Some(Arc::new(loaded.manifest)),
        ),
        Err(error) if embedded(schema) => {
            tracing::warn!("serving a model from memory: {error}");
            (UNREGISTERED.to_owned(), first(None)?.model, None)
        }
        Err(error) => return Err(error),
    };
    if !takes(schema, model.names()) {
        return Err(ChampionError::OtherInputs { version });
    }
    Ok(Local {
        version,
        model: Arc::new(model),
        manifest,
        scale: (schema.score.min as f32, schema.score.max as f32),
    })
}

/// A deterministic answer for inputs that no model here takes: how far up their ranges they lie, on the schema's scale.
fn stand_in(schema: Arc<Schema>) -> Predictor {
    let place = |domain: &Domain, value: f32| match domain {
        Domain::Number(range) => (f64::from(value) - range.min) / (range.max - range.min),
        Domain::Choice(choices) => {
            let at = choices
                .iter()
                .position(|choice| choice.value as f32 == value);
            at.map_or(f64::NAN, |at| (at + 1) as f64 / (choices.len() + 1) as f64)
        }
    };
    Arc::new(move |row| {
        let places = schema.features.iter().zip(row);
        let sum: f64 = places
            .map(|(feature, value)| place(&feature.domain, *value))
            .map(|place| {
                if place.is_finite() {
                    place.clamp(0.0, 1.0)
                } else {
                    0.5
                }
            })
            .sum();
        let scale = &schema.score;
        (scale.min + (scale.max - scale.min) * sum / schema.features.len() as f64) as f32
    })
}

/// The champion, or the newest earlier version that is sound when the champion is damaged.
fn sound(registry: &Registry, champion: &Champion) -> Result<Loaded, RegistryError> {
    let error = match registry.load_champion() {
        Ok((_, loaded)) => return Ok(loaded),
        Err(error) => error,
    };
    tracing::error!("{error}");
    let versions = registry.versions()?;
    let others = champion
        .previous
        .into_iter()
        .chain(versions.into_iter().rev());
    others
        .filter(|version| *version != champion.version)
        .find_map(|version| registry.load(version).ok())
        .inspect(|loaded| tracing::warn!("serving {} instead", loaded.manifest.version))
        .ok_or(error)
}

/// The registry's champion; when nothing was ever promoted, the owner's preset is trained on the embedded data,
/// registered and promoted. Of several first starts at once, one trains and the others take its champion.
pub fn establish(registry: &Registry) -> Result<Champion, ChampionError> {
    if let Some(champion) = registry.champion()? {
        return Ok(champion);
    }
    let _turn = registry.take_turn("first-start", PATIENCE)?;
    if let Some(champion) = registry.champion()? {
        return Ok(champion);
    }
    let version = first(Some(registry))?
        .report
        .version
        .map_err(ChampionError::Unregistered)?;
    match registry.promote(version, Move::seen(None, "first start")) {
        Err(RegistryError::Moved {
            now: Some(champion),
        }) => Ok(*champion),
        other => Ok(other?),
    }
}

/// A model by the owner's recipe on the embedded data, as any other run makes one; a version when there is a registry.
fn first(registry: Option<&Registry>) -> Result<Challenger, ChampionError> {
    let plan = Plan::preset(PRESET).unwrap_or_else(|| Plan::new(Family::RandomForest));
    let job = Job {
        preset: Some(PRESET.to_owned()),
        // Somebody waits for the first answer: a cross-validation would take five times the fit.
        folds: 0,
        ..Job::new(plan, Service::from(Schema::wine_quality()))
    };
    let rows = job.source.read()?;
    Ok(challenger::train(&job, &rows, registry, &mut |_| {
        Flow::Continue
    })?)
}

/// A model in this process, for predictions without a network. Cheap to clone.
#[derive(Clone)]
pub struct Local {
    /// Its version, or [`UNREGISTERED`].
    pub version: String,
    /// The model.
    pub model: Arc<Model>,
    /// What the registry recorded about it.
    pub manifest: Option<Arc<Manifest>>,
    /// Lowest and highest score that it may answer.
    scale: (f32, f32),
}

impl fmt::Debug for Local {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Local({})", self.version)
    }
}

impl Local {
    /// The score of one row in the model's feature order, clipped to the schema's scale as the service does.
    pub fn predict(&self, row: &[f32]) -> f32 {
        self.model
            .predict_row(row)
            .clamp(self.scale.0, self.scale.1)
    }

    /// The score of these inputs taken apart; `None` for a model of other features.
    pub fn explain(&self, features: &Features) -> Option<Explanation> {
        let row: Vec<f32> = features.row().iter().map(|&value| value as f32).collect();
        self.model.explain(&row)
    }

    /// The model as the sandbox takes it.
    pub fn predictor(&self) -> Predictor {
        predictor(Arc::clone(&self.model))
    }
}

/// A model as the sandbox takes it.
pub fn predictor(model: Arc<Model>) -> Predictor {
    Arc::new(move |row| model.predict_row(row))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::registry::Version;

    #[test]
    fn first_starts_at_once_give_one_champion() {
        let home = tempfile::tempdir().unwrap();
        let registry = Registry::at(home.path().join("registry"));
        let champions: Vec<Champion> = std::thread::scope(|scope| {
            let starts: Vec<_> = (0..4)
                .map(|_| scope.spawn(|| establish(&registry).unwrap()))
                .collect();
            starts
                .into_iter()
                .map(|start| start.join().unwrap())
                .collect()
        });
        assert!(champions.iter().all(|champion| *champion == champions[0]));
        assert_eq!(
            (registry.versions().unwrap().len(), champions[0].version),
            (1, Version::FIRST)
        );
        assert_eq!(champions[0].reason, "first start");
        let loaded = registry.load_champion().unwrap().1;
        assert_eq!(loaded.manifest.preset.as_deref(), Some("owner"));
        let r2 = loaded.manifest.metrics.holdout.unwrap().r2;
        assert!((0.33..0.42).contains(&r2), "{r2}");
    }

    #[test]
    fn without_a_usable_registry_a_model_answers_from_memory() {
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join("file"), "").unwrap();
        let local = serve(
            &Registry::at(home.path().join("file/registry")),
            Schema::wine_quality(),
        )
        .unwrap();
        assert_eq!(local.version, UNREGISTERED);
        let demo = [
            7.4, 0.7, 0.0, 1.9, 0.076, 11.0, 34.0, 0.9978, 3.51, 0.56, 9.4, 0.0,
        ];
        assert!(
            (4.5..6.0).contains(&local.predict(&demo)),
            "{}",
            local.predict(&demo)
        );
    }

    #[test]
    fn a_damaged_champion_is_not_served() {
        let home = tempfile::tempdir().unwrap();
        let registry = Registry::at(home.path());
        let first = establish(&registry).unwrap();
        let again = super::first(Some(&registry))
            .unwrap()
            .report
            .version
            .unwrap();
        registry
            .promote(again, Move::seen(Some(&first), "same again"))
            .unwrap();
        std::fs::write(
            registry
                .version_dir(again)
                .join(crate::registry::MODEL_FILE),
            "garbage",
        )
        .unwrap();
        assert_eq!(
            serve(&registry, Schema::wine_quality()).unwrap().version,
            "v0001"
        );
    }
}
