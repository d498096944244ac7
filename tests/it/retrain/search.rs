//! The Retrain tab's search: started, left, resumed, and its best trial taken over.

use vintner::challenger::{SearchNews, Tuning, search as tune};
use vintner::effects::retrain::{Begun, Hunt, Quarry, TuningTick, tuning as trailing};
use vintner::train::Family;
use vintner::train::split;
use vintner::train::tune::history::History;
use vintner::train::tune::{Sampling, Trial, best};

use super::*;

/// What [`search`] asks for.
fn tuning() -> Tuning {
    Tuning {
        plan: Plan::preset("fast").unwrap(),
        fixed: Vec::new(),
        trials: 10,
        sampling: Sampling::Tpe,
        source: Source::Embedded,
        dedup: true,
        split_seed: split::SEED,
    }
}

/// A real search around the fast preset.
fn hunted() -> &'static [Trial] {
    static TRIALS: OnceLock<Vec<Trial>> = OnceLock::new();
    TRIALS.get_or_init(|| {
        let hunt = Hunt {
            ticket: 1,
            quarry: Quarry::New {
                tuning: tuning(),
                earlier: Vec::new(),
            },
        };
        let (sender, inbox) = mpsc::channel(100_000);
        let home = tempfile::tempdir().unwrap();
        let (registry, outbox) = (Registry::at(home.path()), Outbox::new(sender));
        let trials = trailing::hunt(&hunt, &registry, &outbox, &|| Flow::Continue).unwrap();
        drop(inbox);
        trials
    })
}

/// Ten trials in the setup, and Enter.
fn search(stage: &mut Stage) -> Vec<effects::Effect> {
    furnish(stage);
    stage.press("shift-g up up right enter")
}

fn searched(trials: Vec<Trial>) -> Event {
    Event::Tuned {
        ticket: 1,
        result: Ok(trials),
    }
}

/// The shelf with a search that wanted six trials of a decision tree and was stopped after two; its run and trials.
fn left() -> (Shelf, String, Vec<Trial>) {
    let home = tempfile::tempdir().unwrap();
    let registry = Registry::at(home.path());
    let tuning = Tuning {
        plan: Plan::new(Family::DecisionTree),
        trials: 6,
        ..tuning()
    };
    let rows = tuning.source.read().unwrap();
    let mut stop = |news: SearchNews<'_>| match news {
        SearchNews::Progress(progress) if progress.history.len() == 2 => Flow::Stop { keep: true },
        _ => Flow::Continue,
    };
    let trials = tune(&tuning, &rows, Vec::new(), Some(&registry), &mut stop).unwrap();
    let runs = Shelf::look(&registry, false).unwrap().runs;
    let (run, mut shelf) = (runs[0].id.clone(), rehearsal().shelf.clone());
    shelf.runs.extend(runs);
    (shelf, run, trials)
}

fn shelve(stage: &mut Stage, shelf: Shelf) {
    tell(stage, Event::Shelf(Ok(Box::new(shelf))));
}

#[test]
fn accepted_parameters_are_written_for_python() {
    let mut stage = Stage::new((120, 40), ThemeName::Dark);
    finish(&mut stage);
    let dir = std::env::current_dir().unwrap();
    let wanted = |params| {
        effects::Effect::from(Effect::WriteParams {
            params,
            dir: dir.clone(),
        })
    };
    stage.press("x");
    let fast = Plan::preset("fast").unwrap().params;
    assert_eq!(stage.press("p"), [wanted(fast)]);
    let notes = vec!["wrote best_params.json".into(), "no max_features".into()];
    tell(&mut stage, Event::ParamsWritten(Ok(notes)));
    let text = stage.text();
    assert!(
        text.contains("wrote best_params.json; no max_features"),
        "{text}"
    );

    // A trial has parameters and nothing else.
    let mut stage = Stage::new((120, 40), ThemeName::Dark);
    search(&mut stage);
    tell(&mut stage, searched(hunted().to_vec()));
    stage.press("x");
    let text = stage.text();
    let number = best(hunted()).unwrap().number;
    assert!(text.contains(&format!("Write trial {number}")), "{text}");
    assert!(!text.contains("ONNX"), "{text}");
    let effects = stage.press("p");
    let [effects::Effect::Retrain(Effect::WriteParams { params, .. })] = effects.as_slice() else {
        panic!("{effects:?}")
    };
    let trial = &best(hunted()).unwrap().params;
    assert_eq!(trial["n_estimators"], params.n_estimators);
}

