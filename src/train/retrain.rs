//! One retraining from rows to judgement: pre-flight, split, fit, cross-validation, one look at the holdout, and the
//! linear model as the sanity line.

use super::dataset::{DataError, Dataset, Preflight};
use super::evaluate::{Bands, CrossValidation, Evaluation, cross_validate};
use super::fit::{Outcome, TrainError, fit, fit_watched};
use super::model::Model;
use super::plan::{Family, Plan};
use super::progress::{Flow, Progress, Scores};
use super::split::Split;
use super::verdict::Comparison;

/// What to train on and how to judge it.
#[derive(Debug, Clone)]
pub struct Job<'a> {
    /// What to train.
    pub plan: &'a Plan,
    /// The rows as they were read.
    pub rows: &'a Dataset,
    /// Rows to judge with, when the split was made elsewhere; then all of `rows` are learned from.
    pub holdout: Option<&'a Dataset>,
    /// Drop duplicates.
    pub dedup: bool,
    /// Seed of the split and the folds.
    pub split_seed: u64,
    /// Folds of the cross-validation; below 2 there is none.
    pub folds: usize,
    /// Bands of the score.
    pub bands: &'a Bands,
}

/// Where a retraining stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The model is grown on the training rows.
    Fit,
    /// A fold of the cross-validation, from 0.
    Fold(usize),
}

/// A fitted and judged model.
#[derive(Debug, Clone)]
pub struct Retrained {
    /// The pre-flight report.
    pub preflight: Preflight,
    /// The rows worked on.
    pub data: Dataset,
    /// Which were learned from and which kept back.
    pub split: Split,
    /// The fit.
    pub outcome: Outcome,
    /// The model on the holdout.
    pub evaluation: Evaluation,
    /// The linear model on the holdout.
    pub linear: Scores,
    /// Cross-validation over all rows, when asked for. It judges the recipe, not this model.
    pub cv: Option<CrossValidation>,
}

/// Runs the job. Stopping in the cross-validation cancels everything.
pub fn retrain(
    job: &Job<'_>,
    on_progress: &mut dyn FnMut(Stage, &Progress) -> Flow,
) -> Result<Retrained, TrainError> {
    let (preflight, data, split) = prepare(job)?;
    let (train, holdout) = (data.select(&split.train), data.select(&split.holdout));
    // The watched rows draw a curve for families without out-of-bag rows; nothing is chosen by it.
    let outcome = fit_watched(job.plan, &train, Some(&holdout), &mut |progress| {
        on_progress(Stage::Fit, progress)
    })?;
    let cv = if job.folds < 2 {
        None
    } else {
        let mut listen = |fold, progress: &Progress| on_progress(Stage::Fold(fold), progress);
        Some(cross_validate(
            job.plan,
            &data,
            job.folds,
            job.split_seed,
            &mut listen,
        )?)
    };
    let evaluation = Evaluation::of(&outcome.model, &holdout, job.bands, job.split_seed);
    let linear = fit(&Plan::new(Family::Linear), &train, &mut |_| Flow::Continue)?.model;
    let linear = Scores::of(
        holdout.target.iter().copied(),
        linear.predict(holdout.view()),
    );
    Ok(Retrained {
        preflight,
        data,
        split,
        outcome,
        evaluation,
        linear,
        cv,
    })
}

fn prepare(job: &Job<'_>) -> Result<(Preflight, Dataset, Split), DataError> {
    let Some(holdout) = job.holdout else {
        return Preflight::of(job.rows, job.dedup, job.split_seed);
    };
    Preflight::with_holdout(job.rows, holdout, job.dedup)
}

impl Retrained {
    /// A champion on the same holdout, and the comparison with it. `None` when it takes other features.
    pub fn against(
        &self,
        champion: &Model,
        bands: &Bands,
        seed: u64,
    ) -> Option<(Evaluation, Comparison)> {
        if champion.names() != self.outcome.model.names() {
            return None;
        }
        let champion = Evaluation::of(
            champion,
            &self.data.select(&self.split.holdout),
            bands,
            seed,
        );
        let comparison = Comparison::paired(
            &champion.actual,
            &champion.predicted,
            &self.evaluation.predicted,
            seed,
        )?;
        Some((champion, comparison))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::train::evaluate::service_bands;

    #[test]
    fn a_job_gives_everything_a_verdict_needs() {
        let rows = Dataset::wine_quality().unwrap();
        let mut plan = Plan::preset("owner").unwrap();
        plan.params.n_estimators = 20;
        let bands = service_bands();
        let job = Job {
            plan: &plan,
            rows: &rows,
            holdout: None,
            dedup: true,
            split_seed: 42,
            folds: 3,
            bands: &bands,
        };
        let mut stages = Vec::new();
        let mut listen = |stage, _: &Progress| {
            if stages.last() != Some(&stage) {
                stages.push(stage);
            }
            Flow::Continue
        };
        let done = retrain(&job, &mut listen).unwrap();
        assert_eq!(
            stages,
            [Stage::Fit, Stage::Fold(0), Stage::Fold(1), Stage::Fold(2)]
        );
        assert!(done.evaluation.scores.r2 > done.linear.r2 && done.cv.is_some());
        let (_, comparison) = done.against(&done.outcome.model, &bands, 1).unwrap();
        assert_eq!(comparison.delta_mse, 0.0);

        let (train, holdout) = (
            done.data.select(&done.split.train),
            done.data.select(&done.split.holdout),
        );
        let elsewhere = Job {
            rows: &train,
            holdout: Some(&holdout),
            folds: 0,
            ..job
        };
        let again = retrain(&elsewhere, &mut |_, _| Flow::Continue).unwrap();
        assert_eq!(again.outcome.model, done.outcome.model);
        assert_eq!(again.evaluation.scores, done.evaluation.scores);
        assert_eq!(again.preflight.holdout, 1064);
    }
}
