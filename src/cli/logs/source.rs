//! Where the events of `vintner logs` come from: CloudWatch, a file, a recording, an Insights query.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::anyhow;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::super::{Context, Exit, Failure, Run};
use super::output::{Desk, note};
use super::{Args, tables, when};
use crate::client::link::Link;
use crate::client::logs::{LogsClient, QueryResults};
use crate::client::tail::{self, Patience, Span, Status, TailRequest, TailUpdate};
use crate::domain::line::LogEvent;
use crate::store::open::{self, Growth};
use crate::store::recording::Replay;

/// Updates of a tail that may wait for a slow reader of stdout.
const BACKLOG: usize = 16;
/// How often a followed file and a running query are looked at.
const LOOK: Duration = Duration::from_millis(250);
const DEFAULT_SINCE: &str = "10m";

/// Tails the target's groups.
pub async fn tail<W: Write>(
    args: &Args,
    context: &Context,
    desk: &mut Desk<'_, W>,
) -> Result<(), Failure> {
    let link = context.connect().await?;
    let connect = link.logs(&context.settings).map_err(Failure::usage)?;
    let client = LogsClient::of(link.aws().map_err(Failure::usage)?);
    let (since, until) = range(args, client.now())?;
    let groups = groups(&link, &client).await?;
    desk.several_groups = groups.len() > 1;
    if args.follow {
        note(&format!(
            "following {} in {}",
            groups.join(", "),
            client.region()
        ));
    }
    let request = TailRequest {
        groups: groups.into_iter().map(Arc::from).collect(),
        pattern: args.filter.as_deref().map(Arc::from),
        span: Span {
            since,
            until,
            follow: args.follow,
            newest_first: false,
        },
        patience: Patience::Bounded,
        live_tail: args.live,
    };
    let cancel = interrupted();
    let (updates, received) = mpsc::channel(BACKLOG);
    let seed = since.unsigned_abs();
    let tail = tail::run(connect, request, updates, cancel.clone(), seed);
    let print = async {
        let printed = print(received, &client, desk).await;
        cancel.cancel();
        printed
    };
    let (tailed, printed) = tokio::join!(tail, print);
    printed?;
    Ok(tailed?)
}

async fn print<W: Write>(
    mut received: mpsc::Receiver<TailUpdate>,
    client: &LogsClient,
    desk: &mut Desk<'_, W>,
) -> Result<(), Failure> {
    let mut noted = std::mem::discriminant(&Status::Connecting);
    let mut troubled = false;
    while let Some(update) = received.recv().await {
        match update {
            TailUpdate::Events(batch) => desk.take(&batch.events)?,
            TailUpdate::Status(status) => {
                // A trouble is noted when it begins, not at each attempt; then that it is over.
                let kind = std::mem::discriminant(&status);
                if (status.is_trouble() || troubled) && kind != noted {
                    note(&status.pill(client.now()));
                }
                troubled = status.is_trouble();
                noted = kind;
            }
        }
    }
    Ok(())
}

/// Prints a file, and what is added to it.
pub async fn file<W: Write>(
    path: &Path,
    args: &Args,
    context: &Context,
    desk: &mut Desk<'_, W>,
) -> Result<(), Failure> {
    let now = now();
    let since = args
        .since
        .as_deref()
        .map(|when| time("--since", when, now))
        .transpose()?;
    let until = args
        .until
        .as_deref()
        .map(|when| time("--until", when, now))
        .transpose()?;
    let wanted = |event: &LogEvent| {
        since.is_none_or(|since| event.timestamp >= since)
            && until.is_none_or(|until| event.timestamp <= until)
    };
    let spool = context.settings.dirs.state.join("spool");
    let is_stdin = path.as_os_str() == "-";
    let path = if is_stdin {
        Path::new("/dev/stdin")
    } else {
        path
    };
    let open_file = if args.follow && !is_stdin {
        open::follow
    } else {
        open::open
    };
    let mut opened = open_file(path, &spool).map_err(Failure::usage)?;
    let is_whole = since.is_none() && until.is_none() && (!args.follow || is_stdin);
    if is_whole && args.record.is_none() {
        desk.adopt(opened.store);
        return Ok(());
    }
    let cancel = interrupted();
    let mut printed = 0;
    loop {
        let store = &opened.store;
        let mut events = Vec::new();
        // At first in the order of time; what is added later, as it comes.
        let lines: Vec<u32> = if printed == 0 {
            store.lines().collect()
        } else {
            (printed..store.len() as u32).collect()
        };
        printed = store.len() as u32;
        for line in lines {
            events.extend(store.event(line));
            if events.len() == 1_000 {
                events.retain(wanted);
                desk.take(&events)?;
                events.clear();
            }
        }
        events.retain(wanted);
        desk.take(&events)?;
        if !args.follow || is_stdin {
            return Ok(());
        }
        loop {
            tokio::select! {
                () = cancel.cancelled() => return Ok(()),
                () = tokio::time::sleep(LOOK) => {}
            }
            match opened.poll().map_err(Failure::failed)? {
                Growth::Lines(0) => {}
                Growth::Lines(_) | Growth::Rotated(_) => break,
                Growth::Truncated => {
                    note("the file was truncated: reading it from its start");
                    opened = open_file(path, &spool).map_err(Failure::usage)?;
                    printed = 0;
                    break;
                }
            }
        }
    }
}

