//! The tail and the CloudWatch Logs client against the real sandbox, in real time.

use std::time::Duration;

use vintner::client::errors::{AwsError, NetworkFault};
use vintner::client::logs::{LogsClient, PageRequest};
use vintner::client::tail::{LiveTail, Span, Status};
use vintner::sandbox::{Incident, Options};

use crate::support::tailing::{
    Shown, Tail, Writer, assert_exact, config, following, key, logs, now, sandbox, stored,
};

const GROUP: &str = "/test/tail";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn realistic_lag_with_throttling_expiry_and_a_cut_loses_and_doubles_nothing() {
    let options = Options {
        rate: 15.0,
        speed: 3.0,
        empty_pages: 0.05,
        ..Options::quiet()
    };
    let sandbox = sandbox(options).await;
    let began = now();
    let tail = Tail::start(
        &sandbox,
        &sandbox.log_group(),
        following(began - 60_000),
        false,
    );
    tail.until("first lines", 60, |shown| shown.events.len() > 30)
        .await;

    sandbox.set_incident(Some(Incident::Throttling));
    tail.until("throttled", 60, |s| {
        s.statuses
            .iter()
            .any(|s| matches!(s, Status::Throttled { .. }))
    })
    .await;
    tokio::time::sleep(Duration::from_secs(12)).await;
    sandbox.set_incident(Some(Incident::CredentialsExpired));
    let renewal = "aws sso login --profile prod";
    tail.until("expired", 60, |s| {
        s.statuses
            .iter()
            .any(|s| matches!(s, Status::CredentialsExpired { command } if command == renewal))
    })
    .await;
    tokio::time::sleep(Duration::from_secs(6)).await;
    sandbox.set_incident(None);
    tail.until("live again", 60, |s| {
        matches!(s.statuses.last(), Some(Status::Live(_)))
    })
    .await;
    sandbox.unplug(true);
    tail.until("unreachable", 60, |s| {
        s.statuses
            .iter()
            .any(|s| matches!(s, Status::Unreachable { .. }))
    })
    .await;
    sandbox.unplug(false);

    let end = now();
    // At this speed a line takes at most 2 s to be flushed and 4 s more if it straggles.
    tokio::time::sleep(Duration::from_secs(7)).await;
    let truth = stored(&logs(&sandbox), &sandbox.log_group(), end).await;
    let count = |shown: &Shown| {
        shown
            .events
            .iter()
            .filter(|(event, _)| event.timestamp <= end)
            .count()
    };
    tail.until("everything", 60, |shown| count(shown) >= truth.len())
        .await;
    let shown = tail.stop().await;
    assert!(truth.len() > 500, "{}", truth.len());
    let up_to_end = shown
        .events
        .iter()
        .map(|(event, _)| event)
        .filter(|event| event.timestamp <= end);
    assert_exact(up_to_end, truth.iter().map(key));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bursts_new_streams_and_stragglers_are_shown_once_with_and_without_live_tail() {
    let options = Options {
        live_tail_session: Duration::from_secs(500),
        ..Options::quiet()
    };
    let sandbox = sandbox(options).await;
    let scenario = async |live: bool| {
        let group = format!("{GROUP}/{live}");
        let mut writer = Writer::new(&sandbox, &group).await;
        let tail = Tail::start(&sandbox, &group, following(now() - 60_000), live);
        let is_live = |s: &Shown| matches!(s.statuses.last(), Some(Status::Live(p)) if !live || p.live_tail == LiveTail::Open);
        tail.until("following", 60, is_live).await;
        for step in 0..80_i64 {
            let stream = format!("stream-{}", step / 10);
            if step % 10 == 0 {
                writer.stream(&stream).await;
            }
            let at = now();
            // A burst within one millisecond, of equal texts too.
            let mut events: Vec<(i64, String)> =
                (0..20).map(|n| (at, format!("line {}", n % 5))).collect();
            if step % 8 == 3 {
                events.push((at - 3_000 - step * 200, "straggler".to_owned()));
            }
            if step % 20 == 10 {
                events = (0..2_000).map(|n| (at, format!("storm {n}"))).collect();
            }
            writer.put(&stream, events).await;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        tail.until("everything", 60, |shown| {
            shown.events.len() >= writer.written.len()
        })
        .await;
        // Doubles would come with the next sweeps.
        let sweep = now();
        tail.until("a later sweep", 60, |s| {
            matches!(s.statuses.last(), Some(Status::Live(p)) if p.searched_to > sweep + 16_000)
        })
        .await;
        let shown = tail.stop().await;
        shown.assert_is(&writer);
        shown
    };
    let (polled, live) = tokio::join!(scenario(false), scenario(true));
    assert!(
        polled
            .events
            .iter()
            .all(|(event, _)| event.event_id.is_some())
    );
    assert!(
        live.events
            .iter()
            .any(|(event, _)| event.event_id.is_none()),
        "Live Tail took part"
    );
    let sampled = |s: &Status| matches!(s, Status::Live(p) if p.sampled > 0);
    assert!(
        live.statuses.iter().any(sampled),
        "a storm is sampled, and yet complete"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn live_tail_goes_on_and_off_within_a_running_tail_over_globs() {
    let sandbox = sandbox(Options {
        live_tail_session: Duration::from_secs(500),
        ..Options::quiet()
    })
    .await;
    let tail = Tail::start(&sandbox, "/test/*", following(now() - 1_000), false);
    tail.until("waiting for a match", 30, |s| {
        matches!(s.statuses.last(), Some(Status::WaitingForGroup { .. }))
    })
    .await;
    let mut writer = Writer::new(&sandbox, GROUP).await;
    writer.stream("s").await;
    for (live_tail, wanted) in [
        (false, LiveTail::Off),
        (true, LiveTail::Open),
        (false, LiveTail::Off),
    ] {
        tail.wishes
            .send_modify(|wishes| wishes.live_tail = live_tail);
        tail.until(
            "the wish",
            30,
            |s| matches!(s.statuses.last(), Some(Status::Live(p)) if p.live_tail == wanted),
        )
        .await;
        writer.put("s", vec![(now(), format!("{wanted:?}"))]).await;
        tail.until("its line", 30, |shown| {
            shown.events.len() == writer.written.len()
        })
        .await;
    }
    let shown = tail.stop().await;
    shown.assert_is(&writer);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn live_tail_sessions_that_end_early_leave_no_hole() {
    let options = Options {
        live_tail_session: Duration::from_secs(2),
        speed: 1.0,
        ..Options::quiet()
    };
    let sandbox = sandbox(options).await;
    let mut writer = Writer::new(&sandbox, GROUP).await;
    writer.stream("s").await;
    let tail = Tail::start(&sandbox, GROUP, following(now() - 1_000), true);
    for n in 0..60 {
        writer.put("s", vec![(now(), format!("line {n}"))]).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let shown = tail.exactly(writer, 30).await;
    assert!(
        shown
            .events
            .iter()
            .any(|(event, _)| event.event_id.is_none()),
        "Live Tail took part"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_a_sampled_live_tail_ended_sessions_and_a_cut_network_lose_nothing() {
    let scenario = async |incident: Incident, bites: fn(&Shown) -> bool| {
        let options = Options {
            rate: 20.0,
            speed: 6.0,
            ..Options::quiet()
        };
        let sandbox = sandbox(options).await;
        let group = sandbox.log_group();
        let tail = Tail::start(&sandbox, &group, following(now() - 1_000), true);
        let is_open = |s: &Status| matches!(s, Status::Live(p) if p.live_tail == LiveTail::Open);
        tail.until("Live Tail and traffic", 30, |s| {
            s.events.len() > 50 && s.statuses.iter().any(is_open)
        })
        .await;
        sandbox.set_incident(Some(incident));
        tail.until(incident.name(), 30, bites).await;
        sandbox.set_incident(None);
        let end = now();
        // At this speed a line takes at most 1 s to be flushed and 2 s more if it straggles.
        tokio::time::sleep(Duration::from_millis(3_200)).await;
        let truth = stored(&logs(&sandbox), &group, end).await;
        let up_to_end = |shown: &Shown| {
            let events = shown.events.iter().map(|(event, _)| event.clone());
            events
                .filter(|event| event.timestamp <= end)
                .collect::<Vec<_>>()
        };
        tail.until("everything", 60, |s| up_to_end(s).len() >= truth.len())
            .await;
        let shown = tail.stop().await;
        assert!(truth.len() > 50, "{incident}: {}", truth.len());
        assert_exact(up_to_end(&shown).iter(), truth.iter().map(key));
    };
    tokio::join!(
        scenario(Incident::LogFlood, |s| s.events.len() > 3_000),
        scenario(Incident::LiveTailSampled, |s| {
            let sampled = |s: &Status| matches!(s, Status::Live(p) if p.sampled > 0);
            s.statuses.iter().any(sampled)
        }),
        scenario(Incident::LiveTailEnds, |s| {
            let opened = |s: &Status| matches!(s, Status::Live(p) if p.live_tail == LiveTail::Open);
            let after = s.statuses.iter().skip_while(|s| !opened(s));
            after.skip_while(|s| opened(s)).any(opened)
        }),
        scenario(Incident::NetworkCut, |s| {
            let unreachable = |s: &Status| matches!(s, Status::Unreachable { .. });
            s.statuses.iter().any(unreachable)
        }),
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_history_comes_whole_newest_page_first_or_in_order() {
    let sandbox = sandbox(Options {
        empty_pages: 0.2,
        ..Options::quiet()
    })
    .await;
    let mut writer = Writer::new(&sandbox, GROUP).await;
    writer.stream("s").await;
    let start = now() - 3_600_000;
    for batch in 0..6_i64 {
        let events = (0..5_000).map(|n| {
            (
                start + (batch * 5_000 + n) * 100,
                format!("line {}", batch * 5_000 + n),
            )
        });
        writer.put("s", events.collect()).await;
    }
    for newest_first in [true, false] {
        let span = Span {
            since: start,
            until: Some(now()),
            follow: false,
            newest_first,
        };
        let tail = Tail::start(&sandbox, GROUP, span, false);
        tail.until("the end", 60, |s| {
            matches!(s.statuses.last(), Some(Status::Complete))
        })
        .await;
        let shown = tail.stop().await;
        shown.assert_is(&writer);
        let first = &shown.events[0].0.message;
        assert_eq!(first == "line 0", !newest_first, "begins with {first}");
        let in_order = shown.events.is_sorted_by_key(|(event, _)| event.timestamp);
        assert!(newest_first || in_order);
    }
}

#[tokio::test]
async fn a_missing_group_is_waited_for() {
    let sandbox = sandbox(Options::quiet()).await;
    let tail = Tail::start(&sandbox, GROUP, following(now() - 1_000), false);
    tail.until("waiting", 60, |s| {
        s.statuses
            .iter()
            .any(|s| matches!(s, Status::WaitingForGroup { group } if &**group == GROUP))
    })
    .await;
    let mut writer = Writer::new(&sandbox, GROUP).await;
    writer.stream("s").await;
    writer.put("s", vec![(now(), "here".to_owned())]).await;
    tail.until("the line", 60, |shown| shown.events.len() == 1)
        .await;
    tail.stop().await;
}

/// A minute of 1000 events a second with the lag of real streams. `cargo test --test it -- --ignored a_thousand`
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes a minute and a half"]
async fn a_thousand_events_a_second_for_a_minute() {
    let sandbox = sandbox(Options::quiet()).await;
    let mut writer = Writer::new(&sandbox, GROUP).await;
    let tail = Tail::start(&sandbox, GROUP, following(now() - 1_000), false);
    for stream in 0..8 {
        writer.stream(&format!("s{stream}")).await;
    }
    let mut flushed = [now(); 8];
    let started = now();
    while now() < started + 60_000 {
        for (stream, flushed) in flushed.iter_mut().enumerate() {
            // Each stream flushes with a period of its own, 0.5 to 6 s, 125 events a second.
            let period = 500 + stream as i64 * 785;
            if now() < *flushed + period {
                continue;
            }
            let (from, to) = (*flushed, now());
            *flushed = to;
            let events =
                (0..(to - from) / 8).map(|n| (from + n * 8, format!("{stream}/{}", from + n * 8)));
            writer.put(&format!("s{stream}"), events.collect()).await;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    tail.exactly(writer, 60).await;
}

#[tokio::test]
async fn groups_are_found_by_glob_and_named_by_arn() {
    let sandbox = sandbox(Options::quiet()).await;
    let client = logs(&sandbox);
    Writer::new(&sandbox, "/other/wine").await;
    let names = async |glob: &str| {
        let groups = client.groups(glob).await.unwrap();
        groups
            .into_iter()
            .map(|group| group.name)
            .collect::<Vec<_>>()
    };
    let of_lambda = names("/aws/lambda/*").await;
    assert!(of_lambda.contains(&sandbox.log_group()), "{of_lambda:?}");
    assert!(!of_lambda.contains(&"/other/wine".to_owned()));
    assert_eq!(names("*wine*").await.len(), of_lambda.len() + 1);
    assert!(
        names("/aws/lambda").await.is_empty(),
        "a name is not a prefix"
    );
    let arn = client.group_arn("/other/wine").await.unwrap();
    assert!(
        arn.starts_with("arn:aws:logs:us-east-2:") && arn.ends_with(":log-group:/other/wine"),
        "{arn}"
    );
}

#[tokio::test]
async fn every_refusal_names_its_remedy() {
    let sandbox = sandbox(Options::quiet()).await;
    let client = logs(&sandbox);
    let request = PageRequest {
        group: sandbox.log_group().into(),
        pattern: None,
        start: 0,
        end: None,
        newest_first: false,
        token: None,
    };
    for (incident, wanted) in [
        (Incident::CredentialsExpired, "aws sso login --profile prod"),
        (Incident::AccessDenied, "logs:FilterLogEvents"),
        (Incident::WrongRegion, "not found in us-east-2"),
        (Incident::ClockSkew, "clock"),
        (Incident::Throttling, "throttled"),
    ] {
        sandbox.set_incident(Some(incident));
        let error = client.page(&request).await.unwrap_err().to_string();
        assert!(error.contains(wanted), "{incident}: {error}");
    }
    sandbox.set_incident(None);
    let pattern = PageRequest {
        pattern: Some("{ $.level = ".into()),
        ..request.clone()
    };
    let error = client.page(&pattern).await.unwrap_err();
    assert!(matches!(error, AwsError::Invalid { .. }), "{error}");
    let error = client
        .start_query(&[sandbox.log_group()], "filtr x", 0, now())
        .await
        .unwrap_err();
    assert!(matches!(error, AwsError::Invalid { .. }), "{error}");
    let nobody = LogsClient::new(&config("http://127.0.0.1:1"), true, None);
    let error = nobody.page(&request).await.unwrap_err();
    assert!(
        matches!(
            error,
            AwsError::Network {
                fault: NetworkFault::Refused,
                ..
            }
        ),
        "{error}"
    );
}
