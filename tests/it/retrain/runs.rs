//! Runs of the Retrain tab: started, held, stopped, and what is asked of the setup and the data before.

use super::*;

#[test]
fn enter_trains_what_stands_in_the_setup_and_never_twice() {
    let mut stage = Stage::new((80, 24), ThemeName::Dark);
    furnish(&mut stage);
    let effects = stage.press("enter");
    let [effects::Effect::Retrain(Effect::Train(order))] = effects.as_slice() else {
        panic!("{effects:?}")
    };
    assert_eq!(
        (order.plan.clone(), order.preset.as_deref()),
        (Plan::preset("fast").unwrap(), Some("fast"))
    );
    assert_eq!(stage.press("enter"), [], "a run is in progress");
    assert!(
        stage.text().contains("a run is in progress"),
        "{}",
        stage.text()
    );
}

#[test]
fn space_pauses_and_escape_asks_about_the_trees() {
    let mut stage = Stage::new((80, 24), ThemeName::Dark);
    furnish(&mut stage);
    stage.press("enter");
    tell(&mut stage, Event::Progress(Box::new(halfway())));
    assert_eq!(stage.press("space"), [Effect::Pause(true).into()]);
    assert_eq!(stage.press("space"), [Effect::Pause(false).into()]);
    assert_eq!(stage.press("esc"), [Effect::Pause(true).into()]);
    assert!(
        stage.text().contains("150 trees are finished"),
        "{}",
        stage.text()
    );
    assert_eq!(
        stage.press("esc"),
        [Effect::Pause(false).into()],
        "Esc goes on training"
    );
    stage.press("esc");
    let mut late = halfway();
    late.progress.as_mut().unwrap().done = 153;
    tell(&mut stage, Event::Progress(Box::new(late)));
    let text = stage.text();
    assert!(text.contains("153 trees are finished"), "{text}");
    stage.press("esc");
    assert_eq!(
        stage.press("esc k"),
        [
            Effect::Pause(true).into(),
            Effect::Stop { keep: true }.into()
        ]
    );
}

/// The verdict is there before the cross-validation is; Esc then leaves only that out.
#[test]
fn escape_skips_a_cross_validation_and_keeps_the_model() {
    let mut stage = Stage::new((120, 40), ThemeName::Dark);
    furnish(&mut stage);
    stage.press("enter");
    let judged = Report {
        version: Err("it is not registered yet".into()),
        ..Report::clone(&rehearsal().report)
    };
    let report = Arc::new(judged);
    tell(&mut stage, Event::Judged { ticket: 1, report });
    let phase = training::Phase::Fold { index: 1, of: 5 };
    let tick = Tick { phase, ..halfway() };
    tell(&mut stage, Event::Progress(Box::new(tick)));
    let text = stage.text();
    assert!(text.contains("BETTER"), "{text}");
    assert!(
        text.contains("registered once it is cross-validated") && !text.contains("not registered"),
        "{text}"
    );
    assert_eq!(stage.press("esc"), [Effect::Stop { keep: true }.into()]);
}

#[test]
fn a_reproduction_shows_its_progress_and_can_be_stopped() {
    let mut stage = Stage::new((120, 40), ThemeName::Dark);
    furnish(&mut stage);
    let version = "v0001".parse().unwrap();
    assert_eq!(stage.press("shift-r"), [Effect::Reproduce(version).into()]);
    let mut tick = halfway();
    tick.ticket = 0;
    tell(&mut stage, Event::Progress(Box::new(tick)));
    let text = stage.text();
    assert!(
        text.contains("tree 150/300") && text.contains("v0001 again"),
        "{text}"
    );
    assert_eq!(stage.press("space"), [Effect::Pause(true).into()]);
    assert_eq!(stage.press("esc"), [Effect::Stop { keep: false }.into()]);
    let result = Err("cancelled after 150 of 300 trees".to_owned());
    tell(&mut stage, Event::Reproduced { version, result });
    let text = stage.text();
    assert!(text.contains("stopped reproducing v0001"), "{text}");
    assert!(!text.contains("could not be reproduced"), "{text}");
    assert_eq!(stage.press("shift-r").len(), 1, "and again");
}

