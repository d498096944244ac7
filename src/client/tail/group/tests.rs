//! Hours of tailing against a model of CloudWatch that delivers late, in virtual time.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use proptest::prelude::*;
use rand::Rng;

use super::*;

mod cloud;

use cloud::{Cloud, ServerOrder, drive, event, span, tail};

const START: i64 = 1_790_000_000_000;

fn throttled() -> AwsError {
    AwsError::Throttled {
        action: "logs:FilterLogEvents".to_owned(),
        code: "ThrottlingException".to_owned(),
    }
}

fn expired() -> AwsError {
    AwsError::CredentialsExpired {
        profile: Some("prod".to_owned()),
        command: "aws sso login --profile prod".to_owned(),
    }
}

fn cut() -> AwsError {
    AwsError::Network {
        subject: String::new(),
        fault: crate::client::errors::NetworkFault::Refused,
        detail: String::new(),
    }
}

/// A minute of traffic and two of silence, starting ten seconds in.
fn follow(cloud: &mut Cloud) -> cloud::Shown {
    let began = START + 10_000;
    let mut machine = tail(span(START, true, true), began);
    drive(&mut machine, cloud, began, START + 180_000, &[])
}

#[test]
fn realistic_lag_loses_and_doubles_nothing() {
    for seed in 0..5 {
        let mut cloud = Cloud::with_realistic_lag(75, 60, &mut StdRng::seed_from_u64(seed));
        cloud.page = 10_000;
        let shown = follow(&mut cloud);
        shown.assert_exact(&cloud, START);
        let median = shown.median_delay(&cloud);
        assert!(median < 1_000, "median {median} ms after visibility");
    }
}

#[test]
fn every_trouble_is_survived_and_named() {
    type Names = fn(&Status) -> bool;
    let cases: [(AwsError, i64, Names); 4] = [
        (throttled(), 12_000, |s| {
            matches!(s, Status::Throttled { .. })
        }),
        (
            expired(),
            6_000,
            |s| matches!(s, Status::CredentialsExpired { command } if command.ends_with("prod")),
        ),
        (cut(), 20_000, |s| matches!(s, Status::Unreachable { .. })),
        (
            AwsError::NotFound {
                subject: String::new(),
                region: String::new(),
            },
            9_000,
            |s| matches!(s, Status::WaitingForGroup { .. }),
        ),
    ];
    for (error, lasts, names) in cases {
        let mut cloud = Cloud::with_realistic_lag(75, 60, &mut StdRng::seed_from_u64(3));
        cloud.troubles = vec![(START + 25_000..=START + 25_000 + lasts, error.clone())];
        let shown = follow(&mut cloud);
        shown.assert_exact(&cloud, START);
        assert!(shown.statuses.iter().any(names), "{error}");
        assert!(!shown.statuses.last().unwrap().is_trouble());
    }
}

#[test]
fn a_night_of_sleep_is_caught_up() {
    let mut cloud = Cloud::with_realistic_lag(2, 3_600, &mut StdRng::seed_from_u64(5));
    cloud.troubles = vec![(START + 25_000..=START + 3_500_000, cut())];
    let mut machine = tail(span(START, true, true), START + 10_000);
    let shown = drive(
        &mut machine,
        &mut cloud,
        START + 10_000,
        START + 3_900_000,
        &[],
    );
    shown.assert_exact(&cloud, START);
}

#[test]
fn a_clock_ahead_of_the_servers_delays_nothing() {
    let mut cloud = Cloud::with_realistic_lag(20, 60, &mut StdRng::seed_from_u64(4));
    cloud.page = 10_000;
    let began = START + 10_000;
    // Until its first answer nobody knows what time it is at the server.
    let mut machine = tail(span(START, true, true), began + 60_000);
    assert!(matches!(machine.next(began + 60_000), Step::Ask(_)));
    let shown = drive(&mut machine, &mut cloud, began, START + 180_000, &[]);
    shown.assert_exact(&cloud, START);
    let median = shown.median_delay(&cloud);
    assert!(median < 1_000, "median {median} ms after visibility");
}

#[test]
fn a_clock_skew_is_waited_for() {
    let mut cloud = Cloud::with_realistic_lag(20, 60, &mut StdRng::seed_from_u64(6));
    let error = AwsError::ClockSkew {
        detail: String::new(),
    };
    cloud.troubles = vec![(START + 25_000..=START + 45_000, error)];
    let shown = follow(&mut cloud);
    shown.assert_exact(&cloud, START);
    let named = |s: &Status| matches!(s, Status::ClockWrong { .. });
    assert!(shown.statuses.iter().any(named));
}

