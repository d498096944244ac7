//! The challenger before the registry: compare with the champion, pass the gates, become a version, be promoted.

use crate::cli::Failure;
use crate::registry::{Draft, Loaded, Move, Registry, RegistryError, Version, manifest};
use crate::train::Plan;
use crate::train::evaluate::{Bands, Evaluation};
use crate::train::importance::{impurity, permutation};
use crate::train::onnx::onnx;
use crate::train::retrain::Retrained;
use crate::train::verdict::{Candidate, Comparison, Gate, gates};

/// Shuffles behind each permutation importance that is recorded.
const SHUFFLES: usize = 3;

/// What the user wants done, and what is needed to judge.
pub struct Wishes<'a> {
    pub preset: Option<&'a str>,
    pub source: &'a str,
    pub max_mse: f64,
    pub promote: bool,
    /// Features the service sends.
    pub served: &'a [String],
    pub bands: &'a Bands,
    pub seed: u64,
}

/// How it came out.
pub struct Throne {
    /// The champion it was compared with.
    pub champion: Option<(Version, Evaluation, Comparison)>,
    pub gates: Vec<Gate>,
    /// The number it was given.
    pub version: Option<Version>,
    /// Whether it reigns now.
    pub promoted: bool,
    /// What the user should know about the comparison.
    pub notes: Vec<String>,
}

impl Throne {
    pub fn decide(
        registry: Option<&Registry>,
        plan: &Plan,
        retrained: &Retrained,
        wishes: &Wishes<'_>,
    ) -> Result<Self, Failure> {
        let mut throne = Self {
            champion: None,
            gates: Vec::new(),
            version: None,
            promoted: false,
            notes: Vec::new(),
        };
        let reigning = registry.and_then(|registry| throne.champion_of(registry));
        if let Some(loaded) = &reigning {
            throne.compare(loaded, retrained, wishes);
        }
        throne.gates = throne.pass(retrained, wishes);
        let Some(registry) = registry else {
            return Ok(throne);
        };
        let draft = throne.draft(plan, retrained, wishes);
        let committed = registry.commit(draft).map_err(Failure::failed)?;
        throne.version = Some(committed.version);
        if wishes.promote && throne.passed() {
            let champion = registry.champion().map_err(Failure::failed)?;
            let reason = format!("vintner train: {}", throne.verdict().unwrap_or("FIRST"));
            registry
                .promote(committed.version, Move::seen(champion.as_ref(), reason))
                .map_err(Failure::failed)?;
            throne.promoted = true;
        }
        Ok(throne)
    }

    /// True when every gate is passed.
    pub fn passed(&self) -> bool {
        self.gates.iter().all(|gate| gate.passed)
    }

    /// The word, when there was a champion to compare with.
    pub fn verdict(&self) -> Option<&'static str> {
        self.champion
            .as_ref()
            .map(|(_, _, comparison)| comparison.verdict.word())
    }

    /// A champion that cannot be loaded is told, and training goes on as if there were none.
    fn champion_of(&mut self, registry: &Registry) -> Option<Loaded> {
        match registry.load_champion() {
            Ok((_, loaded)) => Some(loaded),
            Err(RegistryError::NoChampion) => None,
            Err(error) => {
                self.notes
                    .push(format!("the champion cannot be compared with: {error}"));
                None
            }
        }
    }

    fn compare(&mut self, loaded: &Loaded, retrained: &Retrained, wishes: &Wishes<'_>) {
        let version = loaded.manifest.version;
        let Some((evaluation, comparison)) =
            retrained.against(&loaded.model, wishes.bands, wishes.seed)
        else {
            self.notes
                .push(format!("{version} takes other features: no comparison"));
            return;
        };
        let (theirs, ours) = (&loaded.manifest.data, &retrained.preflight);
        if theirs.sha256 != ours.sha256 || theirs.holdout_sha256 != ours.holdout_sha256 {
            self.notes.push(format!(
                "{version} was trained on another split: it may have learned rows of this holdout"
            ));
        }
        self.champion = Some((version, evaluation, comparison));
    }

    fn pass(&self, retrained: &Retrained, wishes: &Wishes<'_>) -> Vec<Gate> {
        let holdout = retrained.data.select(&retrained.split.holdout);
        let model = &retrained.outcome.model;
        // The batch path against the one-row path, on sixteen rows.
        let canary = |row: usize| {
            let wine = holdout.features.row(row).to_vec();
            (
                retrained.evaluation.predicted[row],
                model.predict_row(&wine),
            )
        };
        let step = (holdout.len() / manifest::CANARIES).max(1);
        let canaries: Vec<(f32, f32)> = (0..holdout.len())
            .step_by(step)
            .take(manifest::CANARIES)
            .map(canary)
            .collect();
        gates(&Candidate {
            challenger: &retrained.evaluation,
            champion: self
                .champion
                .as_ref()
                .map(|(_, evaluation, comparison)| (evaluation, *comparison)),
            max_mse: wishes.max_mse,
            canaries: &canaries,
            trained_features: model.names(),
            served_features: wishes.served,
        })
    }

    fn draft(&self, plan: &Plan, retrained: &Retrained, wishes: &Wishes<'_>) -> Draft {
        let Retrained {
            preflight,
            data,
            split,
            outcome,
            cv,
            linear,
            ..
        } = retrained;
        let gate = |gate: &Gate| manifest::Gate {
            name: gate.name.to_owned(),
            passed: gate.passed,
            reason: gate.reason.clone(),
        };
        let holdout = data.select(&split.holdout);
        let importance = serde_json::json!({
            "impurity": impurity(&outcome.model),
            "permutation": permutation(&outcome.model, &holdout, SHUFFLES, wishes.seed),
        });
        let champion = self.champion.as_ref().map(|(version, ..)| *version);
        let draft = Draft::new(plan, wishes.source, preflight, data, split, outcome)
            .preset(wishes.preset)
            .judged(
                champion,
                self.verdict().map(ToOwned::to_owned),
                self.gates.iter().map(gate).collect(),
            )
            .measured(|metrics| {
                metrics.linear = Some(*linear);
                metrics.cv = cv.as_ref().map(|cv| manifest::CrossValidated {
                    folds: cv.folds.len(),
                    r2: cv.r2,
                    r2_half_width: cv.r2_half_width,
                });
            })
            .artefact("importance.json", importance.to_string());
        let metadata = [("dataset_sha256", preflight.sha256.as_str())];
        match onnx(&outcome.model, &metadata) {
            Some(bytes) => draft.artefact("model.onnx", bytes),
            None => draft,
        }
    }
}
