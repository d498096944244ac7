//! `manifest.json`: where a version comes from, how good it is, and how to recognise it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Version;
use crate::train::dataset::Preflight;
use crate::train::fit::Ended;
use crate::train::verdict::{self, CANARY_TOLERANCE};
use crate::train::{Model, Plan, Scores};

/// The file.
pub const FILE: &str = "manifest.json";

/// The format written and read here.
pub const SCHEMA: u32 = 1;

/// Rows every version answers for, so that it can be recognised.
pub const CANARIES: usize = 16;

/// Everything recorded about a version when it was made; never changed afterwards.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// [`SCHEMA`].
    pub schema: u32,
    /// The version.
    pub version: Version,
    /// The training run it came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// When it was committed.
    pub created_at: Timestamp,
    /// Who made it.
    #[serde(default)]
    pub by: String,
    /// Family, hyper-parameters and seed: with the data, all that is needed to make it again.
    pub plan: Plan,
    /// The preset the plan began from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preset: Option<String>,
    /// What the fit gave.
    pub fit: FitRecord,
    /// Which program made it.
    pub code: Code,
    /// What it learned from.
    pub data: Data,
    /// Its inputs.
    pub features: Features,
    /// How good it is.
    pub metrics: Metrics,
    /// BETTER, NO WORSE, TIE, WORSE … against the champion of that time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<String>,
    /// The gates it was put through.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gates: Vec<Gate>,
    /// The version whose plan it takes again with another seed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Version>,
    /// The champion when it was trained.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub champion_at_train: Option<Version>,
    /// SHA-256 of the model's compact bytes: equal for equal models.
    pub model_sha256: String,
    /// Sixteen rows with the answers of this version.
    pub canaries: Vec<Canary>,
    /// The other files of the version.
    pub artefacts: BTreeMap<String, Artefact>,
}

/// What a fit gave.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FitRecord {
    /// Trees in the model.
    pub trees: usize,
    /// Nodes in all trees.
    pub nodes: usize,
    /// Wall time, pauses included.
    pub seconds: f64,
    /// `complete`, `early` (stopped early by plan) or `kept` (cancelled, the finished trees kept).
    pub ended: String,
    /// Where randomness comes from.
    pub rng: String,
}

impl FitRecord {
    /// How an [`Ended`] is written.
    pub const fn ended(ended: Ended) -> &'static str {
        match ended {
            Ended::Complete => "complete",
            Ended::Early => "early",
            Ended::Kept => "kept",
        }
    }
}

/// Which program made a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Code {
    /// The crate's version.
    pub vintner: String,
    /// The commit it was built from: release builds out of a repository know it (see `build.rs`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub git_sha: Option<String>,
    /// Operating system and processor.
    pub target: String,
}

impl Code {
    /// This program.
    pub fn here() -> Self {
        Self {
            vintner: env!("CARGO_PKG_VERSION").to_owned(),
            git_sha: option_env!("VINTNER_GIT_SHA").map(ToOwned::to_owned),
            target: format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS),
        }
    }
}

/// What a version learned from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Data {
    /// The file, or the embedded data set's name.
    pub source: String,
    /// The file of the rows kept back, where they are not a part of `source`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holdout_source: Option<String>,
    /// Hash of the canonical rows (distinct, sorted).
    pub sha256: String,
    /// Rows in the file.
    pub rows: usize,
    /// Rows that equal an earlier one.
    pub duplicates: usize,
    /// Whether those were dropped.
    pub deduplicated: bool,
    /// Rows learned from.
    pub train: usize,
    /// Rows kept back.
    pub holdout: usize,
    /// Seed of the split.
    pub split_seed: u64,
    /// Hash of the kept-back row numbers.
    pub holdout_sha256: String,
}

impl Data {
    /// Checked rows of these files.
    pub fn of((source, holdout_source): (String, Option<String>), preflight: &Preflight) -> Self {
        Self {
            source,
            holdout_source,
            sha256: preflight.sha256.clone(),
            rows: preflight.rows,
            duplicates: preflight.duplicates,
            deduplicated: preflight.deduplicated,
            train: preflight.train,
            holdout: preflight.holdout,
            split_seed: preflight.split_seed,
            holdout_sha256: preflight.holdout_sha256.clone(),
        }
    }
}

