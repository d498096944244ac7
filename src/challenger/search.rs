//! A search for better hyper-parameters that leaves a run behind, as a training does.

use crate::registry::Registry;
use crate::registry::runs::{Run, State};
use crate::train::tune::{Search, SearchProgress, Trial, best, tune};
use crate::train::{Dataset, Flow, TrainError};

/// Searches on `rows` and returns the whole history. With a registry, the run is written down with every trial in its
/// `trials.jsonl`, whatever becomes of it; a registry that cannot be written does not stop the search.
pub fn search(
    search: &Search,
    rows: &Dataset,
    earlier: Vec<Trial>,
    registry: Option<&Registry>,
    listen: &mut dyn FnMut(&SearchProgress<'_>) -> Flow,
) -> Result<Vec<Trial>, TrainError> {
    let mut run = registry.and_then(|registry| match registry.start_search(&search.plan) {
        Ok(run) => Some(run),
        Err(error) => {
            tracing::warn!("the search is not written down: {error}");
            None
        }
    });
    let mut told = 0;
    let done = tune(search, rows, earlier, &mut |progress| {
        if let Some(run) = &mut run {
            for trial in progress.history.get(told..).unwrap_or_default() {
                run.trial(trial);
            }
            told = progress.history.len();
            run.beat();
        }
        listen(progress)
    });
    end(run, &done, search.trials);
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
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::train::tune::Sampling;
    use crate::train::{Family, Plan};

    #[test]
    fn a_search_is_a_run_with_its_trials_whether_it_is_finished_or_stopped() {
        let home = tempfile::tempdir().unwrap();
        let registry = Registry::at(home.path());
        let rows = Dataset::wine_quality().unwrap().canonical(true);
        let some: Vec<usize> = (0..rows.len()).step_by(10).collect();
        let wanted = Search {
            plan: Plan::new(Family::DecisionTree),
            trials: 4,
            sampling: Sampling::Random,
            seed: 1,
        };
        let hunt = |earlier, stop_after: usize| {
            let mut listen = |progress: &SearchProgress<'_>| {
                if progress.history.len() >= stop_after {
                    Flow::Stop { keep: true }
                } else {
                    Flow::Continue
                }
            };
            let rows = rows.select(&some);
            search(&wanted, &rows, earlier, Some(&registry), &mut listen).unwrap()
        };
        let first = hunt(Vec::new(), 2);
        let all = hunt(first.clone(), 9);
        assert_eq!((first.len(), all.len()), (2, 4));
        let runs = registry.runs().unwrap();
        let told: Vec<_> = runs
            .iter()
            .map(|run| (run.state, run.trials, run.version))
            .collect();
        assert_eq!(
            told,
            [
                (State::Finished, Some(4), None),
                (State::Cancelled, Some(2), None)
            ]
        );
        assert!(runs[0].note.as_deref().unwrap().starts_with("best MSE"));
        let path = home
            .path()
            .join("runs")
            .join(&runs[0].id)
            .join("trials.jsonl");
        let lines = std::fs::read_to_string(path).unwrap();
        let written: Vec<Trial> = lines
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(written, all);
    }
}
