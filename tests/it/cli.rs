//! The command line: outputs, exit codes, bad configurations each with its message.

use predicates::prelude::*;
use predicates::str::contains;

use crate::support::{binary, vintner};

fn home() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

#[test]
fn without_a_terminal_it_says_what_to_do_instead() {
    let home = home();
    vintner(home.path())
        .assert()
        .code(2)
        .stdout("")
        .stderr(contains("needs a terminal").and(contains("vintner --help")));
}

#[test]
fn help_names_the_exit_codes_and_every_command() {
    let home = home();
    let help = vintner(home.path()).arg("--help").assert().success();
    help.stdout(
        contains("Exit codes: 0 fine")
            .and(contains("config"))
            .and(contains("keys")),
    );
}

#[test]
fn config_says_where_each_value_came_from() {
    let home = home();
    let output = vintner(home.path())
        .args(["config", "--target", "aws"])
        .env("AWS_REGION", "eu-west-1")
        .assert()
        .success();
    output.stdout(
        contains("target = aws")
            .and(contains("# --target"))
            .and(contains("targets.aws.region = eu-west-1"))
            .and(contains("# $AWS_REGION")),
    );
    let json = vintner(home.path())
        .args(["config", "--json"])
        .output()
        .unwrap();
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(
        json["target"],
        serde_json::json!({"value": "sandbox", "origin": "default"})
    );
}

#[test]
fn bad_configurations_exit_2_and_name_the_thing() {
    let home = home();
    let file = home.path().join("bad.toml");
    for (text, said) in [
        ("them = \"dark\"", "unknown field `them`"),
        ("theme = \"purple\"", "unknown variant `purple`"),
        ("target = \"prod\"", "there is no target `prod`"),
        ("[sandbox]\nincident = \"fire\"", "fire"),
        ("[sandbox]\nspeed = -1.0", "sandbox.speed = -1"),
        ("[targets.aws", "line 1"),
    ] {
        std::fs::write(&file, text).unwrap();
        let run = vintner(home.path())
            .args(["config", "--config"])
            .arg(&file)
            .assert()
            .code(2)
            .stdout("");
        run.stderr(
            contains(said).and(
                contains("bad.toml")
                    .or(contains("prod"))
                    .or(contains("speed")),
            ),
        );
    }
    vintner(home.path())
        .args(["config", "--config", "/nowhere.toml"])
        .assert()
        .code(2)
        .stderr(contains("/nowhere.toml"));
}

#[test]
fn a_bad_file_is_described_once() {
    let home = home();
    let file = home.path().join("bad.toml");
    std::fs::write(&file, "regoin = \"x\"").unwrap();
    let run = vintner(home.path())
        .args(["config", "--config"])
        .arg(&file)
        .assert()
        .code(2);
    run.stderr(
        contains("unknown field `regoin`")
            .count(1)
            .and(contains("config --example")),
    );
    let keys = home.path().join(".config/vintner/keys.toml");
    std::fs::create_dir_all(keys.parent().unwrap()).unwrap();
    std::fs::write(&keys, "[global]\nquiet = \"q\"").unwrap();
    let run = vintner(home.path()).arg("keys").assert().code(2);
    run.stderr(contains("unknown variant `quiet`").count(1));
    let run = vintner(home.path())
        .args(["config", "--config", "/nowhere.toml"])
        .assert()
        .code(2);
    run.stderr(contains("No such file").count(1));
}

#[test]
fn the_example_configuration_is_printed() {
    let home = home();
    let run = vintner(home.path())
        .args(["config", "--example"])
        .assert()
        .success();
    run.stdout(include_str!("../../assets/config.example.toml"));
}

#[cfg(target_os = "linux")]
#[test]
fn nothing_panics_when_nobody_can_read_it() {
    let home = home();
    for command in [
        &["completions", "bash"][..],
        &["man"],
        &["keys"],
        &["config", "--json"],
    ] {
        let full = std::fs::File::create("/dev/full").unwrap();
        let run = binary(home.path())
            .args(command)
            .stdout(full)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&run.stderr);
        assert_eq!(run.status.code(), Some(1), "{command:?}: {said}");
        assert!(
            said.contains("No space left") && !said.contains("panicked"),
            "{command:?}: {said}"
        );
    }
}

#[test]
fn bad_flags_exit_2() {
    let home = home();
    vintner(home.path())
        .arg("--nonsense")
        .assert()
        .code(2)
        .stderr(contains("--nonsense"));
    vintner(home.path())
        .args(["config", "--incident", "fire"])
        .assert()
        .code(2)
        .stderr(contains("fire"));
    vintner(home.path())
        .args(["config", "--model", "/nowhere.toml"])
        .assert()
        .code(2)
        .stderr(contains("/nowhere.toml"));
}

#[test]
fn the_key_table_is_printed_and_bad_key_files_are_named() {
    let home = home();
    vintner(home.path())
        .arg("keys")
        .assert()
        .success()
        .stdout(contains("| `q` | quit |"));
    let config = home.path().join(".config/vintner");
    std::fs::create_dir_all(&config).unwrap();
    std::fs::write(config.join("keys.toml"), "[global]\nquti = [\"q\"]").unwrap();
    vintner(home.path())
        .arg("keys")
        .assert()
        .code(2)
        .stderr(contains("keys.toml").and(contains("quti")));
}

#[test]
fn completions_and_man_page_are_printed() {
    let home = home();
    vintner(home.path())
        .args(["completions", "bash"])
        .assert()
        .success()
        .stdout(contains("_vintner"));
    vintner(home.path())
        .arg("man")
        .assert()
        .success()
        .stdout(contains(".TH vintner"));
}