/// Plays a recording at a pace.
pub async fn replay<W: Write>(
    path: &Path,
    speed: f64,
    desk: &mut Desk<'_, W>,
) -> Result<(), Failure> {
    let cancel = interrupted();
    let started = Instant::now();
    for due in Replay::open(path, speed).map_err(Failure::usage)? {
        let (pause, event) = due.map_err(Failure::usage)?;
        if let Some(wait) = pause.checked_sub(started.elapsed()) {
            tokio::select! {
                () = cancel.cancelled() => return Ok(()),
                () = tokio::time::sleep(wait) => {}
            }
        }
        desk.take(&[event])?;
    }
    Ok(())
}

/// Runs an Insights query to its end; Ctrl-C stops it on the service's side too.
pub async fn insights(query: &str, args: &Args, context: &Context, out: &mut impl Write) -> Run {
    let link = context.connect().await?;
    let client = LogsClient::of(link.aws().map_err(Failure::usage)?);
    let (since, until) = range(args, client.now())?;
    let groups = groups(&link, &client).await?;
    let until = until.unwrap_or_else(|| client.now());
    let id = client.start_query(&groups, query, since, until).await?;
    let cancel = interrupted();
    let found = loop {
        let found = client.query_results(&id).await?;
        if found.is_done() {
            break found;
        }
        tokio::select! {
            () = cancel.cancelled() => {
                client.stop_query(&id).await?;
                note("query stopped");
                return Ok(Exit::Fine);
            }
            () = tokio::time::sleep(LOOK) => {}
        }
    };
    tables::results(&found, args.json, out)?;
    note(&scanned(&found));
    match found.status.as_str() {
        "Complete" => Ok(Exit::Fine),
        status => Err(Failure::failed(anyhow!("the query ended as {status}"))),
    }
}

fn scanned(found: &QueryResults) -> String {
    format!(
        "{} rows; {:.0} of {:.0} records matched, {:.2} MB scanned",
        found.rows.len(),
        found.records_matched,
        found.records_scanned,
        found.bytes_scanned / 1e6
    )
}

/// The groups of the target; names with `*` or `?` are looked up.
async fn groups(link: &Link, client: &LogsClient) -> Result<Vec<String>, Failure> {
    link.log_group().map_err(Failure::usage)?;
    let mut names = Vec::new();
    for group in &link.log_groups {
        if group.starts_with("arn:") || !group.contains(['*', '?']) {
            names.push(group.clone());
            continue;
        }
        let found = client.groups(group).await?;
        if found.is_empty() {
            let region = client.region();
            return Err(Failure::unreachable(anyhow!(
                "no log group matches {group} in {region}"
            )));
        }
        names.extend(found.into_iter().map(|group| group.name));
    }
    names.dedup();
    Ok(names)
}

fn range(args: &Args, now: i64) -> Result<(i64, Option<i64>), Failure> {
    let since = args.since.as_deref().unwrap_or(DEFAULT_SINCE);
    let since = time("--since", since, now)?;
    let until = args
        .until
        .as_deref()
        .map(|when| time("--until", when, now))
        .transpose()?;
    match until {
        Some(until) if until < since => Err(Failure::usage(anyhow!("--until lies before --since"))),
        until => Ok((since, until)),
    }
}

fn time(flag: &str, text: &str, now: i64) -> Result<i64, Failure> {
    when::parse(text, now).map_err(|error| Failure::usage(anyhow!("{flag} {error}")))
}

fn now() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

/// Cancelled by Ctrl-C or SIGTERM: an end like any other.
fn interrupted() -> CancellationToken {
    let token = CancellationToken::new();
    let fired = token.clone();
    tokio::spawn(async move {
        wait_for_signal().await;
        fired.cancel();
    });
    token
}

#[cfg(unix)]
async fn wait_for_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        },
        Err(_) => drop(tokio::signal::ctrl_c().await),
    }
}

#[cfg(not(unix))]
async fn wait_for_signal() {
    drop(tokio::signal::ctrl_c().await);
}
