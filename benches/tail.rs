//! What a tail loses, doubles and how long after a line is visible it shows it, against the sandbox's delivery lag and
//! troubles in real time, beside `awslogs get --watch` on the same sandbox where that is installed (`pip install awslogs`).
//! `cargo bench --bench tail`; a scenario's name after `--` runs it alone. Nine minutes.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    missing_docs
)]

use std::collections::HashMap;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;
use vintner::domain::line::LogEvent;
use vintner::domain::timestamp;
use vintner::sandbox::{Incident, Options, Sandbox};

#[path = "../tests/it/support/tailing.rs"]
#[allow(dead_code)]
mod tailing;
use tailing::{Tail, following, key, logs, now, sandbox, stored};

/// Sound service before and after the trouble.
const CALM: Duration = Duration::from_secs(15);
/// A line takes at most 6 s to be flushed, and 12 s more if it straggles.
const SETTLE: Duration = Duration::from_secs(19);

/// A name, what goes wrong, and for how long.
const SCENARIOS: [(&str, Option<Incident>, Duration); 6] = [
    ("realistic lag", None, Duration::from_secs(30)),
    (
        "throttled",
        Some(Incident::Throttling),
        Duration::from_secs(12),
    ),
    (
        "credentials expired",
        Some(Incident::CredentialsExpired),
        Duration::from_secs(6),
    ),
    (
        "network cut",
        Some(Incident::NetworkCut),
        Duration::from_secs(6),
    ),
    (
        "late arrivals",
        Some(Incident::LateArrivals),
        Duration::from_secs(20),
    ),
    (
        "1000 events/s",
        Some(Incident::LogFlood),
        Duration::from_mins(1),
    ),
];

#[tokio::main]
async fn main() {
    // `cargo bench` passes --bench.
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| !a.starts_with('-'))
        .collect();
    println!(
        "{:<20} {:>7} {:>5} {:>7} {:>10} {:>8} {:>8}   awslogs get --watch",
        "scenario", "events", "lost", "doubled", "median", "p99", "max"
    );
    for (name, incident, lasts) in SCENARIOS {
        if wanted.is_empty() || wanted.iter().any(|part| name.contains(part.as_str())) {
            run(name, incident, lasts).await;
        }
    }
}

async fn run(name: &str, incident: Option<Incident>, lasts: Duration) {
    let sandbox = sandbox(Options {
        rate: 10.0,
        speed: 1.0,
        empty_pages: 0.02,
        ..Options::quiet()
    })
    .await;
    let group = sandbox.log_group();
    let began = now();
    let tail = Tail::start(&sandbox, &group, following(began), false);
    let peer = Peer::start(&sandbox, &group);
    tokio::time::sleep(CALM).await;
    sandbox.set_incident(incident);
    tokio::time::sleep(lasts).await;
    sandbox.set_incident(None);
    tokio::time::sleep(CALM).await;
    let end = now();
    let settle = match incident {
        // One line in six comes up to 45 s later still.
        Some(Incident::LateArrivals) => SETTLE + Duration::from_secs(45),
        _ => SETTLE,
    };
    tokio::time::sleep(settle).await;
    let truth = stored(&logs(&sandbox), &group, end).await;
    // The tail gets two paces of its own after the last line became visible.
    tokio::time::sleep(Duration::from_secs(10)).await;
    let shown = tail.stop().await;
    let seen_by_peer = peer.map(|peer| peer.stop(end));

    let mut balance: HashMap<String, i64> = HashMap::new();
    for event in &truth {
        *balance.entry(key(event)).or_default() += 1;
    }
    let mut delays = Vec::new();
    for (event, at) in shown
        .events
        .iter()
        .filter(|(event, _)| event.timestamp <= end)
    {
        *balance.entry(key(event)).or_default() -= 1;
        delays.push(delay(event, *at));
    }
    delays.sort_unstable();
    let lost: i64 = balance.values().filter(|n| **n > 0).sum();
    let doubled: i64 = -balance.values().filter(|n| **n < 0).sum::<i64>();
    let peer = match seen_by_peer {
        Some(seen) => format!("{} shown of {}", seen.await, truth.len()),
        None => "not installed".into(),
    };
    println!(
        "{name:<20} {:>7} {lost:>5} {doubled:>7} {:>7} ms {:>5} ms {:>5} ms   {peer}",
        truth.len(),
        rank(&delays, 50),
        rank(&delays, 99),
        rank(&delays, 100),
    );
}

/// Milliseconds from the moment a line could be read to the moment it was shown.
fn delay(event: &LogEvent, shown_at: i64) -> i64 {
    shown_at - event.ingestion_time
}

/// Nearest-rank percentile.
fn rank(sorted: &[i64], percent: usize) -> i64 {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or_default()
}

/// `awslogs get --watch` on the same group.
struct Peer {
    child: Child,
    /// The time of each event, as `2026-10-08T07:30:29.470Z`.
    times: JoinHandle<Vec<String>>,
}

impl Peer {
    fn start(sandbox: &Sandbox, group: &str) -> Option<Self> {
        let mut command = Command::new("awslogs");
        command.args([
            "get",
            group,
            "ALL",
            "--watch",
            "--start",
            "1m",
            "--timestamp",
        ]);
        command.args(["--no-group", "--no-stream", "--color", "never"]);
        for line in sandbox.env_lines() {
            let (name, value) = line.split_once('=').expect("NAME=value");
            command.env(name, value);
        }
        let mut child = command
            // Or what is in its buffer dies with it.
            .env("PYTHONUNBUFFERED", "1")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .ok()?;
        let mut lines = BufReader::new(child.stdout.take()?).lines();
        let times = tokio::spawn(async move {
            let mut times = Vec::new();
            while let Ok(Some(line)) = lines.next_line().await {
                // The lines of one event after its first carry no time.
                if let Some(time) = line.get(..24).filter(|time| time.starts_with("20")) {
                    times.push(time.to_owned());
                }
            }
            times
        });
        Some(Self { child, times })
    }

    /// Events up to `end` (ms since 1970) that it printed.
    async fn stop(mut self, end: i64) -> usize {
        let _ = self.child.kill().await;
        let end = timestamp::format(end);
        let times = self.times.await.unwrap_or_default();
        times.iter().filter(|time| **time <= end).count()
    }
}
