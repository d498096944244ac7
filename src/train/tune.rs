//! Hyper-parameter search: tree-structured Parzen estimator or random control, median pruning, a total budget, and a
//! history that is plain data (one line of `trials.jsonl` each), so that a search can stop and go on.
//!
//! Trials run one after another: each fit already keeps every core busy, and so each trial knows all earlier ones.

mod basis;
pub mod history;
mod space;

use std::collections::HashMap;

use optimizer::distribution::Distribution;
use optimizer::param::ParamValue;
use optimizer::prelude::{Direction, MedianPruner, Pruner as _, RandomSampler, TpeSampler};
use optimizer::sampler::{CompletedTrial, Sampler as _};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::dataset::Dataset;
use super::evaluate::cross_validate;
use super::fit::{TrainError, fit};
use super::plan::{ParamError, Plan};
use super::progress::{Flow, Judged, Progress};
use super::rng::TreeRng;
use space::{Space, completed, width};

pub use basis::{Basis, settled};
pub use space::{Dimension, space};

/// Trials drawn at random before TPE has something to go on (Optuna's default).
const STARTUP: usize = 10;
/// Candidates per suggestion (Optuna's default).
const CANDIDATES: usize = 24;
/// Share of the trials that count as good.
const GAMMA: f64 = 0.25;
/// Kernels are never narrower than this part of the range, nor than the range over the good trials (Optuna's clip).
const FINEST: usize = 100;
/// Draws before a parameter set that was tried already is tried again.
const REDRAWS: u64 = 32;
/// Trees after which a forest is compared with the others.
const CHECKPOINTS: [usize; 3] = [25, 50, 100];
/// Trials that must have reached a checkpoint before anything is pruned there.
const BEFORE_PRUNING: usize = 5;
/// Folds for families without out-of-bag rows.
const FOLDS: usize = 3;

/// How the next parameters are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sampling {
    /// Tree-structured Parzen estimator.
    Tpe,
    /// Uniform: the control.
    Random,
}

/// How a trial ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Judged in full.
    Complete,
    /// Stopped early: worse than the median at a checkpoint.
    Pruned,
}

/// One finished trial.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// Number, from 0.
    pub number: usize,
    /// The parameters it set.
    pub params: Map<String, Value>,
    /// Mean squared error (out-of-bag, or cross-validated for families without such rows); a pruned trial's last.
    pub mse: f64,
    /// Trees and mean squared error at the checkpoints.
    pub checkpoints: Vec<(usize, f64)>,
    /// How it ended.
    pub state: State,
}

/// A search: the plan's family says what is varied.
#[derive(Debug, Clone, PartialEq)]
pub struct Search {
    /// Family and the parameters that are not varied.
    pub plan: Plan,
    /// Names out of the family's [`space`] that stay as the plan has them.
    pub fixed: Vec<String>,
    /// Trials in all, those of an earlier session included.
    pub trials: usize,
    /// How parameters are chosen.
    pub sampling: Sampling,
    /// Everything random follows from it.
    pub seed: u64,
}

/// What a search tells while it runs.
#[derive(Debug)]
pub struct SearchProgress<'a> {
    /// The number of the running trial.
    pub trial: usize,
    /// Trials in all.
    pub trials: usize,
    /// Its parameters.
    pub params: &'a Map<String, Value>,
    /// Finished trials, earlier sessions' included; a new one is the last entry when `fit` is `None`.
    pub history: &'a [Trial],
    /// The running fit; `None` right after a trial has finished.
    pub fit: Option<&'a Progress>,
}

/// Runs what is left of the budget and returns the whole history. `Stop` ends the search; with `keep` the finished
/// trials are returned, otherwise it fails with `Cancelled`.
pub fn tune(
    search: &Search,
    data: &Dataset,
    earlier: Vec<Trial>,
    on_progress: &mut dyn FnMut(&SearchProgress<'_>) -> Flow,
) -> Result<Vec<Trial>, TrainError> {
    let mut history = earlier;
    while history.len() < search.trials {
        let number = history.len();
        let params = search.suggest(number, &history)?;
        let plan = search.plan_of(&params)?;
        let mut kept = None;
        let mut listen = |fit: Option<&Progress>, history: &[Trial]| {
            let (trials, params) = (search.trials, &params);
            let flow = on_progress(&SearchProgress {
                trial: number,
                trials,
                params,
                history,
                fit,
            });
            if let Flow::Stop { keep } = flow {
                kept = Some(keep);
                // A forest cut short is not what the trial's parameters say: it is no trial.
                return Flow::Stop { keep: false };
            }
            flow
        };
        let judged = judge(&plan, data, &history, &mut |progress| {
            listen(Some(progress), &history)
        });
        match judged {
            Ok((mse, checkpoints, state)) => {
                history.push(Trial {
                    number,
                    params: params.clone(),
                    mse,
                    checkpoints,
                    state,
                });
                listen(None, &history);
            }
            Err(TrainError::Cancelled { .. }) if kept == Some(true) => return Ok(history),
            Err(error) => return Err(error),
        }
        match kept {
            Some(true) => return Ok(history),
            Some(false) => {
                return Err(TrainError::Cancelled {
                    done: history.len(),
                    total: search.trials,
                });
            }
            None => {}
        }
    }
    Ok(history)
}

/// The best complete trial.
pub fn best(history: &[Trial]) -> Option<&Trial> {
    let complete = history
        .iter()
        .filter(|trial| trial.state == State::Complete && trial.mse.is_finite());
    complete.min_by(|a, b| a.mse.total_cmp(&b.mse))
}

impl Search {
    /// The parameters of trial `number`: they depend on the seed, the number and the history alone. A set that was
    /// tried before is drawn again, a few times.
    pub fn suggest(
        &self,
        number: usize,
        history: &[Trial],
    ) -> Result<Map<String, Value>, ParamError> {
        let space = Space::of(self);
        if space.dimensions.is_empty() {
            let but = if self.fixed.is_empty() {
                ""
            } else {
                " but what is set already"
            };
            return Err(ParamError::Other(format!(
                "There is nothing to tune in the family '{}'{but}.",
                self.plan.family
            )));
        }
        let past: Vec<CompletedTrial> =
            history.iter().map(|trial| space.completed(trial)).collect();
        let mut params = Map::new();
        for attempt in 0..REDRAWS {
            let draw = Draw {
                search: self,
                past: &past,
                number: number as u64 | attempt << 32,
            };
            params = draw.all(&space)?;
            if history.iter().all(|trial| trial.params != params) {
                break;
            }
        }
        Ok(params)
    }

    /// The plan with a trial's parameters.
    pub fn plan_of(&self, params: &Map<String, Value>) -> Result<Plan, ParamError> {
        let mut plan = self.plan.clone();
        for (name, value) in params {
            plan.set(name, &value.to_string())?;
        }
        Ok(plan)
    }
}

/// One suggestion in the making.
struct Draw<'a> {
    search: &'a Search,
    past: &'a [CompletedTrial],
    /// What the crate takes for the trial's number: it seeds the draw.
    number: u64,
}

