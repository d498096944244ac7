//! CloudWatch metrics: everything a refresh needs in one GetMetricData call. The only file that names its SDK crate.

use std::collections::BTreeMap;

use aws_config::SdkConfig;
use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{Dimension, Metric, MetricDataQuery, MetricDataResult, MetricStat};

use crate::client::errors::{AwsError, Call};
use crate::client::refusal;
use crate::domain::doctor::facts::{Fact, Metrics};
use crate::domain::metrics::{Budget, Point, Snapshot, period};
use crate::domain::slo::Counts;

/// What is asked: (id, from the gateway, metric, statistic).
const TOTALS: [(&str, bool, &str, &str); 16] = [
    ("invocations", false, "Invocations", "Sum"),
    ("errors", false, "Errors", "Sum"),
    ("throttles", false, "Throttles", "Sum"),
    ("duration_n", false, "Duration", "SampleCount"),
    ("duration_p50", false, "Duration", "p50"),
    ("duration_p99", false, "Duration", "p99"),
    ("concurrent", false, "ConcurrentExecutions", "Maximum"),
    ("count", true, "Count", "Sum"),
    ("c4xx", true, "4xx", "Sum"),
    ("c5xx", true, "5xx", "Sum"),
    ("latency_n", true, "Latency", "SampleCount"),
    ("latency_p50", true, "Latency", "p50"),
    ("latency_p99", true, "Latency", "p99"),
    ("integration_n", true, "IntegrationLatency", "SampleCount"),
    ("integration_p50", true, "IntegrationLatency", "p50"),
    ("integration_p99", true, "IntegrationLatency", "p99"),
];

const SERIES: [(&str, &str, &str); 5] = [
    ("s_count", "Count", "Sum"),
    ("s_4xx", "4xx", "Sum"),
    ("s_5xx", "5xx", "Sum"),
    ("s_p50", "Latency", "p50"),
    ("s_p99", "Latency", "p99"),
];

/// Reads the `window_s` seconds before `now_ms` in one call (all pages of it).
pub async fn snapshot(
    config: &SdkConfig,
    function: &str,
    api_id: Option<&str>,
    window_s: i64,
    now_ms: i64,
) -> Fact<Snapshot> {
    let step = period(window_s);
    // Whole periods: a data point covers a period or nothing.
    let end = now_ms.div_euclid(60_000).saturating_add(1) * 60;
    let whole = window_s.max(60).div_euclid(60) * 60;
    let call = aws_sdk_cloudwatch::Client::new(config)
        .get_metric_data()
        .start_time(DateTime::from_secs(end - whole))
        .end_time(DateTime::from_secs(end))
        .set_metric_data_queries(Some(queries(function, api_id, whole, step)));
    let pages = call
        .into_paginator()
        .send()
        .collect::<Result<Vec<_>, _>>()
        .await;
    match pages {
        Ok(pages) => {
            let results: Vec<MetricDataResult> = pages
                .into_iter()
                .flat_map(|p| p.metric_data_results.unwrap_or_default())
                .collect();
            Fact::Known(Snapshot {
                totals: totals(&results, whole),
                period_s: step,
                points: points(&results),
            })
        }
        Err(error) => refusal::fact(&AwsError::from_sdk(&error, &call_of(function, config))),
    }
}

/// Requests and failures of the last 30 days in five-minute points, summed over the SLO's windows. One call.
pub async fn budget(config: &SdkConfig, api_id: &str, now_ms: i64) -> Fact<Budget> {
    const STEP_S: i64 = 300;
    let end = now_ms.div_euclid(STEP_S * 1000).saturating_add(1) * STEP_S;
    let gateway = ("AWS/ApiGateway", "ApiId", Some(api_id));
    let wanted = [("count", "Count"), ("c4xx", "4xx"), ("c5xx", "5xx")];
    let queries = wanted
        .iter()
        .filter_map(|(id, metric)| query(id, gateway, metric, "Sum", STEP_S))
        .collect();
    let call = aws_sdk_cloudwatch::Client::new(config)
        .get_metric_data()
        .start_time(DateTime::from_secs(end - 30 * 86_400))
        .end_time(DateTime::from_secs(end))
        .set_metric_data_queries(Some(queries));
    match call
        .into_paginator()
        .send()
        .collect::<Result<Vec<_>, _>>()
        .await
    {
        Ok(pages) => {
            let results: Vec<MetricDataResult> = pages
                .into_iter()
                .flat_map(|p| p.metric_data_results.unwrap_or_default())
                .collect();
            let over = |seconds: i64| {
                let from = now_ms - seconds * 1000;
                // A point counts from its start: one that began before the window is left out.
                let sum = |id: &str| {
                    values(&results, id)
                        .filter(|(at, _)| *at >= from - STEP_S * 1000 / 2)
                        .map(|(_, v)| v)
                        .sum::<f64>()
                };
                Counts::at_gateway(sum("count"), sum("c4xx"), sum("c5xx"))
            };
            Fact::Known(Budget {
                five_minutes: over(300),
                half_hour: over(1800),
                hour: over(3600),
                six_hours: over(21_600),
                month: over(30 * 86_400),
            })
        }
        Err(error) => refusal::fact(&AwsError::from_sdk(&error, &call_of("the gateway", config))),
    }
}

