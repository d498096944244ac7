//! CloudWatch Logs through the real SDK.

use aws_sdk_cloudwatchlogs::Client;
use aws_sdk_cloudwatchlogs::error::ProvideErrorMetadata;
use aws_sdk_cloudwatchlogs::types::{FilteredLogEvent, InputLogEvent, StartLiveTailResponseStream};
use aws_sdk_lambda::primitives::Blob;

use super::super::{Incident, Lag, Options, Sandbox};
use super::{DEMO, clients, eventually, half_the_alcohol, quiet};

/// Put numbered events, one every millisecond before now, into a group of their own.
async fn fill(client: &Client, count: usize) -> (String, i64) {
    let group = "/test/group".to_owned();
    client
        .create_log_group()
        .log_group_name(&group)
        .send()
        .await
        .unwrap();
    client
        .create_log_stream()
        .log_group_name(&group)
        .log_stream_name("one")
        .send()
        .await
        .unwrap();
    let start = super::super::world::now_ms() - count as i64;
    for chunk in (0..count).collect::<Vec<_>>().chunks(5000) {
        let events = chunk.iter().map(|index| {
            let level = if index % 100 == 0 { "ERROR" } else { "INFO" };
            InputLogEvent::builder()
                .timestamp(start + *index as i64)
                .message(format!("{level} event {index}"))
                .build()
                .unwrap()
        });
        client
            .put_log_events()
            .log_group_name(&group)
            .log_stream_name("one")
            .set_log_events(Some(events.collect()))
            .send()
            .await
            .unwrap();
    }
    (group, start)
}

#[tokio::test]
async fn an_invocation_leaves_the_lines_lambda_leaves() {
    let sandbox = quiet().await;
    clients::lambda(&sandbox)
        .invoke()
        .function_name(sandbox.function())
        .payload(Blob::new(DEMO))
        .send()
        .await
        .unwrap();
    let client = clients::logs(&sandbox);
    let events = eventually(async || {
        let page = client
            .filter_log_events()
            .log_group_name(sandbox.log_group())
            .send()
            .await
            .unwrap();
        (page.events().len() == 6).then(|| page.events().to_vec())
    })
    .await;
    let first_words: Vec<&str> = events
        .iter()
        .map(|event| event.message().unwrap().split(' ').next().unwrap())
        .collect();
    assert_eq!(
        first_words,
        ["INIT_START", "✅", "✅", "START", "END", "REPORT"]
    );
    assert!(
        events[5].message().unwrap().ends_with(" ms\t\n"),
        "{:?}",
        events[5].message()
    );
    assert!(
        events
            .iter()
            .all(|event| event.ingestion_time() >= event.timestamp()
                && event.event_id().unwrap().len() == 56)
    );
    let streams = client
        .describe_log_streams()
        .log_group_name(sandbox.log_group())
        .send()
        .await
        .unwrap();
    assert_eq!(streams.log_streams().len(), 1);
    assert!(
        streams.log_streams()[0]
            .log_stream_name()
            .unwrap()
            .contains("/[$LATEST]")
    );
}

#[tokio::test]
async fn pages_join_to_the_whole_in_both_directions() {
    let options = Options {
        empty_pages: 0.3,
        ..Options::quiet()
    };
    let sandbox = Sandbox::start(options, half_the_alcohol()).await.unwrap();
    let client = clients::logs(&sandbox);
    let (group, start) = fill(&client, 1000).await;
    for ascending in [true, false] {
        let (mut seen, mut token, mut empty) = (Vec::new(), None, 0);
        loop {
            let page = client
                .filter_log_events()
                .log_group_name(&group)
                .limit(70)
                .start_from_head(ascending)
                .set_next_token(token.take())
                .send()
                .await
                .unwrap();
            assert!(page.events().len() <= 70);
            empty += usize::from(page.events().is_empty());
            seen.extend(
                page.events()
                    .iter()
                    .map(|event| event.timestamp().unwrap() - start),
            );
            token = page.next_token().map(str::to_owned);
            if token.is_none() {
                break;
            }
        }
        let mut expected: Vec<i64> = (0..1000).collect();
        if !ascending {
            expected.reverse();
        }
        assert_eq!(seen, expected);
        assert!(empty > 0, "no empty page came");
    }
}

