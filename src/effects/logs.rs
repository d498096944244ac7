//! What the Logs tab asks for and hears.

pub mod open;
pub mod sift;

use std::path::PathBuf;

use tokio::sync::{mpsc, watch};

use super::{Outbox, Runner, Slot};
use crate::client::logs::{LogsClient, QueryResults};
use crate::client::tail::{self, Connect, TailRequest, TailUpdate, Wishes};
use crate::domain::invocation::Wanted;
use crate::history;
use sift::{Save, Sift, Sifted};

/// Updates of a tail that may wait for the app.
const TAIL_BACKLOG: usize = 16;
/// How often a running Insights query is looked at.
const QUERY_PACE: std::time::Duration = std::time::Duration::from_millis(500);

/// What the Logs tab asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Tail these groups instead of what is tailed now. Answers carry the number.
    Tail(u64, TailRequest, Wishes),
    /// Want something else of the running tail.
    Wish(Wishes),
    /// Stop tailing.
    StopTail,
    /// Read a local log file, and follow it as it grows. The answer carries the number.
    Open(u64, PathBuf),
    /// Play a recording at so many times its own pace. Answers carry the number, as a tail's do.
    Replay(u64, PathBuf, f64),
    /// Stop reading or playing a local file.
    Close,
    /// Run a Logs Insights query. Answers carry the number.
    Query(u64, Query),
    /// Read the query that was asked last, in an earlier session.
    RecallQuery,
    /// Keep the text of a query for the next session.
    KeepQuery(String),
    /// Stop waiting for the running query, and stop it on the service's side too.
    StopQuery {
        /// Its id, once known.
        id: Option<String>,
    },
    /// Filter and search the store, instead of what is being filtered now.
    Sift(Sift),
    /// No filter is wanted any more.
    StopSifting,
    /// Write lines to a file.
    Export(Save),
    /// Write a text of so many lines to a new file.
    Write(PathBuf, String),
}

/// A Logs Insights query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// Group names or ARNs.
    pub groups: Vec<String>,
    /// Its text.
    pub text: String,
    /// First instant, milliseconds since the epoch.
    pub start: i64,
    /// Last instant.
    pub end: i64,
}

/// What the Logs tab hears.
#[derive(Debug)]
pub enum Event {
    /// Another tab points at requests: list them.
    Point(Wanted),
    /// The tail of this number has something.
    Tail(u64, TailUpdate),
    /// The tail of this number ended by itself: a sentence, or all that was asked for has been read.
    TailEnded(u64, Option<String>),
    /// The file of this number was read: its lines, or why not.
    Opened(u64, Result<open::Read, String>),
    /// The followed file of this number has more, or became another.
    Grown(u64, open::Growth),
    /// The query that was asked last, in an earlier session.
    QueryRecalled(String),
    /// The query is not kept for the next session: why.
    QueryNotKept(String),
    /// The query of this number was accepted under this id.
    QueryStarted(u64, String),
    /// What the query of this number has found so far.
    QueryResults(u64, QueryResults),
    /// The query of this number failed: a sentence.
    QueryFailed(u64, String),
    /// Matches so far; several answers come, the last one `done`.
    Sifted(Sifted),
    /// An export ended: how many lines, or what went wrong.
    Exported {
        /// The file.
        path: PathBuf,
        /// Lines written.
        result: Result<usize, String>,
    },
}

/// What the Logs room keeps between effects.
#[derive(Debug, Default)]
pub struct Room {
    /// What is wanted of the running tail.
    wishes: watch::Sender<Wishes>,
}

