//! What stands on the shelf before a run: the data's report and the registry's content.

use std::path::PathBuf;

use crate::challenger::{FOLDS, Source};
use crate::champion::{self, ChampionError};
use crate::registry::runs::RunRecord;
use crate::registry::{Champion, Entry, Event, Manifest, Registry};
use crate::train::dataset::Preflight;
use crate::train::{Family, Flow, Plan, Progress, evaluate, split};

/// The data before a run.
#[derive(Debug, Clone, PartialEq)]
pub struct DataReport {
    /// Rows, duplicates, ranges, classes, split, hashes.
    pub preflight: Preflight,
    /// Cross-validated R2 of the linear baseline on the training rows: what every forest must beat.
    pub linear: f64,
}

/// What the registry holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Shelf {
    /// Where it is.
    pub root: PathBuf,
    /// Who reigns.
    pub champion: Option<Champion>,
    /// The champion's manifest, if it can be read.
    pub manifest: Option<Box<Manifest>>,
    /// The champion's curve: trees and R2.
    pub curve: Vec<(usize, f64)>,
    /// Every version, newest first.
    pub versions: Vec<Entry>,
    /// Every run, newest first.
    pub runs: Vec<RunRecord>,
    /// The audit log, oldest first.
    pub events: Vec<Event>,
    /// What is wrong with it or was repaired.
    pub warnings: Vec<String>,
}

/// Reads the data and checks it; a sentence when it cannot be used.
pub fn check(source: &Source, dedup: bool) -> Result<DataReport, String> {
    let rows = source.read().map_err(|error| error.to_string())?;
    let prepared = rows
        .prepare(dedup, split::SEED)
        .map_err(|error| error.to_string())?;
    let plan = Plan::new(Family::Linear);
    let mut go_on = |_: usize, _: &Progress| Flow::Continue;
    let linear = evaluate::cross_validate(&plan, &prepared.train(), FOLDS, split::SEED, &mut go_on)
        .map_err(|error| error.to_string())?;
    Ok(DataReport {
        preflight: prepared.preflight,
        linear: linear.r2,
    })
}

impl Shelf {
    /// Looks at the registry; with `establish`, makes sure that it has a champion.
    pub fn look(registry: &Registry, establish: bool) -> Result<Self, ChampionError> {
        let mut warnings = Vec::new();
        let champion = match establish.then(|| champion::establish(registry)) {
            Some(Ok(champion)) => Some(champion),
            Some(Err(error)) => {
                warnings.push(error.to_string());
                registry.champion().unwrap_or_default()
            }
            None => registry.champion()?,
        };
        if let Some(Err(error)) = champion
            .as_ref()
            .map(|champion| registry.verify(champion.version))
        {
            warnings.push(error.to_string());
        }
        let manifest = champion
            .as_ref()
            .and_then(|champion| registry.manifest(champion.version).ok());
        let curve = champion
            .as_ref()
            .map_or_else(Vec::new, |champion| registry.curve(champion.version));
        Ok(Self {
            root: registry.root().to_owned(),
            manifest: manifest.map(Box::new),
            curve,
            champion,
            versions: registry.list()?,
            runs: registry.runs()?,
            events: registry.events()?,
            warnings,
        })
    }
}
