//! What stands around a message in a file: our own print, a byte order mark, an archive.

use super::*;

/// What `vintner logs > FILE` leaves: of one group, and of several.
#[test]
fn reads_its_own_print_back() {
    for group in ["", "wine "] {
        let frame = |second: u32| format!("2026-10-08T07:30:{second:02}.470Z {group}c7d2e411");
        let text = format!(
            "{} START RequestId: {ID} Version: 1\n{} [ERROR] KeyError: 'x'\n    Traceback (most recent call last):\n{} {{\"level\":\"INFO\",\"message\":\"hi\"}}\n{} REPORT RequestId: {ID}\tDuration: 41.75 ms\tBilled Duration: 42 ms\tMemory Size: 1024 MB\tMax Memory Used: 237 MB\t\n",
            frame(29),
            frame(29),
            frame(30),
            frame(31)
        );
        let store = opened(text.as_bytes());
        assert_eq!(store.len(), 4);
        assert_eq!(&*store.stream(0).1.clone(), "c7d2e411");
        assert!(store.text(1).starts_with("[ERROR] KeyError: 'x'\n"));
        assert_eq!(store.time(3).unwrap() - store.time(0).unwrap(), 2_000);
        let row = &store.invocations().rows()[0];
        assert_eq!(
            (row.status(), row.duration_ms(), row.lines),
            (Status::Error, Some(41.75), 4)
        );
    }
    // A word of the message's own that looks like a stream's: not on every line.
    let raw = "2026-10-08T07:30:29.470Z deadbeef was here\n2026-10-08T07:30:30.470Z and went\n";
    assert_eq!(opened(raw.as_bytes()).text(0), raw.lines().next().unwrap());
}

#[test]
fn a_damaged_archive_keeps_what_can_be_read_and_says_so() {
    let lines: String = (0..5_000)
        .map(|n| format!("line {n} {}\n", n * 7919))
        .collect();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(lines.as_bytes()).unwrap();
    let whole = gzip.finish().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.log.gz");
    let read = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        open(&path, dir.path()).unwrap()
    };
    assert_eq!(
        (read(&whole).store.len(), read(&whole).damage),
        (5_000, None)
    );
    let half = read(&whole[..whole.len() / 2]);
    assert!(half.store.len() > 1_000 && half.store.len() < 5_000);
    assert_eq!(half.store.text(999), lines.lines().nth(999).unwrap());
    let damage = half.damage.unwrap();
    assert!(damage.contains("x.log.gz is damaged after "), "{damage}");
    let mut trailed = whole;
    trailed.extend(b"garbage");
    let trailed = read(&trailed);
    assert!(trailed.store.len() == 5_000 && trailed.damage.is_some());
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_text() {
    let start = format!("\u{feff}START RequestId: {ID} Version: 1\r\nEND RequestId: {ID}\r\n");
    let store = opened(start.as_bytes());
    assert_eq!(store.invocations().rows()[0].lines, 2);
    assert!(store.text(0).starts_with("START"));
    let json = opened("\u{feff}{\"level\":\"ERROR\",\"message\":\"boom\"}\n".as_bytes());
    assert_eq!(json.row(0).unwrap().level(), Level::Error);
    let event = "\u{feff}{\"timestamp\":7,\"ingestionTime\":8,\"message\":\"x\"}\n";
    let recording = opened(event.as_bytes());
    assert_eq!(
        (recording.text(0).as_str(), recording.time(0)),
        ("x", Some(7))
    );
}
