//! Local logs for the Logs tab: a file read whole, a recording played at its own pace.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::Event;
use crate::client::tail::{Batch, Phase, TailUpdate};
use crate::domain::line::LogEvent;
use crate::effects::Outbox;
use crate::store::recording::Replay;
use crate::store::{Store, open};

/// Events that are due together are told together, at most so many.
const MOST_AT_ONCE: usize = 512;

/// A file that was read: its lines wait to be taken over, once.
#[derive(Debug)]
pub struct Read {
    store: Mutex<Option<Store>>,
    /// Lines of a recording that are no events.
    pub skipped: usize,
}

impl Read {
    /// The lines; `None` when they were taken already.
    pub fn take(&self) -> Option<Store> {
        let mut store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
        store.take()
    }
}

/// Reads and indexes a file; what has to be spooled goes to `spool_dir`.
pub fn read(number: u64, path: &Path, spool_dir: &Path, outbox: &Outbox) {
    let result = open::open(path, spool_dir)
        .map(|opened| Read {
            skipped: opened.skipped(),
            store: Mutex::new(Some(opened.store)),
        })
        .map_err(|error| error.to_string());
    outbox.send_blocking(Event::Opened(number, result));
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
