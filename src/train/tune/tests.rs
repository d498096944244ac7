#![allow(clippy::unwrap_used)]
use super::*;
use crate::train::plan::Family;

fn search(sampling: Sampling, trials: usize) -> (Search, Dataset) {
    let data = Dataset::wine_quality().unwrap().canonical(true);
    let some: Vec<usize> = (0..data.len()).step_by(10).collect();
    let plan = Plan::new(Family::RandomForest);
    (
        Search {
            plan,
            fixed: Vec::new(),
            trials,
            sampling,
            seed: 7,
        },
        data.select(&some),
    )
}

fn run(search: &Search, data: &Dataset, earlier: Vec<Trial>) -> Vec<Trial> {
    tune(search, data, earlier, &mut |_| Flow::Continue).unwrap()
}

#[test]
fn a_search_resumes_to_the_same_history_and_its_budget_is_a_total() {
    for sampling in [Sampling::Tpe, Sampling::Random] {
        let (whole, data) = search(sampling, 16);
        let history = run(&whole, &data, Vec::new());
        assert_eq!(history.len(), 16);
        let half = run(
            &Search {
                trials: 12,
                ..whole.clone()
            },
            &data,
            Vec::new(),
        );
        let lines: Vec<String> = half
            .iter()
            .map(|trial| serde_json::to_string(trial).unwrap())
            .collect();
        let read = lines
            .iter()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(run(&whole, &data, read), history);
        assert_eq!(run(&whole, &data, history.clone()), history);
    }
}

#[test]
fn tpe_and_random_differ_and_the_best_is_a_valid_plan() {
    let (tpe, data) = search(Sampling::Tpe, 16);
    let history = run(&tpe, &data, Vec::new());
    let random = run(
        &Search {
            sampling: Sampling::Random,
            ..tpe.clone()
        },
        &data,
        Vec::new(),
    );
    assert_ne!(history[15].params, random[15].params);
    let best = best(&history).unwrap();
    assert!(
        history
            .iter()
            .filter(|t| t.state == State::Complete)
            .all(|trial| best.mse <= trial.mse)
    );
    let plan = tpe.plan_of(&best.params).unwrap();
    assert!(plan.params.n_estimators >= 1 && plan.check().is_ok());
}

#[test]
fn tpe_never_tries_the_same_twice_and_goes_where_it_is_good() {
    // A made-up objective, so that forty trials cost nothing: best at max_depth 15, min_samples_split 4.
    let search = Search {
        plan: Plan::new(Family::RandomForest),
        fixed: Vec::new(),
        trials: 60,
        sampling: Sampling::Tpe,
        seed: 42,
    };
    let mut history: Vec<Trial> = Vec::new();
    for number in 0..search.trials {
        let params = search.suggest(number, &history).unwrap();
        assert!(history.iter().all(|trial| trial.params != params));
        let off = |name: &str, best: f64, width: f64| {
            ((params[name].as_f64().unwrap() - best) / width).powi(2)
        };
        let mse = off("max_depth", 15.0, 19.0) + off("min_samples_split", 4.0, 18.0);
        history.push(Trial {
            number,
            params,
            mse,
            checkpoints: Vec::new(),
            state: State::Complete,
        });
    }
    let mean =
        |trials: &[Trial]| trials.iter().map(|trial| trial.mse).sum::<f64>() / trials.len() as f64;
    assert!(mean(&history[30..]) < 0.6 * mean(&history[..STARTUP]));
    let distinct = |name: &str| {
        let values = history[30..]
            .iter()
            .map(|trial| trial.params[name].as_i64());
        values.collect::<std::collections::BTreeSet<_>>().len()
    };
    assert!(distinct("max_features") > 5 && distinct("n_estimators") > 15);
}

#[test]
fn a_family_without_ranges_cannot_be_tuned() {
    let (mut search, data) = search(Sampling::Tpe, 5);
    search.plan = Plan::new(Family::Linear);
    let error = tune(&search, &data, Vec::new(), &mut |_| Flow::Continue).unwrap_err();
    assert_eq!(
        error.to_string(),
        "There is nothing to tune in the family 'linear'."
    );
}

#[test]
fn a_stopped_search_keeps_its_trials() {
    let (search, data) = search(Sampling::Random, 50);
    let mut stop = |progress: &SearchProgress<'_>| {
        if progress.history.len() >= 3 {
            Flow::Stop { keep: true }
        } else {
            Flow::Continue
        }
    };
    assert_eq!(
        tune(&search, &data, Vec::new(), &mut stop).unwrap().len(),
        3
    );
    let whole = run(
        &Search {
            trials: 3,
            ..search.clone()
        },
        &data,
        Vec::new(),
    );
    // In the middle of the fourth forest: what is grown of it is no trial.
    let fourth = search.suggest(3, &whole).unwrap();
    assert!(fourth["n_estimators"].as_u64() > Some(20), "{fourth:?}");
    let mut halfway = |progress: &SearchProgress<'_>| match progress.fit {
        Some(fit) if progress.trial == 3 && fit.done >= 10 => Flow::Stop { keep: true },
        _ => Flow::Continue,
    };
    let mut many = search.clone();
    many.trials = 4;
    assert_eq!(tune(&many, &data, Vec::new(), &mut halfway).unwrap(), whole);
    let mut quit = |_: &SearchProgress<'_>| Flow::Stop { keep: false };
    assert!(matches!(
        tune(&search, &data, Vec::new(), &mut quit),
        Err(TrainError::Cancelled { .. })
    ));
}

#[test]
fn every_family_has_ranges_that_differ() {
    for family in Family::ALL {
        let space = space(family);
        for (at, dimension) in space.iter().enumerate() {
            assert!(
                space[..at]
                    .iter()
                    .all(|other| other.distribution != dimension.distribution),
                "{family}"
            );
            let mut plan = Plan::new(family);
            let value = match &dimension.distribution {
                Distribution::Int(range) => range.low.to_string(),
                Distribution::Float(range) => range.high.to_string(),
                Distribution::Categorical(_) => continue,
            };
            plan.set(dimension.name, &value).unwrap();
        }
    }
}
