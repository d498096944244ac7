//! From rows to a fitted model: pre-flight and split, a fit with its curve, the linear sanity line. The holdout is not
//! looked at here: see [`judge`](super::judge).

use super::dataset::{DataError, Dataset, Preflight};
use super::evaluate::{CrossValidation, cross_validate};
use super::fit::{Ended, FEWEST_KEPT, Outcome, TrainError, fit, fit_watched};
use super::plan::{Family, ParamError, Params, Plan};
use super::progress::{Flow, Progress, Scores};
use super::split::Split;

/// Fewest rows per fold that a cross-validation may judge with; fewer have no meaningful R2.
const FOLD_ROWS: usize = 10;

/// Share of the training rows that draws the curve of families without out-of-bag rows.
const WATCHED: f64 = 0.2;

/// What a retraining is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Fitting on four fifths of the training rows, scored on the rest: the curve of families without out-of-bag rows.
    Validate,
    /// Fitting on all training rows.
    Fit,
    /// Judging on the holdout.
    Judge,
    /// Cross-validating the recipe.
    Fold {
        /// The fold, from 0.
        index: usize,
        /// Folds in all.
        of: usize,
    },
}

/// Hears every tree of every phase, and says how to go on.
pub type Listen<'a> = dyn FnMut(Phase, &Progress) -> Flow + 'a;

/// The rows as they were read.
#[derive(Debug, Clone)]
pub struct Rows {
    /// To learn from; also to judge with, unless `holdout` has other rows for that.
    pub learn: Dataset,
    /// Rows to judge with, when the split was made elsewhere.
    pub holdout: Option<Dataset>,
}

impl Rows {
    /// Checks and splits them.
    pub fn prepare(&self, dedup: bool, split_seed: u64) -> Result<Prepared, DataError> {
        let (preflight, data, split) = match &self.holdout {
            Some(holdout) => Preflight::with_holdout(&self.learn, holdout, dedup),
            None => Preflight::of(&self.learn, dedup, split_seed),
        }?;
        Ok(Prepared {
            preflight,
            data,
            split,
        })
    }
}

/// Rows that were checked and split.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// The pre-flight report.
    pub preflight: Preflight,
    /// The rows worked on.
    pub data: Dataset,
    /// Which are learned from and which kept back.
    pub split: Split,
}

impl Prepared {
    /// The rows to learn from.
    pub fn train(&self) -> Dataset {
        self.data.select(&self.split.train)
    }

    /// The rows kept back.
    pub fn holdout(&self) -> Dataset {
        self.data.select(&self.split.holdout)
    }

    /// Whether so many folds can be judged; 0 is none, and always possible.
    pub fn check_folds(&self, folds: usize) -> Result<(), ParamError> {
        let most = self.data.len() / FOLD_ROWS;
        if folds == 0 || (2..=most).contains(&folds) {
            return Ok(());
        }
        Err(ParamError::Other(format!(
            "{folds} folds of {} rows cannot be judged: choose 2 to {most} folds (at least {FOLD_ROWS} rows each), or 0 for no cross-validation",
            self.data.len()
        )))
    }
}

/// Fits on all of `train`. Families without out-of-bag rows get their curve from a first fit on four fifths of them;
/// if the listener stops that one and keeps its trees, so many are then grown on all rows.
pub fn fit_with_curve(
    plan: &Plan,
    train: &Dataset,
    seed: u64,
    listen: &mut Listen<'_>,
) -> Result<Outcome, TrainError> {
    let at_once = matches!(plan.family, Family::Linear | Family::DecisionTree);
    if plan.has_out_of_bag() || at_once {
        return fit(plan, train, &mut |progress| listen(Phase::Fit, progress));
    }
    let inner = Split::stratified(&train.target, WATCHED, seed);
    let (learn, watch) = (train.select(&inner.train), train.select(&inner.holdout));
    let validation = fit_watched(plan, &learn, Some(&watch), &mut |progress| {
        listen(Phase::Validate, progress)
    })?;
    let outcome = if validation.ended == Ended::Kept {
        fit_stopped(plan, train, validation.trees, listen)?
    } else {
        fit(plan, train, &mut |progress| listen(Phase::Fit, progress))?
    };
    Ok(Outcome {
        curve: validation.curve,
        watched: validation.watched,
        ..outcome
    })
}

/// Fits a forest that was stopped while its curve was drawn. The stop that was obeyed there is not heard again; a new
/// one is.
fn fit_stopped(
    plan: &Plan,
    train: &Dataset,
    trees: usize,
    listen: &mut Listen<'_>,
) -> Result<Outcome, TrainError> {
    let plan = plan.with_trees(trees);
    let mut obeyed = true;
    let outcome = fit(
        &plan,
        train,
        &mut |progress| match listen(Phase::Fit, progress) {
            Flow::Stop { keep: true } if obeyed => Flow::Continue,
            flow => {
                obeyed = false;
                flow
            }
        },
    )?;
    Ok(Outcome {
        ended: Ended::Kept,
        ..outcome
    })
}

/// The recipe on `folds` folds of all rows; it judges the plan, not the fitted model. `None` when there are to be none
/// and when the listener stops it with `keep`: the fitted model stays. Any other stop cancels everything.
pub fn cross_validated(
    plan: &Plan,
    data: &Dataset,
    folds: usize,
    seed: u64,
    listen: &mut Listen<'_>,
) -> Result<Option<CrossValidation>, TrainError> {
    if folds == 0 {
        return Ok(None);
    }
    let mut enough = false;
    let mut hear = |index, progress: &Progress| {
        let flow = listen(Phase::Fold { index, of: folds }, progress);
        enough |= flow == Flow::Stop { keep: true };
        flow
    };
    match cross_validate(plan, data, folds, seed, &mut hear) {
        Err(TrainError::Cancelled { .. }) if enough => Ok(None),
        done => done.map(Some),
    }
}