#[test]
fn a_search_looks_right() {
    crate::assert_screens!("retrain-trials", |stage| {
        search(stage);
        let begun = Begun {
            ticket: 1,
            run: None,
            earlier: History::default(),
            rows: 4256,
        };
        tell(stage, Event::TuningBegun(Box::new(begun)));
        stage.event(searched(hunted().to_vec()));
        stage.wait(Duration::from_secs(10));
    });
}

#[test]
fn a_search_may_be_the_control() {
    let mut stage = Stage::new((120, 40), ThemeName::Dark);
    furnish(&mut stage);
    let effects = stage.press("shift-g up up right down right enter");
    let [effects::Effect::Retrain(Effect::Tune(hunt))] = effects.as_slice() else {
        panic!("{effects:?}")
    };
    let Quarry::New { tuning, .. } = &hunt.quarry else {
        panic!("{hunt:?}")
    };
    assert_eq!((tuning.sampling, tuning.trials), (Sampling::Random, 10));
    assert!(line_with(&stage, "sampler").contains("random"));
}

#[test]
fn a_click_selects_a_trial() {
    let mut stage = Stage::new((120, 40), ThemeName::Dark);
    search(&mut stage);
    tell(&mut stage, searched(hunted().to_vec()));
    // The best is selected at first; one of the others in sight is clicked.
    let best = best(hunted()).unwrap().number;
    let other = &hunted()[usize::from(best == 0)];
    click(&mut stage, &format!("{:.4}", other.mse));
    stage.press("x");
    let wanted = format!("Write trial {}", other.number);
    assert!(stage.text().contains(&wanted), "{wanted}\n{}", stage.text());
}

#[test]
fn a_search_is_told_stopped_gone_on_with_and_taken_over() {
    let mut stage = Stage::new((120, 40), ThemeName::Dark);
    let effects = search(&mut stage);
    let [effects::Effect::Retrain(Effect::Tune(hunt))] = effects.as_slice() else {
        panic!("{effects:?}")
    };
    let begins = Quarry::New {
        tuning: tuning(),
        earlier: Vec::new(),
    };
    assert_eq!(hunt.quarry, begins);
    let mut tick = halfway();
    tick.points.clear();
    let ticked = TuningTick {
        tick,
        trial: 4,
        finished: hunted()[..4].to_vec(),
    };
    tell(&mut stage, Event::Tuning(Box::new(ticked)));
    let text = stage.text();
    assert!(
        text.contains("Trial 5 of 10") && text.contains("4 trials"),
        "{text}"
    );
    assert_eq!(stage.press("esc"), [Effect::Stop { keep: true }.into()]);
    stage.event(searched(hunted()[..4].to_vec()));
    let effects = stage.press("f f f f enter");
    let [effects::Effect::Retrain(Effect::Tune(hunt))] = effects.as_slice() else {
        panic!("{effects:?}")
    };
    let goes_on = Quarry::New {
        tuning: tuning(),
        earlier: hunted()[..4].to_vec(),
    };
    assert_eq!(hunt.quarry, goes_on, "it was not written down");
    let ended = Event::Tuned {
        ticket: hunt.ticket,
        result: Ok(hunted().to_vec()),
    };
    tell(&mut stage, ended);
    let best = best(hunted()).unwrap();
    let line = line_with(&stage, "best oob MSE");
    assert!(line.contains(&format!("{:.4}", best.mse)), "{line}");
    assert_eq!(
        stage.press("enter"),
        [],
        "the best is taken over, not trained"
    );
    let effects = stage.press("enter");
    let [effects::Effect::Retrain(Effect::Train(order))] = effects.as_slice() else {
        panic!("{effects:?}")
    };
    let trees = best.params["n_estimators"].as_u64().unwrap() as usize;
    assert_eq!(order.plan.params.n_estimators, trees);
}

