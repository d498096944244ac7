//! A search for better hyper-parameters that leaves a run behind, as a training does, and can be gone on with from it.

use serde_json::{Map, Value};

use super::Source;
use super::source::recorded_rows;
use crate::registry::manifest::Data;
use crate::registry::runs::{Run, SearchRecord, State};
use crate::registry::{Registry, RegistryError};
use crate::train::plan::ParamError;
use crate::train::retrain::{Prepared, Rows};
use crate::train::tune::history::History;
use crate::train::tune::{Basis, Sampling, Search, SearchProgress, Trial, best, tune};
use crate::train::{Flow, Plan, TrainError};

/// What is searched, and on which rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Tuning {
    /// Family, seed, and the parameters that are not varied.
    pub plan: Plan,
    /// Names of parameters the family's search would vary, which stay as the plan has them.
    pub fixed: Vec<String>,
    /// Trials in all, earlier ones included.
    pub trials: usize,
    /// How parameters are chosen.
    pub sampling: Sampling,
    /// Where the rows come from.
    pub source: Source,
    /// Drop exact duplicates first.
    pub dedup: bool,
    /// Seed of the split: the holdout is not looked at.
    pub split_seed: u64,
}

impl Tuning {
    /// The plan with a trial's parameters.
    pub fn plan_of(&self, params: &Map<String, Value>) -> Result<Plan, ParamError> {
        self.search().plan_of(params)
    }

    /// What its trials rest on when these rows are learned from.
    pub fn basis(&self, rows: &Prepared) -> Result<Basis, ParamError> {
        Basis::of(&self.search(), rows)
    }

    fn search(&self) -> Search {
        Search {
            plan: self.plan.clone(),
            fixed: self.fixed.clone(),
            trials: self.trials,
            sampling: self.sampling,
            seed: self.plan.params.seed,
        }
    }
}

/// What a listener hears. Its answer steers the search on [`SearchNews::Progress`] and is left out otherwise.
#[derive(Debug)]
pub enum SearchNews<'a> {
    /// The registry cannot be written, for this reason; the search goes on.
    Unwritable(&'a str),
    /// It begins.
    Begun {
        /// Its run, when it is written down.
        run: Option<&'a str>,
        /// The trials made before.
        earlier: &'a History,
        /// Training rows that every trial is judged on.
        rows: usize,
    },
    /// A tree or a trial has finished, or time has passed.
    Progress(&'a SearchProgress<'a>),
}

/// Hears how a search goes, and says how to go on.
pub type Hear<'a> = dyn FnMut(SearchNews<'_>) -> Flow + 'a;

/// Why a search that was left cannot be gone on with.
#[derive(Debug, thiserror::Error)]
pub enum ResumeError {
    /// Its run cannot be read, or another process is at it.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// It is done or was none, or its rows are gone or others: its trials could not be compared with new ones.
    #[error("the search {0} cannot be resumed: {1}")]
    Refused(String, String),
    /// It went on, and failed.
    #[error(transparent)]
    Train(#[from] TrainError),
}

/// Searches on the training rows and returns the whole history. With a registry, the run is written down with every
/// trial in its `trials.jsonl`, whatever becomes of it; a registry that cannot be written does not stop the search.
pub fn search(
    tuning: &Tuning,
    rows: &Rows,
    earlier: Vec<Trial>,
    registry: Option<&Registry>,
    listen: &mut Hear<'_>,
) -> Result<Vec<Trial>, TrainError> {
    tuning.plan.check()?;
    let prepared = rows.prepare(tuning.dedup, tuning.split_seed)?;
    let record = SearchRecord {
        wanted: tuning.trials,
        fixed: tuning.fixed.clone(),
        sampling: tuning.sampling,
        data: Data::of(tuning.source.names(), &prepared.preflight),
    };
    let started = registry.map(|registry| registry.start_search(&tuning.plan, record));
    let run = started.and_then(|run| {
        run.map_err(|error| listen(SearchNews::Unwritable(&error.to_string())))
            .ok()
    });
    let history = History {
        trials: earlier,
        ..History::default()
    };
    follow(tuning, &prepared, run, history, 0, listen)
}

/// Goes on with a search of the registry in its own run, to so many trials in all (at least those it wanted), as if it
/// had never been left.
pub fn resume(
    id: &str,
    trials: usize,
    registry: &Registry,
    listen: &mut Hear<'_>,
) -> Result<Vec<Trial>, ResumeError> {
    let record = registry.run(id)?;
    let refused = |why| ResumeError::Refused(id.to_owned(), why);
    let wanted = record.resumable(trials).map_err(refused)?;
    let rows = recorded_rows(&wanted.data).map_err(refused)?;
    let tuning = Tuning {
        plan: record.plan,
        fixed: wanted.fixed.clone(),
        trials: wanted.wanted,
        sampling: wanted.sampling,
        source: Source::recorded(&wanted.data),
        dedup: wanted.data.deduplicated,
        split_seed: wanted.data.split_seed,
    };
    let basis = tuning.basis(&rows).map_err(TrainError::from)?;
    let resumed = registry.resume_search(id, wanted, &basis)?;
    let told = resumed.history.trials.len();
    let (run, history) = (Some(resumed.run), resumed.history);
    Ok(follow(&tuning, &rows, run, history, told, listen)?)
}

/// Searches, and writes down in the run every trial from number `told` on.
fn follow(
    tuning: &Tuning,
    rows: &Prepared,
    mut run: Option<Run>,
    earlier: History,
    mut told: usize,
    listen: &mut Hear<'_>,
) -> Result<Vec<Trial>, TrainError> {
    let (basis, train) = (tuning.basis(rows)?, rows.train());
    listen(SearchNews::Begun {
        run: run.as_ref().map(Run::id),
        earlier: &earlier,
        rows: train.len(),
    });
    let done = tune(&tuning.search(), &train, earlier.trials, &mut |progress| {
        if let Some(run) = &mut run {
            for trial in progress.history.get(told..).unwrap_or_default() {
                run.trial(trial, &basis);
            }
            told = progress.history.len();
            run.beat();
        }
        listen(SearchNews::Progress(progress))
    });
    end(run, &done, tuning.trials);
    done
}

fn end(run: Option<Run>, done: &Result<Vec<Trial>, TrainError>, wanted: usize) {
    let (state, note) = match done {
        Ok(history) => {
            let state = if history.len() < wanted {
                State::Cancelled
            } else {
                State::Finished
            };
            let best = best(history);
            (
                state,
                best.map(|best| format!("best MSE {:.4} in trial {}", best.mse, best.number)),
            )
        }
        Err(TrainError::Cancelled { .. }) => (State::Cancelled, None),
        Err(error) => (State::Failed, Some(error.to_string())),
    };
    if let Some(Err(error)) = run.map(|run| run.end(state, None, note)) {
        tracing::warn!("the search could not be written down: {error}");
    }
}

#[cfg(test)]
mod tests;
