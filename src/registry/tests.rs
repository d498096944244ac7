//! The registry as its users need it: versions, promotion, rollback, damage, rivals, a disk that refuses.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::sync::Barrier;
use std::thread;

use ndarray::{Array1, Array2};
use tempfile::TempDir;

use super::runs::State;
use super::*;
use crate::train::dataset::Preflight;
use crate::train::{Family, Flow, Params, Plan, fit};

/// A version of a small forest; another seed gives another model.
pub(super) fn draft(seed: u64) -> Draft {
    let rows = 80;
    let value = |row: usize, column: usize| ((row * 7 + column * 13) % 29) as f32;
    let features = Array2::from_shape_fn((rows, 3), |(row, column)| value(row, column));
    let target = Array1::from_shape_fn(rows, |row| (row % 5) as f32 + 3.0);
    let names = ["a", "b", "c"].map(str::to_owned).to_vec();
    let raw = crate::train::Dataset {
        features,
        target,
        names,
        notes: Vec::new(),
    };
    let (preflight, data, split) = Preflight::of(&raw, true, 42).unwrap();
    let params = Params {
        n_estimators: 3,
        max_depth: Some(3),
        seed,
        ..Params::default()
    };
    let plan = Plan {
        params,
        threads: Some(1),
        ..Plan::new(Family::RandomForest)
    };
    let outcome = fit(&plan, &data.select(&split.train), &mut |_| Flow::Continue).unwrap();
    Draft::new(&plan, "test", &preflight, &data, &split, &outcome)
}

fn why(text: &str) -> Move {
    Move {
        reason: text.to_owned(),
        expected: None,
        overridden: Vec::new(),
    }
}

/// A registry with three versions, the first two promoted in turn.
fn cellar() -> (TempDir, Registry, [Version; 3]) {
    let home = tempfile::tempdir().unwrap();
    let registry = Registry::at(home.path().join("registry"));
    let versions = [1, 2, 3].map(|seed| registry.commit(draft(seed)).unwrap().version);
    registry.promote(versions[0], why("first")).unwrap();
    registry.promote(versions[1], why("better")).unwrap();
    (home, registry, versions)
}

#[test]
fn an_empty_registry_is_not_an_error() {
    let home = tempfile::tempdir().unwrap();
    let registry = Registry::at(home.path().join("none"));
    assert_eq!(registry.champion().unwrap(), None);
    assert!(registry.list().unwrap().is_empty() && registry.runs().unwrap().is_empty());
    assert!(registry.recover().unwrap().is_empty());
    assert!(
        !registry.root().exists(),
        "looking must not create anything"
    );
    let error = registry.load_champion().unwrap_err().to_string();
    assert!(error.contains("vintner train --promote"), "{error}");
}

#[test]
fn what_is_committed_loads_and_predicts_the_same() {
    let (_home, registry, [first, ..]) = cellar();
    let loaded = registry.load(first).unwrap();
    assert_eq!(loaded.manifest.version.to_string(), "v0001");
    assert_eq!(loaded.manifest.canaries.len(), manifest::CANARIES);
    assert_eq!(loaded.manifest.model_sha256, loaded.model.sha256());
    assert!(loaded.manifest.artefacts.contains_key("holdout.csv"));
    assert!(loaded.manifest.metrics.holdout.is_some() && loaded.manifest.metrics.oob.is_some());
    assert!(
        registry
            .artefact(first, "oob_curve.csv")
            .unwrap()
            .starts_with(b"trees,n,r2")
    );
    let names: Vec<String> = registry
        .list()
        .unwrap()
        .iter()
        .map(|entry| entry.version.to_string())
        .collect();
    assert_eq!(names, ["v0003", "v0002", "v0001"]);
}

#[test]
fn sha256sum_agrees_with_the_sums() {
    let (_home, registry, [first, ..]) = cellar();
    let Ok(judge) = std::process::Command::new("sha256sum")
        .args(["-c", "--quiet", "SHA256SUMS"])
        .current_dir(registry.version_dir(first))
        .output()
    else {
        return; // no coreutils here
    };
    assert!(
        judge.status.success(),
        "{}",
        String::from_utf8_lossy(&judge.stdout)
    );
}

