//! CloudWatch Logs through the real SDK.

mod delivery;
mod limits;
mod tail;
mod traffic;

use aws_sdk_cloudwatchlogs::Client;
use aws_sdk_cloudwatchlogs::types::{FilteredLogEvent, InputLogEvent};
use aws_sdk_lambda::primitives::Blob;

use super::super::{Options, Sandbox};
use super::{DEMO, clients, eventually, half_the_alcohol, quiet};

/// Makes a group with one stream.
pub(super) async fn create(client: &Client, group: &str) {
    let made = client.create_log_group().log_group_name(group);
    made.send().await.unwrap();
    let made = client.create_log_stream().log_group_name(group);
    made.log_stream_name("one").send().await.unwrap();
}

pub(super) fn line(at: i64, message: impl Into<String>) -> InputLogEvent {
    let line = InputLogEvent::builder().timestamp(at).message(message);
    line.build().unwrap()
}

/// Puts lines into the one stream of a group.
pub(super) async fn put(client: &Client, group: &str, lines: Vec<InputLogEvent>) {
    let put = client.put_log_events().log_group_name(group);
    let put = put.log_stream_name("one").set_log_events(Some(lines));
    put.send().await.unwrap();
}

/// All that a group shows by now.
pub(super) async fn events(client: &Client, group: &str) -> Vec<FilteredLogEvent> {
    let asked = client.filter_log_events().log_group_name(group);
    asked.send().await.unwrap().events.unwrap_or_default()
}

/// Puts numbered events, one every millisecond before now, into a group of their own.
async fn fill(client: &Client, count: usize) -> (String, i64) {
    let group = "/test/group".to_owned();
    create(client, &group).await;
    let start = super::super::world::now_ms() - count as i64;
    for chunk in (0..count).collect::<Vec<_>>().chunks(5000) {
        let events = chunk.iter().map(|index| {
            let level = if index % 100 == 0 { "ERROR" } else { "INFO" };
            line(start + *index as i64, format!("{level} event {index}"))
        });
        put(client, &group, events.collect()).await;
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
        let events = events(&client, &sandbox.log_group()).await;
        (events.len() == 6).then_some(events)
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