#[tokio::test]
async fn patterns_ranges_and_streams_select() {
    let sandbox = quiet().await;
    let client = clients::logs(&sandbox);
    let (group, start) = fill(&client, 1000).await;
    let count = async |pattern: &str| {
        client
            .filter_log_events()
            .log_group_name(&group)
            .filter_pattern(pattern)
            .send()
            .await
            .unwrap()
            .events()
            .len()
    };
    assert_eq!(
        (
            count("ERROR").await,
            count("INFO").await,
            count("-INFO").await,
            count("%event 9[0-9]$%").await
        ),
        (10, 990, 10, 10)
    );
    let page = client
        .filter_log_events()
        .log_group_name(&group)
        .start_time(start + 10)
        .end_time(start + 19)
        .send()
        .await
        .unwrap();
    assert_eq!(page.events().len(), 10);
    let page = client
        .filter_log_events()
        .log_group_name(&group)
        .log_stream_name_prefix("two")
        .send()
        .await
        .unwrap();
    assert!(page.events().is_empty());
    let error = client
        .filter_log_events()
        .log_group_name(&group)
        .filter_pattern("foo-bar")
        .send()
        .await
        .unwrap_err();
    assert!(error.into_service_error().is_invalid_parameter_exception());
    let error = client
        .filter_log_events()
        .log_group_name("/no/such")
        .send()
        .await
        .unwrap_err();
    assert!(error.into_service_error().is_resource_not_found_exception());
}

#[tokio::test]
async fn get_log_events_ends_with_the_same_token() {
    let sandbox = quiet().await;
    let client = clients::logs(&sandbox);
    let (group, start) = fill(&client, 250).await;
    let (mut seen, mut token) = (Vec::new(), None::<String>);
    loop {
        let page = client
            .get_log_events()
            .log_group_name(&group)
            .log_stream_name("one")
            .start_from_head(true)
            .limit(100)
            .set_next_token(token.clone())
            .send()
            .await
            .unwrap();
        seen.extend(
            page.events()
                .iter()
                .map(|event| event.timestamp().unwrap() - start),
        );
        let next = page.next_forward_token().map(str::to_owned);
        if next == token {
            break;
        }
        token = next;
    }
    assert_eq!(seen, (0..250).collect::<Vec<_>>());
}

#[tokio::test]
async fn live_tail_pushes_what_arrives_and_samples_a_flood() {
    let sandbox = quiet().await;
    let client = clients::logs(&sandbox);
    let (group, start) = fill(&client, 10).await;
    let arn = format!(
        "arn:aws:logs:{}:{}:log-group:{group}",
        sandbox.region(),
        sandbox.account()
    );
    let mut tail = client
        .start_live_tail()
        .log_group_identifiers(arn)
        .send()
        .await
        .unwrap()
        .response_stream;
    assert!(matches!(
        tail.recv().await.unwrap(),
        Some(StartLiveTailResponseStream::SessionStart(_))
    ));
    let flood = (0..2000).map(|index| {
        InputLogEvent::builder()
            .timestamp(start)
            .message(format!("flood {index}"))
            .build()
            .unwrap()
    });
    client
        .put_log_events()
        .log_group_name(&group)
        .log_stream_name("one")
        .set_log_events(Some(flood.collect()))
        .send()
        .await
        .unwrap();
    loop {
        let Some(StartLiveTailResponseStream::SessionUpdate(update)) = tail.recv().await.unwrap()
        else {
            panic!("the session ended")
        };
        if !update.session_results().is_empty() {
            assert!(update.session_metadata().unwrap().sampled());
            assert_eq!(update.session_results().len(), 500);
            assert!(
                update.session_results()[0]
                    .message()
                    .unwrap()
                    .starts_with("flood")
            );
            break;
        }
    }
}

