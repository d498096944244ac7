//! `vintner train` from the outside: its JSON, its exit codes, its files, its complaints.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use assert_cmd::Command;
use predicates::prelude::PredicateBooleanExt as _;
use predicates::str::contains;
use serde_json::Value;
use vintner::registry::Registry;
use vintner::registry::runs::State;
use vintner::train::Dataset;
use vintner::train::tune::Trial;
use vintner::train::tune::history::History;

use crate::support::{binary, vintner};

fn train(home: &Path) -> Command {
    let mut command = vintner(home);
    command.arg("train");
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
    let params = home.path().join("best_params.json");
    let mut command = train(home.path());
    command.args(arguments).arg("--write-params").arg(&params);
    let report = json(&mut command, 0);
    let written = std::fs::read_to_string(params).unwrap();
    assert!(
        written.contains(r#""n_estimators":12,"max_depth":8,"#),
        "{written}"
    );
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
fn trials_scored_on_something_else_are_named_and_left_out() {
    let home = tempfile::tempdir().unwrap();
    let history = home.path().join("trials.jsonl");
    let old =
        r#"{"number":0,"params":{"max_depth":3},"mse":0.01,"checkpoints":[],"state":"complete"}"#;
    std::fs::write(&history, format!("{old}\n")).unwrap();
    let search = |trials: &str, args: &[&str]| {
        let mut command = train(home.path());
        command.args(["--no-register", "--folds", "0", "--trials", trials]);
        command.args(["--json", "--family", "decision-tree"]);
        command.args(args);
        let assert = command.arg("--history").arg(&history).assert().code(0);
        let output = assert.get_output();
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        (report, told)
    };
    let params = |report: &Value| -> Vec<Value> {
        let trials = report["trials"].as_array().unwrap();
        trials.iter().map(|trial| trial["params"].clone()).collect()
    };
    let (first, told) = search("2", &[]);
    let unnoted = "1 trial on rows and parameters that an earlier vintner did not note is left out";
    assert!(told.contains(unnoted), "{told}");
    let (same, _) = search("2", &[]);
    assert_eq!(params(&same), params(&first));
    let (_, told) = search("1", &["--split-seed", "7"]);
    assert!(
        told.contains("2 trials on split seed 42 are left out"),
        "{told}"
    );
    // What is set is not searched, and a search over less is another.
    let (set, told) = search("2", &["--set", "max_depth=5"]);
    assert!(
        told.contains("3 trials on a search over max_depth, min_samples_split are left out"),
        "{told}"
    );
    for params in params(&set) {
        let names: Vec<&String> = params.as_object().unwrap().keys().collect();
        assert_eq!(names, ["min_samples_split"]);
    }
    assert_eq!(set["plan"]["params"]["max_depth"], 5);
    let both = ["--set", "max_depth=5", "--set", "min_samples_split=4"];
    let mut nothing = train(home.path());
    nothing.args(["--trials", "2", "--family", "decision-tree"]);
    let refused = nothing.args(both).assert().code(2);
    let told = String::from_utf8_lossy(&refused.get_output().stderr).into_owned();
    assert!(told.contains("but what is set already"), "{told}");
    let text = std::fs::read_to_string(&history).unwrap();
    assert_eq!(text.lines().count(), 1 + 2 + 1 + 2, "nothing is lost");
}

/// Killed for good in the middle of a search: what was written down is resumed, and a line cut short costs that trial.
#[test]
fn a_search_that_was_killed_goes_on_from_what_it_wrote() {
    let home = tempfile::tempdir().unwrap();
    let (history, data) = (home.path().join("trials.jsonl"), home.path().join("w.csv"));
    let wine = Dataset::wine_quality().unwrap();
    let some: Vec<usize> = (0..wine.len()).step_by(8).collect();
    std::fs::write(&data, wine.select(&some).to_csv()).unwrap();
    let search = |trials: &str| {
        let mut command = binary(home.path());
        command.args(["train", "--family", "random-forest", "--folds", "0"]);
        command.args(["--json", "--trials", trials, "--history"]);
        command.arg(&history).arg("--data").arg(&data);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    };
    let mut victim = search("100000").spawn().unwrap();
    let lines = || std::fs::read_to_string(&history).map_or(0, |text| text.lines().count());
    let patience = Instant::now();
    while lines() < 3 && patience.elapsed() < Duration::from_mins(1) {
        std::thread::sleep(Duration::from_millis(5));
    }
    victim.kill().unwrap();
    victim.wait().unwrap();
    let registry = Registry::at(home.path().join(".local/share/vintner/registry"));
    let run = &registry.runs().unwrap()[0];
    let made = registry.trials(&run.id).unwrap().trials;
    assert_eq!((run.state, run.trials), (State::Crashed, Some(made.len())));
    let wanted = run.resumable(0).unwrap().wanted;
    assert!(made.len() >= 3 && wanted == 100_000, "{} made", made.len());

    let told = vintner(home.path())
        .args(["models", "runs"])
        .assert()
        .code(0);
    let told = String::from_utf8_lossy(&told.get_output().stdout).into_owned();
    let of = format!("{} of 100000 trials", made.len());
    assert!(told.contains("crashed") && told.contains(&of), "{told}");

    let text = std::fs::read_to_string(&history).unwrap();
    let whole: Vec<&str> = text.lines().take(3).collect();
    let torn = format!(
        "{}\n{}",
        whole[..2].join("\n"),
        &whole[2][..whole[2].len() / 2]
    );
    std::fs::write(&history, torn).unwrap();
    let output = search("4").output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("dropped: trial 2 is made again"), "{told}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let trials: Vec<Trial> = serde_json::from_value(report["trials"].clone()).unwrap();
    assert_eq!(trials[..3], made[..3], "the same as before the kill");
    let text = std::fs::read_to_string(&history).unwrap();
    assert_eq!(
        History::read(&text).trials,
        trials,
        "nothing is glued to the torn line"
    );
}

#[test]
fn a_training_that_is_told_to_end_is_written_down_as_cancelled() {
    for signal in ["-INT", "-TERM"] {
        let home = tempfile::tempdir().unwrap();
        let mut command = binary(home.path());
        command.args(["train", "--set", "n_estimators=10000"]);
        let mut victim = command.stdout(Stdio::null()).spawn().unwrap();
        let registry = Registry::at(home.path().join(".local/share/vintner/registry"));
        let patience = Instant::now();
        let runs = || registry.runs().unwrap_or_default();
        while runs().iter().all(|run| run.trees == 0) && patience.elapsed() < Duration::from_mins(1)
        {
            std::thread::sleep(Duration::from_millis(5));
        }
        let pid = victim.id().to_string();
        let told = std::process::Command::new("kill")
            .args([signal, &pid])
            .status();
        assert!(told.unwrap().success());
        victim.wait().unwrap();
        assert_eq!(runs()[0].state, State::Cancelled, "{signal}");
    }
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
    complains(&["--max-mse", "nan"], "it must be a number above 0");
    complains(
        &["--write-params", "/no/where/best.json"],
        "cannot write /no/where/best.json: there is no directory /no/where",
    );
    complains(&["--data", "nowhere.csv"], "nowhere.csv: No such file");
    let csv = home.path().join("bad.csv");
    std::fs::write(&csv, "alcohol,quality\n9.4,5\n").unwrap();
    complains(
        &["--data", csv.to_str().unwrap()],
        "missing columns fixed_acidity",
    );
}

fn models(home: &Path, arguments: &[&str], code: i32) -> Value {
    json(vintner(home).arg("models").args(arguments), code)
}

/// Words of a command line.
fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}

#[test]
fn a_shut_gate_and_a_lost_race_are_told_and_exit_1() {
    let home = tempfile::tempdir().unwrap();
    let first = words("--promote --set n_estimators=20 --folds 0");
    json(train(home.path()).args(&first), 0);
    let worse = words("--promote --set max_depth=1 --folds 0");
    train(home.path())
        .args(&worse)
        .assert()
        .code(1)
        .stdout(contains("not promoted: stopped by champion (BLOCKED"));

    // Trained under the first champion, promoted under the second: the old verdict does not count.
    let same = words("--set n_estimators=20 --folds 0");
    let same = json(train(home.path()).args(&same), 0);
    assert_eq!(
        (&same["version"], &same["verdict"]),
        (&"v0003".into(), &"TIE".into())
    );
    let better = words("--preset fast --folds 0 --promote");
    let better = json(train(home.path()).args(&better), 0);
    assert_eq!(better["verdict"], "BETTER", "{better}");
    vintner(home.path())
        .args(["models", "promote", "v3"])
        .assert()
        .code(1)
        .stderr(contains("judged again against v0004").and(contains("champion: BLOCKED")));
    let over = words("promote v3 --override --reason rehearsal");
    let champion = models(home.path(), &over, 0);
    assert_eq!(
        (&champion["version"], &champion["generation"]),
        (&"v0003".into(), &3.into())
    );
}

/// Two processes that were judged against the same champion: one is promoted, the other is told.
#[test]
fn of_two_promotions_at_once_one_is_refused() {
    let home = tempfile::tempdir().unwrap();
    // The same model three times: no gate is in the way.
    let plan = words("--set n_estimators=20 --folds 0 --promote --json");
    json(train(home.path()).args(&plan[..plan.len() - 1]), 0);
    let race = || {
        binary(home.path())
            .arg("train")
            .args(&plan)
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap()
    };
    let reports = [race(), race()].map(|child| {
        let output = child.wait_with_output().unwrap();
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        (output.status.code(), report)
    });
    let champion = models(home.path(), &["list"], 0)["champion"].clone();
    let promoted = reports
        .iter()
        .filter(|(_, report)| report["promoted"] == true)
        .count() as u64;
    // However the two interleave, nobody takes a throne that was not the one it was compared with.
    assert_eq!(champion["generation"], 1 + promoted);
    for (code, report) in &reports {
        let seen = report["champion"]["version"].as_str().unwrap();
        assert_eq!(
            *code,
            Some(i32::from(report["promoted"] == false)),
            "{report}"
        );
        if report["promoted"] == false {
            let why = report["not_promoted"].as_str().unwrap();
            assert!(why.contains("changed meanwhile"), "{why}");
            assert_eq!(seen, "v0001");
        }
    }
}

#[test]
fn a_run_is_written_down_and_what_it_made_can_be_found_again() {
    let home = tempfile::tempdir().unwrap();
    let csv = home.path().join("wine.csv");
    let wine = vintner::train::Dataset::wine_quality().unwrap();
    let rows: Vec<usize> = (0..wine.len()).step_by(4).collect();
    std::fs::write(&csv, wine.select(&rows).to_csv()).unwrap();
    let mut command = train(home.path());
    command.current_dir(home.path()).args(words(
        "--data wine.csv --family extra-trees --set n_estimators=15 --folds 2",
    ));
    let report = json(&mut command, 0);
    assert_eq!(
        (&report["looks"], &report["preset"]),
        (&1.into(), &Value::Null)
    );
    // The curve and its figure are of rows of the training side.
    let inner = report["validation"]["n"].as_u64().unwrap();
    let train_rows = report["data"]["report"]["train"].as_u64().unwrap();
    assert!(inner < train_rows / 4, "{inner} of {train_rows}");

    let run = models(home.path(), &["runs"], 0)[0].clone();
    assert_eq!(
        (&run["state"], &run["version"]),
        (&"finished".into(), &"v0001".into())
    );
    let manifest = models(home.path(), &["show", "v1"], 0);
    assert_eq!(manifest["run"], run["id"]);
    assert_eq!(manifest["data"]["source"], csv.to_str().unwrap());
    let registry =
        vintner::registry::Registry::at(home.path().join(".local/share/vintner/registry"));
    let again = vintner::challenger::reproduce("v1".parse().unwrap(), &registry, &mut |_, _| {
        vintner::train::Flow::Continue
    });
    assert_eq!(again, Ok(true));

    let changed = json(
        train(home.path()).args(words("--set max_depth=3 --folds 0")),
        0,
    );
    assert_eq!(changed["preset"], "custom");
}

#[test]
fn a_registry_that_cannot_be_written_costs_no_report() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("file"), "").unwrap();
    let mut command = train(home.path());
    command
        .args(words("--set n_estimators=12 --folds 0 --registry"))
        .arg(home.path().join("file/registry"));
    let output = command.assert().code(1).get_output().clone();
    let report = String::from_utf8(output.stdout).unwrap();
    assert!(report.contains("holdout   R2"), "{report}");
    let line = report
        .lines()
        .find(|line| line.contains("not registered: "));
    assert_eq!(
        line.unwrap().matches("Not a directory").count(),
        1,
        "{report}"
    );
    let warned = String::from_utf8(output.stderr).unwrap();
    assert!(warned.contains("will not be registered"), "{warned}");
}

#[test]
fn what_would_be_ignored_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let refused = |line: &str, why: &'static str| {
        train(home.path())
            .args(words(line))
            .assert()
            .code(2)
            .stderr(contains(why));
    };
    refused("--early-stop --family linear", "linear has none");
    refused(
        "--early-stop --family gradient-boosting",
        "gradient-boosting has none",
    );
    refused("--early-stop --preset best", "blend has none");
    refused("--early-stop --family extra-trees", "extra-trees has none");
    refused("--early-stop --set bootstrap=false", "out-of-bag curve");
    refused("--folds 1", "choose 2 to 532 folds");
    refused("--folds 5000", "choose 2 to 532 folds");
    refused("--trials 0", "at least 1");
    refused("--seed 5", "--split-seed N");
    refused("--threads 0", "'--threads <N>'");
}
