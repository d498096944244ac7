//! `GetMetricData`: statistics over what really happened, period by period.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::ledger::Ledger;
use super::super::reply::Fault;
use super::super::world::{World, lock};
use super::dimensions;

const FUNCTION_METRICS: [&str; 5] = [
    "Invocations",
    "Errors",
    "Throttles",
    "Duration",
    "ConcurrentExecutions",
];
const GATEWAY_METRICS: [&str; 5] = ["Count", "4xx", "5xx", "Latency", "IntegrationLatency"];
/// Most data points one call returns.
const MOST_POINTS: usize = 100_800;

pub(super) fn list(world: &World, input: &Value) -> Value {
    let wanted = |namespace: &str, name: &str| {
        input["Namespace"]
            .as_str()
            .is_none_or(|wanted| wanted == namespace)
            && input["MetricName"]
                .as_str()
                .is_none_or(|wanted| wanted == name)
    };
    let own = [
        (
            "AWS/Lambda",
            FUNCTION_METRICS,
            "FunctionName",
            &world.options.function,
        ),
        (
            "AWS/ApiGateway",
            GATEWAY_METRICS,
            "ApiId",
            &world.options.api_id,
        ),
    ];
    let metrics: Vec<Value> = own
        .iter()
        .flat_map(|(namespace, names, dimension, value)| {
            names.iter().filter(|name| wanted(namespace, name)).map(move |name| {
                json!({"Namespace": namespace, "MetricName": name, "Dimensions": [{"Name": dimension, "Value": value}]})
            })
        })
        .collect();
    json!({"Metrics": metrics})
}

pub(super) fn get(world: &World, input: &Value) -> Result<Value, Fault> {
    let missing = |name: &str| {
        Fault::new(
            400,
            "ValidationError",
            format!("The parameter {name} is required."),
        )
    };
    let start = input["StartTime"]
        .as_f64()
        .ok_or_else(|| missing("StartTime"))?;
    let end = input["EndTime"]
        .as_f64()
        .ok_or_else(|| missing("EndTime"))?;
    let queries = input["MetricDataQueries"]
        .as_array()
        .ok_or_else(|| missing("MetricDataQueries"))?;
    if start >= end {
        return Err(Fault::new(
            400,
            "ValidationError",
            "The parameter StartTime must be less than the parameter EndTime.",
        ));
    }
    if queries.is_empty() || queries.len() > 500 {
        return Err(Fault::new(
            400,
            "ValidationError",
            "The collection MetricDataQueries must have a size between 1 and 500.",
        ));
    }
    let ascending = input["ScanBy"] == "TimestampAscending";
    let range = ((start * 1000.0) as i64, (end * 1000.0) as i64);
    let ledger = lock(&world.ledger);
    let mut results = Vec::with_capacity(queries.len());
    for query in queries {
        results.push(one(world, &ledger, query, range, ascending)?);
    }
    Ok(json!({"MetricDataResults": results, "Messages": []}))
}

fn one(
    world: &World,
    ledger: &Ledger,
    query: &Value,
    range: (i64, i64),
    ascending: bool,
) -> Result<Value, Fault> {
    let id = query["Id"].as_str().unwrap_or_default();
    if !id.starts_with(|c: char| c.is_ascii_lowercase()) {
        return Err(Fault::new(
            400,
            "ValidationError",
            format!(
                "The value '{id}' for parameter MetricDataQueries.member.Id is not matching the expected pattern ^[a-z][a-zA-Z0-9_]*$."
            ),
        ));
    }
    if let Some(expression) = query["Expression"].as_str() {
        return Err(Fault::new(
            400,
            "ValidationError",
            format!("The sandbox does not evaluate expressions: {expression}"),
        ));
    }
    let stat = &query["MetricStat"];
    let name = stat["Metric"]["MetricName"].as_str().unwrap_or_default();
    let period_ms = stat["Period"].as_i64().unwrap_or(60).max(1) * 1000;
    if (range.1 - range.0) / period_ms > MOST_POINTS as i64 {
        return Err(Fault::new(
            400,
            "ValidationError",
            format!("The query would return more than {MOST_POINTS} data points."),
        ));
    }
    let statistic = Statistic::parse(stat["Stat"].as_str().unwrap_or_default())?;
    // A period belongs to the result when it starts in the range; the range's start is rounded down to a period.
    let (start, end) = (range.0 - range.0.rem_euclid(period_ms), range.1);
    let mut bins: BTreeMap<i64, Vec<f64>> = BTreeMap::new();
    for (at, value) in samples(world, ledger, &stat["Metric"]) {
        if (start..end).contains(&at) {
            bins.entry(at - at.rem_euclid(period_ms))
                .or_default()
                .push(value);
        }
    }
    let mut points: Vec<(f64, f64)> = bins
        .into_iter()
        .map(|(at, mut values)| (at as f64 / 1000.0, statistic.of(&mut values)))
        .collect();
    if !ascending {
        points.reverse();
    }
    let (timestamps, values): (Vec<f64>, Vec<f64>) = points.into_iter().unzip();
    Ok(json!({
        "Id": id, "Label": query["Label"].as_str().unwrap_or(name), "Timestamps": timestamps, "Values": values, "StatusCode": "Complete",
    }))
}

