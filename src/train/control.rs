//! The word between a fit's listener and its workers: go on, wait, or end.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

const RUN: u8 = 0;
const WAIT: u8 = 1;
const END: u8 = 2;

/// How often the listener is asked when no tree arrives.
const ASK: Duration = Duration::from_millis(20);

/// Read by workers at every node.
#[derive(Debug, Default)]
pub(super) struct Control {
    state: AtomicU8,
    lock: Mutex<()>,
    changed: Condvar,
}

impl Control {
    /// Waits while paused; false when the work should end.
    pub(super) fn go_on(&self) -> bool {
        match self.state.load(Ordering::Relaxed) {
            RUN => true,
            END => false,
            _ => self.wait(),
        }
    }

    fn wait(&self) -> bool {
        let guard = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        let paused = |(): &mut ()| self.state.load(Ordering::Relaxed) == WAIT;
        drop(
            self.changed
                .wait_while(guard, paused)
                .unwrap_or_else(PoisonError::into_inner),
        );
        self.state.load(Ordering::Relaxed) == RUN
    }

    fn set(&self, state: u8) {
        let _guard = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        self.state.store(state, Ordering::Relaxed);
        self.changed.notify_all();
    }

    pub(super) fn pause(&self) {
        self.set(WAIT);
    }

    pub(super) fn resume(&self) {
        self.set(RUN);
    }

    pub(super) fn end(&self) {
        self.set(END);
    }
}

/// What the crew's listener wants next.
pub(super) enum Next {
    /// More.
    Go,
    /// Enough: let the workers end.
    Enough,
}

/// Runs jobs `0..jobs` on `threads` workers, each sending any number of messages; `listen` hears them on this thread,
/// and `None` at least every 20 ms. A panic in a job ends the crew and is returned as its message.
pub(super) fn crew<M: Send>(
    jobs: usize,
    threads: usize,
    control: &Control,
    job: impl Fn(usize, &Sender<M>) + Sync,
    mut listen: impl FnMut(Option<M>) -> Next,
) -> Result<(), String> {
    let next_job = AtomicUsize::new(0);
    let (sender, messages) = mpsc::channel();
    let panic = Mutex::new(None);
    std::thread::scope(|scope| {
        for _ in 0..threads.clamp(1, jobs.max(1)) {
            let sender = sender.clone();
            let (job, next_job, panic) = (&job, &next_job, &panic);
            scope.spawn(move || {
                while control.go_on() {
                    let index = next_job.fetch_add(1, Ordering::Relaxed);
                    if index >= jobs {
                        break;
                    }
                    if let Err(cause) = catch_unwind(AssertUnwindSafe(|| job(index, &sender))) {
                        *panic.lock().unwrap_or_else(PoisonError::into_inner) = Some(text(&*cause));
                        control.end();
                    }
                }
            });
        }
        drop(sender);
        loop {
            let message = match messages.recv_timeout(ASK) {
                Ok(message) => Some(message),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => break,
            };
            if let Next::Enough = listen(message) {
                control.end();
                break;
            }
        }
    });
    panic
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner)
        .map_or(Ok(()), Err)
}

fn text(cause: &(dyn std::any::Any + Send)) -> String {
    let text = cause.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| cause.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "unknown cause".to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_panicking_job_becomes_an_error() {
        let control = Control::default();
        let job = |index, _: &Sender<()>| assert!(index != 3, "tree three broke");
        assert_eq!(
            crew(8, 2, &control, job, |_| Next::Go),
            Err("tree three broke".to_owned())
        );
    }

    #[test]
    fn every_job_is_heard_once() {
        let control = Control::default();
        let mut heard = Vec::new();
        let listen = |message| {
            heard.extend(message);
            Next::Go
        };
        crew(
            100,
            3,
            &control,
            |index, sender: &Sender<usize>| sender.send(index).unwrap(),
            listen,
        )
        .unwrap();
        heard.sort_unstable();
        assert_eq!(heard, (0..100).collect::<Vec<_>>());
    }

    #[test]
    fn a_pause_holds_the_workers_until_told() {
        let control = Control::default();
        control.pause();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| control.go_on());
            control.resume();
            assert!(waiting.join().unwrap());
            control.pause();
            let waiting = scope.spawn(|| control.go_on());
            control.end();
            assert!(!waiting.join().unwrap());
        });
    }
}
