//! CloudWatch metrics: everything a refresh needs in one GetMetricData call. The only file that names its SDK crate.

use std::collections::{BTreeMap, BTreeSet};

use aws_config::SdkConfig;
use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{Dimension, Metric, MetricDataQuery, MetricDataResult, MetricStat};

use crate::client::errors::{AwsError, Call};
use crate::client::refusal;
use crate::domain::doctor::facts::{Fact, Metrics};
use crate::domain::metrics::{Budget, Point, Recent, Snapshot, Span};
use crate::domain::slo::Counts;

/// Counted in fine periods and added up: (id, from the gateway, metric, statistic).
const COUNTS: [(&str, bool, &str, &str); 7] = [
    ("invocations", false, "Invocations", "Sum"),
    ("errors", false, "Errors", "Sum"),
    ("throttles", false, "Throttles", "Sum"),
    ("concurrent", false, "ConcurrentExecutions", "Maximum"),
    ("count", true, "Count", "Sum"),
    ("c4xx", true, "4xx", "Sum"),
    ("c5xx", true, "5xx", "Sum"),
];

/// Over one period as long as the window: percentiles do not add up, and their n goes with them.
const RANKS: [(&str, bool, &str, &str); 9] = [
    ("duration_n", false, "Duration", "SampleCount"),
    ("duration_p50", false, "Duration", "p50"),
    ("duration_p99", false, "Duration", "p99"),
    ("latency_n", true, "Latency", "SampleCount"),
    ("latency_p50", true, "Latency", "p50"),
    ("latency_p99", true, "Latency", "p99"),
    ("integration_n", true, "IntegrationLatency", "SampleCount"),
    ("integration_p50", true, "IntegrationLatency", "p50"),
    ("integration_p99", true, "IntegrationLatency", "p99"),
];

/// Over time, for charts.
const SERIES: [(&str, bool, &str, &str); 2] = [
    ("s_p50", true, "Latency", "p50"),
    ("s_p99", true, "Latency", "p99"),
];

/// How far back the error budget's alerts look, seconds.
const BURN_S: i64 = Recent::REACH_S;
/// The error budget's whole window, seconds.
const MONTH_S: i64 = 30 * 86_400;
/// Periods of the month: a multiple of five minutes, as CloudWatch keeps older points.
const MONTH_STEP_S: i64 = 3600;

/// Reads the `window_s` seconds before `now_ms` in one call.
pub async fn snapshot(
    config: &SdkConfig,
    function: &str,
    api_id: Option<&str>,
    window_s: i64,
    now_ms: i64,
) -> Fact<Snapshot> {
    let span = Span::before(now_ms, window_s);
    let queries = queries(function, api_id, &span);
    read(
        config,
        function,
        span.request_start_s(0),
        span.end_s,
        queries,
    )
    .await
    .map(|results| condense(&results, &span, now_ms))
}

/// A window's figures and the budget's alert windows in one call. The month's counts, which move slowly, are given.
pub async fn measure(
    config: &SdkConfig,
    function: &str,
    api_id: Option<&str>,
    window_s: i64,
    month: &Fact<Counts>,
    now_ms: i64,
) -> (Fact<Snapshot>, Fact<Budget>) {
    let span = Span::before(now_ms, window_s);
    let queries = queries(function, api_id, &span);
    let start = span.request_start_s(BURN_S);
    let results = read(config, function, start, span.end_s, queries).await;
    let budget = match (&results, month) {
        (Fact::Known(results), Fact::Known(month)) => Fact::Known(budget(results, *month, &span)),
        (_, Fact::Known(_)) => results.clone().map(|_| Budget::default()),
        (_, absent) => absent.clone().map(|_| Budget::default()),
    };
    let snapshot = results.map(|results| condense(&results, &span, now_ms));
    (snapshot, budget)
}

/// Requests and failures at the gateway in the last 30 days, to the hour. One call.
pub async fn month(config: &SdkConfig, api_id: &str, now_ms: i64) -> Fact<Counts> {
    let end = now_ms.div_euclid(MONTH_STEP_S * 1000).saturating_add(1) * MONTH_STEP_S;
    let gateway = ("AWS/ApiGateway", "ApiId", Some(api_id));
    let queries = COUNTS
        .iter()
        .filter(|(_, at_gateway, _, _)| *at_gateway)
        .filter_map(|(id, _, metric, stat)| query(id, gateway, metric, stat, MONTH_STEP_S))
        .collect();
    let all = i64::MIN..i64::MAX;
    read(config, "the gateway", end - MONTH_S, end, queries)
        .await
        .map(|results| counts(&results, all))
}

