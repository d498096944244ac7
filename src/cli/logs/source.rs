//! Where the events of `vintner logs` come from: CloudWatch, a file, a recording, an Insights query.

use std::io::{self, Read, Write};
use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::anyhow;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::super::{Context, Exit, Failure, Run, counted, signal};
use super::output::{Desk, note};
use super::{Args, tables, when};
use crate::client::link::Link;
use crate::client::logs::{LogsClient, QueryResults};
use crate::client::tail::{self, Patience, Span, Status, TailRequest, TailUpdate, Wishes};
use crate::domain::line::LogEvent;
use crate::store::open::{self, Growth, Inflow};
use crate::store::recording::Replay;
use crate::store::{DEFAULT_CAP_BYTES, Store};

/// Updates of a tail that may wait for a slow reader of stdout.
const BACKLOG: usize = 16;
/// How often a followed file and a running query are looked at.
const LOOK: Duration = Duration::from_millis(250);
/// How often a running query says how far it is.
const PROGRESS: Duration = Duration::from_secs(1);
const DEFAULT_SINCE: &str = "10m";

/// Tails the target's groups.
pub async fn tail<W: Write>(
    args: &Args,
    context: &Context,
    desk: &mut Desk<'_, W>,
) -> Result<(), Failure> {
    let link = context.connect().await?;
    let connect = link.logs().map_err(Failure::usage)?;
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
    };
    let cancel = interrupted();
    let (updates, received) = mpsc::channel(BACKLOG);
    let seed = since.unsigned_abs();
    let (_wishes, wished) = watch::channel(Wishes {
        live_tail: args.live,
        ..Wishes::default()
    });
    let tail = tail::run(connect, request, wished, updates, cancel.clone(), seed);
    let print = async {
        let printed = print(received, desk).await;
        cancel.cancel();
        printed
    };
    let (tailed, printed) = tokio::join!(tail, print);
    printed?;
    Ok(tailed?)
}

async fn print<W: Write>(
    mut received: mpsc::Receiver<TailUpdate>,
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
                    note(&status.pill(now()));
                }
                troubled = status.is_trouble();
                noted = kind;
            }
        }
    }
    Ok(())
}

/// The time that is wanted of a file.
#[derive(Clone, Copy)]
struct Window {
    since: Option<i64>,
    until: Option<i64>,
}

impl Window {
    fn read(args: &Args) -> Result<Self, Failure> {
        let now = now();
        let read = |flag, when: &Option<String>| {
            let when = when.as_deref();
            when.map(|when| time(flag, when, now)).transpose()
        };
        Ok(Self {
            since: read("--since", &args.since)?,
            until: read("--until", &args.until)?,
        })
    }

    fn is_open(self) -> bool {
        self.since.is_none() && self.until.is_none()
    }

    fn range(self) -> RangeInclusive<i64> {
        self.since.unwrap_or(i64::MIN)..=self.until.unwrap_or(i64::MAX)
    }

    fn contains(self, time: i64) -> bool {
        self.range().contains(&time)
    }
}

/// Prints a file, and what is added to it; a pipe, as it comes.
pub async fn file<W: Write>(
    path: &Path,
    args: &Args,
    context: &Context,
    desk: &mut Desk<'_, W>,
) -> Result<(), Failure> {
    let window = Window::read(args)?;
    let spool = context.settings.dirs.state.join("spool");
    let is_stdin = path.as_os_str() == "-";
    let is_pipe = is_stdin
        || path
            .metadata()
            .is_ok_and(|found| !found.is_file() && !found.is_dir());
    if is_pipe && (args.follow || !desk.gathers()) {
        let from: Box<dyn Read + Send> = if is_stdin {
            Box::new(io::stdin())
        } else {
            Box::new(std::fs::File::open(path).map_err(Failure::usage)?)
        };
        return stream(from, &spool, window, desk).await;
    }
    let path = if is_stdin {
        Path::new("/dev/stdin")
    } else {
        path
    };
    if args.follow {
        return follow_file(path, &spool, window, desk).await;
    }
    let opened = open::open(path, &spool).map_err(Failure::usage)?;
    note_skipped(opened.skipped());
    if let Some(damage) = &opened.damage {
        note(damage);
        desk.is_cut = true;
    }
    if window.is_open() && !desk.records() {
        desk.adopt(opened.store);
    } else {
        let lines = opened.store.lines();
        show(&opened.store, lines, window, desk)?;
    }
    Ok(())
}

fn note_skipped(lines: usize) {
    if lines > 0 {
        note(&format!(
            "{lines} lines of the recording are no events: left out"
        ));
    }
}

