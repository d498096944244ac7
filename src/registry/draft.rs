//! A version before it has a number: what a training run hands to [`Registry::commit`](super::Registry::commit).

use std::fmt::Write as _;

use jiff::Timestamp;

use super::manifest::{
    self, Artefact, CANARIES, Canary, Code, Data, Features, FitRecord, Gate, Manifest, Metrics,
};
use super::{MODEL_FILE, Version, events, sums};
use crate::domain::drift::{PREDICTION, Reference};
use crate::train::dataset::Preflight;
use crate::train::fit::Outcome;
use crate::train::judge::spread;
use crate::train::split::Split;
use crate::train::{Dataset, Model, Plan, Scores};

/// The curve: trees and scores, out-of-bag where the family has such rows, else on watched rows.
pub const CURVE_FILE: &str = "oob_curve.csv";

/// Weights of the features: by impurity, and by what shuffling one costs.
pub const IMPORTANCE_FILE: &str = "importance.json";

/// The model for other programs, where ONNX can say it.
pub const ONNX_FILE: &str = "model.onnx";

/// The training rows and the holdout's scores, reduced to what a drift check needs ([`Reference`]).
pub const REFERENCE_FILE: &str = "reference.json";

/// Everything a version will be, but its number.
#[derive(Debug, Clone)]
pub struct Draft {
    manifest: Manifest,
    model: Vec<u8>,
    artefacts: Vec<(String, Vec<u8>)>,
}

impl Draft {
    /// Records a finished fit: `data` are the canonical rows of `preflight`, `split` theirs, `source` names the file
    /// they came from. Scores the model on the holdout and notes the answers to sixteen of its rows.
    pub fn new(
        plan: &Plan,
        source: &str,
        preflight: &Preflight,
        data: &Dataset,
        split: &Split,
        outcome: &Outcome,
    ) -> Self {
        let model = &outcome.model;
        let holdout = data.select(&split.holdout);
        let answers = model.predict(holdout.view());
        let metrics = Metrics {
            holdout: finite(Some(Scores::of(
                holdout.target.iter().copied(),
                answers.iter().copied(),
            ))),
            oob: finite(outcome.oob),
            ..Metrics::default()
        };
        let manifest = Manifest {
            schema: manifest::SCHEMA,
            version: Version::FIRST,
            run: None,
            created_at: Timestamp::now(),
            by: events::actor(),
            plan: Plan {
                threads: None,
                ..plan.clone()
            },
            preset: None,
            fit: fit_record(outcome),
            code: Code::here(),
            data: Data::of((source.to_owned(), None), preflight),
            features: Features::of(model.names()),
            metrics,
            verdict: None,
            gates: Vec::new(),
            parent: None,
            champion_at_train: None,
            model_sha256: model.sha256(),
            canaries: canaries(&holdout, model),
            artefacts: std::collections::BTreeMap::new(),
        };
        let draft = Self {
            manifest,
            model: model.to_bytes(),
            artefacts: Vec::new(),
        };
        let holdout_csv = holdout_csv(split, &holdout, answers.iter());
        draft
            .artefact("holdout.csv", holdout_csv)
            .artefact(CURVE_FILE, curve_csv(outcome))
            .artefact(
                REFERENCE_FILE,
                reference(&data.select(&split.train), answers.to_vec()),
            )
    }

    /// The preset the plan began from.
    #[must_use]
    pub fn preset(mut self, name: Option<&str>) -> Self {
        self.manifest.preset = name.map(ToOwned::to_owned);
        self
    }

    /// The file of the rows kept back, when they are not a part of the source.
    #[must_use]
    pub fn holdout_from(mut self, source: Option<String>) -> Self {
        self.manifest.data.holdout_source = source;
        self
    }

    /// The version whose plan it takes again.
    #[must_use]
    pub const fn parent(mut self, version: Option<Version>) -> Self {
        self.manifest.parent = version;
        self
    }

    /// The run it came from.
    #[must_use]
    pub fn run(mut self, id: impl Into<String>) -> Self {
        self.manifest.run = Some(id.into());
        self
    }

    /// How it stood against the champion of the time.
    #[must_use]
    pub fn judged(
        mut self,
        champion: Option<Version>,
        verdict: Option<String>,
        gates: Vec<Gate>,
    ) -> Self {
        self.manifest.champion_at_train = champion;
        self.manifest.verdict = verdict;
        self.manifest.gates = gates;
        self
    }

    /// Changes what was measured (adds cross-validation, say).
    #[must_use]
    pub fn measured(mut self, change: impl FnOnce(&mut Metrics)) -> Self {
        change(&mut self.manifest.metrics);
        self
    }

    /// Adds a file, or replaces it; `name` must be a plain file name, others are left out.
    #[must_use]
    pub fn artefact(mut self, name: &str, content: impl Into<Vec<u8>>) -> Self {
        let ours = [manifest::FILE, MODEL_FILE, sums::FILE].contains(&name);
        if sums::is_plain(name) && !ours {
            self.artefacts.retain(|(old, _)| old != name);
            self.artefacts.push((name.to_owned(), content.into()));
        }
        self
    }

    /// What will be recorded; the version in it is not yet the real one.
    pub const fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Gives the draft its number: the manifest, and all files to write.
    pub(super) fn seal(self, version: Version) -> (Manifest, Vec<(String, Vec<u8>)>) {
        let Self {
            mut manifest,
            model,
            artefacts,
        } = self;
        let mut files = artefacts;
        files.push((MODEL_FILE.to_owned(), model));
        manifest.version = version;
        manifest.created_at = Timestamp::now();
        let artefact = |(name, bytes): &(String, Vec<u8>)| {
            (
                name.clone(),
                Artefact {
                    sha256: sums::hex(bytes),
                    bytes: bytes.len() as u64,
                },
            )
        };
        manifest.artefacts = files.iter().map(artefact).collect();
        // Finite numbers and strings always serialize.
        let json = serde_json::to_vec_pretty(&manifest).unwrap_or_default();
        files.push((manifest::FILE.to_owned(), json));
        (manifest, files)
    }
}

