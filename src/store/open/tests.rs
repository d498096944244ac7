//! Local logs in every form, checked against a generator that knows the truth.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::io::Write;

use proptest::prelude::*;

use super::*;
use crate::domain::invocation::Status;
use crate::domain::latency::Estimate;
use crate::domain::line::{Level, LogEvent};
use crate::domain::query::Query;
use crate::store::{Filter, Want};
use crate::testing::event;

mod frames;

#[path = "../../../benches/support/lambda_log.rs"]
#[allow(clippy::pedantic)]
mod lambda_log;

const ID: &str = "79b5e81f-1c2d-4e3f-8a9b-0c1d2e3f4a5b";

fn opened(text: &[u8]) -> Store {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.log");
    std::fs::write(&path, text).unwrap();
    open(&path, dir.path()).unwrap().store
}

fn found(store: &Store, query: &str) -> Vec<u32> {
    let filter = Filter::query(Query::parse(query).unwrap());
    let scanned: Vec<u32> = store.scan(&filter).matches().iter().collect();
    // The same from any line on, as for lines that come after a scan.
    for from in [1, 2, store.len() / 3, store.len()] {
        let mut after = Vec::new();
        let mut line = from as u32;
        store.scan_from(from, &filter).decide(|passes| {
            after.extend(passes.then_some(line));
            line += 1;
        });
        let first = scanned.partition_point(|line| (*line as usize) < from);
        assert_eq!(after, scanned[first..], "{query} from {from}");
        assert_eq!(line as usize, store.len().max(from));
    }
    scanned
}

#[test]
fn agrees_with_the_generators_truth() {
    let mut text = Vec::new();
    let truth = lambda_log::write(&mut text, 60_000, 7).unwrap();
    let store = opened(&text);
    assert_eq!(store.len(), truth.lines);
    let rows = store.invocations().rows();
    assert_eq!(rows.len(), truth.requests);
    let count = |status| rows.iter().filter(|row| row.status() == status).count();
    assert_eq!(count(Status::InFlight), 0);
    assert_eq!(
        (count(Status::Timeout), count(Status::OutOfMemory)),
        (truth.timeouts, truth.out_of_memory)
    );
    let figures = store.figures(0, None);
    assert_eq!(
        (figures.n, figures.errors, figures.cold),
        (truth.requests, truth.errors, truth.cold)
    );
    let ladder = figures.duration.unwrap();
    for (estimate, percent) in [(ladder.p50, 50), (ladder.p95, 95), (ladder.p99, 99)] {
        assert_eq!(
            estimate,
            Estimate::Measured(truth.percentile(percent)),
            "p{percent}"
        );
    }
    assert!(
        rows.iter().all(|row| row.lines >= 5),
        "every request has all its lines"
    );
    assert_eq!(found(&store, "level>=warn").len(), truth.warnings);
    assert_eq!(found(&store, lambda_log::NEEDLE).len(), truth.needles);
    assert_eq!(
        found(&store, &format!("~{}", lambda_log::NEEDLE_REGEX)).len(),
        truth.needles
    );
    let one = rows[truth.requests / 2].clone();
    assert_eq!(
        found(&store, &format!("request:{}", one.id)).len(),
        one.lines as usize
    );
}

#[test]
fn joins_continuation_lines_and_takes_a_last_line_without_newline() {
    let store = opened(
        format!("START RequestId: {ID} Version: 1\r\n[ERROR] KeyError: 'x'\nTraceback (most recent call last):\n  File \"a.py\"\nEND RequestId: {ID}\nREPORT RequestId: {ID}\tDuration: 1.50 ms\t\nXRAY TraceId: 1-2\tSegmentId: 3\tSampled: true\nlast").as_bytes(),
    );
    assert_eq!(store.len(), 5);
    assert_eq!(store.text(0), format!("START RequestId: {ID} Version: 1"));
    assert_eq!(
        store.text(1),
        "[ERROR] KeyError: 'x'\nTraceback (most recent call last):\n  File \"a.py\""
    );
    assert!(store.text(3).ends_with("Sampled: true"));
    assert_eq!(store.text(4), "last");
    assert_eq!(store.invocations().rows()[0].status(), Status::Error);
    assert_eq!(store.templates().rows()[0].text, "KeyError: <str>");
}