#[tokio::test]
async fn a_live_tail_session_ends_after_its_time() {
    let options = Options {
        live_tail_session: std::time::Duration::from_secs(5),
        ..Options::quiet()
    };
    let sandbox = Sandbox::start(options, half_the_alcohol()).await.unwrap();
    let arn = format!(
        "arn:aws:logs:{}:{}:log-group:{}",
        sandbox.region(),
        sandbox.account(),
        sandbox.log_group()
    );
    let mut tail = clients::logs(&sandbox)
        .start_live_tail()
        .log_group_identifiers(arn)
        .send()
        .await
        .unwrap()
        .response_stream;
    let error = loop {
        match tail.recv().await {
            Ok(Some(_)) => {}
            Ok(None) => panic!("ended without a reason"),
            Err(error) => break error,
        }
    };
    assert!(error.into_service_error().is_session_timeout_exception());
}

#[tokio::test]
async fn lines_become_visible_late_and_stay_where_they_belong() {
    let options = Options {
        speed: 20.0,
        ..Options::quiet()
    };
    let sandbox = Sandbox::start(options, half_the_alcohol()).await.unwrap();
    let invoke = clients::lambda(&sandbox)
        .invoke()
        .function_name(sandbox.function())
        .payload(Blob::new("{}"));
    for _ in 0..8 {
        invoke.clone().send().await.unwrap();
    }
    let client = clients::logs(&sandbox);
    let events = eventually(async || {
        let page = client
            .filter_log_events()
            .log_group_name(sandbox.log_group())
            .send()
            .await
            .unwrap();
        (page
            .events()
            .iter()
            .filter(|event| event.message().unwrap().starts_with("REPORT"))
            .count()
            == 8)
            .then(|| page.events().to_vec())
    })
    .await;
    assert!(
        events
            .iter()
            .any(|event| event.ingestion_time() > event.timestamp())
    );
    assert!(events.is_sorted_by_key(FilteredLogEvent::timestamp));
}

#[tokio::test]
async fn an_incident_brings_its_own_delivery_lag() {
    let sandbox = quiet().await;
    sandbox.set_incident(Some(Incident::LagNone));
    let invoke = clients::lambda(&sandbox)
        .invoke()
        .function_name(sandbox.function())
        .payload(Blob::new("{}"));
    for _ in 0..8 {
        invoke.clone().send().await.unwrap();
    }
    let client = clients::logs(&sandbox);
    let asked = client.filter_log_events();
    let page = asked.log_group_name(sandbox.log_group()).send().await;
    let page = page.unwrap();
    let reports = page.events().iter().filter(|event| {
        assert_eq!(event.ingestion_time(), event.timestamp());
        event.message().unwrap().starts_with("REPORT")
    });
    assert_eq!(reports.count(), 8, "readable at once");
}