fn call_of(subject: &str, config: &SdkConfig) -> Call {
    Call {
        action: "cloudwatch:GetMetricData",
        subject: format!("metrics of {subject}"),
        region: config.region().map(ToString::to_string).unwrap_or_default(),
        profile: None,
    }
}

fn queries(function: &str, api_id: Option<&str>, whole: i64, step: i64) -> Vec<MetricDataQuery> {
    let lambda = ("AWS/Lambda", "FunctionName", Some(function));
    let gateway = ("AWS/ApiGateway", "ApiId", api_id);
    let totals = TOTALS.iter().filter_map(|(id, at_gateway, metric, stat)| {
        query(
            id,
            if *at_gateway { gateway } else { lambda },
            metric,
            stat,
            whole,
        )
    });
    let series = SERIES
        .iter()
        .filter_map(|(id, metric, stat)| query(id, gateway, metric, stat, step));
    totals.chain(series).collect()
}

fn query(
    id: &str,
    source: (&str, &str, Option<&str>),
    metric: &str,
    stat: &str,
    period: i64,
) -> Option<MetricDataQuery> {
    let (namespace, dimension, value) = source;
    let metric = Metric::builder()
        .namespace(namespace)
        .metric_name(metric)
        .dimensions(Dimension::builder().name(dimension).value(value?).build())
        .build();
    let stat = MetricStat::builder()
        .metric(metric)
        .period(i32::try_from(period).ok()?)
        .stat(stat)
        .build();
    Some(
        MetricDataQuery::builder()
            .id(id)
            .metric_stat(stat)
            .return_data(true)
            .build(),
    )
}

fn values<'a>(
    results: &'a [MetricDataResult],
    id: &'a str,
) -> impl Iterator<Item = (i64, f64)> + 'a {
    results
        .iter()
        .filter(move |r| r.id() == Some(id))
        .flat_map(|r| r.timestamps().iter().zip(r.values()))
        .map(|(at, value)| (at.secs().saturating_mul(1000), *value))
}

fn totals(results: &[MetricDataResult], window_s: i64) -> Metrics {
    // A window that straddles CloudWatch's own boundaries comes in two points: sums add up, percentiles do not.
    // Of those the larger is taken, never an average.
    let sum = |id: &str| values(results, id).map(|(_, v)| v).reduce(|a, b| a + b);
    let highest = |id: &str| values(results, id).map(|(_, v)| v).reduce(f64::max);
    Metrics {
        window_s,
        invocations: sum("invocations"),
        errors: sum("errors"),
        throttles: sum("throttles"),
        duration_n: sum("duration_n"),
        duration_p50: highest("duration_p50"),
        duration_p99: highest("duration_p99"),
        concurrent_max: highest("concurrent"),
        gateway_count: sum("count"),
        gateway_4xx: sum("c4xx"),
        gateway_5xx: sum("c5xx"),
        latency_n: sum("latency_n"),
        latency_p50: highest("latency_p50"),
        latency_p99: highest("latency_p99"),
        integration_n: sum("integration_n"),
        integration_p50: highest("integration_p50"),
        integration_p99: highest("integration_p99"),
    }
}

fn points(results: &[MetricDataResult]) -> Vec<Point> {
    let mut by_time: BTreeMap<i64, Point> = BTreeMap::new();
    for (id, _, _) in SERIES {
        for (at_ms, value) in values(results, id) {
            let point = by_time.entry(at_ms).or_insert(Point {
                at_ms,
                ..Point::default()
            });
            match id {
                "s_count" => point.count = Some(value),
                "s_4xx" => point.client_errors = Some(value),
                "s_5xx" => point.server_errors = Some(value),
                "s_p50" => point.latency_p50 = Some(value),
                _ => point.latency_p99 = Some(value),
            }
        }
    }
    by_time.into_values().collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::float_cmp)]
    use super::*;

    fn result(id: &str, points: &[(i64, f64)]) -> MetricDataResult {
        let mut builder = MetricDataResult::builder().id(id);
        for (at, value) in points {
            builder = builder.timestamps(DateTime::from_secs(*at)).values(*value);
        }
        builder.build()
    }

    #[test]
    fn sums_add_and_percentiles_do_not() {
        let results = [
            result("count", &[(0, 10.0), (900, 5.0)]),
            result("latency_p99", &[(0, 200.0), (900, 500.0)]),
        ];
        let totals = totals(&results, 900);
        assert_eq!(
            (totals.gateway_count, totals.latency_p99, totals.errors),
            (Some(15.0), Some(500.0), None)
        );
    }

    #[test]
    fn points_join_by_time_in_order() {
        let results = [
            result("s_count", &[(120, 4.0), (60, 2.0)]),
            result("s_5xx", &[(120, 1.0)]),
        ];
        let points = points(&results);
        assert_eq!(
            points.iter().map(|p| p.at_ms).collect::<Vec<_>>(),
            [60_000, 120_000]
        );
        assert_eq!(
            (
                points[1].count,
                points[1].server_errors,
                points[0].server_errors
            ),
            (Some(4.0), Some(1.0), None)
        );
    }

    #[test]
    fn without_a_gateway_only_lambda_is_asked() {
        assert_eq!(queries("f", None, 900, 60).len(), 7);
        let all = queries("f", Some("a"), 900, 60);
        assert_eq!(all.len(), TOTALS.len() + SERIES.len());
        assert!(all.iter().all(|q| q.metric_stat().is_some()));
    }
}
