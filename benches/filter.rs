//! How fast a million lines are filtered: literal, regular expression, level, one request, beside `grep` and `rg`.

#![allow(clippy::expect_used)]

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use vintner::domain::line::Level;
use vintner::domain::query::{Condition, Query, Term};
use vintner::store::open::open;
use vintner::store::{Filter, Layer, Want};

#[path = "support/lambda_log.rs"]
mod lambda_log;

use lambda_log::{NEEDLE, NEEDLE_REGEX};

fn filter(c: &mut Criterion) {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let path = dir.path().join("lambda.log");
    let mut file = std::io::BufWriter::new(std::fs::File::create(&path).expect("a file"));
    let truth = lambda_log::write(&mut file, 1_000_000, 42).expect("a generated log");
    drop(file);
    let store = open(&path, dir.path()).expect("the log opens").store;

    let mut group = c.benchmark_group("filter 1 M lines");
    group
        .sample_size(10)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(4));
    let request = store.invocations().rows().len() as u32 / 2;
    let cases = [
        ("literal", one(Term::exact_text(NEEDLE)), truth.needles),
        ("literal, any case", one(Term::text(NEEDLE)), truth.needles),
        (
            "regex",
            one(Term::regex(NEEDLE_REGEX).expect("it is good")),
            truth.needles,
        ),
        ("level>=warn", Filter::at_least(Level::Warn), truth.warnings),
        (
            "one request",
            Filter {
                layers: vec![Layer {
                    exclude: false,
                    want: Want::Request(store.invocations().rows()[request as usize].id),
                }],
            },
            store.invocations().rows()[request as usize].lines as usize,
        ),
    ];
    for (name, filter, found) in cases {
        group.bench_function(name, |b| {
            b.iter(|| assert_eq!(store.scan(&filter).matches().count(), found));
        });
    }
    group.bench_function("figures of all requests", |b| {
        b.iter(|| store.figures(0, None));
    });
    let references = [
        ("reference: grep -c literal", "grep", ["-c", NEEDLE]),
        ("reference: grep -cE regex", "grep", ["-cE", NEEDLE_REGEX]),
        ("reference: rg -c literal", "rg", ["-c", NEEDLE]),
        ("reference: rg -c regex", "rg", ["-c", NEEDLE_REGEX]),
    ];
    for (name, tool, arguments) in references {
        if count(tool, arguments, &path) == Some(truth.needles) {
            group.bench_function(name, |b| b.iter(|| count(tool, arguments, &path)));
        }
    }
    group.finish();
}

fn one(term: Term) -> Filter {
    Filter::query(Query {
        conditions: vec![Condition {
            negated: false,
            term,
        }],
    })
}

/// What a reference tool counts; `None` when it is not installed.
fn count(tool: &str, arguments: [&str; 2], path: &Path) -> Option<usize> {
    let output = Command::new(tool)
        .args(arguments)
        .arg(path)
        .env("LC_ALL", "C")
        .output()
        .ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}

criterion_group!(benches, filter);
criterion_main!(benches);
