//! `vintner train` from the outside: its JSON, its exit codes, its files, its complaints.

use std::path::Path;

use assert_cmd::Command;
use predicates::str::contains;
use serde_json::Value;

fn train(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vintner"));
    command
        .env_clear()
        .env("HOME", home)
        .env("LANG", "C.UTF-8")
        .timeout(std::time::Duration::from_mins(2))
        .arg("train");
    command
}

fn json(command: &mut Command, code: i32) -> Value {
    let output = command
        .arg("--json")
        .assert()
        .code(code)
        .get_output()
        .clone();
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn the_json_has_what_scripts_read_and_leaves_no_registry_behind() {
    let home = tempfile::tempdir().unwrap();
    let arguments = ["--no-register", "--set", "n_estimators=12", "--folds", "2"];
    let report = json(train(home.path()).args(arguments), 0);
    for path in [
        "/fit_seconds",
        "/metrics/holdout/r2",
        "/metrics/holdout/mae",
        "/metrics/holdout/rmse",
        "/metrics/holdout/mse",
        "/metrics/cv/r2",
        "/metrics/cv/r2_half_width",
        "/oob/r2",
    ] {
        assert!(report.pointer(path).is_some_and(Value::is_number), "{path}");
    }
    assert_eq!(
        (&report["version"], &report["verdict"]),
        (&Value::Null, &Value::Null)
    );
    assert!(!home.path().join(".local/share/vintner/registry").exists());
}

#[test]
fn a_promoted_model_is_the_champion_and_its_refit_ties() {
    let home = tempfile::tempdir().unwrap();
    let first = [
        "--promote",
        "--set",
        "n_estimators=40",
        "--set",
        "max_depth=6",
        "--folds",
        "0",
    ];
    let report = json(train(home.path()).args(first), 0);
    assert_eq!(
        (&report["version"], &report["promoted"]),
        (&"v0001".into(), &true.into())
    );
    let refit = ["--preset", "champion", "--set", "seed=7", "--folds", "0"];
    let report = json(train(home.path()).args(refit), 0);
    assert_eq!(
        (&report["version"], &report["verdict"]),
        (&"v0002".into(), &"TIE".into())
    );
    assert_eq!(report["plan"]["params"]["n_estimators"], 40);
    let worse = [
        "--set",
        "max_depth=1",
        "--folds",
        "0",
        "--gate",
        "--promote",
    ];
    let report = json(train(home.path()).args(worse), 1);
    assert_eq!(
        (&report["verdict"], &report["promoted"]),
        (&"BLOCKED".into(), &false.into())
    );
}

#[test]
fn tuning_resumes_from_its_history() {
    let home = tempfile::tempdir().unwrap();
    let history = home.path().join("trials.jsonl");
    let run = |trials: &str| {
        let mut command = train(home.path());
        command
            .args([
                "--no-register",
                "--folds",
                "0",
                "--trials",
                trials,
                "--history",
            ])
            .arg(&history);
        json(&mut command, 0)["trials"].as_array().unwrap().len()
    };
    assert_eq!(run("2"), 2);
    assert_eq!(run("3"), 3);
    assert_eq!(
        std::fs::read_to_string(&history).unwrap().lines().count(),
        3
    );
}

#[test]
fn complaints_name_the_thing_and_the_remedy() {
    let home = tempfile::tempdir().unwrap();
    let complains = |arguments: &[&str], words: &'static str| {
        train(home.path())
            .args(arguments)
            .assert()
            .code(2)
            .stderr(contains(words));
    };
    complains(
        &["--preset", "bset"],
        "there are owner, fast, best and champion",
    );
    complains(&["--preset", "champion"], "train with --promote first");
    complains(&["--set", "max_depth"], "write it as NAME=VALUE");
    complains(
        &["--set", "n_estimators=0"],
        "must be an int in the range [1, 10000]. Got 0 instead.",
    );
    complains(&["--family", "svm"], "There is no family 'svm'");
    complains(&["--data", "nowhere.csv"], "cannot open nowhere.csv");
    let csv = home.path().join("bad.csv");
    std::fs::write(&csv, "alcohol,quality\n9.4,5\n").unwrap();
    complains(
        &["--data", csv.to_str().unwrap()],
        "missing columns fixed_acidity",
    );
}