async fn read(
    config: &SdkConfig,
    subject: &str,
    start_s: i64,
    end_s: i64,
    queries: Vec<MetricDataQuery>,
) -> Fact<Vec<MetricDataResult>> {
    let call = aws_sdk_cloudwatch::Client::new(config)
        .get_metric_data()
        .start_time(DateTime::from_secs(start_s))
        .end_time(DateTime::from_secs(end_s))
        .set_metric_data_queries(Some(queries));
    let pages = call
        .into_paginator()
        .send()
        .collect::<Result<Vec<_>, _>>()
        .await;
    match pages {
        Ok(pages) => Fact::Known(
            pages
                .into_iter()
                .flat_map(|p| p.metric_data_results.unwrap_or_default())
                .collect(),
        ),
        Err(error) => {
            let call = Call {
                action: "cloudwatch:GetMetricData",
                subject: format!("metrics of {subject}"),
                region: config.region().map(ToString::to_string).unwrap_or_default(),
                profile: None,
            };
            refusal::fact(&AwsError::from_sdk(&error, &call))
        }
    }
}

fn queries(function: &str, api_id: Option<&str>, span: &Span) -> Vec<MetricDataQuery> {
    let lambda = ("AWS/Lambda", "FunctionName", Some(function));
    let gateway = ("AWS/ApiGateway", "ApiId", api_id);
    let of = |rows: &'static [(&str, bool, &str, &str)], period: i64| {
        rows.iter()
            .filter_map(move |(id, at_gateway, metric, stat)| {
                let source = if *at_gateway { gateway } else { lambda };
                query(id, source, metric, stat, period)
            })
    };
    of(&COUNTS, span.fine_s)
        .chain(of(&RANKS, span.window_s))
        .chain(of(&SERIES, span.step_s))
        .collect()
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

/// (milliseconds since the epoch, value) of one query.
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

fn counts(results: &[MetricDataResult], within: std::ops::Range<i64>) -> Counts {
    let sum = |id: &str| {
        values(results, id)
            .filter(|(at, _)| within.contains(at))
            .map(|(_, v)| v)
            .sum::<f64>()
    };
    Counts::at_gateway(sum("count"), sum("c4xx"), sum("c5xx"))
}

fn budget(results: &[MetricDataResult], month: Counts, span: &Span) -> Budget {
    let recent = recent(results, span);
    Budget {
        five_minutes: recent.over(300),
        half_hour: recent.over(1800),
        hour: recent.over(3600),
        six_hours: recent.over(BURN_S),
        month,
        recent,
    }
}

fn recent(results: &[MetricDataResult], span: &Span) -> Recent {
    let (from, to) = ((span.end_s - BURN_S) * 1000, span.end_s * 1000);
    let starts: BTreeSet<i64> = ["count", "c4xx", "c5xx"]
        .into_iter()
        .flat_map(|id| values(results, id))
        .map(|(at, _)| at - at.rem_euclid(span.fine_s * 1000))
        .filter(|at| (from..to).contains(at))
        .collect();
    let periods = starts.into_iter().map(|start| {
        let within = start..start + span.fine_s * 1000;
        (start / 1000, counts(results, within))
    });
    Recent {
        end_s: span.end_s,
        periods: periods.collect(),
    }
}

fn condense(results: &[MetricDataResult], span: &Span, now_ms: i64) -> Snapshot {
    Snapshot {
        totals: totals(results, span, now_ms),
        period_s: span.step_s,
        points: points(results, span),
    }
}

fn totals(results: &[MetricDataResult], span: &Span, now_ms: i64) -> Metrics {
    let within = |id: &'static str| {
        values(results, id)
            .filter(|(at, _)| span.contains(*at))
            .map(|(_, v)| v)
    };
    let sum = |id: &'static str| within(id).reduce(|a, b| a + b);
    // All ranks come from the same period, so that their n is theirs.
    let starts = RANKS
        .iter()
        .flat_map(|(id, ..)| values(results, id).map(|(at, _)| at));
    let covering = span.covering(starts, now_ms);
    let rank = |id: &'static str| {
        let (start, _) = covering?;
        values(results, id)
            .find(|(at, _)| *at == start)
            .map(|(_, v)| v)
    };
    Metrics {
        window_s: span.window_s,
        span_ms: covering,
        invocations: sum("invocations"),
        errors: sum("errors"),
        throttles: sum("throttles"),
        duration_n: rank("duration_n"),
        duration_p50: rank("duration_p50"),
        duration_p99: rank("duration_p99"),
        concurrent_max: within("concurrent").reduce(f64::max),
        gateway_count: sum("count"),
        gateway_4xx: sum("c4xx"),
        gateway_5xx: sum("c5xx"),
        latency_n: rank("latency_n"),
        latency_p50: rank("latency_p50"),
        latency_p99: rank("latency_p99"),
        integration_n: rank("integration_n"),
        integration_p50: rank("integration_p50"),
        integration_p99: rank("integration_p99"),
    }
}

