//! `vintner predict`: output, exit codes, request files, other models.

use predicates::prelude::*;
use predicates::str::{contains, ends_with, starts_with};

use super::{DEMO, vintner};

#[test]
fn the_command_predicts_and_its_exit_code_says_how_it_went() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let output = vintner(home)
        .args(["predict", "alcohol=12", "--speed", "20", "--json"])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(
        json["prediction"].is_f64() && json["quality_rating"].is_string() && json["status"] == 200,
        "{json}"
    );
    assert!(json["timing"]["total_ms"].is_f64() && json["timing"]["dns_ms"].is_null());
    assert_eq!(json["request"]["alcohol"], 12.0);
    let output = vintner(home)
        .args(["predict", "alcohol=12", "--explain", "--json"])
        .output()
        .unwrap();
    let explained: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let parts = explained["contributions"].as_array().unwrap();
    let sum: f64 = parts
        .iter()
        .map(|part| part["contribution"].as_f64().unwrap())
        .sum();
    let score = explained["prediction"].as_f64().unwrap();
    assert_eq!(parts.len(), 12);
    assert!(
        (explained["base"].as_f64().unwrap() + sum - score).abs() < 1e-4,
        "{explained}"
    );
    assert!(
        (score - json["prediction"].as_f64().unwrap()).abs() < 1e-4,
        "{explained}"
    );
    let fails = |args: &[&str], code: i32, said: &'static str| {
        let all = contains(said);
        let output = vintner(home).args(args).output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        assert_eq!(
            output.status.code(),
            Some(code),
            "{}",
            String::from_utf8_lossy(&text)
        );
        assert!(
            all.eval(&String::from_utf8_lossy(&text)),
            "{}",
            String::from_utf8_lossy(&text)
        );
    };
    fails(&["predict", "alcool=12"], 2, "there is no feature `alcool`");
    fails(
        &["predict", "alcohol=high"],
        2,
        "alcohol: `high` is not a number",
    );
    fails(
        &["predict", "--preset", "x"],
        2,
        "the presets are demo, low, high",
    );
    fails(
        &[
            "predict",
            "--endpoint",
            "http://127.0.0.1:9/",
            "--region",
            "us-east-2",
        ],
        3,
        "connection refused; nothing listens there",
    );
    fails(
        &["predict", "--raw", "alcohol=high", "--speed", "20"],
        1,
        "500",
    );
    fails(&["bench", "--per-second", "50"], 2, "--i-own-this");
    fails(&["bench", "--duration", "0s"], 2, "must be 1 to 100000");
    fails(
        &["bench", "--duration", "30s", "-n", "3"],
        2,
        "cannot be used with",
    );
    fails(&["bench", "--duration", "soon"], 2, "--duration");
    fails(&["sweep", "alcool"], 2, "there is no feature `alcool`");
    fails(
        &["sweep", "pH", "--from", "4", "--to", "3"],
        2,
        "must be below",
    );
    fails(
        &["sweep", "wine_type_encoded", "--from", "0"],
        2,
        "is a choice",
    );
    let elsewhere = ["--endpoint", "http://192.0.2.1/", "--region", "us-east-2"];
    let asking = [&["sweep", "pH", "--via", "gateway"][..], &elsewhere].concat();
    fails(
        &asking,
        2,
        "22 calls to 192.0.2.1, $0.000026 at list price plus compute: say --yes",
    );
    let nobody = ["--endpoint", "http://127.0.0.1:9/", "--region", "us-east-2"];
    let unreached = [&["sweep", "pH", "--via", "gateway"][..], &nobody].concat();
    fails(&unreached, 3, "connection refused");
}

#[test]
fn a_request_file_is_whole_and_names_its_mistakes() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("request.json");
    let fails = |text: &str, said: &'static str| {
        std::fs::write(&file, text).unwrap();
        let run = vintner(home.path())
            .args(["predict", "--via", "local", "--json"])
            .arg(&file)
            .assert();
        run.code(2)
            .stderr(contains(said).and(contains("request.json")));
    };
    fails(
        &DEMO.replace("alcohol", "alcool"),
        "has no feature `alcool`",
    );
    fails(r#"{"alcohol": 12, "pH": 3}"#, "lacks fixed_acidity");
    fails("{\"alcohol\":", "begins like JSON but is not");
    fails("hello", "not understood");
}