#[test]
fn without_event_ids_lines_are_counted() {
    let mut cloud = Cloud::with_realistic_lag(75, 60, &mut StdRng::seed_from_u64(9));
    cloud.ids = false;
    follow(&mut cloud).assert_exact(&cloud, START);
}

#[test]
fn history_comes_complete_whatever_order_the_server_has() {
    use ServerOrder::{Descending, IgnoresStartFromHead, NewestPageSortedForwards};
    for order in [Descending, NewestPageSortedForwards, IgnoresStartFromHead] {
        for newest_first in [true, false] {
            for (empty_every, snapshots) in [(0, true), (3, false)] {
                let mut cloud = Cloud::with_realistic_lag(20, 300, &mut StdRng::seed_from_u64(11));
                (cloud.order, cloud.empty_every, cloud.snapshots) = (order, empty_every, snapshots);
                let began = START + 200_000;
                let mut machine = tail(span(START, true, newest_first), began);
                let shown = drive(&mut machine, &mut cloud, began, START + 480_000, &[]);
                shown.assert_exact(&cloud, START);
            }
        }
    }
}

#[test]
fn a_willing_server_shows_the_newest_page_first() {
    for order in [
        ServerOrder::Descending,
        ServerOrder::NewestPageSortedForwards,
    ] {
        let mut cloud = Cloud::with_realistic_lag(20, 300, &mut StdRng::seed_from_u64(11));
        cloud.order = order;
        let began = START + 200_000;
        let mut machine = tail(span(START, true, true), began);
        let shown = drive(&mut machine, &mut cloud, began, began + 60, &[]);
        assert_eq!(shown.events.len(), cloud.page);
        assert!(
            shown
                .events
                .iter()
                .all(|(event, _)| event.timestamp > began - 20_000)
        );
    }
}

#[test]
fn text_comes_in_order_and_ends() {
    let mut cloud = Cloud::with_realistic_lag(20, 100, &mut StdRng::seed_from_u64(11));
    let mut machine = tail(span(START, false, false), START + 200_000);
    let shown = drive(&mut machine, &mut cloud, START + 200_000, i64::MAX, &[]);
    shown.assert_exact(&cloud, START);
    assert!(shown.events.is_sorted_by_key(|(event, _)| event.timestamp));
    assert_eq!(machine.status(), Status::Complete);
}

#[test]
fn a_refused_token_goes_on_where_it_was() {
    let refused = AwsError::Invalid {
        action: String::new(),
        subject: String::new(),
        code: "InvalidParameterException".to_owned(),
        detail: "The specified nextToken is invalid.".to_owned(),
    };
    for newest_first in [true, false] {
        let mut cloud = Cloud::with_realistic_lag(50, 60, &mut StdRng::seed_from_u64(2));
        let began = START + 100_000;
        // One call somewhere in the middle of the history.
        cloud.troubles = vec![(began + 300..=began + 330, refused.clone())];
        let mut machine = tail(span(START, true, newest_first), began);
        let shown = drive(&mut machine, &mut cloud, began, began + 60_000, &[]);
        shown.assert_exact(&cloud, START);
        assert!(cloud.calls > 5);
    }
}

#[test]
fn a_rejected_pattern_is_an_error_at_once() {
    let mut machine = tail(span(START, true, true), START);
    assert!(matches!(machine.next(START), Step::Ask(_)));
    let error = AwsError::Invalid {
        action: String::new(),
        subject: String::new(),
        code: "InvalidParameterException".to_owned(),
        detail: "Invalid filter pattern".to_owned(),
    };
    machine.failed(START, &error);
    assert_eq!(machine.next(START), Step::GiveUp(error));
}

#[test]
fn bounded_patience_reports_what_a_script_must_know() {
    let bounded = |follow| {
        GroupTail::new(
            "g".into(),
            None,
            span(START, follow, false),
            Patience::Bounded,
            START,
            1,
        )
    };
    for (error, follow) in [
        (expired(), true),
        (cut(), true),
        (
            AwsError::NotFound {
                subject: String::new(),
                region: String::new(),
            },
            false,
        ),
    ] {
        let mut machine = bounded(follow);
        let mut now = START;
        let gave_up = loop {
            match machine.next(now) {
                Step::Ask(_) => machine.failed(now, &error),
                Step::Wait(until) => now = until,
                Step::GiveUp(error) => break error,
                Step::Done => panic!("done"),
            }
        };
        assert_eq!(gave_up, error);
        assert!(now - START < 10_000);
    }
}

