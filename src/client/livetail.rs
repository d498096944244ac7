//! Live Tail as accelerator: keeps a session open and hands its frames to the tails, which remain the truth.
//!
//! Live Tail samples above 500 events a second, fills nothing in, drops under pressure and ends after three hours; every such
//! hole is announced as a gap, and the pollers read it.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use crate::client::logs::{LiveFrame, LiveTail, LogsClient, group_name};
use crate::client::tail::Connect;
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
}

type Listener = (Arc<str>, mpsc::Sender<LiveSignal>);

/// Keeps a session open for the first ten `listeners`, for ever. Dropping the future ends the session.
pub async fn accelerate(
    mut client: LogsClient,
    connect: Connect,
    pattern: Option<Arc<str>>,
    mut listeners: Vec<Listener>,
) -> Infallible {
    listeners.truncate(MOST_GROUPS);
    let mut failures = 0;
    loop {
        match open(&client, pattern.as_deref(), &listeners).await {
            Ok(session) => {
                failures = 0;
                listen(session, &listeners).await;
                for (_, listener) in &listeners {
                    let _ = listener.send(LiveSignal::Gap).await;
                }
            }
            Err(error) => {
                tracing::warn!(%error, "Live Tail did not open; the tail goes on by polling");
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

async fn open(
    client: &LogsClient,
    pattern: Option<&str>,
    listeners: &[Listener],
) -> Result<LiveTail, crate::client::errors::AwsError> {
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
