#![allow(clippy::unwrap_used)]
use crossterm::event::{KeyCode, KeyEvent};

use super::*;

fn on(setup: &mut Setup, field: Field) {
    setup.focus = setup
        .fields()
        .iter()
        .position(|other| *other == field)
        .unwrap();
}

#[test]
fn every_parameter_of_every_family_can_be_seen_and_stepped() {
    for family in Family::ALL {
        let mut setup = Setup::new();
        setup.plan = Plan::new(family);
        for name in params_of(family) {
            on(&mut setup, Field::Param(name));
            for steps in [1, -1, -1] {
                setup.step(steps, None);
                assert_eq!(setup.error, None, "{family} {name} {}", setup.value(name));
                assert!(!setup.value(name).is_empty(), "{family} {name}");
            }
        }
        setup.plan.check().unwrap();
    }
}

#[test]
fn a_value_that_cannot_be_is_refused_in_scikit_learns_words() {
    let mut setup = Setup::new();
    on(&mut setup, Field::Param("max_depth"));
    setup.edit();
    setup.editing = Some(Input::new("0".to_owned()));
    assert!(setup.key(KeyEvent::from(KeyCode::Enter)));
    assert!(
        setup
            .error
            .as_deref()
            .unwrap()
            .contains("'max_depth' parameter must be"),
        "{:?}",
        setup.error
    );
    assert_eq!(setup.plan.params.max_depth, None);
    setup.editing = Some(Input::new("12".to_owned()));
    assert!(setup.key(KeyEvent::from(KeyCode::Enter)));
    assert_eq!(
        (setup.plan.params.max_depth, setup.preset.as_str()),
        (Some(12), CUSTOM)
    );
}

#[test]
fn figures_begin_a_value_once_the_setup_is_touched() {
    let mut setup = Setup::new();
    on(&mut setup, Field::Param("n_estimators"));
    let five = KeyEvent::from(KeyCode::Char('5'));
    assert!(!setup.begin(five), "figures still switch tabs");
    setup.typing = true;
    assert!(setup.begin(five) && setup.key(five));
    assert!(setup.key(KeyEvent::from(KeyCode::Enter)));
    assert_eq!(setup.plan.params.n_estimators, 55);
    on(&mut setup, Field::Preset);
    assert!(!setup.begin(five), "a preset is chosen, not typed");
}

#[test]
fn trials_are_a_row_where_there_is_something_to_search() {
    let mut setup = Setup::new();
    on(&mut setup, Field::Trials);
    setup.step(3, None);
    assert_eq!(setup.trials_wanted(), 30);
    setup.edit();
    setup.editing = Some(Input::new("many".to_owned()));
    assert!(setup.key(KeyEvent::from(KeyCode::Enter)));
    assert!(setup.error.as_deref().unwrap().contains("whole number"));
    setup.plan = Plan::new(Family::Linear);
    assert!(!setup.fields().contains(&Field::Trials));
    assert_eq!(setup.trials_wanted(), 0);
}

#[test]
fn presets_go_round() {
    let mut setup = Setup::new();
    let names: Vec<String> = (0..4)
        .map(|_| {
            setup.step(1, None);
            setup.preset.clone()
        })
        .collect();
    assert_eq!(names, ["best", "owner", "fast", "best"]);
}

#[test]
fn the_data_is_a_file_or_what_is_built_in() {
    let mut setup = Setup::new();
    assert_eq!(setup.source(), Source::Embedded);
    on(&mut setup, Field::Data);
    assert!(setup.paste("'/tmp/my wines.csv'\n"));
    assert!(setup.key(KeyEvent::from(KeyCode::Enter)));
    let file = PathBuf::from("/tmp/my wines.csv");
    assert_eq!(setup.source(), Source::of(Some(&file), None));
    setup.edit();
    assert_eq!(setup.editing.as_ref().unwrap().value(), "/tmp/my wines.csv");
    setup.editing = Some(Input::default());
    assert!(setup.key(KeyEvent::from(KeyCode::Enter)));
    assert_eq!(setup.source(), Source::Embedded);
}

#[test]
fn a_search_is_by_tpe_or_at_random() {
    let mut setup = Setup::new();
    assert!(!setup.fields().contains(&Field::Sampler));
    setup.trials = 20;
    on(&mut setup, Field::Sampler);
    assert!(!setup.can_edit());
    setup.step(1, None);
    assert_eq!(setup.sampling, Sampling::Random);
    setup.step(-1, None);
    assert_eq!(setup.sampling, Sampling::Tpe);
}

#[test]
fn a_forest_with_an_out_of_bag_curve_may_stop_early_and_nothing_else() {
    let mut setup = Setup::new();
    on(&mut setup, Field::EarlyStop);
    setup.step(1, None);
    assert_eq!(
        (setup.plan.early_stop, setup.preset.as_str()),
        (Some(EARLY_STOP), CUSTOM)
    );
    on(&mut setup, Field::Family);
    setup.step(1, None);
    assert!(!setup.fields().contains(&Field::EarlyStop));
    assert_eq!(setup.plan.check(), Ok(()), "{:?}", setup.plan);
}
