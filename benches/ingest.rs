//! How fast lines come in: a generated Lambda log indexed from a file, and events as the tail delivers them, beside `wc -l` and `lnav`.

#![allow(clippy::expect_used)]

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use vintner::domain::line::LogEvent;
use vintner::store::open::open;
use vintner::store::{Arrival, DEFAULT_CAP_BYTES, Store};

#[path = "support/lambda_log.rs"]
#[allow(dead_code)]
mod lambda_log;

/// Lines of the file; LOGS.md's budget is for a million.
const LINES: usize = 1_000_000;
/// Events appended in one go, as a page of FilterLogEvents holds.
const PAGE: usize = 5_000;

fn ingest(c: &mut Criterion) {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let path = dir.path().join("lambda.log");
    let mut file = std::io::BufWriter::new(std::fs::File::create(&path).expect("a file"));
    let truth = lambda_log::write(&mut file, LINES, 42).expect("a generated log");
    drop(file);

    let mut group = c.benchmark_group("ingest");
    group
        .sample_size(10)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(8));
    group.throughput(Throughput::Elements(truth.lines as u64));
    group.bench_function("index and requests of 1 M lines", |b| {
        b.iter(|| {
            let store = open(&path, dir.path()).expect("the log opens").store;
            assert_eq!(store.invocations().rows().len(), truth.requests);
            store
        });
    });
    group.bench_function("reference: wc -l", |b| b.iter(|| run("wc", &["-l"], &path)));
    let lnav = ["-n", "-c", ";select count(*) from all_logs"];
    if run("lnav", &lnav, &path).is_some() {
        group.bench_function("reference: lnav", |b| b.iter(|| run("lnav", &lnav, &path)));
    }

    let events = events(200_000);
    group.throughput(Throughput::Elements(events.len() as u64));
    group.bench_function("200 k events from the tail", |b| {
        b.iter(|| {
            let mut store = Store::new(dir.path(), DEFAULT_CAP_BYTES);
            for page in events.chunks(PAGE) {
                store.append(page, Arrival::Live);
            }
            assert_eq!(store.len(), events.len());
            store
        });
    });
    group.bench_function("200 k events of a history, newest page first", |b| {
        b.iter(|| {
            let mut store = Store::new(dir.path(), DEFAULT_CAP_BYTES);
            for page in events.chunks(PAGE).rev() {
                store.append(page, Arrival::Backfill);
            }
            assert_eq!(store.len(), events.len());
            store
        });
    });
    group.finish();
}

fn events(lines: usize) -> Vec<LogEvent> {
    let mut text = Vec::new();
    lambda_log::write(&mut text, lines, 7).expect("a generated log");
    let text = String::from_utf8(text).expect("it is text");
    let stream: std::sync::Arc<str> = "2026/10/08/[$LATEST]0a1b".into();
    (0..)
        .zip(text.lines())
        .map(|(n, line)| LogEvent {
            timestamp: 1_791_000_000_000 + n / 3,
            ingestion_time: 1_791_000_000_400 + n / 3,
            group: "/aws/lambda/wine".into(),
            stream: stream.clone(),
            event_id: Some(format!("{n:056}").into()),
            message: line.to_owned(),
        })
        .collect()
}

/// Runs a reference tool if it is there.
fn run(tool: &str, arguments: &[&str], path: &Path) -> Option<Vec<u8>> {
    Some(
        Command::new(tool)
            .args(arguments)
            .arg(path)
            .env("LC_ALL", "C")
            .output()
            .ok()?
            .stdout,
    )
}

criterion_group!(benches, ingest);
criterion_main!(benches);