impl Draw<'_> {
    fn all(&self, space: &Space) -> Result<Map<String, Value>, ParamError> {
        let mut rng = TreeRng::new(self.search.seed, self.number);
        let mut params = Map::new();
        for dimension in &space.dimensions {
            let value = match self.one(&dimension.distribution, &mut rng)? {
                ParamValue::Int(value) => value.into(),
                ParamValue::Float(value) => value.into(),
                ParamValue::Categorical(value) => value.into(),
            };
            params.insert(dimension.name.to_owned(), value);
        }
        Ok(params)
    }

    /// The crate's estimator lacks two things of Optuna's, without which it repeats the best trials for ever: the
    /// prior as one more kernel among the good trials', and the floor under the kernels' width.
    fn one(&self, range: &Distribution, rng: &mut TreeRng) -> Result<ParamValue, ParamError> {
        let good = (self.past.len() as f64 * GAMMA).ceil() as usize;
        let from_prior = rng.below(good + 1) == good;
        if self.search.sampling == Sampling::Random || self.past.len() < STARTUP || from_prior {
            let sampler = RandomSampler::with_seed(self.search.seed);
            return Ok(sampler.sample(range, self.number, self.past));
        }
        let sampler = TpeSampler::builder()
            .gamma(GAMMA)
            .n_startup_trials(STARTUP)
            .n_ei_candidates(CANDIDATES)
            .kde_bandwidth(width(range) / (good + 1).min(FINEST) as f64)
            .seed(self.search.seed)
            .build()
            .map_err(|error| ParamError::Other(error.to_string()))?;
        Ok(sampler.sample(range, self.number, self.past))
    }
}

type Judgement = (f64, Vec<(usize, f64)>, State);

fn judge(
    plan: &Plan,
    data: &Dataset,
    history: &[Trial],
    listen: &mut dyn FnMut(&Progress) -> Flow,
) -> Result<Judgement, TrainError> {
    if !plan.has_out_of_bag() {
        let seed = plan.params.seed;
        let cv = cross_validate(plan, data, FOLDS, seed, &mut |_, progress| listen(progress))?;
        return Ok((cv.mse, Vec::new(), State::Complete));
    }
    let past: Vec<CompletedTrial> = history
        .iter()
        .map(|trial| completed(trial, HashMap::new(), HashMap::new()))
        .collect();
    let pruner = MedianPruner::new(Direction::Minimize).n_min_trials(BEFORE_PRUNING);
    let mut steps: Vec<(u64, f64)> = Vec::new();
    let mut pruned = false;
    let mut watch = |progress: &Progress| {
        if let (Some(_), true, Some((Judged::OutOfBag, scores))) = (
            progress.tree,
            CHECKPOINTS.contains(&progress.done),
            progress.scores,
        ) {
            let step = progress.done as u64;
            steps.push((step, scores.mse));
            pruned = pruner.should_prune(history.len() as u64, step, &steps, &past);
            if pruned {
                return Flow::Stop { keep: false };
            }
        }
        listen(progress)
    };
    let fitted = fit(plan, data, &mut watch);
    let checkpoints: Vec<(usize, f64)> = steps
        .iter()
        .map(|(trees, mse)| (*trees as usize, *mse))
        .collect();
    match fitted {
        Err(TrainError::Cancelled { .. }) if pruned => {
            let last = checkpoints.last().map_or(f64::MAX, |(_, mse)| *mse);
            Ok((last, checkpoints, State::Pruned))
        }
        Err(error) => Err(error),
        // One or two trees leave rows without an out-of-bag answer; their figure is over the others.
        Ok(outcome) => Ok((
            outcome.oob.map_or(f64::MAX, |oob| oob.mse),
            checkpoints,
            State::Complete,
        )),
    }
}

#[cfg(test)]
mod tests;
