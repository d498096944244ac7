//! Streams that go on until somebody ends them.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::{Scene, text, vintner};

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