/// Starts what the effect asks for.
pub fn run(effect: Effect, runner: &mut Runner) {
    match effect {
        Effect::Tail(number, request, wishes) => {
            runner.logs.wishes.send_replace(wishes);
            start_tail(number, request, runner);
        }
        Effect::Wish(wishes) => {
            runner.logs.wishes.send_replace(wishes);
        }
        Effect::StopTail => runner.stop(Slot::Tail),
        Effect::Open(number, path) => {
            let spool_dir = runner.settings.dirs.state.clone();
            runner.spawn_in(Slot::File, "log file", |outbox, _| {
                open::read(number, path, spool_dir, outbox)
            });
        }
        Effect::Replay(number, path, speed) => {
            runner.spawn_in(Slot::File, "replay", |outbox, _| {
                open::replay(number, path, speed, outbox)
            });
        }
        Effect::Close => runner.stop(Slot::File),
        Effect::Query(number, query) => start_query(number, query, runner),
        Effect::RecallQuery => {
            let dir = runner.settings.dirs.state.clone();
            runner.spawn("recalling a query", |outbox| async move {
                // A small file, read when the prompt opens; what cannot be read is not there.
                if let Ok(Some(text)) = history::query::recall(&dir) {
                    outbox.send(Event::QueryRecalled(text)).await;
                }
            });
        }
        Effect::KeepQuery(text) => {
            let dir = runner.settings.dirs.state.clone();
            runner.spawn("keeping a query", |outbox| async move {
                if let Err(error) = history::query::keep(&dir, &text) {
                    let why = format!("the query is not kept: {}: {error}", dir.display());
                    outbox.send(Event::QueryNotKept(why)).await;
                }
            });
        }
        Effect::StopQuery { id } => stop_query(id, runner),
        Effect::Sift(sift) => {
            runner.spawn_blocking_in(Slot::Filter, "log filter", move |outbox, token| {
                sift::run(&sift, &outbox, &token);
            });
        }
        Effect::StopSifting => runner.stop(Slot::Filter),
        Effect::Write(path, text) => {
            runner.spawn_blocking_in(Slot::Export, "result export", move |outbox, _| {
                sift::write_text(path, &text, &outbox);
            });
        }
        Effect::Export(save) => {
            runner.spawn_blocking_in(Slot::Export, "log export", move |outbox, _| {
                sift::write(save, &outbox);
            });
        }
    }
}

/// The way to CloudWatch Logs, or the sentence that says why there is none.
fn connect(runner: &Runner) -> Result<Connect, String> {
    let link = runner.link.as_ref().ok_or("not connected yet")?;
    link.logs().map_err(|error| format!("{error:#}"))
}

fn client(runner: &Runner) -> Result<LogsClient, String> {
    let link = runner.link.as_ref().ok_or("not connected yet")?;
    link.aws()
        .map(LogsClient::of)
        .map_err(|error| format!("{error:#}"))
}

fn start_tail(number: u64, request: TailRequest, runner: &mut Runner) {
    let connect = connect(runner);
    let seed = runner.settings.sandbox.seed.wrapping_add(number);
    let wishes = runner.logs.wishes.subscribe();
    runner.spawn_in(Slot::Tail, "log tail", |outbox, cancel| async move {
        let ended = match connect {
            Ok(connect) => {
                let (updates, mut received) = mpsc::channel(TAIL_BACKLOG);
                let forward = async {
                    while let Some(update) = received.recv().await {
                        outbox.send(Event::Tail(number, update)).await;
                    }
                };
                let tail = tail::run(connect, request, wishes, updates, cancel, seed);
                let (ended, ()) = tokio::join!(tail, forward);
                ended.err().map(|error| error.to_string())
            }
            Err(error) => Some(error),
        };
        outbox.send(Event::TailEnded(number, ended)).await;
    });
}

fn start_query(number: u64, query: Query, runner: &mut Runner) {
    let client = client(runner);
    runner.spawn_in(Slot::Insights, "Insights query", |outbox, _| async move {
        let asked = match client {
            Ok(client) => follow_query(number, &query, &client, &outbox).await,
            Err(error) => Err(error),
        };
        if let Err(error) = asked {
            outbox.send(Event::QueryFailed(number, error)).await;
        }
    });
}

async fn follow_query(
    number: u64,
    query: &Query,
    client: &LogsClient,
    outbox: &Outbox,
) -> Result<(), String> {
    let groups = client
        .named(&query.groups)
        .await
        .map_err(|error| error.to_string())?;
    let started = client.start_query(&groups, &query.text, query.start, query.end);
    let id = started.await.map_err(|error| error.to_string())?;
    outbox.send(Event::QueryStarted(number, id.clone())).await;
    loop {
        let results = client
            .query_results(&id)
            .await
            .map_err(|error| error.to_string())?;
        let done = results.is_done();
        outbox.send(Event::QueryResults(number, results)).await;
        if done {
            return Ok(());
        }
        tokio::time::sleep(QUERY_PACE).await;
    }
}

fn stop_query(id: Option<String>, runner: &mut Runner) {
    runner.stop(Slot::Insights);
    if let (Some(id), Ok(client)) = (id, client(runner)) {
        runner.spawn("stopping a query", |_| async move {
            if let Err(error) = client.stop_query(&id).await {
                tracing::warn!(%error, "the query goes on");
            }
        });
    }
}
