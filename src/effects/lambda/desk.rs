//! Where the Lambda tab's figures are worked out: one desk, apart from the screen's thread, that keeps the books.

use std::sync::mpsc::{Receiver, RecvTimeoutError, SendError, Sender, channel};
use std::time::{Duration, Instant};

use super::Event;
use crate::domain::reckoning::{Books, Work};
use crate::effects::{Outbox, Runner};

/// The desk rests so many times as long as it worked: a busy log leaves the machine to others.
const REST: u32 = 4;

/// Lays work on the desk; it is set up when there is none, or when it broke.
pub(super) fn lay(work: Work, runner: &mut Runner) {
    let work = match &runner.lambda.desk {
        Some(desk) => match desk.send(work) {
            Ok(()) => return,
            Err(SendError(work)) => work,
        },
        None => work,
    };
    let (desk, heap) = channel();
    // Its other end is here.
    let _ = desk.send(work);
    runner.lambda.desk = Some(desk);
    runner.spawn_thread("the Lambda figures", move |outbox| keep(&heap, &outbox));
}

/// The way to the desk.
pub(super) type Desk = Sender<Work>;

/// Works until nobody is left to bring work.
fn keep(heap: &Receiver<Work>, outbox: &Outbox) {
    let mut books = Books::default();
    let mut rest = Duration::ZERO;
    while let Some(lying) = gather(heap, rest) {
        let began = Instant::now();
        if let Some(figures) = books.work(lying) {
            outbox.send_blocking(Event::Reckoned(figures.into()));
        }
        rest = began.elapsed() * REST;
    }
}

/// What comes during the rest, or the first thing after it; `None`: nothing will come any more.
fn gather(heap: &Receiver<Work>, rest: Duration) -> Option<Vec<Work>> {
    let end = Instant::now() + rest;
    let mut lying = Vec::new();
    loop {
        match heap.recv_timeout(end.saturating_duration_since(Instant::now())) {
            Ok(work) => lying.push(work),
            Err(RecvTimeoutError::Timeout) => break,
            Err(RecvTimeoutError::Disconnected) => return None,
        }
    }
    if lying.is_empty() {
        lying.push(heap.recv().ok()?);
        lying.extend(heap.try_iter());
    }
    Some(lying)
}
