//! Reads the terminal's events on a thread of its own.
//!
//! crossterm's reader spins for ever once the terminal is gone, and waits for the rest of a sequence that was
//! cut short. On this thread it stops neither the loop nor the end of the program.

use std::io;
use std::sync::mpsc as threads;
use std::thread;
use std::time::Duration;

use crossterm::event::{Event as TermEvent, EventStream};
use futures::StreamExt;
use tokio::sync::{mpsc, oneshot};

/// Events read ahead of the loop.
const AHEAD: usize = 64;

/// How long a reader may take to end; one that waits for the rest of a sequence ends with its next byte.
const LET_GO: Duration = Duration::from_millis(500);

/// The terminal's events until it cannot be read.
pub(super) struct Input {
    events: mpsc::Receiver<io::Result<TermEvent>>,
    stop: oneshot::Sender<()>,
    ended: threads::Receiver<()>,
}

impl Input {
    /// Starts to read.
    pub(super) fn open() -> io::Result<Self> {
        let (sender, events) = mpsc::channel(AHEAD);
        let (stop, stopped) = oneshot::channel();
        let (ending, ended) = threads::channel();
        thread::Builder::new().name("input".into()).spawn(move || {
            futures::executor::block_on(read(sender, stopped));
            drop::<threads::Sender<()>>(ending);
        })?;
        Ok(Self {
            events,
            stop,
            ended,
        })
    }

    /// The next event; `None` when the terminal cannot be read. Cancel-safe.
    pub(super) async fn next(&mut self) -> Option<TermEvent> {
        match self.events.recv().await? {
            Ok(event) => Some(event),
            Err(error) => {
                tracing::error!("the terminal cannot be read: {error}");
                None
            }
        }
    }

    /// Ends the reading, so that the next reader of the terminal hears every key.
    pub(super) fn close(self) {
        drop((self.stop, self.events));
        let _ = self.ended.recv_timeout(LET_GO);
    }
}

/// Reads until it is stopped, nobody listens any more, or the terminal cannot be read.
async fn read(sender: mpsc::Sender<io::Result<TermEvent>>, mut stopped: oneshot::Receiver<()>) {
    let mut events = EventStream::new();
    loop {
        let event = tokio::select! {
            biased;
            _ = &mut stopped => return,
            event = events.next() => event,
        };
        match event {
            Some(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
            Some(event) => {
                let unreadable = event.is_err();
                if sender.send(event).await.is_err() || unreadable {
                    return;
                }
            }
            None => return,
        }
    }
}
