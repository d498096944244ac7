//! The same rule as a CloudWatch alarm: an `aws cloudwatch put-metric-alarm` line to copy. Nothing here is ever executed.

use super::{Rule, Signal};
use crate::domain::doctor::is_hidden;

/// The names an alarm needs.
#[derive(Debug, Clone, Copy)]
pub struct Names<'a> {
    /// Lambda function name.
    pub function: &'a str,
    /// API Gateway id, if the endpoint is an API Gateway.
    pub api_id: Option<&'a str>,
    /// AWS region.
    pub region: &'a str,
}

/// `memory_utilization` is no metric of Lambda's own.
const INSIGHTS: &str =
    "# needs Lambda Insights: without its extension in the function this metric stays empty\n";

/// The command that makes CloudWatch watch this rule, or why there is none. A comment line before it says what it needs.
pub fn put_metric_alarm(rule: &Rule, names: Names<'_>) -> Result<String, String> {
    let api = || {
        names.api_id.ok_or_else(|| {
            "needs the id of an API Gateway: the endpoint's host has none".to_owned()
        })
    };
    let function = quote(names.function);
    let body = match rule.signal {
        Signal::ErrorRate => error_rate(rule, api()?),
        Signal::P99All => format!(
            "--namespace AWS/ApiGateway --metric-name Latency --dimensions Name=ApiId,Value={} {}",
            quote(api()?),
            percentile(rule)
        ),
        // Duration leaves init out, which makes it the warm figure.
        Signal::P99Warm => format!(
            "--namespace AWS/Lambda --metric-name Duration --dimensions Name=FunctionName,Value={function} {}",
            percentile(rule)
        ),
        Signal::NoEvents => format!(
            "--namespace AWS/Lambda --metric-name Invocations --dimensions Name=FunctionName,Value={function} \
             --statistic Sum --period {} --evaluation-periods 1 --threshold 1 \
             --comparison-operator LessThanThreshold --treat-missing-data breaching",
            rule.long_s
        ),
        Signal::Memory => format!(
            "--namespace LambdaInsights --metric-name memory_utilization --dimensions Name=function_name,Value={function} \
             --statistic Maximum --period {} --evaluation-periods 1 --threshold {} \
             --comparison-operator GreaterThanThreshold --treat-missing-data notBreaching",
            rule.short_s, rule.above
        ),
        Signal::Drift => {
            return Err(
                "CloudWatch has no metric for drift: vintner watches it while it runs".to_owned(),
            );
        }
    };
    let name = quote(&format!("{}-{}", names.function, slug(rule.signal)));
    let needs = match rule.signal {
        Signal::Memory => INSIGHTS,
        _ => "",
    };
    Ok(format!(
        "{needs}aws cloudwatch put-metric-alarm --region {} --alarm-name {name} {body}",
        quote(names.region)
    ))
}

/// The ratio needs metric math; a floor on the count keeps one failure at night from paging.
fn error_rate(rule: &Rule, api_id: &str) -> String {
    let metric = |id: &str, name: &str| {
        serde_json::json!({"Id": id, "ReturnData": false, "MetricStat": {
            "Metric": {"Namespace": "AWS/ApiGateway", "MetricName": name, "Dimensions": [{"Name": "ApiId", "Value": api_id}]},
            "Period": rule.short_s, "Stat": "Sum"}})
    };
    let ratio = serde_json::json!({"Id": "rate", "ReturnData": true, "Label": "5xx %",
        "Expression": format!("IF(count-e4>={}, 100*e5/(count-e4), 0)", rule.min_n)});
    let metrics = serde_json::json!([
        ratio,
        metric("count", "Count"),
        metric("e4", "4xx"),
        metric("e5", "5xx")
    ]);
    format!(
        "--metrics {} --evaluation-periods {} --datapoints-to-alarm {} --threshold {} \
         --comparison-operator GreaterThanThreshold --treat-missing-data notBreaching",
        quote(&metrics.to_string()),
        3,
        2,
        rule.above
    )
}

fn percentile(rule: &Rule) -> String {
    format!(
        "--extended-statistic p99 --period {} --evaluation-periods 3 --datapoints-to-alarm 2 --threshold {} \
         --comparison-operator GreaterThanThreshold --evaluate-low-sample-count-percentile ignore --treat-missing-data notBreaching",
        rule.short_s, rule.above
    )
}

fn slug(signal: Signal) -> &'static str {
    match signal {
        Signal::ErrorRate => "error-rate",
        Signal::P99Warm => "p99-warm",
        Signal::P99All => "p99",
        Signal::Drift => "drift",
        Signal::NoEvents => "no-invocations",
        Signal::Memory => "memory",
    }
}

/// Quotes a word for a POSIX shell: remote names must not become commands, and hide nothing from who copies them.
pub fn quote(word: &str) -> String {
    let word: String = word.chars().filter(|c| !is_hidden(*c)).collect();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@,+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::domain::alerts::default_rules;

    const NAMES: Names<'_> = Names {
        function: "wine-quality-predictor",
        api_id: Some("mc7310utyk"),
        region: "us-east-2",
    };

    fn line(signal: Signal) -> Result<String, String> {
        put_metric_alarm(
            default_rules().iter().find(|r| r.signal == signal).unwrap(),
            NAMES,
        )
    }

    #[test]
    fn the_error_alarm_watches_the_gateway_with_its_own_metric_names() {
        let text = line(Signal::ErrorRate).unwrap();
        assert!(text.starts_with("aws cloudwatch put-metric-alarm --region us-east-2 --alarm-name wine-quality-predictor-error-rate"));
        assert!(text.contains(r#""MetricName":"5xx""#) && !text.contains("5XXError"));
        let json = text.split('\'').nth(1).unwrap();
        let parsed: serde_json::Value = serde_json::from_str(json).unwrap();
        assert_eq!(parsed.as_array().unwrap().len(), 4);
    }

    #[test]
    fn percentile_alarms_use_the_right_metric() {
        assert!(
            line(Signal::P99All)
                .unwrap()
                .contains("AWS/ApiGateway --metric-name Latency")
        );
        let warm = line(Signal::P99Warm).unwrap();
        assert!(
            warm.contains("AWS/Lambda --metric-name Duration") && warm.contains("--threshold 500")
        );
        assert!(
            line(Signal::NoEvents)
                .unwrap()
                .contains("--treat-missing-data breaching")
        );
        let memory = line(Signal::Memory).unwrap();
        assert!(
            memory.starts_with("# needs Lambda Insights")
                && memory.contains("\naws cloudwatch put-metric-alarm")
                && memory.contains("--namespace LambdaInsights")
                && memory.contains("--threshold 90"),
            "{memory}"
        );
        assert!(line(Signal::Drift).is_err());
    }

    #[test]
    fn hostile_names_stay_words() {
        assert_eq!(quote("a b; rm -rf ~"), "'a b; rm -rf ~'");
        assert_eq!(quote("it's"), r"'it'\''s'");
        let nameless = Names {
            api_id: None,
            ..NAMES
        };
        assert!(put_metric_alarm(&default_rules()[0], nameless).is_err());
    }
}
