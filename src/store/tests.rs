//! Events in every order of arrival, late ones marked, filters that keep up.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::atomic::AtomicBool;

use proptest::prelude::*;

use super::*;
use crate::domain::query::Query;
use crate::testing;

fn event(time: i64, id: &str, message: &str) -> LogEvent {
    LogEvent {
        ingestion_time: time + 3,
        event_id: (!id.is_empty()).then(|| id.into()),
        ..testing::event("s", time, message)
    }
}

fn store() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::new(dir.path(), DEFAULT_CAP_BYTES);
    (dir, store)
}

#[test]
fn late_lines_stand_in_place_and_are_marked() {
    let (_dir, mut store) = store();
    store.append(
        &[event(1000, "a", "one"), event(9000, "c", "three")],
        Arrival::Live,
    );
    let appended = store.append(&[event(2000, "b", "two")], Arrival::Live);
    assert_eq!(
        (appended.late, appended.reordered, appended.lines),
        (1, true, 2..3)
    );
    let texts: Vec<_> = store.lines().map(|line| store.text(line)).collect();
    assert_eq!(texts, ["one", "two", "three"]);
    assert_eq!((store.lateness(2), store.lateness(1)), (Some(7000), None));
    assert_eq!(
        (store.at(1), store.position(2), store.position_at_time(1500)),
        (Some(2), 1, 1)
    );
    let filled = store.append(&[event(500, "z", "zero")], Arrival::Backfill);
    assert_eq!(
        (filled.late, filled.reordered),
        (0, true),
        "history is not late"
    );
    assert_eq!(store.at(0), Some(3));
    assert_eq!(store.event(2), Some(event(2000, "b", "two")));
}

#[test]
fn one_clock_ahead_makes_nobody_late() {
    let (_dir, mut store) = store();
    let ahead = LogEvent {
        ingestion_time: 4_000,
        ..event(3_600_000, "a", "from the future")
    };
    store.append(&[ahead], Arrival::Live);
    let appended = store.append(
        &[event(5_000, "b", "now"), event(500, "c", "old")],
        Arrival::Live,
    );
    assert_eq!((appended.late, store.lateness(1)), (1, Some(3_500)));
}

#[test]
fn text_that_is_gone_is_said_to_be_gone() {
    let dir = tempfile::tempdir().unwrap();
    // A spool of two pages: the oldest half goes when it is full.
    let mut store = Store::new(dir.path(), 2_000);
    for n in 0..60 {
        let text = format!("{n:0>100}");
        store.append(&[event(n, &n.to_string(), &text)], Arrival::Live);
    }
    assert_eq!((store.event(0), store.head(0, 10).as_str()), (None, GONE));
    assert_eq!(store.text(0), GONE);
    assert!(store.event(59).unwrap().message.ends_with("59"));
    let mut out = Vec::new();
    let written = store
        .export(vec![0, 59])
        .write(&mut out, &AtomicBool::new(false));
    assert_eq!(written.unwrap(), Written { lines: 1, gone: 1 });
}

#[test]
fn a_filter_can_be_cancelled_and_an_export_written() {
    let (_dir, mut store) = store();
    let events: Vec<_> = (0..10_000)
        .map(|n| event(n, &n.to_string(), "words"))
        .collect();
    store.append(&events, Arrival::Live);
    let scan = store.scan(&Filter::query(Query::parse("words").unwrap()));
    assert!(!scan.run(&AtomicBool::new(true), &|_, _| panic!("cancelled")));
    assert_eq!(scan.matches().count(), 10_000);
    let mut out = Vec::new();
    let written = store
        .export(vec![3, 1])
        .write(&mut out, &AtomicBool::new(false))
        .unwrap();
    let lines: Vec<LogEvent> = out
        .split(|b| *b == b'\n')
        .filter_map(|l| serde_json::from_slice(l).ok())
        .collect();
    assert_eq!(
        (written, lines),
        (
            Written { lines: 2, gone: 0 },
            vec![events[3].clone(), events[1].clone()]
        )
    );
}

#[test]
fn the_strip_counts_lines_and_errors() {
    let (_dir, mut store) = store();
    store.append(
        &[
            event(0, "", "a"),
            event(10, "", "ERROR b"),
            event(19, "", "c"),
            event(20, "", "d"),
        ],
        Arrival::Live,
    );
    assert_eq!(store.histogram(0, 20, 2), [(1, 0), (2, 1)]);
}

proptest! {
    #[test]
    fn any_batches_keep_the_order_and_the_texts(
        batches in proptest::collection::vec(proptest::collection::vec((0_i64..30, "[a-c]{0,2}", "\\PC{0,12}"), 0..20), 0..6),
        backfill: bool,
    ) {
        let (_dir, mut store) = store();
        let mut all = Vec::new();
        for batch in batches {
            let events: Vec<_> = batch.iter().map(|(time, id, message)| event(*time, id, message)).collect();
            store.append(&events, if backfill { Arrival::Backfill } else { Arrival::Live });
            all.extend(events);
        }
        let got: Vec<LogEvent> = store.lines().filter_map(|line| store.event(line)).collect();
        let key = |e: &LogEvent| (e.timestamp, e.ingestion_time, e.event_id.clone());
        prop_assert!(got.windows(2).all(|pair| key(&pair[0]) <= key(&pair[1])));
        let sorted = |mut events: Vec<LogEvent>| { events.sort_by_key(|e| (key(e), e.message.clone())); events };
        prop_assert_eq!(sorted(got), sorted(all));
        for line in store.lines() {
            let position = store.position(line);
            prop_assert_eq!(store.at(position), Some(line));
        }
    }
}

#[test]
fn a_histogram_over_hours_counts_every_line_once() {
    let (_dir, mut store) = store();
    let lines: Vec<LogEvent> = (0..3_600)
        .map(|n| {
            event(
                n * 1_500 + 7,
                "s",
                if n % 10 == 0 { "[ERROR] x" } else { "x" },
            )
        })
        .collect();
    store.append(&lines, Arrival::Backfill);
    let to = store.newest_time().unwrap() + 1;
    let counts = store.histogram(7, to, 60);
    let sum = counts
        .iter()
        .fold((0, 0), |sum, c| (sum.0 + c.0, sum.1 + c.1));
    assert_eq!(sum, (3_600, 360));
    assert!(
        counts.iter().all(|c| (55..=65).contains(&c.0)),
        "{counts:?}"
    );
}
