//! Where the Lambda tab's figures are worked out: one desk, apart from the screen's thread, that keeps the books.

use std::time::Instant;

use tokio::sync::mpsc::error::SendError;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

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
    let (desk, heap) = unbounded_channel();
    // Its other end is here.
    let _ = desk.send(work);
    runner.lambda.desk = Some(desk);
    runner.spawn("the Lambda figures", |outbox| keep(heap, outbox));
}

/// The way to the desk.
pub(super) type Desk = UnboundedSender<Work>;

async fn keep(mut heap: UnboundedReceiver<Work>, outbox: Outbox) {
    let mut books = Books::default();
    let mut lying = Vec::new();
    while heap.recv_many(&mut lying, usize::MAX).await > 0 {
        let began = Instant::now();
        let taken = std::mem::take(&mut lying);
        let work = move || {
            let figures = books.work(taken);
            (books, figures)
        };
        let figures = match tokio::task::spawn_blocking(work).await {
            Ok((kept, figures)) => {
                books = kept;
                figures
            }
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => return,
            },
        };
        if let Some(figures) = figures {
            outbox.send(Event::Reckoned(figures.into())).await;
        }
        tokio::time::sleep(began.elapsed() * REST).await;
    }
}