#[test]
fn rollback_returns_and_is_itself_reversible() {
    use What::{Committed, Promoted, RolledBack};
    let (_home, registry, [first, second, third]) = cellar();
    let back = registry
        .roll_back(None, why("worse in production"))
        .unwrap();
    assert_eq!(
        (back.version, back.previous, back.generation),
        (first, Some(second), 3)
    );
    let again = registry
        .roll_back(None, why("no, it was the dashboard"))
        .unwrap();
    assert_eq!((again.version, again.generation), (second, 4));
    assert_eq!(
        registry.roll_back(Some(third), why("try")).unwrap().version,
        third
    );
    let log: Vec<What> = registry
        .events()
        .unwrap()
        .iter()
        .map(|event| event.what)
        .collect();
    assert_eq!(
        log,
        [
            Committed, Committed, Committed, Promoted, Promoted, RolledBack, RolledBack, RolledBack
        ]
    );
    assert_eq!(registry.events().unwrap()[5].reason, "worse in production");
}

#[test]
fn impossible_moves_say_why() {
    let home = tempfile::tempdir().unwrap();
    let registry = Registry::at(home.path());
    let only = registry.commit(draft(1)).unwrap().version;
    registry.promote(only, why("first")).unwrap();
    let say = |error: RegistryError| error.to_string();
    assert!(say(registry.roll_back(None, why("")).unwrap_err()).contains("v0001 is the first"));
    assert!(say(registry.promote(only, why("")).unwrap_err()).contains("champion already"));
    let missing = say(registry
        .promote("v9".parse().unwrap(), why(""))
        .unwrap_err());
    assert!(
        missing.contains("no version v0009; there are: v0001"),
        "{missing}"
    );
}

#[test]
fn of_two_who_promote_at_once_exactly_one_wins_and_the_other_is_told() {
    let (_home, registry, [first, _, third]) = cellar();
    for _ in 0..20 {
        let seen = registry.champion().unwrap();
        let start = Barrier::new(2);
        let race = |version: Version| {
            start.wait();
            registry.promote(version, Move::seen(seen.as_ref(), "race"))
        };
        let (a, b) = thread::scope(|scope| {
            let (a, b) = (scope.spawn(|| race(first)), scope.spawn(|| race(third)));
            (a.join().unwrap(), b.join().unwrap())
        });
        let (won, lost) = if a.is_ok() { (a, b) } else { (b, a) };
        let won = won.unwrap();
        assert_eq!(registry.champion().unwrap().as_ref(), Some(&won));
        let Err(RegistryError::Moved { now: Some(now) }) = lost else {
            panic!("not told: {lost:?}")
        };
        assert_eq!(*now, won);
        let second = registry.versions().unwrap()[1];
        registry.promote(second, why("again")).unwrap();
    }
}

#[test]
fn a_changed_byte_makes_a_version_corrupt_and_unloadable() {
    let (_home, registry, [first, second, third]) = cellar();
    for name in [MODEL_FILE, manifest::FILE, "holdout.csv", sums::FILE] {
        let path = registry.version_dir(third).join(name);
        let good = fs::read(&path).unwrap();
        for at in [0, good.len() / 2, good.len() - 1] {
            let mut bad = good.clone();
            bad[at] ^= 1;
            fs::write(&path, &bad).unwrap();
            let error = registry.promote(third, why("")).unwrap_err().to_string();
            assert!(
                error.contains("v0003 is CORRUPT"),
                "{name} byte {at}: {error}"
            );
        }
        fs::remove_file(&path).unwrap();
        assert!(
            matches!(registry.load(third), Err(RegistryError::Corrupt { .. })),
            "{name} missing"
        );
        fs::write(&path, &good).unwrap();
        registry.load(third).unwrap();
    }
    fs::write(registry.version_dir(third).join("extra"), "x").unwrap();
    assert!(
        registry
            .load(third)
            .unwrap_err()
            .to_string()
            .contains("extra is not listed")
    );
    assert_eq!(registry.load_champion().unwrap().0.version, second);
    assert_eq!(registry.roll_back(None, why("")).unwrap().version, first);
}

