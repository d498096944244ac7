//! The tail: follows log groups without losing or doubling a line, and tells the truth about how far it is.
//!
//! Other tools keep the newest *event time* as their cursor, so that whatever CloudWatch delivers late is never asked for.
//! Here the cursor moves by *searched time*, every poll looks back over the observed delivery lag, and sweeps look back two
//! and fifteen minutes; [`seen`] keeps what was shown, so that reading twice never shows twice.
//!
//! [`GroupTail`] decides, without network or clock; [`run`] does what it says, one task per group.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::client::errors::AwsError;
use crate::client::livetail::{self, LiveSignal};
use crate::client::logs::{LogsClient, Page, PageRequest};
use crate::domain::line::LogEvent;

mod group;
mod history;
mod pace;
mod pass;
mod seen;
mod status;
mod sweep;
mod trouble;

pub use group::{GroupTail, Step};
pub use status::{Progress, Status};

use pace::Bucket;

/// Longest sleep: the wall clock may be set while we sleep.
const LONGEST_SLEEP_MS: i64 = 30_000;
/// Live Tail frames waiting for a group.
const LIVE_BACKLOG: usize = 64;

/// Makes a client. Called again when credentials fail, so that configuration files, SSO cache and environment are re-read.
pub type Connect = Arc<dyn Fn() -> BoxFuture<'static, anyhow::Result<LogsClient>> + Send + Sync>;

/// What to tail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TailRequest {
    /// Group names, or ARNs of another account's.
    pub groups: Vec<Arc<str>>,
    /// CloudWatch filter pattern.
    pub pattern: Option<Arc<str>>,
    /// The time wanted.
    pub span: Span,
    /// What trouble ends the tail.
    pub patience: Patience,
    /// Live Tail as accelerator. It is billed by the minute.
    pub live_tail: bool,
}

/// The time wanted, milliseconds since the epoch, and how it is walked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// First instant.
    pub since: i64,
    /// Last instant; `None` is now.
    pub until: Option<i64>,
    /// Goes on after the history; `until` must be `None`.
    pub follow: bool,
    /// The newest page first, history filling upwards (screens); otherwise in order (text).
    pub newest_first: bool,
}

impl Span {
    fn contains(&self, instant: i64) -> bool {
        instant >= self.since && self.until.is_none_or(|until| instant <= until)
    }
}

/// What trouble ends a tail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// Only what repeating cannot help, such as a pattern the service rejects (screens).
    Endless,
    /// Also missing credentials or permissions, an endpoint that never answers, and a minute without an answer; once
    /// following, endless too (scripts).
    Bounded,
}

/// Something from the tail.
#[derive(Debug, Clone, PartialEq)]
pub enum TailUpdate {
    /// New events.
    Events(Batch),
    /// A change of state, or a poll done.
    Status(Status),
}

/// New events of one group, sorted by (timestamp, ingestion time, event id), none of them shown before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// The group's name or ARN, as it was asked for.
    pub group: Arc<str>,
    /// Where they belong.
    pub phase: Phase,
    /// The events, at least one.
    pub events: Vec<LogEvent>,
}

/// Whether a batch continues the tail or fills the past.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// From before the tail began.
    History,
    /// Followed: what is older than shown lines is late.
    Live,
}

/// Tails until everything wanted is read, `cancel` fires, the receiver is dropped, or trouble ends it (the error).
/// `seed` makes jitter repeatable.
pub async fn run(
    connect: Connect,
    request: TailRequest,
    updates: mpsc::Sender<TailUpdate>,
    cancel: CancellationToken,
    seed: u64,
) -> Result<(), AwsError> {
    let client = tokio::select! {
        () = cancel.cancelled() => return Ok(()),
        client = connect() => client.map_err(|error| AwsError::Configuration {
            profile: None,
            detail: format!("{error:#}"),
        })?,
    };
    let tails = Arc::new(Tails {
        connect,
        updates,
        bucket: Mutex::new(Bucket::new(client.now())),
        statuses: Mutex::new((
            vec![Status::Connecting; request.groups.len()],
            Status::Connecting,
        )),
        cancel: cancel.child_token(),
    });
    let _stop_with_us = tails.cancel.clone().drop_guard();
    let mut frames: Vec<Option<mpsc::Receiver<LiveSignal>>> = Vec::new();
    let mut senders = Vec::new();
    for group in &request.groups {
        let (sender, receiver) = mpsc::channel(LIVE_BACKLOG);
        senders.push((Arc::clone(group), sender));
        frames.push(request.live_tail.then_some(receiver));
    }
    let live = livetail::accelerate(
        client.clone(),
        Arc::clone(&tails.connect),
        request.pattern.clone(),
        senders,
    );
    let groups = request.groups.iter().zip(frames).enumerate();
    let tasks = groups.map(|(index, (group, frames))| {
        let mut machine = GroupTail::new(
            Arc::clone(group),
            request.pattern.clone(),
            request.span,
            request.patience,
            client.now(),
            seed.wrapping_add(index as u64),
        );
        if request.live_tail {
            machine.expect_live_tail();
        }
        follow(Arc::clone(&tails), index, machine, client.clone(), frames)
    });
    let all = futures::future::try_join_all(tasks);
    if request.live_tail {
        tokio::select! {
            result = all => result.map(|_| ()),
            never = live => match never {},
        }
    } else {
        all.await.map(|_| ())
    }
}