#[tokio::test]
async fn the_service_refuses_as_the_real_one_does() {
    let sandbox = quiet().await;
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let ask = async |authorized: bool, body: &str| {
        let mut request = http
            .post(sandbox.aws_endpoint())
            .header("x-amz-target", "Logs_20140328.FilterLogEvents")
            .header("content-type", "application/x-amz-json-1.1")
            .body(body.to_owned());
        if authorized {
            request = request.header("authorization", "AWS4-HMAC-SHA256 Credential=x/20260101/us-east-2/logs/aws4_request, SignedHeaders=host, Signature=0");
        }
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let body: serde_json::Value = response.json().await.unwrap();
        (status, body["__type"].as_str().unwrap().to_owned())
    };
    let group = sandbox.log_group();
    assert_eq!(
        ask(false, "{}").await,
        (400, "MissingAuthenticationTokenException".into())
    );
    assert_eq!(
        ask(true, "not json").await,
        (400, "SerializationException".into())
    );
    assert_eq!(
        ask(true, "{}").await,
        (400, "InvalidParameterException".into())
    );
    assert_eq!(
        ask(true, &format!(r#"{{"logGroupName":"{group}","limit":0}}"#)).await,
        (400, "InvalidParameterException".into())
    );
    assert_eq!(
        ask(
            true,
            &format!(r#"{{"logGroupName":"{group}","startTime":"now"}}"#)
        )
        .await,
        (400, "SerializationException".into())
    );
    sandbox.set_incident(Some(Incident::Throttling));
    assert_eq!(
        ask(true, &format!(r#"{{"logGroupName":"{group}"}}"#)).await,
        (400, "ThrottlingException".into())
    );
}

#[tokio::test]
async fn an_unplugged_cable_cuts_calls_and_the_next_ones_work_again() {
    let options = Options {
        lag: Lag::None,
        ..Options::quiet()
    };
    let sandbox = Sandbox::start(options, half_the_alcohol()).await.unwrap();
    let client = clients::logs(&sandbox);
    let groups = || client.describe_log_groups().send();
    assert!(groups().await.is_ok());
    sandbox.unplug(true);
    let error = groups().await.unwrap_err();
    assert!(error.code().is_none(), "{error:?}");
    sandbox.unplug(false);
    assert!(groups().await.is_ok());
}

#[tokio::test]
async fn history_is_there_at_once_and_the_same_for_the_same_seed() {
    let options = || Options {
        history: std::time::Duration::from_hours(1),
        ..Options::quiet()
    };
    let mut sessions = Vec::new();
    for _ in 0..2 {
        let sandbox = Sandbox::start(options(), half_the_alcohol()).await.unwrap();
        let page = clients::logs(&sandbox)
            .filter_log_events()
            .log_group_name(sandbox.log_group())
            .filter_pattern("REPORT")
            .send()
            .await
            .unwrap();
        sessions.push(
            page.events()
                .iter()
                .map(|event| event.message().unwrap().to_owned())
                .collect::<Vec<_>>(),
        );
    }
    assert!(
        (100..1000).contains(&sessions[0].len()),
        "{}",
        sessions[0].len()
    );
    // The day's curve depends on when it started, so the two differ by a moment at the end.
    let same = sessions[0].len().min(sessions[1].len()) - 3;
    assert_eq!(sessions[0][..same], sessions[1][..same]);
}

#[tokio::test]
async fn background_traffic_calls_the_real_model() {
    let options = Options {
        rate: 200.0,
        ..Options::quiet()
    };
    let rows = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let seen = std::sync::Arc::clone(&rows);
    let model = super::super::ServedModel::ready(
        "v1",
        std::sync::Arc::new(move |row: &[f32]| {
            seen.lock().unwrap().push(row.to_vec());
            5.5
        }),
    );
    let sandbox = Sandbox::start(options, model).await.unwrap();
    eventually(async || (rows.lock().unwrap().len() > 100).then_some(())).await;
    let densities_are_wine = rows
        .lock()
        .unwrap()
        .iter()
        .all(|row| (0.98..1.04).contains(&row[7]));
    assert!(densities_are_wine);
    sandbox.set_incident(Some(Incident::DriftedInput));
    rows.lock().unwrap().clear();
    eventually(async || (rows.lock().unwrap().len() > 100).then_some(())).await;
    let late = rows.lock().unwrap()[20..].to_vec();
    assert!(
        late.iter().all(|row| row[10] > 13.0),
        "alcohol did not drift"
    );
}

#[tokio::test]
async fn the_other_function_logs_in_json() {
    let options = Options {
        history: std::time::Duration::from_hours(1),
        ..Options::quiet()
    };
    let sandbox = Sandbox::start(options, half_the_alcohol()).await.unwrap();
    let client = clients::logs(&sandbox);
    let reports = client
        .filter_log_events()
        .log_group_name("/aws/lambda/wine-quality-retrain")
        .filter_pattern("{ $.type = \"platform.report\" && $.record.metrics.memorySizeMB = 3008 }")
        .send()
        .await
        .unwrap();
    // Four quarters of an hour; the last run may not be over yet.
    assert!((3..=4).contains(&reports.events().len()));
    let report =
        crate::domain::report::Report::parse(reports.events()[0].message().unwrap()).unwrap();
    assert!(report.billed_ms as f64 >= report.duration_ms + report.init_ms.unwrap());
}
