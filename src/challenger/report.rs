//! How a training run came out.

use super::Job;
use crate::registry::manifest::Gate;
use crate::registry::{Champion, Version};
use crate::train::dataset::Preflight;
use crate::train::evaluate::{CrossValidation, Evaluation};
use crate::train::fit::Ended;
use crate::train::importance::{self, Importance};
use crate::train::judge::Judgement;
use crate::train::surrogate::Surrogate;
use crate::train::verdict::Comparison;
use crate::train::{Dataset, Outcome, Plan, Scores};

/// Shuffles behind each permutation importance.
const SHUFFLES: usize = 5;

/// What a finished run gave.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// What was trained.
    pub plan: Plan,
    /// The preset it is.
    pub preset: Option<String>,
    /// Where its rows came from.
    pub source: String,
    /// What they are like.
    pub preflight: Preflight,
    /// The curve: trees and R2, out-of-bag or on rows of the training side.
    pub curve: Vec<(usize, f64)>,
    /// Trees in the model.
    pub trees: usize,
    /// Nodes in the model.
    pub nodes: usize,
    /// SHA-256 of the model.
    pub sha256: String,
    /// Wall time of the final fit.
    pub fit_seconds: f64,
    /// Whether the run was stopped and its trees kept.
    pub kept: bool,
    /// Whether it stopped because more trees brought nothing.
    pub early: bool,
    /// Out-of-bag scores, where there are such.
    pub oob: Option<Scores>,
    /// Scores on the rows of the training side that drew the curve, where there is no out-of-bag.
    pub validation: Option<Scores>,
    /// On the holdout.
    pub evaluation: Evaluation,
    /// The champion on the same rows.
    pub champion: Option<(Version, Evaluation)>,
    /// Challenger against champion.
    pub comparison: Option<Comparison>,
    /// What a promotion needs.
    pub gates: Vec<Gate>,
    /// The linear baseline on the holdout.
    pub linear: Scores,
    /// Weights of the features.
    pub importance: Weights,
    /// The model in words, on the training rows.
    pub surrogate: Option<Surrogate>,
    /// The plan cross-validated over all rows; `None` when it was not asked for, skipped, or is still running.
    pub cv: Option<CrossValidation>,
    /// Its version, or why it has none (yet).
    pub version: Result<Version, String>,
    /// How often this holdout has been looked at, this time included, as far as the registry remembers.
    pub looks: usize,
    /// Who reigned when it was judged: what a promotion rests on.
    pub reigning: Option<Champion>,
    /// What the user should know about the comparison.
    pub notes: Vec<String>,
}

/// What each feature is worth to the model.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Weights {
    /// What shuffling a feature was measured by.
    pub measure: &'static str,
    /// On how many rows, and what its error is over.
    pub over: String,
    /// The cost of shuffling each feature.
    pub permutation: Vec<Importance>,
    /// The mean decrease in impurity; zeros where there are no trees.
    pub impurity: Vec<Importance>,
}

impl Report {
    pub(super) fn of(
        job: &Job,
        preflight: &Preflight,
        outcome: &Outcome,
        judgement: Judgement,
        reigning: Option<&Champion>,
    ) -> Self {
        let curve = outcome.curve.iter();
        Self {
            plan: job.plan.clone(),
            preset: job.preset.clone(),
            source: job.source.names().0,
            preflight: preflight.clone(),
            curve: curve.map(|(trees, scores)| (*trees, scores.r2)).collect(),
            trees: outcome.trees,
            nodes: outcome.model.nodes(),
            sha256: outcome.model.sha256(),
            fit_seconds: outcome.fit_seconds,
            kept: outcome.ended == Ended::Kept,
            early: outcome.ended == Ended::Early,
            oob: outcome.oob,
            validation: outcome.watched,
            champion: reigning
                .map(|champion| champion.version)
                .zip(judgement.champion),
            comparison: judgement.comparison,
            gates: judgement.gates.into_iter().map(Gate::from).collect(),
            linear: judgement.evaluation.scores,
            evaluation: judgement.evaluation,
            importance: Weights::default(),
            surrogate: None,
            cv: None,
            version: Err("it is not registered yet".to_owned()),
            looks: 1,
            reigning: reigning.cloned(),
            notes: Vec::new(),
        }
    }

    /// Whether every gate lets it pass.
    pub fn passed(&self) -> bool {
        self.gates.iter().all(|gate| gate.passed)
    }

    /// The word, when there was a champion to compare with.
    pub fn verdict(&self) -> Option<&'static str> {
        self.comparison.map(|comparison| comparison.verdict.word())
    }
}

/// Weights of the features: out-of-bag where the family has such rows, else on the holdout.
pub(super) fn weights(
    outcome: &Outcome,
    plan: &Plan,
    train: &Dataset,
    holdout: &Dataset,
) -> Weights {
    let plan = plan.with_trees(outcome.trees.max(1));
    let impurity = importance::impurity(&outcome.model);
    match importance::out_of_bag(&outcome.model, &plan, train) {
        Some(permutation) => Weights {
            measure: "rise of the out-of-bag MSE when shuffled",
            over: format!(
                "n {} training rows, ± over {} trees",
                train.len(),
                outcome.trees
            ),
            permutation,
            impurity,
        },
        None => Weights {
            measure: "loss of holdout R² when shuffled",
            over: format!("n {} rows, ± over {SHUFFLES} shuffles", holdout.len()),
            permutation: importance::permutation(
                &outcome.model,
                holdout,
                SHUFFLES,
                plan.params.seed,
            ),
            impurity,
        },
    }
}