/// A constant truth has no R2, and JSON no NaN.
fn finite(scores: Option<Scores>) -> Option<Scores> {
    scores.filter(|scores| scores.r2.is_finite() && scores.mse.is_finite())
}

fn fit_record(outcome: &Outcome) -> FitRecord {
    FitRecord {
        trees: outcome.trees,
        nodes: outcome.model.nodes(),
        seconds: outcome.fit_seconds,
        ended: FitRecord::ended(outcome.ended).to_owned(),
        rng: "chacha8/splitmix64-per-tree".to_owned(),
    }
}

/// Rows spread evenly over the holdout: the same for every model judged on it.
fn canaries(holdout: &Dataset, model: &Model) -> Vec<Canary> {
    let canary = |row: usize| {
        let x = holdout.features.row(row).to_vec();
        let y = model.predict_row(&x);
        Canary { x, y }
    };
    spread(CANARIES, holdout.len()).map(canary).collect()
}

/// Features as they were learned from, scores as they are for rows that were not: a deep forest answers its own
/// training rows so well that every fresh window would look drifted. (Out-of-bag answers come from a third of the
/// trees and scatter more than the whole forest's.)
fn reference(train: &Dataset, unseen: Vec<f32>) -> Vec<u8> {
    let column =
        |(place, name): (usize, &String)| (name.clone(), train.features.column(place).to_vec());
    let columns = train.names.iter().enumerate().map(column);
    let scores = (PREDICTION.to_owned(), unseen);
    // Finite numbers and strings always serialize.
    serde_json::to_vec(&Reference::of(columns.chain([scores]))).unwrap_or_default()
}

fn holdout_csv<'a>(
    split: &Split,
    holdout: &Dataset,
    answers: impl Iterator<Item = &'a f32>,
) -> String {
    let mut text = String::from("row,truth,prediction\n");
    for ((row, truth), answer) in split.holdout.iter().zip(&holdout.target).zip(answers) {
        let _ = writeln!(text, "{row},{truth},{answer}");
    }
    text
}

fn curve_csv(outcome: &Outcome) -> String {
    let mut text = String::from("trees,n,r2,rmse,mae\n");
    for (trees, scores) in &outcome.curve {
        let Scores {
            n, r2, rmse, mae, ..
        } = scores;
        let _ = writeln!(text, "{trees},{n},{r2},{rmse},{mae}");
    }
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use rand::{Rng as _, SeedableRng as _};
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::domain::drift::Drift;
    use crate::train::{Flow, fit};

    /// A version learned from three fifths of the rows and judged on another fifth, and the fifth it never met.
    fn version(preset: &str, change: impl FnOnce(&mut Plan)) -> (Reference, Model, Dataset) {
        let rows = Dataset::wine_quality().unwrap();
        let (_, data, fresh) = Preflight::of(&rows, true, 1).unwrap();
        let (known, fresh) = (data.select(&fresh.train), data.select(&fresh.holdout));
        let split = Split::stratified(&known.target, 0.25, 2);
        let mut plan = Plan::preset(preset).unwrap();
        change(&mut plan);
        let train = known.select(&split.train);
        let outcome = fit(&plan, &train, &mut |_| Flow::Continue).unwrap();
        let answers = outcome.model.predict(known.select(&split.holdout).view());
        let bytes = reference(&train, answers.to_vec());
        let reference = serde_json::from_slice(&bytes).unwrap();
        (reference, outcome.model, fresh)
    }

    fn window(rows: &Dataset, size: usize, rng: &mut ChaCha8Rng) -> Dataset {
        let drawn: Vec<usize> = (0..size).map(|_| rng.gen_range(0..rows.len())).collect();
        rows.select(&drawn)
    }

    fn drift(reference: &Reference, model: &Model, rows: &Dataset) -> Drift {
        let features = (0..rows.names.len()).map(|place| rows.features.column(place).to_vec());
        let scores = model.predict(rows.view()).to_vec();
        let window: Vec<Vec<f32>> = features.chain([scores]).collect();
        reference.compare(&window).unwrap().drift
    }

    #[test]
    fn fresh_rows_do_not_alert_and_moved_ones_do() {
        // Enough trees to learn the training rows by heart, few enough for a test.
        let small = |plan: &mut Plan| {
            plan.params.n_estimators = plan.params.n_estimators.min(60);
            plan.params.boosting.max_iter = 60;
        };
        for preset in crate::train::plan::PRESETS {
            let (reference, model, fresh) = version(preset, small);
            for size in [100, 200, 500] {
                let windows = 150u64;
                let mut rng = ChaCha8Rng::seed_from_u64(size as u64);
                let mut is_alarm = |_: &u64| {
                    let window = window(&fresh, size, &mut rng);
                    drift(&reference, &model, &window) == Drift::Alert
                };
                let alarms = (0..windows).filter(|number| is_alarm(number)).count();
                assert!(
                    alarms as u64 * 50 <= windows,
                    "{preset}: {alarms} of {windows} at {size}"
                );
            }
            let mut moved = window(&fresh, 200, &mut ChaCha8Rng::seed_from_u64(1));
            let alcohol = moved
                .names
                .iter()
                .position(|name| name == "alcohol")
                .unwrap();
            moved
                .features
                .column_mut(alcohol)
                .mapv_inplace(|value| value + 1.0);
            assert_eq!(drift(&reference, &model, &moved), Drift::Alert, "{preset}");
        }
    }
}