/// The inputs of a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Features {
    /// In the order rows must have.
    pub names: Vec<String>,
    /// SHA-256 of the names, one a line.
    pub sha256: String,
}

impl Features {
    /// Features of these names.
    pub fn of(names: &[String]) -> Self {
        Self {
            names: names.to_vec(),
            sha256: super::sums::hex(names.join("\n").as_bytes()),
        }
    }
}

/// How good a version is.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Metrics {
    /// On the rows kept back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub holdout: Option<Scores>,
    /// Out-of-bag, on the training rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oob: Option<Scores>,
    /// Cross-validated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cv: Option<CrossValidated>,
    /// The linear sanity line on the same holdout.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub linear: Option<Scores>,
    /// Anything else that was measured, by name.
    #[serde(flatten)]
    pub more: BTreeMap<String, serde_json::Value>,
}

/// A cross-validated R2.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CrossValidated {
    /// Folds.
    pub folds: usize,
    /// Mean over the folds.
    pub r2: f64,
    /// Half the width of its 95 % interval (Nadeau–Bengio).
    pub r2_half_width: f64,
}

/// One gate between a challenger and the throne.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gate {
    /// Its name.
    pub name: String,
    /// Whether it let the version through.
    pub passed: bool,
    /// Why, in figures.
    pub reason: String,
}

impl From<verdict::Gate> for Gate {
    fn from(gate: verdict::Gate) -> Self {
        Self {
            name: gate.name.to_owned(),
            passed: gate.passed,
            reason: gate.reason,
        }
    }
}

/// A row and the answer of the version that holds it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Canary {
    /// The features.
    pub x: Vec<f32>,
    /// The answer.
    pub y: f32,
}

/// A file of a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Artefact {
    /// SHA-256 of its content.
    pub sha256: String,
    /// Its size.
    pub bytes: u64,
}

impl Manifest {
    /// `random-forest 138 trees depth 8`: the version in a few words.
    pub fn summary(&self) -> String {
        let depth = self
            .plan
            .params
            .max_depth
            .map_or_else(|| "depth ∞".to_owned(), |depth| format!("depth {depth}"));
        match self.fit.trees {
            0 => self.plan.family.to_string(),
            trees => format!("{} {trees} trees {depth}", self.plan.family),
        }
    }

    /// Whether every gate it was put through let it pass.
    pub fn gates_passed(&self) -> bool {
        self.gates.iter().all(|gate| gate.passed)
    }

    /// Reads the file of `version`, or gives a sentence about what is wrong with it.
    pub(super) fn parse(bytes: &[u8], version: Version) -> Result<Self, String> {
        let manifest: Self =
            serde_json::from_slice(bytes).map_err(|error| format!("{FILE}: {error}"))?;
        match (manifest.schema, manifest.version) {
            (SCHEMA, found) if found == version => Ok(manifest),
            (SCHEMA, found) => Err(format!("{FILE} is that of {found}")),
            (schema, _) => Err(format!(
                "{FILE} has schema {schema}; this vintner reads {SCHEMA}"
            )),
        }
    }

    /// Whether the model is the recorded one: same features, same answers to the canaries.
    pub(super) fn check(&self, model: &Model) -> Result<(), String> {
        if model.names() != self.features.names || self.features != Features::of(model.names()) {
            return Err(format!("model and {FILE} name different features"));
        }
        self.check_canaries(model)
    }

    /// The sixteen questions, a row each.
    pub fn canary_rows(&self) -> Vec<Vec<f32>> {
        self.canaries
            .iter()
            .map(|canary| canary.x.clone())
            .collect()
    }

    /// Asks the model the sixteen questions; a sentence if an answer is not the recorded one.
    pub fn check_canaries(&self, model: &Model) -> Result<(), String> {
        if self.canaries.is_empty() {
            return Err("it has no canaries to prove itself with".to_owned());
        }
        for (number, canary) in self.canaries.iter().enumerate() {
            let answer = model.predict_row(&canary.x);
            if (answer - canary.y).abs() > CANARY_TOLERANCE || !answer.is_finite() {
                let wanted = canary.y;
                return Err(format!(
                    "canary {} of {} answers {answer}, recorded was {wanted}",
                    number + 1,
                    self.canaries.len()
                ));
            }
        }
        Ok(())
    }
}