/// Another model than the wine's.
pub const TEA: &str = r#"
name = "tea"
title = "Tea"
[score]
label = "strength"
min = 0.0
max = 2.0
fields = ["strength"]
band_field = "word"
[[bands]]
name = "weak"
below = 1.0
[[bands]]
name = "strong"
[[features]]
name = "minutes"
label = "Minutes"
min = 0.0
p1 = 1.0
p50 = 3.0
p99 = 8.0
max = 10.0
step = 0.5
[[features]]
name = "grams"
label = "Grams"
min = 0.0
p1 = 1.0
p50 = 2.0
p99 = 5.0
max = 6.0
step = 0.1
[[features]]
name = "temperature"
label = "Temperature"
min = 50.0
p1 = 60.0
p50 = 90.0
p99 = 99.0
max = 100.0
step = 1.0
[[presets]]
name = "usual"
label = "Usual"
values = { minutes = 5, grams = 3, temperature = 75 }
"#;

#[test]
fn another_models_schema_gets_a_stand_in_and_never_the_wine_model() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("tea.toml");
    std::fs::write(&file, TEA).unwrap();
    let run = |args: &[&str]| {
        let mut command = vintner(home.path());
        command.args(args).arg("--model").arg(&file).assert()
    };
    let none = "no champion takes this model schema's inputs";
    run(&["predict", "--via", "local"])
        .code(1)
        .stderr(contains(none));
    // Where wines are predicted too, their champion is no help either.
    vintner(home.path())
        .args(["predict", "--via", "local"])
        .assert()
        .success();
    run(&["predict", "--via", "local"])
        .code(1)
        .stderr(contains("champion v0001 predicts other inputs"));
    let answer = run(&["predict", "--speed", "20", "--json"]).success();
    let json: serde_json::Value = serde_json::from_slice(&answer.get_output().stdout).unwrap();
    assert_eq!(
        (&json["prediction"], &json["word"], &json["model_version"]),
        (&1.0.into(), &"strong".into(), &"stand-in".into()),
        "{json}"
    );
}

#[test]
fn the_first_call_of_a_sandbox_is_warm_and_the_same_for_the_same_seed() {
    let home = tempfile::tempdir().unwrap();
    let report = |args: &[&str]| {
        let output = vintner(home.path())
            .args(["predict", "--via", "invoke", "--json", "--speed", "20"])
            .args(args)
            .output()
            .unwrap();
        serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap()["report"].clone()
    };
    let first = report(&[]);
    assert!(first["init_ms"].is_null(), "{first}");
    assert_eq!(first["duration_ms"], report(&[])["duration_ms"]);
}

#[test]
fn a_sandbox_that_starts_with_an_incident_has_had_it_for_a_while() {
    let home = tempfile::tempdir().unwrap();
    let logs = |incident: &str| {
        let args = ["logs", "--errors", "--since", "1h", "--incident", incident];
        let output = vintner(home.path()).args(args).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(logs("handler-crash").contains("ValueError: X has"));
    assert!(logs("timeout").contains("timed out"));
}

#[test]
fn a_curl_line_is_alone_on_stdout_and_a_sandbox_that_is_gone_is_said() {
    let home = tempfile::tempdir().unwrap();
    let run = |args: &[&str]| vintner(home.path()).args(args).assert().success();
    let line = format!("-d '{DEMO}'\n");
    run(&["predict", "--curl"])
        .stdout(starts_with("curl ").and(ends_with(line.clone())))
        .stderr(contains("`vintner sandbox` runs one that stays"));
    run(&["predict", "--curl", "--target", "local"])
        .stdout(contains("'http://localhost:8000/predict'").and(ends_with(line)))
        .stderr("");
}
