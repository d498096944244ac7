//! Local logs for the Logs tab: a file read whole and then followed, a recording played at its own pace.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use super::Event;
use crate::client::tail::{Batch, Phase, TailUpdate};
use crate::domain::line::LogEvent;
use crate::effects::Outbox;
use crate::store::Store;
use crate::store::open::{self, Found, Growing, Indexer, OpenError, Opened, Piece, Unfinished};
use crate::store::recording::Replay;

/// Events that are due together are told together, at most so many.
const MOST_AT_ONCE: usize = 512;

/// How often a followed file is looked at: a call or two of `stat`, and reading only when there is more.
const LOOK: Duration = Duration::from_millis(500);

/// Pieces of a file, a MiB each, that may wait for the app: a file that grows fast must not fill the memory.
const WAITING: usize = 4;

/// A file that was read: its lines wait to be taken over, once.
#[derive(Debug)]
pub struct Read {
    lines: Mutex<Option<(Store, Indexer)>>,
    /// Lines of a recording that are no events.
    pub skipped: usize,
    /// Why the rest could not be read.
    pub damage: Option<String>,
    /// More may come.
    pub is_followed: bool,
    /// It had been read before, and was cut or written anew.
    pub is_anew: bool,
}

impl Read {
    /// The lines, and what makes lines of the text that comes; `None` when they were taken already.
    pub fn take(&self) -> Option<(Store, Indexer)> {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.take()
    }
}

/// What became of a followed file.
#[derive(Debug)]
pub enum Growth {
    /// More text, and the room that it takes until the app has made lines of it.
    Text(Piece, OwnedSemaphorePermit),
    /// Another file took its name; what comes from now on is from that.
    Rotated,
    /// It cannot be read any more: a sentence.
    Failed(String),
}

/// Reads and indexes a file, then tells what is added to it; what has to be spooled goes to `spool_dir`.
pub async fn read(number: u64, path: PathBuf, spool_dir: PathBuf, outbox: Outbox) {
    let mut is_anew = false;
    loop {
        let opened = {
            let (path, spool_dir) = (path.clone(), spool_dir.clone());
            off_the_loop(move || open::open(&path, &spool_dir)).await
        };
        let (read, growing) = match opened {
            Ok(opened) => split(opened, is_anew),
            Err(error) => {
                outbox.send(Event::Opened(number, Err(error))).await;
                return;
            }
        };
        outbox.send(Event::Opened(number, Ok(read))).await;
        let Some(growing) = growing else { return };
        if let Err(error) = follow(number, growing, &outbox).await {
            let failed = Growth::Failed(error);
            outbox.send(Event::Grown(number, failed)).await;
            return;
        }
        is_anew = true;
    }
}

fn split(opened: Opened, is_anew: bool) -> (Read, Option<Growing>) {
    let read = Read {
        skipped: opened.skipped(),
        damage: opened.damage,
        is_followed: opened.growing.is_some(),
        is_anew,
        lines: Mutex::new(Some((opened.store, opened.indexer))),
    };
    (read, opened.growing)
}

/// Tells what is added, until the file is cut: then it has to be read anew.
async fn follow(number: u64, mut growing: Growing, outbox: &Outbox) -> Result<(), String> {
    let room = Arc::new(Semaphore::new(WAITING));
    loop {
        tokio::time::sleep(LOOK).await;
        loop {
            let Ok(taken) = Arc::clone(&room).acquire_owned().await else {
                return Ok(());
            };
            let looked = off_the_loop(move || {
                let found = growing.look(Unfinished::WhenQuiet)?;
                Ok((growing, found))
            });
            let found;
            (growing, found) = looked.await?;
            let growth = match found {
                Found::Nothing => break,
                Found::Cut => return Ok(()),
                Found::Rotated => Growth::Rotated,
                Found::Text(piece) => Growth::Text(piece, taken),
            };
            outbox.send(Event::Grown(number, growth)).await;
        }
    }
}

/// Files are read on a thread that may wait.
async fn off_the_loop<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, OpenError> + Send + 'static,
) -> Result<T, String> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| error.to_string())?
        .map_err(|error| error.to_string())
}

/// Plays a recording at `speed` times its own pace, as if it were a tail.
pub async fn replay(number: u64, path: PathBuf, speed: f64, outbox: Outbox) {
    let ended = play(number, &path, speed, &outbox).await.err();
    outbox.send(Event::TailEnded(number, ended)).await;
}

async fn play(number: u64, path: &Path, speed: f64, outbox: &Outbox) -> Result<(), String> {
    let started = Instant::now();
    let mut due = Vec::new();
    for played in Replay::open(path, speed).map_err(|error| error.to_string())? {
        let (pause, event) = played.map_err(|error| error.to_string())?;
        let wait = pause.saturating_sub(started.elapsed());
        if !due.is_empty() && (wait > Duration::ZERO || due.len() >= MOST_AT_ONCE) {
            tell(number, std::mem::take(&mut due), outbox).await;
        }
        tokio::time::sleep(wait).await;
        due.push(event);
    }
    tell(number, due, outbox).await;
    Ok(())
}

async fn tell(number: u64, events: Vec<LogEvent>, outbox: &Outbox) {
    let Some(first) = events.first() else {
        return;
    };
    let batch = Batch {
        group: Arc::clone(&first.group),
        phase: Phase::Live,
        events,
    };
    let update = TailUpdate::Events(batch);
    outbox.send(Event::Tail(number, update)).await;
}