#[test]
fn loading_checks_what_it_loads_and_a_promotion_every_byte() {
    let (_home, registry, [_, _, third]) = cellar();
    let path = registry.version_dir(third).join("holdout.csv");
    fs::write(&path, "other rows").unwrap();
    assert_eq!(registry.load(third).unwrap().manifest.version, third);
    let refused = [
        registry.load_verified(third).unwrap_err(),
        registry.verify(third).unwrap_err(),
        registry.promote(third, why("")).unwrap_err(),
    ];
    for error in refused {
        let error = error.to_string();
        assert!(
            error.contains("holdout.csv does not match its checksum"),
            "{error}"
        );
    }
}

#[test]
fn a_version_swapped_under_the_pointer_is_noticed() {
    let (_home, registry, [first, second, _]) = cellar();
    let forged = registry.root().join("forged");
    fs::rename(registry.version_dir(second), &forged).unwrap();
    let other = Registry::at(registry.root().join("other"));
    other.commit(draft(8)).unwrap();
    other.commit(draft(9)).unwrap();
    fs::rename(other.version_dir(second), registry.version_dir(second)).unwrap();
    registry.verify(second).unwrap();
    let error = registry.load_champion().unwrap_err().to_string();
    assert!(error.contains("not the one that was promoted"), "{error}");
    registry.load(first).unwrap();
}

#[test]
fn an_unreadable_pointer_is_rebuilt_from_the_log() {
    let (_home, registry, [first, second, _]) = cellar();
    let pointer = registry.root().join("champion.json");
    for damage in ["", "{", "null", "{\"schema\":9}", "\u{0}\u{1}"] {
        fs::write(&pointer, damage).unwrap();
        assert_eq!(
            registry.champion().unwrap().unwrap().version,
            second,
            "{damage:?}"
        );
    }
    assert_eq!(
        registry.recover().unwrap(),
        ["rebuilt the champion pointer from the audit log: v0002"]
    );
    assert!(registry.recover().unwrap().is_empty());
    registry.roll_back(None, why("still works")).unwrap();
    fs::remove_file(&pointer).unwrap();
    // The last champion of the log that is still sound: v0001 again, then v0002 when v0001 is damaged.
    assert_eq!(registry.champion().unwrap().unwrap().version, first);
    fs::write(registry.version_dir(first).join(MODEL_FILE), "damaged").unwrap();
    let champion = registry.champion().unwrap().unwrap();
    assert_eq!((champion.version, champion.generation), (second, 3));
}

#[test]
fn a_damaged_champion_is_no_interrupted_move() {
    let (_home, registry, versions) = cellar();
    for version in versions {
        fs::write(registry.version_dir(version).join(MODEL_FILE), "damaged").unwrap();
    }
    let noted = registry.events().unwrap().len();
    assert!(registry.recover().unwrap().is_empty());
    assert_eq!(registry.events().unwrap().len(), noted);
}

#[test]
fn a_torn_log_line_costs_only_itself() {
    let (_home, registry, versions) = cellar();
    let log = registry.root().join("events.jsonl");
    let mut bytes = fs::read(&log).unwrap();
    bytes.truncate(bytes.len() - 20);
    fs::write(&log, &bytes).unwrap();
    let champion = registry.champion().unwrap().unwrap();
    assert_eq!(champion.version, versions[1]);
    assert_eq!(
        registry.recover().unwrap(),
        ["noted the interrupted promotion of v0002"]
    );
    registry
        .promote(versions[2], why("after the tear"))
        .unwrap();
    let last = registry.events().unwrap().pop().unwrap();
    assert_eq!(
        (last.version, last.generation),
        (Some(versions[2]), Some(3))
    );
}