#[test]
fn a_sparse_pattern_does_not_search_from_the_beginning_again() {
    let mut cloud = Cloud::with_realistic_lag(1, 1, &mut StdRng::seed_from_u64(1));
    cloud.events.clear();
    let mut machine = tail(span(START - 86_400_000, true, true), START);
    let mut now = START;
    let mut starts = Vec::new();
    while now < START + 60_000 {
        match machine.next(now) {
            Step::Ask(request) => {
                starts.push(now - request.start);
                now += 60;
                machine.page(now, Page::default());
            }
            Step::Wait(at) => now = at,
            step => panic!("{step:?}"),
        }
    }
    assert!(
        starts[1..].iter().all(|back| *back <= 125_000),
        "{starts:?}"
    );
    assert!(starts.len() < 40, "idle polls slow down: {}", starts.len());
}

#[test]
fn memory_stays_bounded() {
    let mut cloud = Cloud::with_realistic_lag(5, 7_200, &mut StdRng::seed_from_u64(4));
    let mut machine = tail(span(START, true, true), START);
    let shown = drive(&mut machine, &mut cloud, START, START + 7_200_000, &[]);
    assert!(shown.events.len() > 30_000);
    assert!(machine.seen.len() < 5 * 1_300, "{}", machine.seen.len());
}

#[test]
fn a_clock_that_runs_ahead_or_an_event_from_the_future_hides_nothing() {
    let mut cloud = Cloud::with_realistic_lag(20, 60, &mut StdRng::seed_from_u64(6));
    let mut future = event(START + 3_600_000, &"s".into(), 999_999);
    future.ingestion_time = START + 20_000;
    cloud.events.push((future, START + 20_000));
    follow(&mut cloud).assert_exact(&cloud, START);
}

#[test]
fn live_tail_and_poller_merge_without_doubles_and_fill_its_holes() {
    for seed in 0..3 {
        let mut dice = StdRng::seed_from_u64(seed);
        let mut cloud = Cloud::with_realistic_lag(40, 60, &mut dice);
        // Live Tail drops a third, and delivers the rest within a second of visibility, before or after the poller.
        let mut live: Vec<(i64, LogEvent)> = cloud
            .events
            .iter()
            .filter(|(_, visible)| *visible > START + 12_000)
            .map(|(event, visible)| {
                (
                    visible + i64::from(event.timestamp % 3 == 0) * 900,
                    event.clone(),
                )
            })
            .filter(|(_, event)| event.timestamp % 3 != 1)
            .collect();
        for (_, event) in &mut live {
            event.event_id = None;
            event.ingestion_time += 5;
        }
        live.sort_by_key(|(at, _)| *at);
        let began = START + 10_000;
        let mut machine = tail(span(START, true, true), began);
        machine.expect_live_tail();
        let shown = drive(&mut machine, &mut cloud, began, START + 180_000, &live);
        shown.assert_exact(&cloud, START);
        assert!(
            shown
                .events
                .iter()
                .any(|(event, _)| event.event_id.is_none()),
            "some came live"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_lag_within_the_sweeps_and_any_trouble_is_exact(
        seed in any::<u64>(),
        lags in proptest::collection::vec(0_i64..100_000, 50..200),
        cut_at in 0_i64..60_000,
        cut_for in 0_i64..30_000,
        ids in any::<bool>(),
        since_back in 0_i64..30_000,
    ) {
        let mut dice = StdRng::seed_from_u64(seed);
        let mut cloud = Cloud::with_realistic_lag(1, 1, &mut dice);
        cloud.events = lags.iter().enumerate().map(|(n, lag)| {
            let at = START + dice.gen_range(0..60_000);
            (event(at, &format!("s{}", n % 3).into(), n), at + lag)
        }).collect();
        cloud.ids = ids;
        cloud.troubles = vec![(START + cut_at..=START + cut_at + cut_for, cut())];
        let began = START + 10_000;
        let since = began - since_back;
        let mut machine = tail(span(since, true, seed % 2 == 0), began);
        drive(&mut machine, &mut cloud, began, START + 240_000, &[]).assert_exact(&cloud, since);
    }
}