/// The linear sanity line: least squares on `train`, scored on `holdout`.
pub fn linear(train: &Dataset, holdout: &Dataset) -> Result<Scores, TrainError> {
    let model = fit(&Plan::new(Family::Linear), train, &mut |_| Flow::Continue)?.model;
    Ok(Scores::of(
        holdout.target.iter().copied(),
        model.predict(holdout.view()),
    ))
}

impl Plan {
    /// Whether its rows left out of each bootstrap draw the curve.
    pub fn has_out_of_bag(&self) -> bool {
        matches!(self.family, Family::RandomForest | Family::ExtraTrees) && self.params.bootstrap
    }

    /// The plan that grows a stopped forest again: its first trees, all of them.
    #[must_use]
    pub fn with_trees(&self, trees: usize) -> Self {
        Self {
            params: Params {
                n_estimators: trees,
                ..self.params.clone()
            },
            early_stop: None,
            ..self.clone()
        }
    }
}

/// Whether stopped training of this plan can leave a model of so many trees.
pub fn keepable(plan: &Plan, trees: usize) -> bool {
    matches!(plan.family, Family::RandomForest | Family::ExtraTrees) && trees >= FEWEST_KEPT
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::train::progress::Judged;
    use crate::train::split;

    fn wine() -> Prepared {
        let learn = Dataset::wine_quality().unwrap();
        let rows = Rows {
            learn,
            holdout: None,
        };
        rows.prepare(true, split::SEED).unwrap()
    }

    fn extra_trees(trees: usize) -> Plan {
        let mut plan = Plan::new(Family::ExtraTrees);
        plan.params.n_estimators = trees;
        plan.params.max_depth = Some(6);
        plan
    }

    #[test]
    fn a_curve_without_out_of_bag_rows_is_drawn_on_rows_of_the_training_side() {
        let prepared = wine();
        let (mut phases, mut watched) = (Vec::new(), 0);
        let outcome = fit_with_curve(
            &extra_trees(12),
            &prepared.train(),
            split::SEED,
            &mut |phase, progress| {
                if phases.last() != Some(&phase) {
                    phases.push(phase);
                }
                if let Some((judged, scores)) = progress.scores {
                    assert_eq!((phase, judged), (Phase::Validate, Judged::Watched));
                    watched = scores.n;
                }
                Flow::Continue
            },
        )
        .unwrap();
        assert_eq!(phases, [Phase::Validate, Phase::Fit]);
        // A fifth of the 4256 training rows: none of the 1064 that are held out.
        assert_eq!((watched, outcome.curve.len()), (852, 12));
        let plain = fit(&extra_trees(12), &prepared.train(), &mut |_| Flow::Continue).unwrap();
        assert_eq!(outcome.model, plain.model);
    }

    #[test]
    fn trees_kept_while_the_curve_is_drawn_are_grown_on_all_rows() {
        let train = wine().train();
        let mut stop = |phase, progress: &Progress| {
            // The stop button stays pressed, as it does in the tab.
            let pressed = phase == Phase::Fit || progress.done >= 15;
            if pressed {
                Flow::Stop { keep: true }
            } else {
                Flow::Continue
            }
        };
        let kept = fit_with_curve(&extra_trees(4000), &train, split::SEED, &mut stop).unwrap();
        assert_eq!((kept.ended, kept.trees), (Ended::Kept, kept.curve.len()));
        let whole = fit(&extra_trees(kept.trees), &train, &mut |_| Flow::Continue).unwrap();
        assert_eq!(kept.model, whole.model);
    }

    #[test]
    fn a_second_stop_is_heard_when_the_first_was_obeyed() {
        let train = wine().train();
        let mut flows = [Flow::Stop { keep: true }, Flow::Pause].into_iter();
        let mut then_dropped = |phase, progress: &Progress| match phase {
            Phase::Validate if progress.done < 12 => Flow::Continue,
            Phase::Validate => Flow::Stop { keep: true },
            _ => flows.next().unwrap_or(Flow::Stop { keep: false }),
        };
        let dropped = fit_with_curve(&extra_trees(4000), &train, split::SEED, &mut then_dropped);
        assert!(matches!(dropped, Err(TrainError::Cancelled { .. })));
    }

    #[test]
    fn a_cross_validation_may_be_skipped_or_cancelled_and_needs_rows_for_every_fold() {
        let prepared = wine();
        let data = &prepared.data;
        let plan = extra_trees(10);
        let stop = |keep| {
            cross_validated(&plan, data, 3, split::SEED, &mut |phase, _| {
                if phase == (Phase::Fold { index: 1, of: 3 }) {
                    Flow::Stop { keep }
                } else {
                    Flow::Continue
                }
            })
        };
        assert!(matches!(stop(true), Ok(None)));
        assert!(matches!(stop(false), Err(TrainError::Cancelled { .. })));
        for (folds, fine) in [(0, true), (1, false), (2, true), (532, true), (533, false)] {
            assert_eq!(prepared.check_folds(folds).is_ok(), fine, "{folds}");
        }
    }
}