#[test]
fn reads_what_aws_logs_tail_prints() {
    let text = format!(
        "2026-10-08T07:30:29.470000+00:00 2026/10/08/[$LATEST]0a1b START RequestId: {ID} Version: 1\n\
         2026-10-08T07:30:29.480000+00:00 2026/10/08/[$LATEST]0a1b ❌ Error: bad\n\
         second line\n\
         2026-10-08T07:30:29.500000+00:00 2026/10/08/[$LATEST]0a1b REPORT RequestId: {ID}\tDuration: 30.00 ms\t\n\n"
    );
    let store = opened(text.as_bytes());
    assert_eq!(store.len(), 3);
    assert_eq!(store.text(1), "❌ Error: bad\nsecond line");
    assert_eq!(store.time(1), Some(1_791_444_629_480));
    assert_eq!(&**store.stream(1).1, "2026/10/08/[$LATEST]0a1b");
    assert_eq!(store.invocations().rows()[0].lines, 3);
    assert_eq!(found(&store, "/^START/"), [0]);
    assert_eq!(found(&store, "stream:0a1b level:error"), [1]);
}

#[test]
fn reads_exports_recordings_and_compressed_files() {
    let export = format!(
        "2026-10-08T07:30:29.470Z START RequestId: {ID} Version: 1\n2026-10-08T07:30:29.471Z hello\n"
    );
    let store = opened(export.as_bytes());
    assert_eq!(
        (store.text(1).as_str(), store.time(1).unwrap()),
        ("hello", 1_791_444_629_471)
    );

    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(export.as_bytes()).unwrap();
    let whole = gzip.finish().unwrap();
    let store = opened(&whole);
    assert_eq!((store.len(), store.text(1).as_str()), (2, "hello"));

    let recording = "{\"timestamp\":5,\"ingestionTime\":7,\"logStreamName\":\"s\",\"eventId\":\"b\",\"message\":\"two\\nlines\"}\n{\"timestamp\":5,\"ingestionTime\":7,\"logStreamName\":\"s\",\"eventId\":\"a\",\"message\":\"first\"}\nnonsense\n";
    let store = opened(recording.as_bytes());
    let texts: Vec<_> = store.lines().map(|line| store.text(line)).collect();
    assert_eq!(texts, ["first", "two\nlines"]);
    let event = store.event(store.at(1).unwrap()).unwrap();
    assert_eq!(
        (
            event.event_id.as_deref(),
            event.ingestion_time,
            &*event.stream
        ),
        (Some("b"), 7, "s")
    );
}

#[test]
fn survives_what_files_can_hold() {
    let mut text = b"\x00\xff\xfe\x1b[31mred\n".to_vec();
    text.extend(std::iter::repeat_n(b'x', 3 << 20));
    text.extend(b"\n\n   \n{\"level\":\"ERROR\"\n");
    let store = opened(&text);
    assert_eq!(store.len(), 3);
    assert_eq!(store.message(0), b"\x00\xff\xfe\x1b[31mred");
    assert!(store.row(1).unwrap().len() >= 3 << 20);
    assert_eq!(store.row(2).unwrap().level(), Level::Error);
    assert_eq!(found(&store, "red"), [0]);
    assert_eq!(found(&store, "xxxx"), [1]);
    assert!(opened(b"").is_empty());
    let missing = open(Path::new("no/such/file.log"), Path::new(".")).unwrap_err();
    assert!(
        missing
            .to_string()
            .starts_with("cannot read no/such/file.log: "),
        "{missing}"
    );
    assert!(
        open(Path::new("."), Path::new("."))
            .unwrap_err()
            .to_string()
            .contains("directory")
    );
}

#[test]
fn follows_growth_rotation_and_truncation() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.log");
    std::fs::write(&path, "one\ntw").unwrap();
    let mut opened = follow(&path, dir.path()).unwrap();
    assert_eq!(opened.store.len(), 1, "an unfinished line waits");
    let mut file = std::fs::OpenOptions::new()
        .append(true)
        .open(&path)
        .unwrap();
    file.write_all(b"o\nthree\n").unwrap();
    assert_eq!(opened.poll().unwrap(), Growth::Lines(2));
    assert_eq!(opened.store.text(1), "two");
    assert_eq!(opened.poll().unwrap(), Growth::Lines(0));

    std::fs::rename(&path, dir.path().join("x.log.1")).unwrap();
    file.write_all(b"four, after the rename\n").unwrap();
    std::fs::write(&path, "five\n").unwrap();
    assert_eq!(opened.poll().unwrap(), Growth::Rotated(2));
    let texts: Vec<_> = opened
        .store
        .lines()
        .map(|line| opened.store.text(line))
        .collect();
    assert_eq!(
        texts,
        ["one", "two", "three", "four, after the rename", "five"]
    );

    std::fs::write(&path, "6\n").unwrap();
    assert_eq!(opened.poll().unwrap(), Growth::Truncated);
}