/// The run of an interrupted search is selected in the history and resumed; its trials are there at once.
#[test]
fn a_search_that_was_left_is_resumed_from_the_history() {
    let (shelf, run, trials) = left();
    let mut stage = Stage::new((120, 40), ThemeName::Dark);
    finish(&mut stage);
    shelve(&mut stage, shelf);
    stage.press("backtab");
    let line = line_with(&stage, "search");
    assert!(line.contains("cancelled after 2 of 6 trials"), "{line}");
    assert!(
        stage.text().contains("c resume search 2/6"),
        "{}",
        stage.text()
    );
    let effects = stage.press("c");
    let [effects::Effect::Retrain(Effect::Tune(hunt))] = effects.as_slice() else {
        panic!("{effects:?}")
    };
    let quarry = Quarry::Left {
        run: run.clone(),
        trials: 6,
    };
    assert_eq!(hunt.quarry, quarry);
    let ticket = hunt.ticket;
    let begun = |dropped| {
        let (run, trials) = (Some(run.clone()), trials.clone());
        let earlier = History {
            trials,
            dropped,
            ..History::default()
        };
        Event::TuningBegun(Box::new(Begun {
            ticket,
            run,
            earlier,
            rows: 4256,
        }))
    };
    tell(&mut stage, begun(1));
    let text = stage.text();
    assert!(
        text.contains("Trial 3 of 6") && text.contains("decision-tree: 2 trials, 0 pruned"),
        "{text}"
    );
    assert!(text.contains("3-fold CV MSE"), "{text}");
    assert!(text.contains(&format!("{:.4}", trials[1].mse)), "{text}");
    assert!(text.contains("trial 2 is made again"), "{text}");
    let none = stage.press("c");
    assert!(none.is_empty() && stage.text().contains("a run is in progress"));

    // Stopped again, more trials are asked for: it stays the same run.
    let stopped = Event::Tuned {
        ticket,
        result: Ok(trials.clone()),
    };
    tell(&mut stage, stopped);
    let effects = stage.press("c");
    assert!(
        matches!(effects.as_slice(), [effects::Effect::Retrain(Effect::Tune(hunt))] if hunt.quarry == quarry),
        "{effects:?}"
    );
    assert!(stage.text().contains(&format!("{:.4}", trials[1].mse)));
}

#[test]
fn enter_goes_on_in_the_run_of_the_search_that_was_stopped() {
    let mut stage = Stage::new((120, 40), ThemeName::Dark);
    search(&mut stage);
    let some = hunted()[..4].to_vec();
    let begun = Begun {
        ticket: 1,
        run: Some("01RUN".into()),
        earlier: History::default(),
        rows: 4256,
    };
    tell(&mut stage, Event::TuningBegun(Box::new(begun)));
    tell(&mut stage, searched(some));
    let effects = stage.press("f f f f enter");
    let [effects::Effect::Retrain(Effect::Tune(hunt))] = effects.as_slice() else {
        panic!("{effects:?}")
    };
    let quarry = Quarry::Left {
        run: "01RUN".into(),
        trials: 10,
    };
    assert_eq!(hunt.quarry, quarry);
}

#[test]
fn why_nothing_can_be_resumed_is_said() {
    let (mut shelf, ..) = left();
    let mut stage = Stage::new((120, 40), ThemeName::Dark);
    finish(&mut stage);
    let mut says = |keys: &str, why: &str| {
        assert_eq!(stage.press(keys), []);
        assert!(stage.text().contains(why), "{why}: {}", stage.text());
    };
    says("c", "no search was left half done");
    says("backtab c", "select a search in the history");
    let resumed = |stage: &mut Stage, shelf: &Shelf, why: &str| {
        shelve(stage, shelf.clone());
        assert_eq!(stage.press("c"), []);
        assert!(stage.text().contains(why), "{why}: {}", stage.text());
    };
    shelf.runs.last_mut().unwrap().search = None;
    resumed(&mut stage, &shelf, "did not note what it searched");
    let (mut shelf, ..) = left();
    shelf.runs.last_mut().unwrap().state = vintner::registry::runs::State::Running;
    resumed(&mut stage, &shelf, "is at it");
    shelf.runs.last_mut().unwrap().state = vintner::registry::runs::State::Finished;
    shelf.runs.last_mut().unwrap().trials = Some(6);
    resumed(&mut stage, &shelf, "all its 6 trials are made");
}

#[test]
fn the_best_of_a_search_and_how_far_it_came_are_read_whole_at_80x24() {
    let (shelf, ..) = left();
    let mut stage = Stage::new((80, 24), ThemeName::Dark);
    finish(&mut stage);
    shelve(&mut stage, shelf);
    stage.press("backtab");
    let line = line_with(&stage, "search");
    assert!(line.contains("cancelled 2/6 trials"), "{line}");
    assert!(line.contains("now") || line.contains("ago"), "{line}");

    let mut stage = Stage::new((80, 24), ThemeName::Dark);
    search(&mut stage);
    assert!(stage.text().contains("a search gives parameters"));
    tell(&mut stage, searched(hunted().to_vec()));
    let best = best(hunted()).unwrap();
    let whole = format!("best oob MSE {:.4} (#{})", best.mse, best.number);
    assert!(stage.text().contains(&whole), "{whole}\n{}", stage.text());
}