/// What the groups share.
struct Tails {
    connect: Connect,
    updates: mpsc::Sender<TailUpdate>,
    bucket: Mutex<Bucket>,
    /// One per group, and the summary last sent.
    statuses: Mutex<(Vec<Status>, Status)>,
    cancel: CancellationToken,
}

/// What ended a wait.
enum Event {
    Page(Result<Page, AwsError>),
    Live(LiveSignal),
    LiveGone,
    Woken,
    Cancelled,
}

/// Does what the machine of one group says.
async fn follow(
    tails: Arc<Tails>,
    index: usize,
    mut machine: GroupTail,
    mut client: LogsClient,
    mut frames: Option<mpsc::Receiver<LiveSignal>>,
) -> Result<(), AwsError> {
    loop {
        let step = match machine.next(client.now()) {
            Step::GiveUp(error) => return Err(error),
            step => step,
        };
        tails.publish(index, machine.status()).await;
        let mut work: BoxFuture<'_, Event> = match step {
            Step::Done | Step::GiveUp(_) => return Ok(()),
            Step::Wait(until) => Box::pin(sleep((until - client.now()).min(LONGEST_SLEEP_MS))),
            Step::Ask(request) => Box::pin(tails.fetch(client.clone(), request)),
        };
        // A page may take seconds; Live Tail lines do not wait for it.
        let event = loop {
            let event = tokio::select! {
                biased;
                () = tails.cancel.cancelled() => Event::Cancelled,
                event = &mut work => event,
                signal = next_signal(&mut frames) => signal.map_or(Event::LiveGone, Event::Live),
            };
            match event {
                Event::Live(LiveSignal::Frame { events, sampled }) => {
                    let batch = machine.live(client.now(), events, sampled);
                    tails.show(batch).await;
                }
                Event::Live(LiveSignal::Gap) => machine.live_gap(client.now()),
                Event::LiveGone => frames = None,
                event => break event,
            }
        };
        drop(work);
        match event {
            Event::Cancelled => return Ok(()),
            Event::Page(Ok(page)) => {
                let batch = machine.page(client.now(), page);
                tails.show(batch).await;
            }
            Event::Page(Err(error)) => {
                machine.failed(client.now(), &error);
                if matches!(error, AwsError::Throttled { .. }) {
                    lock(&tails.bucket).throttled();
                }
                if error.is_about_credentials() {
                    // While the files are being rewritten they may not parse: keep the old ones.
                    client = (tails.connect)().await.unwrap_or(client);
                }
            }
            Event::Woken | Event::Live(_) | Event::LiveGone => {}
        }
    }
}

impl Tails {
    /// One page, when the shared budget allows it.
    async fn fetch(&self, client: LogsClient, request: PageRequest) -> Event {
        loop {
            let wait = lock(&self.bucket).take(client.now());
            if wait == 0 {
                break;
            }
            sleep(wait).await;
        }
        Event::Page(client.page(&request).await)
    }

    async fn show(&self, batch: Option<Batch>) {
        if let Some(batch) = batch {
            self.send(TailUpdate::Events(batch)).await;
        }
    }

    async fn publish(&self, index: usize, status: Status) {
        let summary = {
            let mut statuses = lock(&self.statuses);
            let (each, sent) = &mut *statuses;
            each[index] = status;
            let summary = Status::of_all(each);
            if summary == *sent {
                return;
            }
            sent.clone_from(&summary);
            summary
        };
        self.send(TailUpdate::Status(summary)).await;
    }

    /// A full channel holds the tail back; nobody listening any more ends it.
    async fn send(&self, update: TailUpdate) {
        tokio::select! {
            () = self.cancel.cancelled() => {}
            sent = self.updates.send(update) => if sent.is_err() {
                self.cancel.cancel();
            },
        }
    }
}

async fn next_signal(frames: &mut Option<mpsc::Receiver<LiveSignal>>) -> Option<LiveSignal> {
    match frames {
        Some(frames) => frames.recv().await,
        None => std::future::pending().await,
    }
}

async fn sleep(milliseconds: i64) -> Event {
    tokio::time::sleep(Duration::from_millis(milliseconds.max(1) as u64)).await;
    Event::Woken
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
