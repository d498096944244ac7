//! Logs Insights through the real SDK.

use aws_sdk_cloudwatchlogs::Client;
use aws_sdk_cloudwatchlogs::error::ProvideErrorMetadata;
use aws_sdk_cloudwatchlogs::types::QueryStatus;

use super::super::Sandbox;
use super::logs::{create, line, put};
use super::{clients, eventually, quiet};

const GROUP: &str = "/test/insights";

/// Four invocations and two JSON lines, one minute apart, starting on a full five minutes.
async fn fill(client: &Client) -> i64 {
    create(client, GROUP).await;
    let now = super::super::world::now_ms();
    let start = now - now.rem_euclid(300_000) - 600_000;
    let report = |index: i64, duration: &str, init: &str| {
        format!(
            "REPORT RequestId: 0000000{index}-0000-4000-8000-000000000000\tDuration: {duration} ms\tBilled Duration: 100 ms\tMemory Size: 1024 MB\tMax Memory Used: 237 MB\t{init}\n"
        )
    };
    let messages = [
        report(0, "100.00", "Init Duration: 1100.50 ms\t"),
        report(1, "200.00", ""),
        report(2, "300.00", ""),
        "{\"level\":\"ERROR\",\"latency\":120,\"user\":{\"id\":7}}".to_owned(),
        "{\"level\":\"INFO\",\"latency\":20}".to_owned(),
        report(5, "400.00", ""),
    ];
    let lines = messages.into_iter().zip(0..);
    let lines = lines.map(|(message, n)| line(start + n * 60_000, message));
    put(client, GROUP, lines.collect()).await;
    start
}

async fn run(client: &Client, start: i64, query: &str) -> Vec<Vec<(String, String)>> {
    let id = client
        .start_query()
        .log_group_name(GROUP)
        .start_time(start / 1000)
        .end_time(start / 1000 + 900)
        .query_string(query)
        .send()
        .await
        .unwrap()
        .query_id
        .unwrap();
    let output = eventually(async || {
        let output = client
            .get_query_results()
            .query_id(&id)
            .send()
            .await
            .unwrap();
        (output.status() == Some(&QueryStatus::Complete)).then_some(output)
    })
    .await;
    assert!(output.statistics().unwrap().bytes_scanned() > 0.0);
    let pair = |field: &aws_sdk_cloudwatchlogs::types::ResultField| {
        (
            field.field().unwrap().to_owned(),
            field.value().unwrap().to_owned(),
        )
    };
    output
        .results()
        .iter()
        .map(|row| {
            row.iter()
                .map(pair)
                .filter(|(name, _)| name != "@ptr")
                .collect()
        })
        .collect()
}

async fn table(sandbox: &Sandbox, query: &str) -> Vec<String> {
    let client = clients::logs(sandbox);
    let start = match client
        .describe_log_streams()
        .log_group_name(GROUP)
        .send()
        .await
    {
        Ok(streams) => streams.log_streams()[0].first_event_timestamp().unwrap(),
        Err(_) => fill(&client).await,
    };
    let rows = run(&client, start, query).await;
    rows.iter()
        .map(|row| {
            row.iter()
                .map(|(_, value)| value.trim())
                .collect::<Vec<_>>()
                .join("|")
        })
        .collect()
}

#[tokio::test]
async fn stats_over_report_lines() {
    let sandbox = quiet().await;
    let query = "filter @type = \"REPORT\" | stats count(*) as n, avg(@duration), max(@initDuration), pct(@duration, 50), min(@maxMemoryUsed/1000/1000) as mb";
    assert_eq!(table(&sandbox, query).await, ["4|250|1100.5|200|237"]);
    let bins = table(
        &sandbox,
        "filter ispresent(@duration) | stats sum(@duration) as total by bin(5m) | sort total desc",
    )
    .await;
    assert_eq!(bins.len(), 2);
    assert!(
        bins[0].ends_with(":00.000|600") && bins[1].ends_with(":00.000|400"),
        "{bins:?}"
    );
    assert_eq!(
        table(
            &sandbox,
            "filter @type = 'REPORT' | stats count(@initDuration)"
        )
        .await,
        ["1"]
    );
}

#[tokio::test]
async fn fields_filters_parse_sort_and_limit() {
    let sandbox = quiet().await;
    for (query, expected) in [
        (
            "fields level, latency | filter level = \"ERROR\" and user.id = 7",
            vec!["ERROR|120"],
        ),
        (
            "fields latency | filter latency > 10 | sort latency asc | limit 1",
            vec!["20"],
        ),
        (
            "filter @message like /INFO/ | fields @message",
            vec![r#"{"level":"INFO","latency":20}"#],
        ),
        (
            "parse @message \"Duration: * ms\" as d | filter @message not like 'level' | fields d | sort d desc | limit 2",
            vec!["400.00", "300.00"],
        ),
        (
            "parse @message /Duration: (?<whole>[0-9]+)/ | filter whole in [100, 300] | stats count(*)",
            vec!["2"],
        ),
        (
            "# a comment\nfields latency * 2 + 1 as twice | filter ispresent(latency) | sort @timestamp asc",
            vec!["241", "41"],
        ),
        (
            "stats count(*) by level | sort level desc",
            vec!["INFO|1", "ERROR|1", "4"],
        ),
    ] {
        assert_eq!(table(&sandbox, query).await, expected, "{query}");
    }
}

#[tokio::test]
async fn a_syntax_error_says_where_and_a_query_can_be_stopped() {
    let sandbox = quiet().await;
    let client = clients::logs(&sandbox);
    let start = fill(&client).await;
    let ask = |query: &str| {
        client
            .start_query()
            .log_group_name(GROUP)
            .start_time(start / 1000)
            .end_time(start / 1000 + 900)
            .query_string(query)
            .send()
    };
    for (query, at) in [
        ("fields @message | filtr x = 1", 18),
        ("fields @message | limit x", 24),
        ("stats nonsense(x)", 6),
        ("filter (a = 1", 13),
    ] {
        let error = ask(query).await.unwrap_err().into_service_error();
        assert!(error.is_malformed_query_exception(), "{error:?}");
        assert!(
            error
                .message()
                .unwrap()
                .ends_with(&format!("at position {at}")),
            "{query}: {error}"
        );
    }
    let slow = Sandbox::start(
        super::super::Options {
            speed: 0.01,
            ..super::super::Options::quiet()
        },
        super::half_the_alcohol(),
    )
    .await
    .unwrap();
    let client = clients::logs(&slow);
    let start = fill(&client).await;
    let id = client
        .start_query()
        .log_group_name(GROUP)
        .start_time(start / 1000)
        .end_time(start / 1000 + 900)
        .query_string("fields @message")
        .send()
        .await
        .unwrap()
        .query_id
        .unwrap();
    let status = async || {
        let results = client.get_query_results().query_id(&id);
        results.send().await.unwrap().status
    };
    assert_eq!(status().await, Some(QueryStatus::Running));
    assert!(
        client
            .stop_query()
            .query_id(&id)
            .send()
            .await
            .unwrap()
            .success()
    );
    assert_eq!(status().await, Some(QueryStatus::Cancelled));
}
