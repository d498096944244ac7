//! `vintner logs` as scripts use it: data on stdout, notes on stderr, exit codes; against a sandbox as if it were AWS.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use vintner::sandbox::{Incident, Options, Sandbox, ServedModel};

const DEMO: &str = r#"{"fixed_acidity":7.4,"volatile_acidity":0.7,"citric_acid":0,"residual_sugar":1.9,"chlorides":0.076,"free_sulfur_dioxide":11,"total_sulfur_dioxide":34,"density":0.9978,"pH":3.51,"sulphates":0.56,"alcohol":9.4,"wine_type_encoded":0}"#;

/// A sandbox, and a home for the commands that read it.
struct Scene {
    sandbox: Sandbox,
    home: tempfile::TempDir,
}

impl Scene {
    async fn new() -> Self {
        let model = ServedModel::ready("v1.0", Arc::new(|row: &[f32]| row[10] / 2.0));
        let sandbox = Sandbox::start(Options::quiet(), model).await.unwrap();
        Self {
            sandbox,
            home: tempfile::tempdir().unwrap(),
        }
    }

    /// Makes calls and waits until their lines are visible.
    async fn after_calls(calls: usize) -> Self {
        let scene = Self::new().await;
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        for _ in 0..calls {
            let call = http
                .post(scene.sandbox.endpoint())
                .body(DEMO)
                .send()
                .await
                .unwrap();
            assert_eq!(call.status(), 200);
        }
        for _ in 0..100 {
            let output = scene.logs(&["--since", "1h", "--requests", "--json"]).await;
            if objects(&output)
                .iter()
                .filter(|row| row["status"] == "ok")
                .count()
                == calls
            {
                return scene;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the lines of {calls} calls never came");
    }

    /// Everything from flags and environment, as against AWS.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = vintner(self.home.path());
        command
            .args([
                "logs",
                "--target",
                "aws",
                "--region",
                "us-east-2",
                "--endpoint-url",
            ])
            .arg(self.sandbox.aws_endpoint())
            .args(["--log-group", &self.sandbox.log_group()])
            .args(arguments)
            .env("AWS_ACCESS_KEY_ID", "key")
            .env("AWS_SECRET_ACCESS_KEY", "secret");
        command
    }

    async fn logs(&self, arguments: &[&str]) -> Output {
        let mut command = self.command(arguments);
        tokio::task::spawn_blocking(move || command.output().unwrap())
            .await
            .unwrap()
    }
}

fn vintner(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vintner"));
    command
        .env_clear()
        .env("HOME", home)
        .env("LANG", "C.UTF-8")
        .env("AWS_EC2_METADATA_DISABLED", "true");
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn objects(output: &Output) -> Vec<Value> {
    text(&output.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lines_requests_and_errors_come_as_text_and_json() {
    let scene = Scene::after_calls(3).await;
    let lines = scene.logs(&["--since", "1h", "--json"]).await;
    assert!(lines.status.success(), "{}", text(&lines.stderr));
    let events = objects(&lines);
    assert_eq!(
        events.len(),
        3 * 3 + 3,
        "three lines a call, and three of the cold start"
    );
    for field in [
        "timestamp",
        "ingestionTime",
        "logStreamName",
        "eventId",
        "message",
    ] {
        assert!(
            events.iter().all(|event| !event[field].is_null()),
            "{field}"
        );
    }
    let plain = text(
        &scene
            .logs(&["--since", "1h", "--grep", "^REPORT"])
            .await
            .stdout,
    );
    assert_eq!(plain.lines().count(), 3, "{plain}");
    let served = scene.logs(&["--since", "1h", "--filter", "START"]).await;
    assert!(
        text(&served.stdout).contains("START RequestId"),
        "{}",
        text(&served.stderr)
    );
    let requests = scene.logs(&["--since", "1h", "--requests"]).await;
    assert_eq!(text(&requests.stdout).lines().count(), 3);
    assert!(
        text(&requests.stderr).contains("3 requests, 3 reported: 0 failed"),
        "{}",
        text(&requests.stderr)
    );
    let until = scene.logs(&["--since", "2h", "--until", "1h"]).await;
    assert_eq!(text(&until.stdout), "");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn errors_are_grouped_and_insights_counts_them() {
    let scene = Scene::new().await;
    scene.sandbox.set_incident(Some(Incident::HandlerCrash));
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    for _ in 0..3 {
        http.post(scene.sandbox.endpoint())
            .body(DEMO)
            .send()
            .await
            .unwrap();
    }
    let mut errors = Vec::new();
    for _ in 0..100 {
        errors = objects(&scene.logs(&["--since", "1h", "--errors", "--json"]).await);
        if errors.first().is_some_and(|row| row["count"] == 3) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(errors[0]["count"], 3, "{errors:?}");
    let query = "filter @message like /^REPORT/ | stats count(*) as n";
    let counted = scene
        .logs(&["--since", "1h", "--json", "--insights", query])
        .await;
    assert_eq!(objects(&counted)[0]["n"], "3", "{}", text(&counted.stderr));
    assert!(text(&counted.stderr).contains("scanned"));
    let wrong = scene.logs(&["--insights", "filtr x"]).await;
    assert_eq!(wrong.status.code(), Some(2), "{}", text(&wrong.stderr));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_failure_has_its_code_and_its_remedy() {
    let scene = Scene::new().await;
    let says = async |arguments: &[&str], code: i32, wanted: &str| {
        let output = scene.logs(arguments).await;
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
        assert!(said.contains(wanted), "{arguments:?}: {said}");
        assert_eq!(text(&output.stdout), "");
    };
    says(&["--since", "yesterday"], 2, "--since yesterday").await;
    says(&["--grep", "("], 2, "(").await;
    says(&["--level", "loud"], 2, "loud").await;
    says(&["--filter", "{ $.level = "], 2, "logs:FilterLogEvents").await;
    says(
        &["--log-group", "/aws/lambda/nobody"],
        3,
        "/aws/lambda/nobody not found in us-east-2",
    )
    .await;
    says(&["--log-group", "/nowhere/*"], 3, "no log group matches").await;
    says(&["--file", "/no/such/file"], 2, "/no/such/file").await;
    scene
        .sandbox
        .set_incident(Some(Incident::CredentialsExpired));
    says(&["--since", "1h"], 3, "aws sso login").await;
    scene.sandbox.set_incident(Some(Incident::AccessDenied));
    says(&["--since", "1h"], 3, "logs:FilterLogEvents").await;
    let nowhere = vintner(scene.home.path())
        .args([
            "logs",
            "--target",
            "aws",
            "--region",
            "us-east-2",
            "--log-group",
            "g",
        ])
        .args(["--endpoint-url", "http://127.0.0.1:1"])
        .env("AWS_ACCESS_KEY_ID", "key")
        .env("AWS_SECRET_ACCESS_KEY", "secret")
        .output()
        .unwrap();
    assert_eq!(nowhere.status.code(), Some(3));
    assert!(
        text(&nowhere.stderr).contains("refused"),
        "{}",
        text(&nowhere.stderr)
    );
    let bare = vintner(scene.home.path())
        .args([
            "logs",
            "--target",
            "aws",
            "--region",
            "us-east-2",
            "--log-group",
            "g",
            "--endpoint-url",
        ])
        .arg(scene.sandbox.aws_endpoint())
        .output()
        .unwrap();
    assert_eq!(bare.status.code(), Some(3));
    assert!(
        text(&bare.stderr).contains("no AWS credentials"),
        "{}",
        text(&bare.stderr)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn following_flushes_each_line_and_ends_clean_on_interrupt() {
    let scene = Scene::after_calls(1).await;
    let mut child = scene
        .command(&["--follow", "--since", "1h", "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let pid = child.id().to_string();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let first = tokio::task::spawn_blocking(move || (lines.next().unwrap().unwrap(), lines))
        .await
        .unwrap();
    assert!(first.0.contains("INIT_START"), "{}", first.0);
    assert!(
        Command::new("kill")
            .args(["-INT", &pid])
            .status()
            .unwrap()
            .success()
    );
    let rest = first.1;
    let ended = tokio::task::spawn_blocking(move || {
        rest.for_each(drop);
        child.wait_with_output().unwrap()
    });
    let ended = tokio::time::timeout(Duration::from_secs(5), ended)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(ended.status.code(), Some(0), "{}", text(&ended.stderr));
    assert!(
        text(&ended.stderr).contains("following /aws/lambda/wine-quality-predictor in us-east-2")
    );
}

#[test]
fn a_file_is_followed_through_rotation_and_truncation_to_an_unfinished_end() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("x.log");
    let append = |text: &str| {
        let file = std::fs::OpenOptions::new().append(true).open(&path);
        file.unwrap().write_all(text.as_bytes()).unwrap();
    };
    std::fs::write(&path, "one\n").unwrap();
    let mut child = vintner(home.path())
        .args(["logs", "--follow", "--file"])
        .arg(&path)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut next = || lines.next().unwrap().unwrap();
    assert_eq!(next(), "one");
    append("tw");
    append("o\n");
    assert_eq!(next(), "two");
    std::fs::rename(&path, home.path().join("x.log.1")).unwrap();
    std::fs::write(&path, "three\n").unwrap();
    assert_eq!(next(), "three");
    std::fs::write(&path, "4\n").unwrap();
    assert_eq!(next(), "4");
    append("five\nsix, unfinished");
    assert_eq!(next(), "five");
    let pid = child.id().to_string();
    let killed = Command::new("kill").args(["-INT", &pid]).status();
    assert!(killed.unwrap().success());
    assert_eq!(next(), "six, unfinished");
    assert!(lines.next().is_none());
    let ended = child.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(0));
    assert!(text(&ended.stderr).contains("the file was cut or written anew"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_that_leaves_early_is_no_error() {
    let scene = Scene::after_calls(1).await;
    let mut child = scene
        .command(&["--since", "1h"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let ended = tokio::task::spawn_blocking(move || child.wait_with_output().unwrap())
        .await
        .unwrap();
    assert_eq!(
        (ended.status.code(), text(&ended.stderr)),
        (Some(0), String::new())
    );
}

#[test]
fn files_stdin_recordings_and_stats_need_no_aws() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("lambda.log");
    let id = "79b5e81f-1c2d-4e3f-8a9b-0c1d2e3f4a5b";
    let log = format!(
        "2026-10-08T07:30:29.000Z START RequestId: {id} Version: $LATEST\n2026-10-08T07:30:29.100Z [ERROR] ValueError: bad row 7\n2026-10-08T07:30:29.200Z END RequestId: {id}\n2026-10-08T07:30:29.200Z REPORT RequestId: {id}\tDuration: 41.75 ms\tBilled Duration: 42 ms\tMemory Size: 1024 MB\tMax Memory Used: 237 MB\t\n"
    );
    std::fs::write(&file, &log).unwrap();
    let run = |arguments: &[&str]| {
        let output = vintner(home.path())
            .arg("logs")
            .args(arguments)
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{arguments:?}: {}",
            text(&output.stderr)
        );
        output
    };
    let path = file.to_str().unwrap();
    assert_eq!(text(&run(&["--file", path]).stdout).lines().count(), 4);
    assert_eq!(
        text(&run(&["--file", path, "--level", "error"]).stdout)
            .lines()
            .count(),
        1
    );
    assert_eq!(
        text(&run(&["--file", path, "--since", "2026-10-08T07:30:29.150Z"]).stdout)
            .lines()
            .count(),
        2
    );
    let request = &objects(&run(&["--file", path, "--requests", "--json"]))[0];
    assert_eq!(
        (&request["requestId"], &request["durationMs"]),
        (&Value::from(id), &Value::from(41.75))
    );
    let errors = text(&run(&["--file", path, "--errors"]).stdout);
    assert!(errors.contains("bad row <num>"), "{errors}");
    assert!(text(&run(&["--file", path, "--stats"]).stdout).contains("4 lines, 1 requests"));

    let mut piped = vintner(home.path())
        .args(["logs", "--file", "-", "--json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    piped
        .stdin
        .take()
        .unwrap()
        .write_all(log.as_bytes())
        .unwrap();
    assert_eq!(objects(&piped.wait_with_output().unwrap()).len(), 4);

    let recording = home.path().join("incident.jsonl");
    let recording = recording.to_str().unwrap();
    run(&["--file", path, "--record", recording]);
    let replayed = run(&["--replay", recording, "--speed", "10x", "--json"]);
    assert_eq!(objects(&replayed).len(), 4);
}

#[test]
fn a_pipe_is_printed_as_it_comes() {
    let home = tempfile::tempdir().unwrap();
    let mut child = vintner(home.path())
        .args(["logs", "--file", "-", "--level", "warn"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    for n in 0..3 {
        // The pipe stays open: a line that waits for its end would never come.
        stdin
            .write_all(format!("INFO fine {n}\nERROR bad row {n}\n").as_bytes())
            .unwrap();
        let line = lines.next().unwrap().unwrap();
        assert_eq!(line, format!("ERROR bad row {n}"));
    }
    // No newline at the end.
    stdin.write_all(b"ERROR the last").unwrap();
    drop(stdin);
    assert_eq!(lines.next().unwrap().unwrap(), "ERROR the last");
    assert!(lines.next().is_none());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn flags_that_contradict_each_other_are_refused_by_name() {
    let home = tempfile::tempdir().unwrap();
    for (arguments, wanted) in [
        (&["--follow", "--until", "1h"][..], "'--until <WHEN>'"),
        (&["--requests", "--errors"], "'--errors'"),
        (&["--errors", "--follow"], "'--follow'"),
        (&["--requests", "--grep", "x"], "'--grep <RE>'"),
        (&["--errors", "--level", "warn"], "'--level <LEVEL>'"),
        (&["--live"], "  --follow\n"),
        (&["--stats"], "  --file <FILE>\n"),
        (
            &["--file", "x", "--filter", "ERROR"],
            "'--filter <PATTERN>'",
        ),
        (&["--file", "x", "--replay", "y"], "'--replay <FILE>'"),
        (&["--replay", "x", "--follow"], "'--follow'"),
        (&["--insights", "limit 1", "--follow"], "'--follow'"),
    ] {
        let output = vintner(home.path())
            .arg("logs")
            .args(arguments)
            .output()
            .unwrap();
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains(wanted), "{arguments:?}: {said}");
        assert_eq!(text(&output.stdout), "");
    }
}

#[cfg(unix)]
#[test]
fn a_recording_that_finds_no_more_room_is_named_and_printing_goes_on() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("long.log");
    let log: String = (0..5_000)
        .map(|n| {
            format!("2026-10-08T07:30:29.000Z line {n} of a log that is longer than the disk\n")
        })
        .collect();
    std::fs::write(&file, log).unwrap();
    // A limit of 64 blocks on every file stands for a disk that fills up.
    let output = Command::new("sh")
        .args(["-c", r#"trap '' XFSZ; ulimit -f 64; exec "$0" "$@""#])
        .arg(env!("CARGO_BIN_EXE_vintner"))
        .args(["logs", "--record", "cut.jsonl", "--file"])
        .arg(&file)
        .env_clear()
        .env("HOME", home.path())
        .current_dir(home.path())
        .output()
        .unwrap();
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.contains("cut.jsonl") && said.contains("printing goes on"),
        "{said}"
    );
    assert_eq!(text(&output.stdout).lines().count(), 5_000);
    // What was written before can still be played, its last line aside.
    let kept = std::fs::read_to_string(home.path().join("cut.jsonl")).unwrap();
    let whole = kept.rsplit_once('\n').unwrap().0;
    assert!(
        whole
            .lines()
            .all(|line| serde_json::from_str::<Value>(line).is_ok())
    );
}
