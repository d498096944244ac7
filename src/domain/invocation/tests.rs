//! Joining in order, late, and shuffled.

#![allow(clippy::unwrap_used, clippy::expect_used)]
use super::*;
use proptest::prelude::*;

fn id(n: u128) -> RequestId {
    RequestId(n)
}

fn feed(table: &mut Invocations, line: u32, stream: u16, time: i64, message: &str) -> Option<u32> {
    table.observe(
        line,
        stream,
        time,
        &Facts::read(message.as_bytes()),
        message.as_bytes(),
    )
}

fn script(n: u128) -> Vec<(i64, String)> {
    let id = id(n);
    vec![
        (
            100,
            "INIT_START Runtime Version: python:3.12.v30\tRuntime Version ARN: arn".to_owned(),
        ),
        (150, "loading the model".to_owned()),
        (200, format!("START RequestId: {id} Version: $LATEST")),
        (
            210,
            "❌ Error: could not convert string to float: 'x'".to_owned(),
        ),
        (240, format!("END RequestId: {id}")),
        (
            241,
            format!(
                "REPORT RequestId: {id}\tDuration: 41.75 ms\tBilled Duration: 42 ms\tMemory Size: 1024 MB\tMax Memory Used: 237 MB\tInit Duration: 98.5 ms\t"
            ),
        ),
    ]
}

#[test]
fn joins_a_cold_start_from_init_to_report() {
    let mut table = Invocations::default();
    for (line, (time, message)) in script(7).iter().enumerate() {
        feed(&mut table, line as u32, 0, *time, message);
    }
    assert_eq!(table.take_adopted(), [(0, 0), (1, 0)]);
    let row = &table.rows()[0];
    assert_eq!(
        (row.status(), row.lines, row.started, row.ended()),
        (Status::Error, 6, 200, Some(241))
    );
    assert_eq!(
        (row.duration_ms(), row.init_ms(), row.is_cold()),
        (Some(41.75), Some(98.5), true)
    );
    assert_eq!(
        (row.memory_mb(), row.max_memory_mb(), row.billed_ms),
        (1024, 237, 42)
    );
    assert_eq!(row.error_line(), Some(3));
    assert!(!row.failed(), "Lambda called it a success");
}

#[test]
fn tells_timeout_and_out_of_memory() {
    let mut table = Invocations::default();
    feed(
        &mut table,
        0,
        0,
        0,
        &format!("START RequestId: {} Version: 3", id(1)),
    );
    assert_eq!(table.rows()[0].status(), Status::InFlight);
    feed(
        &mut table,
        1,
        0,
        30_000,
        &format!(
            "1970-01-01T00:00:30.000Z {} Task timed out after 30.03 seconds\n\n",
            id(1)
        ),
    );
    assert_eq!(table.rows()[0].status(), Status::Timeout);
    feed(
        &mut table,
        2,
        1,
        5,
        &format!("START RequestId: {} Version: 3", id(2)),
    );
    feed(
        &mut table,
        3,
        1,
        9,
        &format!(
            "RequestId: {} Error: Runtime exited with error: signal: killed\nRuntime.ExitError",
            id(2)
        ),
    );
    assert_eq!(table.rows()[1].status(), Status::OutOfMemory);
    assert_eq!(table.rows()[1].error_line(), Some(3));
}

#[test]
fn lines_without_an_id_go_to_the_request_running_in_their_stream() {
    let mut table = Invocations::default();
    for (n, stream) in [(1, 0), (2, 1)] {
        feed(
            &mut table,
            n as u32,
            stream,
            10,
            &format!("START RequestId: {} Version: 3", id(n)),
        );
    }
    assert_eq!(feed(&mut table, 3, 1, 20, "hello"), Some(1));
    assert_eq!(feed(&mut table, 4, 0, 20, "hello"), Some(0));
    feed(
        &mut table,
        5,
        0,
        30,
        &format!("REPORT RequestId: {}\tDuration: 20.00 ms\t", id(1)),
    );
    feed(
        &mut table,
        6,
        0,
        40,
        &format!("START RequestId: {} Version: 3", id(3)),
    );
    assert_eq!(
        feed(&mut table, 7, 0, 25, "late"),
        Some(0),
        "by its time, not by its arrival"
    );
    assert_eq!(feed(&mut table, 8, 0, 45, "now"), Some(2));
}

/// One stream: (time, message) in order, and for each line the request it belongs to.
fn session(dice: &[(u8, u8)]) -> Vec<(i64, String, Option<u128>)> {
    let mut lines = Vec::new();
    let mut at = 0;
    for (n, (form, pause)) in (1_u128..).zip(dice) {
        let id = id(n);
        let mut say = |message: String| {
            at += 1 + i64::from(*pause % 3);
            lines.push((at, message, Some(n)));
        };
        if form % 4 == 0 {
            say("INIT_START Runtime Version: x".to_owned());
            say("loading".to_owned());
        }
        say(format!("START RequestId: {id} Version: 1"));
        for word in 0..form % 3 {
            say(format!("words {word}"));
        }
        if form % 5 == 0 {
            say("[ERROR] KeyError: 'x'".to_owned());
            say("[ERROR] and another".to_owned());
        }
        say(format!("END RequestId: {id}"));
        say(format!("REPORT RequestId: {id}\tDuration: 1.25 ms\t"));
        at += i64::from(pause % 7);
    }
    lines
}

