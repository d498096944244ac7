//! Who reigns, and what leaves the registry: promotion, override, and the menu of ways out.

use super::*;

#[test]
fn promotion_asks_first_and_rests_on_what_was_seen() {
    let mut stage = Stage::new((120, 40), ThemeName::Dark);
    finish(&mut stage);
    let effects = stage.press("shift-p");
    let [effects::Effect::Retrain(Effect::Consider { version, service })] = effects.as_slice()
    else {
        panic!("{effects:?}")
    };
    let registry = Registry::at(rehearsal().shelf.root.clone());
    let standing = standing(&registry, *version, service).unwrap();
    assert!(!standing.fresh, "its verdict is against who reigns now");
    tell(&mut stage, Event::Considered(Ok(Box::new(standing))));
    let question = "Promote v0002 (BETTER against v0001)";
    assert!(stage.text().contains(question), "{}", stage.text());
    let effects = stage.press("y");
    let [effects::Effect::Retrain(Effect::Promote { version, wish })] = effects.as_slice() else {
        panic!("{effects:?}")
    };
    assert_eq!(
        (version.to_string().as_str(), wish.expected),
        ("v0002", Some(1))
    );
    assert!(wish.overridden.is_empty());
}

/// An override wants the version and a reason, and rests on the champion that was compared with.
#[test]
fn a_shut_gate_is_only_overridden_with_version_and_reason() {
    let mut stage = Stage::new((80, 24), ThemeName::Dark);
    finish(&mut stage);
    stage.press("shift-p");
    let shut = vintner::registry::manifest::Gate {
        name: "champion".into(),
        passed: false,
        reason: "BLOCKED: MSE +0.02".into(),
    };
    let standing = Standing {
        version: "v0002".parse().unwrap(),
        champion: rehearsal().shelf.champion.clone(),
        verdict: Some("BLOCKED".into()),
        gates: vec![shut],
        fresh: true,
    };
    tell(&mut stage, Event::Considered(Ok(Box::new(standing))));
    assert!(
        stage.text().contains("BLOCKED: MSE +0.02"),
        "{}",
        stage.text()
    );
    assert_eq!(stage.press("y enter"), [], "a key is not enough");
    assert_eq!(
        stage.press("backspace v 0 0 0 2 enter"),
        [],
        "nor is the version"
    );
    let effects = stage.press("space n e e d e d enter");
    let [effects::Effect::Retrain(Effect::Promote { version, wish })] = effects.as_slice() else {
        panic!("{effects:?}")
    };
    assert_eq!(version.to_string(), "v0002");
    assert_eq!((wish.reason.as_str(), wish.expected), ("needed", Some(1)));
    assert_eq!(wish.overridden, ["champion"]);
}

#[test]
fn the_ways_out_are_a_menu_and_the_full_path_is_said() {
    let mut stage = Stage::new((120, 40), ThemeName::Dark);
    finish(&mut stage);
    assert_eq!(stage.press("x"), []);
    assert!(
        stage.text().contains("forest_to_sklearn.py"),
        "{}",
        stage.text()
    );
    let here = std::env::current_dir().unwrap();
    assert!(
        stage.text().contains(&format!("into {}", here.display())),
        "{}",
        stage.text()
    );
    let wanted = |form, dir: &str| Effect::Export {
        version: "v0002".parse().unwrap(),
        form,
        dir: here.join(dir),
    };
    assert_eq!(stage.press("s"), [wanted(Form::Sklearn, "").into()]);
    // Another directory, typed over: letters are text then, not ways.
    stage.press("x d / o u t enter");
    assert_eq!(stage.press("o"), [wanted(Form::Onnx, "out").into()]);
    let path = "/home/ann/wine-quality-v0002.forest.json";
    tell(&mut stage, Event::Exported(Ok(vec![path.into()])));
    assert!(stage.text().contains(path), "{}", stage.text());
}
