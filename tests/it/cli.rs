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

/// What the SDK reads by itself is shown too, with its source.
#[test]
fn config_shows_what_aws_files_and_variables_add() {
    let home = home();
    let file = home.path().join("aws");
    std::fs::write(
        &file,
        "[profile prod]\nregion = eu-west-3\nendpoint_url = http://127.0.0.1:4566\nservices = near\n\
         [services near]\ns3 =\n  endpoint_url = http://127.0.0.1:9000\n",
    )
    .unwrap();
    let run = vintner(home.path())
        .args(["config", "--target", "aws", "--profile", "prod", "--json"])
        .env("AWS_CONFIG_FILE", &file)
        .env("AWS_ENDPOINT_URL_LAMBDA", "http://127.0.0.1:3001")
        .output()
        .unwrap();
    let json: serde_json::Value = serde_json::from_slice(&run.stdout).unwrap();
    for (key, value, origin) in [
        ("region", "eu-west-3", "AWS profile prod"),
        ("endpoint_url", "http://127.0.0.1:4566", "AWS profile prod"),
        (
            "endpoint_url (Lambda)",
            "http://127.0.0.1:3001",
            "$AWS_ENDPOINT_URL_LAMBDA",
        ),
        (
            "endpoint_url (S3)",
            "http://127.0.0.1:9000",
            "AWS profile prod",
        ),
    ] {
        let shown = &json[format!("targets.aws.{key}")];
        assert_eq!(
            *shown,
            serde_json::json!({"value": value, "origin": origin}),
            "{key}: {json:#}"
        );
    }
    assert!(json["targets.aws.endpoint_url (STS)"].is_null());
}

/// Before any call, wherever it comes from.
#[test]
fn an_aws_endpoint_without_a_scheme_is_a_usage_error() {
    let home = home();
    let file = home.path().join("aws");
    std::fs::write(&file, "[profile bad]\nendpoint_url = localhost:9999\n").unwrap();
    for (flags, variable) in [
        (vec!["--profile", "bad"], ("AWS_CONFIG_FILE", "")),
        (vec!["--endpoint-url", "localhost:9999"], ("LANG", "C")),
        (vec![], ("AWS_ENDPOINT_URL", "localhost:9999")),
        (vec![], ("AWS_ENDPOINT_URL_LAMBDA", "localhost:9999")),
    ] {
        let mut run = vintner(home.path());
        run.args(["doctor", "--target", "aws", "--region", "us-east-2"])
            .args(&flags)
            .env("AWS_ACCESS_KEY_ID", "AKIA")
            .env("AWS_SECRET_ACCESS_KEY", "s");
        match variable {
            (name, "") => run.env(name, &file),
            (name, value) => run.env(name, value),
        };
        run.assert()
            .code(2)
            .stdout("")
            .stderr(contains("localhost:9999").and(contains("needs http:// or https:// in front")));
    }
}

/// Its own exports name another target, and a port that is taken is a flag to change.
#[test]
fn the_sandbox_command_is_always_the_sandbox() {
    let home = home();
    vintner(home.path())
        .args(["sandbox", "--incidents", "--incident", "handler-crash"])
        .env("VINTNER_TARGET", "aws")
        .assert()
        .success();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    vintner(home.path())
        .args(["sandbox", "--port", &port])
        .assert()
        .code(2)
        .stderr(contains("cannot listen on"));
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