fn points(results: &[MetricDataResult], span: &Span) -> Vec<Point> {
    let mut by_time: BTreeMap<i64, Point> = BTreeMap::new();
    for id in ["count", "c4xx", "c5xx", "s_p50", "s_p99"] {
        for (at, value) in values(results, id).filter(|(at, _)| span.contains(*at)) {
            let at_ms = at - at.rem_euclid(span.step_s * 1000);
            let point = by_time.entry(at_ms).or_insert(Point {
                at_ms,
                ..Point::default()
            });
            let add = |sum: &mut Option<f64>| *sum = Some(sum.unwrap_or(0.0) + value);
            match id {
                "count" => add(&mut point.count),
                "c4xx" => add(&mut point.client_errors),
                "c5xx" => add(&mut point.server_errors),
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

    /// 12:07:30 of a day: aligned to no period.
    const NOW_S: i64 = 20_000 * 86_400 + 12 * 3600 + 450;

    fn result(id: &str, points: impl IntoIterator<Item = (i64, f64)>) -> MetricDataResult {
        let mut builder = MetricDataResult::builder().id(id);
        for (at, value) in points {
            builder = builder.timestamps(DateTime::from_secs(at)).values(value);
        }
        builder.build()
    }

    /// One request a second for a day, as CloudWatch would count it in periods that begin at multiples.
    fn steady(id: &str, period: i64) -> MetricDataResult {
        let from = NOW_S - 86_400;
        let first = from - from.rem_euclid(period);
        let points = (first..NOW_S).step_by(period as usize).map(|start| {
            let counted = (start + period).min(NOW_S) - start.max(from);
            (start, counted as f64)
        });
        result(id, points)
    }

    #[test]
    fn sums_cover_the_window_and_no_more_when_now_is_unaligned() {
        for window in [300, 900, 3600, 21_600] {
            let span = Span::before(NOW_S * 1000, window);
            let results = [steady("count", span.fine_s), steady("latency_n", window)];
            let totals = totals(&results, &span, NOW_S * 1000);
            let n = totals.gateway_count.unwrap();
            assert!(
                n <= window as f64 && n > (window - span.fine_s) as f64,
                "{window}: {n}"
            );
            let (from, to) = totals.span_ms.unwrap();
            assert_eq!(
                totals.latency_n,
                Some(((to - from) / 1000) as f64),
                "{window}"
            );
            assert!(
                to - from >= window * 500 && to - from <= window * 1000,
                "{window}"
            );
        }
    }

    #[test]
    fn ranks_come_from_one_period_and_never_from_two() {
        let span = Span::before(NOW_S * 1000, 900);
        // 12:00 covers half of the window and more than 11:45 does of it.
        let (half_past, noon) = (NOW_S - 450 - 900, NOW_S - 450);
        let results = [
            result("latency_p99", [(noon, 200.0), (half_past, 500.0)]),
            result("latency_n", [(noon, 10.0), (half_past, 40.0)]),
        ];
        let totals = totals(&results, &span, NOW_S * 1000);
        assert_eq!(
            (totals.latency_p99, totals.latency_n),
            (Some(200.0), Some(10.0))
        );
        assert_eq!(totals.span_ms, Some((noon * 1000, NOW_S * 1000)));
        assert_eq!(totals.errors, None);
    }

    #[test]
    fn the_alert_windows_come_from_the_same_points() {
        let span = Span::before(NOW_S * 1000, 900);
        let budget = budget(&[steady("count", span.fine_s)], Counts::default(), &span);
        for (counts, seconds) in [
            (budget.five_minutes, 300.0),
            (budget.half_hour, 1800.0),
            (budget.hour, 3600.0),
            (budget.six_hours, 21_600.0),
        ] {
            assert!(
                counts.valid <= seconds && counts.valid > seconds - 60.0,
                "{counts:?}"
            );
        }
    }

    #[test]
    fn points_join_by_time_in_order() {
        let span = Span::before(NOW_S * 1000, 900);
        let (early, late) = (NOW_S - 30 - 240, NOW_S - 30 - 60);
        let results = [
            result("count", [(late, 4.0), (early, 2.0)]),
            result("c5xx", [(late, 1.0)]),
        ];
        let points = points(&results, &span);
        let at: Vec<i64> = points.iter().map(|p| p.at_ms / 1000).collect();
        assert_eq!(at, [early, late]);
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
        let span = Span::before(NOW_S * 1000, 900);
        assert_eq!(queries("f", None, &span).len(), 7);
        let all = queries("f", Some("a"), &span);
        assert_eq!(all.len(), COUNTS.len() + RANKS.len() + SERIES.len());
        assert!(all.iter().all(|q| q.metric_stat().is_some()));
    }
}