#[test]
fn reads_a_stream_that_can_be_read_only_once() {
    let mut text = Vec::new();
    let truth = lambda_log::write(&mut text, 30_000, 3).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let mut store = Store::new(dir.path(), DEFAULT_CAP_BYTES);
    let mut inflow = Inflow::default();
    for piece in text.chunks(1_000) {
        inflow.push(piece, &mut store);
    }
    inflow.end(&mut store);
    assert_eq!(
        (store.len(), store.invocations().rows().len()),
        (truth.lines, truth.requests)
    );
    assert_eq!(found(&store, lambda_log::NEEDLE).len(), truth.needles);
}

#[test]
fn layers_include_and_exclude() {
    let store = opened(b"alpha one\nbeta one\nalpha two\nERROR alpha\n");
    let layer = |query: &str, exclude| super::super::Layer {
        exclude,
        want: Want::Query(Query::parse(query).unwrap()),
    };
    let filter = Filter {
        layers: vec![
            layer("alpha", false),
            layer("level>=error", true),
            layer("two", true),
        ],
    };
    assert_eq!(
        store.scan(&filter).matches().iter().collect::<Vec<_>>(),
        [0]
    );
    assert_eq!(found(&store, "!alpha"), [1]);
    let template = Filter {
        layers: vec![super::super::Layer {
            exclude: false,
            want: Want::Template(store.templates().rows()[0].text.clone()),
        }],
    };
    assert_eq!(
        store.scan(&template).matches().iter().collect::<Vec<_>>(),
        [3]
    );
}

#[test]
fn a_big_recording_is_read_whole_and_its_file_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.jsonl");
    let events: Vec<LogEvent> = (0..40)
        .map(|n| LogEvent {
            ingestion_time: 2_000 + n,
            event_id: Some(n.to_string().into()),
            // More in all than is kept in memory without a spool.
            ..event("s", 1_000 + n, format!("{n} {}", "x".repeat(1 << 20)))
        })
        .collect();
    let mut recorder = crate::store::recording::Recorder::create(&path).unwrap();
    recorder.write(&events).unwrap();
    let before = std::fs::read(&path).unwrap();
    for read in [open, follow] {
        let store = read(&path, dir.path()).unwrap().store;
        assert_eq!(store.trouble(), None);
        let got: Vec<_> = store.lines().filter_map(|line| store.event(line)).collect();
        assert!(got == events, "{} of {} events", got.len(), events.len());
    }
    assert!(std::fs::read(&path).unwrap() == before);
}

#[test]
fn a_file_written_anew_is_noticed_whatever_its_length() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.log");
    std::fs::write(&path, "first one\nfirst two\n").unwrap();
    let mut opened = follow(&path, dir.path()).unwrap();
    let mut file = std::fs::OpenOptions::new()
        .append(true)
        .open(&path)
        .unwrap();
    file.write_all(b"first three\n").unwrap();
    assert_eq!(opened.poll().unwrap(), Growth::Lines(1));
    std::fs::write(
        &path,
        "second file, longer than the first\nand so on and on\n",
    )
    .unwrap();
    assert_eq!(opened.poll().unwrap(), Growth::Truncated);
}