#[test]
fn a_file_is_checked_trained_on_and_its_refusal_shown() {
    let mut stage = Stage::new((120, 40), ThemeName::Dark);
    furnish(&mut stage);
    let wines = Source::of(Some("/tmp/wines.csv".as_ref()), None);
    let effects = stage.press("shift-g up / t m p / w i n e s . c s v enter");
    assert_eq!(effects, [check(wines.clone(), true)]);
    let effects = stage.press("enter");
    let [effects::Effect::Retrain(Effect::Train(order))] = effects.as_slice() else {
        panic!("{effects:?}")
    };
    assert_eq!(order.source, wines);

    let mut stage = Stage::new((120, 40), ThemeName::Dark);
    furnish(&mut stage);
    stage.press("shift-g up / n o n e enter");
    let why = "cannot open /none: no such file".to_owned();
    tell(&mut stage, Event::Checked(Err(why)));
    let text = stage.text();
    assert!(text.contains("cannot open /none"), "{text}");
    assert!(
        !text.contains("6 497 rows"),
        "the other data's report: {text}"
    );
    assert_eq!(stage.press("enter"), []);
}

#[test]
fn what_waits_for_mlflow_is_seen_before_during_and_after_a_run() {
    let mut stage = Stage::new((80, 24), ThemeName::Dark);
    furnish(&mut stage);
    tell(
        &mut stage,
        Event::Logged {
            queued: 3,
            error: None,
        },
    );
    assert!(
        stage.text().contains("MLflow: 3 queued"),
        "{}",
        stage.text()
    );
    stage.press("enter");
    assert!(
        stage.text().contains("MLflow: 3 queued"),
        "{}",
        stage.text()
    );
}

#[test]
fn a_value_is_typed_over_and_a_refusal_is_read_whole() {
    let mut stage = Stage::new((80, 24), ThemeName::Dark);
    furnish(&mut stage);
    stage.press("down down down 0");
    assert!(stage.text().contains("Enter set it"), "{}", stage.text());
    stage.press("enter");
    let text = stage.text();
    assert!(
        text.contains("The 'max_depth' parameter must be") && text.contains("Got 0 instead"),
        "{text}"
    );
    let effects = stage.press("esc 1 2 enter enter");
    let [effects::Effect::Retrain(Effect::Train(order))] = effects.as_slice() else {
        panic!("{effects:?}")
    };
    assert_eq!(order.plan.params.max_depth, Some(12));
}

#[test]
fn a_stale_run_is_ignored_and_a_failed_one_says_why() {
    let mut stage = Stage::new((120, 40), ThemeName::Dark);
    furnish(&mut stage);
    tell(
        &mut stage,
        Event::Trained {
            ticket: 7,
            result: Ok(Arc::clone(&rehearsal().report)),
        },
    );
    assert!(!stage.text().contains("Verdict on"), "{}", stage.text());
    stage.press("enter");
    let failed = training::Stopped::Failed("no memory left".into());
    tell(
        &mut stage,
        Event::Trained {
            ticket: 1,
            result: Err(failed),
        },
    );
    assert!(stage.text().contains("no memory left"), "{}", stage.text());
}

#[test]
fn the_dedup_switch_warns_of_the_leak() {
    let mut stage = Stage::new((120, 40), ThemeName::Dark);
    furnish(&mut stage);
    let effects = stage.press("shift-g right");
    assert_eq!(effects, [check(Source::Embedded, false)]);
    tell(
        &mut stage,
        Event::Checked(Ok(Box::new(
            shelf::check(&Source::Embedded, false).unwrap(),
        ))),
    );
    let text = stage.text();
    assert!(
        text.contains("cross the split") && text.contains("R2 is inflated"),
        "{text}"
    );
}