/// The raw samples of a metric; none for a metric or a dimension that does not exist here.
fn samples(world: &World, ledger: &Ledger, metric: &Value) -> Vec<(i64, f64)> {
    let name = metric["MetricName"].as_str().unwrap_or_default();
    let dimensions = dimensions(metric);
    match metric["Namespace"].as_str().unwrap_or_default() {
        "AWS/Lambda" => {
            let ours = dimensions.iter().all(|(key, value)| match *key {
                "FunctionName" | "Resource" => *value == world.options.function,
                _ => false,
            });
            if ours {
                function_samples(ledger, name)
            } else {
                Vec::new()
            }
        }
        "AWS/ApiGateway" => {
            let ours = dimensions.iter().all(|(key, value)| match *key {
                "ApiId" => *value == world.options.api_id,
                "Stage" => *value == "$default",
                _ => false,
            });
            if ours && !dimensions.is_empty() {
                gateway_samples(ledger, name)
            } else {
                Vec::new()
            }
        }
        _ => Vec::new(),
    }
}

fn function_samples(ledger: &Ledger, name: &str) -> Vec<(i64, f64)> {
    let calls = ledger.function.iter();
    match name {
        "Invocations" => calls.map(|call| (call.at, 1.0)).collect(),
        "Errors" => calls
            .map(|call| (call.at, f64::from(u8::from(call.failed))))
            .collect(),
        "Duration" => calls.map(|call| (call.at, call.duration_ms)).collect(),
        "ConcurrentExecutions" => calls
            .map(|call| (call.at, f64::from(call.concurrent)))
            .collect(),
        // Lambda also reports a zero for every call that was not throttled.
        "Throttles" => calls
            .map(|call| (call.at, 0.0))
            .chain(ledger.throttles.iter().map(|at| (*at, 1.0)))
            .collect(),
        _ => Vec::new(),
    }
}

fn gateway_samples(ledger: &Ledger, name: &str) -> Vec<(i64, f64)> {
    let calls = ledger.gateway.iter();
    let class = |hundreds: u16| move |status: u16| f64::from(u8::from(status / 100 == hundreds));
    match name {
        "Count" => calls.map(|call| (call.at, 1.0)).collect(),
        "4xx" => calls.map(|call| (call.at, class(4)(call.status))).collect(),
        "5xx" => calls.map(|call| (call.at, class(5)(call.status))).collect(),
        "Latency" => calls
            .map(|call| (call.at, call.own_ms + call.integration_ms.unwrap_or(0.0)))
            .collect(),
        "IntegrationLatency" => calls
            .filter_map(|call| Some((call.at, call.integration_ms?)))
            .collect(),
        _ => Vec::new(),
    }
}

#[derive(Debug, Clone, Copy)]
enum Statistic {
    Sum,
    Average,
    Minimum,
    Maximum,
    SampleCount,
    Percentile(f64),
}

impl Statistic {
    fn parse(text: &str) -> Result<Self, Fault> {
        let invalid = || {
            Fault::new(
                400,
                "ValidationError",
                format!(
                    "The value '{text}' for parameter MetricDataQueries.member.MetricStat.Stat is not a valid statistic."
                ),
            )
        };
        Ok(match text {
            "Sum" => Self::Sum,
            "Average" => Self::Average,
            "Minimum" => Self::Minimum,
            "Maximum" => Self::Maximum,
            "SampleCount" => Self::SampleCount,
            _ => {
                let percent: f64 = text
                    .strip_prefix('p')
                    .and_then(|digits| digits.parse().ok())
                    .ok_or_else(invalid)?;
                if !(0.0..=100.0).contains(&percent) {
                    return Err(invalid());
                }
                Self::Percentile(percent)
            }
        })
    }

    fn of(self, values: &mut [f64]) -> f64 {
        let count = values.len() as f64;
        match self {
            Self::Sum => values.iter().sum(),
            Self::Average => values.iter().sum::<f64>() / count,
            Self::Minimum => values.iter().copied().fold(f64::INFINITY, f64::min),
            Self::Maximum => values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            Self::SampleCount => count,
            Self::Percentile(percent) => {
                values.sort_unstable_by(f64::total_cmp);
                let rank = (percent / 100.0 * count).ceil().max(1.0) as usize;
                values[rank.min(values.len()) - 1]
            }
        }
    }
}