/// Everything that is made of a text.
fn told(store: &Store) -> String {
    let lines: Vec<_> = store.lines().collect();
    let rows = lines
        .iter()
        .map(|line| (store.row(*line), store.text(*line)));
    let rows: Vec<_> = rows
        .map(|(row, text)| {
            (
                row.map(|row| (row.time, row.level(), row.kind(), row.request)),
                text,
            )
        })
        .collect();
    format!(
        "{rows:#?}\n{:#?}\n{:#?}\n{:?}",
        store.invocations().rows(),
        store.templates().rows(),
        store.histogram(0, 1_000_000, 4)
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// A file that grows in any pieces, each looked at and shown as it is, reads in the end as it would whole.
    #[test]
    fn pieces_read_as_the_whole(form in 0..3, seed in 0_u64..100, cuts in proptest::collection::vec(0.0_f64..1.0, 0..12)) {
        let mut text = Vec::new();
        lambda_log::write(&mut text, 60, seed).unwrap();
        let mut text = String::from_utf8_lossy(&text).into_owned();
        if form == 1 {
            // As `aws logs tail` frames it.
            text = text.lines().map(|line| format!("2026-10-08T07:30:29.470000+00:00 2026/10/08/[$LATEST]0a1b {line}\n")).collect();
        } else if form == 2 {
            text = text.lines().enumerate().map(|(n, line)| {
                let event = LogEvent { ingestion_time: 0, ..event("s", n as i64, line) };
                serde_json::to_string(&event).unwrap() + "\n"
            }).collect();
        }
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.log");
        std::fs::write(&path, "").unwrap();
        let mut opened = open(&path, dir.path()).unwrap();
        let mut file = std::fs::OpenOptions::new().append(true).open(&path).unwrap();
        // The first lines tell the form and the first time: they come together.
        let first = text.match_indices('\n').nth(9).unwrap().0 + 1;
        let mut cuts: Vec<usize> = cuts
            .iter()
            .map(|cut| first + (cut * (text.len() - first) as f64) as usize)
            .chain([0, first, text.len()])
            .collect();
        cuts.sort_unstable();
        for piece in cuts.windows(2) {
            file.write_all(&text.as_bytes()[piece[0]..piece[1]]).unwrap();
            loop {
                match opened.growing.as_mut().unwrap().look(Unfinished::Now).unwrap() {
                    Found::Text(piece) => { opened.indexer.take_piece(&piece, &mut opened.store); }
                    Found::Nothing => break,
                    other => panic!("{other:?}"),
                }
            }
        }
        let whole = open(&path, dir.path()).unwrap();
        prop_assert_eq!(opened.skipped(), 0);
        let (pieces, whole) = (told(&opened.store), told(&whole.store));
        for (piece, whole) in pieces.lines().zip(whole.lines()) {
            prop_assert_eq!(piece, whole);
        }
        prop_assert_eq!(pieces.len(), whole.len());
    }
}

#[test]
fn an_unfinished_line_is_told_when_it_rests_and_goes_on_in_place() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.log");
    std::fs::write(&path, "one\n").unwrap();
    let mut opened = open(&path, dir.path()).unwrap();
    let mut file = std::fs::OpenOptions::new()
        .append(true)
        .open(&path)
        .unwrap();
    let mut append = |text: &str| file.write_all(text.as_bytes()).unwrap();
    let mut look = || {
        let found = opened.growing.as_mut().unwrap().look(Unfinished::WhenQuiet);
        match found.unwrap() {
            Found::Text(piece) => {
                let first = opened.indexer.take_piece(&piece, &mut opened.store);
                let texts: Vec<_> = opened
                    .store
                    .lines()
                    .map(|line| opened.store.text(line))
                    .collect();
                Some((first, texts))
            }
            Found::Nothing => None,
            other => panic!("{other:?}"),
        }
    };
    let texts = |texts: &[&str]| {
        texts
            .iter()
            .map(|text| (*text).to_owned())
            .collect::<Vec<_>>()
    };
    append("[ERROR] KeyEr");
    assert_eq!(look(), None, "it may go on at once");
    assert_eq!(look(), Some((1, texts(&["one", "[ERROR] KeyEr"]))));
    assert_eq!(look(), None, "told once");
    append("ror: 'x'\n");
    assert_eq!(look(), Some((1, texts(&["one", "[ERROR] KeyError: 'x'"]))));
    append("  File \"a.py\"\n");
    let whole = texts(&["one", "[ERROR] KeyError: 'x'\n  File \"a.py\""]);
    assert_eq!(
        look(),
        Some((1, whole)),
        "a stack trace goes on with its error"
    );
    assert_eq!(opened.store.templates().rows()[0].count, 1);
    assert_eq!(opened.store.templates().rows()[0].text, "KeyError: <str>");
}

#[test]
fn a_line_that_was_shown_does_not_grow() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = Store::new(dir.path(), DEFAULT_CAP_BYTES);
    let mut inflow = Inflow::default();
    inflow.push(b"[ERROR] KeyError: 'x'\nTrace", &mut store);
    inflow.push(b"back (most recent call last):\n", &mut store);
    assert_eq!(store.len(), 1);
    inflow.close_event();
    inflow.push(b"  File \"a.py\"\nno newline", &mut store);
    inflow.end(&mut store);
    let texts: Vec<_> = store.lines().map(|line| store.text(line)).collect();
    assert_eq!(
        texts,
        [
            "[ERROR] KeyError: 'x'\nTraceback (most recent call last):",
            "  File \"a.py\"",
            "no newline"
        ]
    );
}
