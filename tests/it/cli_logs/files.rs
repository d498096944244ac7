//! Files, pipes and recordings: no AWS at all.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use serde_json::Value;

use super::{objects, text, vintner};

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
    assert!(text(&run(&["--file", path, "--stats"]).stdout).contains("4 lines, 1 request\n"));

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
