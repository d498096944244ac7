//! A file in the Logs tab is followed as it grows: the real reader on a real file, its events on a stage.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::sync::mpsc;
use vintner::config::{Flags, LogFile};
use vintner::effects::logs::{Effect as LogsEffect, open};
use vintner::effects::{Effect, Event, Outbox};

use crate::support::stage::Stage;

/// A stage on which a file is read, and the reader's events.
struct Followed {
    stage: Stage,
    inbox: mpsc::Receiver<Event>,
    path: PathBuf,
    dir: tempfile::TempDir,
}

impl Followed {
    async fn open(text: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.log");
        std::fs::write(&path, text).unwrap();
        let log_file = Some(LogFile {
            path: path.clone(),
            speed: None,
        });
        let flags = Flags {
            log_file,
            ..Flags::default()
        };
        let mut stage = Stage::with((120, 40), flags);
        let asked = stage.start();
        let number = asked.iter().find_map(|effect| match effect {
            Effect::Logs(LogsEffect::Open(number, _)) => Some(*number),
            _ => None,
        });
        let (sender, inbox) = mpsc::channel(256);
        let spool = dir.path().to_owned();
        tokio::spawn(open::read(
            number.unwrap(),
            path.clone(),
            spool,
            Outbox::new(sender),
        ));
        let mut followed = Self {
            stage,
            inbox,
            path,
            dir,
        };
        followed.see("FILE x.log · followed").await;
        followed
    }

    /// Tells the stage what the reader finds until the screen says so. The clock is paused: only reading takes time.
    async fn see(&mut self, text: &str) {
        while !self.stage.text().contains(text) {
            let next = tokio::time::timeout(Duration::from_mins(1), self.inbox.recv()).await;
            let Ok(Some(event)) = next else {
                panic!("never saw {text:?}:\n{}", self.stage.text());
            };
            self.stage.event(event);
        }
    }

    fn append(&self, text: &str) {
        append(&self.path, text);
    }

    /// How often the screen says so.
    fn times(&self, text: &str) -> usize {
        self.stage.text().matches(text).count()
    }
}

fn append(path: &Path, text: &str) {
    let mut file = OpenOptions::new().append(true).open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

#[tokio::test(start_paused = true)]
async fn lines_are_added_and_an_unfinished_one_is_completed() {
    let mut followed = Followed::open("alpha\nbeta\n").await;
    assert_eq!(followed.times(" 2 lines"), 1);
    followed.append("gamma\ndel");
    followed.see(" del").await;
    assert_eq!(followed.times(" 4 lines"), 1, "{}", followed.stage.text());
    followed.append("ta\nepsilon\n");
    followed.see("epsilon").await;
    for line in ["alpha", "beta", "gamma", "delta", "epsilon", " 5 lines"] {
        assert_eq!(followed.times(line), 1, "{line}: {}", followed.stage.text());
    }
}

#[tokio::test(start_paused = true)]
async fn it_stays_where_it_was_scrolled_to_and_counts_what_came() {
    let text: String = (0..100)
        .map(|n| format!("line {n} of the file\n"))
        .collect();
    let mut followed = Followed::open(&text).await;
    assert_eq!(followed.times("line 99 of"), 1);
    followed.stage.press("pageup pageup");
    followed.append("a new one\nand another\n");
    followed.see("FILE x.log · followed · PAUSED ▼ 2 new").await;
    assert_eq!(followed.times("a new one"), 0);
    followed.stage.press("shift-g");
    assert_eq!(followed.times("and another"), 1);
}

#[tokio::test(start_paused = true)]
async fn what_grows_faster_than_it_is_shown_waits_in_the_file() {
    let mut followed = Followed::open("alpha\n").await;
    let line = format!("{}\n", "x".repeat(99));
    followed.append(&line.repeat(100_000));
    tokio::time::sleep(Duration::from_mins(1)).await;
    let waiting = followed.inbox.len();
    assert!(
        (1..=4).contains(&waiting),
        "{waiting} pieces wait in memory"
    );
    followed.see("100 001 lines").await;
}

#[tokio::test(start_paused = true)]
async fn a_rotation_loses_and_doubles_nothing() {
    let mut followed = Followed::open("alpha\n").await;
    let aside = followed.dir.path().join("x.log.1");
    std::fs::rename(&followed.path, &aside).unwrap();
    append(&aside, "beta, after the rename\nunfinished");
    std::fs::write(&followed.path, "gamma\n").unwrap();
    followed.see("gamma").await;
    for line in ["alpha", "beta, after", "unfinished", "gamma", " 4 lines"] {
        assert_eq!(followed.times(line), 1, "{line}: {}", followed.stage.text());
    }
    followed
        .see("FILE x.log · followed · rotated 12:00:00")
        .await;
    assert_eq!(followed.times("reading on in the new one"), 1);
    followed.append("delta\n");
    followed.see("delta").await;
    assert_eq!(followed.times(" 5 lines"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_truncation_is_said_and_the_file_read_anew() {
    let mut followed = Followed::open("alpha\nbeta\n").await;
    std::fs::write(&followed.path, "gamma\n").unwrap();
    followed.see("written anew 12:00:00").await;
    assert_eq!((followed.times("gamma"), followed.times("alpha")), (1, 0));
    assert_eq!(followed.times("read again from its start"), 1);
    followed.append("delta\n");
    followed.see("delta").await;
    assert_eq!(followed.times(" 2 lines"), 1);
}