/// Hands lines of a store to the desk.
fn show<W: Write>(
    store: &Store,
    lines: impl Iterator<Item = u32>,
    window: Window,
    desk: &mut Desk<'_, W>,
) -> Result<(), Failure> {
    let mut events: Vec<LogEvent> = Vec::new();
    for line in lines {
        match store.event(line) {
            Some(event) if window.contains(event.timestamp) => events.push(event),
            Some(_) => {}
            None => desk.gone += 1,
        }
        if events.len() == 1_000 {
            desk.take(&events)?;
            events.clear();
        }
    }
    desk.take(&events)
}

/// Prints what is there, then what is added.
async fn follow_file<W: Write>(
    path: &Path,
    spool: &Path,
    window: Window,
    desk: &mut Desk<'_, W>,
) -> Result<(), Failure> {
    let cancel = interrupted();
    let mut opened = open::follow(path, spool).map_err(Failure::usage)?;
    // What is there in the order of time; what is added later, as it comes.
    show(&opened.store, opened.store.lines(), window, desk)?;
    opened.close_event();
    let mut shown = opened.store.len() as u32;
    loop {
        tokio::select! {
            () = cancel.cancelled() => break,
            () = tokio::time::sleep(LOOK) => {}
        }
        let is_quiet = match opened.poll().map_err(Failure::failed)? {
            Growth::Lines(grown) => grown == 0,
            Growth::Rotated(_) => true,
            Growth::Truncated => {
                note("the file was cut or written anew: reading it from its start");
                opened = open::follow(path, spool).map_err(Failure::usage)?;
                shown = 0;
                true
            }
        };
        // The last line may still go on.
        let len = opened.store.len() as u32;
        let ready = if is_quiet { len } else { len.max(1) - 1 };
        if ready > shown {
            show(&opened.store, shown..ready, window, desk)?;
            shown = ready;
        }
        if is_quiet {
            opened.close_event();
        }
    }
    opened.finish().map_err(Failure::failed)?;
    note_skipped(opened.skipped());
    show(
        &opened.store,
        shown..opened.store.len() as u32,
        window,
        desk,
    )
}

/// Prints a pipe as it comes, to its end.
async fn stream<W: Write>(
    from: impl Read + Send + 'static,
    spool: &Path,
    window: Window,
    desk: &mut Desk<'_, W>,
) -> Result<(), Failure> {
    let cancel = interrupted();
    let (pieces, mut received) = mpsc::channel(BACKLOG);
    // A thread of its own: a read that never returns must not hold up the end.
    std::thread::spawn(move || read_pieces(from, &pieces));
    let mut store = Store::new(spool, DEFAULT_CAP_BYTES);
    let mut inflow = Inflow::default();
    let mut shown = 0;
    loop {
        let len = store.len() as u32;
        tokio::select! {
            () = cancel.cancelled() => break,
            piece = received.recv() => match piece {
                Some(piece) => inflow.push(&piece.map_err(Failure::failed)?, &mut store),
                None => break,
            },
            // Nothing more belongs to the last line.
            () = tokio::time::sleep(LOOK), if shown < len => {
                show(&store, shown..len, window, desk)?;
                shown = len;
                inflow.close_event();
                continue;
            }
        }
        let ready = (store.len() as u32).max(1) - 1;
        if ready > shown {
            show(&store, shown..ready, window, desk)?;
            shown = ready;
        }
    }
    inflow.end(&mut store);
    note_skipped(inflow.skipped());
    show(&store, shown..store.len() as u32, window, desk)
}

fn read_pieces(mut from: impl Read, to: &mpsc::Sender<io::Result<Vec<u8>>>) {
    let mut buffer = vec![0; 64 << 10];
    loop {
        let piece = match from.read(&mut buffer) {
            Ok(0) => return,
            Ok(read) => Ok(buffer[..read].to_vec()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => Err(error),
        };
        if to.blocking_send(piece).is_err() {
            return;
        }
    }
}

/// Plays a recording at a pace.
pub async fn replay<W: Write>(
    path: &Path,
    speed: f64,
    args: &Args,
    desk: &mut Desk<'_, W>,
) -> Result<(), Failure> {
    let window = Window::read(args)?;
    let cancel = interrupted();
    let started = Instant::now();
    let replay = Replay::open(path, speed).map_err(Failure::usage)?;
    for due in replay.within(window.range()) {
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
    let mut noted = Instant::now();
    let found = loop {
        let found = client.query_results(&id).await?;
        if found.is_done() {
            break found;
        }
        if noted.elapsed() > PROGRESS {
            note(&format!(
                "{}: {}",
                found.status.to_lowercase(),
                scanned(&found)
            ));
            noted = Instant::now();
        }
        tokio::select! {
            () = cancel.cancelled() => {
                client.stop_query(&id).await?;
                note(&format!("query stopped: {}", scanned(&found)));
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
        "{}; {:.0} of {:.0} records matched, {:.2} MB scanned",
        counted(found.rows.len(), "row"),
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
        signal::interrupted().await;
        fired.cancel();
    });
    token
}