/// A failed attempt of three seconds, and the retry a minute later; Lambda gives both the same id.
fn retried() -> Vec<(i64, String)> {
    let id = id(3);
    let start = format!("START RequestId: {id} Version: $LATEST");
    let report = |ms: u32, more: &str| {
        format!(
            "REPORT RequestId: {id}\tDuration: {ms} ms\tBilled Duration: {ms} ms\tMemory Size: 1024 MB\tMax Memory Used: 237 MB\t{more}"
        )
    };
    vec![
        (0, start.clone()),
        (1, format!("[ERROR] {id} boom")),
        (3_000, report(3_000, "Status: error\tError Type: X")),
        (63_000, start),
        (63_100, report(100, "")),
    ]
}

#[test]
fn every_attempt_at_a_retried_request_is_its_own_invocation() {
    let script = retried();
    // As they come; and as a history that is read upwards, page by page.
    for order in [[0, 1, 2, 3, 4], [3, 4, 0, 1, 2]] {
        let mut table = Invocations::default();
        for (line, at) in (0..).zip(order) {
            feed(&mut table, line, 0, script[at].0, &script[at].1);
        }
        let mut rows: Vec<_> = table
            .rows()
            .iter()
            .map(|row| (row.started, row.status(), row.duration_ms(), row.lines))
            .collect();
        rows.sort_by_key(|row| row.0);
        assert_eq!(
            rows,
            [
                (0, Status::Error, Some(3_000.0), 3),
                (63_000, Status::Ok, Some(100.0), 2)
            ]
        );
        assert_eq!(table.attempts(id(3)), [0, 1]);
        let figures = Figures::since(table.rows(), i64::MIN);
        let longest = figures.duration.map(|ladder| ladder.max);
        assert_eq!((figures.n, figures.errors, longest), (2, 1, Some(3_000.0)));
    }
}

#[test]
fn a_line_that_is_read_anew_is_no_retry() {
    let mut table = Invocations::default();
    for (line, (time, message)) in (0..).zip(script(7).split_off(2)) {
        feed(&mut table, line, 0, time, &message);
        let facts = Facts::read(message.as_bytes());
        table.withdraw(line, 0, &facts);
        feed(&mut table, line, 0, time, &message);
    }
    assert_eq!(table.rows().len(), 1);
    let row = &table.rows()[0];
    assert_eq!((row.lines, row.duration_ms()), (4, Some(41.75)));
}

proptest! {
    /// Lines that name no request find theirs however late START, END or they themselves come.
    #[test]
    fn a_late_start_or_end_changes_nothing_in_the_end(
        dice in proptest::collection::vec((any::<u8>(), any::<u8>()), 1..30),
        lags in proptest::collection::vec(0_i64..60, 240),
    ) {
        let lines = session(&dice);
        let mut order: Vec<usize> = (0..lines.len()).collect();
        order.sort_by_key(|&n| lines[n].0 + lags[n % lags.len()]);
        let join = |order: &[usize]| {
            let mut table = Invocations::default();
            let mut homes = vec![None; order.len()];
            for (line, &n) in order.iter().enumerate() {
                homes[n] = feed(&mut table, line as u32, 0, lines[n].0, &lines[n].1);
                for (line, home) in table.take_adopted() {
                    homes[order[line as usize]] = (home != NONE).then_some(home);
                }
            }
            let ids: Vec<Option<u128>> =
                homes.iter().map(|home| home.map(|at| table.rows()[at as usize].id.0)).collect();
            let mut rows: Vec<_> = table
                .rows()
                .iter()
                .map(|r| (r.id, r.status(), r.lines, r.is_cold(), r.started, r.ended(), r.error_line().map(|line| order[line as usize])))
                .collect();
            rows.sort_by_key(|row| row.0);
            (ids, rows)
        };
        let late = join(&order);
        let in_order = join(&(0..lines.len()).collect::<Vec<_>>());
        prop_assert_eq!(&late, &in_order);
        let truth: Vec<Option<u128>> = lines.iter().map(|line| line.2).collect();
        prop_assert_eq!(&late.0, &truth);
    }

    /// Whatever the order of arrival, the joined invocation is the same.
    #[test]
    fn order_of_arrival_does_not_matter(order in Just((0..6_usize).collect::<Vec<_>>()).prop_shuffle()) {
        let script = script(9);
        let mut table = Invocations::default();
        for (line, at) in order.iter().enumerate() {
            feed(&mut table, line as u32, 0, script[*at].0, &script[*at].1);
        }
        prop_assert_eq!(table.rows().len(), 1);
        let row = &table.rows()[0];
        prop_assert_eq!((row.status(), row.lines, row.ended()), (Status::Error, 6, Some(241)));
        prop_assert_eq!((row.duration_ms(), row.is_cold(), row.max_memory_mb()), (Some(41.75), true, 237));
        prop_assert_eq!(row.error_line().map(|line| order[line as usize]), Some(3));
    }

    #[test]
    fn any_lines_are_safe(lines in proptest::collection::vec((0_u16..3, -5_i64..50, 0_u128..4, 0_u8..6), 0..60)) {
        let mut table = Invocations::default();
        for (line, (stream, time, n, form)) in lines.into_iter().enumerate() {
            let message = match form {
                0 => format!("START RequestId: {} Version: 1", id(n)),
                1 => format!("END RequestId: {}", id(n)),
                2 => format!("REPORT RequestId: {}\tDuration: 1 ms\t", id(n)),
                3 => "INIT_START Runtime Version: x".to_owned(),
                4 => "[ERROR] KeyError: 'x'".to_owned(),
                _ => "words".to_owned(),
            };
            if let Some(at) = feed(&mut table, line as u32, stream, time, &message) {
                prop_assert!((at as usize) < table.rows().len());
            }
        }
    }
}
