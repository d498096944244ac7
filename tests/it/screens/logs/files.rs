//! Files and recordings.

use super::*;

/// A recording of the session: a file that `--record` would have made.
fn recording(dir: &std::path::Path) -> std::path::PathBuf {
    let path = dir.join("session.jsonl");
    let lines = session()
        .into_iter()
        .map(|event| serde_json::to_string(&event).unwrap() + "\n");
    std::fs::write(&path, lines.collect::<String>()).unwrap();
    path
}

/// Runs the effect that reads a file, as the runner would, and tells its event.
fn read_file(stage: &mut Stage, effects: &[Effect]) {
    let (number, path) = effects
        .iter()
        .find_map(|effect| match effect {
            Effect::Logs(LogsEffect::Open(number, path)) => Some((*number, path.clone())),
            _ => None,
        })
        .unwrap_or_else(|| panic!("no file is opened in {effects:?}"));
    let spool = tempfile::tempdir().unwrap();
    let (sender, mut inbox) = tokio::sync::mpsc::channel(1);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build();
    let spool_dir = spool.path().to_owned();
    let opened = runtime.unwrap().block_on(async {
        let outbox = Outbox::new(sender);
        tokio::spawn(open::read(number, path, spool_dir, outbox));
        inbox.recv().await
    });
    stage.event(opened.unwrap());
}

#[test]
fn a_file_on_the_command_line_opens_on_its_lines_and_stays_when_connected() {
    let dir = tempfile::tempdir().unwrap();
    let path = recording(dir.path());
    let set = |stage: &mut Stage| {
        let asked = stage.press("2");
        assert!(asked.is_empty(), "{asked:?}");
        stage.press("shift-o");
        stage.paste(path.to_str().unwrap());
        let asked = stage.press("enter");
        read_file(stage, &asked);
    };
    crate::assert_screens!("logs-file", set);
    let log_file = Some(LogFile { path, speed: None });
    let mut stage = Stage::with(
        (120, 40),
        Flags {
            log_file,
            ..Flags::default()
        },
    );
    let asked = stage.start();
    read_file(&mut stage, &asked);
    assert!(
        stage.text().contains("FILE session.jsonl"),
        "{}",
        stage.text()
    );
    assert!(stage.text().contains("173 lines"));
    assert!(
        stage.text().contains("n 43"),
        "the last minutes are the file's: {}",
        stage.text()
    );
    let mut link = Link::default();
    link.log_groups = vec!["/aws/lambda/x".to_owned()];
    let asked = stage.event(Event::Connected(link));
    let is_tail = |effect: &Effect| matches!(effect, Effect::Logs(LogsEffect::Tail(..)));
    assert!(!asked.iter().any(is_tail), "{asked:?}");
    assert!(stage.text().contains("173 lines"));
    let asked = stage.press("shift-o enter");
    assert!(asked.iter().any(is_tail), "back to the tail: {asked:?}");
}

#[test]
fn a_recording_plays_as_a_tail_would_come() {
    let mut stage = Stage::new((120, 40), ThemeName::Dark);
    stage.press("2 shift-o");
    stage.paste("sessions/session.jsonl 10x");
    let asked = stage.press("enter");
    let path = std::path::PathBuf::from("sessions/session.jsonl");
    assert!(
        asked.contains(&Effect::Logs(LogsEffect::Replay(1, path, 10.0))),
        "{asked:?}"
    );
    stage.event(LogsEvent::Tail(1, batch(Phase::Live, session())));
    assert!(
        stage.text().contains("REPLAY 10x session.jsonl "),
        "{}",
        stage.text()
    );
    stage.press("k k");
    let paused = "REPLAY 10x session.jsonl · PAUSED ▼ 0 new";
    assert!(stage.text().contains(paused), "{}", stage.text());
    stage.press("shift-g");
    stage.event(LogsEvent::TailEnded(1, None));
    assert!(
        stage.text().contains("REPLAY 10x session.jsonl · ended"),
        "{}",
        stage.text()
    );
    let asked = stage.press("shift-f");
    assert!(asked.is_empty() && stage.text().contains("a file is filtered here"));
}

#[tokio::test(start_paused = true)]
async fn a_recording_is_played_at_its_pace() {
    let dir = tempfile::tempdir().unwrap();
    let path = recording(dir.path());
    let (sender, mut inbox) = tokio::sync::mpsc::channel(64);
    let began = tokio::time::Instant::now();
    tokio::spawn(vintner::effects::logs::open::replay(
        7,
        path,
        10.0,
        Outbox::new(sender),
    ));
    let mut played = 0;
    loop {
        match inbox.recv().await {
            Some(Event::Logs(LogsEvent::Tail(7, TailUpdate::Events(batch)))) => {
                played += batch.events.len();
            }
            Some(Event::Logs(LogsEvent::TailEnded(7, ended))) => break assert_eq!(ended, None),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(played, 173);
    let took = began.elapsed().as_millis();
    assert!((5_490..5_510).contains(&took), "55 s at 10x took {took} ms");
}

#[test]
fn a_time_in_an_old_file_counts_back_from_its_newest_line() {
    let dir = tempfile::tempdir().unwrap();
    let path = recording(dir.path());
    let mut stage = stage();
    let asked = press(&mut stage, "shift-o");
    assert!(asked.is_empty());
    stage.paste(&path.display().to_string());
    let asked = stage.press("enter");
    read_file(&mut stage, &asked);
    stage.wait(std::time::Duration::from_hours(72));
    press(&mut stage, "@ 1 1 : 5 9 : 3 0 enter");
    let text = stage.text();
    assert!(text.contains("11:59:30.000"), "{text}");
    assert!(!text.contains("nothing is that"), "{text}");
    press(&mut stage, "@ - 1 h enter");
    let text = stage.text();
    assert!(text.contains("nothing is that old"), "{text}");
}
