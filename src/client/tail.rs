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
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::client::errors::AwsError;
use crate::client::livetail::{self, LiveSignal};
use crate::client::logs::{LogsClient, Page, PageRequest};
use crate::domain::lateness::Shown;
use crate::domain::line::LogEvent;

mod group;
mod groups;
mod history;
mod pace;
mod pass;
mod seen;
mod status;
mod sweep;
mod trouble;

pub use group::{GroupTail, Step};
pub use status::{LiveTail, Progress, Status};

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
    /// Group names, or ARNs of another account's; names with `*` or `?` stand for all groups that match when the tail begins.
    pub groups: Vec<Arc<str>>,
    /// CloudWatch filter pattern.
    pub pattern: Option<Arc<str>>,
    /// The time wanted.
    pub span: Span,
    /// What trouble ends the tail.
    pub patience: Patience,
}

/// What is wanted of a running tail; a change is followed at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Wishes {
    /// Live Tail as accelerator, for the first ten groups. It is billed by the minute.
    pub live_tail: bool,
    /// Grows when somebody wants to know now.
    pub looks: u32,
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
    wishes: watch::Receiver<Wishes>,
    updates: mpsc::Sender<TailUpdate>,
    cancel: CancellationToken,
    seed: u64,
) -> Result<(), AwsError> {
    let mut client = tokio::select! {
        () = cancel.cancelled() => return Ok(()),
        client = connect() => client.map_err(|error| AwsError::Configuration {
            profile: None,
            detail: format!("{error:#}"),
        })?,
    };
    let names = tokio::select! {
        () = cancel.cancelled() => return Ok(()),
        names = groups::resolve(&request, &mut client, &connect, &updates, seed) => names?,
    };
    let statuses = names
        .iter()
        .map(|name| (Arc::clone(name), Status::Connecting));
    let tails = Arc::new(Tails {
        connect,
        updates,
        bucket: Mutex::new(Bucket::new(client.now())),
        statuses: Mutex::new((statuses.collect(), Status::Connecting)),
        late: Mutex::default(),
        cancel: cancel.child_token(),
    });
    let _stop_with_us = tails.cancel.clone().drop_guard();
    let (senders, frames): (Vec<_>, Vec<_>) = names
        .iter()
        .map(|name| {
            let (sender, receiver) = mpsc::channel(LIVE_BACKLOG);
            ((Arc::clone(name), sender), receiver)
        })
        .unzip();
    let live = livetail::accelerate(
        client.clone(),
        Arc::clone(&tails.connect),
        request.pattern.clone(),
        senders,
        wishes.clone(),
    );
    let groups = names.iter().zip(frames).enumerate();
    let tasks = groups.map(|(index, (name, frames))| {
        let machine = GroupTail::new(
            Arc::clone(name),
            request.pattern.clone(),
            request.span,
            request.patience,
            client.now(),
            seed.wrapping_add(index as u64),
        );
        follow(
            Arc::clone(&tails),
            index,
            machine,
            client.clone(),
            frames,
            wishes.clone(),
        )
    });
    tokio::select! {
        result = futures::future::try_join_all(tasks) => result.map(|_| ()),
        never = live => match never {},
    }
}

/// What the groups share.
struct Tails {
    connect: Connect,
    updates: mpsc::Sender<TailUpdate>,
    bucket: Mutex<Bucket>,
    /// One per group, and the summary last sent.
    statuses: Mutex<(Vec<(Arc<str>, Status)>, Status)>,
    /// What was sent of all groups together, and how many of it came late.
    late: Mutex<(Shown, u64)>,
    cancel: CancellationToken,
}

/// What ended a wait.
enum Event {
    Page(Result<Page, AwsError>),
    Live(LiveSignal),
    Wished(Wishes),
    Woken,
    Cancelled,
}

/// Does what the machine of one group says.
async fn follow(
    tails: Arc<Tails>,
    index: usize,
    mut machine: GroupTail,
    mut client: LogsClient,
    mut frames: mpsc::Receiver<LiveSignal>,
    mut wishes: watch::Receiver<Wishes>,
) -> Result<(), AwsError> {
    let mut wished = *wishes.borrow_and_update();
    if wished.live_tail {
        machine.expect_live_tail();
    }
    loop {
        let step = match machine.next(client.now()) {
            Step::GiveUp(error) => return Err(error),
            step => step,
        };
        tails.publish(index, machine.status(), client.skew()).await;
        let is_waiting = matches!(step, Step::Wait(_));
        let mut work: BoxFuture<'_, Event> = match step {
            Step::Done | Step::GiveUp(_) => return Ok(()),
            Step::Wait(until) => Box::pin(sleep((until - client.now()).min(LONGEST_SLEEP_MS))),
            Step::Ask(request) => Box::pin(tails.fetch(client.clone(), request)),
        };
        // A page may take seconds; Live Tail lines and wishes do not wait for it.
        let event = loop {
            let event = tokio::select! {
                biased;
                () = tails.cancel.cancelled() => Event::Cancelled,
                event = &mut work => event,
                Some(signal) = frames.recv() => Event::Live(signal),
                Ok(()) = wishes.changed() => Event::Wished(*wishes.borrow_and_update()),
            };
            match event {
                Event::Live(signal) => tails.hear(&mut machine, client.now(), signal).await,
                Event::Wished(new) => {
                    machine.wish(client.now(), wished, new);
                    wished = new;
                }
                event => break event,
            }
            tails.publish(index, machine.status(), client.skew()).await;
            if is_waiting {
                // It may have become time to ask.
                break Event::Woken;
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
            Event::Woken | Event::Live(_) | Event::Wished(_) => {}
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
            self.count_late(&batch);
            self.send(TailUpdate::Events(batch)).await;
        }
    }

    fn count_late(&self, batch: &Batch) {
        let mut late = lock(&self.late);
        let (shown, count) = &mut *late;
        if batch.phase == Phase::Live {
            let is_late = |event: &&LogEvent| shown.lateness(event.timestamp).is_some();
            *count += batch.events.iter().filter(is_late).count() as u64;
        }
        shown.show(&batch.events);
    }

    /// What Live Tail tells one group.
    async fn hear(&self, machine: &mut GroupTail, now: i64, signal: LiveSignal) {
        match signal {
            LiveSignal::Frame { events, sampled } => {
                let batch = machine.live(now, events, sampled);
                self.show(batch).await;
            }
            LiveSignal::Gap => machine.live_gap(now),
            LiveSignal::Refused(why) => machine.live_refused(why),
        }
    }

    /// Tells how the tail is, by this machine's clock; `skew` is how far the server's is ahead, milliseconds.
    async fn publish(&self, index: usize, status: Status, skew: i64) {
        let summary = {
            let mut statuses = lock(&self.statuses);
            let (each, sent) = &mut *statuses;
            each[index].1 = status.shifted(-skew);
            let mut summary = Status::of_all(each);
            if let Status::Live(progress) = &mut summary {
                progress.late = lock(&self.late).1;
            }
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

async fn sleep(milliseconds: i64) -> Event {
    tokio::time::sleep(Duration::from_millis(milliseconds.max(1) as u64)).await;
    Event::Woken
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