#[test]
fn numbers_are_never_used_again() {
    let (_home, registry, [first, second, third]) = cellar();
    let fourth = registry.commit(draft(4)).unwrap().version;
    assert_eq!(registry.prunable(1).unwrap(), [third]);
    assert_eq!(registry.prune(1).unwrap(), [third]);
    assert_eq!(registry.versions().unwrap(), [first, second, fourth]);
    registry.promote(fourth, why("")).unwrap();
    registry.promote(first, why("")).unwrap();
    registry.prune(0).unwrap();
    assert_eq!(registry.versions().unwrap(), [first, fourth]);
    fs::remove_dir_all(registry.version_dir(fourth)).unwrap();
    assert_eq!(
        registry.commit(draft(5)).unwrap().version.to_string(),
        "v0005"
    );
}

#[test]
fn strays_in_the_versions_folder_are_harmless() {
    let (_home, registry, versions) = cellar();
    fs::write(registry.version_dir(versions[0]).join("../notes.txt"), "x").unwrap();
    fs::create_dir(registry.root().join("versions/v0009")).unwrap();
    let list = registry.list().unwrap();
    assert_eq!(list[0].version.to_string(), "v0009");
    assert!(list[0].manifest.as_ref().unwrap_err().contains("CORRUPT"));
    assert_eq!(
        registry.commit(draft(3)).unwrap().version.to_string(),
        "v0010"
    );
}

#[cfg(unix)]
#[test]
fn links_out_of_the_registry_are_not_followed() {
    let (_home, registry, [.., third]) = cellar();
    let model = registry.version_dir(third).join(MODEL_FILE);
    let elsewhere = registry.root().join("elsewhere");
    fs::rename(&model, &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &model).unwrap();
    assert!(
        registry
            .load(third)
            .unwrap_err()
            .to_string()
            .contains("not a regular file")
    );
}

#[test]
fn a_place_that_cannot_be_written_says_so() {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("file"), "").unwrap();
    let error = Registry::at(home.path().join("file/registry"))
        .commit(draft(1))
        .unwrap_err();
    assert!(error.is_read_only(), "{error}");
    assert!(error.to_string().contains("file/registry"), "{error}");
}

#[test]
fn runs_live_while_their_process_holds_them() {
    let home = tempfile::tempdir().unwrap();
    let registry = Registry::at(home.path());
    let plan = Plan::preset("fast").unwrap();
    let run = registry.start_run(&plan, Some("fast")).unwrap();
    assert_eq!(registry.runs().unwrap()[0].state, State::Running);
    assert!(
        registry.recover().unwrap().is_empty(),
        "a live run is left alone"
    );
    drop(run);
    // Processes that other tests start hold every lock of this one between fork and exec.
    let in_time = deadline(std::time::Duration::from_secs(30));
    while registry.runs().unwrap()[0].state == State::Running && in_time() {
        std::thread::yield_now();
    }
    assert_eq!(registry.runs().unwrap()[0].state, State::Crashed);
    let mut dead = registry.recover().unwrap();
    while dead.is_empty() && in_time() {
        dead = registry.recover().unwrap();
    }
    assert_eq!(dead.len(), 1);
    let run = registry.start_run(&plan, None).unwrap();
    run.end(State::Finished, Some(Version::FIRST), Some("BETTER".into()))
        .unwrap();
    let states: Vec<State> = registry
        .runs()
        .unwrap()
        .iter()
        .map(|run| run.state)
        .collect();
    assert_eq!(states, [State::Finished, State::Crashed]);
}

#[test]
fn a_diff_shows_only_what_differs() {
    let (_home, registry, [first, second, _]) = cellar();
    let manifest = |version| registry.manifest(version).unwrap();
    assert!(diff::diff(&manifest(first), &manifest(first)).is_empty());
    let differences = diff::diff(&manifest(first), &manifest(second));
    let seed = differences
        .iter()
        .find(|difference| difference.field == "plan.params.seed")
        .unwrap();
    assert_eq!((seed.left.as_str(), seed.right.as_str()), ("1", "2"));
    assert!(
        !differences
            .iter()
            .any(|difference| difference.field.starts_with("features"))
    );
}
