//! Live Tail as accelerator: keeps a session open and hands its frames to the tails, which remain the truth.
//!
//! Live Tail samples above 500 events a second, fills nothing in, drops under pressure and ends after three hours; every such
//! hole is announced as a gap, and the pollers read it.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};

use crate::client::errors::AwsError;
use crate::client::logs::{LiveFrame, LiveTail, LogsClient, group_name};
use crate::client::tail::{Connect, Wishes};
use crate::domain::line::LogEvent;

/// AWS's limit.
const MOST_GROUPS: usize = 10;
/// Waits between attempts to open a session, seconds: five sessions may be opened a second, in the whole account.
const REOPEN_WAITS: [u64; 5] = [1, 2, 5, 15, 30];

/// What a session tells one group's tail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LiveSignal {
    /// About once a second, often without events.
    Frame {
        /// Events without ids.
        events: Vec<LogEvent>,
        /// They are only a sample.
        sampled: bool,
    },
    /// Something may have been skipped; the poller should look now.
    Gap,
    /// No session: why. It is tried again.
    Refused(String),
}

type Listener = (Arc<str>, mpsc::Sender<LiveSignal>);

/// Keeps a session open for the first ten `listeners` while it is wished for, for ever. Dropping the future ends the session.
pub async fn accelerate(
    client: LogsClient,
    connect: Connect,
    pattern: Option<Arc<str>>,
    listeners: Vec<Listener>,
    mut wishes: watch::Receiver<Wishes>,
) -> Infallible {
    loop {
        wish(&mut wishes, true).await;
        tokio::select! {
            never = keep_open(client.clone(), &connect, pattern.as_deref(), &listeners) => match never {},
            () = wish(&mut wishes, false) => {}
        }
    }
}

/// Waits until Live Tail is wished for, or no more.
async fn wish(wishes: &mut watch::Receiver<Wishes>, live_tail: bool) {
    let wished = wishes.wait_for(|wishes| wishes.live_tail == live_tail);
    if wished.await.is_err() {
        // Nobody can change the wish any more.
        std::future::pending::<()>().await;
    }
}

async fn keep_open(
    mut client: LogsClient,
    connect: &Connect,
    pattern: Option<&str>,
    listeners: &[Listener],
) -> Infallible {
    let (first, rest) = listeners.split_at(listeners.len().min(MOST_GROUPS));
    tell(rest, || {
        LiveSignal::Refused(format!("it takes {MOST_GROUPS} groups"))
    })
    .await;
    let mut failures = 0;
    loop {
        match open(&client, pattern, first).await {
            Ok(session) => {
                failures = 0;
                listen(session, first).await;
                tell(first, || LiveSignal::Gap).await;
            }
            Err(error) => {
                tracing::warn!(%error, "Live Tail did not open; the tail goes on by polling");
                let why = match &error {
                    AwsError::AccessDenied { action, .. } => format!("needs {action}"),
                    error => error.to_string(),
                };
                tell(first, || LiveSignal::Refused(why.clone())).await;
                if error.is_about_credentials() {
                    client = connect().await.unwrap_or(client);
                }
            }
        }
        let wait = REOPEN_WAITS[failures.min(REOPEN_WAITS.len() - 1)];
        failures += 1;
        tokio::time::sleep(Duration::from_secs(wait)).await;
    }
}

async fn tell(listeners: &[Listener], signal: impl Fn() -> LiveSignal) {
    for (_, listener) in listeners {
        let _ = listener.send(signal()).await;
    }
}

async fn open(
    client: &LogsClient,
    pattern: Option<&str>,
    listeners: &[Listener],
) -> Result<LiveTail, AwsError> {
    let mut arns = Vec::new();
    for (group, _) in listeners {
        arns.push(client.group_arn(group).await?);
    }
    client.live_tail(&arns, pattern).await
}

/// Reads a session to its end.
async fn listen(mut session: LiveTail, listeners: &[Listener]) {
    loop {
        match session.next().await {
            LiveFrame::Started => {}
            LiveFrame::Ended(reason) => {
                tracing::info!(reason, "Live Tail session ended");
                return;
            }
            LiveFrame::Update { events, sampled } => deal(events, sampled, listeners).await,
        }
    }
}

/// Gives each group its events; the frame itself is a sign of life for all.
async fn deal(events: Vec<LogEvent>, sampled: bool, listeners: &[Listener]) {
    let mut hands: Vec<Vec<LogEvent>> = vec![Vec::new(); listeners.len()];
    for event in events {
        let owner = listeners
            .iter()
            .position(|(group, _)| *group_name(group) == *event.group);
        // With a single group there is nobody else, whatever the server calls it.
        let owner = owner.or((listeners.len() == 1).then_some(0));
        if let Some(owner) = owner {
            hands[owner].push(event);
        }
    }
    for ((_, listener), events) in listeners.iter().zip(hands) {
        let _ = listener.send(LiveSignal::Frame { events, sampled }).await;
    }
}
